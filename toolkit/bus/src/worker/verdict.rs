//! What becomes of an event whose handling failed: the lane while trying again may help, else a dead letter.

use std::any::Any;
use std::time::Duration;

use ieum_core::{Fault, new_id};

use super::work::{What, Work};
use super::{StepError, Worker};
use crate::storage::{Failure, Grave, LaneRow, Lease, Storage};

impl<S: Storage> Worker<S> {
    /// Puts a failed event into the lane, or with the dead; returns its key where it blocks followers.
    pub(super) async fn park_or_bury(
        &self,
        lease: &mut Lease,
        work: &Work,
        fault: Fault,
    ) -> Result<Option<String>, StepError> {
        let mut tx = self.storage.begin().await?;
        let attempts = work.row.attempts + 1;
        let again = fault.is_retryable() && attempts < self.lanes.attempts;
        let mut blocked = None;
        if again {
            let row = self.tried(work, &fault, Some(self.delay(attempts, &fault)));
            self.storage.park(&mut tx, &lease.slot, &row).await?;
            blocked = Some(row.key);
        } else {
            self.bury(&mut tx, lease, work, &fault).await?;
        }
        let position = work.moves_to(lease.position);
        self.finish(lease, tx, position).await?;
        lease.position = position;
        let name = if again { "ieum_bus_retries_total" } else { "ieum_bus_dead_total" };
        metrics::counter!(name, "group" => lease.slot.group.clone()).increment(1);
        Ok(blocked)
    }

    fn delay(&self, attempts: u32, fault: &Fault) -> Duration {
        let backoff = self.lanes.backoff.delay(attempts, (self.random)());
        backoff.max(fault.retry_after.unwrap_or_default())
    }

    fn tried(&self, work: &Work, fault: &Fault, delay: Option<Duration>) -> LaneRow {
        let now = self.clock.now();
        LaneRow {
            attempts: work.row.attempts + 1,
            due_at: delay.map(|delay| now + delay),
            first_at: work.row.first_at.or(Some(now)),
            last_at: Some(now),
            reason: fault.reason.to_string(),
            message: fault.message.clone(),
            ..work.row.clone()
        }
    }

    /// Makes a dead letter within `tx`; the next of its key is due at once.
    pub(super) async fn bury(
        &self,
        tx: &mut S::Tx,
        lease: &Lease,
        work: &Work,
        fault: &Fault,
    ) -> Result<(), Failure> {
        let now = self.clock.now();
        let row = self.tried(work, fault, None);
        let traceparent = match &work.what {
            What::Handle(event) => event.traceparent.clone(),
            What::Queue | What::Bury(_) => None,
        };
        let id = row.dead_id.clone().unwrap_or_else(|| new_id().to_string());
        let grave = Grave { id, row, code: fault.code.name().to_owned(), traceparent };
        if work.in_lane {
            self.storage.unpark(tx, &lease.slot, &work.row, now).await?;
        }
        tracing::warn!(
            event = grave.row.event_id,
            group = lease.slot.group,
            topic = lease.slot.topic,
            reason = grave.row.reason,
            attempts = grave.row.attempts,
            "event becomes a dead letter"
        );
        self.storage.bury(tx, &lease.slot, &grave, now).await
    }
}

/// Makes the fault of a handler that panicked; not retryable, for the next time would be the same.
pub(super) fn panic_fault(panic: &(dyn Any + Send)) -> Fault {
    let text = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no text".to_owned());
    Fault::internal("bus.handler_panicked", format!("the handler panicked: {text}"))
}
