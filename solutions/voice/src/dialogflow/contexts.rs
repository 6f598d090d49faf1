//! What a Dialogflow client's contexts say of a session, and what a session says in contexts.
//!
//! | a context | says |
//! |---|---|
//! | `weather`, `timer`, … (the first word of an intent), with the intent's parameters | what the session is about |
//! | `timer-start-duration` (an intent and a slot, with `-` for `.`) | what was asked and not answered yet |

use ieum_contracts::voice::{ContextState, PendingQuestion};
use ieum_dialogflow::{Context, Values, context_id};

use super::slots::{parameters_of, slots_of};

/// For how many turns a session's topic is there, and a question.
pub const REMEMBERED: u32 = 2;

/// Returns what a session is about by its contexts: the topic that lasts longest, and the question that does. `topics`:
/// the first words of the intents that are answered; contexts of other names are the client's own.
pub fn state_of(contexts: &[Context], topics: &[String]) -> ContextState {
    let longest = |is_meant: &dyn Fn(&Context) -> bool| {
        contexts
            .iter()
            .filter(|context| context.lifespan > 0 && is_meant(context))
            .max_by_key(|context| context.lifespan)
    };
    let about = longest(&|context| topics.contains(&context.id));
    let open = longest(&|context| question(&context.id, topics).is_some());
    let pending = open.and_then(|context| {
        let (intent, slot) = question(&context.id, topics)?;
        Some(PendingQuestion { intent, slot, slots: slots_of(context.parameters.clone()) })
    });
    ContextState {
        topic: about.map(|context| context.id.clone()),
        intent: None,
        slots: about.map(|context| slots_of(context.parameters.clone())).unwrap_or_default(),
        pending,
    }
}

/// Returns the contexts of a session after a turn. `before`: those it had; a question among them that is answered, or
/// that nobody waits for any more, is forgotten.
pub fn contexts_of(state: &ContextState, before: &[Context], topics: &[String]) -> Vec<Context> {
    let id = |name: &str| context_id(&name.replace('.', "-")).ok();
    let topic = state.topic.as_deref().and_then(id);
    let about = topic.map(|topic| Context::new(&topic, REMEMBERED, parameters_of(&state.slots)));
    let asked = state.pending.as_ref().and_then(|pending| {
        let id = id(&format!("{}-{}", pending.intent, pending.slot))?;
        Some(Context::new(&id, REMEMBERED, parameters_of(&pending.slots)))
    });
    let is_open = |id: &str| asked.as_ref().is_some_and(|asked| asked.id == id);
    let answered =
        before.iter().filter(|context| question(&context.id, topics).is_some() && !is_open(&context.id));
    let answered: Vec<Context> =
        answered.map(|context| Context::new(&context.id, 0, Values::new())).collect();
    about.into_iter().chain(asked).chain(answered).collect()
}

/// Returns the intent and the slot that a context's id names.
fn question(id: &str, topics: &[String]) -> Option<(String, String)> {
    let (intent, slot) = id.rsplit_once('-')?;
    let topic = intent.split('-').next()?;
    let is_intent = intent.contains('-') && topics.iter().any(|known| known == topic);
    (is_intent && !slot.is_empty()).then(|| (intent.replace('-', "."), slot.to_owned()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn topics() -> Vec<String> {
        ["weather", "timer"].map(str::to_owned).into()
    }

    fn context(id: &str, lifespan: u32) -> Context {
        let parameters = json!({ "city": "부산" }).as_object().cloned().expect("is an object");
        Context::new(id, lifespan, parameters)
    }

    #[test]
    fn the_topic_that_lasts_longest_counts_and_a_clients_own_names_say_nothing() {
        let state = state_of(&[context("timer", 1), context("mood", 9), context("weather", 2)], &topics());
        assert_eq!((state.topic.as_deref(), state.pending.is_none()), (Some("weather"), true));
        assert!(state.slots.contains_key("city"));
        assert_eq!(state_of(&[context("weather", 0)], &topics()), ContextState::default());
    }

    #[test]
    fn a_question_is_read_back_and_forgotten_once_it_is_answered() {
        let pending = PendingQuestion {
            intent: "timer.start".into(),
            slot: "duration".into(),
            slots: Default::default(),
        };
        let asked =
            ContextState { topic: Some("timer".into()), pending: Some(pending), ..ContextState::default() };
        let told = contexts_of(&asked, &[], &topics());
        let ids: Vec<(&str, u32)> =
            told.iter().map(|context| (context.id.as_str(), context.lifespan)).collect();
        assert_eq!(ids, [("timer", 2), ("timer-start-duration", 2)]);
        assert_eq!(state_of(&told, &topics()).pending, asked.pending);
        let answered = ContextState { pending: None, ..asked };
        let told = contexts_of(&answered, &told, &topics());
        assert!(told.iter().any(|context| context.id == "timer-start-duration" && context.lifespan == 0));
    }
}
