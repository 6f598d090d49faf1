//! Programmes: what happens when and where, joined with the scans at the rooms' doors.

use std::collections::BTreeMap;

use async_trait::async_trait;
use ieum_contracts::events::{EventId, EventProgramme, Programme, RoomState, SlotState};
use ieum_core::{Cx, Fault};

use self::rules::{Attendance, list_of_room, read_room_lists};
use crate::store::{EventsStore, Source};

pub mod facts;
pub mod rules;
pub(crate) mod store;

/// The option that names the event whose scans count.
pub const ATTENDED_BY: &str = "attendedBy";

/// The option that names the check-in list at each room's door.
pub const ROOM_LISTS: &str = "roomLists";

/// Answers `events.programme` from the tables.
pub struct Programmes {
    store: EventsStore,
}

impl Programmes {
    /// Makes the programmes over the hub's tables.
    pub fn new(store: EventsStore) -> Self {
        Self { store }
    }

    /// Finds the source that tells the event's programme: its own, or one that names it as attending.
    async fn find(&self, event_id: &str) -> Result<Source, Fault> {
        let mut joined = None;
        for source in self.store.sources().await? {
            let names_it = source.config.options.get(ATTENDED_BY).is_some_and(|other| other == event_id);
            if source.config.event_id == event_id && !self.store.slots(event_id).await?.is_empty() {
                return Ok(source);
            }
            if names_it && joined.is_none() {
                joined = Some(source);
            }
        }
        joined.ok_or_else(|| {
            let shown: String = event_id.chars().take(64).collect();
            let message = format!("looking for the programme of {shown:?}: no source tells one");
            Fault::not_found("events.programme.unknown", message)
        })
    }

    /// Puts people into rooms and slots, for the rooms that have a check-in list.
    async fn attend(
        &self,
        attended_by: &str,
        named: &BTreeMap<String, i64>,
        rooms: &mut [RoomState],
        slots: &mut [SlotState],
    ) -> Result<(), Fault> {
        let lists = self.store.lists(attended_by).await?;
        for room in rooms {
            let Some(list) = list_of_room(&room.room_id, &room.name, named, &lists) else { continue };
            let attendance = Attendance::of(self.store.scans(attended_by, list).await?);
            room.checkin_list = Some(list);
            room.inside = Some(attendance.inside());
            room.checked_in = Some(attendance.came());
            for slot in slots.iter_mut().filter(|slot| slot.room_id.as_ref() == Some(&room.room_id)) {
                let attended = attendance.attended(slot.begins_at, slot.ends_at);
                slot.attended = Some(attended);
                slot.fill = room.capacity.filter(|capacity| *capacity > 0).map(|capacity| {
                    #[allow(clippy::cast_precision_loss, reason = "people per room stay far below 2^52")]
                    let share = attended as f64 / f64::from(capacity);
                    (share * 10_000.0).round() / 10_000.0
                });
            }
        }
        Ok(())
    }
}

#[async_trait]
impl EventProgramme for Programmes {
    async fn get(&self, _: &Cx, ask: EventId) -> Result<Programme, Fault> {
        let source = self.find(&ask.event_id).await?;
        let event_id = source.config.event_id.clone();
        let mut rooms = self.store.rooms(&event_id).await?;
        let mut slots = self.store.slots(&event_id).await?;
        let attended_by = source.config.options.get(ATTENDED_BY).cloned();
        let named = source.config.options.get(ROOM_LISTS).map(|text| read_room_lists(text));
        let named = named.and_then(Result::ok).unwrap_or_default();
        self.attend(attended_by.as_deref().unwrap_or(&event_id), &named, &mut rooms, &mut slots).await?;
        Ok(Programme { event_id, attended_by, read_at: source.last_success_at, rooms, slots })
    }
}
