//! What holds for sessions, whatever keeps them.

use futures::future::join_all;
use ieum_contracts::voice::{ContextEngine, ContextState, GetContext, PastTurn, RecordTurn};
use ieum_core::Cx;

use crate::stage::{NOON, Stage, at};

fn ask() -> GetContext {
    GetContext { user_id: "ada".into(), session_id: "부엌".into() }
}

fn record(turn: &str, said: &str) -> RecordTurn {
    let GetContext { user_id, session_id } = ask();
    let turn = PastTurn {
        turn_id: turn.into(),
        said: said.into(),
        intent: "time.query".into(),
        answered: "지금은 낮이에요.".into(),
        at: at(NOON),
    };
    let state = ContextState { topic: Some(turn.turn_id.clone()), ..ContextState::default() };
    RecordTurn { user_id, session_id, turn, state }
}

fn cx(turn: &str) -> Cx {
    Cx::root().with_idempotency_key(turn)
}

pub async fn a_session_begins_empty_and_remembers_its_turns(stage: &Stage) {
    let empty = stage.contexts.get(&Cx::root(), ask()).await.expect("is told");
    assert_eq!((empty.turn_count, empty.last_updated, empty.conversation_history.len()), (0, None, 0));
    stage.contexts.record(&cx("1"), record("1", "몇 시야?")).await.expect("is recorded");
    let second =
        stage.contexts.record(&cx("2"), record("2", "줄\n바꿈 \"따옴표\"")).await.expect("is recorded");
    assert_eq!((second.turn_count, second.state.topic.as_deref()), (2, Some("2")));
    let said: Vec<&str> = second.conversation_history.iter().map(|turn| &*turn.said).collect();
    assert_eq!(said, ["몇 시야?", "줄\n바꿈 \"따옴표\""]);
    assert_eq!(second, stage.contexts.get(&Cx::root(), ask()).await.expect("is told"));
    let nameless = RecordTurn { session_id: String::new(), ..record("3", "x") };
    let fault = stage.contexts.record(&cx("3"), nameless).await.expect_err("is refused");
    assert_eq!(
        (&*fault.reason, fault.message.starts_with("field sessionId")),
        ("voice.context.invalid", true)
    );
}

pub async fn a_turn_that_comes_twice_is_counted_once(stage: &Stage) {
    for turn in ["1", "2", "1", "2", "10"] {
        stage.contexts.record(&cx(turn), record(turn, turn)).await.expect("is recorded");
    }
    let context = stage.contexts.get(&Cx::root(), ask()).await.expect("is told");
    assert_eq!((context.turn_count, context.state.topic.as_deref()), (3, Some("10")));
}

pub async fn turns_at_once_are_all_counted(stage: &Stage) {
    let turns = (0..20).map(|number| async move {
        let turn = format!("t{number}");
        stage.contexts.record(&cx(&turn), record(&turn, "동시에")).await.expect("is recorded");
    });
    join_all(turns).await;
    let context = stage.contexts.get(&Cx::root(), ask()).await.expect("is told");
    assert_eq!((context.turn_count, context.conversation_history.len()), (20, 20));
}

pub async fn a_long_history_keeps_its_last_turns_and_its_count(stage: &Stage) {
    let long = "가".repeat(1_500);
    for number in 0..60 {
        let turn = format!("t{number}");
        stage.contexts.record(&cx(&turn), record(&turn, &long)).await.expect("is recorded");
    }
    let context = stage.contexts.get(&Cx::root(), ask()).await.expect("is told");
    assert_eq!(context.turn_count, 60);
    let last = context.conversation_history.last().expect("has turns");
    assert_eq!((&*last.turn_id, context.conversation_history.len() > 2), ("t59", true));
    let kept = "SELECT LENGTH(history) + LENGTH(older) AS n FROM ieum_voice_context";
    assert!(stage.count(kept).await < 80_000, "what is old goes");
}
