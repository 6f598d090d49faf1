//! The bus's storage in the SQL store.

use std::collections::BTreeSet;

use async_trait::async_trait;
use ieum_core::Timestamp;
use ieum_store::{Store, StoreError, Transaction};

use crate::storage::{Delivery, Entry, Failure, Grave, LaneRow, Lease, Slot, Storage};

mod dead;
mod inbox;
mod lane;
mod log;
pub(crate) mod schema;
mod slots;

#[cfg(feature = "kafka")]
pub(crate) use dead::{asked_of_outbox, bury, is_outbox_asked, resolve};
#[cfg(feature = "kafka")]
pub(crate) use log::{outbox_rows, outbox_waits, remove_outbox};
pub(crate) use log::{touch_head, write_outbox};

/// The tables of [`schema`] in a store.
#[derive(Clone)]
pub(crate) struct SqlStorage {
    pub store: Store,
}

/// Says which step a store error belongs to.
pub(crate) fn failed(step: &'static str) -> impl FnOnce(StoreError) -> Failure {
    move |error| Failure {
        step,
        // Every step of the bus may be repeated, so a commit of unknown fate is tried again as well.
        retryable: error.is_retryable() || matches!(error, StoreError::CommitUnknown { .. }),
        cause: Box::new(error),
    }
}

/// Replaces what PostgreSQL keeps in no text.
fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

#[async_trait]
impl Storage for SqlStorage {
    type Tx = Transaction;

    async fn begin(&self) -> Result<Transaction, Failure> {
        self.store.begin_write().await.map_err(failed("beginning a transaction"))
    }

    async fn commit(&self, tx: Transaction) -> Result<(), Failure> {
        tx.commit().await.map_err(failed("committing a transaction"))
    }

    async fn append(&self, tx: &mut Transaction, entries: &[Entry], now: Timestamp) -> Result<(), Failure> {
        log::append(tx, entries, now).await.map_err(failed("appending to the log"))
    }

    async fn move_outbox(
        &self,
        tx: &mut Transaction,
        limit: usize,
        now: Timestamp,
    ) -> Result<usize, Failure> {
        log::move_outbox(tx, limit, now).await.map_err(failed("moving the outbox into the log"))
    }

    async fn outbox_waits(&self) -> Result<bool, Failure> {
        log::outbox_waits(&self.store).await.map_err(failed("looking into the outbox"))
    }

    async fn head(&self) -> Result<i64, Failure> {
        log::head(&self.store).await.map_err(failed("reading the log's head"))
    }

    async fn read(&self, slot: &Slot, after: i64, limit: usize) -> Result<Vec<Delivery>, Failure> {
        log::read(&self.store, slot, after, limit).await.map_err(failed("reading the log"))
    }

    async fn heartbeat(
        &self,
        slot: &Slot,
        owner: &str,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<i64, Failure> {
        slots::heartbeat(&self.store, slot, owner, now, until).await.map_err(failed("joining a group"))
    }

    async fn claim(
        &self,
        slot: &Slot,
        owner: &str,
        now: Timestamp,
        until: Timestamp,
        forced: bool,
    ) -> Result<Option<Lease>, Failure> {
        slots::claim(&self.store, slot, owner, (now, until), forced).await.map_err(failed("claiming a slot"))
    }

    async fn renew(&self, slot: &Slot, owner: &str, until: Timestamp) -> Result<BTreeSet<i64>, Failure> {
        slots::renew(&self.store, slot, owner, until).await.map_err(failed("renewing leases"))
    }

    async fn release(&self, lease: &Lease) -> Result<(), Failure> {
        slots::release(&self.store, lease).await.map_err(failed("releasing a slot"))
    }

    async fn leave(&self, slot: &Slot, owner: &str) -> Result<(), Failure> {
        slots::leave(&self.store, slot, owner).await.map_err(failed("leaving a group"))
    }

    async fn advance(
        &self,
        tx: &mut Transaction,
        lease: &Lease,
        position: i64,
        until: Timestamp,
    ) -> Result<bool, Failure> {
        slots::advance(tx, lease, position, until).await.map_err(failed("moving a slot's position"))
    }

    async fn mark(
        &self,
        tx: &mut Transaction,
        slot: &Slot,
        events: &[(String, String)],
        now: Timestamp,
    ) -> Result<Vec<bool>, Failure> {
        inbox::mark(tx, slot, events, now).await.map_err(failed("marking events in the inbox"))
    }

    async fn blocked(&self, slot: &Slot) -> Result<BTreeSet<String>, Failure> {
        lane::blocked(&self.store, slot).await.map_err(failed("reading a lane's keys"))
    }

    async fn due(
        &self,
        slot: &Slot,
        now: Timestamp,
        limit: usize,
    ) -> Result<(Vec<LaneRow>, Option<Timestamp>), Failure> {
        lane::due(&self.store, slot, now, limit).await.map_err(failed("reading what is due in a lane"))
    }

    async fn park(&self, tx: &mut Transaction, slot: &Slot, row: &LaneRow) -> Result<(), Failure> {
        lane::park(tx, slot, row).await.map_err(failed("parking an event in a lane"))
    }

    async fn unpark(
        &self,
        tx: &mut Transaction,
        slot: &Slot,
        row: &LaneRow,
        now: Timestamp,
    ) -> Result<(), Failure> {
        lane::unpark(tx, slot, row, now).await.map_err(failed("taking an event out of a lane"))
    }

    async fn bury(
        &self,
        tx: &mut Transaction,
        slot: &Slot,
        grave: &Grave,
        now: Timestamp,
    ) -> Result<(), Failure> {
        dead::bury(tx, slot, grave, now).await.map_err(failed("writing a dead letter"))
    }

    async fn asked(&self, slot: &Slot) -> Result<BTreeSet<i64>, Failure> {
        dead::asked(&self.store, slot).await.map_err(failed("looking for asked replays"))
    }

    async fn revive(
        &self,
        tx: &mut Transaction,
        slot: &Slot,
        limit: usize,
        now: Timestamp,
    ) -> Result<usize, Failure> {
        dead::revive(tx, slot, limit, now).await.map_err(failed("replaying dead letters"))
    }

    async fn resolve(&self, tx: &mut Transaction, dead_id: &str, now: Timestamp) -> Result<(), Failure> {
        dead::resolve(tx, dead_id, now).await.map_err(failed("resolving a dead letter"))
    }
}
