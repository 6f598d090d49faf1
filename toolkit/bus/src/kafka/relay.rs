//! Emptying the outbox into Kafka: what the broker takes leaves it, what the broker refuses becomes a dead letter.

use ieum_core::{Fault, Timestamp, new_id};
use ieum_store::{StoreError, Transaction};

use super::{KafkaLog, record};
use crate::log::Log;
use crate::storage::{Entry, Failure, Grave, LaneRow, Slot};
use crate::{OUTBOX_GROUP, Refusal, sql};

/// Something that is to be sent: a row of the outbox, or a dead letter of it whose replay was asked.
struct Outgoing {
    /// The outbox's row; `None` for a dead letter.
    id: Option<i64>,
    slot: Slot,
    row: LaneRow,
}

impl KafkaLog {
    /// Sends the oldest rows and then removes them. No transaction is open while the broker works, so two
    /// relays may send a row twice, and so may one that ends in between: each sends in order, so the first
    /// copies stand in order.
    pub(super) async fn relay(&self, limit: usize, now: Timestamp) -> Result<usize, Failure> {
        let failed = sql::failed;
        let reading = "reading the outbox";
        let mut tx = self.store.begin().await.map_err(failed(reading))?;
        let outgoing = outgoing(&mut tx, limit).await.map_err(failed(reading))?;
        tx.rollback().await.map_err(failed(reading))?;
        let entries: Vec<Entry> = outgoing.iter().map(Outgoing::entry).collect();
        let mut refused = vec![None; entries.len()];
        for (index, refusal) in self.write(&entries, now).await? {
            refused[index] = Some(refusal);
        }
        let emptying = "emptying the outbox";
        let mut tx = self.store.begin_write().await.map_err(failed(emptying))?;
        let sent: Vec<i64> = outgoing
            .iter()
            .zip(&refused)
            .filter(|(_, no)| no.is_none())
            .filter_map(|(it, _)| it.id)
            .collect();
        sql::remove_outbox(&mut tx, &sent).await.map_err(failed(emptying))?;
        for (outgoing, refusal) in outgoing.into_iter().zip(&refused) {
            outgoing.settle(&mut tx, refusal.as_ref(), now).await.map_err(failed(emptying))?;
        }
        tx.commit().await.map_err(failed(emptying))?;
        Ok(entries.len())
    }
}

/// Reads what is to be sent, replays first: they are the earlier ones of their keys.
async fn outgoing(tx: &mut Transaction, limit: usize) -> Result<Vec<Outgoing>, StoreError> {
    let asked = sql::asked_of_outbox(tx, limit).await?;
    let mut outgoing: Vec<Outgoing> =
        asked.into_iter().map(|(slot, row)| Outgoing { id: None, slot, row }).collect();
    for (id, entry) in sql::outbox_rows(tx, limit - outgoing.len()).await? {
        let slot = Slot { group: OUTBOX_GROUP.to_owned(), topic: entry.topic.clone(), part: entry.part };
        let row = LaneRow::unsent(id, entry);
        outgoing.push(Outgoing { id: Some(id), slot, row });
    }
    Ok(outgoing)
}

// === Outgoing ===

impl Outgoing {
    fn entry(&self) -> Entry {
        Entry {
            topic: self.slot.topic.clone(),
            part: self.slot.part,
            key: self.row.key.clone(),
            event_id: self.row.event_id.clone(),
            source: self.row.source.clone(),
            body: self.row.body.clone(),
        }
    }

    /// Writes down what became of it.
    async fn settle(
        self,
        tx: &mut Transaction,
        refusal: Option<&Refusal>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let Some(refusal) = refusal else {
            return match &self.row.dead_id {
                Some(dead_id) => sql::resolve(tx, dead_id, now).await,
                None => Ok(()),
            };
        };
        if let Some(id) = self.id
            && sql::remove_outbox(tx, &[id]).await? == 0
        {
            // Another relay was told the same and has written the dead letter.
            return Ok(());
        }
        let fault = Fault::from(refusal);
        tracing::error!(
            event = self.row.event_id, topic = self.slot.topic, reason = %fault.reason, error = fault.message,
            "the log refuses an event, which becomes a dead letter of the outbox"
        );
        metrics::counter!("ieum_bus_dead_total", "group" => OUTBOX_GROUP).increment(1);
        let grave = Grave {
            id: self.row.dead_id.clone().unwrap_or_else(|| new_id().to_string()),
            code: fault.code.name().to_owned(),
            traceparent: record::Traced::of(&self.row.body).traceparent,
            row: LaneRow {
                attempts: 1,
                first_at: self.row.first_at.or(Some(now)),
                last_at: Some(now),
                reason: fault.reason.into_owned(),
                message: fault.message,
                ..self.row
            },
        };
        sql::bury(tx, &self.slot, &grave, now).await
    }
}
