//! Turns in a stream of real speech, with an ear that only counts.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use ieum_speech::{
    Audio, AudioFormat, Engine, Heard, Hints, Listener, ListenerOptions, RATE, SpeechError, Transcriber,
    Transcript,
};

use crate::speaking::{espeak, spoken};

/// Says how many tenths of a second it was given.
pub struct Counting;

#[async_trait]
impl Transcriber for Counting {
    fn engine(&self) -> Engine {
        Engine { name: "counting".to_owned(), languages: vec!["en".to_owned()] }
    }

    async fn transcribe(&self, audio: Audio, hints: &Hints) -> Result<Transcript, SpeechError> {
        let text = format!("heard {:.0} tenths", audio.seconds() * 10.0);
        Ok(Transcript { text, language: hints.language.clone(), ..Transcript::default() })
    }
}

fn silence(seconds: f64) -> Vec<u8> {
    vec![0; (seconds * f64::from(RATE)) as usize * 2]
}

async fn hear(pcm: &[u8], options: ListenerOptions, audible: bool) -> Vec<Heard> {
    let format = AudioFormat::sixteen_bits(RATE);
    let mut listener = Listener::new(Arc::new(Counting), format, options).expect("it is usual");
    let mut heard = Vec::new();
    for piece in pcm.chunks(1_000) {
        if audible {
            heard.extend(listener.hear(piece).await.expect("it counts"));
            // Looks run beside; give them their turn, as waiting for a microphone does.
            tokio::task::yield_now().await;
        } else {
            listener.ignore(piece).expect("it is short");
        }
    }
    heard.extend(listener.finish().await.expect("it counts").map(Heard::Ended));
    heard
}

#[tokio::test]
async fn two_sentences_with_a_pause_are_two_turns() {
    let Some(engine) = espeak() else { return };
    let first = spoken(&engine, "turn on the kitchen light please", "en").await;
    let second = spoken(&engine, "what is the weather in Seoul today", "en").await;
    let pcm = [silence(1.0), first.to_pcm(), silence(1.5), second.to_pcm(), silence(1.5)].concat();
    let heard = hear(&pcm, ListenerOptions::default(), true).await;
    let began = heard.iter().filter(|heard| **heard == Heard::Began).count();
    let lengths: Vec<f64> = heard
        .iter()
        .filter_map(|heard| match heard {
            Heard::Ended(transcript) => transcript.text.split(' ').nth(1)?.parse().ok(),
            _ => None,
        })
        .collect();
    assert_eq!((began, lengths.len()), (2, 2), "{heard:?}");
    for (length, spoken) in lengths.iter().zip([&first, &second]) {
        let apart = length / 10.0 - spoken.seconds();
        assert!((-0.4..1.2).contains(&apart), "{length} tenths for {} s", spoken.seconds());
    }
}

#[tokio::test]
async fn what_was_heard_so_far_is_told_while_somebody_speaks() {
    let Some(engine) = espeak() else { return };
    let speech = spoken(&engine, "set a timer for ten minutes and wake me up at seven", "en").await;
    let options = ListenerOptions { partial: Some(Duration::from_millis(300)), ..ListenerOptions::default() };
    let heard = hear(&[speech.to_pcm(), silence(1.0)].concat(), options, true).await;
    let partials = heard.iter().filter(|heard| matches!(heard, Heard::Partial { .. })).count();
    assert!(partials >= 3, "{heard:?}");
    assert!(matches!(heard.last(), Some(Heard::Ended(_))), "{heard:?}");
}

#[tokio::test]
async fn silence_noise_and_our_own_voice_begin_no_turn() {
    assert_eq!(hear(&silence(3.0), ListenerOptions::default(), true).await, []);
    let mut state = 1_u32;
    let noise: Vec<u8> = (0..RATE * 3)
        .flat_map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (((state >> 16) as i16) / 400).to_le_bytes()
        })
        .collect();
    assert_eq!(hear(&noise, ListenerOptions::default(), true).await, []);
    let Some(engine) = espeak() else { return };
    let own = spoken(&engine, "the timer is set for ten minutes", "en").await;
    assert_eq!(hear(&own.to_pcm(), ListenerOptions::default(), false).await, []);
    assert_ne!(hear(&own.to_pcm(), ListenerOptions::default(), true).await, []);
}
