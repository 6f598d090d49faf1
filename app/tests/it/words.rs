//! What is said to whoever asks wrongly: what was tried, on what, and what to do.

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use ieum_core::{Clock, SystemClock};
use ieum_testkit::process::Child;

use super::{ieum, text, up, write};

#[test]
fn a_file_or_folder_that_cannot_be_used_says_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let empty = write(folder.path(), "token", "\n");
    let own = |words: &[&str]| text(&ieum(folder.path(), &[]).args(words).output().expect("runs"));
    let add = ["source", "add", "--event-id", "a", "--api", "http://127.0.0.1:9", "--token-file"];
    for (words, expected) in [
        (vec!["--config", "nope.toml", "check"], "name another with --config"),
        ([&add[..], &[&empty]].concat(), "(--token-file): it is empty; write the system's token into it"),
        ([&add[..], &["/nowhere/token"]].concat(), "/nowhere/token (--token-file): No such file"),
    ] {
        let said = own(&words);
        assert!(said.contains(expected), "{words:?}: {said}");
    }
    let file = write(folder.path(), "file", "");
    let mut command = ieum(folder.path(), &[("IEUM__DATA__DIR", &file)]);
    let said = text(&command.arg("check").output().expect("runs"));
    assert!(!said.contains("is no folder"), "--data wins over the environment: {said}");
    let within = folder.path().join("file/data");
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_ieum"));
    let output =
        command.current_dir(folder.path()).arg("--data").arg(&within).args(["device", "list"]).output();
    let said = text(&output.expect("runs"));
    assert!(said.contains("name one that can be written with --data or in data.dir"), "{said}");
}

#[test]
fn wrong_settings_say_the_keys_that_there_are() {
    let folder = tempfile::tempdir().expect("a folder");
    let coffee = "[voice.plugins.coffee]\ncommand = [\"sh\"]\ntimeot = \"1s\"";
    for (settings, expected) in [
        (coffee, "known are command, to, environment, folder, memory, timeout, connect"),
        ("[device]\nbridge = \"mqtt://there\"", "device.bridge_out: is empty, and device.bridge_in too"),
        (
            "[device]\nbridge = \"mqtt://there\"\nbridge_out = [\"a/#/b\"]",
            "device.bridge_out: bridging \"a/#/b\"",
        ),
    ] {
        let settings = write(folder.path(), "own.toml", settings);
        let said =
            text(&ieum(folder.path(), &[]).args(["--config", &settings, "check"]).output().expect("runs"));
        assert!(said.contains(expected), "{expected} is missing in {said}");
    }
}

#[test]
fn a_device_that_comes_wrongly_is_told_what_to_give() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().expect("a folder");
    let platform = up(folder.path(), &["device"], &[]);
    // Some are refused for good, others try again: each is listened to until it has said so.
    let says = |url: &str, more: &[&str], words: &[&str]| {
        let (state, log) = (folder.path().join("state"), folder.path().join("log"));
        std::fs::write(&log, "").expect("is written");
        let mut command = ieum(folder.path(), &[]);
        command.args(["device", "run", "--device", "kitchen", "--url", url, "--state"]).arg(state).args(more);
        let mut device = Child::start("device", command, &log).expect("runs");
        let begun = SystemClock.moment();
        loop {
            let ended = device.wait(Duration::from_millis(50)).is_some();
            let said = device.log_tail(100);
            let is_said = words.iter().all(|words| said.contains(words));
            let is_late = SystemClock.moment().since(begun) > Duration::from_secs(120);
            assert!(is_said || !(ended || is_late), "{words:?} are missing in {said}");
            if is_said {
                return;
            }
        }
    };
    let mqtt = format!("mqtt://{}", platform.mqtt);
    says(&mqtt, &[], &["running a device without a secret; give --secret-file FILE"]);
    let secret = write(folder.path(), "secret", "wrong\n");
    let open = std::fs::Permissions::from_mode(0o644);
    std::fs::set_permissions(&secret, open).expect("is set");
    let note = format!("note: {secret} holds a secret and everybody");
    says(&mqtt, &["--secret-file", &secret], &["wrong device or secret", &note]);
    let other = format!("mqtt://{}", platform.address);
    says(&other, &["--secret-file", &secret], &["is no MQTT broker; name the port for devices"]);
    platform.stop();
}
