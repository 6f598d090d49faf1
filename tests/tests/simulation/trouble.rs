//! What goes wrong in a simulated world: crashes, power cuts, frozen nodes, parted networks, lost disks.

use std::sync::atomic::Ordering;
use std::time::Duration;

use ieum_core::Clock;

use crate::world::{LEASE, NODES, World};

impl World {
    /// Lets every ready task go on; in the middle of that kills the doomed node, and pauses now and then a node
    /// whose transaction just came to nothing.
    pub fn run_ready(&mut self) {
        while self.executor.step() {
            if let Some(node) = self.disk.take_undone() {
                self.pause_within_work(node);
            }
            if let Some((node, steps)) = &mut self.doomed {
                *steps -= 1;
                if *steps == 0 {
                    let node = *node;
                    self.doomed = None;
                    self.kill(node);
                }
            }
        }
    }

    /// Pauses a node for longer than its leases between a failure and what it does about it: another member takes
    /// its slots and works on them, then this one goes on as if nothing had been.
    fn pause_within_work(&mut self, node: usize) {
        if !self.mended.load(Ordering::SeqCst) && self.dice.chance(0.3) {
            let span = LEASE + Duration::from_millis(self.dice.within(1_000..4_000));
            self.freeze(node, span);
        }
    }

    fn freeze(&mut self, node: usize, span: Duration) {
        // A frozen writer would stop everybody; a database ends its transaction instead.
        if self.disk.writing() != Some(node) && !self.frozen.contains_key(&node) {
            self.executor.freeze(node);
            self.frozen.insert(node, self.clock.moment() + span);
        }
    }

    fn thaw_rested(&mut self) {
        let now = self.clock.moment();
        for (node, _) in self.frozen.extract_if(.., |_, until| *until <= now) {
            self.executor.thaw(node);
        }
    }

    /// Decides what breaks next, if anything does.
    pub fn break_something(&mut self) {
        self.thaw_rested();
        for node in self.down.clone() {
            if self.dice.chance(0.03) {
                self.down.remove(&node);
                self.start(node);
            }
        }
        match self.dice.index(1_000) {
            0..4 => {
                NODES.for_each(|node| self.kill(node));
                self.disk.cut_power();
            }
            4..16 if self.doomed.is_none() => {
                let node = 1 + self.dice.index(5);
                if !self.down.contains(&node) {
                    self.doomed = Some((node, self.dice.within(1..200)));
                }
            }
            16..32 => {
                let one = self.dice.index(6);
                let other = (one + 1 + self.dice.index(5)) % 6;
                self.net.part(one, other);
            }
            32..40 => {
                let node = 1 + self.dice.index(5);
                self.storages[node].set_cut(!self.storages[node].is_cut());
            }
            40..52 if self.frozen.is_empty() => {
                let node = 1 + self.dice.index(5);
                let span = Duration::from_millis(self.dice.within(200..6_000));
                self.freeze(node, span);
            }
            _ => {}
        }
    }

    /// Ends all that is wrong.
    pub fn heal(&mut self) {
        self.doomed = None;
        for node in std::mem::take(&mut self.frozen).into_keys() {
            self.executor.thaw(node);
        }
        for node in std::mem::take(&mut self.down) {
            self.start(node);
        }
        self.storages.iter().for_each(|storage| storage.set_cut(false));
        self.disk.heal();
        self.net.heal();
        self.mended.store(true, Ordering::SeqCst);
    }
}
