//! Seoul subway 2023: people at each gate for the next 28 days, and the days on which something was on.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use ieum_core::Fault;
use ieum_forecast::score::coverage;
use ieum_forecast::{Model, MstlEts, Panel, Season, SeasonalNaive, Series, fill_gaps, regressors, unusual};
use jiff::ToSpan;
use jiff::civil::{Date, date};

use super::{NAME, failed, mixture, timed};
use crate::report::{Wanted, figures};

const HORIZON: usize = 28;
/// The last days of what is to be forecast; the last of them has Chuseok in it.
const ENDS: [Date; 4] = [date(2023, 6, 30), date(2023, 7, 31), date(2023, 8, 31), date(2023, 9, 30)];
/// So many of a station's days are looked at.
const STRANGEST: usize = 5;

/// Days on which many people had the same way, as the press reported them: station, day, occasion.
const KNOWN: [(&str, Date, &str); 24] = [
    ("독립문", date(2023, 3, 1), "Independence Movement Day"),
    ("올림픽공원", date(2023, 3, 20), "Harry Styles"),
    ("월드컵경기장", date(2023, 3, 28), "Korea against Uruguay"),
    ("여의나루", date(2023, 4, 1), "cherry blossoms"),
    ("월드컵경기장", date(2023, 4, 8), "FC Seoul against Daegu"),
    ("종각", date(2023, 5, 20), "lotus lantern parade"),
    ("동작", date(2023, 6, 6), "Memorial Day at the National Cemetery"),
    ("여의나루", date(2023, 6, 17), "BTS fireworks"),
    ("종합운동장", date(2023, 6, 17), "Bruno Mars"),
    ("종합운동장", date(2023, 6, 18), "Bruno Mars"),
    ("종합운동장", date(2023, 6, 30), "Psy's Summer Swag"),
    ("종합운동장", date(2023, 7, 1), "Psy's Summer Swag"),
    ("종합운동장", date(2023, 7, 2), "Psy's Summer Swag"),
    ("을지로입구", date(2023, 7, 1), "Queer Culture Festival"),
    ("월드컵경기장", date(2023, 7, 27), "Team K League against Atlético Madrid"),
    ("월드컵경기장", date(2023, 7, 30), "Manchester City against Atlético Madrid"),
    ("올림픽공원", date(2023, 8, 4), "Agust D"),
    ("올림픽공원", date(2023, 8, 6), "Agust D"),
    ("월드컵경기장", date(2023, 8, 11), "K-pop Super Live"),
    ("여의도", date(2023, 9, 2), "teachers' rally at the National Assembly"),
    ("구일", date(2023, 9, 16), "Blackpink"),
    ("구일", date(2023, 9, 17), "Blackpink"),
    ("올림픽공원", date(2023, 9, 23), "IU"),
    ("올림픽공원", date(2023, 9, 24), "IU"),
];

/// A count for every day, by name.
struct Counts {
    first: Date,
    days: usize,
    rows: BTreeMap<String, Vec<f64>>,
}

/// Prints the figures of the data in `file`.
pub fn run(file: &Path) -> Result<(), Fault> {
    let text = read(file)?;
    let gates = Counts::by(&text, |line, station, way| Some(format!("{line} {station} {way}")))?;
    println!(
        "Seoul subway: {} gates with every day from {} on, {} days",
        gates.rows.len(),
        gates.first,
        gates.days
    );
    let seconds = ENDS.iter().map(|end| next_days(&gates, *end)).collect::<Result<Vec<f64>, Fault>>()?;
    figures(NAME, "Seoul subway, the mixture over all gates", " s", seconds, Wanted::Nothing);
    let stations = Counts::by(&text, |_, station, way| (way == "out").then(|| station.to_owned()))?;
    event_days(&stations)
}

/// Prints the figures of the days up to `end` and returns the seconds that the mixture took.
fn next_days(gates: &Counts, end: Date) -> Result<f64, Fault> {
    let known_days = usize::try_from((end - gates.first).get_days() + 1).unwrap_or(0);
    let Some(shown) = known_days.checked_sub(HORIZON).filter(|_| known_days <= gates.days) else {
        return Err(failed("Seoul subway", &format!("the file does not reach {end}")));
    };
    let known = regressors(gates.first, known_days, &[]);
    let series = |(name, values): (&String, &Vec<f64>)| Series {
        name: name.clone(),
        values: values[..shown].to_vec(),
        known: known.clone(),
    };
    let panel = Panel { season: Season::DAILY, series: gates.rows.iter().map(series).collect() };
    let came: Vec<&[f64]> = gates.rows.values().map(|values| &values[shown..known_days]).collect();
    let wape = |made: &[Vec<f64>]| {
        let pairs = || made.iter().zip(&came).flat_map(|(made, came)| made.iter().zip(*came));
        pairs().map(|(made, came)| (made - came).abs()).sum::<f64>()
            / pairs().map(|(_, came)| came).sum::<f64>()
    };
    let alone = |model: &dyn Model| {
        let made = model.continue_all(&panel, HORIZON).map_err(|error| failed(model.name(), &error))?;
        Ok::<f64, Fault>(wape(&made))
    };
    let (naive, mstl) = (alone(&SeasonalNaive)?, alone(&MstlEts)?);
    let (made, seconds) = timed(|| mixture().forecast(&panel, HORIZON));
    let (made, worth) = made.map_err(|error| failed("the mixture", &error))?;
    let ours = wape(&made.iter().map(|made| made.values.clone()).collect::<Vec<_>>());
    println!(
        "to {end}: WAPE {ours:.4} of the mixture in {seconds:.1} s, {naive:.4} of the season repeated, {mstl:.4} of MSTL + ETS"
    );
    for one in worth {
        println!("{}: held-out error {:.3}, weight {:.2}", one.model, one.error, one.weight);
    }
    let held = made.iter().zip(&came).map(|(made, came)| coverage(came, &made.lower, &made.upper));
    let held = held.sum::<f64>() / made.len() as f64;
    let what = |text: &str| format!("Seoul subway, 28 days to {end}, {text}");
    figures(NAME, &what("WAPE of the mixture"), "", vec![ours], Wanted::Nothing);
    figures(NAME, &what("WAPE, mixture / the season repeated"), "x", vec![ours / naive], Wanted::AtMost(1.0));
    figures(NAME, &what("WAPE, mixture / MSTL + ETS"), "x", vec![ours / mstl], Wanted::AtMost(1.0));
    figures(NAME, &what("share within the 0.9 intervals"), "", vec![held], Wanted::AtLeast(0.85));
    Ok(seconds)
}

/// Looks for known days among the strangest of their stations: as many found as there are known, and how many of
/// as many named as there are known were right.
fn event_days(stations: &Counts) -> Result<(), Fault> {
    let names: Vec<&String> = stations.rows.keys().collect();
    let series = |(name, values): (&String, &Vec<f64>)| Series {
        name: name.clone(),
        values: values.clone(),
        known: Vec::new(),
    };
    let panel = Panel { season: Season::DAILY, series: stations.rows.iter().map(series).collect() };
    let mut found = unusual(&panel, 0.0).map_err(|error| failed("looking for event days", &error))?;
    found.retain(|found| found.score > 0.0);
    let day = |step: usize| stations.first + i64::try_from(step).unwrap_or(0).days();
    println!("the strangest days:");
    for one in found.iter().take(25) {
        let (name, day) = (names[one.series], day(one.step));
        println!("  {day} {name}: {:.0} people, usual {:.0}, score {:.1}", one.value, one.usual, one.score);
    }
    let is_at =
        |at: usize, station: &str| names[at] == station || names[at].starts_with(&format!("{station}("));
    let (mut among, mut right) = (0, 0);
    for (station, known, occasion) in KNOWN {
        let of_station = || found.iter().filter(|one| is_at(one.series, station));
        let Some(place) = of_station().position(|one| day(one.step) == known) else {
            println!("  {known} {station}, {occasion}: not above what is usual");
            continue;
        };
        let known_there = KNOWN.iter().filter(|(other, ..)| *other == station).count();
        among += usize::from(place < STRANGEST);
        right += usize::from(place < known_there);
        let one = of_station().nth(place).map_or((0.0, 0.0), |one| (one.value, one.usual));
        println!(
            "  {known} {station}, {occasion}: number {} of its days, {:.0} people, usual {:.0}",
            place + 1,
            one.0,
            one.1
        );
    }
    let share = |count: usize| vec![count as f64 / KNOWN.len() as f64];
    let what = format!(
        "Seoul subway, {} known event days among their station's {STRANGEST} strangest of {}",
        KNOWN.len(),
        stations.days
    );
    figures(NAME, &what, "", share(among), Wanted::AtLeast(0.8));
    let what =
        "Seoul subway, precision where a station's strangest days are named, as many as are known of it";
    figures(NAME, what, "", share(right), Wanted::Nothing);
    Ok(())
}

impl Counts {
    /// Sums people by name and day. Names that lack more than one day are left out; one day is filled in.
    fn by(text: &str, name: impl Fn(&str, &str, &str) -> Option<String>) -> Result<Self, Fault> {
        let mut sums: BTreeMap<String, BTreeMap<Date, f64>> = BTreeMap::new();
        for (number, line) in text.lines().enumerate().skip(1) {
            let cells: Vec<&str> = line.split(',').collect();
            let wrong = |what: &str| failed("Seoul subway", &format!("line {} has no {what}", number + 1));
            let [day, line, station, entries, exits] = cells[..] else { return Err(wrong("five columns")) };
            let day: Date = day.parse().map_err(|_| wrong("date"))?;
            for (way, people) in [("in", entries), ("out", exits)] {
                let people: f64 = people.parse().map_err(|_| wrong("count"))?;
                if let Some(name) = name(line, station, way) {
                    *sums.entry(name).or_default().entry(day).or_default() += people;
                }
            }
        }
        let days = || sums.values().flat_map(|days| days.keys());
        let (Some(first), Some(last)) = (days().min().copied(), days().max().copied()) else {
            return Err(failed("Seoul subway", &"the file has no rows"));
        };
        let span = usize::try_from((last - first).get_days() + 1).unwrap_or(0);
        let every: Vec<Date> = (0..span).map(|day| first + i64::try_from(day).unwrap_or(0).days()).collect();
        let whole = sums.into_iter().filter(|(_, days)| days.len() + 1 >= span);
        let filled = whole.filter_map(|(name, days)| {
            let values: Vec<Option<f64>> = every.iter().map(|day| days.get(day).copied()).collect();
            Some((name, fill_gaps(&values, Season::DAILY.short)?))
        });
        Ok(Self { first, days: span, rows: filled.collect() })
    }
}

fn read(file: &Path) -> Result<String, Fault> {
    let step = format!("reading {}", file.display());
    let bytes = std::fs::read(file).map_err(|error| failed(&step, &error))?;
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return String::from_utf8(bytes).map_err(|error| failed(&step, &error));
    }
    let mut text = String::new();
    flate2::read::GzDecoder::new(&bytes[..])
        .read_to_string(&mut text)
        .map_err(|error| failed(&step, &error))?;
    Ok(text)
}
