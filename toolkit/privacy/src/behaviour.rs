//! What visitors do, told without telling on anybody: when they enter, how long they stay, how much they take part,
//! where they drop off.
//!
//! Each person counts once in each pattern, so that cells count people and not visits. Small groups are taken out by
//! [`Table::protect`]; what a pattern says of a group stays a count.

use std::collections::{BTreeMap, BTreeSet};

use crate::{Protected, Table, TableError};

/// One stay of one person, as scans tell it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visit {
    /// Who: any name that is the same for the same person. It is in no result.
    pub person: String,
    /// What patterns are split by, such as the gate or the ticket's kind.
    pub group: String,
    /// When the person came in, in seconds since the Unix epoch.
    pub entered: i64,
    /// When the person went; `None` where that is not known.
    pub left: Option<i64>,
    /// How often the person took part in something, such as scans at stands.
    pub interactions: u32,
    /// The last stage reached, such as "talk 2"; empty where there are none.
    pub last_stage: String,
}

/// All visits of one person together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The group of the first visit.
    pub group: String,
    /// The first entry, in seconds since the Unix epoch.
    pub entered: i64,
    /// Seconds inside over all visits whose end is known; `None` where none is.
    pub stayed: Option<u64>,
    /// How often the person took part.
    pub interactions: u32,
    /// The last stage of the last visit.
    pub last_stage: String,
}

/// Counts of people by a property and their group.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Pattern {
    /// What the rows are: the property's values in their order.
    pub rows: Vec<String>,
    /// What the columns are: the groups.
    pub columns: Vec<String>,
    /// The counts, with small ones taken out.
    #[serde(flatten)]
    pub table: Protected,
}

/// Joins the visits of each person, the earliest first.
pub fn people(visits: &[Visit]) -> Vec<Person> {
    let mut sorted: Vec<&Visit> = visits.iter().collect();
    sorted.sort_by_key(|visit| visit.entered);
    let mut people: BTreeMap<&str, Person> = BTreeMap::new();
    for visit in sorted {
        let stayed = visit.left.and_then(|left| u64::try_from(left - visit.entered).ok());
        let person = people.entry(&visit.person).or_insert_with(|| Person {
            group: visit.group.clone(),
            entered: visit.entered,
            stayed: None,
            interactions: 0,
            last_stage: String::new(),
        });
        person.stayed = match (person.stayed, stayed) {
            (None, None) => None,
            (one, other) => Some(one.unwrap_or(0).saturating_add(other.unwrap_or(0))),
        };
        person.interactions = person.interactions.saturating_add(visit.interactions);
        person.last_stage.clone_from(&visit.last_stage);
    }
    people.into_values().collect()
}

/// Counts people by the slot of so many seconds, at least 1, in which they first entered, empty slots in between
/// included. Rows are the slots' beginnings in seconds since the Unix epoch.
///
/// # Errors
/// Refuses to make a pattern of nobody.
pub fn entry_pattern(people: &[Person], slot: u32, k: u64) -> Result<Pattern, TableError> {
    let slot = i64::from(slot.max(1));
    let slots = people.iter().map(|person| person.entered.div_euclid(slot));
    let (first, last) = (slots.clone().min().unwrap_or(0), slots.max().unwrap_or(0));
    // A stray date must not make a table of years in minutes: slots in between are left out then.
    let every = last.saturating_sub(first) < 10_000;
    let between: BTreeSet<i64> = match every {
        true => (first..=last).collect(),
        false => people.iter().map(|person| person.entered.div_euclid(slot)).collect(),
    };
    let rows: Vec<String> = between.into_iter().map(|at| (at * slot).to_string()).collect();
    cross(people, rows, k, |person| (person.entered.div_euclid(slot) * slot).to_string())
}

/// Counts people by how long they stayed, in bands that end before each of `minutes`; "unknown" for whom nobody saw
/// leave.
///
/// # Errors
/// Refuses to make a pattern of nobody.
pub fn stay_pattern(people: &[Person], minutes: &[u32], k: u64) -> Result<Pattern, TableError> {
    let mut rows = bands(minutes);
    rows.push("unknown".to_owned());
    cross(people, rows.clone(), k, |person| match person.stayed {
        Some(seconds) => rows[place(minutes, seconds / 60)].clone(),
        None => "unknown".to_owned(),
    })
}

/// Counts people by how often they took part, in bands that end before each of `steps`.
///
/// # Errors
/// Refuses to make a pattern of nobody.
pub fn engagement(people: &[Person], steps: &[u32], k: u64) -> Result<Pattern, TableError> {
    let rows = bands(steps);
    cross(people, rows.clone(), k, |person| rows[place(steps, u64::from(person.interactions))].clone())
}

/// Counts people by the stage after which they were not seen again. `stages` gives the order; people whose last stage
/// is none of them are in the row "other".
///
/// # Errors
/// Refuses to make a pattern of nobody.
pub fn drop_off(people: &[Person], stages: &[&str], k: u64) -> Result<Pattern, TableError> {
    let rows = stages.iter().copied().chain(["other"]).map(str::to_owned).collect();
    cross(people, rows, k, |person| match stages.contains(&person.last_stage.as_str()) {
        true => person.last_stage.clone(),
        false => "other".to_owned(),
    })
}

fn bands(ends: &[u32]) -> Vec<String> {
    let mut begin = 0;
    let mut rows = Vec::new();
    for &end in ends {
        rows.push(format!("{begin}-{}", end.saturating_sub(1)));
        begin = end;
    }
    rows.push(format!("{begin}+"));
    rows
}

fn place(ends: &[u32], number: u64) -> usize {
    ends.iter().take_while(|&&end| number >= u64::from(end)).count()
}

fn cross(
    people: &[Person],
    rows: Vec<String>,
    k: u64,
    row_of: impl Fn(&Person) -> String,
) -> Result<Pattern, TableError> {
    let groups: BTreeSet<&str> = people.iter().map(|person| person.group.as_str()).collect();
    let columns: Vec<String> = groups.into_iter().map(str::to_owned).collect();
    let place_of: BTreeMap<&str, usize> =
        rows.iter().enumerate().map(|(place, row)| (row.as_str(), place)).collect();
    let mut counts = vec![vec![0_u64; columns.len()]; rows.len()];
    for person in people {
        let column = columns.binary_search(&person.group).unwrap_or(0);
        if let Some(&row) = place_of.get(row_of(person).as_str()) {
            counts[row][column] += 1;
        }
    }
    let table = Table::new(counts)?.protect(k);
    Ok(Pattern { rows, columns, table })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Cell;

    fn visit(person: usize, group: &str, entered: i64, left: Option<i64>, stage: &str) -> Visit {
        Visit {
            person: format!("p{person}"),
            group: group.to_owned(),
            entered,
            left,
            interactions: 1,
            last_stage: stage.to_owned(),
        }
    }

    #[test]
    fn a_person_who_comes_twice_counts_once() {
        let visits = [
            visit(1, "south", 900, Some(1_500), "b"),
            visit(1, "north", 60, Some(120), "a"),
            visit(1, "x", 950, None, "c"),
        ];
        let joined = people(&visits);
        assert_eq!(joined.len(), 1);
        assert_eq!((joined[0].group.as_str(), joined[0].entered), ("north", 60));
        assert_eq!(
            (joined[0].stayed, joined[0].interactions, joined[0].last_stage.as_str()),
            (Some(660), 3, "c")
        );
    }

    #[test]
    fn patterns_tell_crowds_and_hide_the_few() {
        let crowd = (0..40).map(|i| visit(i, ["a", "b"][i % 2], 0, Some(1_200), "talk"));
        let few = (40..42).map(|i| visit(i, "a", 700, None, "door"));
        let visits: Vec<Visit> = crowd.chain(few).collect();
        let people = people(&visits);
        let entry = entry_pattern(&people, 600, 5).expect("has people");
        assert_eq!(entry.rows, ["0", "600"]);
        assert_eq!(entry.table.cells[1][0], Cell::Suppressed);
        let stay = stay_pattern(&people, &[10, 30], 5).expect("has people");
        assert_eq!(stay.rows, ["0-9", "10-29", "30+", "unknown"]);
        assert_eq!(stay.table.cells[3][0], Cell::Suppressed);
        assert_eq!(stay.table.total, Cell::Count(42));
        let engaged = engagement(&people, &[1, 3], 5).expect("has people");
        assert_eq!(engaged.table.row_totals, [Cell::Count(0), Cell::Count(42), Cell::Count(0)]);
        let dropped = drop_off(&people, &["door", "talk"], 5).expect("has people");
        assert_eq!(dropped.rows, ["door", "talk", "other"]);
        assert_eq!(dropped.table.cells[0][0], Cell::Suppressed);
        assert_eq!(entry_pattern(&[], 600, 5), Err(TableError::Empty));
    }
}
