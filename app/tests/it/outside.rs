//! Other people's clients, as they come from their registries, against the binary: MQTT and Dialogflow.

use std::path::Path;
use std::process::Command;

use ieum_testkit::server;

use super::{Running, text, up};

const MQTT_PYTHON: &str = include_str!("outside/mqtt.py");
const MQTT_NODE: &str = include_str!("outside/mqtt.js");
const MQTT_NOBODY: &str = include_str!("outside/mqtt_nobody.js");
const DIALOGFLOW_PYTHON: &str = include_str!("outside/dialogflow.py");
const DIALOGFLOW_NODE: &str = include_str!("outside/dialogflow.js");

/// Runs a script of Python to its end, which says that all is well.
pub fn python(program: &Path, script: &str, words: &[&str]) {
    let mut command = Command::new(program);
    ends_well(command.args(["-c", script]).args(words));
}

/// Runs a script of Node with the packages of `folder` to its end, which says that all is well.
pub fn node(folder: &Path, script: &str, words: &[&str]) {
    let mut command = Command::new("node");
    command.env("NODE_PATH", folder.join("node_modules"));
    ends_well(command.args(["-e", script, "--"]).args(words));
}

fn ends_well(command: &mut Command) {
    // What a client asks of itself, it would ask of the network else.
    let output = command.env("GOOGLE_CLOUD_PROJECT", "home").output().expect("the client runs");
    let said = text(&output);
    assert!(output.status.success() && said.contains("all well"), "{said}");
}

/// Returns the port of an address.
pub fn port(address: &str) -> &str {
    address.rsplit_once(':').expect("has a port").1
}

/// Adds a device, as an operator does, and returns its secret.
pub fn added(platform: &Running, folder: &Path, device: &str) -> String {
    let added = platform.ask(folder, &["device", "add", device]);
    added["secret"].as_str().expect("is shown once").to_owned()
}

#[test]
fn a_device_of_paho_for_python_talks_to_the_binary() {
    let Some(program) = server::python_mqtt() else {
        return server::not_run("mqtt for python", "cargo xtask test has not installed paho-mqtt");
    };
    let folder = tempfile::tempdir().expect("a folder");
    let platform = up(folder.path(), &["voice"], &[]);
    let secret = added(&platform, folder.path(), "hall");
    python(&program, MQTT_PYTHON, &[port(&platform.mqtt), port(&platform.address), "hall", &secret]);
    platform.stop();
}

#[test]
fn a_device_of_mqtt_for_node_talks_to_the_binary() {
    let Some(packages) = server::node_mqtt() else {
        return server::not_run("mqtt for node", "cargo xtask test has not installed mqtt");
    };
    let folder = tempfile::tempdir().expect("a folder");
    let platform = up(folder.path(), &["voice"], &[]);
    let secret = added(&platform, folder.path(), "hall");
    node(&packages, MQTT_NODE, &[port(&platform.mqtt), port(&platform.address), "hall", &secret]);
    platform.stop();
}

#[test]
fn a_device_of_mqtt_for_node_needs_no_secret_where_none_is_asked_for() {
    let Some(packages) = server::node_mqtt() else {
        return server::not_run("mqtt for node", "cargo xtask test has not installed mqtt");
    };
    let folder = tempfile::tempdir().expect("a folder");
    let platform = up(folder.path(), &["device"], &[("IEUM__DEVICE__ANONYMOUS", "true")]);
    node(&packages, MQTT_NOBODY, &[port(&platform.address)]);
    platform.stop();
}

#[test]
fn googles_client_for_python_has_a_conversation_with_the_binary() {
    let Some(program) = server::python_dialogflow() else {
        return server::not_run("dialogflow for python", "cargo xtask test has not installed it");
    };
    let folder = tempfile::tempdir().expect("a folder");
    let platform = up(folder.path(), &["voice"], &[]);
    python(&program, DIALOGFLOW_PYTHON, &[port(&platform.address)]);
    platform.stop();
}

#[test]
fn googles_client_for_node_has_a_conversation_with_the_binary() {
    let Some(packages) = server::node_dialogflow() else {
        return server::not_run("dialogflow for node", "cargo xtask test has not installed it");
    };
    let folder = tempfile::tempdir().expect("a folder");
    let platform = up(folder.path(), &["voice"], &[]);
    node(&packages, DIALOGFLOW_NODE, &[port(&platform.address)]);
    platform.stop();
}
