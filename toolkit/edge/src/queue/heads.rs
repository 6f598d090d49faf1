//! The messages of a queue without what they say, in memory: which goes out next, and which are given up.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use ieum_core::Timestamp;

use super::{QueueError, QueueLimits};
use crate::Kind;

/// All messages without what they say, in order.
#[derive(Default)]
pub(super) struct Heads {
    waiting: VecDeque<Head>,
    bytes: usize,
    given_up: HashMap<(Kind, Why), u64>,
}

/// A message without what it says.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    pub position: i64,
    pub kind: Kind,
    /// What it is a part of; parts of one thing may overtake each other.
    pub together: Option<String>,
    pub size: usize,
    pub at: Timestamp,
    /// It went out on the connection that stands.
    pub flying: bool,
    /// It may have gone out before.
    pub again: bool,
}

/// Why a message was given up.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Why {
    /// It was too old.
    Old,
    /// Something newer needed the room.
    Room,
}

impl Heads {
    /// Adds a message behind all others.
    pub fn add(&mut self, head: Head) {
        self.bytes += head.size;
        self.waiting.push_back(head);
    }

    /// Returns what goes for a message of `size` bytes, with why.
    pub fn room_for(
        &self,
        kind: Kind,
        size: usize,
        limits: QueueLimits,
        now: Timestamp,
    ) -> Result<Vec<(i64, Why)>, QueueError> {
        let QueueLimits { bytes: most, age } = limits;
        let mut held = self.bytes;
        let mut gone = self.old(now, age);
        held -= gone.iter().map(|head| head.size).sum::<usize>();
        let mut goes: Vec<(i64, Why)> = gone.drain(..).map(|head| (head.position, Why::Old)).collect();
        for place in 0..=1 {
            let here = |head: &&Head| head.kind.makes_room() == Some(place) && !head.flying;
            for head in self.waiting.iter().filter(here) {
                if held + size <= most {
                    break;
                }
                if goes.iter().all(|(position, _)| *position != head.position) {
                    held -= head.size;
                    goes.push((head.position, Why::Room));
                }
            }
        }
        if held + size > most {
            return Err(QueueError::Full { kind: kind.name(), held: self.bytes, most });
        }
        Ok(goes)
    }

    /// Returns what is too old and not under way.
    pub fn old(&self, now: Timestamp, age: Duration) -> Vec<Head> {
        let old = |head: &&Head| !head.flying && now.since(head.at) > age;
        self.waiting.iter().filter(old).cloned().collect()
    }

    /// Lets go of what is given up, and counts it.
    pub fn give_up(&mut self, gone: &[(i64, Why)]) {
        for (position, why) in gone {
            if let Some(head) = self.remove(*position) {
                *self.given_up.entry((head.kind, *why)).or_default() += 1;
            }
        }
    }

    /// Lets go of a message.
    pub fn remove(&mut self, position: i64) -> Option<Head> {
        let at = self.waiting.iter().position(|head| head.position == position)?;
        let head = self.waiting.remove(at)?;
        self.bytes -= head.size;
        Some(head)
    }

    /// Returns how many messages were given up since this was last asked, by kind and why.
    pub fn given_up(&mut self) -> HashMap<(Kind, Why), u64> {
        std::mem::take(&mut self.given_up)
    }

    /// Returns the next message that may go out, and holds it as under way. While parts of one thing are under way only
    /// other parts of it may.
    pub fn next(&mut self) -> Option<Head> {
        let next = self.waiting.iter().position(|head| !head.flying)?;
        let head = &self.waiting[next];
        let fits = |other: &Head| head.together.is_some() && other.together == head.together;
        if !self.waiting.iter().filter(|other| other.flying).all(fits) {
            return None;
        }
        let head = &mut self.waiting[next];
        let taken = head.clone();
        head.flying = true;
        head.again = true;
        Some(taken)
    }

    /// Lets a message wait again, or all of them.
    pub fn land(&mut self, position: Option<i64>) {
        for head in &mut self.waiting {
            if position.is_none_or(|position| position == head.position) {
                head.flying = false;
            }
        }
    }

    /// Tells how many messages wait, and their bytes.
    pub fn waiting(&self) -> (usize, usize) {
        (self.waiting.len(), self.bytes)
    }
}
