//! Noise on counts and sums, by OpenDP: what one person adds or takes away cannot be told from the answer.
//!
//! All answers are whole numbers with geometric noise (the Laplace distribution on the integers: Ghosh, Roughgarden,
//! Sundararajan, "Universally Utility-Maximizing Privacy Mechanisms", 2012), so that no floating-point tail gives the
//! truth away. They may be negative: cutting them at zero is the caller's choice and costs nothing. The privacy
//! unit is a person who contributes at most so many rows; neighbours differ by one person.
//!
//! OpenDP is built without OpenSSL: its bits come from a ChaCha generator seeded by the operating system.

use std::fmt::Display;

use opendp::core::{Domain, Measurement, Metric, Transformation};
use opendp::domains::{AtomDomain, VectorDomain};
use opendp::measurements::make_laplace;
use opendp::measures::MaxDivergence;
use opendp::metrics::{AbsoluteDistance, L1Distance, SymmetricDistance};
use opendp::transformations::{make_clamp, make_sum};

use crate::{Epsilon, NoiseError};

/// The most rows one person may contribute.
const MOST_ROWS: u32 = 1_000_000;
/// How far from zero the bounds of a sum may lie.
const FARTHEST: i64 = 1 << 40;

type Sum =
    Transformation<VectorDomain<AtomDomain<i64>>, SymmetricDistance, AtomDomain<i64>, AbsoluteDistance<i64>>;

/// Returns `count` with noise of scale `contributions / epsilon`, where a person contributes at most
/// `contributions` rows to it.
///
/// # Errors
/// Names the argument that makes no question.
pub fn count(count: u64, contributions: u32, epsilon: Epsilon) -> Result<i64, NoiseError> {
    check(contributions, epsilon)?;
    let (domain, metric) = (AtomDomain::<i64>::default(), AbsoluteDistance::<i64>::default());
    let scale = scale(i64::from(contributions), epsilon);
    let measure = make_laplace::<_, _, MaxDivergence>(domain, metric, scale, None);
    let measure = measure.map_err(refused("making a count"))?;
    within(&measure, &i64::from(contributions), epsilon)?;
    measure.invoke(&i64::try_from(count).unwrap_or(i64::MAX)).map_err(refused("counting"))
}

/// Returns every count of a histogram with noise. A person contributes at most `contributions` rows to all bins
/// together, so the whole costs what one count costs. The bins must not depend on the data.
///
/// # Errors
/// Names the argument that makes no question.
pub fn histogram(counts: &[u64], contributions: u32, epsilon: Epsilon) -> Result<Vec<i64>, NoiseError> {
    check(contributions, epsilon)?;
    let domain = VectorDomain::new(AtomDomain::<i64>::default());
    let scale = scale(i64::from(contributions), epsilon);
    let measure = make_laplace::<_, _, MaxDivergence>(domain, L1Distance::<i64>::default(), scale, None);
    let measure = measure.map_err(refused("making a histogram"))?;
    within(&measure, &i64::from(contributions), epsilon)?;
    let counts = counts.iter().map(|&count| i64::try_from(count).unwrap_or(i64::MAX)).collect();
    measure.invoke(&counts).map_err(refused("counting into bins"))
}

/// Returns the sum of `values`, each cut to `bounds` first, with noise of scale
/// `contributions × the larger of |bounds| / epsilon`.
///
/// # Errors
/// Names the argument that makes no question.
pub fn sum(
    values: &[i64],
    bounds: (i64, i64),
    contributions: u32,
    epsilon: Epsilon,
) -> Result<i64, NoiseError> {
    check(contributions, epsilon)?;
    let (lower, upper) = bounds;
    if lower > upper || lower < -FARTHEST || upper > FARTHEST {
        return Err(NoiseError::Bounds { lower, upper });
    }
    let step = "making a sum";
    let domain = VectorDomain::new(AtomDomain::<i64>::default());
    let cut = make_clamp(domain, SymmetricDistance, bounds).map_err(refused(step))?;
    let added = make_sum(cut.output_domain.clone(), SymmetricDistance).map_err(refused(step))?;
    let sum: Sum = (cut >> added).map_err(refused(step))?;
    let sensitivity = sum.map(&contributions).map_err(refused(step))?;
    let scale = scale(sensitivity, epsilon);
    let noise = make_laplace::<_, _, MaxDivergence>(
        sum.output_domain.clone(),
        AbsoluteDistance::<i64>::default(),
        scale,
        None,
    );
    let measure = (sum >> noise.map_err(refused(step))?).map_err(refused(step))?;
    within(&measure, &contributions, epsilon)?;
    measure.invoke(&values.to_vec()).map_err(refused("adding up"))
}

fn check(contributions: u32, epsilon: Epsilon) -> Result<(), NoiseError> {
    if epsilon == Epsilon::ZERO {
        return Err(NoiseError::NoEpsilon);
    }
    if !(1..=MOST_ROWS).contains(&contributions) {
        return Err(NoiseError::Contributions { contributions });
    }
    Ok(())
}

/// A hair more noise than asked for, so that rounding never makes it less.
fn scale(sensitivity: i64, epsilon: Epsilon) -> f64 {
    sensitivity as f64 / epsilon.as_f64() * (1.0 + 1e-9)
}

/// Checks by OpenDP's own account that a measurement costs no more than `epsilon`.
fn within<DI, MI, TO>(
    measure: &Measurement<DI, MI, MaxDivergence, TO>,
    distance: &MI::Distance,
    epsilon: Epsilon,
) -> Result<(), NoiseError>
where
    DI: Domain,
    MI: Metric,
    (DI, MI): opendp::core::MetricSpace,
{
    let step = "measuring what an answer costs";
    let cost = measure.map(distance).map_err(refused(step))?;
    if cost <= epsilon.as_f64() {
        return Ok(());
    }
    Err(NoiseError::Library { step, why: format!("it costs {cost} instead of {epsilon}") })
}

fn refused(step: &'static str) -> impl Fn(opendp::error::Error) -> NoiseError {
    move |error| {
        let what: &dyn Display = &error.variant;
        let why = error.message.as_ref().map_or_else(|| what.to_string(), |text| format!("{what}: {text}"));
        NoiseError::Library { step, why }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epsilon(text: f64) -> Epsilon {
        Epsilon::new(text).expect("is positive")
    }

    #[test]
    fn noise_has_no_drift_and_the_spread_it_should_have() {
        let (rounds, truth) = (4_000, 1_000);
        let answers: Vec<i64> =
            (0..rounds).map(|_| count(truth, 2, epsilon(0.5)).expect("is a question")).collect();
        let errors = || answers.iter().map(|answer| *answer as f64 - truth as f64);
        let mean = errors().sum::<f64>() / f64::from(rounds);
        // Scale 4: a standard deviation of 5.66, so the mean of 4,000 strays beyond 0.6 once in 10^10.
        assert!(mean.abs() < 0.6, "mean error {mean}");
        let absolute = errors().map(f64::abs).sum::<f64>() / f64::from(rounds);
        assert!((3.3..4.7).contains(&absolute), "mean absolute error {absolute}, expected about 4");
    }

    #[test]
    fn a_sum_is_cut_to_its_bounds_before_it_is_told() {
        let told = sum(&[5, 7, 1_000_000], (0, 10), 1, epsilon(1_000.0)).expect("is a question");
        assert_eq!(told, 22, "at this epsilon the noise is gone");
        let bins = histogram(&[3, 0, 9], 1, epsilon(1_000.0)).expect("is a question");
        assert_eq!(bins, [3, 0, 9]);
    }

    #[test]
    fn what_makes_no_question_is_refused() {
        assert_eq!(count(1, 1, Epsilon::ZERO), Err(NoiseError::NoEpsilon));
        assert_eq!(count(1, 0, epsilon(1.0)), Err(NoiseError::Contributions { contributions: 0 }));
        assert_eq!(sum(&[1], (5, 4), 1, epsilon(1.0)), Err(NoiseError::Bounds { lower: 5, upper: 4 }));
    }
}
