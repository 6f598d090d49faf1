//! Timers, alarms and reminders: set, asked for, cancelled. What rings is a schedule, so that it survives the process.

use async_trait::async_trait;
use ieum_contracts::voice::{
    DescribePlugin, Effect, Plugin, PluginAnswer, PluginAsk, PluginDescription, ScheduleKind, SlotValue,
};
use ieum_core::{Cx, Fault, Timestamp};
use ieum_saga::Schedules;
use jiff::civil::{Date, Time};

use super::{asks, description, fails, says, tongue};
use crate::effects::{RING, Ring};
use crate::rules::words;
use crate::tongue::{Tongue, duration, moment, with};
use crate::zone::{here, moment as local_moment, zone};

/// Keeps timers, alarms and reminders.
pub struct Timers {
    pub schedules: Schedules,
}

/// A schedule of the person who asks.
struct Set {
    id: String,
    at: Timestamp,
    ring: Ring,
}

impl Timers {
    /// What it answers.
    pub const INTENTS: &'static [&'static str] = &[
        "timer.start",
        "timer.query",
        "timer.cancel",
        "alarm.set",
        "alarm.query",
        "alarm.cancel",
        "reminder.set",
        "reminder.query",
        "reminder.cancel",
    ];

    /// Returns what is set of a kind, the next first.
    async fn set(&self, user: &str, kind: ScheduleKind) -> Result<Vec<Set>, Fault> {
        let all = self.schedules.list(user).await?.into_iter().map(|status| status.schedule);
        let read = |schedule: ieum_saga::Schedule| {
            let ring: Ring = serde_json::from_value(schedule.payload).ok()?;
            Some(Set { id: schedule.id, at: schedule.at, ring })
        };
        Ok(all.filter(|one| one.name == RING).filter_map(read).filter(|set| set.ring.kind == kind).collect())
    }

    async fn query(&self, ask: &PluginAsk, kind: ScheduleKind) -> Result<PluginAnswer, Fault> {
        let (tongue, zone) = (tongue(ask), zone(&ask.zone));
        let set = self.set(&ask.user_id, kind).await?;
        let Some(next) = set.first() else { return Ok(says(nothing_set(tongue, kind))) };
        let text = match kind {
            ScheduleKind::Timer => {
                let left = duration(tongue, next.at.since(ask.now).as_secs().max(1));
                tongue
                    .pick(format!("타이머가 {left} 남았어요."), format!("There is {left} left on the timer."))
            }
            ScheduleKind::Alarm => {
                let at = moment(tongue, &zone, next.at, ask.now);
                tongue.pick(
                    format!("다음 알람은 {}.", with(&at, "이에요", "예요")),
                    format!("Your next alarm is {at}."),
                )
            }
            ScheduleKind::Reminder => {
                let each =
                    |set: &Set| format!("{}: {}", moment(tongue, &zone, set.at, ask.now), set.ring.label);
                set.iter().take(5).map(each).collect::<Vec<_>>().join(". ")
            }
        };
        Ok(says(text))
    }

    async fn cancel(&self, ask: &PluginAsk, kind: ScheduleKind) -> Result<PluginAnswer, Fault> {
        let tongue = tongue(ask);
        let mut set = self.set(&ask.user_id, kind).await?;
        if let Some((at, true)) = when(ask) {
            set.retain(|set| set.at == at);
        }
        if set.is_empty() {
            return Ok(says(nothing_set(tongue, kind)));
        }
        let text = match (set.len(), tongue) {
            (1, _) => tongue.pick(
                format!("{} 취소했어요.", with(name(tongue, kind), "을", "를")),
                format!("The {} is cancelled.", name(tongue, kind)),
            ),
            (count, Tongue::Korean) => format!("{} {count}개를 취소했어요.", name(tongue, kind)),
            (count, Tongue::English) => format!("{count} {}s are cancelled.", name(tongue, kind)),
        };
        let schedules = set.into_iter().map(|set| set.id).collect();
        Ok(PluginAnswer { effects: vec![Effect::Cancel { schedules }], ..says(text) })
    }
}

#[async_trait]
impl Plugin for Timers {
    async fn describe(&self, _cx: &Cx, _ask: DescribePlugin) -> Result<PluginDescription, Fault> {
        Ok(description("timers", Self::INTENTS))
    }

    async fn handle(&self, _cx: &Cx, ask: PluginAsk) -> Result<PluginAnswer, Fault> {
        let (kind, verb) = match ask.meaning.intent.split_once('.') {
            Some(("timer", verb)) => (ScheduleKind::Timer, verb),
            Some(("alarm", verb)) => (ScheduleKind::Alarm, verb),
            Some((_, verb)) => (ScheduleKind::Reminder, verb),
            None => (ScheduleKind::Reminder, ""),
        };
        match (verb, kind) {
            ("query", _) => self.query(&ask, kind).await,
            ("cancel", _) => self.cancel(&ask, kind).await,
            (_, ScheduleKind::Timer) => Ok(start(&ask)),
            (_, ScheduleKind::Alarm) => Ok(wake(&ask)),
            (_, ScheduleKind::Reminder) => Ok(remind(&ask)),
        }
    }
}

fn start(ask: &PluginAsk) -> PluginAnswer {
    let tongue = tongue(ask);
    let Some(SlotValue::Duration { seconds }) = ask.meaning.slots.get("duration").map(|slot| &slot.value)
    else {
        return asks("duration", tongue.pick("몇 분으로 맞출까요?", "For how long?"));
    };
    let length = duration(tongue, *seconds);
    let text = tongue.pick(format!("{length} 타이머를 시작했어요."), format!("Timer set for {length}."));
    set(ScheduleKind::Timer, ask.now + std::time::Duration::from_secs(*seconds), "", text)
}

fn wake(ask: &PluginAsk) -> PluginAnswer {
    let tongue = tongue(ask);
    let question = tongue.pick("몇 시에 울릴까요?", "For what time?");
    let Some((at, exact)) = when(ask) else { return asks("when", question) };
    if !exact {
        return asks("when", question);
    }
    if at <= ask.now {
        return fails(past(tongue));
    }
    let at_said = moment(tongue, &zone(&ask.zone), at, ask.now);
    let text = tongue.pick(format!("{at_said}에 알람을 맞췄어요."), format!("Alarm set for {at_said}."));
    set(ScheduleKind::Alarm, at, "", text)
}

fn remind(ask: &PluginAsk) -> PluginAnswer {
    let tongue = tongue(ask);
    let Some(message) = words(&ask.meaning, "message") else {
        return asks("message", tongue.pick("무엇을 알려 드릴까요?", "What should I remind you of?"));
    };
    let Some((at, exact)) = when(ask) else {
        return asks("when", tongue.pick("언제 알려 드릴까요?", "When should I remind you?"));
    };
    // A day without a time means its morning.
    let at = if exact { at } else { at + std::time::Duration::from_secs(9 * 3_600) };
    if at <= ask.now {
        return fails(past(tongue));
    }
    let at_said = moment(tongue, &zone(&ask.zone), at, ask.now);
    let text = tongue.pick(
        format!("{at_said}에 알려 드릴게요: {message}."),
        format!("I will remind you {at_said}: {message}."),
    );
    set(ScheduleKind::Reminder, at, message, text)
}

fn set(kind: ScheduleKind, at: Timestamp, label: &str, text: String) -> PluginAnswer {
    PluginAnswer { effects: vec![Effect::Schedule { kind, at, label: label.to_owned() }], ..says(text) }
}

/// Returns the moment that was said, and whether with a time of day. A day said apart is the day of the time.
fn when(ask: &PluginAsk) -> Option<(Timestamp, bool)> {
    let zone = zone(&ask.zone);
    let day = match ask.meaning.slots.get("day").map(|slot| &slot.value) {
        Some(SlotValue::Day { date, .. }) => date.parse::<Date>().ok(),
        _ => None,
    };
    match (ask.meaning.slots.get("when").map(|slot| &slot.value), day) {
        (Some(SlotValue::Moment { at, exact: true }), Some(day)) => {
            let at = local_moment(&zone, day.to_datetime(here(&zone, *at).time()))?;
            Some((at, true))
        }
        (Some(SlotValue::Moment { at, exact }), _) => Some((*at, *exact)),
        (_, Some(day)) => Some((local_moment(&zone, day.to_datetime(Time::midnight()))?, false)),
        _ => None,
    }
}

fn past(tongue: Tongue) -> &'static str {
    tongue.pick("그 시간은 이미 지났어요.", "That time is over already.")
}

fn name(tongue: Tongue, kind: ScheduleKind) -> &'static str {
    match kind {
        ScheduleKind::Timer => tongue.pick("타이머", "timer"),
        ScheduleKind::Alarm => tongue.pick("알람", "alarm"),
        ScheduleKind::Reminder => tongue.pick("리마인더", "reminder"),
    }
}

fn nothing_set(tongue: Tongue, kind: ScheduleKind) -> String {
    let name = name(tongue, kind);
    tongue.pick(format!("맞춰 둔 {} 없어요.", with(name, "이", "가")), format!("There is no {name} set."))
}
