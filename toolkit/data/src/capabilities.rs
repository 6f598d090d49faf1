//! What a time series backend gives and lacks, in sentences for `ieum doctor`.

use std::time::Duration;

/// What a time series backend gives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Capabilities {
    /// Points differ in time by at least this much; what is finer is cut.
    pub resolution: Duration,
    /// Texts and truth values come back; else texts are lost and truth values come back as 0 or 1.
    pub text_fields: bool,
    /// Whole numbers come back as such; else as floating point numbers of the same value.
    pub whole_numbers: bool,
    /// What was written is read at once; else after up to a few seconds.
    pub reads_own_writes: bool,
    /// A batch is kept whole or not at all.
    pub atomic_batches: bool,
}

impl Capabilities {
    /// Returns one sentence per property.
    pub fn sentences(&self) -> Vec<String> {
        let pick = |given: bool, yes: &str, no: &str| (if given { yes } else { no }).to_owned();
        vec![
            format!("gives times to {:?}", self.resolution),
            pick(self.text_fields, "gives fields of text", "lacks fields of text: they are not kept"),
            pick(
                self.whole_numbers,
                "gives whole numbers exactly",
                "lacks whole numbers: they come back as floating point",
            ),
            pick(
                self.reads_own_writes,
                "gives points back at once",
                "lacks immediate reading: points appear after some seconds",
            ),
            pick(
                self.atomic_batches,
                "gives batches that are kept whole or not at all",
                "lacks whole batches: after a failure some points may be kept",
            ),
        ]
    }
}
