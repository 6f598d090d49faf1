//! Compares totals with the source's own, and reads everything anew where they differ for good.

use std::time::Duration;

use ieum_contracts::events::SourcePhase;
use ieum_core::{Cx, Fault};

use crate::apply;
use crate::collector::{Collector, Reading};
use crate::cursor::{self, Cursor};
use crate::facts::{Batch, Profile, Totals};
use crate::gates::tally::{self, Basis};

/// What is done where totals differ from the source's own although neither moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sweep {
    /// Everything is read anew, at most once per this span; in between the source's totals are shown.
    AtMostEvery(Duration),
    /// Nothing: a loss stays visible. For tests that ask whether there was one.
    Never,
}

impl Collector {
    /// Compares our totals with the source's own. Ours differ for good only where the source's stood still
    /// while we read once more; then everything is read anew, and where that does not explain it either,
    /// the source's totals are shown.
    pub(crate) async fn reconcile(&self, cx: &Cx, reading: &Reading, news: bool) -> Result<(), Fault> {
        let event_id = &reading.config.event_id;
        let cursor = self.store.cursor(event_id).await?;
        let now = self.clock.now();
        let waited = cursor.reconciled_at.is_none_or(|at| now.since(at) >= self.reconcile_every);
        let Some(profile) = cursor.profile.clone() else { return Ok(()) };
        if !(news || waited || cursor.mismatches > 0) {
            return Ok(());
        }
        let Some(theirs) = reading.connector.totals(cx).await? else { return Ok(()) };
        if self.ours(event_id, &profile).await? == theirs {
            return self.agreed(cx, reading, cursor).await;
        }
        self.catch_up(cx, reading).await?;
        let again = reading.connector.totals(cx).await?;
        let ours = self.ours(event_id, &profile).await?;
        if again == Some(ours) {
            let cursor = self.store.cursor(event_id).await?;
            return self.agreed(cx, reading, cursor).await;
        }
        if again != Some(theirs) {
            // People were scanned meanwhile; the next read compares again.
            return Ok(());
        }
        self.disagreed(cx, reading, ours, theirs).await
    }

    async fn ours(&self, event_id: &str, profile: &Profile) -> Result<Totals, Fault> {
        let mut tx = self.store.sql().begin_read().await?;
        // What is shown is compared. Where the ledger itself were wrong, it would not agree either.
        let shown = tally::fetch(&mut tx, event_id).await?.filter(|tally| tally.basis == Basis::of(profile));
        let totals = match shown {
            Some(tally) => tally.totals,
            None => apply::count(&mut tx, event_id, profile, None).await?,
        };
        tx.rollback().await?;
        Ok(totals)
    }

    async fn agreed(&self, cx: &Cx, reading: &Reading, cursor: Cursor) -> Result<(), Fault> {
        let was_overridden = cursor.override_totals.is_some();
        let agreed = Cursor {
            mismatches: 0,
            override_totals: None,
            reconciled_at: Some(self.clock.now()),
            version: cursor.version + 1,
            ..cursor
        };
        self.write_cursor(&reading.config.event_id, &agreed).await?;
        if was_overridden {
            self.take(cx, reading, Batch::default(), &[]).await?;
        }
        Ok(())
    }

    async fn disagreed(&self, cx: &Cx, reading: &Reading, ours: Totals, theirs: Totals) -> Result<(), Fault> {
        let event_id = &reading.config.event_id;
        let cursor = self.store.cursor(event_id).await?;
        let now = self.clock.now();
        let Sweep::AtMostEvery(gap) = self.sweep else {
            tracing::warn!(
                event_id,
                ?ours,
                ?theirs,
                "totals differ from the source's own; no sweep is allowed"
            );
            return Ok(());
        };
        let may_resync = cursor.resynced_at.is_none_or(|at| now.since(at) >= gap);
        tracing::warn!(event_id, ?ours, ?theirs, resync = may_resync, "totals differ from the source's own");
        let mismatches = cursor.mismatches.saturating_add(1);
        let version = cursor.version + 1;
        if !may_resync {
            let shown = Cursor { mismatches, version, override_totals: Some(theirs), ..cursor };
            self.write_cursor(event_id, &shown).await?;
            self.take(cx, reading, Batch::default(), &[]).await?;
            return Ok(());
        }
        let resync = Cursor {
            phase: SourcePhase::InitialSync,
            text: None,
            generation: cursor.generation + 1,
            synced_rows: 0,
            mismatches,
            version,
            resynced_at: Some(now),
            sweep_text: None,
            ..cursor
        };
        self.write_cursor(event_id, &resync).await?;
        self.catch_up(cx, reading).await.map(drop)
    }

    /// Writes a sync position that was derived from the one with the version before.
    async fn write_cursor(&self, event_id: &str, cursor: &Cursor) -> Result<(), Fault> {
        let mut tx = self.store.sql().begin_write().await?;
        let present = cursor::fetch_cursor(&mut tx, event_id).await?;
        if present.is_none_or(|present| present.version + 1 != cursor.version) {
            let message = format!("comparing totals of {event_id}: its sync position moved meanwhile");
            return Err(Fault::aborted("events.sync.moved", message));
        }
        cursor::insert_cursor(&mut tx, event_id, cursor).await?;
        tx.commit().await?;
        Ok(())
    }
}
