//! Meets the contract `voice.dialogue`: who speaks, what it is about, what it is [led to](crate::leading), and all that
//! is written of it in one transaction.

use std::sync::Arc;

use async_trait::async_trait;
use ieum_bus::{Bus, Event};
use ieum_contracts::voice::{
    Context, ContextEngine, ContextState, DIALOG_COMPLETED, DIALOG_EVENTS, DialogAnswer, DialogCompleted,
    DialogOutcome, DialogTurn, Dialogue, GetContext, Meaning, PastTurn, RecordTurn, StageTime, Understanding,
};
use ieum_core::{Cx, Fault, SharedClock};
use ieum_saga::Schedules;
use serde_json::json;
use tokio::sync::Notify;

use crate::directory::{Directory, Speaker, Who};
use crate::effects::{Plan, Scene, plan};
use crate::leading::{Led, Setting, Turn};
use crate::plugins::Plugins;
use crate::replies::{Reply, queue};
use crate::rules;
use crate::sentences;
use crate::speech::{Ears, Mouth};
use crate::stages::Stages;
use crate::store::{Known, Thing, VoiceStore, keep_answer};
use crate::streams::Streams;
use crate::tongue::Tongue;
use crate::understanding::LocalUnderstanding;
use crate::understood::Answered;

/// Leads dialogues.
pub struct DialogManager {
    pub store: VoiceStore,
    pub directory: Directory,
    pub contexts: Arc<dyn ContextEngine>,
    pub understanding: Arc<dyn Understanding>,
    pub plugins: Plugins,
    pub schedules: Schedules,
    pub bus: Bus,
    pub clock: SharedClock,
    /// The zone of people who say none.
    pub zone: String,
    /// Told when something waits to be sent.
    pub waiting: Arc<Notify>,
    /// Who listens to what nobody asked for, besides devices.
    pub streams: Streams,
    /// Whose sentences are listened for; `None` where somebody else understands.
    pub listens_for: Option<LocalUnderstanding>,
    /// Hears, where an engine is set.
    pub ears: Option<Arc<dyn Ears>>,
    /// Speaks, where an engine is set.
    pub mouth: Option<Arc<dyn Mouth>>,
}

/// What whoever asks keeps by itself, and says with each turn.
#[derive(Clone, Debug, Default)]
pub struct Within {
    /// What the session is about; the session's own state where it is `None`.
    pub state: Option<ContextState>,
    /// The IANA zone in which it is asked; the person's where it is `None`.
    pub zone: Option<String>,
    /// What is meant, where that is known and the words are only what it is told as; none of it is not understood.
    pub meant: Option<Vec<Meaning>>,
}

/// What is written with an answer.
#[derive(Default)]
struct Besides {
    /// How many turns the session has with this one; none for a turn that belongs to none.
    turn_count: u64,
    /// What is to happen.
    plan: Plan,
    /// What the turn was led by, so that it can be led again.
    setting: Option<Setting>,
}

#[async_trait]
impl Dialogue for DialogManager {
    async fn say(&self, cx: &Cx, turn: DialogTurn) -> Result<DialogAnswer, Fault> {
        self.say_within(cx, turn, Within::default()).await.map(|(answer, _)| answer)
    }
}

fn language(turn: &DialogTurn, speaker: Option<&Speaker>) -> Tongue {
    let said = turn.language.as_deref().and_then(Tongue::of);
    let of_person = || speaker.and_then(|speaker| speaker.user.language.as_deref()).and_then(Tongue::of);
    said.or_else(|| Tongue::heard_in(&turn.text)).or_else(of_person).unwrap_or(Tongue::Korean)
}

impl DialogManager {
    /// Answers a turn within what whoever asks keeps. Returns what the session is about afterwards too. Fails as
    /// [`Dialogue::say`] does.
    #[tracing::instrument(name = "voice.turn", skip_all)]
    pub async fn say_within(
        &self,
        cx: &Cx,
        turn: DialogTurn,
        within: Within,
    ) -> Result<(DialogAnswer, ContextState), Fault> {
        rules::check_turn(&turn)?;
        let id = rules::turn_id(&turn, cx);
        let key = rules::turn_key(&turn, &id);
        if let Some(known) = self.store.known(&key).await? {
            // The process may have ended before the session heard of the turn; one that has stays as it is.
            let after = known.record.as_ref().map(|record| record.state.clone()).unwrap_or_default();
            self.record(cx, known.record).await;
            return Ok((known.answer, after));
        }
        let mut stages = Stages::begin(self.clock.clone(), turn.heard_ms);
        let who = self.directory.who(cx, &turn).await;
        stages.end("known");
        let speaker = match &who {
            Who::Welcome(speaker) | Who::Blocked(speaker) => Some(&**speaker),
            Who::NotFound(_) => None,
        };
        let tongue = language(&turn, speaker);
        let session = rules::session_id(&turn);
        let turn = Turn { said: turn, id, key, session, tongue, now: self.clock.now() };
        let answered = match &who {
            Who::Welcome(speaker) => return self.welcome(cx, turn, speaker, within, stages).await,
            Who::Blocked(_) => Answered::only(sentences::blocked(tongue), DialogOutcome::Blocked),
            Who::NotFound(_) => {
                Answered::only(sentences::user_not_found(tongue), DialogOutcome::UserNotFound)
            }
        };
        let user = match who {
            Who::NotFound(id) => id,
            Who::Welcome(speaker) | Who::Blocked(speaker) => speaker.user.id,
        };
        let answer = self.write(cx, &turn, &user, answered, Besides::default(), stages).await?;
        Ok((answer, within.state.unwrap_or_default()))
    }

    async fn welcome(
        &self,
        cx: &Cx,
        turn: Turn,
        speaker: &Speaker,
        within: Within,
        mut stages: Stages,
    ) -> Result<(DialogAnswer, ContextState), Fault> {
        let user = speaker.user.id.clone();
        let context = self.context(cx, &user, &turn.session).await;
        let things = self.store.things(&user).await?;
        stages.end("remembered");
        let of_device = || speaker.device.as_ref().and_then(|device| device.area.clone());
        let of_person = || speaker.user.zone.clone();
        let setting = Setting {
            area: turn.said.area.clone().or_else(of_device),
            zone: within.zone.or_else(of_person).unwrap_or_else(|| self.zone.clone()),
            state: within.state.unwrap_or_else(|| rules::state_now(&context, turn.now)),
            last: rules::last_answer(&context, turn.now).map(str::to_owned),
            meant: within.meant,
        };
        let led = self.lead(cx, &turn, &speaker.user, (&setting, &things), &mut stages).await;
        let plan = self.plan(&turn, &led, &things).await?;
        let after = led.answered.state.clone();
        let besides = Besides { turn_count: context.turn_count + 1, plan, setting: Some(setting) };
        let answer = self.write(cx, &turn, &user, led.answered, besides, stages).await?;
        Ok((answer, after))
    }

    /// Answers a turn that nothing is understood of with a sentence alone.
    pub async fn answer_alone(
        &self,
        cx: &Cx,
        said: DialogTurn,
        tongue: Tongue,
        text: &str,
        outcome: DialogOutcome,
    ) -> Result<DialogAnswer, Fault> {
        let id = rules::turn_id(&said, cx);
        let stages = Stages::begin(self.clock.clone(), said.heard_ms);
        let user = match self.directory.who(cx, &said).await {
            Who::NotFound(id) => id,
            Who::Welcome(speaker) | Who::Blocked(speaker) => speaker.user.id,
        };
        let (key, session, now) = (rules::turn_key(&said, &id), rules::session_id(&said), self.clock.now());
        let turn = Turn { said, id, key, session, tongue, now };
        self.write(cx, &turn, &user, Answered::only(text, outcome), Besides::default(), stages).await
    }

    /// Returns what the session is about. Where nobody can say, it begins anew: an answer without it is better than
    /// none.
    async fn context(&self, cx: &Cx, user: &str, session: &str) -> Context {
        let ask = GetContext { user_id: user.to_owned(), session_id: session.to_owned() };
        let found = self.contexts.get(cx, ask).await;
        found.unwrap_or_else(|fault| {
            tracing::warn!(error = %fault, "asking for a session's context failed; beginning anew");
            Context::default()
        })
    }

    async fn plan(&self, turn: &Turn, led: &Led, things: &[Thing]) -> Result<Plan, Fault> {
        let Led { ask, answered, speakers, .. } = led;
        if answered.effects.is_empty() {
            return Ok(Plan::default());
        }
        let own = self.schedules.list(&ask.user_id).await?.into_iter().map(|status| status.schedule.id);
        let things: Vec<_> = things.iter().map(|thing| (thing.device.clone(), thing.id.clone())).collect();
        let scene = Scene {
            key: &turn.key,
            user_id: &ask.user_id,
            device_id: ask.device_id.as_deref(),
            language: &ask.language,
            zone: &ask.zone,
            now: turn.now,
            speaks: self.mouth.is_some(),
        };
        Ok(plan(&scene, &answered.effects, &own.collect::<Vec<_>>(), speakers, &things))
    }

    /// Has the session remember the turn. Where it cannot be, the answer is given anyway.
    pub async fn record(&self, cx: &Cx, record: Option<RecordTurn>) {
        let Some(record) = record else { return };
        let cx = cx.with_idempotency_key(&record.turn.turn_id);
        if let Err(fault) = self.contexts.record(&cx, record).await {
            tracing::warn!(error = %fault, "recording a turn in its session failed");
        }
    }

    /// Writes the answer, what is to be sent, what is to happen and the event, all or nothing. A turn that another
    /// process answered meanwhile keeps that answer.
    async fn write(
        &self,
        cx: &Cx,
        turn: &Turn,
        user: &str,
        answered: Answered,
        Besides { turn_count, plan, setting }: Besides,
        stages: Stages,
    ) -> Result<DialogAnswer, Fault> {
        let took = stages.total();
        let record = (turn_count > 0).then(|| record(turn, user, &answered));
        let answer = answer(turn, user, &answered, turn_count, stages.list());
        let mut tx = self.store.sql.begin_write().await?;
        let (said, device_id) = (turn.said.text.clone(), turn.said.device_id.clone());
        let known = Known { answer, record, said, device_id, setting, effects: Some(answered.effects) };
        if !keep_answer(&mut tx, &turn.key, &known, turn.now).await? {
            tx.rollback().await?;
            return Ok(self.store.known(&turn.key).await?.map_or(known.answer, |known| known.answer));
        }
        let Known { answer, record, .. } = known;
        plan.write(&mut tx, cx, &self.schedules, turn.now).await?;
        if let Some(device) = turn.said.device_id.as_ref().filter(|_| turn.said.deliver) {
            let mut replies =
                vec![Reply::to_device(turn.key.clone(), device, "DIALOG_RESPONSE", json!(answer))];
            // What was heard is answered aloud. The words become sound when they are sent.
            if turn.said.heard_ms.is_some() && self.mouth.is_some() {
                let aloud = replies[0].aloud(&answer.turn_id, &answer.text, turn.tongue);
                replies.push(aloud.answering(&answer.session_id));
            }
            queue(&mut tx, &replies, turn.now).await?;
        }
        let event = self.completed(cx, turn, &answer, took)?;
        self.bus.outbox(&mut tx, DIALOG_EVENTS, &event).await?;
        tx.commit().await?;
        if !plan.schedules.is_empty() {
            self.schedules.wake();
        }
        self.waiting.notify_one();
        self.record(cx, record).await;
        metrics::counter!("ieum_voice_turns_total", "outcome" => name(answer.outcome)).increment(1);
        Ok(answer)
    }

    fn completed(&self, cx: &Cx, turn: &Turn, answer: &DialogAnswer, took_ms: f64) -> Result<Event, Fault> {
        let told = DialogCompleted {
            turn_id: answer.turn_id.clone(),
            user_id: answer.user_id.clone(),
            device_id: turn.said.device_id.clone(),
            session_id: answer.session_id.clone(),
            language: answer.language.clone(),
            intent: answer.intent.clone(),
            outcome: answer.outcome,
            took_ms,
            at: turn.now,
        };
        let user = if told.user_id.is_empty() { "nobody" } else { told.user_id.as_str() };
        let event = Event::new(cx, "/voice", DIALOG_COMPLETED, user, &told)?;
        Ok(event.with_id(&turn.key).at(turn.now))
    }
}

/// Returns the answer to a turn.
pub fn answer(
    turn: &Turn,
    user: &str,
    answered: &Answered,
    turn_count: u64,
    stages: Vec<StageTime>,
) -> DialogAnswer {
    DialogAnswer {
        turn_id: turn.id.clone(),
        session_id: turn.session.clone(),
        user_id: user.to_owned(),
        heard: turn.said.heard_ms.is_some().then(|| turn.said.text.clone()),
        first_heard: turn.said.first_heard.clone(),
        text: answered.text(),
        language: turn.tongue.code().to_owned(),
        intent: answered.first.intent.clone(),
        confidence: answered.first.confidence,
        slots: answered.first.slots.clone(),
        outcome: answered.outcome,
        expects_answer: answered.outcome == DialogOutcome::Asked,
        turn_count,
        stages,
    }
}

/// Returns what a session is to remember of a turn.
fn record(turn: &Turn, user: &str, answered: &Answered) -> RecordTurn {
    let past = PastTurn {
        // The key and not the id: a device's number may be another turn of another session.
        turn_id: turn.key.clone(),
        said: turn.said.text.clone(),
        intent: answered.first.intent.clone(),
        answered: answered.text(),
        at: turn.now,
    };
    RecordTurn {
        user_id: user.to_owned(),
        session_id: turn.session.clone(),
        turn: past,
        state: answered.state.clone(),
    }
}

/// Returns the label of an outcome in metrics.
fn name(outcome: DialogOutcome) -> &'static str {
    match outcome {
        DialogOutcome::Answered => "answered",
        DialogOutcome::Asked => "asked",
        DialogOutcome::NotUnderstood => "not_understood",
        DialogOutcome::Failed => "failed",
        DialogOutcome::Blocked => "blocked",
        DialogOutcome::UserNotFound => "user_not_found",
    }
}

/// The names that can be meant in a turn.
pub struct Names {
    pub area: Option<String>,
    pub things: Vec<String>,
    pub areas: Vec<String>,
}

impl Names {
    /// Returns the names of somebody's things, and of the rooms they and the speaker are in.
    pub fn of(things: &[Thing], area: Option<&str>) -> Self {
        let mut areas: Vec<String> = things.iter().filter_map(|thing| thing.area.clone()).collect();
        areas.extend(area.map(str::to_owned));
        areas.sort();
        areas.dedup();
        let mut names: Vec<String> = things.iter().map(|thing| thing.name.clone()).collect();
        names.sort();
        names.dedup();
        Self { area: area.map(str::to_owned), things: names, areas }
    }
}
