//! What comes back to the device: printed, and where it is spoken, played.

use std::collections::HashMap;
use std::process::Stdio;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ieum_core::{Moment, SharedClock, describe};
use ieum_edge::{Address, Answer, Kind, Listener, Notice, Taken, Why};
use ieum_speech::{AudioFormat, Gate, write_wav};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::output::Output;

/// Tells a person, or a program, what happens to the device.
pub struct Told {
    output: Output,
    play: String,
    clock: SharedClock,
    state: Mutex<State>,
}

struct State {
    gate: Gate,
    heard_at: Moment,
    /// Spoken answers whose last part has not come, by turn.
    spoken: HashMap<String, Vec<u8>>,
}

/// The most bytes of spoken answers that wait for their last part.
const MOST_SPOKEN: usize = 16 * 1024 * 1024;

impl Told {
    /// Plays with the command `play`, unless it is empty.
    pub fn new(output: Output, play: String, clock: SharedClock) -> Self {
        let state = State { gate: Gate::default(), heard_at: clock.moment(), spoken: HashMap::new() };
        Self { output, play, clock, state: Mutex::new(state) }
    }

    /// Tells that it begins.
    pub fn begin(&self, device: &str, address: &Address, waiting: usize) {
        let value = json!({ "device": device, "url": address.to_string(), "waiting": waiting });
        let left = if waiting > 0 { format!(", {waiting} messages waiting") } else { String::new() };
        self.tell("begun", value, || format!("{device} speaks with {address}{left}"));
    }

    /// Tells that something is kept until the platform has it.
    pub fn taken(&self, kind: Kind, taken: &Taken) {
        let value = json!({ "kind": kind.name(), "number": taken.number, "messageId": taken.id });
        self.tell("taken", value, String::new);
    }

    /// Tells of something wrong that does not end anything.
    pub fn trouble(&self, problem: &str) {
        self.tell("trouble", json!({ "problem": problem }), || problem.to_owned());
    }

    /// Returns when something last came.
    pub fn heard_at(&self) -> Moment {
        self.state.lock().heard_at
    }

    /// Tells whether a spoken answer is being played.
    pub fn is_speaking(&self) -> bool {
        !self.state.lock().gate.is_open(self.clock.moment())
    }

    /// One line: a JSON object for programs; for people what `human` says, unless that is empty.
    fn tell(&self, what: &str, value: Value, human: impl FnOnce() -> String) {
        if self.output.is_json() {
            self.output.text(&format!("{}\n", json!({ what: value })));
            return;
        }
        let text = human();
        if !text.is_empty() {
            self.output.text(&format!("{text}\n"));
        }
    }

    /// Adds a part of a spoken answer; returns all of it with its rate once the last one is there.
    fn add_spoken(&self, payload: &Value) -> Option<(Vec<u8>, u32)> {
        let turn = payload["turnId"].as_str()?;
        let part = BASE64_STANDARD.decode(payload["audio"]["data"].as_str()?).ok()?;
        let rate = u32::try_from(payload["audio"]["sampleRate"].as_u64()?).ok()?;
        let mut state = self.state.lock();
        if payload["sequence"] == 0 {
            state.spoken.insert(turn.to_owned(), Vec::new());
        }
        if state.spoken.values().map(Vec::len).sum::<usize>() + part.len() > MOST_SPOKEN {
            state.spoken.clear();
        }
        state.spoken.get_mut(turn)?.extend(part);
        if payload["last"] != true {
            return None;
        }
        let samples = state.spoken.remove(turn)?;
        let seconds = samples.len() as f64 / 2.0 / f64::from(rate.max(1));
        state.gate.speak(self.clock.moment(), Duration::from_secs_f64(seconds));
        Some((samples, rate))
    }

    /// Plays to the end.
    async fn play(&self, samples: &[u8], rate: u32) -> std::io::Result<()> {
        let mut player = Command::new("sh")
            .args(["-c", &self.play])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        if let Some(mut input) = player.stdin.take() {
            input.write_all(&write_wav(AudioFormat::sixteen_bits(rate), samples)).await?;
            input.shutdown().await?;
        }
        let ended = player.wait().await?;
        if ended.success() { Ok(()) } else { Err(std::io::Error::other(format!("it ended with {ended}"))) }
    }
}

#[async_trait]
impl Listener for Told {
    async fn answered(&self, answer: Answer) {
        self.state.lock().heard_at = self.clock.moment();
        let Ok(told) = serde_json::from_slice::<Value>(&answer.payload) else {
            self.trouble("an answer came that is no JSON; it is passed over");
            return;
        };
        if told["type"] == "DIALOG_AUDIO" {
            if let Some((samples, rate)) = self.add_spoken(&told["payload"]).filter(|_| !self.play.is_empty())
                && let Err(error) = self.play(&samples, rate).await
            {
                self.trouble(&format!("playing by {:?} (agent.play) failed: {error}", self.play));
            }
            return;
        }
        let human = || sentence(&told);
        self.tell("answer", told.clone(), human);
    }

    fn noticed(&self, notice: Notice) {
        match notice {
            Notice::Connected { resumed } => {
                let value = json!({ "resumed": resumed });
                self.tell("connected", value, || "connected".to_owned());
            }
            Notice::Away { error, again_in } => {
                let (problem, wait) = (describe(&error), again_in.as_secs_f64());
                let value = json!({ "problem": problem, "againInSeconds": wait });
                self.tell("away", value, || format!("not connected: {problem}; trying again in {wait:.1} s"));
            }
            Notice::Delivered { number, kind } => {
                let value = json!({ "number": number, "kind": kind.name() });
                self.tell("delivered", value, String::new);
            }
            Notice::Refused { number, kind, refusal } => {
                let problem = refusal.to_string();
                let value = json!({ "number": number, "kind": kind.name(), "problem": problem });
                let kind = kind.name();
                self.tell("refused", value, || {
                    format!("the platform refuses the {kind} {number}: {problem}")
                });
            }
            Notice::GivenUp { kind, why, count } => {
                let (kind, why) = (
                    kind.name(),
                    match why {
                        Why::Old => "too old (agent.keep)",
                        Why::Room => "no room (agent.keep_bytes)",
                    },
                );
                let value = json!({ "kind": kind, "why": why, "count": count });
                self.tell("givenUp", value, || format!("gave up {count} of kind {kind}: {why}"));
            }
        }
    }
}

/// Returns what an answer says to a person.
fn sentence(told: &Value) -> String {
    let payload = &told["payload"];
    let kind = told["type"].as_str().unwrap_or("message");
    match payload["text"].as_str().or(payload["message"].as_str()) {
        Some(text) if kind == "DIALOG_RESPONSE" => match payload["heard"].as_str() {
            // What was spoken is seen nowhere else.
            Some(heard) => format!("heard: {heard}\n{text}"),
            None => text.to_owned(),
        },
        Some(text) => format!("{kind}: {text}"),
        None => format!("{kind}: {payload}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_says_what_was_heard_where_it_was_spoken() {
        let told = |payload: Value| sentence(&json!({ "type": "DIALOG_RESPONSE", "payload": payload }));
        assert_eq!(told(json!({ "text": "It is noon." })), "It is noon.");
        let spoken = json!({ "text": "It is noon.", "heard": "what time is it" });
        assert_eq!(told(spoken), "heard: what time is it\nIt is noon.");
    }
}
