//! Who speaks when: voice activity by `earshot`, and from it where a turn begins and ends.

use std::time::Duration;

use earshot::Detector;

use crate::RATE;

/// Samples that are judged at once: 16 ms.
const FRAME: usize = 256;

/// A frame with at least this score is voice.
const VOICE: f32 = 0.5;

/// What is kept before and after the voice: consonants are quieter than what is detected.
const MARGIN: usize = RATE as usize * 3 / 10;

/// How a turn is told from noise and pauses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndpointerOptions {
    /// How much voice begins a turn.
    pub begin: Duration,
    /// How much silence ends it.
    pub end: Duration,
    /// The longest turn.
    pub longest: Duration,
}

/// What happened at a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// Somebody began to speak; the sample (counted from the first) where the turn begins, some silence before it.
    Began(u64),
    /// They ended; the sample where the turn ends.
    Ended(u64),
}

/// Finds where turns begin and end in samples that arrive in pieces of any size.
pub struct Endpointer {
    options: EndpointerOptions,
    detector: Box<Detector>,
    rest: Vec<f32>,
    /// Samples judged.
    judged: u64,
    voice: u64,
    silence: u64,
    began: Option<u64>,
}

// === EndpointerOptions ===

impl Default for EndpointerOptions {
    fn default() -> Self {
        Self {
            begin: Duration::from_millis(96),
            end: Duration::from_millis(700),
            longest: Duration::from_secs(30),
        }
    }
}

// === Endpointer ===

impl Endpointer {
    /// Makes one that has heard nothing.
    pub fn new(options: EndpointerOptions) -> Self {
        let detector = Box::new(Detector::default());
        Self { options, detector, rest: Vec::new(), judged: 0, voice: 0, silence: 0, began: None }
    }

    /// Takes samples at 16 kHz and returns what happened, in order.
    pub fn push(&mut self, samples: &[f32]) -> Vec<Turn> {
        let mut pending = std::mem::take(&mut self.rest);
        pending.extend_from_slice(samples);
        let mut frames = pending.chunks_exact(FRAME);
        let turns = frames.by_ref().filter_map(|frame| self.judge(frame)).collect();
        self.rest = frames.remainder().to_vec();
        turns
    }

    /// Tells whether a turn goes on.
    pub fn is_speaking(&self) -> bool {
        self.began.is_some()
    }

    /// Forgets the turn, as when what was heard was our own voice.
    pub fn forget(&mut self) {
        self.began = None;
        self.voice = 0;
        self.silence = 0;
        self.detector.reset();
    }

    fn judge(&mut self, frame: &[f32]) -> Option<Turn> {
        let voice = is_voice(&mut self.detector, frame);
        self.judged += FRAME as u64;
        if voice {
            self.voice += FRAME as u64;
            self.silence = 0;
        } else {
            self.silence += FRAME as u64;
        }
        match self.began {
            None => {
                // Single frames that sound like voice do not add up over a pause.
                if !voice && self.silence > samples(self.options.begin) {
                    self.voice = 0;
                }
                (self.voice >= samples(self.options.begin)).then(|| {
                    let start = self.judged.saturating_sub(self.voice + MARGIN as u64);
                    self.began = Some(start);
                    Turn::Began(start)
                })
            }
            Some(start) => {
                let long = self.judged - start >= samples(self.options.longest);
                (long || self.silence >= samples(self.options.end)).then(|| {
                    self.began = None;
                    self.voice = 0;
                    Turn::Ended(self.judged)
                })
            }
        }
    }
}

/// Judges a frame. The detector takes no sample beyond 1, to which a change of rate can swing.
fn is_voice(detector: &mut Detector, frame: &[f32]) -> bool {
    let held: Vec<f32> = frame.iter().map(|sample| sample.clamp(-1.0, 1.0)).collect();
    detector.predict_f32(&held) >= VOICE
}

fn samples(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX).saturating_mul(u64::from(RATE)) / 1_000
}

/// Returns where in `samples` somebody speaks, with a margin on both sides; nothing where nobody does.
#[cfg(feature = "models")]
pub fn voiced(samples: &[f32]) -> Option<std::ops::Range<usize>> {
    let mut detector = Box::new(Detector::default());
    let voice: Vec<bool> = samples.chunks_exact(FRAME).map(|frame| is_voice(&mut detector, frame)).collect();
    // Two frames: a click is one.
    if voice.iter().filter(|&&voice| voice).count() < 2 {
        return None;
    }
    let first = voice.iter().position(|&voice| voice)? * FRAME;
    let last = (voice.iter().rposition(|&voice| voice)? + 1) * FRAME;
    Some(first.saturating_sub(MARGIN)..(last + MARGIN).min(samples.len()))
}
