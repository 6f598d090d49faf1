//! The queue of what is to be sent to devices: sent in order, again after a failure or a kill, under the same id.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use ieum_core::Fault;
use ieum_device::{Broker, Client, ClientOptions, Message};
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

use crate::dialogue::DialogManager;
use crate::store::Waiting;

/// How many are sent at once: they share a sync of the broker's.
const AT_ONCE: usize = 100;
/// What another process queued is seen after this time at the latest.
const LOOK: Duration = Duration::from_secs(1);

/// Sends what waits.
pub struct Sender {
    client: Client,
    manager: Arc<DialogManager>,
}

impl Sender {
    /// Attaches to the broker.
    pub fn attach(broker: &Broker, manager: &Arc<DialogManager>) -> Self {
        let client = broker.client("voice-sender", &ClientOptions::default());
        Self { client, manager: manager.clone() }
    }

    /// Sends until `stop`, and then what still waits.
    pub async fn run(self, stop: CancellationToken) {
        loop {
            let ending = stop.is_cancelled();
            let all = match self.round().await {
                Ok(all) => all,
                Err(fault) => {
                    tracing::warn!(error = %fault, "sending to devices failed; trying again");
                    false
                }
            };
            if ending {
                return;
            }
            if all {
                continue;
            }
            tokio::select! {
                () = self.manager.waiting.notified() => {}
                () = self.manager.clock.sleep(LOOK) => {}
                () = stop.cancelled() => {}
            }
        }
    }

    /// Sends one batch; returns whether there may be more right now.
    async fn round(&self) -> Result<bool, Fault> {
        let waiting = self.manager.store.waiting(AT_ONCE).await?;
        // Each is put into the devices' queues at its first poll, which is in order.
        let sent = join_all(waiting.iter().map(|reply| self.client.publish(message(reply)))).await;
        let mut stuck = HashSet::new();
        let mut done = Vec::with_capacity(waiting.len());
        for (reply, sent) in waiting.iter().zip(sent) {
            match sent {
                Ok(()) => done.push(reply.position),
                Err(error) => {
                    if stuck.insert(&reply.device) {
                        tracing::warn!(device = reply.device, error = %error, "an answer waits for its device");
                    }
                }
            }
        }
        self.manager.store.sent(&done).await?;
        Ok(stuck.is_empty() && waiting.len() == AT_ONCE)
    }
}

/// Puts an answer into the envelope that devices know.
fn message(reply: &Waiting) -> Message {
    let digest = Sha256::digest(reply.id.as_bytes());
    let hex = hex::encode(&digest[..16]);
    let id = format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]);
    let envelope = json!({
        "messageId": id,
        "timestamp": reply.at.as_millis(),
        "type": reply.kind,
        "payload": reply.payload,
    });
    Message::new(&format!("device/{}/response", reply.device), envelope.to_string())
        .with_content_type("application/json")
}
