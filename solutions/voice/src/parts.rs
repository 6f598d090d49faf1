//! Recordings in parts: whichever door each comes by, whoever brings the one that was missing gets the answer.

use ieum_contracts::voice::{DialogAnswer, DialogTurn};
use ieum_core::{Cx, Fault};

use crate::audio::{Assembled, Part};
use crate::dialogue::DialogManager;
use crate::rules::{check_turn, turn_key};
use crate::speech::Audio;

/// A part of a recording.
pub struct Piece {
    /// Whose it is and which conversation it goes on with; it has no text yet.
    pub turn: DialogTurn,
    /// The recording: all parts of one device that name the same are one turn.
    pub recording: Option<String>,
    /// From 0.
    pub sequence: u32,
    pub last: bool,
    pub audio: Audio,
}

/// What became of a part.
pub enum Taken {
    /// More are to come: these at least, once the last one is there.
    Waiting(Vec<u32>),
    /// It was the one that was missing.
    Heard(Box<DialogAnswer>),
    /// The recording was answered before by the turn of this key, and this part of it comes again.
    Again(String, Box<DialogAnswer>),
}

/// Returns whose recording the parts of a turn are: the device's by whatever way they come, else the person's.
fn recorder(turn: &DialogTurn) -> String {
    let of_person = || format!("user:{}", turn.user_id.as_deref().unwrap_or_default());
    turn.device_id.clone().unwrap_or_else(of_person)
}

impl DialogManager {
    /// Keeps a part, and hears the recording once it is whole. Fails with `voice.turn.invalid`, `voice.audio.invalid` and
    /// `voice.audio.too_long`, naming the field.
    pub async fn take(&self, cx: &Cx, piece: Piece) -> Result<Taken, Fault> {
        let Piece { mut turn, recording, sequence, last, audio } = piece;
        let Some(recording) = recording else {
            let message = "field sessionId: parts of a recording say which one they belong to";
            return Err(Fault::invalid_argument("voice.message.invalid", message));
        };
        for session in [Some(recording.clone()), turn.session_id.clone()] {
            check_turn(&DialogTurn { text: "-".to_owned(), session_id: session, ..turn.clone() })?;
        }
        let recorder = recorder(&turn);
        let part = Part { device: &recorder, session: &recording, sequence, last, audio };
        let (whole, name) = match self.store.assemble(&part, self.clock.now()).await? {
            Assembled::Waiting => return Ok(Taken::Waiting(Vec::new())),
            Assembled::Missing(missing) => return Ok(Taken::Waiting(missing)),
            Assembled::Answered(key, known) => {
                self.record(cx, known.record).await;
                return Ok(Taken::Again(key, Box::new(known.answer)));
            }
            Assembled::Whole(whole, name) => (whole, name),
        };
        // All parts are one turn, whichever comes last.
        let key = turn_key(&turn, &name);
        turn.turn_id = Some(name);
        let answer = self.hear(cx, turn, whole).await?;
        self.store.finish(&recorder, &recording, &key, self.clock.now()).await?;
        Ok(Taken::Heard(Box::new(answer)))
    }
}
