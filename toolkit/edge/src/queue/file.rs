//! The file of a queue: what is written to it and read from it, over the tables of [`crate::schema`].

use std::path::Path;

use ieum_core::new_id;
use ieum_store::{MigrationError, Row, Store, StoreError, StoreOptions, Transaction, Value, migrate};

use super::Why;
use super::error::{QueueError, failed};
use super::heads::{Head, Heads};
use crate::Kind;
use crate::schema::migrations;

/// The file of a queue.
pub(super) struct File {
    store: Store,
}

/// What a file says of its queue.
pub(super) struct Kept {
    /// The queue's own name.
    pub name: String,
    /// How many messages were ever taken.
    pub taken: i64,
    pub heads: Heads,
}

/// Its name in its folder.
pub(super) const FILE: &str = "queue.db";
/// How many messages that came are remembered, to know them again.
pub(super) const HEARD: usize = 1_000;

impl File {
    /// Opens the file in `folder`, which is made where it is not there.
    pub async fn open(folder: &Path) -> Result<Self, QueueError> {
        let shown = folder.display().to_string();
        let unopened = |source: Box<dyn std::error::Error + Send + Sync>| QueueError::Open {
            folder: shown.clone(),
            source,
        };
        let url = format!("sqlite:{}", folder.join(FILE).display());
        let options = StoreOptions { pool_size: 2, ..StoreOptions::default() };
        let store = Store::open(&url, &options).await.map_err(|error| unopened(Box::new(error)))?;
        let migrated: Result<_, MigrationError> = migrate(&store, &migrations(), |_| {}).await;
        migrated.map_err(|error| unopened(Box::new(error)))?;
        Ok(Self { store })
    }

    /// Returns what the file says, and names a queue that has no name yet.
    pub async fn kept(&self) -> Result<Kept, QueueError> {
        let store = &self.store;
        let sql = "INSERT INTO ieum_edge_self (id, name, taken) VALUES (1, ?, 0) ON CONFLICT (id) DO NOTHING";
        store.execute(sql, &[new_id().to_string().into()]).await.map_err(failed("naming"))?;
        let row = store.fetch_one("SELECT name, taken FROM ieum_edge_self WHERE id = 1", &[]).await;
        let row = row.map_err(failed("reading"))?;
        let name = row.text("name").map_err(failed("reading"))?;
        let taken = row.int("taken").map_err(failed("reading"))?;
        let sql = "SELECT position, kind, together, LENGTH(payload) AS size, at FROM ieum_edge_message ORDER BY position";
        let mut heads = Heads::default();
        for row in store.fetch_all(sql, &[]).await.map_err(failed("reading"))? {
            heads.add(head_of(&row).map_err(failed("reading"))?);
        }
        Ok(Kept { name, taken, heads })
    }

    /// Writes a message, in the place of what is given up for it.
    pub async fn add(
        &self,
        head: &Head,
        payload: Vec<u8>,
        given_up: &[(i64, Why)],
    ) -> Result<(), QueueError> {
        let row: [Value; 5] = [
            head.position.into(),
            head.kind.name().into(),
            head.together.clone().into(),
            payload.into(),
            head.at.into(),
        ];
        let write = async {
            let mut transaction = self.store.begin_write().await?;
            remove(&mut transaction, given_up).await?;
            let sql = "INSERT INTO ieum_edge_message (position, kind, together, payload, at) VALUES (?, ?, ?, ?, ?)";
            transaction.execute(sql, &row).await?;
            let sql = "UPDATE ieum_edge_self SET taken = ? WHERE id = 1";
            transaction.execute(sql, &[head.position.into()]).await?;
            transaction.commit().await
        };
        write.await.map_err(failed("writing"))
    }

    /// Returns what a message says, or nothing where it is gone.
    pub async fn payload(&self, position: i64) -> Result<Option<Vec<u8>>, QueueError> {
        let sql = "SELECT payload FROM ieum_edge_message WHERE position = ?";
        let row = self.store.fetch_optional(sql, &[position.into()]).await.map_err(failed("reading"))?;
        row.map(|row| row.bytes("payload")).transpose().map_err(failed("reading"))
    }

    /// Lets go of messages, and notes that messages that came are dealt with. It writes even where there is nothing to
    /// write, so that it tells whether the disk takes anything.
    pub async fn settle(&self, gone: &[(i64, Why)], heard: &[String]) -> Result<(), QueueError> {
        let write = async {
            let mut transaction = self.store.begin_write().await?;
            remove(&mut transaction, gone).await?;
            for id in heard {
                let sql = "INSERT INTO ieum_edge_heard (message) VALUES (?) ON CONFLICT (message) DO NOTHING";
                transaction.execute(sql, &[id.as_str().into()]).await?;
            }
            if !heard.is_empty() {
                let sql = "DELETE FROM ieum_edge_heard WHERE number <= (SELECT MAX(number) FROM ieum_edge_heard) - ?";
                transaction.execute(sql, &[i64::try_from(HEARD).unwrap_or(i64::MAX).into()]).await?;
            } else if gone.is_empty() {
                transaction.execute("UPDATE ieum_edge_self SET taken = taken WHERE id = 1", &[]).await?;
            }
            transaction.commit().await
        };
        write.await.map_err(failed("writing"))
    }

    /// Tells whether a message that came was dealt with before.
    pub async fn was_heard(&self, id: &str) -> Result<bool, QueueError> {
        let sql = "SELECT number FROM ieum_edge_heard WHERE message = ?";
        let row = self.store.fetch_optional(sql, &[id.into()]).await.map_err(failed("reading"))?;
        Ok(row.is_some())
    }

    /// Closes it.
    pub async fn close(&self) {
        self.store.close().await;
    }
}

async fn remove(transaction: &mut Transaction, gone: &[(i64, Why)]) -> Result<(), StoreError> {
    for (position, _) in gone {
        let sql = "DELETE FROM ieum_edge_message WHERE position = ?";
        transaction.execute(sql, &[(*position).into()]).await?;
    }
    Ok(())
}

fn head_of(row: &Row) -> Result<Head, StoreError> {
    Ok(Head {
        position: row.int("position")?,
        kind: Kind::of(&row.text("kind")?).unwrap_or(Kind::Event),
        together: row.opt_text("together")?,
        size: usize::try_from(row.int("size")?).unwrap_or_default(),
        at: row.timestamp("at")?,
        flying: false,
        // It may have gone out before the process ended.
        again: true,
    })
}
