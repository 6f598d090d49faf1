//! What rings on days again and again and is to be moved on one of them alone, which nothing here can: that is said, and
//! nothing changes. Other days for all of it are days of their own: "알람 월수금으로 바꿔 줘", "move my alarm to weekdays".

use ieum_contracts::voice::{PluginAnswer, PluginAsk, ScheduleKind, Slot, SlotValue};
use ieum_understanding::value::Language;

use super::Set;
use super::setting::language;
use crate::plugins::{fails, tongue};
use crate::understanding::{names_a_day, repeats};
use crate::zone::{here, zone};

/// Words of today, and of a day alone.
const TODAY: [&str; 5] = ["오늘", "today", "tonight", "this morning", "this evening"];
const WEEKDAYS: [&str; 8] =
    ["요일", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
const WEEKENDS: [&str; 6] = ["주말", "주말로", "weekend", "the weekend", "weekends", "the weekends"];

/// Refuses to move one day of what rings on days: `None` where it rings once, or where the time or the days of all of it are
/// meant.
pub fn only_one_day(ask: &PluginAsk, old: &Set, kind: ScheduleKind) -> Option<PluginAnswer> {
    let said = ask.meaning.slots.get("when")?.text.trim().to_lowercase();
    let is_of_all = old.ring.days.is_empty() || is_days(&said, language(ask)) || WEEKENDS.contains(&&*said);
    (!is_of_all && is_one_day(&said, ask)).then(|| fails(cannot(ask, kind)))
}

/// Refuses the same where the one that is meant was named by the day: "내일 알람 8시로 바꿔 줘".
pub fn one_day_of(ask: &PluginAsk, set: &[Set], kind: ScheduleKind) -> Option<PluginAnswer> {
    let said = ask.meaning.slots.get("which")?.text.trim().to_lowercase();
    let repeats = set.iter().any(|set| !set.ring.days.is_empty());
    (repeats && is_one_day(&said, ask)).then(|| fails(cannot(ask, kind)))
}

/// Returns the only one that rings on the days by which it was named: "my daily alarm", "매일 알람".
pub fn by_its_days<'a>(ask: &PluginAsk, set: &'a [Set]) -> Option<&'a Set> {
    let said = ask.meaning.slots.get("which")?.text.trim().to_lowercase();
    let language = language(ask);
    let spoken = [said.clone(), format!("every {said}"), format!("매주 {said}")];
    let again = spoken.iter().find_map(|said| repeats(said, language))?;
    let mut on_them = set.iter().filter(|set| again.rest.is_empty() && set.ring.days == again.days);
    on_them.next().filter(|_| on_them.next().is_none())
}

/// Returns the ask with the days of the weekend, where what rings on days was said to be moved to it.
pub fn with_weekend(ask: &PluginAsk, old: &Set) -> PluginAsk {
    let mut ask = ask.clone();
    let said = ask.meaning.slots.get("when").map(|slot| slot.text.trim().to_lowercase());
    if !old.ring.days.is_empty() && said.is_some_and(|said| WEEKENDS.contains(&&*said)) {
        let value = SlotValue::Text { text: "6,7".to_owned() };
        ask.meaning.slots.insert("every".to_owned(), Slot { text: String::new(), value });
    }
    ask
}

fn is_days(said: &str, language: Language) -> bool {
    repeats(said, language).is_some()
}

fn is_one_day(said: &str, ask: &PluginAsk) -> bool {
    let now = here(&zone(&ask.zone), ask.now);
    TODAY.iter().chain(&WEEKDAYS).any(|day| said.contains(day)) || names_a_day(said, language(ask), &now)
}

fn cannot(ask: &PluginAsk, kind: ScheduleKind) -> String {
    let (korean, english) = match kind {
        ScheduleKind::Alarm => ("알람", "alarm"),
        _ => ("알림", "reminder"),
    };
    tongue(ask).pick(
        format!(
            "되풀이하는 {}은 아직 하루만 옮길 수 없어요. 시각이나 요일을 모두 바꾸려면 \"{korean} 평일 8시로 바꿔 \
             줘\"처럼 말씀해 주세요. 아무것도 바꾸지 않았어요.",
            korean
        ),
        format!(
            "I cannot move a repeating {english} on a single day yet. To change its time or its days, say \"move my \
             {english} to every weekday at 8\". Nothing is changed."
        ),
    )
}
