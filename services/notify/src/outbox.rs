//! The messages as an outbox: storing, leasing, writing down what came of them, digests, letting go.

use std::time::Duration;

use ieum_contracts::notify::{Channel, MessageState, SendNotification};
use ieum_core::{Fault, Id, Timestamp, new_id};
use ieum_store::{Insert, Row, Transaction, Value};

use crate::store::{COLUMNS, NotifyStore, channel, id};
use crate::templates::Written;

/// What one statement of a purge removes, so that no transaction grows long.
const PURGED_AT_ONCE: u32 = 500;

/// A message that is to be sent, leased to this process.
#[derive(Clone, Debug)]
pub struct Outgoing {
    pub id: Id,
    pub channel: Channel,
    pub recipient: String,
    pub kind: String,
    pub template: String,
    pub payload: serde_json::Value,
    pub urgent: bool,
    pub digest: bool,
    /// The only provider that may be asked again, where it may have the message already.
    pub provider: Option<String>,
    pub attempts: u32,
}

/// A message that is to be stored.
pub struct NewMessage<'a> {
    pub wish: &'a SendNotification,
    pub channel: Channel,
    /// Written already, as messages in the page are.
    pub written: Option<&'a Written>,
}

/// An attempt that begins.
#[derive(Clone, Copy, Debug)]
pub struct Attempt<'a> {
    /// Who holds the lease.
    pub owner: &'a str,
    /// Who is asked.
    pub provider: &'a str,
    /// Which attempt it is, from 1; asking a second provider is the same one.
    pub number: u32,
    /// Until when nobody else may have the message.
    pub until: Timestamp,
    /// When it begins.
    pub now: Timestamp,
}

/// What became of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settled {
    Sent {
        reference: String,
        written: Written,
    },
    /// Not to be sent: `Skipped`, `Failed` or `Uncertain`.
    Ended(MessageState, String),
    /// Tried again at this time, with this provider only where one is named.
    Again {
        at: Timestamp,
        provider: Option<String>,
        why: String,
    },
    /// Kept for the digest of this time.
    Held(Timestamp),
}

impl NotifyStore {
    /// Leases what is due to `owner`.
    pub async fn claim(
        &self,
        owner: &str,
        most: usize,
        lease: Duration,
        now: Timestamp,
    ) -> Result<Vec<Outgoing>, Fault> {
        let mut tx = self.begin().await?;
        let lock = tx.dialect().limit_for_update_skip_locked();
        let sql = format!(
            "SELECT {COLUMNS} FROM ieum_notify_message WHERE state = 'pending' AND due_at <= ? AND lease_until <= ? \
             ORDER BY due_at LIMIT {most}{lock}"
        );
        let rows = tx.fetch_all(&sql, &[now.into(), now.into()]).await?;
        for row in &rows {
            let sql = "UPDATE ieum_notify_message SET lease_owner = ?, lease_until = ? WHERE id = ?";
            tx.execute(sql, &[owner.into(), (now + lease).into(), row.value("id")?.clone()]).await?;
        }
        tx.commit().await?;
        rows.iter().map(Outgoing::read).collect()
    }

    /// Writes down that a provider is asked now; returns false where the lease was lost, so that it must not be.
    pub async fn begin_attempt(&self, id: Id, attempt: &Attempt<'_>) -> Result<bool, Fault> {
        let sql = "UPDATE ieum_notify_message SET state = 'sending', provider = ?, attempts = ?, lease_until = ? \
                   WHERE id = ? AND lease_owner = ? AND lease_until > ? AND state IN ('pending', 'sending')";
        let Attempt { owner, provider, number, until, now } = *attempt;
        let number = i64::from(number);
        let values = [provider.into(), number.into(), until.into(), id.into(), owner.into(), now.into()];
        Ok(self.sql.execute(sql, &values).await? > 0)
    }

    /// Writes down what became of a message; returns false where somebody else has it by now.
    pub async fn settle(
        &self,
        owner: &str,
        id: Id,
        settled: &Settled,
        now: Timestamp,
    ) -> Result<bool, Fault> {
        let (change, mut values): (&str, Vec<Value>) = match settled {
            Settled::Sent { reference, written } => (
                "state = 'sent', reason = NULL, reference = ?, title = ?, body = ?, finished_at = ?",
                vec![
                    reference.as_str().into(),
                    written.title.as_str().into(),
                    written.body.as_str().into(),
                    now.into(),
                ],
            ),
            Settled::Ended(state, why) => (
                "state = ?, reason = ?, finished_at = ?",
                vec![state.name().into(), why.as_str().into(), now.into()],
            ),
            Settled::Again { at, provider, why } => (
                "state = 'pending', due_at = ?, provider = ?, reason = ?",
                vec![(*at).into(), provider.clone().into(), why.as_str().into()],
            ),
            Settled::Held(at) => {
                ("state = 'held', due_at = ?, reason = ?", vec![(*at).into(), "digest".into()])
            }
        };
        let sql = format!(
            "UPDATE ieum_notify_message SET {change}, lease_until = 0, lease_owner = NULL \
             WHERE id = ? AND lease_owner = ? AND state IN ('pending', 'sending')"
        );
        values.extend([id.into(), owner.into()]);
        Ok(self.sql.execute(&sql, &values).await? > 0)
    }

    /// Returns what dead processes were sending: messages with the provider that may have them.
    pub async fn interrupted(&self, now: Timestamp) -> Result<Vec<(Id, Channel, String)>, Fault> {
        let sql = "SELECT id, channel, provider FROM ieum_notify_message WHERE state = 'sending' \
                   AND lease_until <= ? ORDER BY due_at LIMIT 100";
        let rows = self.sql.fetch_all(sql, &[now.into()]).await?;
        let read = |row: &Row| Ok((id(row)?, channel(row)?, row.opt_text("provider")?.unwrap_or_default()));
        rows.iter().map(read).collect()
    }

    /// Decides about an interrupted message, unless somebody else did: again, by the same provider, or uncertain.
    pub async fn recover(&self, id: Id, again: bool, now: Timestamp) -> Result<bool, Fault> {
        let (change, mut values): (&str, Vec<Value>) = match again {
            true => ("state = 'pending', due_at = ?", vec![now.into()]),
            false => (
                "state = 'uncertain', reason = ?, finished_at = ?",
                vec!["the process ended while it was sent".into(), now.into()],
            ),
        };
        let sql = format!(
            "UPDATE ieum_notify_message SET {change}, lease_until = 0, lease_owner = NULL \
             WHERE id = ? AND state = 'sending' AND lease_until <= ?"
        );
        values.extend([id.into(), now.into()]);
        Ok(self.sql.execute(&sql, &values).await? > 0)
    }

    /// Returns the earliest time at which something is due.
    pub async fn next_due(&self) -> Result<Option<Timestamp>, Fault> {
        let sql = "SELECT MIN(due_at) AS due FROM ieum_notify_message WHERE state IN ('pending', 'held')";
        Ok(self.sql.fetch_one(sql, &[]).await?.opt_timestamp("due")?)
    }

    // --- digests ---

    /// Returns whose digest is due, and for which time.
    pub async fn due_digests(&self, now: Timestamp) -> Result<Vec<(String, Timestamp)>, Fault> {
        let sql = "SELECT recipient, MAX(due_at) AS due FROM ieum_notify_message WHERE state = 'held' \
                   AND due_at <= ? GROUP BY recipient LIMIT 100";
        let rows = self.sql.fetch_all(sql, &[now.into()]).await?;
        rows.iter().map(|row| Ok((row.text("recipient")?, row.timestamp("due")?))).collect()
    }

    /// Removes what has been over since before `until`, read or not; what is still to be sent stays.
    pub async fn purge(&self, until: Timestamp) -> Result<u64, Fault> {
        let mut removed = 0;
        loop {
            // MySQL deletes from no table that it reads from in a subquery, but from one derived of it.
            let sql = format!(
                "DELETE FROM ieum_notify_message WHERE id IN (SELECT id FROM (SELECT id FROM ieum_notify_message \
                 WHERE finished_at < ? ORDER BY finished_at LIMIT {PURGED_AT_ONCE}) AS old)"
            );
            let count = self.sql.execute(&sql, &[until.into()]).await?;
            removed += count;
            if count < u64::from(PURGED_AT_ONCE) {
                return Ok(removed);
            }
        }
    }
}

/// Stores messages, leaving out those that are known by notification, recipient and channel. Returns how many are new.
pub async fn insert(
    tx: &mut Transaction,
    messages: &[NewMessage<'_>],
    digest: bool,
    now: Timestamp,
) -> Result<u64, Fault> {
    let mut rows = Vec::new();
    for NewMessage { wish, channel, written } in messages {
        let payload = serde_json::to_string(&wish.values)
            .map_err(|error| Fault::internal("notify.values.json", error.to_string()))?;
        let state = if written.is_some() { MessageState::Sent } else { MessageState::Pending };
        rows.push(vec![
            new_id().into(),
            wish.notification_id.as_str().into(),
            channel.name().into(),
            wish.recipient_id.as_str().into(),
            wish.kind.as_str().into(),
            wish.template.as_str().into(),
            payload.into(),
            i64::from(wish.urgent).into(),
            i64::from(digest).into(),
            state.name().into(),
            0_i64.into(),
            written.map(|written| written.title.clone()).into(),
            written.map(|written| written.body.clone()).into(),
            now.into(),
            0_i64.into(),
            now.into(),
            written.map(|_| now).into(),
        ]);
    }
    let columns = [
        "id",
        "notification",
        "channel",
        "recipient",
        "kind",
        "template",
        "payload",
        "urgent",
        "digest",
        "state",
        "attempts",
        "title",
        "body",
        "due_at",
        "lease_until",
        "created_at",
        "finished_at",
    ];
    let insert = Insert::into("ieum_notify_message").columns(columns).rows(rows);
    Ok(insert.or_ignore(["notification", "recipient", "channel"]).run_in(tx).await?)
}

/// Locks and returns a recipient's messages that wait for a digest until `due`.
pub async fn held(tx: &mut Transaction, recipient: &str, due: Timestamp) -> Result<Vec<Outgoing>, Fault> {
    let lock = tx.dialect().for_update();
    let sql = format!(
        "SELECT {COLUMNS} FROM ieum_notify_message WHERE recipient = ? AND state = 'held' AND due_at <= ? \
         ORDER BY id LIMIT 500{lock}"
    );
    tx.fetch_all(&sql, &[recipient.into(), due.into()]).await?.iter().map(Outgoing::read).collect()
}

/// Ends a message that waited for a digest.
pub async fn end_held(
    tx: &mut Transaction,
    id: Id,
    state: MessageState,
    why: &str,
    now: Timestamp,
) -> Result<(), Fault> {
    let sql = "UPDATE ieum_notify_message SET state = ?, reason = ?, finished_at = ? WHERE id = ? AND state = 'held'";
    tx.execute(sql, &[state.name().into(), why.into(), now.into(), id.into()]).await?;
    Ok(())
}

impl Outgoing {
    fn read(row: &Row) -> Result<Self, Fault> {
        Ok(Self {
            id: id(row)?,
            channel: channel(row)?,
            recipient: row.text("recipient")?,
            kind: row.text("kind")?,
            template: row.text("template")?,
            payload: row.json("payload")?,
            urgent: row.int("urgent")? != 0,
            digest: row.int("digest")? != 0,
            provider: row.opt_text("provider")?,
            attempts: u32::try_from(row.int("attempts")?).unwrap_or(u32::MAX),
        })
    }
}
