//! What a queue owes its file while the disk takes nothing, and what it holds in memory alone meanwhile.

use std::collections::{HashMap, VecDeque};

use super::Why;
use super::file::HEARD;

/// What is not in the file as it should be.
#[derive(Default)]
pub(super) struct Owed {
    /// Messages that the file still holds and nobody needs.
    gone: Vec<(i64, Why)>,
    /// Answers that were dealt with.
    heard: VecDeque<String>,
    /// What messages say that are nowhere but here.
    held: HashMap<i64, Vec<u8>>,
    /// What is wrong with the disk, for people.
    trouble: Option<String>,
    /// Whoever said something was refused for it, and so knows.
    refused: bool,
    /// It was told as news. Who was refused knows nothing of what is held in memory alone later.
    told: bool,
    /// Why what a message says cannot be read, for people, and whether that was told.
    unread: Option<(String, bool)>,
}

/// What is told of the disk below a queue.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum News {
    /// It takes nothing; what to do.
    Trouble(String),
    /// What a message says cannot be read from it now; what to do.
    Unread(String),
    /// It takes what it is given again.
    Well,
}

/// The most bytes that are held in memory alone: about twenty seconds of speech.
const HELD: usize = 1024 * 1024;
/// How much of each is written at once: on a disk that is almost full a little fits where all of it does not.
const AT_ONCE: usize = 200;

impl Owed {
    /// Tells whether nothing is to be written, not even to see whether the disk takes anything.
    pub fn is_nothing(&self) -> bool {
        self.trouble.is_none() && !self.owes()
    }

    /// Tells whether the file does not say what it should.
    pub fn owes(&self) -> bool {
        !self.gone.is_empty() || !self.heard.is_empty()
    }

    /// Tells whether the disk took nothing when it was last asked.
    pub fn is_in_trouble(&self) -> bool {
        self.trouble.is_some()
    }

    /// Notes that the disk takes nothing; whether whoever asked is refused, and so told of it.
    pub fn fails(&mut self, trouble: String, refused: bool) {
        self.trouble = Some(trouble);
        self.refused |= refused;
    }

    /// Notes that the disk took something. That says little while it has not taken all that is owed, which may need more
    /// room.
    pub fn is_well(&mut self) {
        if !self.owes() {
            self.trouble = None;
        }
    }

    /// Notes that what a message says cannot be read.
    pub fn is_unread(&mut self, trouble: String) {
        let told = self.unread.take().is_some_and(|(_, told)| told);
        self.unread = Some((trouble, told));
    }

    /// Notes that what a message says was read.
    pub fn is_read(&mut self) {
        self.unread = None;
    }

    /// Returns the next thing that changed since this was last asked.
    pub fn news(&mut self) -> Option<News> {
        if let Some((trouble, told)) = &mut self.unread
            && !std::mem::replace(told, true)
        {
            return Some(News::Unread(trouble.clone()));
        }
        match &self.trouble {
            Some(trouble) if !std::mem::replace(&mut self.told, true) => Some(News::Trouble(trouble.clone())),
            None if self.told || self.refused => {
                (self.told, self.refused) = (false, false);
                Some(News::Well)
            }
            _ => None,
        }
    }

    /// Returns what is to be written next.
    pub fn next(&self) -> (Vec<(i64, Why)>, Vec<String>) {
        let gone = self.gone.iter().take(AT_ONCE).copied().collect();
        (gone, self.heard.iter().take(AT_ONCE).cloned().collect())
    }

    /// Notes that this was written, which was what is to be written next.
    pub fn is_written(&mut self, gone: &[(i64, Why)], heard: &[String]) {
        self.gone.drain(..gone.len().min(self.gone.len()));
        self.heard.retain(|name| !heard.contains(name));
    }

    /// Owes that messages go.
    pub fn goes(&mut self, gone: &[(i64, Why)]) {
        self.gone.extend(gone);
    }

    /// Owes that an answer is known again.
    pub fn heard(&mut self, name: &str) {
        self.heard.push_back(name.to_owned());
        while self.heard.len() > HEARD {
            self.heard.pop_front();
        }
    }

    /// Tells whether an answer is one of those.
    pub fn was_heard(&self, name: &str) -> bool {
        self.heard.iter().any(|heard| heard == name)
    }

    /// Holds what a message says in memory, where there is room for it.
    pub fn hold(&mut self, position: i64, payload: Vec<u8>) -> bool {
        let has_room = self.held.values().map(Vec::len).sum::<usize>() + payload.len() <= HELD;
        if has_room {
            self.held.insert(position, payload);
        }
        has_room
    }

    /// Returns what a message says that is held so.
    pub fn held(&self, position: i64) -> Option<Vec<u8>> {
        self.held.get(&position).cloned()
    }

    /// Lets go of messages that are held so, and returns the others.
    pub fn drop_held(&mut self, gone: &[(i64, Why)]) -> Vec<(i64, Why)> {
        gone.iter().filter(|(position, _)| self.held.remove(position).is_none()).copied().collect()
    }
}
