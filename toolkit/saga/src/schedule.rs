//! Something that is to happen at a time, and who does it.

use async_trait::async_trait;
use ieum_core::{Cx, Fault, Timestamp};
use ieum_store::Transaction;
use serde_json::Value;

/// Something that is to happen.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    /// Its id, 1 to 190 characters; setting it again moves it.
    pub id: String,
    /// What happens: the name that somebody answers to, such as `voice.timer`.
    pub name: String,
    /// Whose it is, to list it by; a device or person. May be empty.
    pub owner: String,
    /// When.
    pub at: Timestamp,
    /// What is needed then.
    pub payload: Value,
}

/// Something that is due.
#[derive(Clone, Debug, PartialEq)]
pub struct Due {
    /// The schedule.
    pub schedule: Schedule,
    /// How late it is, because nobody ran or an attempt failed.
    pub late: std::time::Duration,
    /// Which attempt it is, from 1.
    pub attempt: u32,
}

/// What comes after it happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Next {
    /// Nothing.
    Done,
    /// The same again at this time.
    At(Timestamp),
    /// Something else under the same id at this time.
    With(Timestamp, Value),
}

/// Does what is due.
#[async_trait]
pub trait OnDue: Send + Sync + 'static {
    /// Does it within `tx`, which commits together with its end: what is written and published through `tx` happens
    /// once, whatever is killed. A fault rolls it back; it is tried again later, whatever its code.
    async fn due(&self, cx: &Cx, tx: &mut Transaction, due: &Due) -> Result<Next, Fault>;
}
