//! M4-Hourly: 414 series, the next 48 hours, scored as the competition did, beside statsforecast on the same split.

use std::path::Path;

use ieum_core::Fault;
use ieum_forecast::score::{Judged, Score, coverage, score};
use ieum_forecast::{Model, MstlEts, Panel, Pooled, Season, SeasonalNaive, Series};

use super::{NAME, failed, mixture, statsforecast, timed};
use crate::report::{Wanted, figures, not_run};

const HORIZON: usize = 48;

/// Both ends of the split, series by series.
struct Split {
    panel: Panel,
    came: Vec<Vec<f64>>,
}

/// Prints the figures of the data in `folder`.
pub fn run(folder: &Path) -> Result<(), Fault> {
    let train = folder.join("Hourly-train.csv");
    let split = Split::read(&train, &folder.join("Hourly-test.csv"))?;
    println!("M4-Hourly: {} series, {HORIZON} hours ahead", split.came.len());
    let alone: [(&str, &dyn Model); 3] = [
        ("the season repeated", &SeasonalNaive),
        ("MSTL + ETS", &MstlEts),
        ("pooled boosting", &Pooled::default()),
    ];
    for (name, model) in alone {
        let (made, seconds) = timed(|| model.continue_all(&split.panel, HORIZON));
        let scored = split.score(&made.map_err(|error| failed(name, &error))?);
        println!(
            "{name}: sMAPE {:.2}, MASE {:.3}, OWA {:.4} in {seconds:.1} s",
            scored.smape, scored.mase, scored.owa
        );
        let wanted = if name == "pooled boosting" { Wanted::AtMost(0.5) } else { Wanted::Nothing };
        figures(NAME, &format!("M4-Hourly, OWA of {name}"), "", vec![scored.owa], wanted);
    }
    let (made, seconds) = timed(|| mixture().forecast(&split.panel, HORIZON));
    let (made, worth) = made.map_err(|error| failed("the mixture", &error))?;
    for one in worth {
        println!("{}: held-out error {:.3}, weight {:.2}", one.model, one.error, one.weight);
    }
    let values: Vec<Vec<f64>> = made.iter().map(|made| made.values.clone()).collect();
    let ours = split.score(&values);
    println!(
        "mixture: sMAPE {:.2}, MASE {:.3}, OWA {:.4} in {seconds:.1} s",
        ours.smape, ours.mase, ours.owa
    );
    let held = made.iter().zip(&split.came).map(|(made, came)| coverage(came, &made.lower, &made.upper));
    let held = held.sum::<f64>() / made.len() as f64;
    figures(NAME, "M4-Hourly, OWA of the mixture", "", vec![ours.owa], Wanted::AtMost(0.5));
    figures(
        NAME,
        "M4-Hourly, share within the mixture's 0.9 intervals",
        "",
        vec![held],
        Wanted::AtLeast(0.85),
    );
    figures(NAME, "M4-Hourly, the mixture over all series", " s", vec![seconds], Wanted::AtMost(60.0));
    beside(&train, &split, ours, seconds)
}

/// Prints ours over statsforecast's.
fn beside(train: &Path, split: &Split, ours: Score, seconds: f64) -> Result<(), Fault> {
    let peer = match statsforecast::run(train, HORIZON)? {
        Ok(peer) => peer,
        Err(why) => {
            not_run(NAME, "M4-Hourly, mixture / statsforecast", &why);
            return Ok(());
        }
    };
    let theirs = split.score(&peer.values);
    println!(
        "statsforecast {} MSTL + ETS: sMAPE {:.2}, MASE {:.3}, OWA {:.4} in {:.1} s",
        peer.version, theirs.smape, theirs.mase, theirs.owa, peer.seconds
    );
    let what = format!("M4-Hourly, OWA, mixture / statsforecast {} MSTL + ETS", peer.version);
    figures(NAME, &what, "x", vec![ours.owa / theirs.owa], Wanted::AtMost(1.0));
    let what = "M4-Hourly, wall time, mixture / statsforecast on as many cores";
    figures(NAME, what, "x", vec![seconds / peer.seconds], Wanted::AtMost(1.0));
    Ok(())
}

impl Split {
    fn read(train: &Path, test: &Path) -> Result<Self, Fault> {
        let (train, came) = (read(train)?, read(test)?);
        if train.len() != came.len() || came.iter().any(|(_, came)| came.len() != HORIZON) {
            return Err(failed(
                "reading M4-Hourly",
                &"train and test have other series or lengths than the competition's",
            ));
        }
        let series = |(name, values): (String, Vec<f64>)| Series { name, values, known: Vec::new() };
        let panel = Panel { season: Season::HOURLY, series: train.into_iter().map(series).collect() };
        Ok(Self { panel, came: came.into_iter().map(|(_, came)| came).collect() })
    }

    fn score(&self, made: &[Vec<f64>]) -> Score {
        let each = self.panel.series.iter().zip(&self.came).zip(made);
        let judged: Vec<Judged<'_>> = each
            .map(|((series, actual), forecast)| Judged { history: &series.values, actual, forecast })
            .collect();
        score(&judged, Season::HOURLY.short)
    }
}

/// Reads a file of the competition: a name and its values a line, lines of different length padded with nothing.
fn read(file: &Path) -> Result<Vec<(String, Vec<f64>)>, Fault> {
    let text = std::fs::read_to_string(file)
        .map_err(|error| failed(&format!("reading {}", file.display()), &error))?;
    let line = |line: &str| {
        let mut cells = line.split(',').map(|cell| cell.trim_matches('"'));
        let name = cells.next().unwrap_or_default().to_owned();
        (name, cells.map_while(|cell| cell.parse().ok()).collect())
    };
    Ok(text.lines().skip(1).map(line).collect())
}
