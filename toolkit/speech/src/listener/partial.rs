//! What was heard so far: the turn is heard again and again as it grows, and words on which two hearings agree are
//! settled (Macháček et al. 2023, "Turning Whisper into Real-Time Transcription System", LocalAgreement-2).

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;

use crate::engine::{Hints, Transcriber, Transcript};
use crate::{Audio, RATE, SpeechError};

/// Looks at a growing turn now and then, one look at a time. Dropping it stops the look.
pub struct Partials {
    transcriber: Arc<dyn Transcriber>,
    /// No sentences: half of one is none.
    hints: Hints,
    every: usize,
    /// Samples at the last look.
    seen: usize,
    running: Option<JoinHandle<Result<Transcript, SpeechError>>>,
    agreement: Agreement,
}

/// Words on which hearings agree.
#[derive(Debug, Default)]
pub struct Agreement {
    settled: Vec<String>,
    last: Vec<String>,
}

// === Partials ===

impl Partials {
    /// Makes one that looks again after `every` of new speech.
    pub fn new(transcriber: Arc<dyn Transcriber>, language: Option<String>, every: Duration) -> Self {
        let every = usize::try_from(every.as_millis()).unwrap_or(usize::MAX).saturating_mul(RATE as usize);
        let every = (every / 1_000).max(RATE as usize / 10);
        let hints = Hints { language, grammar: None };
        Self { transcriber, hints, every, seen: 0, running: None, agreement: Agreement::default() }
    }

    /// Takes the turn so far, and returns what the last look heard, once: settled words, and the rest. A look that
    /// failed, as where the engine is busy, is passed over: the whole is heard at the end anyway.
    pub fn look(&mut self, turn: &[f32]) -> Option<(String, String)> {
        let done = self.running.as_ref().is_some_and(JoinHandle::is_finished);
        let heard = if done { self.running.take().and_then(finished) } else { None };
        if self.running.is_none() && turn.len() >= self.seen + self.every {
            self.seen = turn.len();
            let (transcriber, hints) = (Arc::clone(&self.transcriber), self.hints.clone());
            let audio = Audio::from_samples(turn.to_vec());
            self.running = Some(tokio::spawn(async move { transcriber.transcribe(audio, &hints).await }));
        }
        let text = heard.filter(|transcript| transcript.rejected.is_none())?.text;
        Some(self.agreement.hear(&text))
    }

    /// Returns the words that are settled.
    pub fn settled(&self) -> &[String] {
        &self.agreement.settled
    }
}

/// The outcome of a look that is over.
fn finished(mut running: JoinHandle<Result<Transcript, SpeechError>>) -> Option<Transcript> {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match std::future::Future::poll(std::pin::Pin::new(&mut running), &mut context) {
        std::task::Poll::Ready(outcome) => outcome.ok()?.ok(),
        std::task::Poll::Pending => None,
    }
}

impl Drop for Partials {
    fn drop(&mut self) {
        if let Some(running) = &self.running {
            running.abort();
        }
    }
}

// === Agreement ===

impl Agreement {
    /// Takes what was heard and returns the settled words and the rest.
    pub fn hear(&mut self, text: &str) -> (String, String) {
        let words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        let agreed = words.iter().zip(&self.last).take_while(|(a, b)| same(a, b)).count();
        let keeps = self.settled.iter().zip(&words).all(|(a, b)| same(a, b));
        if keeps && agreed > self.settled.len() {
            // The last word agreed on may be half of a longer one.
            let sure = if agreed == words.len() { agreed - 1 } else { agreed };
            let from = self.settled.len();
            self.settled.extend(words.iter().take(sure).skip(from).cloned());
        }
        let rest = words.get(self.settled.len()..).unwrap_or_default().join(" ");
        self.last = words;
        (self.settled.join(" "), rest)
    }
}

/// Tells whether two words are one, but for signs and capitals.
pub fn same(a: &str, b: &str) -> bool {
    let plain = |word: &str| -> String {
        word.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
    };
    plain(a) == plain(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_settle_once_two_hearings_agree_and_never_change_after() {
        let mut agreement = Agreement::default();
        let hear = |agreement: &mut Agreement, text: &str| {
            let (settled, rest) = agreement.hear(text);
            format!("{settled}|{rest}")
        };
        assert_eq!(hear(&mut agreement, "Turn."), "|Turn.");
        assert_eq!(hear(&mut agreement, "Turn on a"), "Turn|on a");
        assert_eq!(hear(&mut agreement, "turn on the kitchen"), "Turn on|the kitchen");
        assert_eq!(hear(&mut agreement, "Burn on the kitchen light"), "Turn on|the kitchen light");
    }
}
