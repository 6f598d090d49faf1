//! Sends messages of Hermes, and waits for those that tell that something is over.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use ieum_core::{SharedClock, within};
use ieum_device::{Client, Message, Quality};
use parking_lot::Mutex;
use serde_json::Value;
use tokio::sync::oneshot;

/// A property of what we send ourselves, by which it is known where it comes back.
const OWN: (&str, &str) = ("from", "ieum");

/// Where messages go out, and who waits for what.
pub struct Post {
    client: Client,
    clock: SharedClock,
    waiting: Mutex<HashMap<String, oneshot::Sender<()>>>,
}

/// Waits until something is over.
pub struct Wait {
    key: String,
    over: oneshot::Receiver<()>,
    post: Arc<Post>,
}

impl Post {
    /// Sends through `client`.
    pub fn new(client: Client, clock: SharedClock) -> Arc<Self> {
        Arc::new(Self { client, clock, waiting: Mutex::default() })
    }

    /// Tells whether a message is one of ours.
    pub fn is_own(message: &Message) -> bool {
        message.user_properties().iter().any(|(name, value)| (name.as_str(), value.as_str()) == OWN)
    }

    /// Sends JSON. What cannot be sent is lost, as it is to whoever is not there: the protocol knows no more.
    pub async fn tell(&self, topic: &str, body: &Value) {
        self.send(Message::new(topic, body.to_string())).await;
    }

    /// Sends sound.
    pub async fn play(&self, topic: &str, wave: Vec<u8>) {
        self.send(Message::new(topic, wave).with_quality(Quality::AtMostOnce)).await;
    }

    async fn send(&self, message: Message) {
        let topic = message.topic.clone();
        if let Err(error) = self.client.publish(message.with_property(OWN.0, OWN.1)).await {
            tracing::warn!(topic = &*topic, error = %error, "a message of hermes was not sent");
        }
    }

    /// Begins to wait for the end of what goes by `key`, such as `said/1`.
    pub fn wait(self: &Arc<Self>, key: String) -> Wait {
        let (sender, over) = oneshot::channel();
        self.waiting.lock().insert(key.clone(), sender);
        Wait { key, over, post: Arc::clone(self) }
    }

    /// Tells that something is over.
    pub fn over(&self, key: &str) {
        if let Some(waiting) = self.waiting.lock().remove(key) {
            // Who no longer waits need not be told.
            let _ = waiting.send(());
        }
    }
}

impl Wait {
    /// Waits for the end, no longer than `most`.
    pub async fn at_most(mut self, most: Duration) {
        let clock = self.post.clock.clone();
        let _ = within(&clock, clock.moment() + most, &mut self.over).await;
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        self.post.waiting.lock().remove(&self.key);
    }
}
