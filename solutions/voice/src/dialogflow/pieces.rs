//! Parts of recordings that come as Dialogflow's sound: numbered in the payload of the query by the fields of the other
//! doors.

use ieum_contracts::voice::DialogTurn;
use ieum_core::Fault;
use ieum_dialogflow::{Detected, Encoding, Input, Query, Sound, Values};
use serde_json::{Value, json};

use crate::audio;
use crate::parts::Piece;
use crate::speech::Audio;

/// Which part of which recording a sound is.
#[derive(Debug, PartialEq, Eq)]
pub struct Numbered {
    /// The recording; `None` where its name is not said.
    recording: Option<String>,
    /// From 0.
    sequence: u32,
    last: bool,
}

impl Numbered {
    /// Reads which part the sound of a query is, where its payload has a `sequence`. Fails with `voice.dialogflow.payload`,
    /// naming the field.
    pub fn of(query: &Query) -> Result<Option<Self>, Fault> {
        let given = |name: &str| query.payload.get(name).filter(|value| !value.is_null());
        let (Input::Sound(_), Some(sequence)) = (&query.input, given("sequence")) else { return Ok(None) };
        let number = sequence.as_u64().and_then(|number| u32::try_from(number).ok());
        let sequence = number.ok_or_else(|| wrong("sequence", "expected a whole number from 0"))?;
        let last = given("last").map_or(Some(false), Value::as_bool);
        let last = last.ok_or_else(|| wrong("last", "expected true or false"))?;
        let recording = given("sessionId").map(|name| name.as_str().map(str::to_owned));
        let named = || wrong("sessionId", "expected the name of the recording");
        let recording = recording.map(|name| name.ok_or_else(named)).transpose()?;
        Ok(Some(Self { recording, sequence, last }))
    }

    /// Returns the sound as that part. A conversation goes on over recordings: `turn` is the device's or the person's own.
    pub fn piece(&self, turn: DialogTurn, sound: &Sound) -> Result<Piece, Fault> {
        let turn = DialogTurn { session_id: None, ..turn };
        let (sequence, last) = (self.sequence, self.last);
        Ok(Piece { turn, recording: self.recording.clone(), sequence, last, audio: read(sound)? })
    }

    /// Returns what is told of a part that is kept while others, of which these are `missing`, are to come.
    pub fn kept(&self, missing: &[u32]) -> Detected {
        let told = [("sessionId", json!(self.recording)), ("missing", json!(missing))];
        let payload: Values = told.map(|(name, value)| (name.to_owned(), value)).into_iter().collect();
        Detected { payload, is_apart: true, ..Detected::default() }
    }
}

fn wrong(field: &str, expected: &str) -> Fault {
    let message = format!("query_params.payload.{field}: {expected}");
    Fault::invalid_argument("voice.dialogflow.payload", message)
}

/// Returns the fault of sound in an encoding that nobody here hears.
pub fn not_heard(encoding: Encoding) -> Fault {
    let message = format!("audio_config: {encoding:?} is not heard here; send LINEAR16 or a WAV file");
    Fault::invalid_argument("voice.dialogflow.encoding", message)
}

fn read(sound: &Sound) -> Result<Audio, Fault> {
    let encoding = sound.format.encoding;
    if !audio::is_wave(&sound.data) && !matches!(encoding, Encoding::Linear16 | Encoding::Container) {
        return Err(not_heard(encoding));
    }
    let rate = Some(sound.format.sample_rate).filter(|rate| *rate > 0);
    audio::recording(sound.data.clone(), rate)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use ieum_dialogflow::{SessionName, SoundFormat};

    use super::*;
    use crate::audio::USUAL_RATE;

    fn query(payload: Value) -> Query {
        let format = SoundFormat::linear(0, "ko");
        let sound = Sound { format, data: Bytes::from_static(&[1, 0]) };
        let payload = payload.as_object().cloned().expect("is an object");
        let text = Query::text(SessionName::new("p", "s"), "ko", "");
        Query { input: Input::Sound(sound), payload, ..text }
    }

    #[test]
    fn sound_is_a_part_where_it_has_a_number_and_a_wrong_one_is_named() {
        let of = |payload| Numbered::of(&query(payload));
        assert_eq!(of(json!({ "sessionId": "r1", "last": true, "sequence": null })), Ok(None));
        let part = Numbered { recording: Some("r1".into()), sequence: 3, last: false };
        assert_eq!(of(json!({ "sessionId": "r1", "sequence": 3 })), Ok(Some(part)));
        let mut typed = query(json!({ "sequence": "one" }));
        typed.input = Input::Text("몇 시야".into());
        assert_eq!(Numbered::of(&typed), Ok(None), "text has no parts");
        for (payload, field) in [
            (json!({ "sequence": "1" }), "sequence"),
            (json!({ "sequence": -1 }), "sequence"),
            (json!({ "sequence": 0.5 }), "sequence"),
            (json!({ "sequence": 5_000_000_000_u64 }), "sequence"),
            (json!({ "sequence": 1, "last": "true" }), "last"),
            (json!({ "sequence": 1, "sessionId": 7 }), "sessionId"),
        ] {
            let fault = of(payload).expect_err(field);
            assert!(fault.message.starts_with(&format!("query_params.payload.{field}: ")), "{fault}");
        }
    }

    #[test]
    fn a_part_has_the_usual_rate_where_none_is_said_and_an_encoding_that_is_heard() {
        let part = Numbered { recording: Some("r1".into()), sequence: 0, last: true };
        let Input::Sound(mut sound) = query(json!({})).input else { panic!("is sound") };
        let session = Some("r1".to_owned());
        let turn =
            DialogTurn { device_id: Some("kitchen".into()), session_id: session, ..DialogTurn::default() };
        let piece = part.piece(turn.clone(), &sound).expect("is read");
        assert_eq!((piece.audio.rate, piece.turn.session_id), (USUAL_RATE, None));
        sound.format.encoding = Encoding::Flac;
        let Err(fault) = part.piece(turn, &sound) else { panic!("nobody hears it") };
        assert_eq!(&*fault.reason, "voice.dialogflow.encoding");
    }
}
