//! Several instances of what understands: turns are spread over them, and one that is killed costs no turn its meaning.

use std::path::Path;
use std::time::Duration;

use ieum_testkit::wait;
use serde_json::{Value, json};

use super::{Running, up, write};

/// Says something nobody said before, so that no cache answers, and returns what was meant.
async fn meant(client: &reqwest::Client, platform: &Running, minutes: u32) -> Value {
    let turn = json!({ "userId": "ada", "language": "ko", "text": format!("{minutes}분 타이머 맞춰 줘") });
    let url = format!("http://{}/api/v2/dialog/text", platform.address);
    let answer = client.post(url).json(&turn).send().await.expect("answers");
    answer.json::<Value>().await.expect("is JSON")["intent"].clone()
}

fn leaning(folder: &Path, brains: &[&Running]) -> Running {
    let to: Vec<String> = brains.iter().map(|brain| format!("http://{}", brain.address)).collect();
    let settings = format!("[links]\n\"voice.understanding\" = \"{}\"\n", to.join(", "));
    let settings = write(folder, "voice.toml", &settings);
    up(folder, &["voice", "--config", &settings], &[("IEUM__GATEWAY__PUBLIC_PER_MINUTE", "1000000")])
}

#[tokio::test(flavor = "multi_thread")]
async fn either_of_two_that_understand_may_be_killed_and_come_back() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().timeout(Duration::from_secs(20)).build().expect("is made");
    let folders = [(); 3].map(|()| tempfile::tempdir().expect("a folder"));
    let (mut one, mut other) =
        (up(folders[0].path(), &["voice"], &[]), up(folders[1].path(), &["voice"], &[]));
    let door = leaning(folders[2].path(), &[&one, &other]);
    for minutes in 1..=20 {
        assert_eq!(meant(&client, &door, minutes).await, "timer.start");
    }
    let address = one.address.clone();
    one.child.kill().expect("is killed");
    one.child.wait().expect("is gone");
    for minutes in 1..=40 {
        assert_eq!(meant(&client, &door, minutes).await, "timer.start", "the other one understands");
    }
    let again = up(folders[0].path(), &["voice"], &[("IEUM__SERVER__LISTEN", &address)]);
    other.child.kill().expect("is killed");
    other.child.wait().expect("is gone");
    // It may be left out for a while yet, since it was gone.
    let is_asked = async || meant(&client, &door, 7).await == "timer.start";
    wait::until("it is asked again", Duration::from_secs(60), is_asked).await.expect("it is asked again");
    for minutes in 1..=40 {
        assert_eq!(meant(&client, &door, minutes).await, "timer.start", "the one that came back understands");
    }
    door.stop();
    again.stop();
}
