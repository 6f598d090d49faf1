//! The programme of an event: its rooms and slots, and how many people came to each.

use ieum_core::{Cx, Fault, Timestamp};
use ieum_link::contract;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::events::EventId;

/// The bus topic of every change of an event's programme; the key is the event id and the data a
/// [`ProgrammeChange`].
pub const EVENT_PROGRAMME_UPDATES: &str = "event-programme-updates";

/// The CloudEvents type of what [`EVENT_PROGRAMME_UPDATES`] carries.
pub const EVENT_PROGRAMME_UPDATED: &str = "events.programme.updated.v1";

/// What happens when and where.
#[contract("events.programme")]
pub trait EventProgramme {
    /// Returns an event's programme with the attendance of each room and slot. The event is the one under
    /// which the programme's source is registered, or the one that source names as attending. Fails with
    /// `events.programme.unknown`.
    #[query]
    async fn get(&self, cx: &Cx, ask: EventId) -> Result<Programme, Fault>;
}

/// An event's programme.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Programme {
    /// The event under which the programme's source is registered.
    pub event_id: String,
    /// Whose scans count as attendance, where the source names another event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attended_by: Option<String>,
    /// When the source was last read with success.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_at: Option<Timestamp>,
    /// Ordered as the source orders them.
    pub rooms: Vec<RoomState>,
    /// Ordered by their beginning.
    pub slots: Vec<SlotState>,
}

impl Programme {
    /// Takes everything out that counts people.
    pub fn hide_attendance(&mut self) {
        self.attended_by = None;
        for room in &mut self.rooms {
            (room.checkin_list, room.inside, room.checked_in) = (None, None, None);
        }
        for slot in &mut self.slots {
            (slot.attended, slot.fill) = (None, None);
        }
    }
}

/// One room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RoomState {
    /// The source's id.
    pub room_id: String,
    /// Its name.
    pub name: String,
    /// How many people may be inside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<u32>,
    /// The check-in list at its door, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkin_list: Option<i64>,
    /// People inside now; only with a check-in list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inside: Option<u64>,
    /// People who came at least once; only with a check-in list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checked_in: Option<u64>,
}

/// One slot: something takes place in a room for a time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SlotState {
    /// The source's id, the same however the slot is moved.
    pub slot_id: String,
    /// Its room, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room_id: Option<String>,
    /// What takes place.
    pub title: String,
    /// When it begins.
    pub begins_at: Timestamp,
    /// When it ends.
    pub ends_at: Timestamp,
    /// The IANA time zone in which people read its times, where the source tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// Whether it takes place.
    pub status: SlotStatus,
    /// Where people read more of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// People who were in its room while it went on; only where the room has a check-in list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attended: Option<u64>,
    /// `attended / capacity`, where both are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fill: Option<f64>,
}

/// Whether a slot takes place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SlotStatus {
    /// It stands in the programme.
    Planned,
    /// The source says that it was cancelled.
    Cancelled,
    /// The source no longer names it.
    Gone,
}

/// What changed in a programme at once: slot ids.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProgrammeChange {
    /// The event under which the programme's source is registered.
    pub event_id: String,
    /// Slots that are new, or stand in the programme again.
    pub added: Vec<String>,
    /// Slots of which anything changed.
    pub changed: Vec<String>,
    /// Slots that the source no longer names.
    pub gone: Vec<String>,
}
