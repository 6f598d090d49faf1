//! What a store gives and what it lacks, in sentences for `ieum doctor`.

use crate::{Dialect, Synchronous};

/// What a store gives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Capabilities {
    /// Several statements take effect together or not at all.
    pub transactions: bool,
    /// Writers lock rows, not the whole store, and can skip rows that others hold.
    pub row_locks: bool,
    /// A failed migration leaves nothing behind.
    pub transactional_migrations: bool,
    /// Several processes may use it at once.
    pub multi_process: bool,
    /// Processes on several machines may use it at once.
    pub multi_machine: bool,
    /// What was committed survives a power cut.
    pub durable: bool,
}

impl Capabilities {
    pub(crate) const fn of(dialect: Dialect, in_memory: bool, synchronous: Synchronous) -> Self {
        let server = !matches!(dialect, Dialect::Sqlite);
        Self {
            transactions: true,
            row_locks: server,
            transactional_migrations: !matches!(dialect, Dialect::MySql),
            multi_process: server || !in_memory,
            multi_machine: server,
            durable: server || (!in_memory && matches!(synchronous, Synchronous::Full)),
        }
    }

    /// Returns one sentence per property, beginning with what the store gives or lacks.
    pub fn sentences(&self) -> Vec<&'static str> {
        let pick = |given: bool, yes: &'static str, no: &'static str| if given { yes } else { no };
        vec![
            pick(self.transactions, "gives transactions over several tables", "lacks transactions"),
            pick(
                self.row_locks,
                "gives row locks: many writers work side by side",
                "lacks row locks: one writer at a time, the others wait in line",
            ),
            pick(
                self.transactional_migrations,
                "gives migrations that apply whole or not at all",
                "lacks transactional migrations: a failed one continues at the failed statement",
            ),
            pick(
                self.multi_process,
                "gives several processes the same data",
                "lacks sharing: the data belongs to this process alone",
            ),
            pick(
                self.multi_machine,
                "gives several machines the same data",
                "lacks sharing over machines: it must be on a local disk",
            ),
            pick(
                self.durable,
                "gives durability: what was committed survives a power cut",
                "lacks durability: what was committed can be lost",
            ),
        ]
    }
}
