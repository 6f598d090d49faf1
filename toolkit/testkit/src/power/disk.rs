//! The simulated disk: what is sure to be on it, what may be, and the folder that a power cut leaves.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use bytes::Bytes;

use super::loss::{Fate, Loss};
use super::moment::{Moment, Phase};
use super::record::{History, ROOT, Record};

/// Goes through a history and makes the disk of each moment on the way.
pub struct Replay<'a> {
    history: &'a History,
    disk: Disk,
    at: usize,
}

/// The watched folder as it lies on the disk after a power cut: each file's content, `None` for a folder, by path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    files: BTreeMap<String, Option<Vec<u8>>>,
}

/// What is on the disk, and what may be.
#[derive(Default)]
pub(super) struct Disk {
    nodes: BTreeMap<u32, Node>,
    /// The names as the process sees them.
    names: BTreeMap<(u32, String), u32>,
}

#[derive(Default)]
struct Node {
    name: String,
    is_folder: bool,
    content: Vec<u8>,
    entries: BTreeMap<String, u32>,
    /// What is not synced, with the record's number.
    pending: Vec<(usize, Change)>,
}

#[derive(Clone)]
enum Change {
    Write { offset: usize, data: Bytes },
    Truncate(usize),
    Link(String, u32),
    Unlink(String),
    Move { from: String, to: String, node: u32 },
}

// === Replay ===

impl<'a> Replay<'a> {
    /// Stands at the beginning.
    pub fn new(history: &'a History) -> Self {
        Self { history, disk: Disk::default(), at: 0 }
    }

    /// Goes on to `moment` and returns the folder that a power cut leaves there, by the moment's seed.
    ///
    /// # Panics
    /// On a moment before the last one.
    pub fn cut(&mut self, moment: &Moment) -> Image {
        assert!(moment.at >= self.at, "moments come in order");
        for record in self.at..moment.at {
            self.disk.apply(record, &self.history.records[record]);
        }
        self.at = moment.at;
        self.disk.cut(moment.seed)
    }
}

// === Disk ===

impl Disk {
    /// Takes in the record with number `index`.
    pub(super) fn apply(&mut self, index: usize, record: &Record) {
        match record {
            Record::Create { node, folder, name, is_folder } => {
                let made = self.node(*node);
                (made.name, made.is_folder) = (name.clone(), *is_folder);
                self.change(*folder, index, Change::Link(name.clone(), *node));
                self.names.insert((*folder, name.clone()), *node);
            }
            Record::Link { node, folder, name } => {
                self.change(*folder, index, Change::Link(name.clone(), *node));
                self.names.insert((*folder, name.clone()), *node);
            }
            Record::Write { node, offset, data } => {
                self.change(*node, index, Change::Write { offset: *offset, data: data.clone() });
            }
            Record::Truncate { node, length } => self.change(*node, index, Change::Truncate(*length)),
            Record::SyncEnd { node, begun, worked } => self.node(*node).settle(*begun, *worked),
            Record::Rename { from_folder, from, to_folder, to } => {
                let Some(node) = self.names.remove(&(*from_folder, from.clone())) else { return };
                self.node(node).name.clone_from(to);
                self.names.insert((*to_folder, to.clone()), node);
                if from_folder == to_folder {
                    let change = Change::Move { from: from.clone(), to: to.clone(), node };
                    self.change(*to_folder, index, change);
                } else {
                    self.change(*to_folder, index, Change::Link(to.clone(), node));
                    self.change(*from_folder, index, Change::Unlink(from.clone()));
                }
            }
            Record::Unlink { folder, name } => {
                self.names.remove(&(*folder, name.clone()));
                self.change(*folder, index, Change::Unlink(name.clone()));
            }
            Record::SyncBegin | Record::Mark(_) | Record::Failed => {}
        }
    }

    fn node(&mut self, id: u32) -> &mut Node {
        self.nodes.entry(id).or_default()
    }

    fn change(&mut self, id: u32, index: usize, change: Change) {
        self.node(id).pending.push((index, change));
    }

    /// Says what the process is at, by what is not synced.
    pub(super) fn phase(&self) -> Phase {
        let waits = |is_meant: &dyn Fn(&Node) -> bool| {
            self.nodes.values().any(|node| !node.pending.is_empty() && is_meant(node))
        };
        if waits(&|node| node.name.ends_with(".db")) {
            Phase::Checkpoint
        } else if waits(&|node| node.name.ends_with("-wal")) {
            Phase::Commit
        } else if waits(&|_| true) {
            Phase::Names
        } else {
            Phase::Rest
        }
    }

    fn cut(&self, seed: u64) -> Image {
        let waiting = || self.nodes.values().flat_map(|node| node.pending.iter().map(|(index, _)| *index));
        let mut loss = Loss::new(seed, waiting().min().zip(waiting().max()));
        let mut image = Image { files: BTreeMap::new() };
        self.cut_folder(ROOT, "", &mut loss, &mut image);
        image
    }

    fn cut_folder(&self, folder: u32, path: &str, loss: &mut Loss, image: &mut Image) {
        let Some(node) = self.nodes.get(&folder) else { return };
        for (name, id) in node.entries_after(loss) {
            let Some(child) = self.nodes.get(&id) else { continue };
            let path = if path.is_empty() { name.clone() } else { format!("{path}/{name}") };
            if child.is_folder {
                image.files.insert(path.clone(), None);
                self.cut_folder(id, &path, loss, image);
                continue;
            }
            image.files.insert(path.clone(), Some(child.content_after(loss)));
            if name.ends_with(".db")
                && let Some(noise) = loss.left_over(32_768)
            {
                image.files.insert(format!("{path}-shm"), Some(noise));
            }
        }
    }
}

// === Node ===

impl Node {
    /// Ends a sync that covers all records before `begun`.
    fn settle(&mut self, begun: usize, worked: bool) {
        let (covered, left) = self.pending.drain(..).partition(|(index, _)| *index < begun);
        self.pending = left;
        let covered: Vec<(usize, Change)> = covered;
        // What a failed sync leaves is drawn here and for good: the system takes the pages for clean.
        let mut loss = Loss::new(begun as u64, covered.first().map(|(first, _)| (*first, begun)));
        for (index, change) in covered {
            let fate = if worked { Fate::Kept } else { loss.fate(index) };
            change.happen(fate, &mut self.content, &mut self.entries, &mut loss);
        }
    }

    fn content_after(&self, loss: &mut Loss) -> Vec<u8> {
        let mut content = self.content.clone();
        for (index, change) in &self.pending {
            let fate = loss.fate(*index);
            change.clone().happen(fate, &mut content, &mut BTreeMap::new(), loss);
        }
        content
    }

    fn entries_after(&self, loss: &mut Loss) -> BTreeMap<String, u32> {
        let mut entries = self.entries.clone();
        for (index, change) in &self.pending {
            let fate = loss.fate(*index);
            change.clone().happen(fate, &mut Vec::new(), &mut entries, loss);
        }
        entries
    }
}

impl Change {
    fn happen(self, fate: Fate, content: &mut Vec<u8>, entries: &mut BTreeMap<String, u32>, loss: &mut Loss) {
        match (self, fate) {
            (_, Fate::Dropped) => {}
            (Self::Write { offset, data }, Fate::Torn) => loss.tear(content, offset, &data),
            (Self::Write { offset, data }, Fate::Kept) => {
                loss.grow(content, offset + data.len());
                content[offset..offset + data.len()].copy_from_slice(&data);
            }
            // A length or a name is there or it is not.
            (Self::Truncate(length), _) => {
                loss.grow(content, length);
                content.truncate(length);
            }
            (Self::Link(name, node), _) => {
                entries.insert(name, node);
            }
            (Self::Unlink(name), _) => {
                entries.remove(&name);
            }
            (Self::Move { from, to, node }, _) => {
                entries.remove(&from);
                entries.insert(to, node);
            }
        }
    }
}

// === Image ===

impl Image {
    /// Returns the paths of all files and folders, relative to the watched folder.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// Returns a file's content.
    pub fn content(&self, path: &str) -> Option<&[u8]> {
        self.files.get(path)?.as_deref()
    }

    /// Writes everything into `folder`.
    ///
    /// # Errors
    /// A folder that cannot be written.
    pub fn write_to(&self, folder: &Path) -> io::Result<()> {
        for (path, content) in &self.files {
            match content {
                None => std::fs::create_dir_all(folder.join(path))?,
                Some(content) => std::fs::write(folder.join(path), content)?,
            }
        }
        Ok(())
    }
}
