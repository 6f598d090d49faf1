//! What `ieum check` finds without starting anything, and what then stops `ieum up`.

use std::path::Path;

use ieum_testkit::port::KeptPort;

use super::satellites::satellite;
use super::{ieum, text, up, write};

/// Returns the exit and the words of a command under a settings file.
fn told(folder: &Path, settings: &str, words: &[&str]) -> (bool, String) {
    let settings = write(folder, "own.toml", settings);
    let mut command = ieum(folder, &[("IEUM__OUTBOUND__ALLOW", "[]")]);
    let output = command.args(["--config", &settings]).args(words).output().expect("runs");
    (output.status.success(), text(&output))
}

const WRONG: &str = r#"
[store]
sealing_keys = ["/nowhere/sealing.key"]
[notify]
templates = "/nowhere/templates"
[device]
certificate = "/nowhere/device.pem"
key = "~/device.key"
[agent]
secret_file = "/nowhere/secret"
[voice]
weather = "http://127.0.0.1:9"
weather_key = "k"
mouth = "espeak:/nowhere/espeak-ng"
dialogflow = "dialogflow://home?credentials=/nowhere/key.json"
[voice.plugins.coffee]
command = ["no-such-program-anywhere"]
folder = "/nowhere/plugins"
"#;

#[test]
fn what_is_not_there_is_named_with_its_setting_all_at_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let (is_right, said) = told(folder.path(), WRONG, &["check"]);
    assert!(!is_right, "{said}");
    for expected in [
        "  store.sealing_keys: reading /nowhere/sealing.key: No such file",
        "  notify.templates: reading the folder /nowhere/templates: No such file",
        "  device.certificate: reading /nowhere/device.pem: No such file",
        "  device.key: ~/device.key begins with ~, which is not expanded here",
        "  agent.secret_file: reading /nowhere/secret: No such file",
        "  voice.weather: 127.0.0.1 is at 127.0.0.1, which is loopback and in no network of outbound.allow",
        "  voice.mouth: espeak:/nowhere/espeak-ng: reading /nowhere/espeak-ng: No such file",
        "  voice.dialogflow: reading the credentials in /nowhere/key.json",
        "  voice.plugins.coffee.command: \"no-such-program-anywhere\" is no program of this machine",
        "  voice.plugins.coffee.folder: reading the folder /nowhere/plugins: No such file",
    ] {
        assert!(said.contains(expected), "{expected} is missing in {said}");
    }
    assert!(said.contains("10 settings are wrong"), "{said}");
}

#[test]
fn what_stops_the_start_is_named_by_its_setting_and_what_does_not_is_done_without() {
    let folder = tempfile::tempdir().expect("a folder");
    let (is_up, said) = told(folder.path(), WRONG, &["up"]);
    assert!(!is_up, "{said}");
    for key in
        ["store.sealing_keys", "notify.templates", "device.certificate", "voice.weather", "voice.dialogflow"]
    {
        assert!(said.contains(&format!("  {key}: ")), "{key} is missing in {said}");
    }
    for key in ["agent.secret_file", "voice.mouth", "voice.plugins"] {
        assert!(!said.contains(key), "{key} stops nobody: {said}");
    }
    // A process without voice and devices asks nothing of theirs: it comes as far as to listen.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = taken.local_addr().expect("it listens").to_string();
    let settings = write(folder.path(), "own.toml", &WRONG.replace("sealing_keys", "# "));
    let mut command = ieum(folder.path(), &[("IEUM__SERVER__LISTEN", &address)]);
    let output = command.args(["--config", &settings, "up", "payment"]).output().expect("runs");
    assert!(text(&output).contains("(server.listen)"), "{}", text(&output));
}

#[test]
fn one_place_is_listened_on_once_and_ids_of_devices_are_looked_at() {
    let folder = tempfile::tempdir().expect("a folder");
    for (settings, expected) in [
        (
            "[device]\nlisten = \"0.0.0.0:8111\"\n[server]\nlisten = \"127.0.0.1:8111\"",
            "device.listen: is 0.0.0.0:8111, but server.listen listens on 127.0.0.1:8111 already; set another port",
        ),
        (
            "[device]\nlisten = \"127.0.0.1:8111\"\n[voice]\nwyoming = \"127.0.0.1:8111\"",
            "voice.wyoming: is 127.0.0.1:8111, but device.listen listens",
        ),
        ("[agent]\ndevice = \"a b\"", "agent.device: \"a b\" is no device's id; use 1 to 60 letters"),
        ("[agent]\ndevice = \".a\"", "beginning with no '.'"),
        ("[agent]\nsecret_file = \"nowhere\"", "agent.secret_file: reading nowhere: No such file"),
        ("[voice]\nplace = \"\"", "voice.place: is empty; name the place"),
    ] {
        let own = write(folder.path(), "own.toml", settings);
        let mut command = super::ieum_in(folder.path(), &[]);
        command.env_remove("IEUM__SERVER__LISTEN").env_remove("IEUM__DEVICE__LISTEN");
        let output = command.args(["--config", &own, "check"]).output().expect("runs");
        assert!(
            !output.status.success() && text(&output).contains(expected),
            "{settings}: {}",
            text(&output)
        );
        assert!(text(&output).contains("1 setting is wrong"), "{}", text(&output));
    }
}

#[test]
fn what_cannot_be_listened_on_is_named_by_its_setting_with_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = taken.local_addr().expect("it listens").to_string();
    for (name, setting, part) in [
        ("IEUM__SERVER__LISTEN", "on {} (server.listen)", "payment"),
        ("IEUM__DEVICE__LISTEN", "for devices on {} (device.listen)", "device"),
        ("IEUM__VOICE__WYOMING", "for Wyoming on {} (voice.wyoming)", "voice"),
    ] {
        let output = ieum(folder.path(), &[(name, &address)]).args(["up", part]).output().expect("runs");
        let whole = format!(
            "listening {}: Address already in use (os error 98); another program listens there, which `ss -ltnp` names; \
             stop that one, or set another port",
            setting.replace("{}", &address)
        );
        assert!(!output.status.success() && text(&output).contains(&whole), "{}", text(&output));
    }
    let output = ieum(folder.path(), &[]).args(["up", "voice", "identity"]).output().expect("runs");
    let whole = "payment.charges is answered by no part of this process; name where it is answered under [links], or \
                 start the part too: `payment`";
    assert!(!output.status.success() && text(&output).contains(whole), "{}", text(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_addresses_of_the_apis_that_up_tells_are_answered() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    for (parts, count) in [(&["voice"][..], 2), (&["identity", "payment"], 2), (&["device"], 1), (&[], 7)] {
        let folder = tempfile::tempdir().expect("a folder");
        let mut command = ieum(folder.path(), &[]);
        command.args(["--json", "up"]).args(parts);
        let (platform, ready) = super::begun_telling(command);
        let told = ready["api"].as_array().expect("tells them");
        assert_eq!(told.len(), count, "{parts:?}: {told:?}");
        for url in told {
            let answer = reqwest::get(url.as_str().expect("is text")).await.expect("answers");
            assert_eq!(answer.status().as_u16(), 200, "{url}");
            let document: serde_json::Value = answer.json().await.expect("is JSON");
            assert!(document["openapi"].is_string(), "{url}");
        }
        platform.stop();
    }
}

#[test]
fn a_dialogflow_without_credentials_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let (is_right, said) = told(folder.path(), "[voice]\ndialogflow = \"dialogflow://home\"", &["check"]);
    assert!(!is_right && said.contains("voice.dialogflow: names no credentials"), "{said}");
    let other = "[voice]\ndialogflow = \"dialogflow+grpc://127.0.0.1:1/home\"";
    let (is_right, said) = told(folder.path(), other, &["check"]);
    assert!(is_right, "another one asks for none: {said}");
}

#[test]
fn a_weather_without_a_key_is_never_asked_and_stops_nobody() {
    let folder = tempfile::tempdir().expect("a folder");
    let (is_right, said) = told(folder.path(), "[voice]\nweather = \"http://127.0.0.1:9\"", &["check"]);
    assert!(is_right, "{said}");
}

#[test]
fn doctor_tells_who_hears_speaks_and_answers_and_what_is_lost_without() {
    let folder = tempfile::tempdir().expect("a folder");
    let kept = KeptPort::take();
    let gone = kept.address();
    let there = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let there = (there.local_addr().expect("it listens"), there);
    let (hall, bath) = (satellite(true), satellite(false));
    let settings = format!(
        "[voice]\nears = \"wyoming://{gone}, grpc://127.0.0.1:9?language=ko\"\nhermes = true\n\
         dialogflow = \"dialogflow+grpc://{}/home\"\nwyoming = \"127.0.0.1:0\"\nmouth = \"wyoming://{gone}\"\n\
         satellites = [\"tcp://{hall}?device=hall\", \"tcp://{gone}?device=attic&language=ko\", \
         \"tcp://{bath}?device=bath\"]\n\
         [voice.plugins.tea]\nto = \"http://{gone}\"\n[voice.plugins.coffee]\ncommand = [\"sh\"]",
        there.0
    );
    let (is_sound, said) = told(folder.path(), &settings, &["doctor"]);
    assert!(!is_sound, "{said}");
    for expected in [
        &*format!("FAIL  voice.ears wyoming://{gone}"),
        "because Connection refused",
        "ok    voice.ears grpc://127.0.0.1:9?language=ko\n        gives hearing in ko\n",
        "lacks English: nobody hears it",
        &*format!("ok    voice.dialogflow http://{}\n        is asked first", there.0),
        &*format!("FAIL  voice.plugins.tea http://{gone}"),
        "ok    voice.plugins.coffee sh\n        is started here",
        &*format!("ok    voice.satellites tcp://{hall}?device=hall\n        is called, heard"),
        &*format!(
            "FAIL  voice.satellites tcp://{gone}?device=attic\n        calling the satellite at {gone}: Connection refused \
             (os error 111); see that wyoming-satellite runs there and listens to the network"
        ),
        &*format!(
            "FAIL  voice.satellites tcp://{bath}?device=bath\n        calling the satellite at {bath}: it takes the call and \
             says nothing; it talks with one at a time, and another one, such as a Home Assistant, may call it already; \
             let the other one go"
        ),
        "is called again every 5 s; what it is to say waits",
        "gives ears, mouth and dialogue to whoever reaches 127.0.0.1:0",
        "gives Hermes",
    ] {
        assert!(said.contains(expected), "{expected} is missing in {said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_that_is_a_devices_is_one_wherever_devices_are_named() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().expect("a folder");
    let platform = up(folder.path(), &["identity", "payment"], &[]);
    let (client, person) = (reqwest::Client::new(), format!("http://{}/api/users/ada", platform.address));
    let ada = serde_json::json!({ "name": "Ada", "plan": "premium" });
    let saved = client.put(&person).json(&ada).send().await.expect("answers");
    assert!(saved.status().is_success(), "{}", saved.text().await.expect("is text"));
    let (longest, longer) = ("a".repeat(60), "a".repeat(61));
    let ids = [
        ("kitchen", true),
        ("hermes:hall", true),
        ("wyoming:x", true),
        ("a.b_c-1", true),
        (longest.as_str(), true),
        (longer.as_str(), false),
        ("a b", false),
        ("a/b", false),
        ("a@b", false),
        ("부엌", false),
    ];
    for (id, fits) in ids {
        let device = serde_json::json!({ "deviceId": id, "type": "speaker" });
        let registered = client.post(format!("{person}/devices")).json(&device).send().await;
        let registered = registered.expect("answers");
        let (status, told) = (registered.status(), registered.text().await.expect("is text"));
        assert_eq!(status.is_success(), fits, "registering {id}: {told}");
        let added = ieum(folder.path(), &[]).args(["device", "add", id]).output().expect("runs");
        assert_eq!(added.status.success(), fits, "adding {id}: {}", text(&added));
        let own = format!("[agent]\ndevice = {id:?}");
        assert_eq!(self::told(folder.path(), &own, &["check"]).0, fits, "checking {id}");
    }
    platform.stop();
}

#[test]
fn the_data_folder_and_its_database_are_their_owners_alone_and_older_ones_are_told() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("new/data");
    let made = ieum(&data, &[]).current_dir(folder.path()).arg("migrate").output().expect("runs");
    assert!(made.status.success(), "{}", text(&made));
    let database = data.join("ieum.db");
    for (path, expected) in [(&data, 0o700), (&database, 0o600)] {
        let mode = std::fs::metadata(path).expect("is there").permissions().mode() & 0o777;
        assert_eq!(mode, expected, "{}", path.display());
    }
    let told = || text(&ieum(&data, &[]).arg("check").output().expect("runs"));
    let expected = format!("store.main: {} holds a secret and everybody", database.display());
    for (of_folder, of_file, is_told) in [(0o755, 0o644, true), (0o700, 0o644, false), (0o755, 0o600, false)]
    {
        for (path, mode) in [(&data, of_folder), (&database, of_file)] {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("is set");
        }
        assert_eq!(told().contains(&expected), is_told, "{of_folder:o} {of_file:o}");
    }
}
