//! MongoDB that is gone, stands still, and comes back.

use std::sync::Arc;
use std::time::Duration;

use ieum_core::{Fault, new_id, system_clock};
use ieum_documents::{Document, Documents, DocumentsError, Key, MongoDocuments};
use ieum_testkit::fault::{FaultPlan, TcpProxy};
use ieum_testkit::port::KeptPort;
use ieum_testkit::server::require;
use ieum_testkit::wait;

use crate::backend::{NOTES, note};

const PATIENCE: Duration = Duration::from_secs(120);

/// The server behind a line that can be cut.
struct Stage {
    proxy: TcpProxy,
    documents: MongoDocuments,
    owner: String,
}

impl Stage {
    async fn new() -> Option<Self> {
        let url = require("mongodb")?;
        let (host, database) = url.trim_start_matches("mongodb://").split_once('/').expect("has a database");
        let proxy = TcpProxy::start(host, FaultPlan::default()).await.expect("starts");
        let url = format!("mongodb://{}/{database}?directConnection=true", proxy.address());
        let documents = MongoDocuments::open(&url, system_clock()).await.expect("opens");
        Some(Self { proxy, documents, owner: new_id().simple().to_string() })
    }

    /// Adds a note. That it ends at all is a part of what is tested.
    async fn add(&self, id: &str) -> Result<Document, DocumentsError> {
        let key = Key { owner: &self.owner, id: "부엌" };
        let added = self.documents.add(&NOTES, key, note(id, "하나"));
        tokio::time::timeout(PATIENCE, added).await.expect("ends by itself")
    }

    async fn recovers(&self, id: &str) -> Document {
        let added = || async { self.add(id).await.ok() };
        wait::until_some("the server answers again", PATIENCE, added).await.expect("recovers")
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs mongodb"]
async fn a_server_that_is_cut_off_is_named_and_taken_again() {
    let Some(stage) = Stage::new().await else { return };
    assert_eq!(stage.add("1").await.expect("adds").count, 1);
    stage.proxy.cut();
    let error = stage.add("2").await.expect_err("is cut off");
    let named = format!("mongodb://{}/", stage.proxy.address());
    assert!(matches!(error, DocumentsError::Unreachable { .. }), "{error:?}");
    assert!(error.to_string().contains(&named), "{error}");
    let fault = Fault::from(error);
    assert_eq!((&*fault.reason, fault.is_retryable(), fault.retried), ("documents.unreachable", true, true));
    stage.proxy.restore();
    assert_eq!(stage.recovers("2").await.count, 2);
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs mongodb"]
async fn a_server_that_stands_still_is_left_in_time_and_an_entry_counts_once() {
    let Some(stage) = Stage::new().await else { return };
    assert_eq!(stage.add("1").await.expect("adds").count, 1);
    stage.proxy.silence();
    let error = stage.add("2").await.expect_err("stands still");
    assert!(matches!(error, DocumentsError::Late { .. }), "{error:?}");
    assert!(error.to_string().ends_with("no answer in 3s"), "{error}");
    // What was under way may arrive after all.
    stage.proxy.restore();
    assert_eq!(stage.recovers("2").await.count, 2);
    assert_eq!(stage.recovers("3").await.count, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nobody_listens_is_told_without_the_password() {
    let nobody = KeptPort::take();
    let free = nobody.address();
    let url = format!("mongodb://me:hush@{free}/voice");
    let documents = Arc::new(MongoDocuments::open(&url, system_clock()).await.expect("opens without asking"));
    let asked = tokio::time::timeout(PATIENCE, documents.ping()).await.expect("ends by itself");
    let error = ieum_core::describe(&asked.expect_err("nobody listens"));
    assert!(error.starts_with(&format!("asking for documents at mongodb://{free}/voice: ")), "{error}");
    assert!(!error.contains("hush"), "{error}");
}
