//! Real people visit an event, and nobody of them is found again in what is told of its visitors.
//!
//! They are the 262 of the `ICCSS17` metadata of the Python package `face2face` (GESIS), who told six things about
//! themselves; by these 139 of them stand alone. Each of the six decides something of a visit, so that who knows a
//! person's six things knows the visit to the second. What is told is asked for over HTTP, as a partner would.

use std::collections::{BTreeMap, BTreeSet};

use ieum_contracts::analytics::{BehaviourAsk, BehaviourPattern, EventBehaviour, Insights};
use ieum_contracts::events::{PersonVisits, RoomVisit};
use ieum_core::{Cx, Timestamp};
use ieum_testkit::backend::SqlStore;

use crate::stage::{NOON, Stage, at};

const PEOPLE: usize = 262;
const UNIQUE: usize = 139;
const K: usize = 5;

/// What a pattern says of a person: the label of the person's cell.
type Cells = [String; 4];

/// Reads the six attributes of every person, each as the place of its value among all values.
fn attributes() -> Option<Vec<[usize; 6]>> {
    let folder = ieum_testkit::server::people_data()?;
    let path = folder.join("face2face/data/ICCSS17/metadata_ICCSS17.dat");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("reading {path:?}: {error}"));
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let rows: Vec<Vec<&str>> = lines.map(|line| line.split('\t').map(str::trim).collect()).collect();
    let values: Vec<BTreeSet<&str>> =
        (1..7).map(|column| rows.iter().map(|row| row[column]).collect()).collect();
    let place = |row: &Vec<&str>, column: usize| {
        values[column].iter().position(|value| *value == row[column + 1]).expect("is among them")
    };
    Some(rows.iter().map(|row| std::array::from_fn(|column| place(row, column))).collect())
}

/// A visit that tells all six: the hour by age and sex, the second by country; the stay by career and language; the
/// rooms by field.
fn visit([age, sex, country, language, career, field]: [usize; 6]) -> PersonVisits {
    let seconds = |count: usize| i64::try_from(count).expect("is small");
    let came = at(NOON).as_seconds() + (seconds(age * 3 + sex) - 3) * 3_600 + seconds(country);
    let left = came + 600 + seconds(career) * 2_700 + seconds(language);
    let visit = |room: String| RoomVisit {
        room,
        entered_at: Timestamp::from_seconds(came),
        left_at: Some(Timestamp::from_seconds(left)),
    };
    let rooms = (0..field).map(|room| visit(format!("room {room}")));
    PersonVisits { visits: [visit(String::new())].into_iter().chain(rooms).collect() }
}

/// The cells that a visit lies in, worked out as the answer's description says.
fn cells(person: &PersonVisits) -> Cells {
    let hour = |at_: Timestamp| match (at_.as_seconds() - at(NOON).as_seconds()).div_euclid(3_600) {
        ..-3 => "<-3".to_owned(),
        hour @ -3..8 => hour.to_string(),
        _ => "8+".to_owned(),
    };
    let (came, left) = (person.visits[0].entered_at, person.visits[0].left_at.expect("is known"));
    let minutes = left.since(came).as_secs() / 60;
    let ends = [15, 30, 60, 120, 240, 480];
    let stay = ends.iter().position(|end| minutes < *end).map_or_else(
        || "480+".to_owned(),
        |i| format!("{}-{}", if i == 0 { 0 } else { ends[i - 1] }, ends[i] - 1),
    );
    let rooms = person.visits.len() - 1;
    let rooms = if rooms < 5 { rooms.to_string() } else { "5+".to_owned() };
    [hour(came), stay, rooms, hour(left)]
}

fn patterns(told: &EventBehaviour) -> [&BehaviourPattern; 4] {
    [&told.entry_pattern, &told.stay, &told.engagement, &told.drop_off]
}

/// The smallest crowd that each person is lost in: of all whom what is told of the person's cells fits, where a cell
/// that is hidden is as good as any other hidden one.
fn crowds(told: &EventBehaviour, people: &[Cells]) -> Vec<usize> {
    let mut smallest = vec![people.len(); people.len()];
    for (i, pattern) in patterns(told).into_iter().enumerate() {
        let shown: BTreeSet<&str> = pattern
            .cells
            .iter()
            .filter(|cell| cell.people.is_some())
            .map(|cell| cell.label.as_str())
            .collect();
        let known: BTreeSet<&str> = pattern.cells.iter().map(|cell| cell.label.as_str()).collect();
        let seen = |person: &Cells| shown.get(person[i].as_str()).copied();
        let mut crowd: BTreeMap<Option<&str>, usize> = BTreeMap::new();
        for person in people {
            assert!(known.contains(person[i].as_str()), "{} is no cell of {known:?}", person[i]);
            *crowd.entry(seen(person)).or_default() += 1;
        }
        for (smallest, person) in smallest.iter_mut().zip(people) {
            *smallest = (*smallest).min(crowd[&seen(person)]);
        }
    }
    smallest
}

/// What is lost: the share of people in cells that are told, and by how much the told counts are off, over all people
/// in them.
fn use_of(told: &EventBehaviour, people: &[Cells]) -> (f64, f64) {
    let (mut shown, mut off) = (0_usize, 0_usize);
    for (i, pattern) in patterns(told).into_iter().enumerate() {
        for cell in &pattern.cells {
            let true_count = people.iter().filter(|person| person[i] == cell.label).count();
            if let Some(count) = cell.people {
                shown += true_count;
                off += true_count.abs_diff(usize::try_from(count).expect("is small"));
            }
        }
    }
    (shown as f64 / (4 * people.len()) as f64, off as f64 / shown.max(1) as f64)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs face2face"]
async fn nobody_of_262_real_visitors_is_found_again_over_the_endpoint() {
    let Some(attributes) = attributes() else {
        ieum_testkit::server::not_run("face2face", "the package could not be fetched");
        return;
    };
    let visits: Vec<PersonVisits> = attributes.into_iter().map(visit).collect();
    let same = |one: &PersonVisits| visits.iter().filter(|other| *other == one).count();
    let alone = visits.iter().filter(|person| same(person) == 1).count();
    assert_eq!((visits.len(), alone), (PEOPLE, UNIQUE), "a visit tells as much as the six things do");
    let people: Vec<Cells> = visits.iter().map(cells).collect();
    let base = SqlStore::sqlite();
    let small =
        (0..4).any(|i| people.iter().any(|one| people.iter().filter(|other| other[i] == one[i]).count() < K));
    assert!(small, "every true cell is a crowd already: nothing would have to be hidden");
    let stage = Stage::over(&base.url).await;
    *stage.visitors.0.lock() = visits;
    let key = stage.key(&["fair"], &["analytics:read"]).await;
    let (status, answer) = stage.get("/api/insights/fair/behaviour", Some(&key)).await;
    assert_eq!(status, 200, "{answer}");
    let mut answers: Vec<EventBehaviour> = vec![serde_json::from_value(answer).expect("is one")];
    // Other partners get other noise, which may show other cells.
    for spy in 0..20 {
        let ask = BehaviourAsk { event_id: "fair".into(), partner: format!("spy {spy}"), plan: None };
        answers.push(stage.insights.behaviour(&Cx::root(), ask).await.expect("is told"));
    }
    for (i, told) in answers.iter().enumerate() {
        let crowds = crowds(told, &people);
        let found = crowds.iter().filter(|crowd| **crowd == 1).count();
        let narrowed = crowds.iter().filter(|crowd| **crowd < K).count();
        let (shown, off) = use_of(told, &people);
        println!(
            "answer {i}: {UNIQUE} of {PEOPLE} unique before, {found} after; {narrowed} narrowed below {K}; smallest \
             crowd {:?}; {:.0} % of people in cells that are told, whose counts are off by {:.0} %",
            crowds.iter().min(),
            shown * 100.0,
            off * 100.0
        );
        assert_eq!((found, narrowed), (0, 0));
        // Telling nothing finds nobody either, and is no use.
        assert!(shown > 0.5, "only {shown:.2} of the people are in cells that are told");
    }
}
