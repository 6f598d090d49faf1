//! What voice keeps of people and devices goes with them: things follow their device, and of who is known no more nothing
//! stays.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use ieum_bus::{Consumer, Event};
use ieum_contracts::identity::{DEVICE_REGISTERED, DEVICE_REMOVED, Device, USER_REMOVED, UserId};
use ieum_contracts::voice::{ContextEngine, ForgetPerson};
use ieum_core::{Cx, Fault, SharedClock, Timestamp};
use ieum_saga::Schedules;
use ieum_store::{Transaction, Value};
use serde::de::DeserializeOwned;

use crate::directory::Directory;
use crate::replies::{device_lane, person_lane};
use crate::store::Known;

/// How often forgetting elsewhere is tried.
const TRIES: u32 = 12;
/// The consumer group.
pub const LEAVING: &str = "voice-leaving";

/// Listens to what happens to devices and people.
pub struct Leaving {
    pub directory: Directory,
    pub contexts: Arc<dyn ContextEngine>,
    pub schedules: Schedules,
    pub clock: SharedClock,
}

fn data<T: DeserializeOwned>(event: &Event) -> Result<T, Fault> {
    serde_json::from_value(event.data.clone()).map_err(|error| {
        Fault::invalid_argument("voice.event.invalid", format!("reading an event of {}: {error}", event.kind))
    })
}

#[async_trait]
impl Consumer for Leaving {
    async fn handle(&self, cx: &Cx, event: &Event, tx: &mut Transaction) -> Result<(), Fault> {
        match event.kind.as_str() {
            DEVICE_REMOVED => {
                let device: Device = data(event)?;
                forget_words(tx, &device.device_id, event.time).await?;
                let zone = "DELETE FROM ieum_voice_zone WHERE device = ? AND user_id = ?";
                tx.execute(zone, &[device.device_id.as_str().into(), device.user_id.into()]).await?;
                self.follow(cx, &device.device_id, tx).await
            }
            DEVICE_REGISTERED => self.follow(cx, &data::<Device>(event)?.device_id, tx).await,
            USER_REMOVED => self.forget(cx, data(event)?, event, tx).await,
            _ => Ok(()),
        }
    }
}

impl Leaving {
    /// Gives a device's things to whose the device is now, whatever the order in which that was told.
    async fn follow(&self, cx: &Cx, device: &str, tx: &mut Transaction) -> Result<(), Fault> {
        let owner = self.directory.owner_now(cx, device).await?;
        let sql = "UPDATE ieum_voice_thing SET user_id = ? WHERE device = ?";
        tx.execute(sql, &[owner.into(), device.into()]).await?;
        Ok(())
    }

    /// Forgets a person. Somebody who was saved again under the same id since is another one, and begins anew as well.
    async fn forget(&self, cx: &Cx, gone: UserId, event: &Event, tx: &mut Transaction) -> Result<(), Fault> {
        let user = gone.user_id;
        for sql in [
            "DELETE FROM ieum_voice_thing WHERE user_id = ?",
            "DELETE FROM ieum_voice_activity WHERE user_id = ?",
            "DELETE FROM ieum_voice_nudge WHERE user_id = ?",
            "DELETE FROM ieum_voice_zone WHERE user_id = ?",
            // Sessions that are kept in this very store; a call to it would wait for this transaction.
            "DELETE FROM ieum_voice_context WHERE user_id = ?",
            "DELETE FROM ieum_voice_reply WHERE person = ?",
        ] {
            tx.execute(sql, &[user.as_str().into()]).await?;
        }
        let waiting = "DELETE FROM ieum_voice_reply WHERE device = ?";
        tx.execute(waiting, &[person_lane(&user).into()]).await?;
        forget_recordings(tx, &format!("user:{user}"), event.time).await?;
        forget_turns(tx, &user).await?;
        self.schedules.forget_in(tx, &user).await?;
        self.directory.forget(&user);
        let elsewhere = (self.contexts.clone(), self.clock.clone());
        tokio::spawn(forget_elsewhere(elsewhere, cx.with_idempotency_key(&event.id), user));
        Ok(())
    }
}

/// Forgets the sessions of a person that another process or database keeps, and what is cached of them. It is tried again
/// for about an hour.
async fn forget_elsewhere((contexts, clock): (Arc<dyn ContextEngine>, SharedClock), cx: Cx, user_id: String) {
    let mut wait = Duration::from_secs(1);
    for _ in 0..TRIES {
        match contexts.forget(&cx, ForgetPerson { user_id: user_id.clone() }).await {
            Ok(_) => return,
            Err(fault) => {
                tracing::warn!(error = %fault, "forgetting a person's sessions failed; trying again")
            }
        }
        clock.sleep(wait).await;
        wait *= 2;
    }
    tracing::error!("a person's sessions could not be forgotten where they are kept");
}

/// Forgets what was said to a device that is its person's no more, and what waits for it.
async fn forget_words(tx: &mut Transaction, device: &str, at: Timestamp) -> Result<(), Fault> {
    let sql = "DELETE FROM ieum_voice_reply WHERE device = ? AND at <= ?";
    tx.execute(sql, &[device_lane(device).into(), at.into()]).await?;
    forget_recordings(tx, device, at).await
}

async fn forget_recordings(tx: &mut Transaction, recorder: &str, at: Timestamp) -> Result<(), Fault> {
    for sql in [
        "DELETE FROM ieum_voice_chunk WHERE device = ? AND at <= ?",
        "DELETE FROM ieum_voice_heard WHERE device = ? AND at <= ?",
    ] {
        tx.execute(sql, &[recorder.into(), at.into()]).await?;
    }
    Ok(())
}

/// Forgets the turns of a person: they are kept by their keys, and what they hold says whose they are.
async fn forget_turns(tx: &mut Transaction, user: &str) -> Result<(), Fault> {
    let letter =
        |letter: char| if "!%_".contains(letter) { format!("!{letter}") } else { letter.to_string() };
    let named: String = serde_json::Value::from(user).to_string().chars().map(letter).collect();
    let sql = "SELECT id, answer FROM ieum_voice_turn WHERE answer LIKE ? ESCAPE '!'";
    let rows = tx.fetch_all(sql, &[format!("%\"userId\":{named}%").into()]).await?;
    for row in &rows {
        let known = serde_json::from_str::<Known>(&row.text("answer")?);
        if known.is_ok_and(|known| known.answer.user_id == user) {
            let id: Value = row.text("id")?.into();
            tx.execute("DELETE FROM ieum_voice_turn WHERE id = ?", &[id]).await?;
        }
    }
    Ok(())
}
