//! What every backend of documents can do.

use async_trait::async_trait;
use ieum_core::Timestamp;
use serde_json::{Map, Value};

use crate::DocumentsError;

/// The most entries that a document shows.
pub const SHOWN: usize = 20;

/// A kind of document: where they are kept, and under which names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Collection {
    /// The table or collection.
    pub name: &'static str,
    /// The name of [`Key::owner`] there.
    pub owner: &'static str,
    /// The name of [`Key::id`] there.
    pub id: &'static str,
    /// The field of an entry that holds [`Entry::id`]. Nothing within an entry's body has a field of this name.
    pub entry_id: &'static str,
}

/// Which document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key<'a> {
    /// Whose it is, 120 characters at most.
    pub owner: &'a str,
    /// Which of the owner's, 120 characters at most.
    pub id: &'a str,
}

/// What is added to a document.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// By what it is known again within its document.
    pub id: String,
    /// What it holds beside its id.
    pub body: Map<String, Value>,
    /// What the document's state is from now on.
    pub state: Value,
    /// When.
    pub at: Timestamp,
}

/// A document as it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// How many entries were added, those included that are gone.
    pub count: u64,
    /// Its state.
    pub state: Value,
    /// The last entries with their ids, the oldest first, [`SHOWN`] at most.
    pub entries: Vec<Value>,
    /// When the last one was added.
    pub updated_at: Timestamp,
}

/// Keeps documents. Old entries go, as many as each backend sees fit; the count and the last entry never do.
#[async_trait]
pub trait Documents: Send + Sync + 'static {
    /// Returns a document; `None` where nothing was ever added under the key.
    async fn get(&self, of: &Collection, key: Key<'_>) -> Result<Option<Document>, DocumentsError>;

    /// Adds an entry, counts it and replaces the state, all at once or not at all; makes the document where there is
    /// none. An entry that is still among the kept ones changes neither count, state nor entries. What is returned is
    /// kept, whatever fails afterwards. After an error it may be kept or not: adding it again is harmless.
    async fn add(&self, to: &Collection, key: Key<'_>, entry: Entry) -> Result<Document, DocumentsError>;

    /// Forgets every document of an owner; returns how many there were. Forgetting again is harmless.
    async fn forget(&self, of: &Collection, owner: &str) -> Result<u64, DocumentsError>;

    /// Asks the backend for an answer.
    async fn ping(&self) -> Result<(), DocumentsError>;

    /// Tells whether they are kept by a server of their own, and not in the store of this process.
    fn is_remote(&self) -> bool;

    /// Returns what this backend gives and lacks, one sentence each, for `ieum doctor`.
    fn sentences(&self) -> Vec<&'static str>;
}
