//! Commands beside a platform of another data folder: nothing goes wrong silently.

use std::path::Path;
use std::process::Output;

use super::{Running, ieum, text, up};

/// Returns what a command says in `folder` while `platform` runs at the address it asks.
fn told(platform: &Running, folder: &Path, words: &[&str]) -> (Output, String) {
    let listen = [("IEUM__SERVER__LISTEN", platform.address.as_str())];
    let output = ieum(folder, &listen).args(words).output().expect("runs");
    let said = text(&output);
    (output, said)
}

const KEY: [&str; 4] = ["key", "create", "--name", "partner"];

#[test]
fn a_command_about_another_data_folder_does_nothing_in_this_one() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (theirs, own) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let platform = up(theirs.path(), &[], &[]);
    for words in [&KEY[..], &["link", "list"], &["link", "watch"], &["source", "list"]] {
        let (output, said) = told(&platform, own.path(), words);
        assert!(!output.status.success(), "{words:?}: {said}");
        for part in [&platform.address, theirs.path().to_str().expect("is text"), "nothing was done"] {
            assert!(said.contains(part), "{words:?}: {part} is missing in {said}");
        }
    }
    let listed = platform.ask(theirs.path(), &["key", "list"]);
    assert_eq!(listed.as_array().map(Vec::len), Some(0), "no key was made: {listed}");
    let (output, said) = told(&platform, theirs.path(), &KEY);
    assert!(output.status.success() && !said.contains("note:"), "its own is asked without a word: {said}");
    platform.stop();
}

#[test]
fn a_folder_that_nobody_named_is_told_beside_the_answer() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (theirs, own) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let platform = up(theirs.path(), &[], &[]);
    let listed = || {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_ieum"));
        command.current_dir(own.path()).env("IEUM__SERVER__LISTEN", &platform.address);
        let output = command.args(["key", "list"]).output().expect("runs");
        assert!(output.status.success(), "{}", text(&output));
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    assert_eq!(listed(), "", "whoever has no data here means whoever answers");
    std::fs::create_dir(own.path().join("data")).expect("is made");
    assert!(listed().contains("which keeps its data in"), "{}", listed());
    platform.stop();
}

#[test]
fn a_device_that_is_added_beside_another_platform_is_told_where_it_counts() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (theirs, own) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let platform = up(theirs.path(), &[], &[]);
    let (output, said) = told(&platform, own.path(), &["device", "add", "kitchen"]);
    assert!(output.status.success(), "{said}");
    let advice = format!("for that one give `--data {}`", theirs.path().display());
    assert!(said.contains("note: ") && said.contains(&advice), "{said}");
    let (_, said) = told(&platform, theirs.path(), &["device", "add", "kitchen"]);
    assert!(!said.contains("note:"), "{said}");
    platform.stop();
}

#[test]
fn a_part_that_is_not_there_is_told_with_the_address_and_what_to_do() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().expect("a folder");
    let platform = up(folder.path(), &["events"], &[]);
    let (output, said) = told(&platform, folder.path(), &KEY);
    assert!(!output.status.success(), "{said}");
    for part in [
        &*platform.address,
        "whose contract nobody serves here",
        "runs without the part partners: let its `ieum up` name that too",
        "server.listen",
    ] {
        assert!(said.contains(part), "{part} is missing in {said}");
    }
    platform.stop();
}
