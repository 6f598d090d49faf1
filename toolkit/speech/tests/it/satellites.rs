//! How a satellite fares, as it is told: nobody there, served, gone, and another one's already.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use ieum_core::system_clock;
use ieum_speech::{
    Conversation, SatelliteOptions, SatelliteWatch, Say, Transcript, WyomingEvent, WyomingReader,
    WyomingSatellite, write_event,
};
use ieum_testkit::wait::until;
use serde_json::json;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio_util::sync::CancellationToken;

use crate::hearing::Counting;
use crate::wyoming::Letters;

const PATIENCE: Duration = Duration::from_secs(20);

struct Silent;

#[async_trait]
impl Conversation for Silent {
    async fn answer(&self, _: &Transcript) -> Option<Say> {
        None
    }
}

/// Calls a satellite, and again after `again`; ends with the token.
fn call(address: String, again: Duration) -> (SatelliteWatch, CancellationToken) {
    let (watch, stop) = (SatelliteWatch::default(), CancellationToken::new());
    let satellite = WyomingSatellite {
        address,
        transcriber: Arc::new(Counting),
        synthesizer: Arc::new(Letters),
        conversation: Arc::new(Silent),
        options: SatelliteOptions { again, ..SatelliteOptions::default() },
        clock: system_clock(),
        watch: watch.clone(),
    };
    let stopped = stop.clone();
    tokio::spawn(async move { satellite.run(stopped).await });
    (watch, stop)
}

/// Takes a call up to the question what it is that is called.
async fn taken(listener: &TcpListener) -> TcpStream {
    let (mut stream, _) = listener.accept().await.expect("is called");
    let mut reader = WyomingReader::new(&mut stream);
    for kind in ["run-satellite", "describe"] {
        let event = reader.next().await.expect("is an event").expect("is there");
        assert_eq!(event.kind, kind);
    }
    stream
}

async fn told(watch: &SatelliteWatch, what: Option<&str>) {
    let is_told = || async {
        match (watch.problem(), what) {
            (Some(problem), Some(what)) => problem.contains(what),
            (problem, what) => problem.is_none() && what.is_none(),
        }
    };
    let outcome = until("it is told", PATIENCE, is_told).await;
    assert!(outcome.is_ok(), "{:?} is not {what:?}", watch.problem());
}

#[tokio::test]
async fn a_satellite_is_told_as_away_until_it_says_something_and_when_it_hangs_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let address = listener.local_addr().expect("it listens").to_string();
    let (watch, stop) = call(address.clone(), Duration::from_secs(3_600));
    assert_eq!(watch.problem().as_deref(), Some("it was never reached yet"));
    let mut stream = taken(&listener).await;
    assert!(watch.problem().is_some(), "who said nothing may be anything");
    write_event(&mut stream, &WyomingEvent::new("info", json!({}))).await.expect("is heard");
    told(&watch, None).await;
    drop(stream);
    told(&watch, Some(&format!("talking with the satellite at {address}: it hung up"))).await;
    stop.cancel();
}

#[tokio::test]
async fn a_satellite_that_is_another_ones_is_told_so() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let address = listener.local_addr().expect("it listens").to_string();
    let (watch, stop) = call(address, Duration::from_secs(3_600));
    drop(taken(&listener).await);
    told(&watch, Some("it takes the call and says nothing; it talks with one at a time")).await;
    stop.cancel();
}

#[tokio::test]
async fn a_satellite_that_nobody_is_at_is_called_again_and_told_with_why() {
    // Whoever is bound and does not listen yet refuses, and keeps the port.
    let kept = TcpSocket::new_v4().expect("there are sockets");
    kept.bind("127.0.0.1:0".parse().expect("is an address")).expect("a port is free");
    let address = kept.local_addr().expect("it is bound");
    let (watch, stop) = call(address.to_string(), Duration::from_millis(20));
    told(&watch, Some(&format!("calling the satellite at {address}: Connection refused"))).await;
    let listener = kept.listen(1).expect("it is bound");
    let mut stream = taken(&listener).await;
    write_event(&mut stream, &WyomingEvent::new("info", json!({}))).await.expect("is heard");
    told(&watch, None).await;
    stop.cancel();
}
