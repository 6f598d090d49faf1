//! Contexts in MongoDB: sessions outlive the process and its folder, and turns are answered without them.

use super::check;
#[cfg(feature = "mongo")]
use super::{Running, ieum, text, up};

#[test]
fn documents_are_checked_as_far_as_this_build_knows_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let (right, said) = check(folder.path(), "IEUM__DOCUMENTS__MAIN", "mongodb://me:hush@db.example");
    let expected = if cfg!(feature = "mongo") {
        "documents.main: opening documents at mongodb://me:***@db.example: it names no database"
    } else {
        "documents.main: this build has no mongo; rebuild with --features mongo"
    };
    assert!(!right && said.contains(expected) && !said.contains("hush"), "{said}");
    let (right, said) = check(folder.path(), "IEUM__DOCUMENTS__MAIN", "couchdb://me:hush@db.example/a");
    assert!(!right && said.contains("expected sql: or mongodb://host/database"), "{said}");
    assert!(!said.contains("hush"), "{said}");
}

#[cfg(feature = "mongo")]
mod mongodb {
    use std::path::Path;
    use std::time::Duration;

    use ieum_testkit::fault::{FaultPlan, TcpProxy};
    use ieum_testkit::port::KeptPort;
    use ieum_testkit::{server, wait};
    use serde_json::{Value, json};

    use super::{Running, ieum, text, up};

    const PATIENCE: Duration = Duration::from_secs(60);

    /// A person whom no other test knows, in one session.
    struct Person {
        id: String,
        client: reqwest::Client,
    }

    impl Person {
        fn new() -> Self {
            let _ = rustls::crypto::ring::default_provider().install_default();
            let client = reqwest::Client::builder().timeout(PATIENCE).build().expect("is made");
            Self { id: ieum_core::new_id().to_string(), client }
        }

        async fn post(&self, platform: &Running, path: &str, body: Value) -> Value {
            let url = format!("http://{}{path}", platform.address);
            let answer = self.client.post(url).json(&body).send().await.expect("answers");
            let status = answer.status();
            let said = answer.text().await.expect("is text");
            assert!(status.is_success(), "{path} {body}: {status} {said}");
            serde_json::from_str(&said).expect("is JSON")
        }

        /// Says something as the turn `id` and returns the whole answer.
        async fn says(&self, platform: &Running, id: &str, said: &str) -> Value {
            let turn = json!({
                "turnId": id, "userId": self.id, "sessionId": "거실", "language": "ko", "text": said,
            });
            self.post(platform, "/api/v2/dialog/text", turn).await
        }

        /// Returns what whoever keeps the session answers.
        async fn context(&self, platform: &Running) -> Value {
            let ask = json!({ "userId": self.id, "sessionId": "거실" });
            self.post(platform, "/links/voice.context/get", ask).await
        }
    }

    /// The server behind a line that can be cut.
    struct Line {
        proxy: TcpProxy,
        url: String,
    }

    impl Line {
        async fn to_mongodb() -> Option<Self> {
            let url = server::require("mongodb")?;
            let (host, database) =
                url.trim_start_matches("mongodb://").split_once('/').expect("has a database");
            let proxy = TcpProxy::start(host, FaultPlan::default()).await.expect("starts");
            let url = format!("mongodb://{}/{database}?directConnection=true", proxy.address());
            Some(Self { proxy, url })
        }
    }

    fn up_on(folder: &Path, url: &str) -> Running {
        up(folder, &["voice"], &[("IEUM__DOCUMENTS__MAIN", url)])
    }

    async fn health(platform: &Running) -> (u16, Value) {
        let answer =
            reqwest::get(format!("http://{}/health/ready", platform.address)).await.expect("answers");
        (answer.status().as_u16(), answer.json().await.expect("is JSON"))
    }

    #[tokio::test(flavor = "multi_thread")]
    #[ignore = "needs mongodb"]
    async fn a_session_outlives_a_kill_and_the_folder_of_the_process() {
        let Some(url) = server::require("mongodb") else { return };
        let (first, second) =
            (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        let ada = Person::new();
        let mut platform = up_on(first.path(), &url);
        let asked = ada.says(&platform, "t1", "타이머 맞춰 줘").await;
        assert_eq!((&asked["outcome"], &asked["turnCount"]), (&json!("asked"), &json!(1)), "{asked}");
        platform.child.kill().expect("is killed");
        platform.child.wait().expect("ends");
        // Nothing of the first process is left but what MongoDB holds.
        let platform = up_on(second.path(), &url);
        let set = ada.says(&platform, "t2", "5분").await;
        assert_eq!((&set["intent"], &set["outcome"]), (&json!("timer.start"), &json!("answered")), "{set}");
        assert_eq!(set["turnCount"], 2, "{set}");
        let context = ada.context(&platform).await;
        assert_eq!(context["conversationHistory"][0]["said"], "타이머 맞춰 줘", "{context}");
        platform.stop();
        let doctor =
            ieum(second.path(), &[("IEUM__DOCUMENTS__MAIN", &url)]).arg("doctor").output().expect("runs");
        let said = text(&doctor);
        assert!(said.contains("ok    documents.main mongodb:") && said.contains("by a majority"), "{said}");
    }

    #[tokio::test(flavor = "multi_thread")]
    #[ignore = "needs mongodb"]
    async fn turns_are_answered_while_mongodb_is_gone_and_none_is_lost() {
        let Some(Line { proxy, url: behind }) = Line::to_mongodb().await else { return };
        let (folder, ada) = (tempfile::tempdir().expect("a folder"), Person::new());
        // It is down when the process starts, too.
        proxy.cut();
        let platform = up_on(folder.path(), &behind);
        let (status, told) = health(&platform).await;
        assert_eq!((status, &told["status"]), (200, &json!("degraded")), "work may come: {told}");
        let alone = ada.says(&platform, "t1", "지금 몇 시야?").await;
        assert_eq!(
            (&alone["outcome"], &alone["intent"]),
            (&json!("answered"), &json!("time.query")),
            "{alone}"
        );
        proxy.restore();
        // Whoever sends a turn again gets its answer, and the session hears of it now.
        let recorded = async || {
            assert_eq!(ada.says(&platform, "t1", "지금 몇 시야?").await, alone);
            ada.context(&platform).await["turnCount"] == 1
        };
        wait::until("the session has the turn", PATIENCE, recorded).await.expect("it has");
        let next = ada.says(&platform, "t2", "타이머 맞춰 줘").await;
        assert_eq!((&next["outcome"], &next["turnCount"]), (&json!("asked"), &json!(2)), "{next}");
        let well = async || health(&platform).await.1["status"] == "healthy";
        wait::until("all is well", PATIENCE, well).await.expect("it is");
        platform.stop();
    }

    #[tokio::test(flavor = "multi_thread")]
    #[ignore = "needs mongodb"]
    async fn a_session_in_a_cache_that_is_shared_goes_on_while_mongodb_is_gone() {
        let Some(line) = Line::to_mongodb().await else { return };
        let (folder, ada) = (tempfile::tempdir().expect("a folder"), Person::new());
        let settings = [("IEUM__DOCUMENTS__MAIN", line.url.as_str()), ("IEUM__CACHE__MAIN", "sql:")];
        let platform = up(folder.path(), &["voice"], &settings);
        assert_eq!(ada.says(&platform, "t1", "타이머 맞춰 줘").await["outcome"], "asked");
        line.proxy.cut();
        let set = ada.says(&platform, "t2", "5분").await;
        assert_eq!((&set["intent"], &set["outcome"]), (&json!("timer.start"), &json!("answered")), "{set}");
        platform.stop();
    }

    #[test]
    fn doctor_names_a_mongodb_that_nobody_reaches_without_its_password() {
        let kept = KeptPort::take();
        let free = kept.address();
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("mongodb://me:hush@{free}/voice");
        let doctor =
            ieum(folder.path(), &[("IEUM__DOCUMENTS__MAIN", &url)]).arg("doctor").output().expect("runs");
        let said = text(&doctor);
        assert!(!doctor.status.success() && !said.contains("hush"), "{said}");
        assert!(
            said.contains("FAIL  documents.main") && said.contains(&format!("mongodb://{free}/voice")),
            "{said}"
        );
    }
}
