//! The people: who passes which gate when.

use std::collections::VecDeque;
use std::fmt::Write;
use std::io::Read;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ieum_core::{Clock, SystemClock};

use super::{BATCH, Size};

/// The day that is replayed, and the line whose stations are the gates.
const DAY: &str = "2023-05-12";
const LINE: &str = "2호선";

/// How busy each hour is: a weekday's two peaks.
const HOURS: [f64; 24] = [
    0.05, 0.02, 0.0, 0.0, 0.05, 0.2, 0.5, 0.9, 1.0, 0.7, 0.45, 0.4, 0.45, 0.45, 0.45, 0.5, 0.6, 0.85, 1.0,
    0.75, 0.5, 0.45, 0.35, 0.15,
];

/// The share of those who leave that no gate scans.
const UNSCANNED: f64 = 0.3;

/// People inside and the gates they pass.
pub struct Crowd {
    gates: Vec<Gate>,
    people: f64,
    told: String,
    state: Mutex<State>,
}

struct Gate {
    name: String,
    entries: f64,
    exits: f64,
}

#[derive(Default)]
struct State {
    next: u64,
    scans: u64,
    inside: VecDeque<u64>,
    seed: u64,
}

impl State {
    fn unit(&mut self) -> f64 {
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.seed >> 33) as f64 / f64::from(1_u32 << 31)
    }
}

impl Crowd {
    /// Reads the day, or makes one up where there is no file.
    pub fn new() -> Self {
        let path = std::env::var_os("IEUM_BENCH_SEOUL");
        let read = path.as_ref().and_then(|path| std::fs::File::open(path).ok()).and_then(stations);
        let (gates, told) = match read {
            Some(gates) => {
                let told = format!("{} stations of {LINE} on {DAY} are the gates", gates.len());
                (gates, told)
            }
            None => {
                let gate = |i| Gate { name: format!("gate {i}"), entries: 1.0, exits: 1.0 };
                let told = "no subway file (IEUM_BENCH_SEOUL): 60 gates alike are made up".to_owned();
                ((0..60).map(gate).collect(), told)
            }
        };
        let people = gates.iter().map(|gate| gate.entries + gate.exits).sum();
        Self { gates, people, told, state: Mutex::new(State { seed: 7, ..State::default() }) }
    }

    /// Says where the gates come from.
    pub fn told(&self) -> &str {
        &self.told
    }

    /// Returns the next scans as a request's body, and how many of them are entries.
    pub fn batch(&self, scans: usize) -> (String, u64) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let at = SystemClock.now();
        let (mut body, mut entries) = (String::from("{\"scans\":["), 0);
        for i in 0..scans {
            let mut place = state.unit() * self.people;
            let gate = self.gates.iter().find(|gate| {
                place -= gate.entries + gate.exits;
                place < 0.0
            });
            let Some(gate) = gate.or(self.gates.last()) else { break };
            let leaves =
                state.inside.len() > BATCH && state.unit() * (gate.entries + gate.exits) < gate.exits;
            let unscanned = state.unit() < UNSCANNED;
            let ticket = if leaves {
                if unscanned {
                    state.inside.pop_front();
                }
                state.inside.pop_front().unwrap_or(0)
            } else {
                state.next += 1;
                entries += 1;
                let next = state.next;
                state.inside.push_back(next);
                next
            };
            state.scans += 1;
            let (id, direction) = (state.scans, if leaves { "out" } else { "in" });
            let comma = if i == 0 { "" } else { "," };
            // Writing to a string cannot fail.
            let _ = write!(
                body,
                "{comma}{{\"scanId\":\"s{id}\",\"gateId\":\"{}\",\"direction\":\"{direction}\",\"at\":\"{at}\",\"ticket\":\"t{ticket}\"}}",
                gate.name
            );
        }
        body.push_str("]}");
        (body, entries)
    }
}

/// Reads the stations with their people of the day: `date,line,station,entries,exits`.
fn stations(file: std::fs::File) -> Option<Vec<Gate>> {
    let mut text = String::new();
    flate2::read::GzDecoder::new(file).read_to_string(&mut text).ok()?;
    let gate = |line: &str| {
        let mut fields = line.split(',');
        let (date, rail, station) = (fields.next()?, fields.next()?, fields.next()?);
        let (entries, exits) = (fields.next()?.parse().ok()?, fields.next()?.trim().parse().ok()?);
        (date == DAY && rail == LINE).then(|| Gate { name: station.to_owned(), entries, exits })
    };
    Some(text.lines().filter_map(gate).collect::<Vec<_>>()).filter(|gates| !gates.is_empty())
}

/// Returns when each batch is due: the wanted rate, and half as many more at the day's peaks.
pub fn due(size: Size) -> Vec<Duration> {
    let mut due = Vec::new();
    let (mut at, span) = (0.0, size.span.as_secs_f64());
    while at < span {
        due.push(Duration::from_secs_f64(at));
        let hour = (at / span * 24.0) as usize;
        let rate = size.rate * (1.0 + 0.5 * HOURS.get(hour).copied().unwrap_or(0.0));
        at += BATCH as f64 / rate;
    }
    due
}
