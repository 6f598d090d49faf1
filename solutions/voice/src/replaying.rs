//! Replays a turn that was kept: it is led again as it would be today, and nothing comes of it.
//!
//! A replay goes the way of the turn itself, understanding and then the plugins, with the words, the person, the place,
//! the time and what the session was about, as they were. It stops where a turn begins to do something: no answer is
//! kept, no session remembers it, no event is told, nothing is counted, scheduled or sent. Plugins are asked as they are
//! in a turn, those from outside too: [`Plugin::handle`] is a query, whose effects are told in the answer and happen only
//! once a dialogue has them happen. An engine from outside that keeps conversations by itself is asked in one of its own.
//!
//! What else there is, is what there is today: timers, things and their names, the weather, the person's name.
//!
//! [`Plugin::handle`]: ieum_contracts::voice::Plugin::handle

use std::collections::BTreeMap;

use ieum_contracts::voice::{DialogAnswer, DialogOutcome, DialogTurn, Effect, Meaning, Slot, SlotValue};
use ieum_core::{Cx, Fault, Timestamp, new_id};
use serde::Serialize;
use serde_json::{Value, json};

use crate::dialogue::{DialogManager, answer};
use crate::directory::{Speaker, Who};
use crate::leading::{Led, Setting, Turn};
use crate::said;
use crate::sentences;
use crate::stages::Stages;
use crate::store::{KeptTurn, Known};
use crate::tongue::Tongue;
use crate::trail::{Trail, TrailTurn};
use crate::understood::Answered;
use crate::views::AnswerV2;

/// A turn that was led again.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Replay {
    /// The turn as it went.
    pub kept: TrailTurn,
    /// The time it was led again for.
    pub now: Timestamp,
    /// What it was led again within.
    pub context: ReplayContext,
    /// All that is understood today, in the order said; nothing where it is not understood.
    pub meanings: Vec<ReplayMeaning>,
    /// What is answered today, as the API's second version tells it, with the milliseconds of every stage.
    pub answer: Value,
    /// What would happen besides. None of it did.
    pub effects: Vec<Effect>,
    /// What is not as it was; empty where it went the same way.
    pub differences: Vec<Difference>,
}

/// What a turn is led again within.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplayContext {
    /// What the session was about before the turn, and where it was said, as they are kept with it.
    Kept,
    /// Nothing of it is kept: it was led again as the first turn of a session.
    Unknown,
}

/// What one command means today.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReplayMeaning {
    /// The intent.
    pub intent: String,
    /// How sure that is, 0 to 1.
    pub confidence: f64,
    /// Its values by name.
    pub slots: BTreeMap<String, SlotValue>,
}

/// What is not as it was. How sure it is and how long it took may differ any time and are none of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Difference {
    /// What was meant first.
    Intent,
    /// Its values.
    Slots,
    /// What became of it.
    Outcome,
    /// What is said.
    Text,
    /// What happens besides.
    Effects,
}

/// What leading a turn again came to.
struct Again {
    answer: DialogAnswer,
    meanings: Vec<Meaning>,
    effects: Vec<Effect>,
}

// === Trail ===

impl Trail {
    /// Leads a turn again as of when it was, or as of now where `is_now`; `id` is that of [`TrailTurn::id`]. Nothing
    /// comes of it.
    ///
    /// # Errors
    /// `voice.turn.unknown` where no such turn is kept, `voice.turn.wordless` where its words are not, and a store that
    /// cannot be read.
    pub async fn replay(&self, cx: &Cx, id: &str, is_now: bool) -> Result<Replay, Fault> {
        let kept = self.store.turn(id).await?.ok_or_else(|| {
            let why = "turns are kept for a day, and go when their person does";
            Fault::not_found("voice.turn.unknown", format!("replaying turn {id:?}: none is kept; {why}"))
        })?;
        if kept.known.said.trim().is_empty() {
            let message = format!("replaying turn {id:?}: its words are not kept");
            return Err(Fault::failed_precondition("voice.turn.wordless", message));
        }
        let before = &kept.known.answer;
        let said_ms = said::of(&self.store.sql, (&before.session_id, &before.turn_id)).await?;
        let now = if is_now { self.clock.now() } else { kept.at };
        let again = self.manager.again(cx, &kept, now).await?;
        Ok(Replay {
            now,
            context: match kept.known.setting {
                Some(_) => ReplayContext::Kept,
                None => ReplayContext::Unknown,
            },
            differences: differences(&kept.known, &again),
            kept: TrailTurn::of(kept, said_ms),
            meanings: again.meanings.into_iter().map(ReplayMeaning::from).collect(),
            answer: json!(AnswerV2::from(again.answer)),
            effects: again.effects,
        })
    }
}

// === DialogManager ===

impl DialogManager {
    /// Leads a turn again, for which it is `now`.
    #[tracing::instrument(name = "voice.replay", skip_all)]
    async fn again(&self, cx: &Cx, kept: &KeptTurn, now: Timestamp) -> Result<Again, Fault> {
        let Known { answer: before, said, device_id, .. } = &kept.known;
        let mut stages = Stages::apart(self.clock.clone());
        let who = self.directory.who_spoke(cx, &before.user_id, device_id.as_deref()).await;
        stages.end("known");
        let tongue = Tongue::of(&before.language).unwrap_or(Tongue::Korean);
        let turn = Turn {
            said: DialogTurn { text: said.clone(), device_id: device_id.clone(), ..DialogTurn::default() },
            id: before.turn_id.clone(),
            key: kept.key.clone(),
            // Whoever keeps conversations by itself does not hear of it in the person's own.
            session: format!("replay:{}", new_id()),
            tongue,
            now,
        };
        let (meanings, answered) = match &who {
            Who::Welcome(speaker) => {
                let Led { meanings, answered, .. } =
                    self.lead_again(cx, &turn, speaker, kept.known.setting.clone(), &mut stages).await?;
                (meanings, answered)
            }
            Who::Blocked(_) => {
                (Vec::new(), Answered::only(sentences::blocked(tongue), DialogOutcome::Blocked))
            }
            Who::NotFound(_) => {
                (Vec::new(), Answered::only(sentences::user_not_found(tongue), DialogOutcome::UserNotFound))
            }
        };
        let answer = DialogAnswer {
            session_id: before.session_id.clone(),
            ..answer(&turn, &before.user_id, &answered, before.turn_count, stages.list())
        };
        Ok(Again { answer, meanings, effects: answered.effects })
    }

    async fn lead_again(
        &self,
        cx: &Cx,
        turn: &Turn,
        speaker: &Speaker,
        setting: Option<Setting>,
        stages: &mut Stages,
    ) -> Result<Led, Fault> {
        let things = self.store.things(&speaker.user.id).await?;
        stages.end("remembered");
        let setting = setting.unwrap_or_else(|| Setting {
            area: speaker.device.as_ref().and_then(|device| device.area.clone()),
            zone: speaker.user.zone.clone().unwrap_or_else(|| self.zone.clone()),
            ..Setting::default()
        });
        Ok(self.lead(cx, turn, &speaker.user, (&setting, &things), stages).await)
    }
}

// === ReplayMeaning ===

impl From<Meaning> for ReplayMeaning {
    fn from(meaning: Meaning) -> Self {
        let slots = meaning.slots.into_iter().map(|(name, slot)| (name, slot.value)).collect();
        Self { intent: meaning.intent, confidence: meaning.confidence, slots }
    }
}

// === Difference ===

fn differences(kept: &Known, again: &Again) -> Vec<Difference> {
    // The words of a value are those of the sentence, which is the same.
    fn values(slots: &BTreeMap<String, Slot>) -> BTreeMap<&str, &SlotValue> {
        slots.iter().map(|(name, slot)| (name.as_str(), &slot.value)).collect()
    }
    let (before, after) = (&kept.answer, &again.answer);
    let all = [
        (Difference::Intent, before.intent != after.intent),
        (Difference::Slots, values(&before.slots) != values(&after.slots)),
        (Difference::Outcome, before.outcome != after.outcome),
        (Difference::Text, before.text != after.text),
        // As they are written down: a kept one's time has lost what is less than a millisecond.
        (
            Difference::Effects,
            kept.effects.as_ref().is_some_and(|effects| json!(effects) != json!(again.effects)),
        ),
    ];
    all.into_iter().filter(|(_, differs)| *differs).map(|(difference, _)| difference).collect()
}
