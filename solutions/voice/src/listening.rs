//! Listeners of `dialog-events`: statistics, what people did last, and rules that speak up by themselves.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use ieum_bus::{Consumer, Event};
use ieum_contracts::voice::{DEVICE_NOTICED, DIALOG_COMPLETED, DeviceNotice, DialogCompleted};
use ieum_core::{Cx, Fault, SharedClock, Timestamp};
use ieum_store::{Dialect, Transaction, Value};
use jiff::civil::Time;
use serde::de::DeserializeOwned;
use serde_json::json;
use tokio::sync::Notify;

use crate::replies::{Reply, queue};
use crate::store::tell_after_commit;
use crate::tongue::Tongue;
use crate::zone::{here, is_within, zone};

/// The consumer groups, by the names that others may already know.
pub const STATISTICS: &str = "analytics-service";
pub const ACTIVITY: &str = "voice-activity";
pub const PROACTIVE: &str = "voice-proactive";

/// Counts turns by day, intent and outcome.
pub struct Statistics {
    pub zone: String,
}

/// Keeps what people did last.
pub struct Activity;

/// Speaks up when a device notices something.
pub struct Proactive {
    pub rules: Vec<ProactiveRule>,
    /// The server's zone.
    pub zone: String,
    pub clock: SharedClock,
    /// Told when something waits to be sent.
    pub waiting: Arc<Notify>,
    /// Whether there is an engine that speaks.
    pub speaks: bool,
}

/// When to speak up, and what to say.
#[derive(Clone, Debug, PartialEq)]
pub struct ProactiveRule {
    /// Its name: 1 to 120 characters.
    pub name: String,
    /// What a device must notice, such as `motion_detected`.
    pub event: String,
    /// Where; anywhere where left out.
    pub location: Option<String>,
    /// Not between these times of day on the person's clock, over midnight where the second is not later.
    pub quiet: Option<(Time, Time)>,
    /// Not again within this time, for each person.
    pub cool_down: Duration,
    /// What is said to the device that noticed it.
    pub say: String,
}

/// Returns an event's data, or a fault that makes it a dead letter.
fn data<T: DeserializeOwned>(event: &Event) -> Result<T, Fault> {
    serde_json::from_value(event.data.clone()).map_err(|error| {
        Fault::invalid_argument("voice.event.invalid", format!("reading an event of {}: {error}", event.kind))
    })
}

/// Returns an insert of one row that counts on where there is one under the same key. `others` take the new value unless
/// what they have is of later, which the last of them tells: an event may come late.
fn tally(dialect: Dialect, table: &str, key: &[&str], others: &[&str]) -> String {
    let columns: Vec<&str> = key.iter().chain(others).copied().collect();
    let (own, clause) = match dialect {
        Dialect::MySql => (String::new(), "ON DUPLICATE KEY UPDATE".to_owned()),
        _ => (format!("{table}."), format!("ON CONFLICT ({}) DO UPDATE SET", key.join(", "))),
    };
    let new = |column: &str| match dialect {
        Dialect::MySql => format!("VALUES({column})"),
        _ => format!("excluded.{column}"),
    };
    // MySQL sets one after the other: the time is compared before it is set.
    let at = others.last().copied().unwrap_or_default();
    let latest = |column: &&str| {
        let (is_later, value) = (format!("{} >= {own}{at}", new(at)), new(column));
        format!(", {column} = CASE WHEN {is_later} THEN {value} ELSE {own}{column} END")
    };
    let (holes, latest) =
        (vec!["?"; columns.len()].join(", "), others.iter().map(latest).collect::<String>());
    format!(
        "INSERT INTO {table} ({}, turns) VALUES ({holes}, 1) {clause} turns = {own}turns + 1{latest}",
        columns.join(", ")
    )
}

#[async_trait]
impl Consumer for Statistics {
    async fn handle(&self, _cx: &Cx, event: &Event, tx: &mut Transaction) -> Result<(), Fault> {
        if event.kind != DIALOG_COMPLETED {
            return Ok(());
        }
        let turn: DialogCompleted = data(event)?;
        let day = here(&zone(&self.zone), turn.at).date().to_string();
        let outcome = serde_json::to_value(turn.outcome).unwrap_or_default();
        let sql = tally(tx.dialect(), "ieum_voice_tally", &["day", "intent", "outcome"], &[]);
        let intent: String = turn.intent.chars().take(120).collect();
        let values: [Value; 3] = [day.into(), intent.into(), outcome.as_str().unwrap_or_default().into()];
        tx.execute(&sql, &values).await?;
        Ok(())
    }
}

#[async_trait]
impl Consumer for Activity {
    async fn handle(&self, _cx: &Cx, event: &Event, tx: &mut Transaction) -> Result<(), Fault> {
        if event.kind != DIALOG_COMPLETED {
            return Ok(());
        }
        let turn: DialogCompleted = data(event)?;
        let sql = tally(tx.dialect(), "ieum_voice_activity", &["user_id"], &["last_intent", "last_at"]);
        let intent: String = turn.intent.chars().take(120).collect();
        tx.execute(&sql, &[turn.user_id.as_str().into(), intent.into(), turn.at.into()]).await?;
        Ok(())
    }
}

#[async_trait]
impl Consumer for Proactive {
    async fn handle(&self, _cx: &Cx, event: &Event, tx: &mut Transaction) -> Result<(), Fault> {
        if event.kind != DEVICE_NOTICED {
            return Ok(());
        }
        let notice: DeviceNotice = data(event)?;
        let rules: Vec<&ProactiveRule> = self.rules.iter().filter(|rule| rule.is_about(&notice)).collect();
        let zones = match rules.iter().any(|rule| rule.quiet.is_some()) {
            true => self.zones(tx, &notice, event.time).await?,
            false => Vec::new(),
        };
        for rule in rules {
            let is_quiet = zones.iter().any(|zone| rule.is_quiet(zone, event.time));
            if is_quiet || !may_again(tx, rule, &notice.user_id, event.time).await? {
                continue;
            }
            let tongue = Tongue::heard_in(&rule.say).unwrap_or(Tongue::Korean);
            let payload = json!({ "text": rule.say, "language": tongue.code(), "intent": "proactive", "rule": rule.name });
            let id = format!("{}:{}", event.id, rule.name);
            let reply = Reply::unasked(id, Some(&notice.device_id), &notice.user_id, payload);
            let aloud = self.speaks.then(|| reply.aloud(&reply.id, &rule.say, tongue));
            queue(tx, &std::iter::once(reply.clone()).chain(aloud).collect::<Vec<_>>(), event.time).await?;
            tell_after_commit(&self.clock, &self.waiting);
        }
        Ok(())
    }
}

impl Proactive {
    /// Returns the zones whose clocks a rule goes by: that of the notice; where nobody knew one, the server's and those that
    /// were last known of the device and the person. It asks nobody: the transaction holds the store's writer.
    async fn zones(
        &self,
        tx: &mut Transaction,
        notice: &DeviceNotice,
        at: Timestamp,
    ) -> Result<Vec<String>, Fault> {
        let (device, user): (Value, Value) =
            (notice.device_id.as_str().into(), notice.user_id.as_str().into());
        if let Some(zone) = &notice.zone {
            let columns = ["device", "user_id", "zone", "at"];
            let sql = tx.dialect().upsert("ieum_voice_zone", &["device"], &columns);
            tx.execute(&sql, &[device, user, zone.as_str().into(), at.into()]).await?;
            return Ok(vec![zone.clone()]);
        }
        let sql = "SELECT DISTINCT zone FROM ieum_voice_zone WHERE device = ? OR user_id = ?";
        let mut zones = vec![self.zone.clone()];
        for row in tx.fetch_all(sql, &[device, user]).await? {
            zones.push(row.text("zone")?);
        }
        Ok(zones)
    }
}

impl ProactiveRule {
    /// Whether the rule speaks up for this, by day and its cool-down aside.
    fn is_about(&self, notice: &DeviceNotice) -> bool {
        let is_there = self.location.is_none() || self.location == notice.location;
        self.event == notice.event_type && is_there
    }

    /// Whether the rule is quiet at this time. The time is ours: a device's clock may be hours off, and would make it speak at
    /// night.
    fn is_quiet(&self, zone_name: &str, at: Timestamp) -> bool {
        self.quiet.is_some_and(|(from, until)| is_within(&zone(zone_name), from, until, at))
    }
}

/// Notes that a rule speaks up; returns false where it did so a short while ago.
async fn may_again(
    tx: &mut Transaction,
    rule: &ProactiveRule,
    user: &str,
    at: Timestamp,
) -> Result<bool, Fault> {
    let key: [Value; 2] = [user.into(), rule.name.as_str().into()];
    let sql = format!(
        "SELECT at FROM ieum_voice_nudge WHERE user_id = ? AND rule = ?{}",
        tx.dialect().for_update()
    );
    let last: Option<Timestamp> = match tx.fetch_optional(&sql, &key).await? {
        Some(row) => Some(row.timestamp("at")?),
        None => None,
    };
    // By when it came and not when it was noticed: a device back from a cut says all at once, which is one time for us.
    if last.is_some_and(|last| at < last + rule.cool_down) {
        return Ok(false);
    }
    let sql = tx.dialect().upsert("ieum_voice_nudge", &["user_id", "rule"], &["user_id", "rule", "at"]);
    let [user, rule] = key;
    tx.execute(&sql, &[user, rule, at.into()]).await?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zone::time_of_day;

    #[test]
    fn a_rule_is_quiet_at_night_and_elsewhere() {
        let time = |text| time_of_day(text).expect("is one");
        let rule = ProactiveRule {
            name: "welcome".into(),
            event: "motion_detected".into(),
            location: Some("living_room".into()),
            quiet: Some((time("22:00"), time("07:00"))),
            cool_down: Duration::from_secs(3_600),
            say: "어서 오세요.".into(),
        };
        let at = |text: &str| Timestamp::parse(text).expect("is a time");
        let is_about = |event: &str, location: Option<&str>| {
            rule.is_about(&DeviceNotice {
                device_id: "s1".into(),
                user_id: "ada".into(),
                event_type: event.into(),
                location: location.map(Into::into),
                data: json!({}),
                zone: None,
                at: at("2026-05-01T03:00:00Z"),
            })
        };
        assert!(is_about("motion_detected", Some("living_room")));
        assert!(!is_about("motion_detected", Some("hall")));
        assert!(!is_about("motion_detected", None));
        assert!(!is_about("door_opened", Some("living_room")));
        let (noon, night) = (at("2026-05-01T03:00:00Z"), at("2026-05-01T14:00:00Z"));
        let quiet =
            ["Asia/Seoul", "America/New_York"].map(|zone| [noon, night].map(|at| rule.is_quiet(zone, at)));
        assert_eq!(quiet, [[false, true], [true, false]]);
    }
}
