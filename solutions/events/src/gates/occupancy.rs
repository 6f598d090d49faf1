//! Estimates how many people are inside although some leave without a scan. Pure.
//!
//! Two things are fitted together: how long people stay, and the probability `q` that somebody who leaves is scanned.
//! An open entry of age `t` is then inside with the weight `S / (S + (1 - S)(1 - q))`, where `S` is the share that
//! stays longer than `t`; the estimate is the sum of the weights.
//!
//! The scans tell the product of both: `G(t)`, the share of those who came that was scanned out within `t`. It is the
//! product limit over stays in whole minutes, in which whoever was not scanned out yet is censored (Kaplan and Meier,
//! JASA 53, 1958). What tells them apart before `G` has levelled off at `q` is the shape of the stays: a log-normal
//! law (`law`). Where the law does not fit `G`, the product limit itself is used, `S = 1 - G / q`, with the law for
//! nothing but what lies beyond the longest time that anybody was watched for.

use ieum_contracts::events::OccupancyMethod;

use self::law::Law;

mod law;

/// Stays beyond this many minutes are counted as this long.
pub const LONGEST_STAY: usize = 48 * 60;

/// Fewer matched stays than this tell no shape.
const FEWEST_STAYS: f64 = 30.0;

/// The law fits where it is nowhere further from the product limit than this, and chance (Kolmogorov, 99 %) besides.
const MISFIT: f64 = 0.015;
const CHANCE: f64 = 1.63;

/// The product limit has levelled off where this share of it was reached in two thirds of the time watched.
const LEVELLED: f64 = 0.97;

/// Two-sided 95 %.
const CONFIDENCE: f64 = 1.96;

/// What is known of the stays at an event.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Stays {
    /// How many stays took so many minutes, from an entry to the exit after it.
    pub closed: Vec<f64>,
    /// How many people came in so many minutes ago and were not scanned since.
    pub open: Vec<f64>,
    /// How many people came in again so many minutes after an entry, without an exit in between.
    pub missed: Vec<f64>,
}

/// How many people are inside.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The sum of the weights.
    pub inside: f64,
    /// The lower bound, 95 %.
    pub low: f64,
    /// The upper bound, 95 %.
    pub high: f64,
    /// The share of those who leave that is scanned.
    pub checkout_rate: Option<f64>,
    /// How it came about.
    pub method: OccupancyMethod,
}

/// Returns how many people are inside, given `stays` at this very time.
pub fn estimate(stays: &Stays) -> Estimate {
    let open: f64 = stays.open.iter().sum();
    let exits: f64 = stays.closed.iter().sum();
    if exits < 1.0 {
        return Estimate {
            inside: open,
            low: 0.0,
            high: open,
            checkout_rate: None,
            method: OccupancyMethod::EntriesOnly,
        };
    }
    let scanned = scanned_out(stays);
    let Some(law) = Law::fit(stays).filter(|_| exits >= FEWEST_STAYS) else {
        return told(stays, 1.0, 0.1, &scanned);
    };
    let apart = scanned.iter().enumerate().map(|(minute, share)| (share - law.rate * law.left(minute)).abs());
    let furthest = apart.fold(0.0, f64::max);
    if furthest > MISFIT + CHANCE / exits.sqrt() {
        let level = scanned.last().copied().unwrap_or(0.0);
        // Where hardly anybody left during the last third of the time watched, it has levelled off.
        let levelled = scanned[scanned.len() * 2 / 3] >= LEVELLED * level;
        let seen = if levelled { 1.0 } else { law.left(scanned.len()).max(0.05) };
        let rate = (level / seen).clamp(level.max(1e-6), 1.0);
        let unsure = if levelled { (rate / exits).sqrt() } else { furthest };
        return told(stays, rate, unsure, &scanned);
    }
    let (inside, deviation) = law.inside(stays);
    bounded(inside, deviation, open, law.rate)
}

/// Weighs open entries by the product limit; `rate` may be wrong by `unsure`.
fn told(stays: &Stays, rate: f64, unsure: f64, scanned: &[f64]) -> Estimate {
    let (mut inside, mut spread, mut slope) = (0.0, 0.0, 0.0);
    for (age, people) in stays.open.iter().enumerate().filter(|(_, people)| **people > 0.0) {
        let gone = scanned.get(age).or(scanned.last()).copied().unwrap_or(0.0).min(rate);
        let weight = weight(1.0 - gone / rate, rate);
        inside += people * weight;
        spread += people * weight * (1.0 - weight);
        slope += people * gone / (rate * rate * (1.0 - gone).max(1e-3));
    }
    let open = stays.open.iter().sum();
    bounded(inside, (spread + (slope * unsure).powi(2)).sqrt(), open, rate)
}

fn bounded(inside: f64, deviation: f64, open: f64, rate: f64) -> Estimate {
    let inside = inside.clamp(0.0, open);
    let half = CONFIDENCE * deviation;
    Estimate {
        inside,
        low: (inside - half).clamp(0.0, inside),
        high: (inside + half).clamp(inside, open),
        checkout_rate: Some(rate),
        method: OccupancyMethod::Survival,
    }
}

/// The probability that an open entry is still inside, where `stays` stay longer and `rate` are scanned out.
pub(super) fn weight(stays: f64, rate: f64) -> f64 {
    let gone = (1.0 - stays) * (1.0 - rate);
    if stays + gone <= 0.0 { 0.0 } else { (stays / (stays + gone)).clamp(0.0, 1.0) }
}

/// The product limit of having been scanned out within each minute. Who came back unscanned was watched until then.
fn scanned_out(stays: &Stays) -> Vec<f64> {
    let at = |people: &[f64], minute: usize| people.get(minute).copied().unwrap_or(0.0);
    let groups = [&stays.closed, &stays.open, &stays.missed];
    let last = groups.iter().filter_map(|people| people.iter().rposition(|people| *people > 0.0)).max();
    let mut at_risk: f64 = groups.into_iter().flatten().sum();
    let mut kept = 1.0;
    (0..=last.unwrap_or(0))
        .map(|minute| {
            let left = at(&stays.closed, minute);
            let censored = at(&stays.open, minute) + at(&stays.missed, minute);
            // Half of those censored within the minute are taken as watched for it (actuarial).
            let exposed = (at_risk - censored / 2.0).max(left);
            if left > 0.0 {
                kept *= 1.0 - left / exposed;
            }
            at_risk = (at_risk - left - censored).max(0.0);
            1.0 - kept
        })
        .collect()
}

#[cfg(test)]
mod tests;
