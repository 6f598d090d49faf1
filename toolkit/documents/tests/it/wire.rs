//! What MongoDB is asked, word by word, and races that no server loses when told to: a server that answers by a script.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use ieum_core::system_clock;
use ieum_documents::{Documents, Key, MongoDocuments};
use mongodb::bson::{DateTime, Document, doc};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::backend::{NOTES, ids, note};

/// The two kinds of request that a driver sends (MongoDB wire protocol): the older one greets, the newer one does all else.
const OP_QUERY: i32 = 2004;
const OP_MSG: i32 = 2013;
const OP_REPLY: i32 = 1;
const ADA: Key<'_> = Key { owner: "ada", id: "부엌" };

/// A server that answers commands in the order of its script, and remembers them.
#[derive(Clone)]
struct Scripted {
    answers: Arc<Mutex<VecDeque<Document>>>,
    asked: Arc<Mutex<Vec<Document>>>,
}

impl Scripted {
    async fn answering(answers: impl IntoIterator<Item = Document>) -> (Self, MongoDocuments) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address: SocketAddr = listener.local_addr().expect("has one");
        let answers = Arc::new(Mutex::new(answers.into_iter().collect()));
        let server = Self { answers, asked: Arc::default() };
        let serving = server.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serving.clone().serve(stream));
            }
        });
        // What the address asks for less is not what is wanted.
        let url = format!("mongodb://{address}/voice?w=1&journal=false&readPreference=secondary");
        (server, MongoDocuments::open(&url, system_clock()).await.expect("opens"))
    }

    async fn serve(self, mut stream: TcpStream) {
        while let Ok(length) = stream.read_i32_le().await {
            let mut message = vec![0; usize::try_from(length).expect("is positive") - 4];
            stream.read_exact(&mut message).await.expect("is whole");
            let number = |at: usize| i32::from_le_bytes(message[at..at + 4].try_into().expect("four bytes"));
            let (request, kind) = (number(0), number(8));
            let body = match kind {
                OP_MSG => &message[17..],
                // Flags, the name up to its zero, two numbers.
                _ => &message[message[16..].iter().position(|byte| *byte == 0).expect("ends") + 25..],
            };
            let answer = self.answer(Document::from_reader(body).expect("is BSON"));
            let mut reply = match kind {
                OP_QUERY => [0, 0, 0, 0, 1].map(i32::to_le_bytes).concat(),
                _ => vec![0; 5],
            };
            answer.to_writer(&mut reply).expect("is written");
            let kind = if kind == OP_QUERY { OP_REPLY } else { OP_MSG };
            let head = [i32::try_from(reply.len()).expect("is short") + 16, 1, request, kind];
            stream.write_all(&[head.map(i32::to_le_bytes).concat(), reply].concat()).await.expect("is taken");
        }
    }

    fn answer(&self, command: Document) -> Document {
        let name = command.keys().next().expect("has a name").to_lowercase();
        if name == "hello" || name == "ismaster" {
            return doc! { "ok": 1.0, "ismaster": true, "maxBsonObjectSize": 16_777_216, "maxWireVersion": 17,
            "maxMessageSizeBytes": 48_000_000, "maxWriteBatchSize": 100_000, "minWireVersion": 0 };
        }
        self.asked.lock().expect("is held briefly").push(command);
        let next = self.answers.lock().expect("is held briefly").pop_front();
        next.unwrap_or_else(|| doc! { "ok": 0.0, "code": 59, "errmsg": "the script is over" })
    }

    /// Returns the commands so far.
    fn asked(&self) -> Vec<Document> {
        self.asked.lock().expect("is held briefly").clone()
    }
}

fn taken() -> Document {
    doc! { "ok": 0.0, "code": 11_000, "codeName": "DuplicateKey", "errmsg": "E11000 duplicate key error" }
}

fn found(documents: impl IntoIterator<Item = Document>) -> Document {
    let batch: Vec<Document> = documents.into_iter().collect();
    doc! { "ok": 1.0, "cursor": { "id": 0_i64, "ns": "voice.ieum_test_notes", "firstBatch": batch } }
}

fn document(entries: &[&str]) -> Document {
    let lines: Vec<Document> = entries.iter().map(|id| doc! { "noteId": *id, "text": "하나" }).collect();
    let last = entries.last().copied().unwrap_or_default();
    doc! { "_id": { "person": "ada", "book": "부엌" }, "count": i64::try_from(entries.len()).expect("few"),
    "state": { "last": last }, "entries": lines, "updatedAt": DateTime::from_millis(1_777_604_400_250) }
}

#[tokio::test]
async fn an_entry_is_one_upsert_that_a_majority_and_the_journal_acknowledge() {
    let added = doc! { "ok": 1.0, "value": document(&["1"]) };
    let (server, documents) = Scripted::answering([added]).await;
    documents.add(&NOTES, ADA, note("1", "하나")).await.expect("adds");
    let asked = server.asked();
    assert_eq!(asked.len(), 1, "{asked:?}");
    let [name, query, update, concern] =
        ["findAndModify", "query", "update", "writeConcern"].map(|part| asked[0].get(part).cloned());
    assert_eq!(name.as_ref().and_then(|name| name.as_str()), Some("ieum_test_notes"));
    let wanted = doc! { "_id": { "person": "ada", "book": "부엌" }, "entries.noteId": { "$ne": "1" } };
    assert_eq!(query, Some(wanted.into()));
    let change = doc! {
        "$push": { "entries": { "$each": [{ "noteId": "1", "text": "하나" }], "$slice": -64 } },
        "$inc": { "count": 1_i64 },
        "$set": { "state": { "last": "1" }, "updatedAt": DateTime::from_millis(1_777_604_400_250) },
    };
    assert_eq!(update, Some(change.into()));
    let concern = concern.expect("is asked for");
    let concern = concern.as_document().expect("is a document");
    assert_eq!(
        (concern.get_str("w").ok(), concern.get_bool("j").ok()),
        (Some("majority"), Some(true)),
        "{concern}"
    );
    assert!(["upsert", "new"].iter().all(|flag| asked[0].get_bool(flag).is_ok_and(|yes| yes)), "{asked:?}");
}

#[tokio::test]
async fn who_loses_the_race_to_make_a_document_adds_to_the_winners() {
    let added = doc! { "ok": 1.0, "value": document(&["2", "1"]) };
    let (server, documents) = Scripted::answering([taken(), found([]), added]).await;
    let document = documents.add(&NOTES, ADA, note("1", "하나")).await.expect("adds");
    assert_eq!((document.count, ids(&document)), (2, vec!["2", "1"]));
    let asked = server.asked();
    let names: Vec<&str> =
        asked.iter().filter_map(|command| command.keys().next().map(String::as_str)).collect();
    assert_eq!(names, ["findAndModify", "find", "findAndModify"]);
}

#[tokio::test]
async fn an_entry_that_is_known_is_read_and_not_added() {
    let (server, documents) = Scripted::answering([taken(), found([document(&["1", "2"])])]).await;
    let document = documents.add(&NOTES, ADA, note("1", "changed")).await.expect("is known");
    assert_eq!((document.count, ids(&document), server.asked().len()), (2, vec!["1", "2"], 2));
}

#[tokio::test]
async fn a_refusal_is_told_with_its_cause_and_not_tried_again() {
    let refusal =
        doc! { "ok": 0.0, "code": 13, "codeName": "Unauthorized", "errmsg": "not authorized on voice" };
    let (server, documents) = Scripted::answering([refusal]).await;
    let error = documents.add(&NOTES, ADA, note("1", "하나")).await.expect_err("is refused");
    let said = ieum_core::describe(&error);
    assert!(said.contains("adding to a document at mongodb://127.0.0.1:"), "{said}");
    assert!(said.contains("not authorized on voice") && server.asked().len() == 1, "{said}");
}
