//! What time and day it is, here and elsewhere, and how far away a day is.

use async_trait::async_trait;
use ieum_contracts::voice::{DescribePlugin, Plugin, PluginAnswer, PluginAsk, PluginDescription, SlotValue};
use ieum_core::{Cx, Fault};
use jiff::civil::Date;

use super::{description, says, tongue};
use crate::cities;
use crate::rules::words;
use crate::tongue::{Tongue, begun, date, dated, time, with};
use crate::zone::{here, zone};

/// Tells time and date.
pub struct WallClock;

impl WallClock {
    /// What it answers.
    pub const INTENTS: &'static [&'static str] = &["time.query", "date.query"];
}

#[async_trait]
impl Plugin for WallClock {
    async fn describe(&self, _cx: &Cx, _ask: DescribePlugin) -> Result<PluginDescription, Fault> {
        Ok(description("clock", Self::INTENTS))
    }

    async fn handle(&self, _cx: &Cx, ask: PluginAsk) -> Result<PluginAnswer, Fault> {
        let tongue = tongue(&ask);
        let today = here(&zone(&ask.zone), ask.now).date();
        let asked = ask.meaning.slots.get("date").and_then(|slot| match &slot.value {
            SlotValue::Day { date, .. } => Some((slot.text.trim(), date.parse::<Date>().ok()?)),
            _ => None,
        });
        Ok(says(match (ask.meaning.intent.as_str(), asked) {
            ("date.query", Some((said, day))) if words(&ask.meaning, "until").is_some() => {
                until(tongue, said, today, day)
            }
            ("date.query", Some((said, day))) => {
                let (korean, english) =
                    if day < today { ("이었어요", "was") } else { ("이에요", "is") };
                let day = dated(tongue, today, day);
                tongue.pick(
                    format!("{} {day}{korean}.", with(said, "은", "는")),
                    format!("{} {english} {day}.", begun(said)),
                )
            }
            ("date.query", None) if words(&ask.meaning, "part") == Some("year") => {
                let year = today.year();
                tongue.pick(format!("올해는 {year}년이에요."), format!("It is {year}."))
            }
            ("date.query", None) => {
                let today = date(tongue, today);
                tongue.pick(format!("오늘은 {today}이에요."), format!("Today is {today}."))
            }
            _ => clock(tongue, &ask, today),
        }))
    }
}

/// Tells the time, of a city where one was named.
fn clock(tongue: Tongue, ask: &PluginAsk, today: Date) -> String {
    let city = words(&ask.meaning, "city").and_then(|city| cities::find(tongue, city));
    let zone = zone(city.map_or(&*ask.zone, |(_, zone)| zone));
    let now = time(tongue, &zone, ask.now);
    // 시 ends in a vowel, 분 does not.
    let korean = with(&now, "이에요", "예요");
    let Some((city, _)) = city else {
        return tongue.pick(format!("지금은 {korean}."), format!("It is {now}."));
    };
    let there = here(&zone, ask.now).date();
    let day = (there != today).then(|| date(tongue, there));
    match (tongue, day) {
        (Tongue::Korean, Some(day)) => format!("{} 지금 {day} {korean}.", with(city, "은", "는")),
        (Tongue::Korean, None) => format!("{} 지금 {korean}.", with(city, "은", "는")),
        (Tongue::English, Some(day)) => format!("It is {now} on {day} in {city}."),
        (Tongue::English, None) => format!("It is {now} in {city}."),
    }
}

/// Tells how far away a day is.
fn until(tongue: Tongue, said: &str, today: Date, day: Date) -> String {
    let days = today.until(day).map(|span| span.get_days()).unwrap_or_default();
    let date = dated(tongue, today, day);
    let (topic, name) = (with(said, "은", "는"), begun(said));
    match (tongue, days) {
        (Tongue::Korean, 0) => format!("{topic} 오늘이에요."),
        (Tongue::Korean, 1..) => format!("{said}까지 {days}일 남았어요. {date}이에요."),
        (Tongue::Korean, _) => format!("{topic} {}일 지났어요. {date}이었어요.", -days),
        (Tongue::English, 0) => format!("{name} is today."),
        (Tongue::English, 1) => format!("{name} is tomorrow, {date}."),
        (Tongue::English, 2..) => format!("{name} is in {days} days, on {date}."),
        (Tongue::English, _) => format!("{name} was {} days ago, on {date}.", -days),
    }
}
