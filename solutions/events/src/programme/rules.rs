//! Pure decisions over a programme: who attended which slot, what changed, which list counts for which room.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ieum_contracts::events::ProgrammeChange;
use ieum_core::Timestamp;

/// Who comes this long before a slot comes for the slot.
pub const LEAD: Duration = Duration::from_secs(15 * 60);

/// One scan at a room's door.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Scan {
    /// The ticket.
    pub position_id: i64,
    /// When.
    pub at: Timestamp,
    /// Whether somebody left.
    pub is_exit: bool,
}

/// Who was in a room, from the scans at its door.
#[derive(Clone, Debug, Default)]
pub struct Attendance {
    /// When each ticket came and when it left, if it did.
    stays: Vec<(Timestamp, Option<Timestamp>)>,
    /// Where in `stays` each ticket's begin.
    tickets: Vec<usize>,
}

impl Attendance {
    /// Reads stays out of scans in any order. A second entry without an exit ends the stay before it at an
    /// unknown time; an exit without an entry says nothing.
    pub fn of(mut scans: Vec<Scan>) -> Self {
        scans.sort_unstable();
        let mut attendance = Self::default();
        let mut last = None;
        for scan in scans {
            if last != Some(scan.position_id) {
                attendance.tickets.push(attendance.stays.len());
                last = Some(scan.position_id);
            }
            let begun = attendance.tickets.last().copied().unwrap_or(0);
            match (scan.is_exit, attendance.stays[begun..].last_mut()) {
                (false, _) => attendance.stays.push((scan.at, None)),
                (true, Some(stay)) if stay.1.is_none() => stay.1 = Some(scan.at),
                (true, _) => {}
            }
        }
        attendance
    }

    /// Returns how many tickets were inside while a slot went on: they came within it or up to [`LEAD`] before
    /// and had not left by its beginning, or came earlier and are known to have left after it began. Who came
    /// earlier and was never seen to leave is not counted: doors without exit scans would fill for ever.
    pub fn attended(&self, begins_at: Timestamp, ends_at: Timestamp) -> u64 {
        let within = |(came, left): &(Timestamp, Option<Timestamp>)| {
            let in_time = *came >= begins_at - LEAD && *came < ends_at;
            let stayed = left.is_none_or(|left| left > begins_at);
            (in_time && stayed) || (*came < ends_at && left.is_some_and(|left| left > begins_at))
        };
        self.each().filter(|stays| stays.iter().any(within)).count() as u64
    }

    /// Returns how many tickets are inside now: they came and were not seen to leave.
    pub fn inside(&self) -> u64 {
        self.each().filter(|stays| stays.last().is_some_and(|(_, left)| left.is_none())).count() as u64
    }

    /// Returns how many tickets came at least once.
    pub fn came(&self) -> u64 {
        self.each().filter(|stays| !stays.is_empty()).count() as u64
    }

    fn each(&self) -> impl Iterator<Item = &[(Timestamp, Option<Timestamp>)]> {
        let ends = self.tickets.iter().skip(1).copied().chain([self.stays.len()]);
        self.tickets.iter().copied().zip(ends).map(|(begin, end)| &self.stays[begin..end])
    }
}

/// Compares the hashes of slots that stood in the tables (`None` for one that was gone) with those told now.
pub fn compare(
    event_id: &str,
    before: &BTreeMap<String, Option<String>>,
    now: &BTreeMap<String, String>,
) -> ProgrammeChange {
    let mut change = ProgrammeChange { event_id: event_id.to_owned(), ..ProgrammeChange::default() };
    for (id, hash) in now {
        match before.get(id) {
            Some(Some(known)) if known == hash => {}
            Some(Some(_)) => change.changed.push(id.clone()),
            Some(None) | None => change.added.push(id.clone()),
        }
    }
    let standing = before.iter().filter(|(_, hash)| hash.is_some());
    change.gone = standing.filter(|(id, _)| !now.contains_key(*id)).map(|(id, _)| id.clone()).collect();
    change
}

/// Tells whether anything changed.
pub fn is_change(change: &ProgrammeChange) -> bool {
    !(change.added.is_empty() && change.changed.is_empty() && change.gone.is_empty())
}

/// Reads `room=list, room=list`: a room's id or name and the check-in list at its door. Returns what is wrong
/// with a text that is none.
pub fn read_room_lists(text: &str) -> Result<BTreeMap<String, i64>, String> {
    let mut lists = BTreeMap::new();
    for part in text.split(',').filter(|part| !part.trim().is_empty()) {
        let pair = part.rsplit_once('=').and_then(|(room, list)| {
            let room = room.trim().to_lowercase();
            Some((room, list.trim().parse().ok()?)).filter(|(room, _)| !room.is_empty())
        });
        let Some((room, list)) = pair else {
            let part: String = part.trim().chars().take(60).collect();
            return Err(format!("has {part:?}, which is not room=number of a check-in list"));
        };
        lists.insert(room, list);
    }
    Ok(lists)
}

/// Returns the check-in list at a room's door: the one that was named for it, or else the one with its name.
pub fn list_of_room(
    room_id: &str,
    name: &str,
    named: &BTreeMap<String, i64>,
    lists: &[(i64, String)],
) -> Option<i64> {
    let name = name.trim().to_lowercase();
    let told = named.get(&room_id.to_lowercase()).or_else(|| named.get(&name)).copied();
    let same: BTreeSet<i64> =
        lists.iter().filter(|(_, list)| list.trim().to_lowercase() == name).map(|(id, _)| *id).collect();
    // Two lists of one name: neither can be meant without saying so.
    told.or_else(|| same.first().copied().filter(|_| same.len() == 1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_seconds(1_800_000_000 + minutes * 60)
    }

    fn scan(position_id: i64, minutes: i64, is_exit: bool) -> Scan {
        Scan { position_id, at: at(minutes), is_exit }
    }

    #[test]
    fn a_slot_counts_who_came_for_it_and_who_stayed_into_it() {
        let scans = vec![
            scan(1, 0, false),
            scan(1, 70, true),
            scan(2, 50, false),
            scan(2, 55, true),
            scan(3, 10, false),
            scan(4, 65, false),
            scan(5, 59, true),
        ];
        let attendance = Attendance::of(scans);
        assert_eq!(attendance.attended(at(60), at(90)), 2, "1 stayed into it, 4 came; 2 left, 3 is unknown");
        assert_eq!(attendance.attended(at(0), at(30)), 2, "1 and 3");
        assert_eq!((attendance.inside(), attendance.came()), (2, 4));
    }

    #[test]
    fn a_room_finds_its_list_by_what_was_said_and_else_by_its_name() {
        let named = read_room_lists("Main Hall=4, 17=9,").expect("is well formed");
        let lists = [(1, "Main hall".to_owned()), (2, "attic".to_owned()), (3, "Attic".to_owned())];
        assert_eq!(list_of_room("7", "Main hall", &named, &lists), Some(4));
        assert_eq!(list_of_room("17", "Cellar", &named, &lists), Some(9));
        assert_eq!(list_of_room("7", "MAIN HALL", &BTreeMap::new(), &lists), Some(1));
        assert_eq!(list_of_room("8", "attic", &BTreeMap::new(), &lists), None, "two lists have that name");
        assert!(read_room_lists("Hall").expect_err("has no list").contains("\"Hall\""));
    }

    #[test]
    fn a_slot_that_comes_back_is_new_and_an_equal_one_no_change() {
        let known = |hash: Option<&str>| hash.map(str::to_owned);
        let before = BTreeMap::from([
            ("a".to_owned(), known(Some("1"))),
            ("b".to_owned(), known(Some("1"))),
            ("c".to_owned(), known(None)),
            ("d".to_owned(), known(None)),
            ("e".to_owned(), known(Some("1"))),
        ]);
        let now = [("a", "1"), ("b", "2"), ("c", "1"), ("f", "1")];
        let now = now.into_iter().map(|(id, hash)| (id.to_owned(), hash.to_owned())).collect();
        let change = compare("x", &before, &now);
        assert_eq!(
            (change.added, change.changed, change.gone),
            (vec!["c".to_owned(), "f".to_owned()], vec!["b".to_owned()], vec!["e".to_owned()])
        );
    }

    proptest! {
        #[test]
        fn no_slot_holds_more_people_than_came_whatever_the_order_of_scans(
            scans in prop::collection::vec((0_i64..20, 0_i64..300, any::<bool>()), 0..200),
            begin in 0_i64..250,
            length in 1_i64..120,
        ) {
            let scans: Vec<Scan> = scans.into_iter().map(|(id, minutes, exit)| scan(id, minutes, exit)).collect();
            let forward = Attendance::of(scans.clone());
            let backward = Attendance::of(scans.into_iter().rev().collect());
            let attended = forward.attended(at(begin), at(begin + length));
            prop_assert!(attended <= forward.came());
            prop_assert!(forward.inside() <= forward.came());
            prop_assert_eq!(attended, backward.attended(at(begin), at(begin + length)));
        }
    }
}
