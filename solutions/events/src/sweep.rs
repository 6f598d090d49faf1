//! Looks for what vanished at a source without a word: everything is read once more beside the running sync, page by
//! page with a checkpoint each, and what it no longer tells is looked up or missed twice before it counts as gone.

use ieum_contracts::events::SourcePhase;
use ieum_core::{Cx, Fault};
use ieum_store::{Transaction, Value};

use crate::apply;
use crate::collector::{Collector, Reading};
use crate::connector::Hint;
use crate::cursor::{self, Cursor};
use crate::facts::{Batch, Next};
use crate::intake::{Way, count_scans};
use crate::store::{self, EventsStore};

/// More pages than this in one sweep mean that the source never ends.
const MOST_PAGES: u32 = 50_000;

/// How many orders are looked up at once.
const LOOKED_UP: usize = 20;

/// The checkpoint of a sweep that begins, and of one that read everything.
const BEGIN: &str = "";
const LOOK_UP: &str = "look up";

impl Collector {
    /// Sweeps a source, from where a sweep before was cut off. Between two pages reads and hints have their turn.
    pub async fn sweep_source(&self, cx: &Cx, event_id: &str) -> Result<(), Fault> {
        for _ in 0..MOST_PAGES {
            let turn = self.turn(event_id);
            let _turn = turn.lock().await;
            let reading = self.reading(event_id).await?;
            let cursor = self.store.cursor(event_id).await?;
            let abilities = reading.connector.abilities();
            if cursor.phase != SourcePhase::Live || !abilities.tells_all {
                return Ok(());
            }
            // Counted from what the tables say: a process may never live as long as the wait.
            let since = cursor.swept_at.unwrap_or(reading.created_at);
            if cursor.sweep_text.is_none() && self.clock.now().since(since) < self.vanished_every {
                return Ok(());
            }
            let over = match cursor.sweep_text.as_deref() {
                None => self.begin_sweep(cx, &reading, &cursor).await?,
                Some(LOOK_UP) => self.look_up(cx, &reading, &cursor).await?,
                Some(_) => self.sweep_page(cx, &reading, &cursor).await?,
            };
            if over || self.stopping() {
                return Ok(());
            }
        }
        let message = format!("sweeping {event_id}: no end after {MOST_PAGES} pages");
        Err(Fault::failed_precondition("events.source.endless", message))
    }

    /// From now on whatever is told carries a new mark.
    async fn begin_sweep(&self, cx: &Cx, reading: &Reading, cursor: &Cursor) -> Result<bool, Fault> {
        let begun = Cursor {
            generation: cursor.generation + 1,
            sweep_text: Some(BEGIN.to_owned()),
            ..cursor.clone()
        };
        self.take_swept(cx, reading, cursor, begun, Batch::default()).await?;
        Ok(false)
    }

    async fn sweep_page(&self, cx: &Cx, reading: &Reading, cursor: &Cursor) -> Result<bool, Fault> {
        let checkpoint = cursor.sweep_text.as_deref().filter(|text| *text != BEGIN);
        let batch = reading.connector.initial(cx, checkpoint).await?;
        let text = match &batch.next {
            Next::Page(text) => text.clone(),
            Next::Done(_) | Next::Unchanged => LOOK_UP.to_owned(),
        };
        let next = Cursor { sweep_text: Some(text), ..cursor.clone() };
        self.take_swept(cx, reading, cursor, next, batch).await?;
        Ok(false)
    }

    /// Asks for orders that the sweep did not tell, a few at a time. Where they cannot be asked for, those that two
    /// sweeps missed are gone: one alone may have missed what moved to a page already read.
    async fn look_up(&self, cx: &Cx, reading: &Reading, cursor: &Cursor) -> Result<bool, Fault> {
        let event_id = &reading.config.event_id;
        let abilities = reading.connector.abilities();
        let below = if abilities.looks_up { cursor.generation } else { cursor.generation - 1 };
        let codes = self.store.missed_orders(event_id, below, LOOKED_UP).await?;
        if codes.is_empty() {
            let over = Cursor { sweep_text: None, swept_at: Some(self.clock.now()), ..cursor.clone() };
            self.take_swept(cx, reading, cursor, over, Batch::default()).await?;
            return Ok(true);
        }
        let hint = |code: &String| Hint {
            notification_id: String::new(),
            action: "sweep".to_owned(),
            order_code: Some(code.clone()),
        };
        let batch = if abilities.looks_up {
            let hints: Vec<Hint> = codes.iter().map(hint).collect();
            reading.connector.hinted(cx, &hints).await?
        } else {
            Batch { gone_orders: codes.clone(), ..Batch::default() }
        };
        if batch.orders.len() + batch.gone_orders.len() < codes.len() {
            let message =
                format!("sweeping {event_id}: the source did not say what became of {}", codes.join(", "));
            return Err(Fault::failed_precondition("events.source.garbage", message));
        }
        tracing::info!(
            event_id,
            gone = batch.gone_orders.len(),
            asked = codes.len(),
            "a sweep missed orders"
        );
        self.take_swept(cx, reading, cursor, cursor.clone(), batch).await?;
        Ok(false)
    }

    /// Takes what a sweep told together with its checkpoint.
    async fn take_swept(
        &self,
        cx: &Cx,
        reading: &Reading,
        before: &Cursor,
        after: Cursor,
        batch: Batch,
    ) -> Result<(), Fault> {
        let event_id = &reading.config.event_id;
        let mut tx = self.store.sql().begin_write().await?;
        let present = cursor::fetch_cursor(&mut tx, event_id).await?;
        let present = present.ok_or_else(|| store::unknown_source(event_id))?;
        if present.version != before.version {
            let message = format!("sweeping {event_id}: somebody else changed its sync position meanwhile");
            return Err(Fault::aborted("events.sync.moved", message));
        }
        let scans = apply::new_scans(&mut tx, event_id, &batch).await?;
        count_scans(&mut tx, event_id, Way::Sweep, scans).await?;
        bury(&mut tx, event_id, &batch, self.clock.now()).await?;
        apply::apply(&mut tx, event_id, after.generation, &batch).await?;
        let after = Cursor { version: present.version + 1, ..after };
        cursor::insert_cursor(&mut tx, event_id, &after).await?;
        let taken = self.renew(cx, &mut tx, reading, &after, None).await?;
        tx.commit().await?;
        self.show(&taken).await;
        Ok(())
    }
}

/// Remembers orders that go now, and forgets those that are there after all. Before the page is taken in: only what
/// was there can go.
pub(crate) async fn bury(
    tx: &mut Transaction,
    event_id: &str,
    batch: &Batch,
    now: ieum_core::Timestamp,
) -> Result<(), Fault> {
    for code in batch.leaving() {
        let sql = "SELECT COUNT(*) AS tickets FROM ieum_events_order_position WHERE event_id = ? AND order_code = ?";
        if tx.fetch_one(sql, &[event_id.into(), code.into()]).await?.int("tickets")? == 0 {
            continue;
        }
        let sql = tx.dialect().upsert("ieum_events_gone", &["event_id", "order_code"], &["gone_at"]);
        tx.execute(&sql, &[event_id.into(), code.into(), now.into()]).await?;
    }
    let back: Vec<&String> = batch.standing().map(|order| &order.code).collect();
    for codes in back.chunks(500) {
        let holes = vec!["?"; codes.len()].join(", ");
        let sql = format!("DELETE FROM ieum_events_gone WHERE event_id = ? AND order_code IN ({holes})");
        let mut values: Vec<Value> = vec![event_id.into()];
        values.extend(codes.iter().map(|code| Value::from(*code)));
        tx.execute(&sql, &values).await?;
    }
    Ok(())
}

/// Remembers orders of which a complete sync of `generation` found nothing. Before [`apply::drop_older`] drops them.
pub(crate) async fn bury_older(
    tx: &mut Transaction,
    event_id: &str,
    generation: i64,
    now: ieum_core::Timestamp,
) -> Result<(), Fault> {
    let sql = "SELECT DISTINCT order_code FROM ieum_events_order_position p WHERE event_id = ? AND generation < ? \
               AND NOT EXISTS (SELECT 1 FROM ieum_events_order_position q WHERE q.event_id = p.event_id \
               AND q.order_code = p.order_code AND q.generation >= ?)";
    let values = [event_id.into(), generation.into(), generation.into()];
    let upsert = tx.dialect().upsert("ieum_events_gone", &["event_id", "order_code"], &["gone_at"]);
    for row in tx.fetch_all(sql, &values).await? {
        let code = row.text("order_code")?;
        tx.execute(&upsert, &[event_id.into(), code.into(), now.into()]).await?;
    }
    Ok(())
}

impl EventsStore {
    /// Returns the codes of orders whose mark is below `generation`, at most `most`.
    async fn missed_orders(
        &self,
        event_id: &str,
        generation: i64,
        most: usize,
    ) -> Result<Vec<String>, Fault> {
        let sql = format!(
            "SELECT DISTINCT order_code FROM ieum_events_order_position WHERE event_id = ? AND generation < ? \
             ORDER BY order_code LIMIT {most}"
        );
        let rows = self.sql().fetch_all(&sql, &[event_id.into(), generation.into()]).await?;
        rows.iter().map(|row| Ok(row.text("order_code")?)).collect()
    }

    /// Returns how many orders vanished at the source, deleted or moved elsewhere.
    pub async fn gone_orders(&self, event_id: &str) -> Result<u64, Fault> {
        let sql = "SELECT COUNT(*) AS gone FROM ieum_events_gone WHERE event_id = ?";
        let row = self.sql().fetch_one(sql, &[event_id.into()]).await?;
        Ok(u64::try_from(row.int("gone")?).unwrap_or(0))
    }
}
