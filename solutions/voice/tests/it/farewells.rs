//! How streams end, as a client sees it: with a status and a word why (RFC 6455 §7.4.1), and never cut.

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use ieum_core::system_clock;
use ieum_testkit::backend::SqlStore;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{CloseCode, Data, OpCode};

use crate::pages::{next, stream};
use crate::stage::Stage;

/// Returns the status and the word that a stream ends with, and fails where it is cut.
async fn ended(talk: &mut WebSocketStream<TcpStream>) -> (u16, String) {
    let mut last = None;
    while let Some(message) = talk.next().await {
        if let Message::Close(frame) = message.expect("is no cut") {
            assert!(last.is_none(), "it is said once");
            last = frame.map(|frame| (frame.code.into(), frame.reason.to_string()));
        }
    }
    last.expect("says why")
}

#[tokio::test]
async fn a_stream_that_its_client_ends_is_answered_with_the_same_status() {
    let sql = SqlStore::sqlite();
    let stage = Stage::over(&sql.url).await;
    for (code, reason) in [(CloseCode::Normal, "done"), (CloseCode::Away, "")] {
        let mut talk = stream(&stage, "userId=ada").await;
        talk.send(Message::text(r#"{"type":"text","text":"what time is it"}"#)).await.expect("is sent");
        assert_eq!(next(&mut talk).await["type"], "DIALOG_RESPONSE");
        talk.close(Some(CloseFrame { code, reason: reason.into() })).await.expect("is sent");
        assert_eq!(ended(&mut talk).await, (code.into(), reason.to_owned()));
    }
}

#[tokio::test]
async fn a_process_that_stops_answers_what_was_said_and_tells_streams_that_it_goes() {
    let sql = SqlStore::sqlite();
    let stage = Stage::over(&sql.url).await;
    let mut busy = stream(&stage, "userId=ada").await;
    let mut idle = stream(&stage, "deviceId=kitchen").await;
    busy.send(Message::text(r#"{"type":"text","text":"what time is it"}"#)).await.expect("is sent");
    assert_eq!(next(&mut busy).await["type"], "DIALOG_RESPONSE");
    let told = (1001, "the platform stops; come again in a moment".to_owned());
    let (_, busy, idle) = tokio::join!(stage.part.drain(), ended(&mut busy), ended(&mut idle));
    assert_eq!((&busy, &idle), (&told, &told));
    let mut late = stream(&stage, "userId=ada").await;
    assert_eq!(ended(&mut late).await, told, "who comes after it is told the same");
}

#[tokio::test]
async fn what_no_stream_reads_ends_it_and_says_why() {
    let sql = SqlStore::sqlite();
    let stage = Stage::over(&sql.url).await;
    let long = Message::text("x".repeat(2 * 1024 * 1024));
    let no_text = Message::Frame(Frame::message(vec![0xff, 0xfe], OpCode::Data(Data::Text), true));
    let unknown = Message::Frame(Frame::message(vec![1], OpCode::Data(Data::Reserved(5)), true));
    for (sent, status, why) in [
        (long, 1009, "a message may have 1048576 bytes"),
        (no_text, 1007, "a text must be UTF-8"),
        (unknown, 1002, "this is no WebSocket (RFC 6455)"),
    ] {
        let talk = stream(&stage, "userId=ada").await;
        // What is too long may not be taken to its end.
        let (_, told) = {
            let (mut writing, mut reading) = talk.split();
            let told = async {
                loop {
                    let next = reading.next().await.expect("says why").expect("is no cut");
                    if let Message::Close(frame) = next {
                        break frame.expect("has a status");
                    }
                }
            };
            tokio::join!(writing.send(sent), told)
        };
        assert_eq!((u16::from(told.code), &*told.reason), (status, why));
    }
}

#[tokio::test]
async fn a_client_that_answers_nothing_is_told_the_end_and_holds_up_nobody() {
    let sql = SqlStore::sqlite();
    let stage = Stage::over(&sql.url).await;
    let mut silent = stream(&stage, "userId=ada").await;
    // Beneath the library, which would answer pings.
    let (line, mut frames) = (silent.get_mut(), Vec::new());
    loop {
        tokio::select! {
            read = line.read_buf(&mut frames) => if read.expect("is no cut") == 0 { break },
            () = system_clock().sleep(Duration::from_millis(20)) => stage.clock.advance(Duration::from_secs(100)),
        }
    }
    let ping = [0x89, 0];
    let close = [&[0x88, 2 + 30, 0x03, 0xe9][..], b"nothing was heard for too long"].concat();
    assert_eq!(frames, [&ping[..], &ping, &close].concat());

    let mut deaf = stream(&stage, "userId=ada").await;
    stage.meanwhile(stage.part.drain()).await;
    assert_eq!(ended(&mut deaf).await.0, 1001, "it is there once somebody reads");
}
