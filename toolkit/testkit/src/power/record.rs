//! The journal of `shim.c`: what the process did to the folder, in order.

use std::io;
use std::path::Path;

use bytes::{Buf, Bytes};

/// The number of the watched folder itself; every other file or folder gets its own when it is made.
pub(super) const ROOT: u32 = 1;

/// One operation.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Record {
    Create {
        node: u32,
        folder: u32,
        name: String,
        is_folder: bool,
    },
    /// Another name for a file.
    Link {
        node: u32,
        folder: u32,
        name: String,
    },
    Write {
        node: u32,
        offset: usize,
        data: Bytes,
    },
    Truncate {
        node: u32,
        length: usize,
    },
    SyncBegin,
    /// Covers what stands before the record `begun`.
    SyncEnd {
        node: u32,
        begun: usize,
        worked: bool,
    },
    Rename {
        from_folder: u32,
        from: String,
        to_folder: u32,
        to: String,
    },
    Unlink {
        folder: u32,
        name: String,
    },
    Mark(String),
    /// The shim let an operation fail, as told.
    Failed,
}

/// All that a process did to the watched folder, in one order, with the marks it set in between.
#[derive(Clone, Debug)]
pub struct History {
    pub(super) records: Vec<Record>,
}

/// The length of a record's head in `shim.c`.
const HEAD: usize = 32;

// === History ===

impl History {
    /// Reads a journal.
    ///
    /// # Errors
    /// A file that cannot be read, is no journal, or holds an operation that the replay knows nothing of.
    pub fn read(path: &Path) -> io::Result<Self> {
        let mut rest = Bytes::from(std::fs::read(path)?);
        let mut records = Vec::new();
        while !rest.is_empty() {
            records.push(Record::take(&mut rest).map_err(io::Error::other)?);
        }
        Ok(Self { records })
    }

    /// Returns how many records there are. A moment is a number of records from the first.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Tells whether nothing was written down.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Returns the marks set before the moment `at`.
    pub fn marks_before(&self, at: usize) -> impl Iterator<Item = &str> {
        self.records[..at.min(self.len())].iter().filter_map(|record| match record {
            Record::Mark(text) => Some(text.as_str()),
            _ => None,
        })
    }

    /// Returns how many operations the shim let fail.
    pub fn failures(&self) -> usize {
        self.records.iter().filter(|record| matches!(record, Record::Failed)).count()
    }

    /// Returns how many syncs came back with success.
    pub fn syncs(&self) -> usize {
        self.records.iter().filter(|record| matches!(record, Record::SyncEnd { worked: true, .. })).count()
    }
}

// === Record ===

impl Record {
    fn take(rest: &mut Bytes) -> Result<Self, String> {
        if rest.len() < HEAD {
            return Err("the journal ends within a record".to_owned());
        }
        let (kind, node) = (rest.get_u32_le(), rest.get_u32_le());
        let (a, b) = (rest.get_i64_le(), rest.get_i64_le());
        let (length, length2) = (rest.get_u32_le() as usize, rest.get_u32_le() as usize);
        if rest.len() < length + length2 {
            return Err("the journal ends within a record".to_owned());
        }
        let (one, two) = (rest.split_to(length), rest.split_to(length2));
        let text = |bytes: &Bytes| String::from_utf8_lossy(bytes).into_owned();
        let size = |number: i64| usize::try_from(number).map_err(|_| format!("{number} is no size"));
        let number = |number: i64| u32::try_from(number).map_err(|_| format!("{number} is no file"));
        Ok(match kind {
            1 => Self::Create { node, folder: number(a)?, name: text(&one), is_folder: b != 0 },
            2 => Self::Write { node, offset: size(a)?, data: one },
            3 => Self::Truncate { node, length: size(a)? },
            4 => Self::SyncBegin,
            5 => Self::SyncEnd { node, begun: size(a)?, worked: b == 0 },
            6 => Self::Rename { from_folder: node, from: text(&one), to_folder: number(a)?, to: text(&two) },
            7 => Self::Unlink { folder: node, name: text(&one) },
            8 => Self::Mark(text(&one)),
            9 => return Err(format!("the process did what the replay knows nothing of: {}", text(&one))),
            10 => Self::Failed,
            11 => Self::Link { node, folder: number(a)?, name: text(&one) },
            _ => return Err(format!("{kind} is no kind of record")),
        })
    }
}
