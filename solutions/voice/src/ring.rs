//! Timers, alarms and reminders that are due: the device is told and the bus hears of it, in the transaction that ends
//! them.

use std::sync::Arc;

use async_trait::async_trait;
use ieum_bus::{Bus, Event};
use ieum_contracts::voice::{DIALOG_EVENTS, SCHEDULE_RANG, ScheduleKind, ScheduleRang};
use ieum_core::{Cx, Fault, SharedClock};
use ieum_saga::{Due, Next, OnDue};
use ieum_store::Transaction;
use serde_json::json;
use tokio::sync::Notify;

use crate::effects::Ring;
use crate::sentences;
use crate::store::{Reply, queue, tell_after_commit};
use crate::tongue::Tongue;

/// Rings what is due.
pub struct Bell {
    pub bus: Bus,
    pub clock: SharedClock,
    /// Told when something waits to be sent.
    pub waiting: Arc<Notify>,
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
        if let Some(device) = &ring.device_id {
            let tongue = Tongue::of(&ring.language).unwrap_or(Tongue::Korean);
            let length = due.schedule.at.since(ring.set_at).as_secs();
            let text = sentences::rings(tongue, ring.kind, &ring.label, length, due.late.as_secs());
            let kind = match ring.kind {
                ScheduleKind::Timer => "timer.rang",
                ScheduleKind::Alarm => "alarm.rang",
                ScheduleKind::Reminder => "reminder.rang",
            };
            let payload =
                json!({ "text": text, "language": tongue.code(), "intent": kind, "schedule": &rang });
            let id = format!("{}:rang", due.schedule.id);
            let reply = Reply { id, device: device.clone(), kind: "DIALOG_RESPONSE", payload };
            queue(tx, &[reply], self.clock.now()).await?;
        }
        let event = Event::new(cx, "/voice", SCHEDULE_RANG, ring.user_id.as_str(), &rang)
            .map_err(Fault::from)?
            .with_id(format!("{}:rang", due.schedule.id));
        self.bus.outbox(tx, DIALOG_EVENTS, &event).await?;
        tell_after_commit(&self.clock, &self.waiting);
        Ok(Next::Done)
    }
}
