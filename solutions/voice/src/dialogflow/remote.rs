//! Understands with a Dialogflow or an `MLService` first, and with another engine where that does not answer or does not
//! understand.

use std::sync::Arc;

use async_trait::async_trait;
use ieum_contracts::voice::{Meaning, Slot, SlotValue, Understand, Understanding, Understood};
use ieum_core::{Cx, Fault};
use ieum_dialogflow::{Detected, DialogflowClient, Query, SessionName, Values};
use serde_json::json;

use super::contexts::contexts_of;
use super::slots::slots_of;

/// The slot that holds what a Dialogflow says to an intent by itself: the answer, where nobody here answers that intent.
pub const SAID: &str = "fulfillmentText";

/// A Dialogflow and the engine that stands in for it. Intents are told apart by their action, or by their name where
/// they have none: `weather.query` and the like.
pub struct DialogflowUnderstanding {
    remote: DialogflowClient,
    local: Arc<dyn Understanding>,
}

impl DialogflowUnderstanding {
    /// Asks `remote` first. Its time limit and breaker keep a slow one from the user.
    pub fn new(remote: DialogflowClient, local: Arc<dyn Understanding>) -> Self {
        Self { remote, local }
    }
}

#[async_trait]
impl Understanding for DialogflowUnderstanding {
    async fn understand(&self, cx: &Cx, ask: Understand) -> Result<Understood, Fault> {
        match self.remote.ask(cx, query_of(&ask)).await {
            Ok(answer) => {
                if let Some(meaning) = meaning_of(answer.value, &ask.text) {
                    return Ok(Understood {
                        meanings: vec![meaning],
                        engine: self.remote.engine().to_owned(),
                    });
                }
            }
            Err(fault) => {
                tracing::debug!(error = %fault, "the Dialogflow gave no answer; another engine does")
            }
        }
        self.local.understand(cx, ask).await
    }
}

/// Returns what a Dialogflow is asked: what the session is about goes along as contexts, so that it is understood
/// whoever answered the turn before.
fn query_of(ask: &Understand) -> Query {
    let session = SessionName::new("voice", &plain(&ask.session_id));
    let mut query = Query::text(session, &ask.language, ask.text.as_str()).with_contexts(contexts_of(
        &ask.state,
        &[],
        &[],
    ));
    query.time_zone = Some(ask.zone.clone()).filter(|zone| !zone.is_empty());
    query.payload = Values::from_iter(ask.area.iter().map(|area| ("area".to_owned(), json!(area))));
    query
}

fn meaning_of(detected: Detected, text: &str) -> Option<Meaning> {
    let intent = detected.intent.filter(|intent| !intent.is_fallback)?;
    let name = if detected.action.is_empty() { intent.display_name } else { detected.action };
    let mut slots = slots_of(detected.parameters);
    if !detected.text.trim().is_empty() {
        slots.insert(
            SAID.to_owned(),
            Slot { value: SlotValue::Text { text: detected.text }, text: String::new() },
        );
    }
    (!name.is_empty()).then(|| Meaning {
        intent: name,
        confidence: f64::from(detected.confidence),
        slots,
        text: text.to_owned(),
        // It was told what the session is about, and says all of it.
        follows_up: false,
    })
}

/// Returns a session's id as a part of a name: Dialogflow takes no slashes and spaces.
fn plain(session: &str) -> String {
    let part = |letter: char| if letter.is_alphanumeric() || "-_.:".contains(letter) { letter } else { '-' };
    let id: String = session.chars().map(part).take(60).collect();
    if id.is_empty() { "nobody".to_owned() } else { id }
}

#[cfg(test)]
mod tests {
    use ieum_contracts::voice::{ContextState, PendingQuestion};
    use ieum_dialogflow::IntentRef;

    use super::*;

    #[test]
    fn what_a_session_is_about_goes_along() {
        let pending = PendingQuestion {
            intent: "timer.set".into(),
            slot: "duration".into(),
            slots: Default::default(),
        };
        let state =
            ContextState { topic: Some("timer".into()), pending: Some(pending), ..Default::default() };
        let ask = Understand {
            text: "10분".into(),
            language: "ko".into(),
            session_id: "device:주방/1".into(),
            state,
            ..Default::default()
        };
        let query = query_of(&ask);
        let ids: Vec<&str> = query.contexts.iter().map(|context| context.id.as_str()).collect();
        assert_eq!(ids, ["timer", "timer-set-duration"]);
        assert_eq!(query.session.session, "device:주방-1");
    }

    #[test]
    fn an_action_names_the_intent_and_a_fallback_is_no_meaning() {
        let intent = IntentRef { display_name: "Ask weather".into(), ..IntentRef::default() };
        let named = Detected { intent: Some(intent.clone()), ..Detected::default() };
        let acted = Detected { action: "weather.query".into(), ..named.clone() };
        let fallback =
            Detected { intent: Some(IntentRef { is_fallback: true, ..intent }), ..Detected::default() };
        let meant = |detected| meaning_of(detected, "날씨").map(|meaning| meaning.intent);
        assert_eq!(meant(named).as_deref(), Some("Ask weather"));
        assert_eq!(meant(acted).as_deref(), Some("weather.query"));
        assert_eq!(meant(fallback), None);
        assert_eq!(meant(Detected::default()), None);
        let intent = Some(IntentRef { display_name: "Tell a joke".into(), ..IntentRef::default() });
        let joke = Detected { intent, text: "왜 웃어요".into(), ..Detected::default() };
        let meaning = meaning_of(joke, "웃겨 줘").expect("is one");
        assert_eq!(crate::rules::words(&meaning, SAID), Some("왜 웃어요"));
    }
}
