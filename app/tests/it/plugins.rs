//! Plugins from outside, as processes of the built binary: they answer, die, eat, hang, garble, and leave nothing behind.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use ieum_testkit::port::KeptPort;
use ieum_testkit::{server, wait};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Running, ieum, text, up, write};

const COFFEE: &str = include_str!("../../../docs/guides/plugin/coffee.py");
const ODD: &str = include_str!("plugins/odd.py");

const LONG: Duration = Duration::from_secs(120);
const NOT_NOW: &str = "I cannot do that right now. Please try again in a moment.";

/// A platform whose plugins lie in a folder of their own.
struct Stage {
    platform: Running,
    client: reqwest::Client,
    folder: TempDir,
}

/// Tells whether plugins can run here at all; says so where they cannot.
fn can_run() -> bool {
    let found = Command::new("python3").arg("--version").output().is_ok();
    if !found {
        server::not_run("plugins", "python3 is not installed");
    }
    found
}

fn folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), "coffee.py", COFFEE);
    write(folder.path(), "odd.py", ODD);
    folder
}

/// Returns the settings of a plugin that is a script in `folder`.
fn script(folder: &Path, name: &str, more: &str) -> String {
    let path = folder.join(format!("{name}.py"));
    format!("[voice.plugins.{name}]\ncommand = [\"python3\", {path:?}]\nfolder = {folder:?}\n{more}\n")
}

fn settings(folder: &Path, plugins: &str) -> PathBuf {
    write(folder, "plugins.toml", plugins).into()
}

impl Stage {
    fn with(folder: TempDir, plugins: &str) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        // Turns are said as often as it takes.
        let path = settings(folder.path(), &format!("[gateway]\npublic_per_minute = 1000000\n{plugins}"));
        let platform = up(folder.path(), &["voice", "--config", path.to_str().expect("is text")], &[]);
        let client = reqwest::Client::builder().timeout(LONG).build().expect("is made");
        Self { platform, client, folder }
    }

    async fn say(&self, text: &str) -> Value {
        let language = if text.is_ascii() { "en" } else { "ko" };
        let turn = json!({ "userId": "ada", "text": text, "language": language });
        let url = format!("http://{}/api/v2/dialog/text", self.platform.address);
        let answer = self.client.post(url).json(&turn).send().await.expect("is answered");
        answer.json().await.expect("is JSON")
    }

    async fn says(&self, text: &str) -> String {
        self.say(text).await["text"].as_str().expect("has a text").to_owned()
    }

    /// Returns how a plugin's link fares.
    fn link(&self, name: &str) -> Value {
        let links = self.platform.ask(self.folder.path(), &["link", "list"]);
        let name = format!("voice.plugin/{name}");
        let found = links.as_array().expect("is a list").iter().find(|link| link["name"] == name.as_str());
        found.cloned().expect("is shown")
    }

    /// Returns the health of a plugin: whether it is well, and what is wrong.
    async fn health(&self, name: &str) -> (bool, String) {
        let url = format!("http://{}/health/ready", self.platform.address);
        let answer = self.client.get(url).send().await.expect("is answered");
        assert!(answer.status().is_success(), "a plugin never keeps work away");
        let report: Value = answer.json().await.expect("is JSON");
        let name = format!("voice.plugin/{name}");
        let checks = report["checks"].as_array().expect("is a list");
        let check = checks.iter().find(|check| check["name"] == name.as_str()).expect("is checked");
        (check["status"] == "healthy", check["detail"].as_str().unwrap_or_default().to_owned())
    }

    async fn until_health(&self, name: &str, what: &str, is: impl Fn(bool, &str) -> bool) -> String {
        let look = || async {
            let (well, detail) = self.health(name).await;
            is(well, &detail).then_some(detail)
        };
        match wait::until_some(what, LONG, look).await {
            Ok(detail) => detail,
            Err(error) => panic!("{error}: {:?}, {}", self.health(name).await, self.link(name)),
        }
    }

    async fn until_well(&self, name: &str) {
        self.until_health(name, "the plugin is well", |well, _| well).await;
    }

    /// Keeps the odd plugin from coming back once it ended, as long as what is returned lives.
    fn held(&self) -> tempfile::NamedTempFile {
        let mut place = tempfile::Builder::new();
        place.prefix("held").rand_bytes(0).tempfile_in(self.folder.path()).expect("is made")
    }

    /// Waits until a sentence is answered so.
    async fn until_says(&self, text: &str, answer: &str) {
        let asked = || async { self.says(text).await == answer };
        wait::until(answer, LONG, asked).await.expect("is answered so");
    }
}

/// Returns the processes that run a script, with their keepers.
fn processes(script: &Path) -> Vec<(u32, String)> {
    let script = script.to_str().expect("is text");
    let running = |entry: std::fs::DirEntry| {
        let id = entry.file_name().to_str()?.parse().ok()?;
        let command =
            String::from_utf8_lossy(&std::fs::read(entry.path().join("cmdline")).ok()?).into_owned();
        command.contains(script).then_some((id, command))
    };
    std::fs::read_dir("/proc").expect("is there").flatten().filter_map(running).collect()
}

fn python(script: &Path) -> u32 {
    let found = processes(script).into_iter().find(|(_, command)| command.starts_with("python3"));
    found.expect("the plugin runs").0
}

async fn nothing_is_left_of(script: &Path) {
    let is_gone = || async { processes(script).is_empty() };
    let gone = wait::until("nothing is left", LONG, is_gone).await;
    gone.unwrap_or_else(|error| panic!("{error}: {:?}", processes(script)));
}

fn kill(id: u32) {
    let killed = Command::new("kill").args(["-9", &id.to_string()]).status().expect("kill runs");
    assert!(killed.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_brings_its_sentences_and_answers_in_two_languages() {
    if !can_run() {
        return;
    }
    let folder = folder();
    let plugins = script(folder.path(), "coffee", "memory = \"64 MiB\"\ntimeout = \"60s\"");
    let stage = Stage::with(folder, &plugins);
    stage.until_well("coffee").await;
    for (said, answer) in [
        ("아메리카노 두 잔 시켜 줘", "아메리카노 2잔을 주문했어요."),
        ("라떼 주문해줘", "라떼 1잔을 주문했어요."),
        ("order two lattes please", "I ordered 2 lattes."),
        ("I'd like an espresso", "I ordered 1 espresso."),
    ] {
        let told = stage.say(said).await;
        assert_eq!((&told["intent"], &told["text"]), (&json!("coffee.order"), &json!(answer)), "{told}");
    }
    let asked = stage.say("커피 세 잔 시켜줘").await;
    assert_eq!(asked["text"], "어떤 커피를 드릴까요? 아메리카노, 라떼, 에스프레소");
    assert_eq!(stage.says("라떼").await, "라떼 3잔을 주문했어요.", "the answer joins what was said before");
    assert_eq!(stage.say("지금 몇 시야?").await["intent"], "time.query", "own sentences stay");

    let link = stage.link("coffee");
    assert_eq!((&link["wire"], &link["to"]), (&json!("process"), &json!("process:python3")));
    assert_eq!((&link["process"]["state"], &link["process"]["restarts"]), (&json!("running"), &json!(0)));
    let script = stage.folder.path().join("coffee.py");
    assert!(!processes(&script).is_empty());
    stage.platform.stop();
    nothing_is_left_of(&script).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_is_killed_comes_back_and_turns_meanwhile_say_so() {
    if !can_run() {
        return;
    }
    let folder = folder();
    let odd = folder.path().join("odd.py");
    let plugins = script(folder.path(), "odd", "timeout = \"60s\"");
    let stage = Stage::with(folder, &plugins);
    // A broken sentence is told, and takes no other with it.
    let broken = |_, detail: &str| detail.contains("template \"oddly (broken\" cannot be parsed");
    let detail = stage.until_health("odd", "the broken sentence is told", broken).await;
    assert!(detail.contains("sentences.en.odd.fine[1]"), "{detail}");
    assert_eq!(stage.says("oddly fine").await, "fine");
    assert_eq!(stage.say("oddly back again").await["outcome"], "not_understood");

    let held = stage.held();
    kill(python(&odd));
    stage.until_says("oddly fine", NOT_NOW).await;
    let told = stage.say("oddly fine").await;
    assert_eq!((&told["outcome"], &told["intent"]), (&json!("failed"), &json!("odd.fine")));
    assert_eq!(stage.say("what time is it").await["outcome"], "answered");
    drop(held);
    stage.until_says("oddly fine", "fine").await;
    stage.until_says("oddly back again", "fine").await;
    let process = &stage.link("odd")["process"];
    assert_eq!((&process["state"], &process["restarts"]), (&json!("running"), &json!(1)));
    assert_eq!(process["ended"], "it ended with signal: 9 (SIGKILL)");
    stage.platform.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_eats_memory_is_ended_and_the_platform_stays_well() {
    if !can_run() {
        return;
    }
    let folder = folder();
    let plugins = script(folder.path(), "odd", "memory = \"48 MiB\"");
    let stage = Stage::with(folder, &plugins);
    stage.until_says("oddly fine", "fine").await;
    let held = stage.held();
    assert_eq!(stage.says("oddly eat").await, NOT_NOW);
    let eaten = |well: bool, detail: &str| !well && detail.contains("it was ended for its memory");
    let detail = stage.until_health("odd", "its end is told", eaten).await;
    assert!(detail.contains("may hold 48 MiB"), "{detail}");
    assert_eq!(stage.say("what time is it").await["outcome"], "answered");
    drop(held);
    stage.until_says("oddly fine", "fine").await;
    let ended = stage.link("odd")["process"]["ended"].as_str().expect("is told").to_owned();
    assert!(ended.contains("may hold 48 MiB"), "{ended}");
    stage.platform.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_hangs_holds_no_turn_and_is_soon_not_asked_any_more() {
    if !can_run() {
        return;
    }
    let folder = folder();
    let odd = script(folder.path(), "odd", "timeout = \"2s\"\nbreaker = { open = \"1h\" }");
    let plugins = format!("{odd}{}", script(folder.path(), "coffee", "timeout = \"60s\""));
    let stage = Stage::with(folder, &plugins);
    stage.until_says("oddly fine", "fine").await;
    stage.until_well("coffee").await;
    // It hangs for an hour, so that every answer came because of the limit.
    for _ in 0..5 {
        assert_eq!(stage.says("oddly hang").await, NOT_NOW);
    }
    assert_eq!(stage.link("odd")["breaker"]["state"], "open");
    let calls = stage.link("odd")["rejected"]["breaker"].as_u64().expect("is counted");
    assert_eq!(stage.says("oddly fine").await, NOT_NOW);
    assert!(stage.link("odd")["rejected"]["breaker"].as_u64() > Some(calls), "it was not even asked");
    assert_eq!(stage.says("order a latte").await, "I ordered 1 latte.", "another plugin is none of its");
    assert_eq!(stage.say("what time is it").await["outcome"], "answered");
    let close = ["link", "close", "voice.plugin/odd", "--reason", "it is well again"];
    stage.platform.ask(stage.folder.path(), &close);
    assert_eq!(stage.says("oddly fine").await, "fine", "a person steers it like any link");
    let url = format!("http://{}/api/operator/links/voice.plugin%2Fodd", stage.platform.address);
    let open = json!({ "order": "open", "reason": "it is looked after" });
    let steered = stage.client.post(url).json(&open).send().await.expect("is answered");
    let steered: Value = steered.json().await.expect("is JSON");
    assert_eq!(steered["breaker"]["state"], "held-open", "{steered}");
    assert_eq!(stage.says("oddly fine").await, NOT_NOW);
    stage.platform.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_plugin_garbles_is_not_said() {
    if !can_run() {
        return;
    }
    let folder = folder();
    let plugins = script(folder.path(), "odd", "timeout = \"60s\"\nbreaker = \"off\"");
    let stage = Stage::with(folder, &plugins);
    stage.until_says("oddly fine", "fine").await;
    for manner in ["garble", "mute", "loud", "fail"] {
        let told = stage.say(&format!("oddly {manner}")).await;
        assert_eq!((&told["outcome"], &told["text"]), (&json!("failed"), &json!(NOT_NOW)), "{manner}");
    }
    assert_eq!(stage.says("oddly fine").await, "fine");
    assert_eq!(stage.link("odd")["process"]["restarts"], 0, "it is none the worse for it");
    stage.platform.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_there_is_not_is_named_and_the_platform_is_up() {
    let folder = folder();
    let stage = Stage::with(folder, "[voice.plugins.tea]\ncommand = [\"no-such-program\"]\n");
    let missing = |_, detail: &str| detail.contains("there is no program \"no-such-program\"");
    stage.until_health("tea", "the program is named", missing).await;
    assert_eq!(stage.say("what time is it").await["outcome"], "answered");
    stage.platform.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_platform_that_is_killed_leaves_no_plugin_behind() {
    if !can_run() {
        return;
    }
    let folder = folder();
    let coffee = folder.path().join("coffee.py");
    let plugins = script(folder.path(), "coffee", "");
    let mut stage = Stage::with(folder, &plugins);
    stage.until_well("coffee").await;
    python(&coffee);
    stage.platform.child.kill().expect("is killed");
    stage.platform.child.wait().expect("is gone");
    nothing_is_left_of(&coffee).await;
}

/// A plugin that somebody else started.
struct Elsewhere(Child);

impl Elsewhere {
    fn start(folder: &Path, port: u16) -> Self {
        let mut command = Command::new("python3");
        command.arg(folder.join("coffee.py")).arg(port.to_string()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("starts");
        let mut line = String::new();
        let output = child.stdout.take().expect("is piped");
        BufReader::new(output).read_line(&mut line).expect("says where it answers");
        assert!(line.starts_with("ieum-plugin http://127.0.0.1:"), "{line}");
        Self(child)
    }
}

impl Drop for Elsewhere {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_somebody_else_starts_is_understood_once_it_is_there() {
    if !can_run() {
        return;
    }
    let folder = folder();
    let kept = KeptPort::take();
    let port = kept.number();
    let plugins = format!("[voice.plugins.coffee]\nto = \"http://127.0.0.1:{port}\"\nbreaker = \"off\"\n");
    let stage = Stage::with(folder, &plugins);
    let silent = |well: bool, detail: &str| !well && detail.contains(&port.to_string());
    stage.until_health("coffee", "its absence is told", silent).await;
    assert_eq!(stage.say("order two lattes").await["outcome"], "not_understood");
    let _coffee = Elsewhere::start(stage.folder.path(), port);
    stage.until_says("order two lattes", "I ordered 2 lattes.").await;
    stage.until_well("coffee").await;
    assert_eq!(stage.link("coffee")["to"], format!("http://127.0.0.1:{port}"));
    stage.platform.stop();
}

#[test]
fn settings_of_plugins_that_cannot_be_are_refused_by_field() {
    let folder = tempfile::tempdir().expect("a folder");
    for (entry, expected) in [
        ("[voice.plugins.x]\ncommand = []", "voice.plugins.x.command: is no list of a program"),
        (
            "[voice.plugins.x]\ncommand = [\"a\"]\nmemory = \"1 TB\"",
            "voice.plugins.x.memory: \"1 TB\" is no amount",
        ),
        ("[voice.plugins.x]\nto = \"http://a:1/path\"", "voice.plugins.x.to"),
        ("[voice.plugins.x]\nto = \"https://a:1\"", "name them under [tls]"),
        ("[links]\n\"voice.plugin\" = \"http://a:1\"", "name each under [voice.plugins.NAME]"),
    ] {
        let path = settings(folder.path(), entry);
        let mut command = ieum(folder.path(), &[]);
        let output = command.arg("--config").arg(&path).arg("check").output().expect("runs");
        let said = text(&output);
        assert!(!output.status.success() && said.contains(expected), "{entry}: {said}");
    }
}
