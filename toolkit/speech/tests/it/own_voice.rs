//! Half duplex: a satellite whose microphone hears its own speaker is talked with as if it did not.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use ieum_core::ManualClock;
use ieum_speech::{
    AudioFormat, Conversation, Engine, RATE, SatelliteOptions, Say, SpeechError, Spoken, Synthesizer,
    Transcript, WyomingEvent, WyomingReader, WyomingSatellite, write_event,
};
use ieum_testkit::sound::{silence, vowel};
use parking_lot::Mutex;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio_util::sync::CancellationToken;

use crate::hearing::Counting;
use crate::satellites::taken;

/// What a microphone sends at once: a tenth of a second.
const PIECE: usize = RATE as usize / 10 * 2;

/// Speaks for two seconds, whatever it is to say.
struct Speaking;

#[async_trait]
impl Synthesizer for Speaking {
    fn engine(&self) -> Engine {
        Engine { name: "speaking".to_owned(), languages: vec!["en".to_owned()] }
    }

    async fn synthesize(&self, _: &Say) -> Result<Spoken, SpeechError> {
        Ok(Spoken { format: AudioFormat::sixteen_bits(RATE), pcm: vowel(2.0).into() })
    }
}

/// Answers whatever is said, and notes it.
#[derive(Default)]
struct Answering(Mutex<Vec<String>>);

#[async_trait]
impl Conversation for Answering {
    async fn answer(&self, heard: &Transcript) -> Option<Say> {
        self.0.lock().push(heard.text.clone());
        Some(Say { text: "it is noon".to_owned(), ..Say::default() })
    }
}

/// The satellite's own end of a call.
struct Satellite {
    reader: WyomingReader<OwnedReadHalf>,
    writer: OwnedWriteHalf,
    clock: ManualClock,
}

impl Satellite {
    /// Lets its microphone hear that, as long as it takes, and returns what it was told meanwhile.
    async fn hears(&mut self, pcm: &[u8]) -> Vec<WyomingEvent> {
        let format = json!({ "rate": RATE, "width": 2, "channels": 1 });
        let mut told = Vec::new();
        for piece in pcm.chunks(PIECE) {
            self.clock.advance(Duration::from_millis(100));
            let chunk = WyomingEvent::new("audio-chunk", format.clone()).with_payload(piece.to_vec().into());
            let ping = WyomingEvent::new("ping", json!({ "text": "heard?" }));
            for event in [chunk, ping] {
                write_event(&mut self.writer, &event).await.expect("is heard");
            }
            // What is sent is taken in order, so that with the answer the piece was taken.
            loop {
                let event = self.reader.next().await.expect("is an event").expect("is there");
                if event.kind == "pong" {
                    break;
                }
                told.push(event);
            }
        }
        told
    }
}

impl Satellite {
    /// Hears somebody, and returns the answer that it is to play.
    async fn is_answered(&mut self) -> Vec<u8> {
        // The turn ends, and is answered aloud, with the last piece of the silence that ends it.
        let mut told = self.hears(&vowel(1.0)).await;
        for _ in 0..20 {
            if count(&told, "audio-stop") == 0 {
                told.extend(self.hears(&silence(0.1)).await);
            }
        }
        told.iter()
            .filter(|event| event.kind == "audio-chunk")
            .flat_map(|event| event.payload.to_vec())
            .collect()
    }

    /// Says that it has played what it was given.
    async fn has_played(&mut self) {
        write_event(&mut self.writer, &WyomingEvent::new("played", json!({}))).await.expect("is heard");
    }
}

fn count(told: &[WyomingEvent], kind: &str) -> usize {
    told.iter().filter(|event| event.kind == kind).count()
}

fn kinds(told: &[WyomingEvent]) -> Vec<&str> {
    told.iter().map(|event| event.kind.as_str()).collect()
}

/// Calls a satellite; returns its own end of the call.
async fn called(conversation: &Arc<Answering>) -> (Satellite, CancellationToken) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let (clock, stop) = (ManualClock::default(), CancellationToken::new());
    let served = WyomingSatellite {
        address: listener.local_addr().expect("it listens").to_string(),
        transcriber: Arc::new(Counting),
        synthesizer: Arc::new(Speaking),
        conversation: conversation.clone(),
        options: SatelliteOptions::default(),
        clock: clock.shared(),
        watch: Default::default(),
    };
    let stopped = stop.clone();
    tokio::spawn(async move { served.run(stopped).await });
    let mut stream = taken(&listener).await;
    write_event(&mut stream, &WyomingEvent::new("info", json!({}))).await.expect("is heard");
    let (reader, writer) = stream.into_split();
    (Satellite { reader: WyomingReader::new(reader), writer, clock }, stop)
}

#[tokio::test]
async fn a_satellite_that_hears_its_own_speaker_is_not_answered_and_who_speaks_after_it_is() {
    let conversation = Arc::new(Answering::default());
    let (mut satellite, stop) = called(&conversation).await;
    let played = satellite.is_answered().await;
    assert_eq!(played, vowel(2.0));
    // The room gives the speaker's sound back a little later.
    let echoed = satellite.hears(&[silence(0.2), played].concat()).await;
    assert_eq!(kinds(&echoed), [""; 0]);
    // Whoever speaks right after that is heard, and only they are.
    let said = satellite.hears(&[vowel(1.0), silence(1.0)].concat()).await;
    assert_eq!((count(&said, "voice-started"), count(&said, "transcript")), (1, 1), "{:?}", kinds(&said));
    let heard = conversation.0.lock().clone();
    let tenths = |text: &String| text.split(' ').nth(1).and_then(|count| count.parse::<u32>().ok());
    let lengths: Vec<u32> = heard.iter().filter_map(tenths).collect();
    assert_eq!(lengths.len(), 2, "{heard:?}");
    // A second of voice, with the silence around it that is kept.
    assert!(lengths.iter().all(|length| (10..=21).contains(length)), "{heard:?}");
    stop.cancel();
}

#[tokio::test]
async fn a_satellite_that_says_when_it_has_played_is_deaf_until_then_and_never_for_long() {
    let conversation = Arc::new(Answering::default());
    let (mut satellite, stop) = called(&conversation).await;
    // That it says so is known once it did; that it says so before it can have played is not believed.
    let first = satellite.is_answered().await;
    satellite.has_played().await;
    assert_eq!(kinds(&satellite.hears(&first).await), [""; 0], "it only took it");
    assert_eq!(kinds(&satellite.hears(&silence(0.5)).await), [""; 0]);

    // Its speaker begins late, so that it plays on after the length of what it plays.
    let second = satellite.is_answered().await;
    let late = satellite.hears(&[silence(1.5), second].concat()).await;
    assert_eq!(kinds(&late), [""; 0], "its own voice is nobody's");
    satellite.has_played().await;
    assert_eq!(kinds(&satellite.hears(&silence(0.3)).await), [""; 0]);

    // Who speaks then is heard; one that says no more that it has played is heard again all the same.
    satellite.is_answered().await;
    assert_eq!(kinds(&satellite.hears(&silence(2.0 + 3.0)).await), [""; 0]);
    assert_eq!(satellite.is_answered().await, vowel(2.0));
    assert_eq!(conversation.0.lock().len(), 4);
    stop.cancel();
}
