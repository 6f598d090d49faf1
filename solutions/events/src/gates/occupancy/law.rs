//! How long people stay as a log-normal law, fitted together with the share of leavers that is scanned.
//!
//! The likelihood of what the gates know: `q f(t)` for a stay that ended with a scan, `1 - q F(t)` for an open entry,
//! `(1 - q) f(t)` for somebody who came back unscanned, taken to have left shortly before. Its maximum is where EM over the weights of
//! [`super::estimate`] ends (Dempster, Laird and Rubin, JRSS B 39, 1977; the mixture is Boag's, JRSS B 11, 1949);
//! Newton's steps reach it in a few rounds where EM creeps, and leave the curvature that the bounds need. A weak prior
//! keeps the fit in place while hardly anybody has left: most leavers are scanned, and long stays are a few times
//! as long as short ones.

use super::{Stays, weight};

/// The most steps; it ends earlier once nothing moves.
const STEPS: usize = 40;

/// How far parameters are moved to see how the likelihood bends.
const NUDGE: f64 = 1e-3;

/// What is believed before anything is seen: the middle and deviation of `ln sigma` and of the log-odds of `q`.
const PRIOR: [(f64, f64); 2] = [(-0.5, 0.6), (1.5, 2.5)];

/// Mean and `ln sigma` of the logarithm of minutes, and the log-odds of `q`.
type Point = [f64; 3];

/// The fitted law.
pub struct Law {
    /// The share of leavers that is scanned.
    pub rate: f64,
    point: Point,
    covariance: [[f64; 3]; 3],
}

/// How many people, by the logarithm of the minutes.
struct Seen {
    closed: Vec<(f64, f64)>,
    open: Vec<(f64, f64)>,
    missed: Vec<(f64, f64)>,
}

impl Law {
    /// Fits the law; `None` where there is nothing to fit or the fit does not settle.
    pub fn fit(stays: &Stays) -> Option<Self> {
        let seen = Seen::of(stays);
        let exits: f64 = seen.closed.iter().map(|(_, people)| people).sum();
        let mean = seen.closed.iter().map(|(log, people)| log * people).sum::<f64>() / exits;
        let square =
            seen.closed.iter().map(|(log, people)| (log - mean).powi(2) * people).sum::<f64>() / exits;
        if !(exits > 0.0 && mean.is_finite()) {
            return None;
        }
        let mut point = [mean, square.sqrt().clamp(0.05, 2.0).ln(), 1.5];
        let mut value = seen.value(&point);
        let mut damping = 1e-3;
        for _ in 0..STEPS {
            let (slope, bend) = seen.bend(&point, value);
            let mut damped = bend;
            for (i, row) in damped.iter_mut().enumerate() {
                row[i] += damping * (1.0 + bend[i][i].abs());
            }
            let step = inverse(&damped).map(|inverse| product(&inverse, &slope));
            let next = step.map(|step| [0, 1, 2].map(|i| point[i] + step[i].clamp(-0.7, 0.7)));
            let better = next.map(|next| (next, seen.value(&next))).filter(|(_, there)| *there > value);
            match better {
                Some((next, there)) => {
                    let gain = there - value;
                    (point, value) = (next, there);
                    damping = (damping / 8.0).max(1e-9);
                    if gain < 1e-6 {
                        break;
                    }
                }
                None if damping > 1e6 => break,
                None => damping *= 8.0,
            }
        }
        let covariance = inverse(&seen.bend(&point, value).1)?;
        let usable = [0, 1, 2].iter().all(|i| covariance[*i][*i].is_finite() && covariance[*i][*i] > 0.0);
        usable.then(|| Self { rate: odds(point[2]), point, covariance })
    }

    /// Returns the share of stays that is over within a minute.
    pub fn left(&self, minute: usize) -> f64 {
        below(&self.point, log_of(minute))
    }

    /// Returns how many of the open entries are inside, and the standard deviation of that.
    pub fn inside(&self, stays: &Stays) -> (f64, f64) {
        let open = Seen::of(stays).open;
        let sum = |point: &Point| {
            let weigh =
                |(log, people): &(f64, f64)| people * weight(1.0 - below(point, *log), odds(point[2]));
            open.iter().map(weigh).sum::<f64>()
        };
        let inside = sum(&self.point);
        let chance: f64 = open
            .iter()
            .map(|(log, people)| {
                let weight = weight(1.0 - below(&self.point, *log), self.rate);
                people * weight * (1.0 - weight)
            })
            .sum();
        let slope = [0, 1, 2].map(|i| {
            let mut there = self.point;
            there[i] += NUDGE;
            (sum(&there) - inside) / NUDGE
        });
        let moved = product(&self.covariance, &slope);
        let unsure: f64 = slope.iter().zip(moved).map(|(one, other)| one * other).sum();
        (inside, (chance + unsure.max(0.0)).sqrt())
    }
}

impl Seen {
    fn of(stays: &Stays) -> Self {
        let logs = |people: &[f64]| {
            let some = people.iter().enumerate().filter(|(_, people)| **people > 0.0);
            some.map(|(minute, people)| (log_of(minute), *people)).collect()
        };
        Self { closed: logs(&stays.closed), open: logs(&stays.open), missed: logs(&stays.missed) }
    }

    /// The logarithm of the likelihood and of the prior.
    fn value(&self, point: &Point) -> f64 {
        let [mean, spread, chance] = *point;
        let (rate, sigma) = (odds(chance), spread.exp());
        let closed = |(log, people): &(f64, f64)| {
            let edge = (log - mean) / sigma;
            people * (rate.ln() - edge * edge / 2.0 - spread)
        };
        let open = |(log, people): &(f64, f64)| people * (1.0 - rate * below(point, *log)).max(1e-12).ln();
        let missed = |(log, people): &(f64, f64)| {
            let edge = (log - mean) / sigma;
            people * ((1.0 - rate).max(1e-12).ln() - edge * edge / 2.0 - spread)
        };
        let seen = self.closed.iter().map(closed).sum::<f64>()
            + self.open.iter().map(open).sum::<f64>()
            + self.missed.iter().map(missed).sum::<f64>();
        let prior = PRIOR.iter().zip([spread, chance]);
        seen - prior.map(|((middle, deviation), at)| ((at - middle) / deviation).powi(2) / 2.0).sum::<f64>()
    }

    /// Returns the slope and the negative curvature, by central differences.
    fn bend(&self, point: &Point, value: f64) -> (Point, [[f64; 3]; 3]) {
        let at = |moves: &[(usize, f64)]| {
            let mut there = *point;
            for (i, move_by) in moves {
                there[*i] += move_by;
            }
            self.value(&there)
        };
        let sides = [0, 1, 2].map(|i| (at(&[(i, NUDGE)]), at(&[(i, -NUDGE)])));
        let slope = sides.map(|(up, down)| (up - down) / (2.0 * NUDGE));
        let both = |i: usize, j: usize| {
            if i == j {
                return -(sides[i].0 + sides[i].1 - 2.0 * value) / (NUDGE * NUDGE);
            }
            let along = at(&[(i, NUDGE), (j, NUDGE)]) + at(&[(i, -NUDGE), (j, -NUDGE)]);
            let across = at(&[(i, NUDGE), (j, -NUDGE)]) + at(&[(i, -NUDGE), (j, NUDGE)]);
            -(along - across) / (4.0 * NUDGE * NUDGE)
        };
        let bend = [0, 1, 2].map(|i| [0, 1, 2].map(|j| both(i.max(j), i.min(j))));
        (slope, bend)
    }
}

/// The logarithm of the middle of a minute.
fn log_of(minute: usize) -> f64 {
    #[allow(clippy::cast_precision_loss, reason = "stays are minutes of some days")]
    let minutes = minute as f64 + 0.5;
    minutes.ln()
}

fn odds(log_odds: f64) -> f64 {
    1.0 / (1.0 + (-log_odds.clamp(-12.0, 12.0)).exp())
}

/// The law's distribution function at the logarithm of some minutes.
fn below(point: &Point, log: f64) -> f64 {
    normal_below((log - point[0]) / point[1].exp())
}

/// The standard normal distribution function, to 7.5e-8 (Abramowitz and Stegun 26.2.17).
fn normal_below(edge: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.231_641_9 * edge.abs());
    let series = t
        * (0.319_381_530
            + t * (-0.356_563_782 + t * (1.781_477_937 + t * (-1.821_255_978 + t * 1.330_274_429))));
    let above = (-edge * edge / 2.0).exp() / std::f64::consts::TAU.sqrt() * series;
    if edge >= 0.0 { 1.0 - above } else { above }
}

fn product(matrix: &[[f64; 3]; 3], vector: &Point) -> Point {
    matrix.map(|row| row.iter().zip(vector).map(|(one, other)| one * other).sum())
}

/// The inverse by cofactors; `None` where there is none.
fn inverse(m: &[[f64; 3]; 3]) -> Option<[[f64; 3]; 3]> {
    let minor = |i: usize, j: usize| {
        let (a, b, c, d) = ((i + 1) % 3, (i + 2) % 3, (j + 1) % 3, (j + 2) % 3);
        m[a][c] * m[b][d] - m[a][d] * m[b][c]
    };
    let determinant: f64 = (0..3).map(|j| m[0][j] * minor(0, j)).sum();
    if !determinant.is_finite() || determinant.abs() < 1e-30 {
        return None;
    }
    let mut inverse = [[0.0; 3]; 3];
    for (i, row) in inverse.iter_mut().enumerate() {
        for (j, cell) in row.iter_mut().enumerate() {
            *cell = minor(j, i) / determinant;
        }
    }
    Some(inverse)
}
