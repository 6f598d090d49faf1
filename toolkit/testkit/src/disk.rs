//! A disk that is full, for real: a small file system in memory, filled to its last byte.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::server::not_run;

/// How many files and folders it has place for.
const NAMES: u32 = 64;

/// A file system of two megabytes, until it is dropped.
pub struct SmallDisk {
    folder: tempfile::TempDir,
}

impl SmallDisk {
    /// Mounts one, or records that the calling test did not run where that is not allowed.
    ///
    /// # Panics
    /// Without a temporary folder.
    pub fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut command = Command::new("mount");
        command
            .args(["-t", "tmpfs", "-o", &format!("size=2m,nr_inodes={NAMES}"), "tmpfs"])
            .arg(folder.path());
        if command.stderr(Stdio::null()).status().is_ok_and(|ended| ended.success()) {
            return Some(Self { folder });
        }
        not_run("mount", "a full disk needs the right to mount a small one");
        None
    }

    /// Returns a folder on it, which is not there yet.
    pub fn path(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    /// Takes all room.
    ///
    /// # Panics
    /// Where it never gets full.
    pub fn fill(&self) {
        let mut file = File::create(self.ballast()).expect("the ballast is made");
        let full = std::iter::repeat_with(|| file.write_all(&[0; 4096])).find_map(Result::err);
        assert_eq!(full.map(|error| error.kind()), Some(ErrorKind::StorageFull));
    }

    /// Gives some of the room back: so many pages of 4096 bytes.
    ///
    /// # Panics
    /// Where so much was not taken.
    pub fn make_some_room(&self, pages: u64) {
        let file = File::options().write(true).open(self.ballast()).expect("the ballast is there");
        let taken = file.metadata().expect("is readable").len();
        file.set_len(taken - pages * 4096).expect("gets shorter");
    }

    /// Takes all names that files and folders may have, and leaves room for bytes.
    ///
    /// # Panics
    /// Where there is no end of them.
    pub fn take_names(&self) {
        let names = self.names();
        std::fs::create_dir(&names).expect("the first is there");
        let make = |number: u32| File::create(names.join(number.to_string())).err();
        let full = (0..NAMES).find_map(make);
        assert_eq!(full.map(|error| error.kind()), Some(ErrorKind::StorageFull));
    }

    /// Gives the names back.
    ///
    /// # Panics
    /// Where they were not taken.
    pub fn give_names(&self) {
        std::fs::remove_dir_all(self.names()).expect("they are there");
    }

    /// Gives the room back.
    ///
    /// # Panics
    /// Where it was not taken.
    pub fn make_room(&self) {
        std::fs::remove_file(self.ballast()).expect("the ballast is there");
    }

    fn names(&self) -> PathBuf {
        self.folder.path().join("names")
    }

    fn ballast(&self) -> PathBuf {
        self.folder.path().join("ballast")
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: what failed with its test may still have a file open.
        let _ = Command::new("umount").arg("-l").arg(self.folder.path()).status();
    }
}
