//! What comes back to a device: handed over one after the other, each once.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};

use crate::{Notice, Queue};

/// A message to a device.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Its topic.
    pub topic: String,
    /// What it says.
    pub payload: Bytes,
}

/// What is told of what happens to a device.
#[async_trait]
pub trait Listener: Send + Sync + 'static {
    /// Takes an answer. It counts as taken once this returns: after a cut or a kill before, it comes again.
    async fn answered(&self, answer: Answer);
    /// Takes notice of something.
    fn noticed(&self, notice: Notice);
}

/// An answer with what it is acknowledged by.
pub(crate) struct Come {
    /// Which connection it came by.
    pub generation: u64,
    pub id: Option<u16>,
    pub answer: Answer,
}

/// An answer that was dealt with, as the connection is to acknowledge it.
pub(crate) type Dealt = (u64, u16);

/// Hands over what comes until nobody sends any more.
pub(crate) async fn run(
    queue: Queue,
    listener: Arc<dyn Listener>,
    mut come: UnboundedReceiver<Come>,
    dealt: UnboundedSender<Dealt>,
) {
    while let Some(Come { generation, id, answer }) = come.recv().await {
        let name = name_of(&answer.payload);
        let known = match &name {
            Some(name) => queue.was_heard(name).await.unwrap_or(false),
            None => false,
        };
        if !known {
            listener.answered(answer).await;
            if let Some(name) = &name
                && let Err(error) = queue.heard(name).await
            {
                tracing::warn!(error = %ieum_core::describe(&error), "an answer may be told twice");
            }
        }
        if let Some(id) = id {
            // Whoever reads them is gone where the agent ends.
            let _ = dealt.send((generation, id));
        }
    }
}

/// Returns the id that tells messages apart, where it has one.
fn name_of(payload: &[u8]) -> Option<String> {
    let told: serde_json::Value = serde_json::from_slice(payload).ok()?;
    told["messageId"].as_str().filter(|id| (1..=150).contains(&id.len())).map(str::to_owned)
}
