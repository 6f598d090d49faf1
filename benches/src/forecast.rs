//! Forecasts and event days on public data: M4-Hourly beside statsforecast, gates of the Seoul subway.
//!
//! The data is not part of the repository. `IEUM_BENCH_M4` names a folder with `Hourly-train.csv` and
//! `Hourly-test.csv` (github.com/Mcompetitions/M4-methods, folder Dataset); `IEUM_BENCH_SEOUL` a CSV file, gzip
//! or not, with the columns date, line, station, entries, exits of 2023 (Seoul Open Data Plaza, OA-12914).

mod m4;
mod seoul;
mod statsforecast;

use std::path::PathBuf;
use std::time::Instant;

use ieum_core::Fault;
use ieum_forecast::{Mixture, Model, MstlEts, Pooled, SeasonalNaive, Theta};

use crate::report::not_run;

const NAME: &str = "events";
/// The share of what comes that intervals are made to hold.
const LEVEL: f64 = 0.9;

/// Prints the figures of what data there is.
pub async fn run() -> Result<(), Fault> {
    let worked = tokio::task::spawn_blocking(|| {
        match given("IEUM_BENCH_M4") {
            Ok(folder) => m4::run(&folder)?,
            Err(why) => not_run(NAME, "M4-Hourly", &why),
        }
        match given("IEUM_BENCH_SEOUL") {
            Ok(file) => seoul::run(&file),
            Err(why) => {
                not_run(NAME, "Seoul subway, next 28 days and event days", &why);
                Ok(())
            }
        }
    });
    worked.await.map_err(|error| failed("measuring forecasts", &error))?
}

fn given(variable: &str) -> Result<PathBuf, String> {
    let path = std::env::var_os(variable).map(PathBuf::from);
    let path = path.ok_or_else(|| format!("the setting {variable} names no data"))?;
    if path.exists() {
        Ok(path)
    } else {
        Err(format!("{variable} names {}, which is not there", path.display()))
    }
}

/// The models that the analytics service mixes where there is history enough.
fn models() -> Vec<Box<dyn Model>> {
    vec![Box::new(SeasonalNaive), Box::new(Theta), Box::new(MstlEts), Box::new(Pooled::default())]
}

fn mixture() -> Mixture {
    Mixture::new(models(), LEVEL)
}

/// Runs `work` and returns what it made and the seconds that it took.
fn timed<T>(work: impl FnOnce() -> T) -> (T, f64) {
    let begun = Instant::now();
    let made = work();
    (made, begun.elapsed().as_secs_f64())
}

fn failed(step: &str, error: &dyn std::fmt::Display) -> Fault {
    Fault::internal("bench.events", format!("{step}: {error}"))
}
