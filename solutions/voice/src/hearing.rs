//! Turns that are spoken: heard by an engine where one is set, answered like any other, and spoken back.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ieum_contracts::voice::{DialogAnswer, DialogOutcome, DialogTurn, Dialogue};
use ieum_core::{Cx, Fault};
use serde_json::json;

use crate::dialogue::DialogManager;
use crate::rules;
use crate::sentences;
use crate::speech::{Audio, SpeechError};
use crate::store::{Reply, queue};
use crate::tongue::Tongue;

/// What one message of an answer spoken to a device holds, bytes: a second.
const SPOKEN_PART: usize = 32_000;

impl DialogManager {
    /// Hears a turn whose text is empty and answers it. Words that cannot be heard are answered with a sentence.
    pub async fn hear(&self, cx: &Cx, mut turn: DialogTurn, audio: Audio) -> Result<DialogAnswer, Fault> {
        let id = rules::turn_id(&turn, cx);
        turn.turn_id = Some(id.clone());
        if let Some(known) = self.store.known(&rules::turn_key(&turn, &id)).await? {
            self.record(cx, known.record).await;
            return Ok(known.answer);
        }
        let guess = turn.language.as_deref().and_then(Tongue::of);
        let Some(ears) = &self.ears else { return self.tell(cx, turn, sentences::no_ears).await };
        let begun = self.clock.moment();
        let heard = match ears.hear(audio, guess).await {
            Ok(heard) => heard,
            Err(error @ SpeechError::Busy { .. }) => {
                return Err(Fault::unavailable("voice.speech.busy", error.to_string()));
            }
            Err(error) => {
                tracing::warn!(error = %ieum_core::describe(&error), "hearing failed");
                return self.tell(cx, turn, sentences::deaf).await;
            }
        };
        if heard.text.trim().is_empty() {
            return self.tell(cx, turn, sentences::heard_nothing).await;
        }
        turn.heard_ms = Some(self.clock.moment().since(begun).as_secs_f64() * 1_000.0);
        turn.language = turn.language.or_else(|| heard.language.map(|tongue| tongue.code().to_owned()));
        turn.text = heard.text.trim().chars().take(rules::LONGEST_TEXT).collect();
        let (key, device) = (rules::turn_key(&turn, &id), turn.device_id.clone().filter(|_| turn.deliver));
        let answer = self.say(cx, turn).await?;
        if let Some(device) = device {
            self.speak_to(&key, &device, &answer).await?;
        }
        Ok(answer)
    }

    /// Answers with one sentence alone.
    async fn tell(
        &self,
        cx: &Cx,
        turn: DialogTurn,
        sentence: fn(Tongue) -> &'static str,
    ) -> Result<DialogAnswer, Fault> {
        let tongue = turn.language.as_deref().and_then(Tongue::of).unwrap_or(Tongue::Korean);
        self.answer_alone(cx, turn, tongue, sentence(tongue), DialogOutcome::Failed).await
    }

    /// Returns an answer spoken, or `None` where no engine is set or it fails.
    pub async fn spoken(&self, answer: &DialogAnswer) -> Option<Audio> {
        let tongue = Tongue::of(&answer.language)?;
        match self.mouth.as_ref()?.speak(&answer.text, tongue).await {
            Ok(audio) => Some(audio),
            Err(error) => {
                tracing::warn!(error = %ieum_core::describe(&error), "speaking failed; text goes alone");
                None
            }
        }
    }

    /// Sends an answer spoken to a device, in parts with their numbers.
    async fn speak_to(&self, key: &str, device: &str, answer: &DialogAnswer) -> Result<(), Fault> {
        let Some(audio) = self.spoken(answer).await else { return Ok(()) };
        let count = audio.samples.len().div_ceil(SPOKEN_PART);
        let part = |(sequence, bytes): (usize, &[u8])| Reply {
            id: format!("{key}:audio:{sequence}"),
            device: device.to_owned(),
            kind: "DIALOG_AUDIO",
            payload: json!({
                "turnId": answer.turn_id,
                "sequence": sequence,
                "last": sequence + 1 == count,
                "audio": { "data": BASE64_STANDARD.encode(bytes), "format": "PCM", "sampleRate": audio.rate },
            }),
        };
        let parts: Vec<Reply> = audio.samples.chunks(SPOKEN_PART).enumerate().map(part).collect();
        let mut tx = self.store.sql.begin_write().await?;
        queue(&mut tx, &parts, self.clock.now()).await?;
        tx.commit().await?;
        self.waiting.notify_one();
        Ok(())
    }
}
