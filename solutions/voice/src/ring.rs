//! Timers, alarms and reminders that are due: the device, or the person wherever that is, is told and the bus hears of
//! it, in the transaction that ends them.

use std::sync::Arc;

use async_trait::async_trait;
use ieum_bus::{Bus, Event};
use ieum_contracts::voice::{DIALOG_EVENTS, SCHEDULE_RANG, ScheduleKind, ScheduleRang};
use ieum_core::{Cx, Fault, SharedClock, Timestamp};
use ieum_saga::{Due, Next, OnDue};
use ieum_store::Transaction;
use jiff::ToSpan;
use jiff::civil::Time;
use jiff::tz::TimeZone;
use serde_json::json;
use tokio::sync::Notify;

use crate::effects::Ring;
use crate::replies::{Reply, queue};
use crate::sentences;
use crate::store::tell_after_commit;
use crate::tongue::Tongue;
use crate::zone::{here, moment, zone};

/// Rings what is due.
pub struct Bell {
    pub bus: Bus,
    pub clock: SharedClock,
    /// Told when something waits to be sent.
    pub waiting: Arc<Notify>,
    /// Whether there is an engine that speaks.
    pub speaks: bool,
}

#[async_trait]
impl OnDue for Bell {
    async fn due(&self, cx: &Cx, tx: &mut Transaction, due: &Due) -> Result<Next, Fault> {
        let ring: Ring = serde_json::from_value(due.schedule.payload.clone())
            .map_err(|error| Fault::data_loss("voice.ring", format!("reading a timer: {error}")))?;
        let rang = ScheduleRang {
            schedule_id: due.schedule.id.clone(),
            kind: ring.kind,
            user_id: ring.user_id.clone(),
            device_id: ring.device_id.clone(),
            label: ring.label.clone(),
            at: due.schedule.at,
            late_ms: u64::try_from(due.late.as_millis()).unwrap_or(u64::MAX),
        };
        let tongue = Tongue::of(&ring.language).unwrap_or(Tongue::Korean);
        let again = ring.again(due.schedule.at.max(self.clock.now()));
        let length = due.schedule.at.since(ring.set_at).as_secs();
        let text = sentences::rings(tongue, ring.kind, &ring.label, length, due.late.as_secs());
        let kind = match ring.kind {
            ScheduleKind::Timer => "timer.rang",
            ScheduleKind::Alarm => "alarm.rang",
            ScheduleKind::Reminder => "reminder.rang",
        };
        let payload = json!({ "text": text, "language": tongue.code(), "intent": kind, "schedule": &rang });
        // What rings again is another ring each time.
        let id = match again {
            Some(_) => format!("{}:{}:rang", due.schedule.id, due.schedule.at.as_micros()),
            None => format!("{}:rang", due.schedule.id),
        };
        let reply = Reply::unasked(id.clone(), ring.device_id.as_deref(), &ring.user_id, payload);
        let aloud = self.speaks.then(|| reply.aloud(&reply.id, &text, tongue));
        let replies: Vec<Reply> = std::iter::once(reply.clone()).chain(aloud).collect();
        queue(tx, &replies, self.clock.now()).await?;
        let event = Event::new(cx, "/voice", SCHEDULE_RANG, ring.user_id.as_str(), &rang)
            .map_err(Fault::from)?
            .with_id(id);
        self.bus.outbox(tx, DIALOG_EVENTS, &event).await?;
        tell_after_commit(&self.clock, &self.waiting);
        Ok(again.map_or(Next::Done, Next::At))
    }
}

/// Returns the next moment after `now` at which the clocks of the zone show `time` on one of `days`, Monday 1: the same
/// time of day in summer and winter. `None` where `days` names none.
pub fn next(zone: &TimeZone, days: &[i8], time: Time, now: Timestamp) -> Option<Timestamp> {
    let today = here(zone, now).date();
    (0..=7).find_map(|ahead: i64| {
        let day = today.checked_add(ahead.days()).ok()?;
        let is_one = days.contains(&day.weekday().to_monday_one_offset());
        moment(zone, day.to_datetime(time)).filter(|at| is_one && *at > now)
    })
}

impl Ring {
    /// Returns when it rings again after `now`; `None` for what rings once.
    fn again(&self, now: Timestamp) -> Option<Timestamp> {
        next(&zone(&self.zone), &self.days, self.time?, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rings_on_days_rings_at_the_same_time_in_summer_and_winter() {
        let london = zone("Europe/London");
        let at = |text: &str| Timestamp::parse(text).expect("is a time");
        let seven = Time::constant(7, 0, 0, 0);
        // The clocks go forward on Sunday, March 29, 2026.
        let weekdays = [1, 2, 3, 4, 5];
        let friday = next(&london, &weekdays, seven, at("2026-03-26T12:00:00Z")).expect("there is one");
        assert_eq!(friday, at("2026-03-27T07:00:00Z"));
        let monday = next(&london, &weekdays, seven, friday).expect("there is one");
        assert_eq!(monday, at("2026-03-30T06:00:00Z"));
        assert_eq!(next(&london, &[7], seven, monday), Some(at("2026-04-05T06:00:00Z")));
        assert_eq!(next(&london, &[], seven, monday), None);
    }
}
