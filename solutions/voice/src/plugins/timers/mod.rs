//! Timers, alarms and reminders: set, asked for, changed, cancelled. What rings is a schedule, so that it survives the
//! process.

mod agenda;
mod among;
mod changing;
mod everything;
mod far;
mod one_day;
mod saying;
mod setting;
mod shifting;
mod snoozing;
mod which;

use async_trait::async_trait;
use ieum_contracts::voice::{
    DescribePlugin, Effect, Plugin, PluginAnswer, PluginAsk, PluginDescription, ScheduleKind, ScheduleRang,
};
use ieum_core::{Cx, Fault, Timestamp};
use ieum_saga::Schedules;

use super::{asks, description, fails, says, tongue};
use crate::effects::{RING, Ring, Scene, of_this_turn};
use crate::replies::Queue;
use crate::tongue::with;
use agenda::{agenda, timed};
pub use among::TOLD;
use among::{among, is_plain, may_be_no_other, newest};
use changing::{moved, stretched};
pub use everything::EVERYTHING;
use everything::{everything, kept_as_it_is};
use far::{until, with_distance};
use one_day::by_its_days;
pub use saying::cancelled;
use saying::{listed, none_called, nothing_set, nothing_such, one_of, which_one};
use setting::{remind_anew, rising, start, wake};
use shifting::said;
use snoozing::{LATELY, snoozed};
pub use which::{BESIDES, CANCELLED, Choice, NEWEST, choice, says_others};
use which::{Which, agrees, which};

/// Keeps timers, alarms and reminders.
pub struct Timers {
    pub schedules: Schedules,
    /// Knows what rang.
    pub queue: Queue,
}

/// A schedule of the person who asks.
#[derive(Clone)]
struct Set {
    id: String,
    at: Timestamp,
    ring: Ring,
}

impl Set {
    /// Returns how long it was set for, seconds.
    fn length(&self) -> u64 {
        self.at.since(self.ring.set_at).as_secs()
    }
}

impl Timers {
    /// What it answers.
    pub const INTENTS: &'static [&'static str] = &[
        "timer.start",
        "timer.query",
        "timer.cancel",
        "timer.change",
        "timer.lengthen",
        "timer.shorten",
        "timer.pause",
        "alarm.set",
        "alarm.query",
        "alarm.change",
        "alarm.cancel",
        "reminder.set",
        "reminder.query",
        "reminder.cancel",
        "reminder.change",
        "alarm.snooze",
        "agenda.query",
        EVERYTHING,
    ];

    /// Returns what is set of a kind, the next first: as it is once the commands before this one are done.
    async fn set(&self, ask: &PluginAsk, kind: ScheduleKind) -> Result<Vec<Set>, Fault> {
        let all = self.schedules.list(&ask.user_id).await?.into_iter().map(|status| status.schedule);
        let read = |schedule: ieum_saga::Schedule| {
            let ring: Ring = serde_json::from_value(schedule.payload).ok()?;
            Some(Set { id: schedule.id, at: schedule.at, ring })
        };
        let kept = all.filter(|one| one.name == RING).filter_map(read).collect();
        let mut set = after(kept, ask);
        set.retain(|set| set.ring.kind == kind);
        set.sort_by_key(|set| set.at);
        Ok(set)
    }

    async fn query(&self, ask: &PluginAsk, kind: ScheduleKind) -> Result<PluginAnswer, Fault> {
        let ask = &timed(ask);
        let set = self.set(ask, kind).await?;
        if said(ask, "until").is_some() {
            return Ok(until(&set, &self.set(ask, ScheduleKind::Reminder).await?, ask));
        }
        let is_named = said(ask, "which").is_some();
        let which = which(ask, tongue(ask));
        if let (true, ScheduleKind::Timer, Which::Named(name)) = (set.is_empty(), kind, &which) {
            return Ok(fails(none_called(name, tongue(ask))));
        }
        if !is_named || set.is_empty() || matches!(which, Which::Unsaid | Which::All | Which::AllOf(_)) {
            return Ok(says(with_distance(listed(&set, kind, ask), &set, ask)));
        }
        let ids: Vec<String> = among(&set, &which, kind, ask).iter().map(|set| set.id.clone()).collect();
        if ids.is_empty() {
            return Ok(fails(nothing_such(&set, tongue(ask), kind, ask)));
        }
        let named: Vec<Set> = set.into_iter().filter(|set| ids.contains(&set.id)).collect();
        Ok(says(with_distance(listed(&named, kind, ask), &named, ask)))
    }

    /// Says that nothing pauses.
    async fn pause(&self, ask: &PluginAsk, kind: ScheduleKind) -> Result<PluginAnswer, Fault> {
        let tongue = tongue(ask);
        if self.set(ask, kind).await?.is_empty() {
            return Ok(says(nothing_set(tongue, kind)));
        }
        Ok(fails(tongue.pick(
            "타이머를 잠깐 멈췄다가 이어서 돌리는 것은 아직 할 수 없어요. 아무것도 바꾸지 않았어요.",
            "I cannot pause or resume a timer yet. I changed nothing.",
        )))
    }

    /// Cancels all that is set of every kind.
    async fn cancel_everything(&self, ask: &PluginAsk) -> Result<PluginAnswer, Fault> {
        let mut all = Vec::new();
        for kind in [ScheduleKind::Timer, ScheduleKind::Alarm, ScheduleKind::Reminder] {
            all.push((kind, self.set(ask, kind).await?));
        }
        Ok(everything(&all, ask))
    }

    async fn agenda(&self, ask: &PluginAsk) -> Result<PluginAnswer, Fault> {
        let alarms = self.set(ask, ScheduleKind::Alarm).await?;
        Ok(says(agenda(&alarms, &self.set(ask, ScheduleKind::Reminder).await?, ask)))
    }

    /// Returns what rang last for the person, where that was a moment ago.
    async fn rang(&self, ask: &PluginAsk) -> Result<Option<ScheduleRang>, Fault> {
        self.queue.rang(&ask.user_id, ask.now - LATELY).await
    }

    /// Tells whether something else is likelier meant by what was set last, where it was not called so: what rang since, or
    /// what was set on this device before another one set something.
    async fn may_be_what_rang(&self, ask: &PluginAsk, which: &Which, set: &[Set]) -> Result<bool, Fault> {
        let is_unnamed = match which {
            Which::Newest => {
                let is_of_sentence = said(ask, "which").is_some_and(|said| said.text == NEWEST);
                is_of_sentence && !ask.meaning.text.to_lowercase().contains(NEWEST)
            }
            Which::Rest(_, spoken) => spoken == NEWEST,
            _ => false,
        };
        let Some(last) = newest(set.iter()).filter(|_| is_unnamed) else { return Ok(false) };
        if last.ring.device_id != ask.device_id {
            return Ok(true);
        }
        let since = last.ring.set_at + std::time::Duration::from_millis(1);
        Ok(self.queue.rang(&ask.user_id, since).await?.is_some())
    }

    /// Cancels the one that is meant. Several go only where all were said to be meant, and what was but guessed is asked
    /// for first.
    async fn cancel(&self, ask: &PluginAsk, kind: ScheduleKind) -> Result<PluginAnswer, Fault> {
        let (tongue, set) = (tongue(ask), self.set(ask, kind).await?);
        if set.is_empty() {
            return Ok(says(nothing_set(tongue, kind)));
        }
        let asked = ask.meaning.slots.contains_key("sure");
        if asked && !agrees(ask) {
            return Ok(says(kept_as_it_is(tongue)));
        }
        let mut is_guess = ask.meaning.confidence < 1.0;
        let mut which = if is_guess || asked { Which::Unsaid } else { which(ask, tongue) };
        if self.may_be_what_rang(ask, &which, &set).await? {
            is_guess = true;
            which = match which {
                Which::Rest(name, _) => Which::Others(name),
                _ => Which::Unsaid,
            };
        }
        is_guess |= may_be_no_other(&which, &set, ask);
        if which == Which::Nothing {
            return Ok(says(kept_as_it_is(tongue)));
        }
        let mut meant = among(&set, &which, kind, ask);
        if meant.is_empty() {
            meant.extend(by_its_days(ask, &set));
        }
        if meant.is_empty() {
            return Ok(fails(nothing_such(&set, tongue, kind, ask)));
        }
        if !is_plain(&which, &meant, &set) {
            return Ok(asks("which", which_one(&meant, kind, true, ask)));
        }
        if is_guess {
            let one = one_of(meant[0], kind, ask);
            let question =
                tongue.pick(format!("{} 취소할까요?", with(&one, "을", "를")), format!("Cancel the {one}?"));
            return Ok(asks("sure", question));
        }
        let schedules = meant.iter().map(|set| set.id.clone()).collect();
        let text = cancelled(meant.len(), tongue, kind);
        Ok(PluginAnswer { effects: vec![Effect::Cancel { schedules }], ..says(text) })
    }
}

/// Tells whether a timer was named.
fn names_a_timer(ask: &PluginAsk) -> bool {
    let text = ask.meaning.text.to_lowercase();
    ["타이머", "timer"].iter().any(|name| text.contains(name))
}

/// Returns what is set once the commands before this one in the same sentence are done.
fn after(mut set: Vec<Set>, ask: &PluginAsk) -> Vec<Set> {
    let scene = Scene {
        key: "",
        user_id: &ask.user_id,
        device_id: ask.device_id.as_deref(),
        language: &ask.language,
        zone: &ask.zone,
        now: ask.now,
        speaks: false,
    };
    for (number, effect) in ask.earlier.iter().enumerate() {
        match effect {
            Effect::Schedule { kind, at, label, days, since } => {
                let span = (since.unwrap_or(ask.now), *at);
                let ring = Ring::of(&scene, (*kind, label), span, days);
                set.push(Set { id: of_this_turn(number), at: *at, ring });
            }
            Effect::Cancel { schedules } => set.retain(|set| !schedules.contains(&set.id)),
            Effect::Announce { .. } | Effect::Control { .. } => {}
        }
    }
    set
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
            ("query", _) if ask.meaning.intent.starts_with("agenda.") => self.agenda(&ask).await,
            ("query", _) => self.query(&ask, kind).await,
            ("cancel", _) if ask.meaning.intent == EVERYTHING => self.cancel_everything(&ask).await,
            ("cancel", _) => self.cancel(&ask, kind).await,
            ("pause", _) => self.pause(&ask, kind).await,
            ("change", _) => Ok(moved(&ask, &self.set(&ask, kind).await?, kind)),
            ("lengthen" | "shorten", _) => {
                let set = self.set(&ask, kind).await?;
                // "Five more minutes" is meant for what has just rung, where no timer runs.
                if set.is_empty() && verb == "lengthen" && !names_a_timer(&ask) {
                    let rang = self.rang(&ask).await?;
                    if rang.is_some() {
                        return Ok(snoozed(&ask, rang));
                    }
                }
                Ok(stretched(&ask, &set, verb == "lengthen"))
            }
            ("snooze", _) => Ok(snoozed(&ask, self.rang(&ask).await?)),
            (_, ScheduleKind::Timer) => Ok(start(&ask)),
            (_, ScheduleKind::Alarm) => Ok(wake(&rising(&ask))),
            (_, ScheduleKind::Reminder) => Ok(remind_anew(&ask)),
        }
    }
}

#[cfg(test)]
mod tests {
    use ieum_contracts::voice::{Meaning, Slot, SlotValue};
    use ieum_saga::Schedule;
    use ieum_testkit::backend::SqlStore;

    use super::*;
    use crate::silent::silent_schedules;

    #[tokio::test]
    async fn what_is_only_guessed_cancels_nothing_before_it_is_agreed_to() {
        let sql = SqlStore::sqlite();
        let now = Timestamp::parse("2026-05-01T03:00:00Z").expect("is a time");
        let (store, schedules) = silent_schedules(&sql, now).await;
        let timers = Timers { schedules: schedules.clone(), queue: Queue { sql: store } };
        let payload = serde_json::json!({ "kind": "timer", "label": "", "userId": "ada", "language": "ko",
            "deviceId": null, "zone": "Asia/Seoul", "setAt": now });
        let at = now + std::time::Duration::from_secs(300);
        let owner = "ada".to_owned();
        let schedule = Schedule { id: "t1".into(), name: RING.into(), owner, at, payload };
        schedules.set(&Cx::root(), &schedule).await.expect("is kept");
        let said = |confidence: f64, sure: Option<&str>| {
            let slot = |text: &str| Slot { text: text.into(), value: SlotValue::Text { text: text.into() } };
            let slots = sure.map(|text| ("sure".to_owned(), slot(text))).into_iter().collect();
            let intent = "timer.cancel".to_owned();
            let meaning = Meaning { intent, confidence, slots, ..Meaning::default() };
            PluginAsk {
                turn_id: "1".into(),
                meaning,
                language: "ko".into(),
                user_id: "ada".into(),
                user_name: String::new(),
                device_id: None,
                area: None,
                now,
                zone: "Asia/Seoul".into(),
                earlier: Vec::new(),
            }
        };
        let answer = async |ask| timers.handle(&Cx::root(), ask).await.expect("answers");
        let guessed = answer(said(0.86, None)).await;
        assert_eq!(
            (guessed.missing.as_deref(), guessed.effects.len()),
            (Some("sure"), 0),
            "{}",
            guessed.text
        );
        assert_eq!(guessed.text, "5분 타이머를 취소할까요?");
        assert_eq!(answer(said(1.0, Some("오늘 날씨"))).await.effects.len(), 0);
        assert_eq!(answer(said(1.0, Some("응"))).await.effects.len(), 1);
        assert_eq!(answer(said(1.0, None)).await.effects.len(), 1);
    }
}
