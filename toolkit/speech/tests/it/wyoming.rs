//! Our server and our client across a socket, and what it costs when the other side misbehaves.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use ieum_core::{ManualClock, SharedClock, system_clock};
use ieum_speech::{
    Audio, AudioFormat, Engine, Hints, RATE, Say, SpeechError, Spoken, Synthesizer, Transcriber, Transcript,
    WyomingEvent, WyomingOptions, WyomingReader, WyomingServer, WyomingSynthesizer, WyomingTranscriber,
    open_synthesizer, write_event,
};
use ieum_testkit::wait::until;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use crate::hearing::Counting;

/// Says a sample for every letter.
pub struct Letters;

#[async_trait]
impl Synthesizer for Letters {
    fn engine(&self) -> Engine {
        Engine { name: "letters".to_owned(), languages: vec!["ko".to_owned(), "en".to_owned()] }
    }

    async fn synthesize(&self, say: &Say) -> Result<Spoken, SpeechError> {
        if say.text.trim().is_empty() {
            return Err(SpeechError::Text { problem: "there is nothing to say".to_owned() });
        }
        let pcm = vec![1; say.text.chars().count() * 2];
        Ok(Spoken { format: AudioFormat::sixteen_bits(22_050), pcm: pcm.into() })
    }
}

/// Never answers, and notes when nobody waits any more.
struct Endless(Arc<AtomicBool>);

struct Note(Arc<AtomicBool>);

impl Drop for Note {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

#[async_trait]
impl Transcriber for Endless {
    fn engine(&self) -> Engine {
        Engine { name: "endless".to_owned(), languages: vec!["en".to_owned()] }
    }

    async fn transcribe(&self, _: Audio, _: &Hints) -> Result<Transcript, SpeechError> {
        let _note = Note(Arc::clone(&self.0));
        std::future::pending().await
    }
}

/// Serves engines until the token is cancelled.
pub async fn serve(
    ear: Option<Arc<dyn Transcriber>>,
    voice: Option<Arc<dyn Synthesizer>>,
    options: WyomingOptions,
) -> (SocketAddr, CancellationToken) {
    serve_by(system_clock(), ear, voice, options).await
}

/// The same by a clock of the test's own.
async fn serve_by(
    clock: SharedClock,
    ear: Option<Arc<dyn Transcriber>>,
    voice: Option<Arc<dyn Synthesizer>>,
    options: WyomingOptions,
) -> (SocketAddr, CancellationToken) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port is free");
    let address = listener.local_addr().expect("it listens");
    let stop = CancellationToken::new();
    let server = WyomingServer::new(ear, voice, options, clock);
    tokio::spawn(server.serve(listener, stop.clone()));
    (address, stop)
}

async fn usual() -> (SocketAddr, CancellationToken) {
    serve(Some(Arc::new(Counting)), Some(Arc::new(Letters)), WyomingOptions::default()).await
}

const PATIENCE: Duration = Duration::from_secs(120);

#[tokio::test]
async fn an_engine_across_the_wire_is_that_engine() {
    let (address, stop) = usual().await;
    let ear =
        WyomingTranscriber::open(&address.to_string(), PATIENCE, system_clock()).await.expect("it answers");
    assert_eq!(ear.engine(), Counting.engine());
    let audio = Audio::from_samples(vec![0.1; RATE as usize * 2]);
    let heard = ear.transcribe(audio, &Hints::language("en")).await.expect("it counts");
    assert_eq!((heard.text.as_str(), heard.language.as_deref()), ("heard 20 tenths", Some("en")));
    let voice = open_synthesizer(&format!("wyoming://{address}"), Default::default(), system_clock()).await;
    let voice = voice.expect("it answers");
    assert_eq!(voice.engine(), Letters.engine());
    let said = voice.synthesize(&Say { text: "abc".to_owned(), ..Say::default() }).await.expect("it speaks");
    assert_eq!((said.pcm.len(), said.format.rate), (6, 22_050));
    stop.cancel();
}

#[tokio::test]
async fn an_engine_that_is_not_there_or_does_something_else_is_a_sentence() {
    let nobody = WyomingTranscriber::open("127.0.0.1:1", PATIENCE, system_clock()).await;
    let nobody = nobody.err().expect("nobody listens there");
    assert_eq!(nobody.to_string(), "reaching the wyoming engine at 127.0.0.1:1");
    let (address, stop) = serve(Some(Arc::new(Counting)), None, WyomingOptions::default()).await;
    let deaf = WyomingSynthesizer::open(&address.to_string(), PATIENCE, system_clock()).await;
    let deaf = deaf.err().expect("it does not speak");
    assert_eq!(deaf.to_string(), format!("describing of {address}: it offers no tts"));
    stop.cancel();
}

/// Sends events and returns the next answer.
async fn answer(stream: &mut TcpStream, events: &[WyomingEvent]) -> WyomingEvent {
    for event in events {
        write_event(stream, event).await.expect("it is open");
    }
    WyomingReader::new(stream).next().await.expect("it is an event").expect("it is open")
}

#[tokio::test]
async fn what_cannot_be_heard_or_said_is_answered_and_the_talk_goes_on() {
    let (address, stop) = usual().await;
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    let format = json!({ "rate": 12_345, "width": 2, "channels": 1 });
    let refused = answer(&mut stream, &[WyomingEvent::new("audio-start", format)]).await;
    assert_eq!((refused.kind.as_str(), refused.text("code")), ("error", Some("speech.audio")));
    let refused = answer(&mut stream, &[WyomingEvent::new("synthesize", json!({ "text": " " }))]).await;
    assert_eq!((refused.kind.as_str(), refused.text("code")), ("error", Some("speech.text")));
    let format = json!({ "rate": 16_000, "width": 2, "channels": 1 });
    let chunk = WyomingEvent::new("audio-chunk", format).with_payload(vec![0; 900_000].into());
    let refused = answer(&mut stream, &[chunk.clone(), chunk]).await;
    assert_eq!((refused.kind.as_str(), refused.text("code")), ("error", Some("speech.too_long")));
    let pong = answer(&mut stream, &[WyomingEvent::new("ping", json!({ "text": "still there" }))]).await;
    assert_eq!((pong.kind.as_str(), pong.text("text")), ("pong", Some("still there")));
    stop.cancel();
}

#[tokio::test]
async fn what_is_no_event_is_answered_once_and_the_connection_ends() {
    let (address, stop) = usual().await;
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    stream
        .write_all(b"{\"type\":\"audio-chunk\",\"payload_length\":99999999999}\n")
        .await
        .expect("it is open");
    let mut said = String::new();
    stream.read_to_string(&mut said).await.expect("it is text, and ends");
    assert!(said.contains("it is longer than 1 MiB"), "{said}");
    stop.cancel();
}

#[tokio::test]
async fn one_connection_too_many_is_closed_and_a_silent_one_does_not_stay() {
    let options = WyomingOptions { connections: 1, ..WyomingOptions::default() };
    let (clock, idle) = (ManualClock::default(), options.idle);
    let (address, stop) = serve_by(clock.shared(), None, Some(Arc::new(Letters)), options).await;
    let mut first = TcpStream::connect(address).await.expect("it listens");
    let pong = answer(&mut first, &[WyomingEvent::new("ping", json!({}))]).await;
    assert_eq!(pong.kind, "pong");
    let mut second = TcpStream::connect(address).await.expect("the system takes it");
    let mut nothing = Vec::new();
    let _ = second.read_to_end(&mut nothing).await;
    assert!(nothing.is_empty());
    // The first says nothing more, and is closed after its time.
    let passing = async {
        loop {
            clock.advance(idle);
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        closed = first.read_to_end(&mut nothing) => drop(closed.expect("it is closed")),
        () = passing => {}
    }
    assert!(nothing.is_empty());
    stop.cancel();
}

#[tokio::test]
async fn work_stops_when_the_one_who_asked_is_gone() {
    let stopped = Arc::new(AtomicBool::new(false));
    let endless = Endless(Arc::clone(&stopped));
    let options = WyomingOptions { partial: None, ..WyomingOptions::default() };
    let (address, stop) = serve(Some(Arc::new(endless)), None, options).await;
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    let format = json!({ "rate": 16_000, "width": 2, "channels": 1 });
    let chunk = WyomingEvent::new("audio-chunk", format).with_payload(vec![0; 3_200].into());
    for event in [chunk, WyomingEvent::new("audio-stop", json!({}))] {
        write_event(&mut stream, &event).await.expect("it is open");
    }
    drop(stream);
    until("it stopped", PATIENCE, || async { stopped.load(Ordering::Acquire) }).await.expect("nobody waits");
    stop.cancel();
}

#[tokio::test]
async fn text_in_pieces_is_spoken_by_sentences_and_the_whole_is_not_said_again() {
    let (address, stop) = usual().await;
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    let chunk = |text: &str| WyomingEvent::new("synthesize-chunk", json!({ "text": text }));
    for event in [
        WyomingEvent::new("synthesize-start", json!({ "voice": { "language": "en" } })),
        chunk("Hello the"),
        chunk("re. And then"),
        WyomingEvent::new("synthesize", json!({ "text": "Hello there. And then" })),
        WyomingEvent::new("synthesize-stop", json!({})),
    ] {
        write_event(&mut stream, &event).await.expect("it is open");
    }
    let mut reader = WyomingReader::new(stream);
    let mut kinds = Vec::new();
    let mut bytes = 0;
    while kinds.last().is_none_or(|kind| kind != "synthesize-stopped") {
        let event = reader.next().await.expect("it is an event").expect("it is open");
        bytes += event.payload.len();
        kinds.push(event.kind);
    }
    assert_eq!(kinds, ["audio-start", "audio-chunk", "audio-chunk", "audio-stop", "synthesize-stopped"]);
    assert_eq!(bytes, 2 * ("Hello there.".len() + "And then".len()));
    stop.cancel();
}
