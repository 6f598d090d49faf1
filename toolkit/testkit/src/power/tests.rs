//! What the simulated disk promises and what it does not.

use std::collections::BTreeSet;
use std::process::Command;

use bytes::Bytes;

use super::record::{ROOT, Record};
use super::{History, Image, Moment, Phase, Replay, Rig};

const FILE: u32 = 2;

fn created(node: u32, name: &str) -> Record {
    Record::Create { node, folder: ROOT, name: name.to_owned(), is_folder: false }
}

fn wrote(offset: usize, letter: u8, length: usize) -> Record {
    Record::Write { node: FILE, offset, data: Bytes::from(vec![letter; length]) }
}

fn synced(node: u32, begun: usize) -> Record {
    Record::SyncEnd { node, begun, worked: true }
}

/// Returns the images after all of `records`, by many seeds.
fn images(records: Vec<Record>) -> Vec<Image> {
    let history = History { records };
    let moment = |seed| Moment { at: history.len(), seed, phase: Phase::Rest, after_mark: false };
    (0..300).map(|seed| Replay::new(&history).cut(&moment(seed))).collect()
}

fn contents(records: Vec<Record>) -> BTreeSet<Vec<u8>> {
    images(records).iter().map(|image| image.content("a").expect("its name is synced").to_vec()).collect()
}

#[test]
fn what_was_synced_is_there_whatever_the_seed() {
    let found = contents(vec![created(FILE, "a"), wrote(0, b'x', 2_000), synced(FILE, 2), synced(ROOT, 3)]);
    assert_eq!(found, BTreeSet::from([vec![b'x'; 2_000]]));
}

#[test]
fn what_was_not_synced_is_kept_dropped_or_torn_at_sectors() {
    let begin = vec![created(FILE, "a"), wrote(0, b'x', 2_048), synced(FILE, 2), synced(ROOT, 3)];
    let found = contents([begin, vec![wrote(0, b'y', 2_048)]].concat());
    assert!(found.contains(&vec![b'x'; 2_048]) && found.contains(&vec![b'y'; 2_048]));
    assert!(found.len() > 8, "torn in {} ways", found.len());
    for content in found {
        assert!(content.chunks(512).all(|sector| sector.iter().all(|byte| *byte == sector[0])));
    }
}

#[test]
fn a_later_write_may_be_there_without_an_earlier_one() {
    let begin = vec![created(FILE, "a"), wrote(0, b'x', 1_024), synced(FILE, 2), synced(ROOT, 3)];
    let found = contents([begin, vec![wrote(0, b'y', 512), wrote(512, b'z', 512)]].concat());
    let reordered = [vec![b'x'; 512], vec![b'z'; 512]].concat();
    assert!(found.contains(&reordered));
}

#[test]
fn a_sync_covers_what_was_written_before_it_began() {
    let records = vec![
        created(FILE, "a"),
        wrote(0, b'x', 512),
        Record::SyncBegin,
        wrote(512, b'y', 512),
        synced(FILE, 2),
        synced(ROOT, 4),
    ];
    let found = contents(records);
    assert!(found.iter().all(|content| content[..512] == vec![b'x'; 512]));
    assert!(found.contains(&vec![b'x'; 512]), "the second write may be lost");
}

#[test]
fn a_name_lasts_only_once_its_folder_was_synced() {
    let names = |records| -> BTreeSet<Vec<String>> {
        images(records).iter().map(|image| image.paths().map(str::to_owned).collect()).collect()
    };
    let made = vec![created(FILE, "a"), wrote(0, b'x', 9), synced(FILE, 2)];
    assert_eq!(names(made.clone()), BTreeSet::from([vec![], vec!["a".to_owned()]]));
    let moved = |sync: Vec<Record>| {
        let rename =
            Record::Rename { from_folder: ROOT, from: "a".to_owned(), to_folder: ROOT, to: "b".to_owned() };
        [made.clone(), vec![synced(ROOT, 3), rename], sync].concat()
    };
    assert_eq!(names(moved(vec![])), BTreeSet::from([vec!["a".to_owned()], vec!["b".to_owned()]]));
    assert_eq!(names(moved(vec![synced(ROOT, 5)])), BTreeSet::from([vec!["b".to_owned()]]));
}

#[test]
fn a_sync_after_a_failed_one_mends_nothing() {
    let outcome = |begun: usize| {
        let mut records = vec![created(FILE, "a"), synced(ROOT, 1)];
        records.resize(begun, Record::SyncBegin);
        records.insert(2, wrote(0, b'x', 512));
        let failed = Record::SyncEnd { node: FILE, begun: records.len(), worked: false };
        let again = synced(FILE, records.len() + 1);
        contents([records, vec![failed, again]].concat())
    };
    let outcomes: BTreeSet<BTreeSet<Vec<u8>>> = (3..40).map(outcome).collect();
    assert!(outcomes.iter().all(|found| found.len() == 1), "drawn once, at the failure");
    assert!(outcomes.len() > 1, "some are lost although the second sync worked");
}

#[test]
fn the_shim_writes_down_what_a_real_process_does() {
    let rig = match Rig::new() {
        Ok(rig) => rig,
        Err(error @ super::PowerError::NoCompiler(_)) => {
            return crate::server::not_run("a C compiler", &error.to_string());
        }
        Err(error) => panic!("{error}"),
    };
    let (folder, marks) = (rig.folder(), rig.marks());
    let mut command = Command::new("dd");
    command.args(["if=/dev/zero", "bs=700", "count=3", "conv=fsync", "status=none"]);
    command.arg(format!("of={}", folder.join("zeros").display()));
    rig.watch(&mut command);
    assert!(command.status().expect("dd exists").success());
    let history = rig.history().expect("reads the journal");
    assert_eq!((history.syncs(), history.marks_before(history.len()).count()), (1, 0), "{history:?}");
    let found: BTreeSet<Option<Vec<u8>>> =
        images(history.records).iter().map(|image| image.content("zeros").map(<[u8]>::to_vec)).collect();
    assert_eq!(found, BTreeSet::from([None, Some(vec![0; 2_100])]));
    assert!(!marks.exists());
}
