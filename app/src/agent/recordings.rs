//! What is heard on the device: a file, samples on the standard input, or a command's, cut where somebody speaks.

use std::error::Error;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ieum_core::new_id;
use ieum_edge::Kind;
use ieum_speech::{Audio, AudioLimits, Endpointer, EndpointerOptions, RATE, Turn};
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use tokio::process::Command;
use tokio::sync::mpsc;

use super::Speaker;

/// What one message holds, samples: half a second.
const PART: usize = RATE as usize / 2;
/// What is kept while nobody speaks, samples: a turn begins before it is noticed.
const BEFORE: usize = RATE as usize * 2;
/// The longest recording that is sent from a file, as the platform takes it.
const LONGEST: Duration = Duration::from_secs(120);
/// How long to wait before the command that hears is run again.
const AGAIN: Duration = Duration::from_secs(2);

/// Says what cannot be heard.
#[derive(Debug, thiserror::Error)]
enum HearError {
    #[error("reading the recording {path:?}")]
    File {
        path: PathBuf,
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    #[error(
        "running {command:?} to hear (agent.hear); it must write 16-bit samples of one channel at 16000 hertz, as `arecord -q -r 16000 -f S16_LE -c 1 -t raw` does"
    )]
    Command {
        command: String,
        #[source]
        source: std::io::Error,
    },
}

/// A part of a turn.
#[derive(Debug, PartialEq)]
struct Part {
    session: String,
    sequence: u32,
    last: bool,
    samples: Vec<i16>,
}

/// Cuts samples that never end into turns.
struct Cutter {
    endpointer: Endpointer,
    held: Vec<i16>,
    /// The number of the first sample held, counted from the very first.
    first: u64,
    turn: Option<(String, u32)>,
    /// The first half of a sample.
    odd: Option<u8>,
}

/// Sends a WAVE file.
pub async fn send_file(speaker: &Speaker, path: &Path) -> Result<(), Box<dyn Error>> {
    let failed = |source: Box<dyn Error + Send + Sync>| HearError::File { path: path.to_owned(), source };
    let file = tokio::fs::read(path).await.map_err(|error| failed(error.into()))?;
    let limits = AudioLimits { longest: LONGEST };
    let audio = Audio::from_wav(&file, limits).map_err(|error| failed(error.into()))?;
    let samples: Vec<i16> =
        audio.to_pcm().chunks_exact(2).map(|two| i16::from_le_bytes([two[0], two[1]])).collect();
    let session = new_id().to_string();
    let count = samples.chunks(PART).count();
    for (number, samples) in samples.chunks(PART).enumerate() {
        let sequence = u32::try_from(number).unwrap_or(u32::MAX);
        let (session, samples) = (session.clone(), samples.to_vec());
        send(speaker, Part { session, sequence, last: number + 1 == count, samples }).await?;
    }
    Ok(())
}

/// Sends what comes by the standard input: 16-bit samples of one channel at 16 kHz, to their end.
pub async fn send_typed(speaker: &Speaker) -> Result<(), Box<dyn Error>> {
    let (pieces, mut receiver) = mpsc::channel::<Vec<u8>>(8);
    std::thread::spawn(move || {
        let mut input = std::io::stdin().lock();
        let mut piece = vec![0; 8192];
        while let Ok(count @ 1..) = input.read(&mut piece) {
            if pieces.blocking_send(piece[..count].to_vec()).is_err() {
                return;
            }
        }
    });
    let mut cutter = Cutter::new();
    while let Some(piece) = receiver.recv().await {
        hear_piece(speaker, &mut cutter, &piece).await?;
    }
    if let Some(part) = cutter.finish() {
        send(speaker, part).await?;
    }
    Ok(())
}

/// Hears by a command, again where it ends, for ever.
pub async fn hear(speaker: &Speaker, command: &str) -> Result<(), Box<dyn Error>> {
    loop {
        let failed = |source| HearError::Command { command: command.to_owned(), source };
        let mut child = Command::new("sh")
            .args(["-c", command])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(failed)?;
        let mut cutter = Cutter::new();
        let (mut heard, mut piece) = (0, vec![0; 4096]);
        if let Some(mut samples) = child.stdout.take() {
            while let Ok(count @ 1..) = samples.read(&mut piece).await {
                heard += count;
                hear_piece(speaker, &mut cutter, &piece[..count]).await?;
            }
        }
        if let Some(part) = cutter.finish() {
            send(speaker, part).await?;
        }
        let ended = child.wait().await.map_err(failed)?;
        if heard == 0 && !ended.success() {
            let source = std::io::Error::other(format!("it ended with {ended} and said nothing"));
            return Err(failed(source).into());
        }
        speaker.clock.sleep(AGAIN).await;
    }
}

async fn hear_piece(speaker: &Speaker, cutter: &mut Cutter, piece: &[u8]) -> Result<(), Box<dyn Error>> {
    if speaker.told.is_speaking() {
        // What the microphone hears now is our own voice.
        cutter.ignore(piece);
        return Ok(());
    }
    for part in cutter.push(piece) {
        send(speaker, part).await?;
    }
    Ok(())
}

async fn send(speaker: &Speaker, part: Part) -> Result<(), Box<dyn Error>> {
    let bytes: Vec<u8> = part.samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    let seconds = part.samples.len() as f64 / f64::from(RATE);
    let mut body = json!({
        "sessionId": part.session,
        "sequence": part.sequence,
        "last": part.last,
        "audio": {
            "data": BASE64_STANDARD.encode(bytes),
            "format": "PCM",
            "sampleRate": RATE,
            "duration": seconds,
        },
    });
    for (name, value) in speaker.besides() {
        body[name] = value.into();
    }
    let Value::Object(body) = body else { return Ok(()) };
    match speaker.agent.say(Kind::Audio, body, Some(&part.session)).await {
        Ok(taken) => {
            if part.last {
                speaker.told.taken(Kind::Audio, &taken);
            }
            Ok(())
        }
        Err(error) => Ok(speaker.told.refused(error, Some(&part.session))?),
    }
}

// === Cutter ===

impl Cutter {
    fn new() -> Self {
        let endpointer = Endpointer::new(EndpointerOptions::default());
        Self { endpointer, held: Vec::new(), first: 0, turn: None, odd: None }
    }

    /// Takes bytes and returns the parts of turns that they complete.
    fn push(&mut self, bytes: &[u8]) -> Vec<Part> {
        let joined: Vec<u8> = self.odd.take().into_iter().chain(bytes.iter().copied()).collect();
        let pairs = joined.chunks_exact(2);
        self.odd = pairs.remainder().first().copied();
        let samples: Vec<i16> = pairs.map(|two| i16::from_le_bytes([two[0], two[1]])).collect();
        let floats: Vec<f32> = samples.iter().map(|sample| f32::from(*sample) / 32_768.0).collect();
        self.held.extend(samples);
        let mut parts = Vec::new();
        for turn in self.endpointer.push(&floats) {
            match turn {
                Turn::Began(at) => {
                    self.drop_before(at);
                    self.turn = Some((new_id().to_string(), 0));
                }
                Turn::Ended(at) => parts.extend(self.end(at)),
            }
        }
        match self.turn {
            Some(_) => {
                while self.held.len() > PART {
                    parts.extend(self.part(PART, false));
                }
            }
            None => {
                let end = self.first + self.held.len() as u64;
                self.drop_before(end.saturating_sub(BEFORE as u64));
            }
        }
        parts
    }

    /// Ends the turn that goes on, where one does.
    fn finish(&mut self) -> Option<Part> {
        self.part(self.held.len(), true)
    }

    /// Takes bytes that do not count, and forgets what was heard before them.
    fn ignore(&mut self, bytes: &[u8]) {
        // A pipe may cut a sample in two, of which one half counts and the other does not.
        let whole = (usize::from(self.odd.is_some()) + bytes.len()).is_multiple_of(2);
        let odd = bytes.last().copied().or(self.odd).filter(|_| !whole);
        *self = Self { odd, ..Self::new() };
    }

    fn end(&mut self, at: u64) -> Vec<Part> {
        let mut left = usize::try_from(at.saturating_sub(self.first)).unwrap_or(0).min(self.held.len());
        let mut parts = Vec::new();
        while left > PART {
            parts.extend(self.part(PART, false));
            left -= PART;
        }
        parts.extend(self.part(left, true));
        parts
    }

    fn part(&mut self, count: usize, last: bool) -> Option<Part> {
        let (session, next) = self.turn.as_mut()?;
        let (session, sequence) = (session.clone(), *next);
        *next += 1;
        let samples: Vec<i16> = self.held.drain(..count).collect();
        self.first += count as u64;
        if last {
            self.turn = None;
        }
        Some(Part { session, sequence, last, samples })
    }

    fn drop_before(&mut self, at: u64) {
        let count = usize::try_from(at.saturating_sub(self.first)).unwrap_or(0).min(self.held.len());
        self.held.drain(..count);
        self.first += count as u64;
    }
}

#[cfg(test)]
mod tests {
    use ieum_testkit::sound::{silence, vowel};

    use super::*;

    #[test]
    fn turns_come_in_parts_of_one_session_each_and_silence_comes_not() {
        let mut cutter = Cutter::new();
        let silence = silence(2.0);
        let mut all = Vec::new();
        for piece in [&silence, &vowel(1.5), &silence, &vowel(0.8), &silence] {
            // An odd count, as a pipe gives it.
            for bytes in piece.chunks(1_001) {
                all.extend(cutter.push(bytes));
            }
        }
        let ends = all.iter().filter(|part| part.last).count();
        assert_eq!(ends, 2, "{:?}", all.iter().map(|part| (part.sequence, part.last)).collect::<Vec<_>>());
        let first: Vec<&Part> = all.iter().filter(|part| part.session == all[0].session).collect();
        assert!(first.iter().enumerate().all(|(at, part)| part.sequence as usize == at));
        assert!(first.iter().all(|part| part.samples.len() <= PART));
        let samples: usize = first.iter().map(|part| part.samples.len()).sum();
        assert!((RATE as usize * 3 / 2..RATE as usize * 3).contains(&samples), "{samples}");
        assert!(cutter.finish().is_none());
    }
    #[test]
    fn what_does_not_count_leaves_the_samples_after_it_whole() {
        let mut cutter = Cutter::new();
        let ours = vowel(1.0);
        let (counts, first) = ours.split_at(101);
        assert!(cutter.push(counts).is_empty());
        for bytes in [first, &[1], &[], &[2, 3]] {
            cutter.ignore(bytes);
        }
        let said = [&[4][..], &vowel(1.0), &silence(1.0)].concat();
        let all: Vec<Part> = said.chunks(1_001).flat_map(|bytes| cutter.push(bytes)).collect();
        let samples: Vec<u8> =
            all.iter().flat_map(|part| &part.samples).flat_map(|two| two.to_le_bytes()).collect();
        // The half that does not count, and after it nothing but what was said.
        assert_eq!(samples[..2], [3, 4]);
        assert!(
            said[1..].starts_with(&samples[2..]) && samples.len() > RATE as usize * 2,
            "{}",
            samples.len()
        );
    }
}
