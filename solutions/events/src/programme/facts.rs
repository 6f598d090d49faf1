//! What a source tells of a programme.

use ieum_core::Timestamp;
use serde::Serialize;
use sha2::{Digest, Sha256};

/// The longest id that stands in the tables as it is; a longer one is cut and told apart by its hash.
const LONGEST_ID: usize = 120;

/// A programme as a source tells it now, whole: what it no longer names is gone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProgrammeFacts {
    /// Rooms in the source's order, each id once.
    pub rooms: Vec<RoomFact>,
    /// Slots, each id once.
    pub slots: Vec<SlotFact>,
}

/// One room.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RoomFact {
    /// The source's id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// How many people may be inside.
    pub capacity: Option<u32>,
}

/// One slot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SlotFact {
    /// The source's id, the same however the slot is moved.
    pub id: String,
    /// Its room.
    pub room_id: Option<String>,
    /// What takes place.
    pub title: String,
    /// When it begins.
    pub begins_at: Timestamp,
    /// When it ends; never before it begins.
    pub ends_at: Timestamp,
    /// The IANA time zone of its times.
    pub time_zone: Option<String>,
    /// Where people read more of it.
    pub url: Option<String>,
    /// Whether the source says that it does not take place.
    pub cancelled: bool,
}

/// One of an event's check-in lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListFact {
    /// The source's id.
    pub id: i64,
    /// Its name.
    pub name: String,
}

/// Brings a source's id into a form that fits the tables.
pub fn bounded_id(id: &str) -> String {
    if id.len() <= LONGEST_ID {
        return id.to_owned();
    }
    let head: String = id.chars().take(40).collect();
    format!("{head}#{}", short_hash(id.as_bytes()))
}

/// Cuts a text for people at `most` characters.
pub fn bounded_text(text: &str, most: usize) -> String {
    text.trim().chars().filter(|letter| !letter.is_control() || *letter == '\n').take(most).collect()
}

/// Returns the first half of the SHA-256 in hexadecimal digits.
pub fn short_hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// Returns a hash over everything that `fact` says.
pub fn hash_of(fact: &impl Serialize) -> String {
    short_hash(&serde_json::to_vec(fact).unwrap_or_default())
}
