//! Foreign libraries that judge our work in tests, kept in the cache folder: for Python and for Node.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::{Failure, Tried};
use crate::servers::install_packages;
use crate::{models, shell};

/// The official verifier of Standard Webhooks (<https://www.standardwebhooks.com>), same name for both languages.
const VERIFIER: &str = "standardwebhooks";

/// Rows about real people, for the re-identification test of `ieum-privacy`; GPL, so kept out of this repository.
const PEOPLE: &str = "face2face==0.2.1a0";

/// The sentences of Home Assistant's voice assistant, compiled; Apache-2.0, and too many to copy.
const HOME_ASSISTANT: &str = "home-assistant-intents==2026.10.27";

/// What Home Assistant reads those sentences with (<https://github.com/OHF-Voice/hassil>); Apache-2.0.
const HASSIL: &str = "hassil==3.12.1";

/// Sentences with Korean dates and times, and an evaluator of what they mean; MIT, and the sentences are its tests.
const KOREAN_DATETIME: &str = "korean-datetime==1.0.0";

/// Asks every documented operation of an HTTP API in many ways (<https://schemathesis.readthedocs.io>).
const SCHEMATHESIS: &str = "schemathesis==4.32.5";

/// Clients of MQTT as other people use them, for Python and for Node.
const PYTHON_MQTT: &str = "paho-mqtt==2.1.0";
const NODE_MQTT: &str = "mqtt@5.16.0";

/// The Wyoming protocol as other people speak it (<https://github.com/OHF-Voice/wyoming>), and a voice satellite,
/// which wants an older one.
const PYTHON_WYOMING: &str = "wyoming==1.10.2";
const SATELLITE: &str = "wyoming-satellite==1.0.0";

/// Messages and client of the Hermes protocol, as the programs of Rhasspy 2 use them; it wants an old paho-mqtt.
const PYTHON_HERMES: &str = "rhasspy-hermes==0.6.2";

/// Speaks; GPL, so a program of its own that we never link.
const ESPEAK: &str = "espeak-ng";

/// Google's own clients of Dialogflow, for Python and for Node.
const PYTHON_DIALOGFLOW: &str = "google-cloud-dialogflow==2.54.0";
const NODE_DIALOGFLOW: &str = "@google-cloud/dialogflow@7.9.0";

/// The libraries of one run: the variable that tells tests where one is, and where it is or why it is not.
pub struct Libraries {
    outcomes: Vec<(&'static str, &'static str, Result<PathBuf, Failure>)>,
}

impl Libraries {
    /// Installs what is missing.
    ///
    /// # Errors
    /// Those of [`shell::installing`].
    pub fn prepare() -> Result<Self, Failure> {
        let _installing = shell::installing()?;
        let outcomes = vec![
            ("python library", "IEUM_TEST_PYTHON_URL", for_python()),
            ("node library", "IEUM_TEST_NODE_URL", for_node()),
            ("people", "IEUM_TEST_FACE2FACE", people()),
            ("sentences", "IEUM_TEST_HA_DATA", home_assistant()),
            ("hassil", "IEUM_TEST_PYTHON_HASSIL", python_in("py-hassil", &[HASSIL])),
            ("korean dates", "IEUM_TEST_KOREAN_DATETIME", korean_datetime()),
            ("schemathesis", "IEUM_TEST_SCHEMATHESIS", schemathesis()),
            ("mqtt for python", "IEUM_TEST_PYTHON_MQTT", python_in("py-mqtt", &[PYTHON_MQTT])),
            ("mqtt for node", "IEUM_TEST_NODE_MQTT", node_package("node-mqtt", "mqtt", NODE_MQTT)),
            (
                "dialogflow py",
                "IEUM_TEST_PYTHON_DIALOGFLOW",
                python_in("py-dialogflow", &[PYTHON_DIALOGFLOW]),
            ),
            (
                "dialogflow node",
                "IEUM_TEST_NODE_DIALOGFLOW",
                node_package("node-dialogflow", "@google-cloud/dialogflow", NODE_DIALOGFLOW),
            ),
            ("wyoming", "IEUM_TEST_PYTHON_WYOMING", python_in("py-wyoming", &[PYTHON_WYOMING])),
            ("satellite", "IEUM_TEST_SATELLITE", python_in("py-satellite", &[SATELLITE])),
            ("hermes", "IEUM_TEST_PYTHON_HERMES", python_in("py-hermes", &[PYTHON_HERMES])),
            ("espeak-ng", "IEUM_TEST_ESPEAK", espeak()),
            ("speech models", "IEUM_TEST_MODELS", models::prepare()),
        ];
        Ok(Self { outcomes })
    }

    /// Returns the environment that tells tests where the libraries are.
    pub fn environment(&self) -> Vec<(String, String)> {
        let there = self
            .outcomes
            .iter()
            .filter_map(|(_, variable, outcome)| Some((variable, outcome.as_ref().ok()?)));
        there.map(|(variable, path)| ((*variable).to_owned(), path.display().to_string())).collect()
    }

    /// Prints one line per library.
    pub fn print(&self) {
        for (name, _, outcome) in &self.outcomes {
            match outcome {
                Ok(path) => println!("{name:16} there    {:24} {}", held(name), path.display()),
                Err(why) => println!("{name:16} missing  {why}"),
            }
        }
    }
}

/// Returns what a library is called where it comes from.
fn held(name: &str) -> &'static str {
    match name {
        "people" => PEOPLE,
        "sentences" => HOME_ASSISTANT,
        "hassil" => HASSIL,
        "korean dates" => KOREAN_DATETIME,
        "schemathesis" => SCHEMATHESIS,
        "mqtt for python" => PYTHON_MQTT,
        "mqtt for node" => NODE_MQTT,
        "dialogflow py" => PYTHON_DIALOGFLOW,
        "dialogflow node" => NODE_DIALOGFLOW,
        "wyoming" => PYTHON_WYOMING,
        "satellite" => SATELLITE,
        "hermes" => PYTHON_HERMES,
        "espeak-ng" => ESPEAK,
        "speech models" => "moonshine, whisper",
        _ => VERIFIER,
    }
}

/// Returns a Python that has every one of `parts` (as pip names them), after installing those it lacks.
///
/// # Errors
/// When there is no Python, or pip fails.
pub fn python_with(parts: &[&str]) -> Result<PathBuf, Failure> {
    python_in("py", parts)
}

/// Does the same in an environment of its own, for parts that want other versions of what the others use.
///
/// # Errors
/// Those of [`python_with`].
pub fn python_in(environment: &str, parts: &[&str]) -> Result<PathBuf, Failure> {
    let folder = shell::cache_folder()?.join(environment);
    let python = folder.join("bin").join("python");
    // What was cut off while it was made has a Python without pip.
    if !python.is_file() || pip(&python, &["--version"], &[]).is_err() {
        let base = shell::find("python3")
            .ok_or_else(|| Failure("looking for python3: it is not installed".to_owned()))?;
        let mut make = Command::new(base);
        shell::read("python3 -m venv", make.args(["-m", "venv", "--clear"]).arg(&folder))?;
    }
    // Without an index pip can only agree with what is there, which takes no network.
    if !parts.is_empty() && pip(&python, &["install", "--no-index", "--no-deps"], parts).is_err() {
        println!("installing {}", parts.join(", "));
        pip(&python, &["install"], parts)?;
    }
    Ok(python)
}

fn pip(python: &Path, arguments: &[&str], parts: &[&str]) -> Result<String, Failure> {
    let mut command = Command::new(python);
    command.args(["-m", "pip", "--quiet", "--disable-pip-version-check"]).args(arguments).args(parts);
    shell::read("pip install", &mut command)
}

/// Fetches the package that holds rows about real people.
fn people() -> Result<PathBuf, Failure> {
    unpacked(PEOPLE, "face2face/data")
}

/// Returns the folder with one file of sentences per language.
fn home_assistant() -> Result<PathBuf, Failure> {
    let data = "home_assistant_intents/data";
    Ok(unpacked(HOME_ASSISTANT, data)?.join(data))
}

/// Returns the folder with korean-datetime's sentences and what its evaluator says they mean. The sentences are in the
/// source archive only.
fn korean_datetime() -> Result<PathBuf, Failure> {
    let python = python_in("py-korean-datetime", &[KOREAN_DATETIME])?;
    let folder = shell::cache_folder()?.join("korean-datetime");
    if folder.join("cases.jsonl").is_file() {
        return Ok(folder);
    }
    println!("fetching the sentences of {KOREAN_DATETIME}");
    let mut download = Command::new(&python);
    download.args(["-m", "pip", "--quiet", "--disable-pip-version-check", "download", "--no-deps"]);
    download.args(["--no-binary", ":all:", "--dest"]).arg(&folder).arg(KOREAN_DATETIME);
    shell::read("pip download", &mut download)?;
    let mut write = Command::new(&python);
    write.args(["-c", include_str!("korean_datetime.py")]).arg(&folder);
    shell::read("writing korean-datetime's cases", &mut write)?;
    Ok(folder)
}

/// Fetches a package for its data and unpacks it, without what it needs to run. `data`: a folder it then has.
fn unpacked(package: &str, data: &str) -> Result<PathBuf, Failure> {
    let folder = shell::cache_folder()?.join(package.replace("==", "-"));
    if folder.join(data).is_dir() {
        return Ok(folder);
    }
    // An environment has pip of its own; Debian's python3 has none.
    let python = python_with(&[])?;
    println!("fetching {package}");
    let mut install = Command::new(python);
    install.args(["-m", "pip", "--quiet", "--disable-pip-version-check", "install", "--no-deps", "--target"]);
    shell::read("pip install", install.arg(&folder).arg(package))?;
    Ok(folder)
}

/// Returns the program, in an environment of its own: it brings some forty packages.
fn schemathesis() -> Result<PathBuf, Failure> {
    let python = python_in("py-schemathesis", &[SCHEMATHESIS])?;
    Ok(python.with_file_name("schemathesis"))
}

/// Returns the program that speaks, after installing it where Debian's packages can be.
fn espeak() -> Result<PathBuf, Failure> {
    if shell::find(ESPEAK).is_none() {
        install_packages(&[ESPEAK])?;
    }
    shell::find(ESPEAK).ok_or_else(|| Failure(format!("looking for {ESPEAK}: it is not installed")))
}

fn for_python() -> Result<PathBuf, Failure> {
    python_with(&[VERIFIER])
}

fn for_node() -> Result<PathBuf, Failure> {
    node_package("node", VERIFIER, VERIFIER)
}

/// Returns the folder `name` with the package `package` of Node, after installing it as `wanted`.
fn node_package(name: &str, package: &str, wanted: &str) -> Result<PathBuf, Failure> {
    let folder = shell::cache_folder()?.join(name);
    if folder.join("node_modules").join(package).join("package.json").is_file() {
        return Ok(folder);
    }
    let npm = shell::find("npm").ok_or_else(|| Failure("looking for npm: it is not installed".to_owned()))?;
    std::fs::create_dir_all(&folder).tried(format_args!("making {}", folder.display()))?;
    println!("installing {wanted} for Node");
    let mut install = Command::new(npm);
    install.args(["install", "--no-audit", "--no-fund", "--prefix"]).arg(&folder).arg(wanted);
    shell::read("npm install", install.current_dir(Path::new(&folder)))?;
    Ok(folder)
}
