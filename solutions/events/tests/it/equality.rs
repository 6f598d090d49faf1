//! What the hub must say in the end, computed from the sources' own answers by other means than the hub's.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ieum_contracts::events::{Programme, SlotStatus};
use ieum_core::Timestamp;

use crate::hub::Hub;
use crate::pretalx_api::{Pretalx, Told};
use crate::pretix_api::{Counted, Pretix};
use crate::real_pretalx::{programme, told};

/// Who comes this long before a talk comes for it.
const LEAD: Duration = Duration::from_secs(15 * 60);

/// Registered, came, inside.
type Totals = (u64, u64, u64);

/// What the sources say of themselves.
pub struct Truth {
    /// By check-in list.
    pub totals: [Totals; 2],
    /// Every scan that counts, by check-in list.
    scans: [Vec<Counted>; 2],
    /// As pretalx exports its programme.
    talks: Told,
    /// Today's talks, as they were placed: pretalx exports the event's own days alone.
    today: BTreeMap<String, (Timestamp, Timestamp)>,
    /// Talks that were taken out.
    removed: BTreeSet<String>,
}

impl Truth {
    pub async fn read(
        pretix: &Pretix,
        pretalx: &Pretalx,
        today: BTreeMap<String, (Timestamp, Timestamp)>,
        removed: BTreeSet<String>,
    ) -> Self {
        let [entrance, gate] = pretix.lists();
        Self {
            totals: [pretix.truth_of(entrance).await, pretix.truth_of(gate).await],
            scans: [pretix.counted(entrance).await, pretix.counted(gate).await],
            talks: pretalx.truth().await,
            today,
            removed,
        }
    }

    /// Returns the first thing in which the hub differs.
    pub async fn difference(&self, hub: &Hub, events: [&str; 2], lists: [i64; 2]) -> Option<String> {
        for (event_id, truth) in events.into_iter().zip(self.totals) {
            let held = hub.totals(event_id).await;
            if held != Some(truth) {
                let source = hub.source(event_id).await;
                return Some(format!("{event_id}: {held:?}, pretix says {truth:?}; {source:?}"));
            }
        }
        let talks = told(hub, "talks").await;
        if talks != self.talks {
            return Some(format!("programme: {talks:?}, pretalx says {:?}", self.talks));
        }
        let Some(programme) = programme(hub, "talks").await else { return Some("no programme".to_owned()) };
        self.rooms(&programme, lists).or_else(|| self.slots(&programme, lists))
    }

    fn rooms(&self, programme: &Programme, lists: [i64; 2]) -> Option<String> {
        programme.rooms.iter().find_map(|room| {
            let list = lists.iter().position(|list| Some(*list) == room.checkin_list);
            let Some(list) = list else { return Some(format!("{room:?} has no list")) };
            let (_, came, inside) = self.totals[list];
            let same = (room.checked_in, room.inside) == (Some(came), Some(inside));
            (!same).then(|| format!("{room:?}: pretix says {came} came, {inside} are inside"))
        })
    }

    fn slots(&self, programme: &Programme, lists: [i64; 2]) -> Option<String> {
        let planned: BTreeMap<&str, (Timestamp, Timestamp)> = (programme.slots.iter())
            .filter(|slot| slot.status == SlotStatus::Planned)
            .map(|slot| (slot.slot_id.as_str(), (slot.begins_at, slot.ends_at)))
            .collect();
        for (code, times) in &self.today {
            if planned.get(code.as_str()) != Some(times) {
                return Some(format!(
                    "talk {code} of today: {:?}, not {times:?}",
                    planned.get(code.as_str())
                ));
            }
        }
        if let Some(code) = self.removed.iter().find(|code| planned.contains_key(code.as_str())) {
            return Some(format!("talk {code} was taken out and is planned"));
        }
        programme.slots.iter().filter(|slot| slot.status == SlotStatus::Planned).find_map(|slot| {
            let room = programme.rooms.iter().find(|room| Some(&room.room_id) == slot.room_id.as_ref())?;
            let list = lists.iter().position(|list| Some(*list) == room.checkin_list)?;
            let attended = attended(&self.scans[list], slot.begins_at, slot.ends_at);
            let told = format!("{slot:?}: by pretix' scans {attended} attended");
            (slot.attended != Some(attended)).then_some(told)
        })
    }

    /// Returns how many planned talks anybody attended, and how many attendances there are in all.
    pub fn attendance(&self, programme: &Programme) -> (usize, u64) {
        let planned = programme.slots.iter().filter(|slot| slot.status == SlotStatus::Planned);
        let attended: Vec<u64> =
            planned.filter_map(|slot| slot.attended).filter(|people| *people > 0).collect();
        (attended.len(), attended.iter().sum())
    }
}

/// Counts the tickets that were in a room while a talk went on, entry by entry: it came in time for it and had not
/// left when it began, or came earlier and is known to have left after it began.
fn attended(scans: &[Counted], begins_at: Timestamp, ends_at: Timestamp) -> u64 {
    let tickets: BTreeSet<i64> = scans.iter().map(|scan| scan.position).collect();
    let was_there = |ticket: &&i64| {
        let of_ticket = || scans.iter().filter(|scan| scan.position == **ticket);
        of_ticket().filter(|scan| !scan.is_exit && scan.at < ends_at).any(|entry| {
            let later = of_ticket().filter(|scan| scan.at >= entry.at && !std::ptr::eq(*scan, entry));
            let next = later.min_by_key(|scan| (scan.at, scan.is_exit));
            match next.filter(|next| next.is_exit) {
                Some(exit) => exit.at > begins_at,
                None => entry.at >= begins_at - LEAD,
            }
        })
    };
    tickets.iter().filter(was_there).count() as u64
}
