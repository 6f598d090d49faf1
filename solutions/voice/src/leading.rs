//! Leads a turn from its words to its answer, what is meant and then what the plugins say, and does nothing about it.
//! What is told to happen is for whoever leads it: a dialogue has it happen, a replay only shows it.

use ieum_contracts::identity::User;
use ieum_contracts::voice::{ContextState, DialogTurn, Effect, Meaning, PluginAsk};
use ieum_core::{Cx, Fault, Timestamp};
use serde::{Deserialize, Serialize};

use crate::dialogue::{DialogManager, Names};
use crate::plugins::says;
use crate::rules::REPEATED;
use crate::stages::Stages;
use crate::store::Thing;
use crate::tongue::Tongue;
use crate::understood::{Answered, Understander};

/// A turn with all that is known of it.
pub struct Turn {
    pub said: DialogTurn,
    pub id: String,
    pub key: String,
    pub session: String,
    pub tongue: Tongue,
    pub now: Timestamp,
}

/// What a turn is led by besides its words. It is kept with the turn, so that it can be led again.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Setting {
    /// Where it was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area: Option<String>,
    /// The IANA zone in which it was said.
    pub zone: String,
    /// What the session was about before it.
    #[serde(default)]
    pub state: ContextState,
    /// What was answered last, where that was not too long before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<String>,
    /// What is meant, where whoever asked knew it and the words are only what it is told as.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meant: Option<Vec<Meaning>>,
}

/// What a turn was led to.
pub struct Led {
    /// What plugins were asked, without a meaning.
    pub ask: PluginAsk,
    /// All that was meant, in the order said.
    pub meanings: Vec<Meaning>,
    pub answered: Answered,
    /// The person's other devices with their rooms, where something is announced.
    pub speakers: Vec<(String, Option<String>)>,
}

impl DialogManager {
    /// Leads a turn of `user` to its answer. Nothing is written, counted or sent: [`Plugin::handle`] is a query, whose
    /// effects are told and not yet there.
    ///
    /// [`Plugin::handle`]: ieum_contracts::voice::Plugin::handle
    pub async fn lead(
        &self,
        cx: &Cx,
        turn: &Turn,
        user: &User,
        (setting, things): (&Setting, &[Thing]),
        stages: &mut Stages,
    ) -> Led {
        let Setting { area, zone, state, last, meant } = setting;
        let last = last.as_deref();
        let understander =
            Understander { engine: &*self.understanding, tongue: turn.tongue, zone, now: turn.now };
        let names = Names::of(things, area.as_deref());
        let meanings = match meant {
            Some(meant) => meant.clone(),
            None => understander.understand(cx, &turn.said.text, &turn.session, state, &names).await,
        };
        stages.end("understood");
        let ask = PluginAsk {
            turn_id: turn.id.clone(),
            language: turn.tongue.code().to_owned(),
            user_id: user.id.clone(),
            user_name: user.name.clone(),
            device_id: turn.said.device_id.clone(),
            area: area.clone(),
            now: turn.now,
            zone: zone.clone(),
            meaning: Meaning::default(),
            earlier: Vec::new(),
        };
        let mut answered = match (meanings.as_slice(), last) {
            ([again], Some(last)) if again.intent == REPEATED => Answered::again(again.clone(), last, state),
            _ => self.answer(cx, &ask, meanings.clone(), (state, last)).await,
        };
        stages.end("answered");
        let speakers = self.speakers(cx, &ask, &answered.effects).await.unwrap_or_else(|_| {
            answered = Answered::failed(turn.tongue, state);
            Vec::new()
        });
        Led { ask, meanings, answered, speakers }
    }

    /// Has every meaning answered by its plugin.
    #[tracing::instrument(name = "voice.answer", skip_all)]
    async fn answer(
        &self,
        cx: &Cx,
        ask: &PluginAsk,
        meanings: Vec<Meaning>,
        (state, last): (&ContextState, Option<&str>),
    ) -> Answered {
        let tongue = Tongue::of(&ask.language).unwrap_or(Tongue::Korean);
        let Some(first) = meanings.first().cloned() else { return Answered::not_understood(tongue, state) };
        let mut answered = Answered::of(first);
        for meaning in meanings {
            let meaning = answered.after(meaning);
            let earlier = answered.effects.clone();
            let ask = PluginAsk { meaning: meaning.clone(), earlier, ..ask.clone() };
            // The session knows what no plugin is told.
            let again = last.filter(|_| meaning.intent == REPEATED).map(|last| Ok(says(last)));
            let answer = match again {
                Some(again) => Some(again),
                None => self.plugins.handle(cx, ask).await,
            };
            answered.add(tongue, meaning, answer);
        }
        answered
    }

    /// Returns the person's other devices with their rooms, where something is announced. Fails where nobody can say.
    async fn speakers(
        &self,
        cx: &Cx,
        ask: &PluginAsk,
        effects: &[Effect],
    ) -> Result<Vec<(String, Option<String>)>, Fault> {
        if !effects.iter().any(|effect| matches!(effect, Effect::Announce { .. })) {
            return Ok(Vec::new());
        }
        let devices = self.directory.devices_of(cx, &ask.user_id).await?.into_iter();
        let others = devices.filter(|device| Some(&device.device_id) != ask.device_id.as_ref());
        Ok(others.map(|device| (device.device_id, device.area)).collect())
    }
}
