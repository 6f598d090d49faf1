//! Understanding against public material: Home Assistant's sentences, Recognizers-Text, Duckling,
//! korean-datetime, CLINC150.
//!
//! None of their text is in this repository. Each test takes the folder of a clone by an environment variable, prints
//! its table, and counts as not run without it.

#![allow(clippy::print_stdout, reason = "the tables are what these tests are run for")]

mod clinc;
mod duckling;
mod hassil;
mod home_assistant;
mod korean_datetime;
mod recognizers;

use std::collections::BTreeMap;
use std::path::PathBuf;

/// Returns the folder of public material that `variable` names; without one, records that the test did not run.
#[allow(clippy::disallowed_methods, reason = "the test runner hands folders over in the environment")]
pub fn material(what: &str, variable: &str) -> Option<PathBuf> {
    let folder = std::env::var(variable).ok().filter(|folder| !folder.is_empty());
    if folder.is_none() {
        ieum_testkit::server::not_run(what, &format!("{variable} names no folder"));
    }
    folder.map(PathBuf::from)
}

/// Right and all, by kind.
#[derive(Default)]
pub struct Table {
    rows: BTreeMap<String, (usize, usize)>,
    wrong: Vec<String>,
}

// === Table ===

impl Table {
    /// Counts one case; `wrong` says what came instead when it was not right.
    pub fn count(&mut self, kind: &str, right: bool, wrong: impl FnOnce() -> String) {
        let row = self.rows.entry(kind.to_owned()).or_default();
        row.0 += usize::from(right);
        row.1 += 1;
        if !right {
            self.wrong.push(format!("{kind}: {}", wrong()));
        }
    }

    /// Prints the table and the cases that were not right; returns the share that was.
    pub fn print(&self, name: &str) -> f64 {
        for wrong in &self.wrong {
            println!("  {wrong}");
        }
        println!("{name}");
        for (kind, (right, all)) in &self.rows {
            println!("  {kind:28} {right:5} of {all:5}  {:5.1} %", 100.0 * *right as f64 / *all as f64);
        }
        let (right, all) = self.rows.values().fold((0, 0), |sum, row| (sum.0 + row.0, sum.1 + row.1));
        let share = 100.0 * right as f64 / all.max(1) as f64;
        println!("  {:28} {right:5} of {all:5}  {share:5.1} %", "all");
        share
    }
}
