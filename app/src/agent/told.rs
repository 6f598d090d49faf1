//! What comes back to the device: printed, and where it is spoken, played.

use std::collections::HashMap;
use std::process::Stdio;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ieum_core::{Moment, SharedClock, describe, within};
use ieum_edge::{Address, Answer, Kind, Listener, Notice, QueueError, Taken, Why};
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
    /// The recording of which a part was refused last.
    refused: Option<String>,
}

/// A spoken answer that is whole.
struct Spoken {
    turn: String,
    samples: Vec<u8>,
    rate: u32,
}

/// The most bytes of spoken answers that wait for their last part.
const MOST_SPOKEN: usize = 16 * 1024 * 1024;
/// How much longer than an answer lasts a player may take. One that hangs would leave the device deaf.
const PATIENCE: Duration = Duration::from_secs(30);

impl Told {
    /// Plays with the command `play`, unless it is empty.
    pub fn new(output: Output, play: String, clock: SharedClock) -> Self {
        let (heard_at, spoken) = (clock.moment(), HashMap::new());
        let state = State { gate: Gate::default(), heard_at, spoken, refused: None };
        Self { output, play, clock, state: Mutex::new(state) }
    }

    /// Tells that it begins.
    pub fn begin(&self, device: &str, address: &Address, waiting: usize) {
        let value = json!({ "device": device, "url": address.to_string(), "waiting": waiting });
        let left = if waiting > 0 { format!(", {waiting} messages waiting") } else { String::new() };
        self.tell("begun", value, || format!("{device} speaks with {address}{left}"));
    }

    /// Tells that something is kept until the platform has it, or is only held where the disk takes nothing.
    pub fn taken(&self, kind: Kind, taken: &Taken) {
        let value = json!({ "kind": kind.name(), "number": taken.number, "messageId": taken.id });
        self.tell(if taken.kept { "taken" } else { "held" }, value, String::new);
    }

    /// Tells why something is not taken, where that ends nothing. Of one thing, as of a recording's parts, once.
    ///
    /// # Errors
    /// What does.
    pub fn refused(&self, error: QueueError, together: Option<&str>) -> Result<(), QueueError> {
        let told = together.is_some_and(|name| {
            let before = self.state.lock().refused.replace(name.to_owned());
            before.is_some_and(|before| before == name)
        });
        match error {
            QueueError::Full { .. } | QueueError::Disk { .. } if told => {}
            QueueError::Full { .. } | QueueError::Disk { .. } => self.trouble(&error.to_string()),
            _ => return Err(error),
        }
        Ok(())
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

    /// Adds a part of a spoken answer; returns all of it once the last one is there.
    fn add_spoken(&self, payload: &Value) -> Option<Spoken> {
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
        Some(Spoken { turn: turn.to_owned(), samples, rate })
    }

    /// Plays an answer. Until the player has ended what the microphone hears is our own voice: only the player knows when
    /// it begins, and how long it takes.
    async fn speak(&self, spoken: &Spoken) {
        let seconds = spoken.samples.len() as f64 / 2.0 / f64::from(spoken.rate.max(1));
        let end = self.clock.moment() + Duration::from_secs_f64(seconds) + PATIENCE;
        self.state.lock().gate.begin();
        let played = within(&self.clock, end, self.play(&spoken.samples, spoken.rate)).await;
        self.state.lock().gate.end(self.clock.moment());
        let late =
            || Err(std::io::Error::other(format!("it did not end {PATIENCE:?} after the answer's length")));
        match played.unwrap_or_else(late) {
            Ok(()) => self.tell("played", json!({ "turnId": spoken.turn }), String::new),
            Err(error) => self.trouble(&format!("playing by {:?} (agent.play) failed: {error}", self.play)),
        }
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
            if let Some(spoken) = self.add_spoken(&told["payload"]).filter(|_| !self.play.is_empty()) {
                self.speak(&spoken).await;
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
            Notice::Unkept { problem } => self.tell("unkept", json!({ "problem": problem }), || {
                format!(
                    "{problem}; until then what is said is not kept: it is lost where this ends before the platform has it"
                )
            }),
            Notice::Unread { problem } => self.tell("unread", json!({ "problem": problem }), || {
                format!("{problem}; what waits there goes out once it can be read")
            }),
            Notice::KeptAgain => {
                self.tell("keptAgain", json!({}), || "what is said is kept again".to_owned());
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
    use std::path::Path;
    use std::sync::Arc;

    use ieum_core::ManualClock;
    use ieum_testkit::wait::until;

    use super::*;

    const LONG: Duration = Duration::from_secs(120);

    /// A device with a player that says in `folder` that it plays, and ends once it is let.
    struct Playing {
        folder: tempfile::TempDir,
        clock: ManualClock,
        told: Arc<Told>,
    }

    impl Playing {
        /// Begins to play an answer of one second.
        async fn begin() -> (Self, tokio::task::JoinHandle<()>) {
            let folder = tempfile::tempdir().expect("a folder");
            let made = Command::new("mkfifo").arg(folder.path().join("end")).status().await;
            assert!(made.expect("mkfifo is there").success());
            let at = folder.path().display();
            let play = format!("cat > {at}/given && mv {at}/given {at}/played && exec cat {at}/end");
            let playing = Self::by(folder, play);
            let told = playing.told.clone();
            let answered = tokio::spawn(async move { told.answered(spoken()).await });
            let played = playing.folder.path().join("played");
            until("it plays", LONG, async || played.exists()).await.expect("it plays");
            (playing, answered)
        }

        fn by(folder: tempfile::TempDir, play: String) -> Self {
            let clock = ManualClock::default();
            let told = Arc::new(Told::new(Output::quiet(), play, clock.shared()));
            Self { folder, clock, told }
        }

        /// Tells whether the microphone counts, now and shortly before the room is quiet again.
        fn is_shut_for_the_echo(&self) -> bool {
            let first = self.told.is_speaking();
            self.clock.advance(Duration::from_millis(299));
            let last = self.told.is_speaking();
            self.clock.advance(Duration::from_millis(1));
            first && last && !self.told.is_speaking()
        }
    }

    /// An answer of one second.
    fn spoken() -> Answer {
        let audio = json!({ "data": BASE64_STANDARD.encode([0; 32_000]), "sampleRate": 16_000 });
        let payload = json!({ "turnId": "one", "sequence": 0, "last": true, "audio": audio });
        let payload = json!({ "type": "DIALOG_AUDIO", "payload": payload }).to_string().into();
        Answer { topic: "device/kitchen/response".to_owned(), payload }
    }

    fn let_end(folder: &Path) {
        std::fs::write(folder.join("end"), "").expect("the player waits for it");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn the_microphone_does_not_count_until_the_player_has_ended_and_the_room_is_quiet() {
        let (playing, answered) = Playing::begin().await;
        let given = std::fs::read(playing.folder.path().join("played")).expect("is there");
        assert_eq!(given.len(), 44 + 32_000, "a WAVE file");
        assert!(playing.told.is_speaking());
        // A slow player takes longer than what it plays lasts.
        playing.clock.advance(Duration::from_secs(20));
        assert!(playing.told.is_speaking());
        let_end(playing.folder.path());
        answered.await.expect("ends");
        assert!(playing.is_shut_for_the_echo());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_player_that_hangs_is_given_up_and_the_device_hears_again() {
        let (playing, answered) = Playing::begin().await;
        playing.clock.advance(Duration::from_secs(1) + PATIENCE);
        answered.await.expect("ends");
        assert!(playing.is_shut_for_the_echo());
    }

    #[tokio::test]
    async fn a_device_that_plays_nothing_hears_on() {
        let playing = Playing::by(tempfile::tempdir().expect("a folder"), String::new());
        playing.told.answered(spoken()).await;
        assert!(!playing.told.is_speaking());
    }

    #[test]
    fn an_answer_says_what_was_heard_where_it_was_spoken() {
        let told = |payload: Value| sentence(&json!({ "type": "DIALOG_RESPONSE", "payload": payload }));
        assert_eq!(told(json!({ "text": "It is noon." })), "It is noon.");
        let spoken = json!({ "text": "It is noon.", "heard": "what time is it" });
        assert_eq!(told(spoken), "heard: what time is it\nIt is noon.");
    }
}
