//! Hermes as the binary speaks it: the programs of Rhasspy 2, by its own library, at our base station.

use ieum_testkit::server;

use super::device::{come, packet, say};
use super::outside::{added, port, python};
use super::up;
use super::wyoming::Engines;

const BASE: &str = include_str!("hermes/base.py");

#[test]
fn programs_of_rhasspy_lead_and_are_led() {
    let Some(program) = server::python_hermes() else {
        return server::not_run("hermes", "cargo xtask test has not installed rhasspy-hermes");
    };
    let folder = tempfile::tempdir().expect("a folder");
    let platform = up(folder.path(), &["voice"], &[("IEUM__VOICE__HERMES", "true")]);
    let secret = added(&platform, folder.path(), "rhasspy");
    python(&program, BASE, &[port(&platform.mqtt), "rhasspy", &secret]);
    platform.stop();
}

#[test]
#[ignore = "needs speech models and espeak-ng"]
fn a_microphone_and_a_loudspeaker_of_rhasspy_hold_a_conversation() {
    let Some(program) = server::python_hermes() else {
        return server::not_run("hermes", "cargo xtask test has not installed rhasspy-hermes");
    };
    let Some(engines) = Engines::there() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let clip = folder.path().join("clip.wav");
    engines.say("what time is it", &clip);
    let settings = [
        ("IEUM__VOICE__HERMES", "true"),
        ("IEUM__VOICE__EARS", engines.ears.as_str()),
        ("IEUM__VOICE__MOUTH", engines.mouth.as_str()),
    ];
    let platform = up(folder.path(), &["voice"], &settings);
    let secret = added(&platform, folder.path(), "rhasspy");
    python(&program, BASE, &[port(&platform.mqtt), "rhasspy", &secret, &clip.display().to_string()]);
    platform.stop();
}

#[test]
fn hermes_is_closed_where_no_setting_opens_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let platform = up(folder.path(), &["voice"], &[]);
    let secret = added(&platform, folder.path(), "rhasspy");
    let (mut stream, code) = come(&platform.mqtt, "rhasspy", &secret);
    assert_eq!(code, 0, "is let in");
    say(&mut stream, &packet(0x82, b"\0\x01\0\x08hermes/#\x01"));
    let mut answer = [0; 5];
    std::io::Read::read_exact(&mut stream, &mut answer).expect("is answered");
    assert_eq!(answer, [0x90, 3, 0, 1, 0x80], "is no topic of its own");
    platform.stop();
}
