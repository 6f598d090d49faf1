//! What visitors do, as it may be told: people counted into fixed cells, small cells hidden with what would give
//! them back, noise on the rest, paid for by a budget.

use std::sync::Arc;

use ieum_contracts::analytics::{
    BehaviourAsk, BehaviourCell, BehaviourPattern, EventBehaviour, PrivacyBudget,
};
use ieum_contracts::events::{EventVisits, PersonVisits, VisitsAsk};
use ieum_core::{Cx, Fault, SharedClock, Timestamp};
use ieum_privacy::{Budget, Cell, Diversity, Epsilon, Question, Table, ask as ask_ledger, noise};
use sha2::{Digest, Sha256};

use crate::budget::{PrivacyOptions, SqlLedger, fault, month_of};
use crate::patterns::{PATTERNS, counts, labels};

/// The fewest people in a cell.
const K: u64 = 5;
/// The fewest cells that the people of a pattern are spread over.
const L: usize = 2;
/// The parts that an answer's epsilon is shared among: the patterns, and the number of people.
const PARTS: u64 = PATTERNS as u64 + 1;
/// What stands for a hidden number where an answer is remembered; counts are never below zero.
const HIDDEN: i64 = -1;
/// Pages of visitors that one event may have.
const MOST_PAGES: usize = 1_000;
/// Letters of a partner's name that the ledger keeps.
const LONGEST_NAME: usize = 120;

/// Tells of behaviour.
pub(crate) struct Behaviour {
    pub visits: Arc<dyn EventVisits>,
    pub ledger: SqlLedger,
    pub options: PrivacyOptions,
    pub clock: SharedClock,
}

/// The visitors of an event, up to a time.
struct Visitors {
    begins_at: Option<Timestamp>,
    until: Timestamp,
    people: Vec<PersonVisits>,
}

impl Behaviour {
    /// Answers one question, for what it costs or from what was told.
    pub async fn tell(&self, cx: &Cx, ask: BehaviourAsk) -> Result<EventBehaviour, Fault> {
        let now = self.clock.now();
        let visitors = self.visitors(cx, &ask.event_id, now).await?;
        let (month, refills_at) = month_of(now);
        let (limit, cost) = (self.options.limit(ask.plan.as_deref()), self.options.answer);
        let question = Question {
            partner: ask.partner.chars().take(LONGEST_NAME).collect(),
            dataset: month,
            text: text_of(&ask.event_id, cost, &visitors),
        };
        let measure = || measure(&visitors, cost);
        let answered = ask_ledger(&self.ledger, Budget { limit }, &question, cost, measure).await;
        let answered = answered.map_err(|error| fault(error, now, refills_at))?;
        let budget = PrivacyBudget { limit: limit.as_f64(), left: answered.left.as_f64(), refills_at };
        Ok(EventBehaviour {
            event_id: ask.event_id,
            until: visitors.until,
            k: K,
            l: L as u64,
            epsilon: cost.as_f64(),
            remembered: answered.remembered,
            budget,
            ..shown(&answered.values, visitors.begins_at.is_some())
        })
    }

    /// Reads all visitors up to the last full hour: an event that goes on changes its answer, and costs, once an hour.
    async fn visitors(&self, cx: &Cx, event_id: &str, now: Timestamp) -> Result<Visitors, Fault> {
        let until = Timestamp::from_seconds(now.as_seconds().div_euclid(3_600) * 3_600);
        let mut visitors = Visitors { begins_at: None, until, people: Vec::new() };
        let mut after = None;
        for _ in 0..MOST_PAGES {
            let ask = VisitsAsk { event_id: event_id.to_owned(), until: Some(until), after, most: None };
            let page = self.visits.list(cx, ask).await.map_err(unknown)?;
            visitors.begins_at = page.begins_at;
            visitors.people.extend(page.people);
            after = page.next;
            if after.is_none() {
                return Ok(visitors);
            }
        }
        let message = format!("reading the visitors of {event_id}: no end after {MOST_PAGES} pages");
        Err(Fault::failed_precondition("analytics.visits.endless", message))
    }
}

fn unknown(fault: Fault) -> Fault {
    match &*fault.reason {
        "events.event.unknown" => Fault::not_found("analytics.event.unknown", fault.message),
        _ => fault,
    }
}

/// Returns the question in one fixed form. The same visits give the same; of them it tells nothing.
fn text_of(event_id: &str, cost: Epsilon, visitors: &Visitors) -> String {
    let mut people: Vec<String> = visitors
        .people
        .iter()
        .map(|person| {
            let visit = |visit: &ieum_contracts::events::RoomVisit| {
                let left = visit.left_at.map_or(0, Timestamp::as_micros);
                format!("{} {left} {}", visit.entered_at.as_micros(), visit.room)
            };
            person.visits.iter().map(visit).collect::<Vec<_>>().join("\n")
        })
        .collect();
    people.sort_unstable();
    let mut digest = Sha256::new();
    digest.update(visitors.begins_at.map_or(0, Timestamp::as_micros).to_be_bytes());
    for person in &people {
        digest.update((person.len() as u64).to_be_bytes());
        digest.update(person);
    }
    let hash: String = digest.finalize().iter().take(12).map(|byte| format!("{byte:02x}")).collect();
    format!("behaviour/1 {event_id} k={K} l={L} epsilon={cost} visits={hash}")
}

/// Counts people into every pattern and adds noise to what may be told: the cells of all patterns one after the other,
/// then all people; [`HIDDEN`] for what is not told.
///
/// A person is in one cell of each pattern, so that the parts cost `cost` together.
fn measure(visitors: &Visitors, cost: Epsilon) -> Result<Vec<i64>, ieum_privacy::NoiseError> {
    let share = Epsilon::from_millionths(cost.as_millionths() / PARTS);
    let mut values = Vec::new();
    for pattern in counts(&visitors.people, visitors.begins_at) {
        let told = told(&pattern);
        let noisy = noise::histogram(&pattern, 1, share)?;
        values.extend(noisy.into_iter().zip(told).map(|(value, told)| kept(value, told)));
    }
    let people = visitors.people.len() as u64;
    values.push(kept(noise::count(people, 1, share)?, people >= K));
    Ok(values)
}

/// A count that noise brought below what may be told is not told either.
fn kept(value: i64, told: bool) -> i64 {
    if told && value >= K as i64 { value } else { HIDDEN }
}

/// Says of each cell whether it may be told: it has people enough, no other would be given back by it, and the people
/// of the pattern differ.
fn told(pattern: &[u64]) -> Vec<bool> {
    let names: Vec<String> = (0..pattern.len()).map(|cell| cell.to_string()).collect();
    let people = pattern.iter().zip(&names).filter(|(people, _)| **people > 0).map(|(_, name)| name.as_str());
    let protected = Table::new(pattern.iter().map(|people| vec![*people]).collect());
    match protected.map(|table| table.protect(K)) {
        Ok(table) if Diversity::Distinct(L).holds(people) => {
            let is_told = |row: &Vec<Cell>| matches!(row.first(), Some(Cell::Count(people)) if *people >= K);
            table.cells.iter().map(is_told).collect()
        }
        _ => vec![false; pattern.len()],
    }
}

/// Puts remembered numbers back where they belong.
fn shown(values: &[i64], begin_is_known: bool) -> EventBehaviour {
    let mut values = values.iter().map(|value| u64::try_from(*value).ok());
    let mut pattern = |labels: Vec<String>| {
        let cells: Vec<BehaviourCell> = labels
            .into_iter()
            .map(|label| BehaviourCell { label, people: values.next().flatten() })
            .collect();
        let hidden = cells.iter().filter(|cell| cell.people.is_none()).count() as u64;
        BehaviourPattern { cells, hidden }
    };
    let [entry, stay, engagement, drop_off] = labels(begin_is_known);
    EventBehaviour {
        entry_pattern: pattern(entry),
        stay: pattern(stay),
        engagement: pattern(engagement),
        drop_off: pattern(drop_off),
        people: values.next().flatten(),
        ..EventBehaviour::default()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_small_cell_takes_another_with_it_and_a_pattern_of_one_kind_is_not_told() {
        assert_eq!(told(&[20, 3, 17]), [true, false, false], "the sum would give the 3 back");
        assert_eq!(told(&[20, 9, 0]), [true, true, false]);
        assert_eq!(told(&[40, 0, 0]), [false; 3], "they are all alike");
        assert_eq!(told(&[3, 1, 0]), [false; 3]);
    }

    #[test]
    fn noise_that_makes_a_count_small_hides_it() {
        assert_eq!((kept(4, true), kept(5, true), kept(900, false)), (HIDDEN, 5, HIDDEN));
    }

    #[test]
    fn the_same_visits_are_the_same_question_in_whatever_order_they_come() {
        let person = |second: i64| PersonVisits {
            visits: vec![ieum_contracts::events::RoomVisit {
                entered_at: Timestamp::from_seconds(second),
                ..Default::default()
            }],
        };
        let of = |people: Vec<PersonVisits>, until: Duration| {
            let until = Timestamp::from_seconds(0) + until;
            let cost = Epsilon::from_millionths(1_000_000);
            text_of("fair", cost, &Visitors { begins_at: None, until, people })
        };
        let hour = Duration::from_secs(3_600);
        assert_eq!(of(vec![person(1), person(2)], hour), of(vec![person(2), person(1)], hour * 2));
        assert_ne!(of(vec![person(1)], hour), of(vec![person(1), person(1)], hour));
    }
}
