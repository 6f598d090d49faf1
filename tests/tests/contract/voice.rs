//! The four contracts of voice over every way.

use std::sync::Arc;

use async_trait::async_trait;
use ieum_contracts::voice::{
    CONTEXT_ENGINE_CONTRACT, Context, ContextEngine, ContextEngineClient, ContextEngineRoutes, ContextState,
    DIALOGUE_CONTRACT, DescribePlugin, DialogAnswer, DialogOutcome, DialogTurn, Dialogue, DialogueClient,
    DialogueRoutes, Effect, ForgetPerson, GetContext, Meaning, PLUGIN_CONTRACT, PastTurn, PendingQuestion,
    Plugin, PluginAnswer, PluginAsk, PluginClient, PluginDescription, PluginList, PluginRoutes, PluginWord,
    RecordTurn, ScheduleKind, Slot, SlotValue, StageTime, UNDERSTANDING_CONTRACT, Understand, Understanding,
    UnderstandingClient, UnderstandingRoutes, Understood,
};
use ieum_core::{Code, Cx, Fault, Timestamp};
use parking_lot::Mutex;

use crate::every_way::Ways;

fn noon() -> Timestamp {
    Timestamp::from_millis(1_790_000_000_123)
}

/// A value of each kind.
fn slots() -> std::collections::BTreeMap<String, Slot> {
    let slot = |text: &str, value| (text.to_owned(), Slot { text: text.to_owned(), value });
    [
        slot("서울", SlotValue::Text { text: "Seoul".into() }),
        slot("a third", SlotValue::Number { number: 1.0 / 3.0 }),
        slot("3분", SlotValue::Duration { seconds: 180 }),
        slot("noon", SlotValue::Moment { at: noon(), exact: true }),
        slot("내일", SlotValue::Day { date: "2026-05-02".into(), days: 1 }),
    ]
    .into()
}

/// Says back what it is told, and knows one person.
struct Echo;

#[async_trait]
impl Dialogue for Echo {
    async fn say(&self, _: &Cx, turn: DialogTurn) -> Result<DialogAnswer, Fault> {
        if turn.text.is_empty() {
            return Err(Fault::invalid_argument("voice.turn.invalid", "field text: is empty"));
        }
        Ok(DialogAnswer {
            turn_id: turn.turn_id.unwrap_or_default(),
            session_id: turn.session_id.unwrap_or_default(),
            user_id: turn.user_id.unwrap_or_default(),
            heard: turn.heard_ms.map(|_| turn.text.clone()),
            first_heard: turn.first_heard,
            text: turn.text,
            language: turn.language.unwrap_or_default(),
            intent: "echo".into(),
            confidence: 1.0 / 3.0,
            slots: slots(),
            outcome: DialogOutcome::Asked,
            expects_answer: true,
            turn_count: u64::from(u32::MAX),
            stages: vec![StageTime { stage: "heard".into(), ms: turn.heard_ms.unwrap_or_default() }],
        })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn voice_dialogue_means_the_same_every_way() {
    let ways = Ways::<dyn Dialogue> {
        contract: &DIALOGUE_CONTRACT,
        answerer: || Arc::new(Echo),
        routes: DialogueRoutes::of,
        meet: |link| Arc::new(DialogueClient::new(link)),
    };
    ways.run(|way, dialogue| async move {
        let cx = Cx::root();
        let turn = DialogTurn {
            turn_id: Some("t-1".into()),
            user_id: Some("에이다".into()),
            text: "지금 몇 시야?".into(),
            heard_ms: Some(0.1),
            ..DialogTurn::default()
        };
        let direct = Echo.say(&cx, turn.clone()).await;
        assert_eq!(dialogue.say(&cx, turn).await, direct, "{way}");
        let fault = dialogue.say(&cx, DialogTurn::default()).await.expect_err("says nothing");
        assert_eq!((fault.code, &*fault.reason), (Code::InvalidArgument, "voice.turn.invalid"), "{way}");
    })
    .await;
}

/// Remembers one session.
#[derive(Default)]
struct OneSession(Mutex<Context>);

#[async_trait]
impl ContextEngine for OneSession {
    async fn get(&self, _: &Cx, _: GetContext) -> Result<Context, Fault> {
        Ok(self.0.lock().clone())
    }

    async fn record(&self, _: &Cx, turn: RecordTurn) -> Result<Context, Fault> {
        let mut context = self.0.lock();
        // A turn that comes twice is added once.
        if !context.conversation_history.contains(&turn.turn) {
            context.turn_count += 1;
            context.last_updated = Some(turn.turn.at);
            context.conversation_history.push(turn.turn);
        }
        (context.user_id, context.session_id, context.state) = (turn.user_id, turn.session_id, turn.state);
        Ok(context.clone())
    }

    async fn forget(&self, _: &Cx, ask: ForgetPerson) -> Result<ForgetPerson, Fault> {
        *self.0.lock() = Context::default();
        Ok(ask)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn voice_context_means_the_same_every_way() {
    let ways = Ways::<dyn ContextEngine> {
        contract: &CONTEXT_ENGINE_CONTRACT,
        answerer: || Arc::new(OneSession::default()),
        routes: ContextEngineRoutes::of,
        meet: |link| Arc::new(ContextEngineClient::new(link)),
    };
    ways.run(|way, contexts| async move {
        let cx = Cx::root();
        let session = GetContext { user_id: "ada".into(), session_id: "거실".into() };
        assert_eq!(contexts.get(&cx, session.clone()).await, Ok(Context::default()), "{way}: none is known");
        let question = PendingQuestion { intent: "timer.start".into(), slot: "span".into(), slots: slots() };
        let state = ContextState {
            topic: Some("timer".into()),
            intent: Some("timer.start".into()),
            slots: slots(),
            pending: Some(question),
        };
        let turn = PastTurn {
            turn_id: "t-1".into(),
            said: "타이머 맞춰 줘".into(),
            intent: "timer.start".into(),
            answered: "몇 분으로 맞출까요?".into(),
            at: noon(),
        };
        let record = RecordTurn {
            user_id: "ada".into(),
            session_id: "거실".into(),
            turn: turn.clone(),
            state: state.clone(),
        };
        let known = contexts.record(&cx, record).await.expect("is recorded");
        assert_eq!((known.turn_count, &known.state), (1, &state), "{way}");
        assert_eq!((&known.conversation_history, known.last_updated), (&vec![turn], Some(noon())), "{way}");
        assert_eq!(contexts.get(&cx, session.clone()).await, Ok(known), "{way}");
        let person = ForgetPerson { user_id: "ada".into() };
        assert_eq!(contexts.forget(&cx, person.clone()).await, Ok(person), "{way}");
        assert_eq!(contexts.get(&cx, session).await.map(|gone| gone.turn_count), Ok(0), "{way}");
    })
    .await;
}

/// Takes every sentence for two commands.
struct TwoCommands;

#[async_trait]
impl Understanding for TwoCommands {
    async fn understand(&self, _: &Cx, ask: Understand) -> Result<Understood, Fault> {
        if ask.language != "ko" {
            return Err(Fault::invalid_argument("voice.language.unknown", format!("in {:?}", ask.language)));
        }
        let meaning = |intent: &str, follows_up| Meaning {
            intent: intent.into(),
            confidence: 0.1,
            slots: slots(),
            text: ask.text.clone(),
            follows_up,
        };
        let meanings = vec![meaning("weather.query", false), meaning("timer.start", true)];
        Ok(Understood { meanings, engine: "templates".into() })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn voice_understanding_means_the_same_every_way() {
    let ways = Ways::<dyn Understanding> {
        contract: &UNDERSTANDING_CONTRACT,
        answerer: || Arc::new(TwoCommands),
        routes: UnderstandingRoutes::of,
        meet: |link| Arc::new(UnderstandingClient::new(link)),
    };
    ways.run(|way, engine| async move {
        let cx = Cx::root();
        let ask = Understand {
            text: "날씨 알려 주고 3분 타이머".into(),
            language: "ko".into(),
            now: noon(),
            ..Understand::default()
        };
        let direct = TwoCommands.understand(&cx, ask.clone()).await;
        assert_eq!(engine.understand(&cx, ask).await, direct, "{way}");
        let fault = engine.understand(&cx, Understand::default()).await.expect_err("is no language");
        assert_eq!((fault.code, &*fault.reason), (Code::InvalidArgument, "voice.language.unknown"), "{way}");
    })
    .await;
}

/// Sets a timer, whatever is asked.
struct Timers;

#[async_trait]
impl Plugin for Timers {
    async fn describe(&self, _: &Cx, _: DescribePlugin) -> Result<PluginDescription, Fault> {
        let said = ("timer.start".to_owned(), vec!["{span} 타이머 {name}".to_owned()]);
        let words = vec![
            PluginWord::Plain("라면".into()),
            PluginWord::Standing { said: "달걀".into(), meant: "egg".into() },
        ];
        let lists = [
            ("span".to_owned(), PluginList::Range { from: 1, to: 60 }),
            ("name".to_owned(), PluginList::Values(words)),
        ];
        Ok(PluginDescription {
            name: "timers".into(),
            intents: vec!["timer.start".into()],
            sentences: [("ko".to_owned(), [said].into())].into(),
            lists: [("ko".to_owned(), lists.into())].into(),
        })
    }

    async fn handle(&self, _: &Cx, ask: PluginAsk) -> Result<PluginAnswer, Fault> {
        let label = ask.meaning.text;
        let (kind, at, since) = (ScheduleKind::Reminder, ask.now, Some(ask.now));
        let schedule = Effect::Schedule { kind, at, label, days: Vec::new(), since };
        let announce = Effect::Announce { area: ask.area, text: "밥 먹자".into() };
        let cancel = Effect::Cancel { schedules: vec![ask.turn_id] };
        Ok(PluginAnswer {
            text: ask.user_name,
            missing: Some("span".into()),
            failed: true,
            effects: [vec![schedule, announce, cancel], ask.earlier].concat(),
        })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn voice_plugin_means_the_same_every_way() {
    let ways = Ways::<dyn Plugin> {
        contract: &PLUGIN_CONTRACT,
        answerer: || Arc::new(Timers),
        routes: PluginRoutes::of,
        meet: |link| Arc::new(PluginClient::new(link)),
    };
    ways.run(|way, plugin| async move {
        let cx = Cx::root();
        let direct = Timers.describe(&cx, DescribePlugin {}).await;
        assert_eq!(plugin.describe(&cx, DescribePlugin {}).await, direct, "{way}");
        let ask = PluginAsk {
            turn_id: "t-1".into(),
            meaning: Meaning { text: "우유 사기".into(), slots: slots(), ..Meaning::default() },
            user_name: "에이다".into(),
            area: Some("거실".into()),
            now: noon(),
            earlier: vec![Effect::Cancel { schedules: vec!["#0".into()] }],
            ..PluginAsk::default()
        };
        let direct = Timers.handle(&cx, ask.clone()).await;
        assert_eq!(plugin.handle(&cx, ask).await, direct, "{way}");
    })
    .await;
}
