//! What outlives the process, in SQL.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use ieum_core::Timestamp;
use ieum_store::{Insert, Row, Store, StoreError, Transaction, Value};
use sha2::{Digest, Sha256};

use crate::batch::Batch;
use crate::holder::{self, Holder, Standing};
use crate::hub::{Saved, SavedSession};
use crate::journal::{QueuedRecord, SessionRecord};
use crate::{Message, Quality};

/// The tables of sessions and messages.
#[derive(Clone)]
pub(crate) struct DeviceStore {
    store: Store,
    /// How many brokers have opened the tables, ours included.
    epoch: i64,
    own: Holder,
}

/// Why what outlives the process cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum DeviceStoreError {
    /// The store does not do as it is asked.
    #[error("{0} in the tables of devices")]
    Store(&'static str, #[source] StoreError),
    /// Another broker has opened the tables since.
    #[error(
        "another broker has taken over the tables of devices; let each broker have a database of its own"
    )]
    TakenOver,
    /// A session's row cannot be understood.
    #[error("reading the session {name:?} from its row")]
    Session {
        /// Its name.
        name: String,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
}

/// Rows that go, in one statement.
const MOST_REMOVED: usize = 500;

impl DeviceStore {
    /// Takes the tables over for who is called `name`: who had them before can write, and so acknowledge, nothing more.
    /// Returns that one too where it did not give them back.
    pub async fn take(
        store: Store,
        name: &str,
        now: Timestamp,
    ) -> Result<(Self, Option<Holder>), DeviceStoreError> {
        let own = Holder { name: holder::name(name), since: now };
        let (epoch, before) = holder::take(&store, &own).await?;
        Ok((Self { store, epoch, own }, before))
    }

    /// Gives the tables back: who takes them next takes them from nobody.
    pub async fn give_back(&self) -> Result<(), DeviceStoreError> {
        holder::give_back(&self.store, self.epoch).await
    }

    /// Shows whoever has taken the tables since that this one runs still.
    pub async fn show_life(&self) -> Result<(), DeviceStoreError> {
        holder::show_life(&self.store, self.epoch, &self.own).await
    }

    /// Returns whether the tables are this one's still, and whether nobody else believes that they are his.
    pub async fn standing(&self) -> Result<Standing, DeviceStoreError> {
        holder::standing(&self.store, self.epoch).await
    }

    /// Returns who has the tables; nobody where the last one gave them back.
    pub async fn holder(&self) -> Result<Option<Holder>, DeviceStoreError> {
        holder::current(&self.store).await
    }

    /// Does all of `batch` in one commit.
    pub async fn write(&self, batch: &Batch) -> Result<(), DeviceStoreError> {
        let failed = |error| DeviceStoreError::Store("writing changes", error);
        let mut transaction = self.store.begin_write().await.map_err(failed)?;
        // Locked until the commit, so that nobody takes over in between.
        let lock = transaction.dialect().for_update();
        let sql = format!("SELECT epoch FROM ieum_device_owner WHERE id = 1{lock}");
        let row = transaction.fetch_one(&sql, &[]).await.map_err(failed)?;
        if row.int("epoch").map_err(failed)? != self.epoch {
            return Err(DeviceStoreError::TakenOver);
        }
        remove(&mut transaction, batch).await.map_err(failed)?;
        put(&mut transaction, batch).await.map_err(failed)?;
        transaction.commit().await.map_err(failed)
    }

    /// Reads all there is.
    pub async fn load(&self) -> Result<Saved, DeviceStoreError> {
        let read = async |sql: &str| {
            self.store
                .fetch_all(sql, &[])
                .await
                .map_err(|error| DeviceStoreError::Store("reading rows", error))
        };
        let misread = |error| DeviceStoreError::Store("understanding a row", error);
        let mut sessions = HashMap::new();
        for row in read("SELECT name, body FROM ieum_device_session").await? {
            let name = row.text("name").map_err(misread)?;
            let record = serde_json::from_str::<SessionRecord>(&row.text("body").map_err(misread)?)
                .map_err(|source| DeviceStoreError::Session { name: name.clone(), source })?;
            sessions.insert(name, SavedSession { record, queue: Vec::new(), received: Vec::new() });
        }
        let mut saved = Saved::default();
        for row in read("SELECT * FROM ieum_device_queue ORDER BY position").await? {
            let queued = queued_of(&row).map_err(misread)?;
            saved.position = saved.position.max(queued.position);
            if let Some(session) = sessions.get_mut(&*queued.session) {
                session.queue.push(queued);
            }
        }
        for row in read("SELECT session, packet FROM ieum_device_received").await? {
            if let Some(session) = sessions.get_mut(&row.text("session").map_err(misread)?) {
                session.received.push(packet_of(row.int("packet").map_err(misread)?));
            }
        }
        for row in read("SELECT * FROM ieum_device_retained").await? {
            let mut message = message_of(&row).map_err(misread)?;
            message.retain = true;
            saved.retained.push(message);
        }
        saved.sessions = sessions.into_values().collect();
        Ok(saved)
    }

    /// Returns when each device was last seen.
    pub async fn seen(&self) -> Result<HashMap<String, Timestamp>, DeviceStoreError> {
        let misread = |error| DeviceStoreError::Store("understanding a row", error);
        let sql = "SELECT device, seen_at FROM ieum_device_seen";
        let rows = self.store.fetch_all(sql, &[]).await;
        let rows = rows.map_err(|error| DeviceStoreError::Store("reading who was seen", error))?;
        let seen = rows.iter().map(|row| Ok((row.text("device")?, row.timestamp("seen_at")?)));
        seen.collect::<Result<_, StoreError>>().map_err(misread)
    }
}

async fn remove(transaction: &mut Transaction, batch: &Batch) -> Result<(), StoreError> {
    for name in &batch.gone {
        for table in [
            "ieum_device_session WHERE name",
            "ieum_device_queue WHERE session",
            "ieum_device_received WHERE session",
        ] {
            transaction.execute(&format!("DELETE FROM {table} = ?"), &[Value::from(&**name)]).await?;
        }
    }
    for positions in batch.dequeued.chunks(MOST_REMOVED) {
        let holes = vec!["?"; positions.len()].join(", ");
        let values: Vec<Value> = positions.iter().map(|position| Value::from(*position)).collect();
        let sql = format!("DELETE FROM ieum_device_queue WHERE position IN ({holes})");
        transaction.execute(&sql, &values).await?;
    }
    for (name, packet) in &batch.released {
        let sql = "DELETE FROM ieum_device_received WHERE session = ? AND packet = ?";
        transaction.execute(sql, &[Value::from(&**name), Value::from(*packet)]).await?;
    }
    for topic in &batch.forgotten {
        let sql = "DELETE FROM ieum_device_retained WHERE topic_hash = ?";
        transaction.execute(sql, &[Value::from(hash(topic))]).await?;
    }
    Ok(())
}

async fn put(transaction: &mut Transaction, batch: &Batch) -> Result<(), StoreError> {
    let sessions = batch.sessions.iter().map(|(name, record)| {
        // A record has text keys and plain values alone.
        let body = serde_json::to_string(record).unwrap_or_default();
        vec![Value::from(&**name), Value::from(body)]
    });
    let insert = Insert::into("ieum_device_session").columns(["name", "body"]).rows(sessions);
    insert.or_update(["name"]).run_in(transaction).await?;
    let queued = batch.queued.values().map(|row| {
        let [topic, payload, properties, expires_at] = columns_of(&row.message);
        let identifiers: Vec<String> = row.identifiers.iter().map(u32::to_string).collect();
        vec![
            row.position.into(),
            Value::from(&*row.session),
            topic,
            payload,
            properties,
            i64::from(row.quality).into(),
            expires_at,
            i64::from(row.retain).into(),
            identifiers.join(",").into(),
            row.packet.into(),
            i64::from(row.released).into(),
        ]
    });
    let columns = [
        "position",
        "session",
        "topic",
        "payload",
        "properties",
        "quality",
        "expires_at",
        "retain",
        "identifiers",
        "packet",
        "released",
    ];
    let insert = Insert::into("ieum_device_queue").columns(columns).rows(queued);
    insert.or_ignore(["position"]).run_in(transaction).await?;
    for (position, (packet, released)) in &batch.moved {
        let sql = "UPDATE ieum_device_queue SET packet = ?, released = ? WHERE position = ?";
        let values = [Value::from(*packet), i64::from(*released).into(), Value::from(*position)];
        transaction.execute(sql, &values).await?;
    }
    let received =
        batch.received.iter().map(|(name, packet)| vec![Value::from(&**name), Value::from(*packet)]);
    let insert = Insert::into("ieum_device_received").columns(["session", "packet"]).rows(received);
    insert.or_ignore(["session", "packet"]).run_in(transaction).await?;
    let retained = batch.retained.values().map(|message| {
        let [topic, payload, properties, expires_at] = columns_of(message);
        let quality = i64::from(message.quality.number()).into();
        vec![hash(&message.topic).into(), topic, payload, properties, quality, expires_at]
    });
    let columns = ["topic_hash", "topic", "payload", "properties", "quality", "expires_at"];
    let insert = Insert::into("ieum_device_retained").columns(columns).rows(retained);
    insert.or_update(["topic_hash"]).run_in(transaction).await?;
    let seen = batch.seen.iter().map(|(device, at)| vec![Value::from(&**device), Value::from(*at)]);
    let insert = Insert::into("ieum_device_seen").columns(["device", "seen_at"]).rows(seen);
    insert.or_update(["device"]).run_in(transaction).await?;
    Ok(())
}

fn columns_of(message: &Message) -> [Value; 4] {
    [
        Value::from(&*message.topic),
        Value::from(&message.payload[..]),
        Value::from(&message.properties[..]),
        message.expires_at.into(),
    ]
}

/// A topic may be longer than a key may.
fn hash(topic: &str) -> String {
    hex::encode(Sha256::digest(topic))
}

fn packet_of(number: i64) -> u16 {
    u16::try_from(number).unwrap_or_default()
}

fn message_of(row: &Row) -> Result<Message, StoreError> {
    let quality = u8::try_from(row.int("quality")?).ok().and_then(Quality::of);
    Ok(Message {
        topic: row.text("topic")?.into(),
        payload: Bytes::from(row.bytes("payload")?),
        quality: quality.unwrap_or_default(),
        retain: false,
        expires_at: row.opt_timestamp("expires_at")?,
        properties: Bytes::from(row.bytes("properties")?),
    })
}

fn queued_of(row: &Row) -> Result<QueuedRecord, StoreError> {
    let message = message_of(row)?;
    let identifiers = row.text("identifiers")?;
    Ok(QueuedRecord {
        position: row.int("position")?,
        session: row.text("session")?.into(),
        quality: message.quality.number(),
        message: Arc::new(message),
        retain: row.int("retain")? != 0,
        identifiers: identifiers.split(',').filter_map(|text| text.parse().ok()).collect(),
        packet: row.opt_int("packet")?.map(packet_of),
        released: row.int("released")? != 0,
    })
}
