//! The key that seals secrets outlasts a power cut, also where another process made it a moment before.

use std::path::{Path, PathBuf};

use ieum_store::SealingKey;
use ieum_testkit::power::{Moment, Phase, Replay};

use crate::cut::{rig, run};
use crate::workload::{Marks, Plan};

const NAMES: [&str; 2] = ["made.key", "found.key"];

/// Makes a key as another process does that is stopped before it syncs the folder.
fn half_made(path: &Path) {
    let aside = path.with_extension("new");
    SealingKey::read_or_make(&aside).expect("is made aside");
    std::fs::hard_link(&aside, path).expect("is linked into place");
}

#[test]
#[ignore = "runs as the child of the power cuts"]
fn child() {
    let Some(plan) = Plan::read() else { return };
    let marks = Marks::open(Path::new(&plan.marks));
    let [made, found] = NAMES.map(|name| PathBuf::from(&plan.folder).join(name));
    half_made(&found);
    for path in [found, made] {
        let key = SealingKey::read_or_make(&path).expect("is had");
        let name = path.file_name().and_then(|name| name.to_str()).expect("is text");
        marks.set(&format!("{name} {}", key.id()));
    }
}

#[test]
fn a_key_that_was_handed_out_is_there_after_a_power_cut_whoever_made_it() {
    let Some(rig) = rig() else { return };
    run(&rig, "key::child", &Plan::of(&rig, 0));
    let history = rig.history().expect("reads the journal");
    let mut handed_out = 0;
    for at in 0..=history.len() {
        let mut replay = Replay::new(&history);
        let image = replay.cut(&Moment { at, seed: 7, phase: Phase::Rest, after_mark: false });
        for mark in history.marks_before(at) {
            let (name, id) = mark.split_once(' ').expect("is a name and an id");
            let text = image.content(name).unwrap_or_else(|| panic!("{name} is gone at moment {at}"));
            let text = std::str::from_utf8(text).expect("is text");
            assert_eq!(SealingKey::parse(text, name).expect("is whole").id(), id);
            handed_out += 1;
        }
    }
    assert!(handed_out >= NAMES.len(), "both keys were handed out");
}
