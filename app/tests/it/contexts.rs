//! Sessions that another process keeps: by one line of settings, with and without a cache.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::{Running, UNHURRIED, up, write};

/// Says something in Ada's session and returns the whole answer.
async fn said(platform: &Running, text: &str) -> Value {
    let client = reqwest::Client::builder().timeout(Duration::from_secs(120)).build().expect("is made");
    let turn = json!({ "userId": "ada", "sessionId": "거실", "language": "ko", "text": text });
    let url = format!("http://{}/api/v2/dialog/text", platform.address);
    let answer = client.post(url).json(&turn).send().await.expect("answers");
    assert!(answer.status().is_success(), "{text}: {}", answer.status());
    answer.json().await.expect("is JSON")
}

fn leaning(folder: &Path, to: &str, cache: &str) -> Running {
    let settings = format!(
        "[links.\"voice.context\"]\nto = \"{to}\"\n{UNHURRIED}[voice]\ncontext_cache = \"{cache}\"\n"
    );
    let settings = write(folder, "voice.toml", &settings);
    up(folder, &["voice", "--config", &settings], &[])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_goes_on_in_another_process_whatever_the_wire_and_the_cache() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    for (scheme, cache) in [("http", "0s"), ("grpc", "0s"), ("http", "1h"), ("grpc", "1h")] {
        let (near, far) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        let keeper = up(far.path(), &["voice"], &[]);
        let door = leaning(near.path(), &format!("{scheme}://{}", keeper.address), cache);
        let way = format!("{scheme}, cache {cache}");
        let asked = said(&door, "타이머 맞춰 줘").await;
        assert_eq!((&asked["outcome"], &asked["turnCount"]), (&json!("asked"), &json!(1)), "{way}: {asked}");
        // The question was put by one process and is answered to the other.
        let set = said(&keeper, "5분").await;
        assert_eq!((&set["intent"], &set["turnCount"]), (&json!("timer.start"), &json!(2)), "{way}: {set}");
        // What the first one has in its cache does not know that turn; adding one loses none.
        said(&door, "지금 몇 시야?").await;
        let last = said(&keeper, "지금 몇 시야?").await;
        assert_eq!(last["turnCount"], 4, "{way}: every turn counts: {last}");
        door.stop();
        keeper.stop();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn turns_of_two_processes_at_once_are_all_counted_where_one_keeps_them() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (near, far) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let keeper = up(far.path(), &["voice"], &[]);
    let door = leaning(near.path(), &format!("http://{}", keeper.address), "1h");
    let each = |platform| futures::future::join_all((0..10).map(move |_| said(platform, "지금 몇 시야?")));
    futures::join!(each(&door), each(&keeper));
    assert_eq!(said(&keeper, "지금 몇 시야?").await["turnCount"], 21);
    door.stop();
    keeper.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_keeps_sessions_may_be_gone_and_turns_are_answered() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (near, far) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let keeper = up(far.path(), &["voice"], &[]);
    let door = leaning(near.path(), &format!("http://{}", keeper.address), "1h");
    assert_eq!(said(&door, "타이머 맞춰 줘").await["outcome"], "asked");
    keeper.stop();
    // The cache knows what was asked.
    let set = said(&door, "5분").await;
    assert_eq!((&set["intent"], &set["outcome"]), (&json!("timer.start"), &json!("answered")), "{set}");
    door.stop();
}
