//! Queries over recipients and their messages, for people who ask.

use ieum_contracts::notify::{
    Channel, ListMessages, MessageState, MessageStatus, NotificationStatus, Recipient,
};
use ieum_core::{Fault, Id, Timestamp};
use ieum_store::{Row, Store, Transaction, Value};

/// Columns of a message, as they are read here and in the outbox.
pub(crate) const COLUMNS: &str = "id, notification, channel, recipient, kind, template, payload, urgent, digest, \
                                  state, reason, provider, reference, attempts, title, body, due_at, created_at, \
                                  read_at";
/// The most messages in one answer.
pub(crate) const MOST_LISTED: u32 = 200;

/// The service's tables.
#[derive(Clone)]
pub struct NotifyStore {
    pub(crate) sql: Store,
}

impl NotifyStore {
    pub fn new(sql: Store) -> Self {
        Self { sql }
    }

    pub async fn begin(&self) -> Result<Transaction, Fault> {
        Ok(self.sql.begin_write().await?)
    }

    // --- recipients ---

    pub async fn save_recipient(&self, recipient: &Recipient, now: Timestamp) -> Result<(), Fault> {
        let json = serde_json::to_string(recipient)
            .map_err(|error| Fault::internal("notify.recipient.json", error.to_string()))?;
        let columns = ["id", "recipient", "follows_any", "updated_at"];
        let sql = self.sql.dialect().upsert("ieum_notify_recipient", &["id"], &columns);
        let follows = i64::from(!recipient.follows.is_empty());
        let values: [Value; 4] =
            [recipient.recipient_id.as_str().into(), json.into(), follows.into(), now.into()];
        self.sql.execute(&sql, &values).await?;
        Ok(())
    }

    pub async fn recipient(&self, id: &str) -> Result<Option<Recipient>, Fault> {
        let sql = "SELECT recipient FROM ieum_notify_recipient WHERE id = ?";
        let row = self.sql.fetch_optional(sql, &[id.into()]).await?;
        row.map(|row| recipient(&row)).transpose()
    }

    /// Removes a recipient with every message.
    pub async fn remove_recipient(&self, id: &str) -> Result<(), Fault> {
        let mut tx = self.begin().await?;
        tx.execute("DELETE FROM ieum_notify_message WHERE recipient = ?", &[id.into()]).await?;
        tx.execute("DELETE FROM ieum_notify_recipient WHERE id = ?", &[id.into()]).await?;
        Ok(tx.commit().await?)
    }

    // --- asking ---

    pub async fn notification(&self, id: &str) -> Result<Option<NotificationStatus>, Fault> {
        let sql = format!(
            "SELECT {COLUMNS} FROM ieum_notify_message WHERE notification = ? ORDER BY id LIMIT 1000"
        );
        let rows = self.sql.fetch_all(&sql, &[id.into()]).await?;
        let messages: Vec<MessageStatus> = rows.iter().map(status).collect::<Result<_, _>>()?;
        Ok((!messages.is_empty()).then(|| NotificationStatus { notification_id: id.to_owned(), messages }))
    }

    pub async fn message(&self, id: &str) -> Result<Option<MessageStatus>, Fault> {
        let sql = format!("SELECT {COLUMNS} FROM ieum_notify_message WHERE id = ?");
        let row = self.sql.fetch_optional(&sql, &[id.into()]).await?;
        row.as_ref().map(status).transpose()
    }

    pub async fn list(&self, ask: &ListMessages) -> Result<Vec<MessageStatus>, Fault> {
        let mut sql = format!("SELECT {COLUMNS} FROM ieum_notify_message WHERE 1 = 1");
        let mut values: Vec<Value> = Vec::new();
        let mut filter = |clause: &str, value: Option<Value>| {
            if let Some(value) = value {
                sql.push_str(clause);
                values.push(value);
            }
        };
        filter(" AND recipient = ?", ask.recipient_id.as_deref().map(Value::from));
        filter(" AND channel = ?", ask.channel.map(|channel| channel.name().into()));
        filter(" AND state = ?", ask.state.map(|state| state.name().into()));
        filter(" AND id < ?", ask.before.as_deref().map(Value::from));
        if ask.unread {
            sql.push_str(" AND read_at IS NULL");
        }
        let limit = ask.limit.unwrap_or(50).clamp(1, MOST_LISTED);
        sql.push_str(&format!(" ORDER BY id DESC LIMIT {limit}"));
        self.sql.fetch_all(&sql, &values).await?.iter().map(status).collect()
    }

    /// Counts messages in the page that were not read.
    pub async fn unread(&self, recipient: &str) -> Result<u64, Fault> {
        let sql = "SELECT COUNT(*) AS n FROM ieum_notify_message WHERE recipient = ? AND channel = 'in_app' \
                   AND state = 'sent' AND read_at IS NULL";
        let row = self.sql.fetch_one(sql, &[recipient.into()]).await?;
        Ok(u64::try_from(row.int("n")?).unwrap_or(0))
    }

    pub async fn mark_read(&self, id: &str, now: Timestamp) -> Result<(), Fault> {
        let sql = "UPDATE ieum_notify_message SET read_at = ? WHERE id = ? AND channel = 'in_app' \
                   AND read_at IS NULL";
        self.sql.execute(sql, &[now.into(), id.into()]).await?;
        Ok(())
    }

    /// Makes a failed or uncertain message due again; returns whether it was one.
    pub async fn resend(&self, id: &str, now: Timestamp) -> Result<bool, Fault> {
        let sql = "UPDATE ieum_notify_message SET state = 'pending', reason = NULL, provider = NULL, attempts = 0, \
                   due_at = ?, lease_until = 0, finished_at = NULL WHERE id = ? AND state IN ('failed', 'uncertain')";
        Ok(self.sql.execute(sql, &[now.into(), id.into()]).await? > 0)
    }
}

/// Returns the recipients who follow any event, within the caller's transaction.
pub async fn followers(tx: &mut Transaction) -> Result<Vec<Recipient>, Fault> {
    let sql = "SELECT recipient FROM ieum_notify_recipient WHERE follows_any = 1 ORDER BY id";
    tx.fetch_all(sql, &[]).await?.iter().map(recipient).collect()
}

/// Returns a recipient within the caller's transaction.
pub async fn recipient_within(tx: &mut Transaction, id: &str) -> Result<Option<Recipient>, Fault> {
    let sql = "SELECT recipient FROM ieum_notify_recipient WHERE id = ?";
    let row = tx.fetch_optional(sql, &[id.into()]).await?;
    row.map(|row| recipient(&row)).transpose()
}

fn recipient(row: &Row) -> Result<Recipient, Fault> {
    let text = row.text("recipient")?;
    serde_json::from_str(&text).map_err(|_| damaged("a recipient"))
}

fn status(row: &Row) -> Result<MessageStatus, Fault> {
    let state = row.text("state")?;
    let state = MessageState::ALL.into_iter().find(|known| known.name() == state);
    let state = state.ok_or_else(|| damaged("a message's state"))?;
    let waits = matches!(state, MessageState::Pending | MessageState::Held);
    Ok(MessageStatus {
        message_id: row.text("id")?,
        notification_id: row.text("notification")?,
        recipient_id: row.text("recipient")?,
        channel: channel(row)?,
        kind: row.text("kind")?,
        state,
        reason: row.opt_text("reason")?,
        provider: row.opt_text("provider")?,
        provider_reference: row.opt_text("reference")?,
        attempts: u32::try_from(row.int("attempts")?).unwrap_or(u32::MAX),
        title: row.opt_text("title")?,
        body: row.opt_text("body")?,
        created_at: row.timestamp("created_at")?,
        due_at: if waits { row.opt_timestamp("due_at")? } else { None },
        read_at: row.opt_timestamp("read_at")?,
    })
}

pub(crate) fn channel(row: &Row) -> Result<Channel, Fault> {
    let name = row.text("channel")?;
    Channel::ALL.into_iter().find(|known| known.name() == name).ok_or_else(|| damaged("a message's channel"))
}

pub(crate) fn id(row: &Row) -> Result<Id, Fault> {
    row.text("id")?.parse().map_err(|_| damaged("a message's id"))
}

pub(crate) fn damaged(what: &str) -> Fault {
    Fault::internal("notify.damaged", format!("{what} in the store cannot be understood"))
}
