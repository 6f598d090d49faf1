//! Pure decisions about turns: what is one, whose session it belongs to, under which key it happens once.

use std::collections::BTreeMap;
use std::time::Duration;

use ieum_contracts::voice::{Context, ContextState, DialogTurn, Meaning, PendingQuestion, Slot, SlotValue};
use ieum_core::{Cx, Fault, Timestamp, new_id};
use sha2::{Digest, Sha256};

use crate::answers::WHICH;
use crate::plugins::{BESIDES, CANCELLED, NEWEST, TOLD, says_others};
use crate::tongue::Tongue;

/// The longest sentence, characters.
pub const LONGEST_TEXT: usize = 2_000;
/// The longest name of a person, device, session or turn, characters.
pub const LONGEST_NAME: usize = 120;

/// Checks a turn. Fails with `voice.turn.invalid`, naming the field.
pub fn check_turn(turn: &DialogTurn) -> Result<(), Fault> {
    let invalid = |message: String| Err(Fault::invalid_argument("voice.turn.invalid", message));
    let names = [
        ("turnId", &turn.turn_id),
        ("userId", &turn.user_id),
        ("deviceId", &turn.device_id),
        ("sessionId", &turn.session_id),
        ("language", &turn.language),
        ("area", &turn.area),
    ];
    for (field, value) in names {
        let Some(value) = value else { continue };
        if value.is_empty() || value.chars().count() > LONGEST_NAME || value.chars().any(char::is_control) {
            return invalid(format!("field {field}: must have 1 to {LONGEST_NAME} characters"));
        }
    }
    if turn.user_id.is_none() && turn.device_id.is_none() {
        return invalid("field userId: name who speaks, or in deviceId which device listens".to_owned());
    }
    let length = turn.text.trim().chars().count();
    if length == 0 || length > LONGEST_TEXT {
        return invalid(format!("field text: must have 1 to {LONGEST_TEXT} characters"));
    }
    if let Some(language) = turn.language.as_deref().filter(|code| crate::tongue::Tongue::of(code).is_none())
    {
        return invalid(format!("field language: {language:?} is not spoken here; expected ko or en"));
    }
    Ok(())
}

/// How long a session is about the same thing without a turn: what Dialogflow gives its contexts (20 minutes,
/// <https://cloud.google.com/dialogflow/es/docs/contexts-input-output>).
const ABOUT: Duration = Duration::from_secs(20 * 60);

/// Returns what a session is still about: nothing after a while without a turn.
pub fn state_now(context: &Context, now: Timestamp) -> ContextState {
    let is_over = context.last_updated.is_some_and(|last| now.since(last) > ABOUT);
    if is_over { ContextState::default() } else { context.state.clone() }
}

/// What somebody says who greets.
pub const GREETED: &str = "dialog.greet";

/// What the last answer is asked for with once more.
pub const REPEATED: &str = "dialog.repeat";

/// Returns what was answered last, where that is not too long ago.
pub fn last_answer(context: &Context, now: Timestamp) -> Option<&str> {
    let last = context.conversation_history.last()?;
    (now.since(last.at) <= ABOUT).then_some(last.answered.as_str()).filter(|text| !text.is_empty())
}

/// Returns the turn's id: its own, that of the command, or a new one.
pub fn turn_id(turn: &DialogTurn, cx: &Cx) -> String {
    let given = turn.turn_id.clone().or_else(|| cx.idempotency_key().map(str::to_owned));
    given.map_or_else(|| new_id().to_string(), |id| id.chars().take(LONGEST_NAME).collect())
}

/// Returns the key under which a turn happens once: the same id from another device or person is another turn.
pub fn turn_key(turn: &DialogTurn, turn_id: &str) -> String {
    let parts = [turn.device_id.as_deref(), turn.user_id.as_deref(), Some(turn_id)];
    let mut hash = Sha256::new();
    for part in parts {
        let part = part.unwrap_or_default();
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hex::encode(hash.finalize())
}

/// Returns the session that a turn belongs to.
pub fn session_id(turn: &DialogTurn) -> String {
    let own = || match (&turn.device_id, &turn.user_id) {
        (Some(device), _) => format!("device:{device}"),
        (None, user) => format!("user:{}", user.as_deref().unwrap_or_default()),
    };
    turn.session_id.clone().unwrap_or_else(|| own().chars().take(LONGEST_NAME).collect())
}

/// Returns the turn as `device` may say it by itself; `owner` is whose it is. Fails with `voice.foreign`, naming the
/// field that names somebody else.
pub fn said_by(device: &str, owner: Option<&str>, mut turn: DialogTurn) -> Result<DialogTurn, Fault> {
    let foreign = |field: &str, whose: &str| {
        let message = format!("field {field}: a device speaks for itself alone; this names {whose}");
        Err(Fault::permission_denied("voice.foreign", message))
    };
    if turn.device_id.as_deref().is_some_and(|named| named != device) {
        return foreign("deviceId", "another device");
    }
    if turn.user_id.is_some() && turn.user_id.as_deref() != owner {
        return foreign("userId", "somebody who is not its owner");
    }
    if turn.session_id.as_deref().is_some_and(|session| is_anothers(session, device, owner)) {
        return foreign("sessionId", "a conversation of another device or person");
    }
    turn.device_id = Some(device.to_owned());
    // Whose it is is known, and a turn has one key however it comes.
    turn.user_id = None;
    Ok(turn)
}

/// Tells whether a session is the own one of a device or person other than these.
pub fn is_anothers(session: &str, device: &str, owner: Option<&str>) -> bool {
    let cut = |whole: String| whole.chars().take(LONGEST_NAME).collect::<String>();
    if session.starts_with("device:") {
        return session != cut(format!("device:{device}"));
    }
    session.starts_with("user:") && owner.is_none_or(|owner| session != cut(format!("user:{owner}")))
}

/// The slot of the room that was spoken of with the thing before: another thing is rather there than elsewhere.
pub const NEAR: &str = "near";
/// What is said of a thing and holds for no other one: its room, that all that are called so are meant, and that those here
/// are.
const OWN: [&str; 3] = ["area", "every", "here"];

/// Completes a meaning with what the session knows: what follows up takes over what it does not say.
pub fn carried(mut meaning: Meaning, state: &ContextState) -> Meaning {
    if meaning.follows_up {
        let known = |slot: &Slot| Slot { text: String::new(), value: slot.value.clone() };
        let is_another = meaning.intent.starts_with("device.") && meaning.slots.contains_key("name");
        for (name, slot) in
            state.slots.iter().filter(|(name, _)| !is_another || !OWN.contains(&name.as_str()))
        {
            meaning.slots.entry(name.clone()).or_insert_with(|| known(slot));
        }
        // Another thing may be in another room.
        if is_another && let Some(area) = state.slots.get("area") {
            meaning.slots.insert(NEAR.to_owned(), known(area));
        }
    }
    if let Some(spoken) = besides(&meaning, state) {
        meaning.slots.insert(BESIDES.to_owned(), spoken);
    }
    meaning
}

/// Returns what was said of those that "the rest" is besides, where the talk was about some of them. What was changed is
/// called otherwise by then, so that nobody knows.
fn besides(meaning: &Meaning, state: &ContextState) -> Option<Slot> {
    let said = &meaning.slots.get(WHICH)?.text;
    let is_other = |said: &str| {
        let tongue = Tongue::heard_in(said).unwrap_or(Tongue::English);
        says_others(said, tongue)
    };
    let last = state.intent.as_deref().filter(|_| state.pending.is_none())?;
    if !is_other(said) || topic(last) != topic(&meaning.intent) {
        return None;
    }
    let spoken =
        |text: &str| Slot { text: text.to_owned(), value: SlotValue::Text { text: text.to_owned() } };
    match last.split_once('.')?.1 {
        "cancel" => Some(spoken(CANCELLED)),
        "start" | "set" => Some(spoken(NEWEST)),
        "query" => match &state.slots.get(WHICH)?.text {
            text if text.is_empty() => None,
            text if is_other(text) => state.slots.get(BESIDES).cloned(),
            text => Some(spoken(text)),
        },
        _ => None,
    }
}

/// Returns what an answer to `pending` means: the question's intent with what was missing.
pub fn answered(pending: &PendingQuestion, said: BTreeMap<String, Slot>, text: &str) -> Meaning {
    let mut slots = pending.slots.clone();
    // Those among which one is chosen are those that were told: what named them stays known.
    if said.contains_key(WHICH)
        && let Some(told) = slots.remove(WHICH)
    {
        slots.insert(TOLD.to_owned(), told);
    }
    slots.extend(said);
    Meaning {
        intent: pending.intent.clone(),
        confidence: 1.0,
        slots,
        text: text.to_owned(),
        follows_up: false,
    }
}

/// Returns the topic of an intent: its first word.
pub fn topic(intent: &str) -> String {
    intent.split('.').next().unwrap_or(intent).to_owned()
}

/// Returns the words of a text slot.
pub fn words<'a>(meaning: &'a Meaning, slot: &str) -> Option<&'a str> {
    match &meaning.slots.get(slot)?.value {
        SlotValue::Text { text } => Some(text.trim()).filter(|text| !text.is_empty()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn() -> DialogTurn {
        DialogTurn { device_id: Some("kitchen".into()), text: "몇 시야".into(), ..DialogTurn::default() }
    }

    #[test]
    fn a_turn_without_anybody_or_words_is_refused_by_field() {
        let said = |turn: DialogTurn| check_turn(&turn).expect_err("is refused").message;
        assert!(check_turn(&turn()).is_ok());
        assert!(said(DialogTurn { device_id: None, ..turn() }).starts_with("field userId"));
        assert!(said(DialogTurn { text: " ".into(), ..turn() }).starts_with("field text"));
        assert!(said(DialogTurn { text: "가".repeat(2_001), ..turn() }).starts_with("field text"));
        assert!(said(DialogTurn { language: Some("fr".into()), ..turn() }).starts_with("field language"));
        assert!(
            said(DialogTurn { session_id: Some("a\nb".into()), ..turn() }).starts_with("field sessionId")
        );
    }

    #[test]
    fn a_device_speaks_for_itself_its_owner_and_their_sessions() {
        let said = |turn: DialogTurn| said_by("kitchen", Some("ada"), turn);
        let bare = DialogTurn { device_id: None, ..turn() };
        assert_eq!(said(bare.clone()), Ok(turn()), "it need not name itself");
        assert_eq!(said(DialogTurn { user_id: Some("ada".into()), ..bare.clone() }), Ok(turn()));
        for own in ["device:kitchen", "user:ada", "lunch", "devices"] {
            assert!(said(DialogTurn { session_id: Some(own.into()), ..bare.clone() }).is_ok(), "{own}");
        }
        let refused = |turn: DialogTurn| {
            let fault = said(turn).expect_err("is refused");
            assert_eq!(&*fault.reason, "voice.foreign");
            fault.message
        };
        let named = |name: &str| Some(name.to_owned());
        assert!(refused(DialogTurn { device_id: named("bath"), ..turn() }).starts_with("field deviceId:"));
        assert!(refused(DialogTurn { user_id: named("eve"), ..turn() }).starts_with("field userId:"));
        for other in ["device:bath", "user:eve", "device:", "user:"] {
            let told = refused(DialogTurn { session_id: named(other), ..turn() });
            assert!(told.starts_with("field sessionId:"), "{other}: {told}");
        }
        assert!(said_by("hall", None, DialogTurn { user_id: named("ada"), ..bare }).is_err(), "nobody's");
    }

    #[test]
    fn the_same_id_from_another_device_is_another_turn() {
        let other = DialogTurn { device_id: Some("bath".into()), ..turn() };
        assert_eq!(turn_key(&turn(), "1"), turn_key(&turn(), "1"));
        assert_ne!(turn_key(&turn(), "1"), turn_key(&other, "1"));
        assert_ne!(turn_key(&turn(), "1"), turn_key(&turn(), "2"));
        assert_eq!(session_id(&other), "device:bath");
    }
}
