//! What goes wrong before a server is reached, or in its answer.

use std::io::{Read, Write};
use std::net::TcpListener;

use ieum_core::{Code, Fault, Timestamp};
use ieum_data::{Point, SeriesError, open_series};

#[tokio::test]
async fn garbage_urls_and_missing_servers_are_told_apart() {
    for url in
        ["", "series", "sql:", "mongodb://h/d", "influxdb://u:hunter2@h", "influxdb://", "influxdb://h/a/b"]
    {
        let error = open_series(url, None).await.map(drop).expect_err("is garbage");
        assert!(matches!(error, SeriesError::Url { .. }), "{url}: {error:?}");
        assert!(!error.to_string().contains("hunter2"));
    }
    let port = {
        let listener = TcpListener::bind("127.0.0.1:0").expect("binds");
        listener.local_addr().expect("has an address").port()
    };
    let url = format!("influxdb://ieum:hunter2@127.0.0.1:{port}/ieum");
    let error = open_series(&url, None).await.map(drop).expect_err("nobody listens");
    assert!(error.is_retryable() && !format!("{error:?}").contains("hunter2"), "{error:?}");
    assert_eq!(Fault::from(error).code, Code::Unavailable);
}

/// Answers each request with the next answer.
fn answering(answers: &'static [&'static str]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("binds");
    let port = listener.local_addr().expect("has an address").port();
    std::thread::spawn(move || {
        for answer in answers {
            let (mut stream, _) = listener.accept().expect("accepts");
            let mut request = [0_u8; 65_536];
            let _ = stream.read(&mut request).expect("reads");
            let (status, body) = answer.split_once(' ').expect("is status and body");
            let head =
                format!("HTTP/1.1 {status} x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
            stream.write_all((head + body).as_bytes()).expect("writes");
        }
    });
    port
}

#[tokio::test]
async fn a_refused_write_says_why_and_whether_to_try_again() {
    let port =
        answering(&["404 none", "200 {}", "400 {\"error\":\"field type conflict\"}", "503 busy", "204 "]);
    let series = open_series(&format!("influxdb://127.0.0.1:{port}/ieum"), None).await.expect("opens");
    let point = [Point::new("m", Timestamp::from_seconds(1)).field("v", 1.0)];
    let error = series.write(&point).await.expect_err("is refused");
    assert!(error.to_string().contains("answered 400: {\"error\":\"field type conflict\"}"), "{error}");
    assert!(!error.is_retryable());
    let error = series.write(&point).await.expect_err("is busy");
    assert!(error.is_retryable());
    series.write(&point).await.expect("is kept at last");
}
