//! What is set for the days that were asked for, of one kind or of all that people plan a day by.

use ieum_contracts::voice::{PluginAsk, ScheduleKind, Slot, SlotValue};
use ieum_understanding::value::Language;
use jiff::ToSpan;
use jiff::civil::Date;

use super::Set;
use super::saying::{listed, name};
use crate::effects::Ring;
use crate::plugins::tongue;
use crate::rules::words;
use crate::tongue::{Tongue, date, with};
use crate::understanding::whole_moment;
use crate::zone::{here, moment, zone};

/// Days that were asked for.
pub struct Days {
    first: Date,
    count: u32,
    /// How they were called.
    said: String,
}

/// Returns the days that were asked for, if any.
pub fn days(ask: &PluginAsk) -> Option<Days> {
    let slot = ask.meaning.slots.get("date")?;
    match &slot.value {
        SlotValue::Day { date, days } => {
            Some(Days { first: date.parse().ok()?, count: (*days).max(1), said: slot.text.clone() })
        }
        _ => None,
    }
}

/// Returns the ask with a time of day as what names one, where one was said with the day: "is there an alarm at 7".
pub fn timed(ask: &PluginAsk) -> PluginAsk {
    let mut ask = ask.clone();
    let now = here(&zone(&ask.zone), ask.now);
    let language = tongue(&ask).pick(Language::Korean, Language::English);
    let is_timed = |text: &str| matches!(whole_moment(text, language, &now), Some((_, true)));
    let said = ask.meaning.slots.get("date").map(|slot| slot.text.clone()).filter(|text| is_timed(text));
    if let Some(text) = said {
        ask.meaning.slots.remove("date");
        let value = SlotValue::Text { text: text.clone() };
        ask.meaning.slots.insert("which".to_owned(), Slot { text, value });
    }
    ask
}

/// Tells whether the next one alone was asked for.
pub fn is_next_alone(ask: &PluginAsk) -> bool {
    words(&ask.meaning, "only") == Some("next")
}

/// Returns those of `set` that ring as it was asked: on the days, or the next one. What rings again and again is told
/// with the one time that is meant.
pub fn asked_for(set: &[Set], ask: &PluginAsk) -> Vec<Set> {
    let mut found: Vec<Set> = match days(ask) {
        Some(days) => set.iter().filter_map(|one| on(one, &days, ask)).collect(),
        None if is_next_alone(ask) => set.first().map(once).into_iter().collect(),
        None => set.to_vec(),
    };
    found.sort_by_key(|set| set.at);
    found
}

/// Says what alarms and reminders are set.
pub fn agenda(alarms: &[Set], reminders: &[Set], ask: &PluginAsk) -> String {
    let tongue = tongue(ask);
    let told = [(alarms, ScheduleKind::Alarm), (reminders, ScheduleKind::Reminder)]
        .into_iter()
        .filter(|(set, _)| !asked_for(set, ask).is_empty())
        .map(|(set, kind)| listed(set, kind, ask))
        .collect::<Vec<_>>();
    if !told.is_empty() {
        return told.join(" ");
    }
    let none = tongue.pick("맞춰 둔 알람이나 알림이", "no alarm or reminder");
    match days(ask) {
        Some(days) => days.without(tongue, none, today(ask)),
        None => tongue.pick(format!("{none} 없어요."), format!("There is {none} set.")),
    }
}

/// Says that none of a kind is set for the days.
pub fn none_on(days: &Days, tongue: Tongue, kind: ScheduleKind, ask: &PluginAsk) -> String {
    let name = name(tongue, kind);
    let none = tongue.pick(format!("맞춰 둔 {}", with(name, "이", "가")), format!("no {name}"));
    days.without(tongue, &none, today(ask))
}

impl Days {
    fn without(&self, tongue: Tongue, none: &str, today: Date) -> String {
        let day = self.called(tongue, today);
        tongue.pick(
            format!("{} {none} 없어요.", with(&day, "은", "는")),
            format!("There is {none} set for {day}."),
        )
    }

    fn called(&self, tongue: Tongue, today: Date) -> String {
        let is_tomorrow = today.tomorrow().is_ok_and(|tomorrow| tomorrow == self.first);
        match self.count {
            1 if self.first == today => tongue.pick("오늘", "today").to_owned(),
            1 if is_tomorrow => tongue.pick("내일", "tomorrow").to_owned(),
            1 => date(tongue, self.first),
            _ => self.said.clone(),
        }
    }

    fn all(&self) -> impl Iterator<Item = Date> + '_ {
        (0..i64::from(self.count)).filter_map(|ahead| self.first.checked_add(ahead.days()).ok())
    }
}

fn today(ask: &PluginAsk) -> Date {
    here(&zone(&ask.zone), ask.now).date()
}

/// Returns what is set as it rings first on the days, where it does.
fn on(set: &Set, days: &Days, ask: &PluginAsk) -> Option<Set> {
    if set.ring.days.is_empty() {
        let rings = here(&zone(&ask.zone), set.at).date();
        return days.all().any(|day| day == rings).then(|| set.clone());
    }
    let zone = zone(&set.ring.zone);
    let time = set.ring.time.unwrap_or_else(|| here(&zone, set.at).time());
    let is_one = |day: &Date| set.ring.days.contains(&day.weekday().to_monday_one_offset());
    let mut rings = days.all().filter(is_one).filter_map(|day| moment(&zone, day.to_datetime(time)));
    let at = rings.find(|at| *at >= set.at)?;
    let told = if days.count == 1 { once(set) } else { set.clone() };
    Some(Set { at, ..told })
}

/// Returns the same as it rings next alone.
fn once(set: &Set) -> Set {
    Set { ring: Ring { days: Vec::new(), ..set.ring.clone() }, ..set.clone() }
}
