//! What scans come to, counted so that it can be changed: per gate and minute, and per length of stay. Pure.
//!
//! What is counted of a ticket follows from that ticket's scans alone. A change of some scans is therefore the
//! difference of what their tickets came to before and after, however many other scans there are.

use std::collections::BTreeMap;

use ieum_core::Timestamp;

/// Microseconds of a minute.
pub const MINUTE: i64 = 60_000_000;

/// Somebody who comes in again within this time was scanned twice and did not come back.
const REPEAT: i64 = MINUTE;

/// One scan of a ticket or a head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pass {
    /// Which gate; empty where the source names none.
    pub gate: String,
    /// Whether somebody left.
    pub is_exit: bool,
    /// When, by the gate's clock.
    pub at: Timestamp,
}

/// What is known of a stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stay {
    /// From an entry to the exit after it; the minutes of that.
    Closed,
    /// From an entry to the next one, without an exit in between; the minutes of that.
    Missed,
    /// Begun and not ended; the minute since the Unix epoch in which it began.
    Open,
}

/// Scans at one gate within one minute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GateMinute {
    /// People in.
    pub entered: i64,
    /// People out.
    pub left: i64,
    /// The last scan, microseconds since the Unix epoch.
    pub last: i64,
    /// Whether a scan was taken back, so that `last` says nothing.
    pub shrunk: bool,
}

/// What some scans come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// By minute since the Unix epoch, then gate.
    pub gates: BTreeMap<(i64, String), GateMinute>,
    /// People by what is known of their stay.
    pub stays: BTreeMap<(Stay, i64), i64>,
    /// People who came at least once.
    pub came: i64,
    /// People inside, as scanned.
    pub inside: i64,
}

/// Returns the minute since the Unix epoch.
pub fn minute_of(at: Timestamp) -> i64 {
    at.as_micros().div_euclid(MINUTE)
}

impl Stay {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Closed, Self::Missed, Self::Open];

    /// Returns the name in the tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Missed => "missed",
            Self::Open => "open",
        }
    }
}

impl Counts {
    /// Adds all scans of one ticket.
    pub fn add_ticket(&mut self, mut passes: Vec<Pass>) {
        // At the same time, whoever came left: a ticket is out where its last exit is not before its last entry.
        passes.sort_by_key(|pass| (pass.at, pass.is_exit));
        let mut open: Option<Timestamp> = None;
        let mut came = false;
        for pass in &passes {
            self.add_gate(pass);
            let since = open.map(|begun| pass.at.as_micros() - begun.as_micros());
            match (pass.is_exit, since) {
                (false, Some(span)) if span < REPEAT => {}
                (false, span) => {
                    if let Some(span) = span {
                        *self.stays.entry((Stay::Missed, span / MINUTE)).or_default() += 1;
                    }
                    (open, came) = (Some(pass.at), true);
                }
                (true, Some(span)) => {
                    *self.stays.entry((Stay::Closed, span / MINUTE)).or_default() += 1;
                    open = None;
                }
                // Out without having come in: that entry was missed, and tells nothing of a stay.
                (true, None) => {}
            }
        }
        if let Some(begun) = open {
            *self.stays.entry((Stay::Open, minute_of(begun))).or_default() += 1;
        }
        self.came += i64::from(came);
        self.inside += i64::from(open.is_some());
    }

    /// Adds a scan that names no ticket.
    pub fn add_head(&mut self, pass: &Pass) {
        self.add_gate(pass);
        self.came += i64::from(!pass.is_exit);
        self.inside += if pass.is_exit { -1 } else { 1 };
    }

    fn add_gate(&mut self, pass: &Pass) {
        let minute = self.gates.entry((minute_of(pass.at), pass.gate.clone())).or_default();
        minute.last = if minute.entered + minute.left == 0 {
            pass.at.as_micros()
        } else {
            minute.last.max(pass.at.as_micros())
        };
        minute.entered += i64::from(!pass.is_exit);
        minute.left += i64::from(pass.is_exit);
    }

    /// Returns by how much this is more than `before`, without what is the same.
    pub fn since(mut self, before: Self) -> Self {
        for (key, old) in before.gates {
            let new = self.gates.entry(key).or_default();
            new.shrunk = new.last < old.last || new.entered < old.entered || new.left < old.left;
            new.entered -= old.entered;
            new.left -= old.left;
        }
        self.gates.retain(|_, minute| minute.shrunk || minute.entered != 0 || minute.left != 0);
        for (key, people) in before.stays {
            *self.stays.entry(key).or_default() -= people;
        }
        self.stays.retain(|_, people| *people != 0);
        self.came -= before.came;
        self.inside -= before.inside;
        self
    }

    /// Tells whether nothing is counted.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pass(gate: &str, is_exit: bool, minute: i64) -> Pass {
        Pass { gate: gate.into(), is_exit, at: Timestamp::from_micros(minute * MINUTE) }
    }

    #[test]
    fn a_ticket_is_a_row_of_stays_whatever_order_its_scans_come_in() {
        let scans =
            vec![pass("b", true, 90), pass("a", false, 10), pass("a", false, 200), pass("a", false, 300)];
        let mut counts = Counts::default();
        counts.add_ticket(scans);
        let stays: Vec<_> =
            counts.stays.iter().map(|((stay, minute), n)| (stay.name(), *minute, *n)).collect();
        assert_eq!(stays, [("closed", 80, 1), ("missed", 100, 1), ("open", 300, 1)]);
        assert_eq!((counts.came, counts.inside), (1, 1));
        assert_eq!(counts.gates[&(90, "b".into())].left, 1);
    }

    #[test]
    fn a_ticket_scanned_twice_at_the_door_came_once() {
        let mut counts = Counts::default();
        let twice = Pass { at: Timestamp::from_micros(10 * MINUTE + 5_000_000), ..pass("a", false, 10) };
        counts.add_ticket(vec![pass("a", false, 10), twice]);
        assert_eq!((counts.came, counts.inside, counts.stays.len()), (1, 1, 1));
        assert_eq!(counts.gates[&(10, "a".into())].entered, 2, "the gate still saw two scans");
    }

    #[test]
    fn the_difference_is_what_changed_and_an_unchanged_ticket_is_none() {
        let of = |scans: Vec<Pass>| {
            let mut counts = Counts::default();
            counts.add_ticket(scans);
            counts
        };
        let before = of(vec![pass("a", false, 10)]);
        assert!(of(vec![pass("a", false, 10)]).since(before.clone()).is_empty());
        let change = of(vec![pass("a", false, 10), pass("b", true, 50)]).since(before.clone());
        assert_eq!(change.stays[&(Stay::Open, 10)], -1);
        assert_eq!((change.stays[&(Stay::Closed, 40)], change.inside, change.gates.len()), (1, -1, 1));
        let gone = Counts::default().since(before);
        assert_eq!((gone.gates[&(10, "a".into())].entered, gone.came), (-1, -1));
        assert!(gone.gates[&(10, "a".into())].shrunk);
    }
}
