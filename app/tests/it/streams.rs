//! Sound as it is spoken, to the binary: what was heard so far comes back meanwhile, then the answer, aloud too.

use std::path::PathBuf;

use ieum_testkit::server;

use super::outside::{node, port, python};
use super::wyoming::Engines;
use super::{Running, up};

const DIALOGFLOW: &str = include_str!("streams/dialogflow.py");
const SOCKET: &str = include_str!("streams/socket.js");

/// The platform with its engines, and somebody's words.
fn stage(engines: &Engines) -> (tempfile::TempDir, Running, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let clip = folder.path().join("clip.wav");
    engines.say("good morning, please tell me what time it is right now", &clip);
    let settings =
        [("IEUM__VOICE__EARS", engines.ears.as_str()), ("IEUM__VOICE__MOUTH", engines.mouth.as_str())];
    let platform = up(folder.path(), &["voice"], &settings);
    (folder, platform, clip)
}

#[test]
#[ignore = "needs speech models and espeak-ng"]
fn sound_over_a_grpc_stream_is_heard_while_it_is_spoken() {
    let Some(program) = server::python_dialogflow() else {
        return server::not_run("dialogflow for python", "cargo xtask test has not installed it");
    };
    let Some(engines) = Engines::there() else { return };
    let (_folder, platform, clip) = stage(&engines);
    python(&program, DIALOGFLOW, &[port(&platform.address), &clip.display().to_string()]);
    platform.stop();
}

#[test]
#[ignore = "needs speech models and espeak-ng"]
fn sound_over_a_web_socket_is_heard_while_it_is_spoken() {
    // The package `ws` comes with `mqtt`.
    let Some(packages) = server::node_mqtt() else {
        return server::not_run("mqtt for node", "cargo xtask test has not installed mqtt");
    };
    let Some(engines) = Engines::there() else { return };
    let (_folder, platform, clip) = stage(&engines);
    node(&packages, SOCKET, &[port(&platform.address), &clip.display().to_string()]);
    platform.stop();
}
