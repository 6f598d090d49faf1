//! Documents in MongoDB: adding an entry is one `findAndModify` that pushes, trims, counts and replaces the state,
//! acknowledged by a majority and written to the journal
//! (<https://www.mongodb.com/docs/manual/reference/command/findAndModify/>).

use std::time::Duration;

use async_trait::async_trait;
use ieum_core::{SharedClock, Timestamp, within};
use mongodb::bson::{Bson, DateTime, Document as BsonDocument, doc};
use mongodb::error::{Error, ErrorKind, WriteFailure};
use mongodb::options::{
    Acknowledgment, ClientOptions, ConnectionString, ReadConcern, ReturnDocument, WriteConcern,
};
use mongodb::{Client, Database};
use serde_json::Value as Json;

use crate::{Collection, Document, Documents, DocumentsError, Entry, Key, SHOWN};

/// The entries that are kept; the oldest go. An entry is known again among these.
const KEPT: i32 = 64;
/// Two that make the same document at once meet in its key; the loser adds to what the winner made.
const MOST_ATTEMPTS: usize = 5;
/// How long a server that takes writes is looked for.
const SEARCH: Duration = Duration::from_secs(2);
/// How long a whole operation may take, the search included.
const LIMIT: Duration = Duration::from_secs(3);
/// MongoDB's code of a key that is there already.
const DUPLICATE: i32 = 11_000;

/// Documents in MongoDB, or in what speaks its protocol. The key is `_id`, the entries are `entries`, beside them stand
/// `count`, `state` and `updatedAt` (a date: an index on it may let old documents expire).
pub struct MongoDocuments {
    database: Database,
    /// Its address without user and password.
    url: String,
    clock: SharedClock,
}

/// What an operation ends with, in the driver's words.
type Done<T> = Result<T, Error>;

impl MongoDocuments {
    /// Names the database at `mongodb://[user:password@]host[:port][,…]/database[?options]` without asking for it yet.
    ///
    /// # Errors
    /// An address that cannot be read.
    pub async fn open(url: &str, clock: SharedClock) -> Result<Self, DocumentsError> {
        let wrong = |problem| DocumentsError::Url { url: ieum_core::redact_url(url), problem };
        let parsed = parse(url).map_err(wrong)?;
        let mut options =
            ClientOptions::parse(parsed).await.map_err(|error| wrong(without_prefix(&error)))?;
        let hosts: Vec<String> = options.hosts.iter().map(ToString::to_string).collect();
        let name = options.default_database.clone().unwrap_or_default();
        options.app_name = Some("ieum".to_owned());
        options.server_selection_timeout = Some(SEARCH);
        options.connect_timeout = Some(SEARCH);
        // What is returned is kept, and what is read is the latest, whatever the address says.
        options.write_concern =
            Some(WriteConcern::builder().w(Acknowledgment::Majority).journal(true).w_timeout(LIMIT).build());
        options.read_concern = Some(ReadConcern::majority());
        options.selection_criteria = None;
        let client = Client::with_options(options).map_err(|error| wrong(without_prefix(&error)))?;
        let url = format!("mongodb://{}/{name}", hosts.join(","));
        Ok(Self { database: client.database(&name), url, clock })
    }

    /// Runs an operation within [`LIMIT`].
    async fn run<T>(
        &self,
        step: &'static str,
        work: impl Future<Output = Done<T>>,
    ) -> Result<T, DocumentsError> {
        let url = || self.url.clone();
        match within(&self.clock, self.clock.moment() + LIMIT, work).await {
            Some(Ok(done)) => Ok(done),
            Some(Err(error)) if is_unreachable(&error) => {
                Err(DocumentsError::Unreachable { step, url: url(), source: error.kind })
            }
            Some(Err(error)) => Err(DocumentsError::Refused { step, url: url(), source: error.kind }),
            None => Err(DocumentsError::Late { step, url: url(), limit: LIMIT }),
        }
    }

    async fn find(&self, of: &Collection, filter: BsonDocument) -> Done<Option<BsonDocument>> {
        self.database.collection(of.name).find_one(filter).await
    }

    /// Adds the entry to a document that does not hold it, and makes one where there is none.
    async fn upsert(&self, to: &Collection, key: Key<'_>, entry: &Entry) -> Done<Option<BsonDocument>> {
        let mut line = doc! { to.entry_id: &entry.id };
        let body = entry.body.iter().filter(|(name, _)| *name != to.entry_id);
        line.extend(body.map(|(name, value)| (name.clone(), to_bson(value))));
        let change = doc! {
            "$push": { "entries": { "$each": [line], "$slice": -KEPT } },
            "$inc": { "count": 1_i64 },
            "$set": { "state": to_bson(&entry.state), "updatedAt": DateTime::from_millis(entry.at.as_millis()) },
        };
        let unknown = doc! { "_id": id(to, key), entry_field(to): { "$ne": &entry.id } };
        let documents = self.database.collection(to.name);
        let upserted = documents.find_one_and_update(unknown, change).upsert(true);
        upserted.return_document(ReturnDocument::After).await
    }

    /// Adds the entry, whoever makes the document meanwhile. Returns `None` where it changed again and again.
    async fn add_once(&self, to: &Collection, key: Key<'_>, entry: &Entry) -> Done<Option<BsonDocument>> {
        for _ in 0..MOST_ATTEMPTS {
            match self.upsert(to, key, entry).await {
                // No document without the entry, and one may not be made: it is known, or another one was faster.
                Err(error) if is_duplicate(&error) => {
                    let known = doc! { "_id": id(to, key), entry_field(to): &entry.id };
                    if let Some(known) = self.find(to, known).await? {
                        return Ok(Some(known));
                    }
                }
                done => return done,
            }
        }
        Ok(None)
    }
}

#[async_trait]
impl Documents for MongoDocuments {
    async fn get(&self, of: &Collection, key: Key<'_>) -> Result<Option<Document>, DocumentsError> {
        let found = self.find(of, doc! { "_id": id(of, key) });
        self.run("reading a document", found).await?.map(read).transpose()
    }

    async fn add(&self, to: &Collection, key: Key<'_>, entry: Entry) -> Result<Document, DocumentsError> {
        let added = self.run("adding to a document", self.add_once(to, key, &entry)).await?;
        let problem = format!("others made it {MOST_ATTEMPTS} times meanwhile; try again");
        read(added.ok_or(DocumentsError::Shape { step: "adding to", problem })?)
    }

    async fn forget(&self, of: &Collection, owner: &str) -> Result<u64, DocumentsError> {
        let documents = self.database.collection::<BsonDocument>(of.name);
        let own = doc! { format!("_id.{}", of.owner): owner };
        let gone = async { documents.delete_many(own).await };
        Ok(self.run("forgetting documents", gone).await?.deleted_count)
    }

    async fn ping(&self) -> Result<(), DocumentsError> {
        let asked = async { self.database.run_command(doc! { "ping": 1 }).await };
        self.run("asking for documents", asked).await.map(drop)
    }

    fn is_remote(&self) -> bool {
        true
    }

    fn sentences(&self) -> Vec<&'static str> {
        vec![
            "gives documents in MongoDB: an entry is one upsert, acknowledged by a majority and in the journal",
            "lacks a place in the sql store's backup: the database needs one of its own",
        ]
    }
}

// === Addresses ===

/// Says what is wrong with an address, without asking anybody and without repeating a password.
pub fn check(url: &str) -> Result<(), String> {
    parse(url).map(drop)
}

fn parse(url: &str) -> Result<ConnectionString, String> {
    let hint = "write mongodb://host/database";
    let problem = |error: &Error| format!("{}; {hint}", without_prefix(error));
    let parsed = ConnectionString::parse(url).map_err(|error| match without_user(url) {
        // The driver may repeat what it does not understand, so it is shown an address without secrets.
        Some(bare) => match ConnectionString::parse(bare) {
            Ok(_) => "user and password must be percent-encoded".to_owned(),
            Err(error) => problem(&error),
        },
        None => problem(&error),
    })?;
    if parsed.default_database.as_deref().is_none_or(str::is_empty) {
        return Err(format!("it names no database; {hint}"));
    }
    Ok(parsed)
}

/// Returns the address without user and password, where it has any.
fn without_user(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let (front, options) = rest.split_at(rest.find('?').unwrap_or(rest.len()));
    let (_, hosts) = front.rsplit_once('@')?;
    Some(format!("{scheme}://{hosts}{options}"))
}

fn without_prefix(error: &Error) -> String {
    match error.kind.as_ref() {
        ErrorKind::InvalidArgument { message, .. } => message.clone(),
        _ => error.to_string(),
    }
}

// === Failures ===

fn is_unreachable(error: &Error) -> bool {
    let kind = error.kind.as_ref();
    // What the driver repeats itself is a server that ends or hands over.
    error.contains_label("RetryableWriteError")
        || matches!(
            kind,
            ErrorKind::ServerSelection { .. } | ErrorKind::Io(_) | ErrorKind::ConnectionPoolCleared { .. }
        )
}

fn is_duplicate(error: &Error) -> bool {
    match error.kind.as_ref() {
        ErrorKind::Write(WriteFailure::WriteError(write)) => write.code == DUPLICATE,
        ErrorKind::Command(command) => command.code == DUPLICATE,
        _ => false,
    }
}

// === Documents ===

fn id(of: &Collection, key: Key<'_>) -> BsonDocument {
    doc! { of.owner: key.owner, of.id: key.id }
}

/// Returns the path of an entry's id within a document.
fn entry_field(of: &Collection) -> String {
    format!("entries.{}", of.entry_id)
}

fn read(mut document: BsonDocument) -> Result<Document, DocumentsError> {
    let lacks = |what: &str| DocumentsError::Shape { step: "reading", problem: format!("it has no {what}") };
    let count = document.get_i64("count").ok().and_then(|count| u64::try_from(count).ok());
    let updated = document.get_datetime("updatedAt").map_err(|_| lacks("updatedAt"))?.timestamp_millis();
    let Some(Bson::Array(entries)) = document.remove("entries") else { return Err(lacks("entries")) };
    let gone = entries.len().saturating_sub(SHOWN);
    Ok(Document {
        count: count.ok_or_else(|| lacks("count"))?,
        state: to_json(document.remove("state").ok_or_else(|| lacks("state"))?),
        entries: entries.into_iter().skip(gone).map(to_json).collect(),
        updated_at: Timestamp::from_millis(updated),
    })
}

/// Turns JSON into BSON as it stands. The driver's own way would take `{"$oid": …}` for more than it says.
fn to_bson(value: &Json) -> Bson {
    match value {
        Json::Null => Bson::Null,
        Json::Bool(truth) => Bson::Boolean(*truth),
        Json::Number(number) => {
            number.as_i64().map_or_else(|| Bson::Double(number.as_f64().unwrap_or_default()), Bson::Int64)
        }
        Json::String(text) => Bson::String(text.clone()),
        Json::Array(list) => Bson::Array(list.iter().map(to_bson).collect()),
        Json::Object(fields) => {
            Bson::Document(fields.iter().map(|(name, value)| (name.clone(), to_bson(value))).collect())
        }
    }
}

/// Turns BSON into JSON; what JSON has no kind for, and nobody here writes, becomes text.
fn to_json(value: Bson) -> Json {
    match value {
        Bson::Null => Json::Null,
        Bson::Boolean(truth) => truth.into(),
        Bson::Int32(number) => number.into(),
        Bson::Int64(number) => number.into(),
        Bson::Double(number) => number.into(),
        Bson::String(text) => text.into(),
        Bson::Array(list) => list.into_iter().map(to_json).collect(),
        Bson::Document(fields) => fields.into_iter().map(|(name, value)| (name, to_json(value))).collect(),
        other => other.to_string().into(),
    }
}
