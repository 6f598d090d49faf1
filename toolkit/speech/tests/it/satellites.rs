//! How a satellite fares, as it is told: nobody there, served, gone, and another one's already.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use ieum_core::{ManualClock, SharedClock, Timestamp, Watch, system_clock};
use ieum_speech::{
    Conversation, SatelliteOptions, Say, Transcript, WyomingEvent, WyomingOptions, WyomingReader,
    WyomingSatellite, WyomingServer, call_satellite, write_event,
};
use ieum_testkit::wait::until;
use serde_json::json;
use tokio::io::AsyncWriteExt;
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
fn call(address: String, again: Duration) -> (Watch, CancellationToken) {
    call_at(system_clock(), address, again)
}

/// Does so by a clock.
fn call_at(clock: SharedClock, address: String, again: Duration) -> (Watch, CancellationToken) {
    let (watch, stop) = (Watch::default(), CancellationToken::new());
    let satellite = WyomingSatellite {
        address,
        transcriber: Arc::new(Counting),
        synthesizer: Arc::new(Letters),
        conversation: Arc::new(Silent),
        options: SatelliteOptions { again, ..SatelliteOptions::default() },
        clock,
        watch: watch.clone(),
    };
    let stopped = stop.clone();
    tokio::spawn(async move { satellite.run(stopped).await });
    (watch, stop)
}

/// Takes a call up to the question what it is that is called.
pub async fn taken(listener: &TcpListener) -> TcpStream {
    let (mut stream, _) = listener.accept().await.expect("is called");
    let mut reader = WyomingReader::new(&mut stream);
    for kind in ["run-satellite", "describe"] {
        let event = reader.next().await.expect("is an event").expect("is there");
        assert_eq!(event.kind, kind);
    }
    stream
}

async fn told(watch: &Watch, what: Option<&str>) {
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
    told(&watch, Some("let the other one go (in Home Assistant: ")).await;
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

#[tokio::test]
async fn a_satellite_that_says_nothing_is_judged_the_same_by_whoever_only_looks() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let address = listener.local_addr().expect("it listens").to_string();
    let clock = ManualClock::default();
    let shared = clock.shared();
    let looked = tokio::spawn({
        let address = address.clone();
        async move { call_satellite(&address, &shared).await }
    });
    let stream = taken(&listener).await;
    clock.advance(Duration::from_secs(10));
    let lost = looked.await.expect("ends").expect_err("it says nothing");
    drop(stream);
    let (watch, stop) = call(address.clone(), Duration::from_secs(3_600));
    drop(taken(&listener).await);
    told(&watch, Some(&lost.advised())).await;
    stop.cancel();
    let looked = tokio::spawn(async move { call_satellite(&address, &system_clock()).await });
    let mut stream = taken(&listener).await;
    write_event(&mut stream, &WyomingEvent::new("info", json!({}))).await.expect("is heard");
    looked.await.expect("ends").expect("it says what it is");
}

#[tokio::test]
async fn a_program_of_wyoming_that_is_no_satellite_such_as_this_one_is_told_so() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let address = listener.local_addr().expect("it listens").to_string();
    let (options, stop) = (WyomingOptions::default(), CancellationToken::new());
    let own = WyomingServer::new(Some(Arc::new(Counting)), Some(Arc::new(Letters)), options, system_clock());
    tokio::spawn(own.serve(listener, stop.clone()));
    let what = format!(
        "calling the satellite at {address}: what answers there is no satellite but an engine or a dialogue of Wyoming; see \
         that voice.satellites names the port of wyoming-satellite, such as 10700, and neither an engine's nor that of \
         voice.wyoming, which is this platform's own"
    );
    let lost = call_satellite(&address, &system_clock()).await.expect_err("is none");
    assert_eq!(lost.advised(), what);
    let (watch, called) = call(address, Duration::from_secs(3_600));
    told(&watch, Some(&what)).await;
    called.cancel();
    stop.cancel();
    // One that offers a wake word or an engine of its own says that it is a satellite, too.
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let address = listener.local_addr().expect("it listens").to_string();
    let looked = tokio::spawn(async move { call_satellite(&address, &system_clock()).await });
    let mut stream = taken(&listener).await;
    let info = json!({ "asr": [{ "name": "ear" }], "satellite": { "name": "hall" } });
    write_event(&mut stream, &WyomingEvent::new("info", info)).await.expect("is heard");
    looked.await.expect("ends").expect("it is one");
}

#[tokio::test]
async fn since_when_a_satellite_is_served_or_lost_is_when_that_came() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let address = listener.local_addr().expect("it listens").to_string();
    let begun = Timestamp::parse("2026-05-01T01:00:00Z").expect("is RFC 3339");
    let clock = ManualClock::at(begun);
    let (watch, stop) = call_at(clock.shared(), address, Duration::from_secs(5));
    let mut stream = taken(&listener).await;
    assert_eq!(watch.since(), None, "nothing came of it yet");
    write_event(&mut stream, &WyomingEvent::new("info", json!({}))).await.expect("is heard");
    told(&watch, None).await;
    clock.advance(Duration::from_secs(7));
    assert_eq!(watch.since(), Some(begun));
    drop(stream);
    told(&watch, Some("it hung up")).await;
    let lost = begun + Duration::from_secs(7);
    assert_eq!(watch.since(), Some(lost));
    clock.advance(Duration::from_secs(5));
    drop(taken(&listener).await);
    told(&watch, Some("says nothing")).await;
    assert_eq!(watch.since(), Some(lost), "it was lost before, for another reason");
    stop.cancel();
}

/// What the log says.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("is whole").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_program_that_is_no_satellite_is_told_with_what_to_do_and_logged_once() {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing_subscriber::filter::LevelFilter::DEBUG);
    let subscriber = subscriber.with_ansi(false).with_writer(move || writer.clone()).finish();
    let _guard = tracing_subscriber::util::SubscriberInitExt::set_default(subscriber);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let address = listener.local_addr().expect("it listens").to_string();
    let (watch, stop) = call(address.clone(), Duration::from_millis(20));
    for _ in 0..4 {
        let mut stream = taken(&listener).await;
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.expect("is heard");
    }
    // Called a fifth time, it was lost four times.
    let last = taken(&listener).await;
    let problem = watch.problem().expect("it is no satellite");
    let what = format!("talking with the satellite at {address}: reading a wyoming event: its first line: ");
    assert!(problem.starts_with(&what), "{problem}");
    assert!(problem.contains("; see that voice.satellites names the port of wyoming-satellite"), "{problem}");
    stop.cancel();
    drop(last);
    let log = String::from_utf8(lines.0.lock().expect("is whole").clone()).expect("is text");
    let count = |what: &str| log.lines().filter(|line| line.contains(what)).count();
    assert_eq!((count("WARN"), count("satellite lost;")), (1, 1), "{log}");
    assert_eq!(count("DEBUG ieum_speech::wyoming::satellite: satellite still lost"), 3, "{log}");
    assert_eq!(count("satellite reached"), 0, "{log}");
}
