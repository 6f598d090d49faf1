//! What is said of timers, alarms and reminders that are set.

use ieum_contracts::voice::{PluginAsk, ScheduleKind};

use super::Set;
use super::agenda::{asked_for, days, is_next_alone, none_on};
use super::setting::days_said;
use super::shifting::said;
use super::which::{Which, which};
use crate::plugins::tongue;
use crate::tongue::{Tongue, begun, duration, moment, time, with};
use crate::zone::zone;

/// The most that are told one by one, and where all were asked for.
const MOST: usize = 5;
const MOST_OF_ALL: usize = 50;

/// Returns what a kind is called.
pub fn name(tongue: Tongue, kind: ScheduleKind) -> &'static str {
    match kind {
        ScheduleKind::Timer => tongue.pick("타이머", "timer"),
        ScheduleKind::Alarm => tongue.pick("알람", "alarm"),
        ScheduleKind::Reminder => tongue.pick("알림", "reminder"),
    }
}

/// Said where none is set.
pub fn nothing_set(tongue: Tongue, kind: ScheduleKind) -> String {
    let name = name(tongue, kind);
    tongue.pick(format!("맞춰 둔 {} 없어요.", with(name, "이", "가")), format!("There is no {name} set."))
}

/// Said where a timer is asked for by its name and none runs: what it is asked of may be no timer at all.
pub fn none_called(name: &str, tongue: Tongue) -> String {
    tongue.pick(
        format!("{} 타이머는 없어요.", with(name, "이라는", "라는")),
        format!("There is no timer called {name}."),
    )
}

/// Said where others are set than the one that is meant.
pub fn nothing_such(set: &[Set], tongue: Tongue, kind: ScheduleKind, ask: &PluginAsk) -> String {
    let name = name(tongue, kind);
    let all: Vec<&Set> = set.iter().collect();
    tongue.pick(
        format!(
            "그런 {} 없어요. 맞춰 둔 건 {}.",
            with(name, "은", "는"),
            with(&told(&all, kind, ask), "이에요", "예요")
        ),
        format!("There is no such {name}. I have {}.", told(&all, kind, ask)),
    )
}

/// Asks which one of several is meant; `or_all` tells whether all of them may be.
pub fn which_one(meant: &[&Set], kind: ScheduleKind, or_all: bool, ask: &PluginAsk) -> String {
    let (tongue, count) = (tongue(ask), meant.len());
    let (name, told) = (name(tongue, kind), told(meant, kind, ask));
    let question = tongue.pick(
        format!("{} {count}개 있어요: {told}. 어느 것을 말씀하세요?", with(name, "이", "가")),
        format!("There are {count} {name}s: {told}. Which one?"),
    );
    let all = tongue.pick("모두라면 전부라고 해 주세요.", "Say all for all of them.");
    if or_all { format!("{question} {all}") } else { question }
}

/// Returns a timer by its name, where it has one: `라면 타이머`.
pub fn whose(set: &Set, tongue: Tongue) -> String {
    let label = &set.ring.label;
    let space = if label.is_empty() { "" } else { " " };
    format!("{label}{space}{}", name(tongue, ScheduleKind::Timer))
}

/// Says how many are cancelled.
pub fn cancelled(count: usize, tongue: Tongue, kind: ScheduleKind) -> String {
    let name = name(tongue, kind);
    match (count, tongue) {
        (1, _) => tongue
            .pick(format!("{} 취소했어요.", with(name, "을", "를")), format!("The {name} is cancelled.")),
        (count, Tongue::Korean) => format!("{name} {count}개를 취소했어요."),
        (count, Tongue::English) => format!("{count} {name}s are cancelled."),
    }
}

/// Says what is set, for the days that were asked for.
pub fn listed(set: &[Set], kind: ScheduleKind, ask: &PluginAsk) -> String {
    let tongue = tongue(ask);
    let (set, days) = (asked_for(set, ask), days(ask));
    let all: Vec<&Set> = set.iter().collect();
    match (&*set, kind) {
        ([], _) => days.map_or_else(|| nothing_set(tongue, kind), |days| none_on(&days, tongue, kind, ask)),
        ([next], ScheduleKind::Timer) => {
            let left = left(next, ask);
            let whose =
                if next.ring.label.is_empty() { String::new() } else { format!("{} ", next.ring.label) };
            tongue.pick(
                format!("{whose}타이머가 {left} 남았어요."),
                format!("There is {left} left on the {whose}timer."),
            )
        }
        ([_], ScheduleKind::Alarm) => {
            let at = told(&all, kind, ask);
            // The one of a day may come after others.
            let is_next = days.is_none() && (said(ask, "which").is_none() || said(ask, "far").is_none());
            let next = if is_next { tongue.pick("다음 ", "next ") } else { "" };
            tongue.pick(
                format!("{next}알람은 {}.", with(&at, "이에요", "예요")),
                format!("Your {next}alarm is {at}."),
            )
        }
        ([next], ScheduleKind::Reminder) if is_next_alone(ask) => {
            let (name, label) = (name(tongue, kind), &next.ring.label);
            let at = told(&all, ScheduleKind::Alarm, ask);
            tongue.pick(
                format!("다음 {} {}: {label}.", with(name, "은", "는"), with(&at, "이에요", "예요")),
                format!("Your next {name} is {at}: {label}."),
            )
        }
        (set, ScheduleKind::Reminder) => {
            let said: Vec<String> = each(&all, kind, ask).iter().map(|said| begun(said)).collect();
            let (said, name, count) = (said.join(". "), name(tongue, kind), set.len());
            let counted = tongue.pick(
                format!("{} {count}개 있어요. ", with(name, "이", "가")),
                format!("There are {count} {name}s. "),
            );
            if count == 1 { format!("{said}.") } else { format!("{counted}{said}.") }
        }
        (set, _) => {
            let (name, told, count) = (name(tongue, kind), told(&all, kind, ask), set.len());
            tongue.pick(
                format!("{} {count}개 있어요: {told}.", with(name, "이", "가")),
                format!("There are {count} {name}s: {told}."),
            )
        }
    }
}

/// Returns one of them with its kind: `5분 타이머`, `alarm tomorrow at 7:00 AM`.
pub fn one_of(set: &Set, kind: ScheduleKind, ask: &PluginAsk) -> String {
    let tongue = tongue(ask);
    let (name, told) = (name(tongue, kind), told(&[set], kind, ask));
    match (tongue, kind) {
        (Tongue::English, ScheduleKind::Alarm) => format!("{name} {told}"),
        (Tongue::English, ScheduleKind::Reminder) => format!("{name} ({told})"),
        (Tongue::English, ScheduleKind::Timer) => format!("{told} {name}"),
        (Tongue::Korean, _) => format!("{told} {name}"),
    }
}

fn left(set: &Set, ask: &PluginAsk) -> String {
    duration(tongue(ask), set.at.since(ask.now).as_secs().max(1))
}

fn told(set: &[&Set], kind: ScheduleKind, ask: &PluginAsk) -> String {
    let joint = if kind == ScheduleKind::Reminder { ". " } else { ", " };
    each(set, kind, ask).join(joint)
}

/// Says each one, and how many more there are.
fn each(set: &[&Set], kind: ScheduleKind, ask: &PluginAsk) -> Vec<String> {
    let (tongue, zone) = (tongue(ask), zone(&ask.zone));
    let at = |set: &Set| match set.ring.days.is_empty() {
        true => moment(tongue, &zone, set.at, ask.now),
        false => again_at(tongue, &set.ring.days, &time(tongue, &zone, set.at)),
    };
    let alone = set.len() == 1;
    let each = |set: &&Set| match kind {
        ScheduleKind::Timer => {
            let length = duration(tongue, set.length());
            let label =
                if set.ring.label.is_empty() { String::new() } else { format!("{} ", set.ring.label) };
            let left = left(set, ask);
            let rest = tongue.pick(format!("({left} 남음)"), format!("({left} left)"));
            if alone { format!("{label}{length}") } else { format!("{label}{length} {rest}") }
        }
        ScheduleKind::Alarm => at(set),
        ScheduleKind::Reminder => format!("{}: {}", at(set), set.ring.label),
    };
    let most = if asks_for_all(ask) { MOST_OF_ALL } else { MOST };
    let mut said: Vec<String> = set.iter().take(most).map(each).collect();
    if set.len() > most {
        let more = set.len() - most;
        said.push(tongue.pick(format!("그 밖에 {more}개"), format!("{more} more")));
    }
    said
}

/// Tells whether all that is set is to be told, however much that is.
fn asks_for_all(ask: &PluginAsk) -> bool {
    let is_all = || matches!(which(ask, tongue(ask)), Which::All | Which::AllOf(_));
    ask.meaning.intent.ends_with(".query") && is_all()
}

/// Says when something rings again and again.
pub fn again_at(tongue: Tongue, days: &[i8], time: &str) -> String {
    let days = days_said(tongue, days);
    tongue.pick(format!("{days} {time}"), format!("{days} at {time}"))
}
