//! Money on real figures: weekly grosses of Broadway shows, 1990 to 2016 (CORGIS data set "Broadway", from The
//! Broadway League). The set has no costs, so that no return is defined; its grosses and visitors are.
//!
//! `IEUM_TEST_BROADWAY` names the set's CSV file.

use std::collections::BTreeMap;

use ieum_contracts::analytics::{Insights, MoneyEntries, MoneyEntry, MoneyKind, RoiAsk};
use ieum_core::Cx;
use ieum_testkit::backend::SqlStore;

use crate::stage::{NOON, Stage, at, state};

/// One show's weeks: an id and the gross in dollars each, and all visitors.
#[derive(Default)]
struct Show {
    weeks: BTreeMap<String, i64>,
    visitors: u64,
}

/// Splits a line at its commas outside of quotes.
fn cells(line: &str) -> Vec<String> {
    let mut quoted = false;
    let mut cells = vec![String::new()];
    for letter in line.chars() {
        match letter {
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(String::new()),
            other => cells.last_mut().expect("is never empty").push(other),
        }
    }
    cells
}

fn shows(text: &str) -> BTreeMap<String, Show> {
    let mut lines = text.lines();
    let head = cells(lines.next().expect("has a head"));
    let column = |name: &str| head.iter().position(|cell| cell == name).expect("has the column");
    let [name, week, theatre, gross, visitors] =
        ["Name", "Full", "Theatre", "Gross", "Attendance"].map(column);
    let mut shows: BTreeMap<String, Show> = BTreeMap::new();
    for line in lines {
        let cells = cells(line);
        let show = shows.entry(cells[name].clone()).or_default();
        let id: String = format!("{} {}", cells[week], cells[theatre]).chars().take(64).collect();
        *show.weeks.entry(id).or_default() += cells[gross].parse::<i64>().expect("is a sum");
        show.visitors += cells[visitors].parse::<u64>().expect("is a number");
    }
    shows
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs broadway"]
async fn every_gross_of_broadway_is_found_again_in_its_shows_figures() {
    let Some(file) = std::env::var_os("IEUM_TEST_BROADWAY") else {
        ieum_testkit::server::not_run("broadway", "IEUM_TEST_BROADWAY names no CSV file");
        return;
    };
    let shows = shows(&std::fs::read_to_string(file).expect("is readable"));
    let store = SqlStore::sqlite();
    let stage = Stage::over(&store.url).await;
    let cx = Cx::root();
    let mut states = Vec::new();
    for (number, (name, show)) in shows.iter().enumerate() {
        let event_id = format!("show-{number:04}");
        let entry = |(id, gross): (&String, &i64)| MoneyEntry {
            entry_id: id.clone(),
            kind: MoneyKind::Revenue,
            label: name.clone(),
            amount_minor: gross * 100,
            currency: "USD".into(),
            at: None,
        };
        let entries: Vec<MoneyEntry> = show.weeks.iter().map(entry).collect();
        for entries in entries.chunks(1_000) {
            let money = MoneyEntries { event_id: event_id.clone(), entries: entries.to_vec() };
            stage.insights.record_money(&cx, money).await.expect("is kept");
        }
        states.push(state(&event_id, at(NOON), show.visitors));
    }
    stage.part.start().await.expect("starts");
    stage.publish(&states).await;
    let seen = || async {
        let report = stage.insights.roi(&cx, RoiAsk::default()).await.expect("is answered");
        report.events.iter().zip(shows.values()).all(|(event, show)| event.figures.attendees == show.visitors)
    };
    ieum_testkit::wait::until("all visitors are history", crate::stage::PATIENCE, seen)
        .await
        .expect("they come");
    stage.part.drain().await;
    let report = stage.insights.roi(&cx, RoiAsk::default()).await.expect("is answered");
    assert_eq!(report.events.len(), shows.len());
    for (event, (name, show)) in report.events.iter().zip(&shows) {
        let gross: i64 = show.weeks.values().sum();
        assert_eq!(event.figures.revenue_minor, gross * 100, "{name}");
        assert_eq!(event.entries.len(), show.weeks.len(), "{name}");
        assert_eq!(event.figures.roi, None, "{name} has no costs");
        if show.visitors > 0 {
            let each = event.figures.revenue_per_attendee.expect("somebody came");
            assert!((each - gross as f64 * 100.0 / show.visitors as f64).abs() < 1e-6, "{name}");
        }
    }
    let all: i64 = shows.values().flat_map(|show| show.weeks.values()).sum();
    assert_eq!((report.totals.len(), report.totals[0].revenue_minor), (1, all * 100));
    let weeks: usize = shows.values().map(|show| show.weeks.len()).sum();
    println!("{} shows, {weeks} weeks, {all} dollars", shows.len());
}
