//! Pure counting of visitors into cells. Which cells there are never depends on the visitors, or the cells themselves
//! would tell of them.

use std::collections::BTreeSet;

use ieum_contracts::events::PersonVisits;
use ieum_core::Timestamp;

/// How many patterns there are.
pub const PATTERNS: usize = 4;

/// Hours before and after the event's beginning that have a cell of their own.
const BEFORE: i64 = 3;
const AFTER: i64 = 8;
/// The ends of the bands of a stay, minutes.
const STAYS: [i64; 6] = [15, 30, 60, 120, 240, 480];
/// Rooms from which on a visitor counts as having visited many.
const MANY_ROOMS: usize = 5;

/// What is not known of a person.
const UNKNOWN: &str = "unknown";

/// Returns the labels of every pattern: entry, stay, engagement, drop-off.
pub fn labels(begin_is_known: bool) -> [Vec<String>; PATTERNS] {
    let hours = hour_labels(begin_is_known);
    let mut begin = 0;
    let mut stays = Vec::new();
    for end in STAYS {
        stays.push(format!("{begin}-{}", end - 1));
        begin = end;
    }
    stays.extend([format!("{begin}+"), UNKNOWN.to_owned()]);
    let rooms = (0..MANY_ROOMS).map(|rooms| rooms.to_string()).chain([format!("{MANY_ROOMS}+")]);
    let drop_off = hours.iter().cloned().chain([UNKNOWN.to_owned()]);
    let drop_off = drop_off.collect();
    [hours, stays, rooms.collect(), drop_off]
}

/// `<-3` to `8+`, where `-1` is the hour before the beginning and `0` the one after it; or the hours of a UTC day.
fn hour_labels(begin_is_known: bool) -> Vec<String> {
    if !begin_is_known {
        return (0..24).map(|hour| format!("{hour:02}")).collect();
    }
    let own = (-BEFORE..AFTER).map(|hour| hour.to_string());
    [format!("<-{BEFORE}")].into_iter().chain(own).chain([format!("{AFTER}+")]).collect()
}

/// Counts people into the cells of every pattern; each person is in one cell of each.
pub fn counts(people: &[PersonVisits], begins_at: Option<Timestamp>) -> [Vec<u64>; PATTERNS] {
    let mut counts = labels(begins_at.is_some()).map(|labels| vec![0_u64; labels.len()]);
    for person in people {
        let cells = [entry(person, begins_at), stay(person), engagement(person), drop_off(person, begins_at)];
        for (pattern, cell) in counts.iter_mut().zip(cells) {
            // Whatever has no cell of its own is in the last one.
            let last = pattern.len().saturating_sub(1);
            if let Some(count) = pattern.get_mut(cell.unwrap_or(last).min(last)) {
                *count += 1;
            }
        }
    }
    counts
}

fn hour_cell(at: Timestamp, begins_at: Option<Timestamp>) -> usize {
    let cell = match begins_at {
        Some(begins_at) => {
            let hour = (at.as_micros() - begins_at.as_micros()).div_euclid(3_600_000_000);
            hour.clamp(-BEFORE - 1, AFTER) + BEFORE + 1
        }
        None => at.as_seconds().div_euclid(3_600).rem_euclid(24),
    };
    usize::try_from(cell).unwrap_or(0)
}

fn entry(person: &PersonVisits, begins_at: Option<Timestamp>) -> Option<usize> {
    person.visits.iter().map(|visit| visit.entered_at).min().map(|at| hour_cell(at, begins_at))
}

/// All stays within the event's own doors whose end is known, together; where there are none, those in its rooms.
fn stay(person: &PersonVisits) -> Option<usize> {
    let minutes = |own: bool| {
        let visits = person.visits.iter().filter(|visit| visit.room.is_empty() == own);
        let spans = visits.filter_map(|visit| Some(visit.left_at?.since(visit.entered_at).as_secs()));
        spans.fold(None, |sum: Option<u64>, span| Some(sum.unwrap_or(0).saturating_add(span)))
    };
    let minutes = i64::try_from(minutes(true).or_else(|| minutes(false))? / 60).unwrap_or(i64::MAX);
    Some(STAYS.iter().take_while(|end| minutes >= **end).count())
}

fn engagement(person: &PersonVisits) -> Option<usize> {
    let rooms: BTreeSet<&str> = person.visits.iter().map(|visit| visit.room.as_str()).collect();
    Some(rooms.iter().filter(|room| !room.is_empty()).count().min(MANY_ROOMS))
}

/// The hour in which the person was last seen to leave, if nothing came after that.
fn drop_off(person: &PersonVisits, begins_at: Option<Timestamp>) -> Option<usize> {
    let left = person.visits.iter().filter_map(|visit| visit.left_at).max()?;
    let came_back = person.visits.iter().any(|visit| visit.entered_at > left);
    (!came_back).then(|| hour_cell(left, begins_at))
}

#[cfg(test)]
mod tests {
    use ieum_contracts::events::RoomVisit;

    use super::*;

    fn visit(room: &str, entered: i64, left: Option<i64>) -> RoomVisit {
        let at = |minute: i64| Timestamp::from_seconds(1_000_000 * 60 + minute * 60);
        RoomVisit { room: room.into(), entered_at: at(entered), left_at: left.map(at) }
    }

    /// Returns the labels of the cells that one person is in.
    fn cells(visits: Vec<RoomVisit>) -> [String; PATTERNS] {
        let counts = counts(&[PersonVisits { visits }], Some(Timestamp::from_seconds(1_000_000 * 60)));
        let mut labels = labels(true).into_iter();
        counts.map(|pattern| {
            let labels = labels.next().expect("has labels");
            assert_eq!((pattern.iter().sum::<u64>(), pattern.len()), (1, labels.len()));
            let cell = pattern.iter().position(|people| *people == 1).expect("is in one");
            labels[cell].clone()
        })
    }

    #[test]
    fn a_person_is_in_one_cell_of_each_pattern() {
        let visits = vec![visit("", -30, Some(100)), visit("hall", 5, Some(50)), visit("hall", 60, None)];
        assert_eq!(cells(visits), ["-1", "120-239", "1", "1"]);
        assert_eq!(cells(vec![visit("", -1_000, None)]), ["<-3", "unknown", "0", "unknown"]);
        assert_eq!(cells(vec![visit("a", 1_000, Some(1_010))]), ["8+", "0-14", "1", "8+"]);
        let back = vec![visit("", 0, Some(10)), visit("", 20, None)];
        assert_eq!(cells(back), ["0", "0-14", "0", "unknown"]);
    }

    #[test]
    fn without_a_beginning_hours_are_those_of_the_day() {
        let [entry, ..] = labels(false);
        assert_eq!((entry.len(), entry[7].as_str()), (24, "07"));
    }
}
