//! Fresh documents of some backend for one test.

use std::sync::Arc;

use ieum_core::{Timestamp, new_id, system_clock};
use ieum_documents::{Collection, Document, Documents, Entry, Key, SqlDocuments, open_documents};
use ieum_store::{Store, StoreOptions, Synchronous};
use ieum_testkit::backend::SqlStore;
use serde_json::{Value, json};

pub const NOTES: Collection =
    Collection { name: "ieum_test_notes", owner: "person", id: "book", entry_id: "noteId" };

pub struct Backend {
    pub documents: Arc<dyn Documents>,
    /// Stands before every owner: tests on one server share it.
    prefix: String,
    database: SqlStore,
    store: Store,
}

impl Backend {
    pub async fn get(&self, owner: &str, id: &str) -> Option<Document> {
        let owner = format!("{}{owner}", self.prefix);
        self.documents.get(&NOTES, Key { owner: &owner, id }).await.expect("reads")
    }

    pub async fn add(&self, owner: &str, id: &str, entry: Entry) -> Document {
        let owner = format!("{}{owner}", self.prefix);
        self.documents.add(&NOTES, Key { owner: &owner, id }, entry).await.expect("adds")
    }

    pub async fn forget(&self, owner: &str) -> u64 {
        self.documents.forget(&NOTES, &format!("{}{owner}", self.prefix)).await.expect("forgets")
    }

    pub async fn clean_up(self) {
        self.store.close().await;
        self.database.clean_up().await;
    }
}

/// An entry that says `text`, after which the state names it.
pub fn note(id: &str, text: impl Into<Value>) -> Entry {
    let body = json!({ "text": text.into() });
    let body = body.as_object().cloned().expect("is an object");
    let at = Timestamp::parse("2026-05-01T03:00:00.25Z").expect("is a time");
    Entry { id: id.to_owned(), body, state: json!({ "last": id }), at }
}

pub fn ids(document: &Document) -> Vec<&str> {
    document.entries.iter().map(|entry| entry["noteId"].as_str().expect("has an id")).collect()
}

pub async fn sqlite() -> Backend {
    over("sql:", SqlStore::sqlite()).await
}

/// Documents on the SQL server `name`, where one was started.
pub async fn on(name: &str) -> Option<Backend> {
    Some(over("sql:", SqlStore::on(name).await?).await)
}

/// Documents on the MongoDB server, where one was started.
#[cfg(feature = "mongo")]
pub async fn in_mongodb() -> Option<Backend> {
    Some(over(&ieum_testkit::server::require("mongodb")?, SqlStore::sqlite()).await)
}

pub async fn over(url: &str, database: SqlStore) -> Backend {
    let options = StoreOptions { sqlite_synchronous: Synchronous::Off, ..StoreOptions::default() };
    let store = Store::open(&database.url, &options).await.expect("opens the store");
    store.execute(&SqlDocuments::table(&NOTES, store.dialect()), &[]).await.expect("makes the table");
    let documents = open_documents(url, store.clone(), system_clock()).await.expect("opens");
    documents.ping().await.expect("answers");
    Backend { documents, prefix: new_id().simple().to_string(), database, store }
}
