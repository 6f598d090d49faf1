//! What was said and answered lately, for the people who run the platform.

use std::sync::Arc;

use ieum_contracts::voice::{Effect, StageTime};
use ieum_core::{Fault, SharedClock, Timestamp};
use serde::Serialize;
use serde_json::{Value, json};

use crate::dialogue::DialogManager;
use crate::said;
use crate::store::{KeptTurn, VoiceStore};
use crate::views::AnswerV2;

/// Looks at the turns of the last day.
#[derive(Clone)]
pub struct Trail {
    pub(crate) store: VoiceStore,
    pub(crate) clock: SharedClock,
    /// The zone that days are counted in.
    pub(crate) zone: String,
    /// Leads a turn again.
    pub(crate) manager: Arc<DialogManager>,
}

/// A turn as it went.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TrailTurn {
    /// Names it among all turns, for [`Trail::replay`]; the answer's `turnId` may be that of another device's turn too.
    pub id: String,
    /// When it was.
    pub at: Timestamp,
    /// The device that it was said to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device_id: Option<String>,
    /// What was said.
    pub said: String,
    /// What was answered, as the API's second version tells it, with the milliseconds of every stage.
    pub answer: Value,
    /// What happened besides; none where an older version kept the turn, which did not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effects: Option<Vec<Effect>>,
}

/// How many turns are looked through for those of one device.
const LOOKED_AT: u32 = 500;

impl Trail {
    /// Returns the latest turns, the latest first, at most `most`; of one device where it is named.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub async fn turns(&self, device: Option<&str>, most: u32) -> Result<Vec<TrailTurn>, Fault> {
        let looked_at = if device.is_some() { LOOKED_AT } else { most };
        let spoken = said::latest(&self.store.sql, looked_at).await?;
        let turns = self.store.latest(looked_at).await?.into_iter().map(|kept| {
            let turn = (kept.known.answer.session_id.clone(), kept.known.answer.turn_id.clone());
            TrailTurn::of(kept, spoken.get(&turn).copied())
        });
        let wanted = turns.filter(|turn| device.is_none() || turn.device_id.as_deref() == device);
        Ok(wanted.take(most as usize).collect())
    }
}

impl TrailTurn {
    /// Returns a turn as it went, with the milliseconds that speaking its answer took.
    pub(crate) fn of(KeptTurn { key, mut known, at }: KeptTurn, said_ms: Option<f64>) -> Self {
        known.answer.stages.extend(said_ms.map(|ms| StageTime { stage: "said".to_owned(), ms }));
        Self {
            id: key,
            at,
            device_id: known.device_id,
            said: known.said,
            answer: json!(AnswerV2::from(known.answer)),
            effects: known.effects,
        }
    }
}
