//! Several instances of what understands: turns are spread over them, and one that is killed costs no turn its meaning.

use std::path::Path;
use std::time::Duration;

use ieum_testkit::port::KeptPort;
use ieum_testkit::wait;
use serde_json::{Value, json};

use super::{Running, UNHURRIED, up, write};

const PATIENCE: Duration = Duration::from_secs(120);

/// Says something nobody said before, so that no cache answers, and returns what was meant.
async fn meant(client: &reqwest::Client, platform: &Running, minutes: u32) -> Value {
    let turn = json!({ "userId": "ada", "language": "ko", "text": format!("{minutes}분 타이머 맞춰 줘") });
    let url = format!("http://{}/api/v2/dialog/text", platform.address);
    let answer = client.post(url).json(&turn).send().await.expect("answers");
    answer.json::<Value>().await.expect("is JSON")["intent"].clone()
}

fn leaning(folder: &Path, brains: &[&Running]) -> Running {
    let to: Vec<String> = brains.iter().map(|brain| format!("http://{}", brain.address)).collect();
    let settings = format!("[links.\"voice.understanding\"]\nto = \"{}\"\n{UNHURRIED}", to.join(", "));
    let settings = write(folder, "voice.toml", &settings);
    up(folder, &["voice", "--config", &settings], &[("IEUM__GATEWAY__PUBLIC_PER_MINUTE", "1000000")])
}

#[tokio::test(flavor = "multi_thread")]
async fn either_of_two_that_understand_may_be_killed_and_come_back() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().timeout(PATIENCE).build().expect("is made");
    let folders = [(); 3].map(|()| tempfile::tempdir().expect("a folder"));
    // Nobody else gets the port while it is gone.
    let kept = KeptPort::take();
    let address = kept.address().to_string();
    let listen = [("IEUM__SERVER__LISTEN", address.as_str())];
    let (mut one, mut other) =
        (up(folders[0].path(), &["voice"], &listen), up(folders[1].path(), &["voice"], &[]));
    let door = leaning(folders[2].path(), &[&one, &other]);
    for minutes in 1..=20 {
        assert_eq!(meant(&client, &door, minutes).await, "timer.start");
    }
    one.child.kill().expect("is killed");
    one.child.wait().expect("is gone");
    for minutes in 1..=40 {
        assert_eq!(meant(&client, &door, minutes).await, "timer.start", "the other one understands");
    }
    let again = up(folders[0].path(), &["voice"], &listen);
    other.child.kill().expect("is killed");
    other.child.wait().expect("is gone");
    // It may be left out for a while yet, since it was gone.
    let is_asked = async || meant(&client, &door, 7).await == "timer.start";
    wait::until("it is asked again", PATIENCE, is_asked).await.expect("it is asked again");
    for minutes in 1..=40 {
        assert_eq!(meant(&client, &door, minutes).await, "timer.start", "the one that came back understands");
    }
    door.stop();
    again.stop();
}
