//! Byte streams: cut, refused, silent.

use std::time::Duration;

use ieum_testkit::fault::{FaultPlan, TcpProxy};
use ieum_testkit::wait;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::origin::{Origin, get};

/// A server that sends back what it gets.
async fn echo() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut from, mut to) = stream.split();
                let _ = tokio::io::copy(&mut from, &mut to).await;
            });
        }
    });
    address.to_string()
}

#[tokio::test]
async fn bytes_pass_both_ways_and_a_half_close_does_not_cut() {
    let proxy = TcpProxy::start(&echo().await, FaultPlan::default()).await.expect("the plan is right");
    let mut stream = TcpStream::connect(proxy.address()).await.expect("it listens");
    stream.write_all(b"there and back").await.expect("it is open");
    stream.shutdown().await.expect("it is open");
    let mut back = String::new();
    stream.read_to_string(&mut back).await.expect("it answers");
    assert_eq!(back, "there and back");
}

#[tokio::test]
async fn a_cut_ends_open_connections_and_refuses_new_ones_until_restored() {
    let proxy = TcpProxy::start(&echo().await, FaultPlan::default()).await.expect("the plan is right");
    let mut stream = TcpStream::connect(proxy.address()).await.expect("it listens");
    stream.write_all(b"x").await.expect("it is open");
    let mut byte = [0];
    stream.read_exact(&mut byte).await.expect("it answers");
    proxy.cut();
    assert!(!matches!(stream.read(&mut byte).await, Ok(count) if count > 0), "bytes came over a cut line");
    let mut refused = TcpStream::connect(proxy.address()).await.expect("the port stays open");
    assert!(!matches!(refused.read(&mut byte).await, Ok(count) if count > 0), "bytes came over a cut line");
    proxy.restore();
    let mut again = TcpStream::connect(proxy.address()).await.expect("it listens");
    again.write_all(b"y").await.expect("it is open");
    again.read_exact(&mut byte).await.expect("it answers again");
    assert_eq!(&byte, b"y");
}

#[tokio::test]
async fn a_silent_line_keeps_its_bytes_until_restored() {
    let proxy = TcpProxy::start(&echo().await, FaultPlan::default()).await.expect("the plan is right");
    let mut stream = TcpStream::connect(proxy.address()).await.expect("it listens");
    proxy.silence();
    stream.write_all(b"z").await.expect("it is open");
    let mut byte = [0];
    let early = tokio::time::timeout(Duration::from_millis(50), stream.read(&mut byte)).await;
    assert!(early.is_err(), "a silent line answered");
    proxy.restore();
    stream.read_exact(&mut byte).await.expect("it answers again");
    assert_eq!(&byte, b"z");
}

#[tokio::test]
async fn a_drop_costs_the_whole_connection() {
    let origin = Origin::start().await;
    let plan = FaultPlan { drop: 1.0, seed: 5, ..FaultPlan::default() };
    let proxy = TcpProxy::start(&origin.address.to_string(), plan).await.expect("the plan is right");
    for _ in 0..20 {
        assert_eq!(get(proxy.address(), "/lost").await, "");
    }
    wait::until("all drops are counted", Duration::from_secs(60), || async {
        let counts = proxy.counts();
        counts.dropped_before + counts.dropped_after == 20
    })
    .await
    .expect("every connection was dropped");
    assert_eq!(origin.seen().len() as u64, proxy.counts().dropped_after);
}

#[tokio::test]
async fn a_byte_stream_refuses_a_plan_for_messages() {
    let plan = FaultPlan { duplicate: 0.1, ..FaultPlan::default() };
    let error = TcpProxy::start("127.0.0.1:1", plan).await.err().expect("bytes cannot be doubled");
    assert!(error.to_string().contains("neither be duplicated nor reordered"));
}
