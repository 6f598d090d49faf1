//! How far away what was asked for is: an alarm, a reminder, whatever is set by that name, or a time of day.

use ieum_contracts::voice::{PluginAnswer, PluginAsk, ScheduleKind};
use ieum_core::Timestamp;

use super::Set;
use super::among::among;
use super::saying::listed;
use super::setting::language;
use super::shifting::said;
use super::which::{Which, kept};
use crate::plugins::{fails, says, tongue};
use crate::tongue::{begun, duration};
use crate::understanding::whole_moment;
use crate::zone::{here, zone};

/// From so many seconds on nobody wants to know those that are left over.
const LONG: u64 = 600;

/// Returns what is told of `set` with how far away the first of them is, where that was asked for.
pub fn with_distance(told: String, set: &[Set], ask: &PluginAsk) -> String {
    match set.first().filter(|_| said(ask, "far").is_some()) {
        Some(first) => format!("{told} {}", distance(first, ask)),
        None => told,
    }
}

fn distance(set: &Set, ask: &PluginAsk) -> String {
    let left = left(set.at, ask);
    tongue(ask).pick(format!("{left} 남았어요."), format!("That is in {left}."))
}

/// Tells how far away something is that may be a timer, a reminder or a time of day: "점심까지 얼마나 남았어".
pub fn until(timers: &[Set], reminders: &[Set], ask: &PluginAsk) -> PluginAnswer {
    let tongue = tongue(ask);
    let name = said(ask, "which").map(|slot| slot.text.trim()).unwrap_or_default();
    let called = Which::Named(kept(name, tongue));
    for (set, kind) in [(timers, ScheduleKind::Timer), (reminders, ScheduleKind::Reminder)] {
        let named: Vec<Set> = among(set, &called, kind, ask).into_iter().cloned().collect();
        if let Some(first) = named.first().filter(|_| called != Which::Named(String::new())) {
            let told = listed(&named, kind, ask);
            let is_timer = kind == ScheduleKind::Timer;
            return says(if is_timer { told } else { format!("{told} {}", distance(first, ask)) });
        }
    }
    let read = whole_moment(name, language(ask), &here(&zone(&ask.zone), ask.now));
    match read.filter(|(at, exact)| *exact && *at > ask.now) {
        Some((at, _)) => {
            let left = left(at, ask);
            says(
                tongue.pick(format!("{name}까지 {left} 남았어요."), format!("{} is in {left}.", begun(name))),
            )
        }
        None => {
            let yours = name.strip_prefix("my ").map_or(name.to_owned(), |rest| format!("your {rest}"));
            fails(tongue.pick(
                format!("{name}까지 얼마나 남았는지는 몰라요."),
                format!("I do not know how long it is until {yours}."),
            ))
        }
    }
}

fn left(at: Timestamp, ask: &PluginAsk) -> String {
    let seconds = at.since(ask.now).as_secs().max(1);
    duration(tongue(ask), if seconds < LONG { seconds } else { seconds - seconds % 60 })
}
