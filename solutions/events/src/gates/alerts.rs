//! Which alerts a crowd and its gates raise: capacity with hysteresis, and gates that behave unlike themselves. Pure.

use std::collections::{BTreeMap, BTreeSet};

use ieum_contracts::events::{Alert, Severity};
use ieum_contracts::wording::{Phrase, Wording};
use ieum_core::Timestamp;
use serde::{Deserialize, Serialize};

use super::ledger::minute_of;
use super::tally::{GateTotal, MinuteRow};

/// Shares of the capacity that raise an alert, per cent, the highest first.
const LEVELS: [u8; 4] = [100, 90, 75, 50];

/// A level is armed again this many points below itself.
const HYSTERESIS: f64 = 5.0;

/// How far back gates are compared with themselves, minutes.
pub const LOOK_BACK: i64 = 120;

/// A gate is silent only after this many minutes without a scan.
const SILENT_AFTER: i64 = 10;

/// That many scans must have been expected of a silent gate: chance leaves none of ten once in 22,000 times.
const EXPECTED: f64 = 10.0;

/// A gate's history of fewer minutes tells nothing of a surge.
const FEWEST_MINUTES: usize = 15;

/// Beyond this robust z-score a minute is a surge; and fewer people than this never are one.
const SURGE: f64 = 6.0;
const FEWEST_PEOPLE: i64 = 20;

/// A scan this many seconds ahead of our clock comes from the future.
const AHEAD: u64 = 60;

/// An alert, and the gate it is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Raised {
    /// The alert.
    pub alert: Alert,
    /// The gate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate: Option<String>,
}

/// What was raised before, kept in the tables.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    /// Levels that are raised and not armed again.
    #[serde(default)]
    levels: BTreeSet<u8>,
    /// What is raised now, by kind and gate.
    #[serde(default)]
    active: BTreeMap<String, Raised>,
    /// The minute in which the gates were last looked at.
    #[serde(default)]
    looked: Option<i64>,
}

/// What changed, and what stands.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Change {
    /// Alerts that begin.
    pub raised: Vec<Raised>,
    /// Alerts that end.
    pub cleared: Vec<Raised>,
    /// What the live state shows.
    pub shown: Vec<Alert>,
}

impl Memory {
    /// Returns what was found odd about the gates in this very minute; `None` where nobody looked yet. Once a minute
    /// is enough: minutes are what gates are compared by.
    pub fn found_in(&self, minute: i64) -> Option<Vec<Raised>> {
        let gates = self.active.values().filter(|raised| !raised.alert.kind.starts_with("capacity."));
        (self.looked == Some(minute)).then(|| gates.cloned().collect())
    }

    /// Notes the minute in which the gates were looked at.
    pub fn look(&mut self, minute: i64) {
        self.looked = Some(minute);
    }

    /// Takes in what is found at `at`. `share` is of the capacity, 1 for full; `None` where no capacity is known.
    pub fn change(&mut self, share: Option<f64>, found: Vec<Raised>, at: Timestamp) -> Change {
        let mut now: BTreeMap<String, Raised> =
            found.into_iter().map(|raised| (raised.key(), raised)).collect();
        if let Some(percent) = share.map(|share| share * 100.0) {
            self.levels.retain(|level| percent >= f64::from(*level) - HYSTERESIS);
            self.levels.extend(LEVELS.into_iter().filter(|level| percent >= f64::from(*level)));
            for level in LEVELS.into_iter().filter(|level| self.levels.contains(level)) {
                let raised = crowded(level, percent);
                now.insert(raised.key(), raised);
            }
        } else {
            self.levels.clear();
        }
        for (key, raised) in &mut now {
            raised.alert.since = self.active.get(key).map_or(Some(at), |before| before.alert.since);
        }
        let new = |key: &String| !self.active.contains_key(key);
        let raised = now.iter().filter(|(key, _)| new(key)).map(|(_, raised)| raised.clone()).collect();
        let ended = |key: &String| !now.contains_key(key);
        let cleared =
            self.active.iter().filter(|(key, _)| ended(key)).map(|(_, raised)| raised.clone()).collect();
        // Of the levels the highest says it all.
        let highest = self.levels.last().and_then(|level| now.get(&level_kind(*level)));
        let others = now.values().filter(|raised| !raised.alert.kind.starts_with("capacity."));
        let shown = highest.into_iter().chain(others).map(|raised| raised.alert.clone()).collect();
        self.active = now;
        Change { raised, cleared, shown }
    }
}

impl Raised {
    fn of(kind: &str, severity: Severity, gate: Option<&str>, wording: Wording) -> Self {
        let alert = Alert::worded(kind, severity, wording);
        Self { alert, gate: gate.map(str::to_owned) }
    }

    fn key(&self) -> String {
        self.gate
            .as_ref()
            .map_or_else(|| self.alert.kind.clone(), |gate| format!("{}:{gate}", self.alert.kind))
    }
}

fn crowded(level: u8, percent: f64) -> Raised {
    let severity = match level {
        100 => Severity::Critical,
        90 => Severity::Warning,
        _ => Severity::Info,
    };
    let wording = Phrase::CapacityInside.with([("percent", percent.into())]);
    Raised::of(&level_kind(level), severity, None, wording)
}

fn level_kind(level: u8) -> String {
    format!("capacity.{level}")
}

/// The last minutes, so that a look at every gate is one walk over them.
struct Past<'a> {
    /// Scans by minute, per gate.
    own: BTreeMap<&'a str, BTreeMap<i64, i64>>,
    /// Scans of all gates up to and with each minute.
    all: BTreeMap<i64, i64>,
}

impl<'a> Past<'a> {
    fn of(minutes: &'a [MinuteRow]) -> Self {
        let mut own: BTreeMap<&str, BTreeMap<i64, i64>> = BTreeMap::new();
        let mut all: BTreeMap<i64, i64> = BTreeMap::new();
        for row in minutes {
            let people = row.entered + row.left;
            *own.entry(&row.gate).or_default().entry(row.minute).or_default() += people;
            *all.entry(row.minute).or_default() += people;
        }
        let mut sum = 0;
        for people in all.values_mut() {
            sum += *people;
            *people = sum;
        }
        Self { own, all }
    }

    fn all_until(&self, minute: i64) -> i64 {
        self.all.range(..=minute).next_back().map_or(0, |(_, people)| *people)
    }
}

/// Returns what is odd about the gates at `now`, from their totals and their last minutes.
pub fn anomalies(gates: &[GateTotal], minutes: &[MinuteRow], now: Timestamp) -> Vec<Raised> {
    let past = Past::of(minutes);
    let mut found = Vec::new();
    for gate in gates {
        found.extend(silent(gate, &past, now));
        found.extend(surge(&gate.gate, &past, now));
        let ahead = gate.last_at.since(now).as_secs();
        if ahead > AHEAD {
            let values = [("gate", gate.gate.as_str().into()), ("seconds", ahead.into())];
            let wording = Phrase::GateClock.with(values);
            found.push(Raised::of("gate.clock", Severity::Warning, Some(&gate.gate), wording));
        }
    }
    let entered: i64 = gates.iter().map(|gate| gate.entered).sum();
    let left: i64 = gates.iter().map(|gate| gate.left).sum();
    if left > entered + 5.max(entered / 100) {
        let wording = Phrase::GateMoreExits.with([("left", left.into()), ("entered", entered.into())]);
        found.push(Raised::of("gate.more_exits", Severity::Warning, None, wording));
    }
    found
}

/// A gate is silent where, at its share of all scans before, many were to be expected of it since.
fn silent(gate: &GateTotal, past: &Past<'_>, now: Timestamp) -> Option<Raised> {
    let (last, present) = (minute_of(gate.last_at), minute_of(now));
    if present - last <= SILENT_AFTER {
        return None;
    }
    let own: i64 = past.own.get(gate.gate.as_str())?.values().sum();
    let others = past.all_until(last) - own;
    let since = past.all_until(present) - past.all_until(last);
    if own < FEWEST_PEOPLE || others <= 0 {
        return None;
    }
    #[allow(clippy::cast_precision_loss, reason = "people per event stay far below 2^52")]
    let expected = own as f64 / others as f64 * since as f64;
    (expected >= EXPECTED).then(|| {
        let wording = Phrase::GateSilent.with([
            ("gate", gate.gate.as_str().into()),
            ("minutes", (present - last).into()),
            ("missing", expected.into()),
        ]);
        Raised::of("gate.silent", Severity::Warning, Some(&gate.gate), wording)
    })
}

/// The last whole minute against the minutes before by the robust z-score: the distance from the median over the
/// median absolute deviation (Iglewicz and Hoaglin, How to Detect and Handle Outliers, 1993).
#[allow(clippy::cast_precision_loss, reason = "people per minute stay far below 2^52")]
fn surge(gate: &str, past: &Past<'_>, now: Timestamp) -> Option<Raised> {
    let last = minute_of(now) - 1;
    let own = past.own.get(gate)?;
    let people = own.get(&last).copied().unwrap_or(0);
    let first = *own.keys().next()?;
    let history: Vec<f64> =
        (first..last).map(|minute| own.get(&minute).copied().unwrap_or(0) as f64).collect();
    if people < FEWEST_PEOPLE || history.len() < FEWEST_MINUTES {
        return None;
    }
    let middle = median(history.clone());
    let apart = median(history.iter().map(|people| (people - middle).abs()).collect());
    // People come at random: a deviation below that of chance is luck of the few minutes there are.
    let scale = (1.4826 * apart).max(middle.sqrt()).max(1.0);
    let score = (people as f64 - middle) / scale;
    (score > SURGE).then(|| {
        let wording = Phrase::GateSurge.with([
            ("people", people.into()),
            ("gate", gate.into()),
            ("usual", middle.into()),
        ]);
        Raised::of("gate.surge", Severity::Warning, Some(gate), wording)
    })
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    let half = numbers.len() / 2;
    match (numbers.get(half), numbers.len() % 2) {
        (None, _) => 0.0,
        (Some(middle), 1) => *middle,
        (Some(middle), _) => (middle + numbers[half - 1]) / 2.0,
    }
}

#[cfg(test)]
mod tests;
