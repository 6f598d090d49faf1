//! The simulated disk: unsynced commits are lost in a power cut, some after all reached the platter. Nobody sees a commit
//! before it is synced; what a killed process wrote and did not sync is taken over or lost, and synced before it is seen.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ieum_core::SharedClock;
use parking_lot::Mutex;

use super::{Dice, Tables};

/// A mistake planted to see that a world notices it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Plant {
    /// No mistake.
    Nothing,
    /// Publishers are told before the commit.
    AcknowledgeEarly,
    /// A commit does not reach the platter.
    DroppedSync,
    /// The inbox does not recognise an event it has, nor does the log.
    NoDedupe,
    /// An event enters the lane without a time.
    LostTimer,
    /// A slot's position moves before the commit of what it stands for.
    PositionFirst,
    /// A former owner of a slot may still move its position.
    NoFence,
}

/// The one disk of a world, with the database on it.
pub struct Disk {
    pub(super) dice: Dice,
    pub(super) clock: SharedClock,
    pub(super) plant: Plant,
    /// Whether the log leaves out what it has; Kafka's does not.
    pub(super) log_dedupes: bool,
    pub(super) writer: Arc<tokio::sync::Mutex<()>>,
    pub(super) state: Mutex<State>,
    /// Who writes, as its node's number plus one; 0 is nobody.
    writing: AtomicUsize,
    /// Whose transaction ended last without a commit, as its node's number plus one; 0 is nobody's.
    undone: AtomicUsize,
}

#[derive(Default)]
pub(super) struct State {
    pub seen: Tables,
    durable: Tables,
    /// What the one writer has written and not synced yet.
    written: Option<Tables>,
    /// The state after each commit whose sync was dropped, the earliest first.
    unsynced: Vec<Tables>,
    healed: bool,
    /// Counts power cuts: connections do not outlive one.
    pub cuts: u64,
}

impl Disk {
    /// Makes an empty disk.
    pub fn new(dice: &Dice, clock: SharedClock, plant: Plant, log_dedupes: bool) -> Arc<Self> {
        Arc::new(Self {
            dice: dice.clone(),
            clock,
            plant,
            log_dedupes,
            writer: Arc::default(),
            state: Mutex::default(),
            writing: AtomicUsize::new(0),
            undone: AtomicUsize::new(0),
        })
    }

    /// Loses what is not synced. Some of it may have reached the platter all the same, the earliest first;
    /// a torn commit fails its checksum and is lost.
    pub fn cut_power(&self) {
        let mut state = self.state.lock();
        let written = state.written.take();
        state.unsynced.extend(written);
        let kept = self.dice.index(state.unsynced.len() + 1);
        self.dice.note("power cut", &format!("{kept} of {} kept", state.unsynced.len()));
        if kept > 0 {
            state.durable = state.unsynced[kept - 1].clone();
        }
        state.unsynced.clear();
        state.seen = state.durable.clone();
        state.cuts += 1;
    }

    /// Ends all random failures.
    pub fn heal(&self) {
        self.state.lock().healed = true;
    }

    /// Returns what programs see now.
    pub fn tables(&self) -> Tables {
        self.state.lock().seen.clone()
    }

    /// Returns the node within a write transaction, if any.
    pub fn writing(&self) -> Option<usize> {
        self.writing.load(Ordering::SeqCst).checked_sub(1)
    }

    /// Returns the node whose write transaction ended without a commit since the last time it was asked, if any:
    /// that node is in the middle of something.
    pub fn take_undone(&self) -> Option<usize> {
        self.undone.swap(0, Ordering::SeqCst).checked_sub(1)
    }

    /// Remembers that whoever writes now gave up.
    pub(super) fn note_undone(&self) {
        self.undone.store(self.writing.load(Ordering::SeqCst), Ordering::SeqCst);
    }

    pub(super) fn set_writing(&self, node: Option<usize>) {
        self.writing.store(node.map_or(0, |node| node + 1), Ordering::SeqCst);
    }

    pub(super) async fn pause(&self) {
        let wait = if self.dice.chance(0.5) { 0 } else { self.dice.within(1..20) };
        self.clock.sleep(Duration::from_millis(wait)).await;
    }

    pub(super) fn fails(&self, probability: f64) -> bool {
        !self.state.lock().healed && self.dice.chance(probability)
    }

    /// Writes `tables`, which nobody sees before they are synced.
    pub(super) fn write(&self, tables: Tables) {
        self.state.lock().written = Some(tables);
    }

    /// Brings what was written to the platter, and shows it.
    pub(super) fn sync(&self) {
        let dropped = self.plant == Plant::DroppedSync && self.dice.chance(0.5);
        let mut state = self.state.lock();
        let Some(written) = state.written.take() else { return };
        state.seen = written;
        if dropped {
            let seen = state.seen.clone();
            state.unsynced.push(seen);
        } else {
            state.durable = state.seen.clone();
            state.unsynced.clear();
        }
    }

    /// Decides what became of a commit whose process was killed before the sync. The caller is the only writer.
    pub(super) fn settle(&self) {
        if self.state.lock().written.is_none() {
            return;
        }
        if self.dice.chance(0.5) {
            self.sync();
        } else {
            self.state.lock().written = None;
        }
    }

    /// Changes both what is seen and what is on the platter, past every transaction.
    pub(super) fn scribble(&self, change: impl Fn(&mut Tables)) {
        let mut state = self.state.lock();
        change(&mut state.seen);
        change(&mut state.durable);
        state.written.iter_mut().for_each(&change);
        state.unsynced.iter_mut().for_each(change);
    }
}
