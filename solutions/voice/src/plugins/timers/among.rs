//! Those of somebody's timers, alarms or reminders that are meant by what was said.

use ieum_contracts::voice::{PluginAsk, ScheduleKind, Slot, SlotValue};
use ieum_core::Timestamp;

use super::Set;
use super::which::{BESIDES, CANCELLED, NEWEST, Which, With, kept, unended, which as which_of, words};
use crate::effects::place_of;
use crate::plugins::tongue;
use crate::tongue::Tongue;
use crate::zone::{here, zone};

/// The slot of what was said before of those that were told when one of them was asked for.
pub const TOLD: &str = "told";

/// Returns those of `set` that `which` names, the next first. Of those that were told before, where some were.
pub fn among<'a>(set: &'a [Set], which: &Which, kind: ScheduleKind, ask: &PluginAsk) -> Vec<&'a Set> {
    let all: Vec<&Set> = set.iter().collect();
    // Where it was not known that the newest is meant, or which ones the rest is besides, all of them were told.
    let told = ask.meaning.slots.get(TOLD).filter(|told| told.text != NEWEST).map(|told| {
        let mut before = ask.clone();
        before.meaning.slots.remove(TOLD);
        before.meaning.slots.remove(BESIDES);
        before.meaning.slots.insert("which".to_owned(), told.clone());
        those(&all, &which_of(&before, tongue(ask)), kind, ask)
    });
    let meant = told.filter(|told| !told.is_empty()).map(|told| those(&told, which, kind, ask));
    meant.filter(|meant| !meant.is_empty()).unwrap_or_else(|| those(&all, which, kind, ask))
}

fn those<'a>(set: &[&'a Set], which: &Which, kind: ScheduleKind, ask: &PluginAsk) -> Vec<&'a Set> {
    let set = || set.iter().copied();
    let zone = zone(&ask.zone);
    let is_near = |set: &&Set, at: Timestamp, with: With| {
        let (one, other) = (here(&zone, set.at), here(&zone, at));
        one.minute() == other.minute()
            && one.hour() % 12 == other.hour() % 12
            && (!with.half || one.hour() == other.hour())
            && (!with.day || one.date() == other.date())
    };
    match which {
        Which::Unsaid | Which::All | Which::AllOf(_) => set().collect(),
        Which::Nothing | Which::Rung => Vec::new(),
        // Which ones are left is known by what is set; a timer may be called so: "the rest timer".
        Which::Others(name) => {
            let called: Vec<&Set> = set().filter(|set| bare(&set.ring.label) == bare(name)).collect();
            if called.is_empty() { set().collect() } else { called }
        }
        Which::Rest(name, spoken) => {
            let all: Vec<&Set> = set().collect();
            let called = those(&all, &Which::Others(name.clone()), kind, ask);
            if called.len() < all.len() || spoken == CANCELLED {
                return called;
            }
            let spoken = spoken_of(&all, spoken, kind, ask);
            all.into_iter().filter(|set| !spoken.iter().any(|other| other.id == set.id)).collect()
        }
        Which::Several(parts, name) => {
            let all: Vec<&Set> = set().collect();
            let named = those(&all, &Which::Named(name.clone()), kind, ask);
            if named.is_empty() { each(&all, parts, kind, ask) } else { named }
        }
        Which::Nth(place) => set().nth(*place).into_iter().collect(),
        Which::Last => set().last().into_iter().collect(),
        Which::Newest => newest(set()).into_iter().collect(),
        // What rings again and again is no matter of one day.
        Which::On(day) => {
            set().filter(|set| set.ring.days.is_empty() && here(&zone, set.at).date() == *day).collect()
        }
        Which::Long(seconds) if kind == ScheduleKind::Timer => {
            let long = set().filter(|set| set.length() == *seconds);
            long.take(1).collect()
        }
        Which::Long(seconds) => {
            let at = ask.now + std::time::Duration::from_secs(*seconds);
            set().filter(|set| set.at == at).collect()
        }
        Which::At(at, with) => {
            // A time of day may be what one is called: "the lunch timer".
            let said = ask.meaning.slots.get("which").map(|slot| bare(&kept(&slot.text, tongue(ask))));
            let said = said.filter(|said| !said.is_empty());
            let called: Vec<&Set> = set()
                .filter(|set| said.as_ref().is_some_and(|said| *said == bare(&set.ring.label)))
                .collect();
            if !called.is_empty() {
                return called;
            }
            let same: Vec<&Set> = set().filter(|set| set.at == *at).collect();
            if same.is_empty() { set().filter(|set| is_near(set, *at, *with)).collect() } else { same }
        }
        Which::Named(name) => {
            let whole = |set: &&Set| bare(&set.ring.label).contains(&bare(name));
            let named: Vec<&Set> = set().filter(whole).collect();
            let unended = unended(name);
            if named.is_empty() && tongue(ask) == Tongue::Korean && unended != name {
                return those(&set().collect::<Vec<_>>(), &Which::Named(unended.to_owned()), kind, ask);
            }
            let by_words = || set().filter(|set| has_words(&set.ring.label, name)).collect();
            if named.is_empty() { by_words() } else { named }
        }
        Which::NamedLong(name, seconds) => {
            let mut named = those(&set().collect::<Vec<_>>(), &Which::Named(name.clone()), kind, ask);
            named.retain(|set| set.length() == *seconds);
            named.truncate(1);
            named
        }
    }
}

/// Returns the one that was set last.
pub fn newest<'a>(set: impl Iterator<Item = &'a Set>) -> Option<&'a Set> {
    set.max_by_key(|set| (set.ring.set_at, said_at(&set.id)))
}

/// Returns those that were spoken of before as `spoken`: of what was set last, all that its turn set, and none where that was
/// on another device.
fn spoken_of<'a>(all: &[&'a Set], spoken: &str, kind: ScheduleKind, ask: &PluginAsk) -> Vec<&'a Set> {
    if spoken == NEWEST {
        let last = newest(all.iter().copied()).filter(|last| last.ring.device_id == ask.device_id);
        let is_of_it = |set: &&&Set| last.is_some_and(|last| turn_of(&set.id) == turn_of(&last.id));
        return all.iter().filter(is_of_it).copied().collect();
    }
    let mut before = ask.clone();
    before.meaning.slots.remove(BESIDES);
    let value = SlotValue::Text { text: spoken.to_owned() };
    before.meaning.slots.insert("which".to_owned(), Slot { text: spoken.to_owned(), value });
    those(all, &which_of(&before, tongue(ask)), kind, ask)
}

/// Returns the key of the turn that set something; `None` for this one.
fn turn_of(id: &str) -> Option<&str> {
    id.rsplit_once(':').map(|(key, _)| key)
}

/// Returns whether something was set by this turn, and its place among what was set by its turn: ids end in that.
fn said_at(id: &str) -> (bool, Option<usize>) {
    let of_this_turn = place_of(id);
    (of_this_turn.is_some(), of_this_turn.or_else(|| id.rsplit_once(':')?.1.parse().ok()))
}

/// Returns all that `parts` name; none where one of them names none.
fn each<'a>(all: &[&'a Set], parts: &[Which], kind: ScheduleKind, ask: &PluginAsk) -> Vec<&'a Set> {
    let found: Vec<Vec<&Set>> = parts.iter().map(|part| those(all, part, kind, ask)).collect();
    if found.iter().any(Vec::is_empty) {
        return Vec::new();
    }
    let is_meant = |set: &&&Set| found.iter().flatten().any(|found| found.id == set.id);
    all.iter().filter(is_meant).copied().collect()
}

fn bare(text: &str) -> String {
    text.to_lowercase().replace(' ', "")
}

/// Tells whether "the other one" may be the one that was spoken of: it is the only one, is not called so, and nobody knows of
/// another one that was.
pub fn may_be_no_other(which: &Which, set: &[Set], ask: &PluginAsk) -> bool {
    let (Which::Others(name) | Which::Rest(name, _), [only]) = (which, set) else { return false };
    let slots = &ask.meaning.slots;
    let is_other = slots.get(BESIDES).is_some_and(|spoken| spoken.text == CANCELLED);
    !is_other && !slots.contains_key(TOLD) && bare(&only.ring.label) != bare(name)
}

/// Tells whether what something is about has all words of `name`; a last Korean verb may end otherwise: "약 먹으라는".
fn has_words(label: &str, name: &str) -> bool {
    let label = bare(label);
    let mut said: Vec<String> = words(name).collect();
    if said.len() > 1 && !name.is_ascii() {
        said.pop();
    }
    said.iter().all(|word| label.contains(word))
}

/// Tells whether `which` of `set` was said to be all, or there is no more than one that can be meant.
pub fn is_plain(which: &Which, meant: &[&Set], set: &[Set]) -> bool {
    let at_once = meant.windows(2).all(|two| two[0].at == two[1].at);
    *which == Which::All
        || *which == Which::AllOf(meant.len())
        // Where all of them are the rest, nobody knows which ones it is besides, unless those are gone.
        || matches!(which, Which::Rest(_, spoken) if spoken == CANCELLED || meant.len() < set.len())
        || matches!(which, Which::Several(parts, _) if parts.len() == meant.len())
        || meant.len() <= 1
        || (matches!(which, Which::At(..)) && at_once)
}
