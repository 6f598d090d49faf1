//! The events that apps of Dialogflow send, as what they mean here.

use ieum_contracts::voice::Meaning;

use crate::rules::GREETED;

/// The event that opens a conversation
/// (<https://cloud.google.com/dialogflow/es/docs/events-platform>).
const WELCOME: &str = "WELCOME";

/// Returns what an event means: a greeting where it opens a conversation, and nothing where no intent takes it, which is
/// answered as Dialogflow does it, with the fallback. The welcome of one platform (`FACEBOOK_WELCOME`) is the generic one
/// where no intent takes it; the case of letters does not count.
pub fn meant(event: &str) -> Vec<Meaning> {
    let name = event.trim().to_ascii_uppercase();
    let is_welcome = name.strip_suffix(WELCOME).is_some_and(|of| of.is_empty() || of.ends_with('_'));
    let greeting =
        Meaning { intent: GREETED.to_owned(), confidence: 1.0, text: event.to_owned(), ..Meaning::default() };
    Some(greeting).filter(|_| is_welcome).into_iter().collect()
}

/// Returns the events that ask for an intent.
pub fn of(intent: &str) -> Vec<String> {
    Some(WELCOME.to_owned()).filter(|_| intent == GREETED).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_welcome_is_a_greeting_of_any_platform_and_any_other_event_is_nothing() {
        for event in ["WELCOME", "welcome", "Welcome", "FACEBOOK_WELCOME", "google_assistant_welcome"] {
            let meant = meant(event);
            assert_eq!((meant.len(), &*meant[0].intent, &*meant[0].text), (1, GREETED, event));
        }
        for event in ["BUTTON", "UNWELCOME", "WELCOME_BACK", "actions_intent_NO_INPUT", "_"] {
            assert!(meant(event).is_empty(), "{event}");
        }
    }
}
