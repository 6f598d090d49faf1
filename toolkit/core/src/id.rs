//! Identifiers that sort by the time they were made.

/// An identifier: UUID version 7 (RFC 9562 §5.7), 36 characters in text.
pub type Id = uuid::Uuid;

/// Makes a new identifier. Ids made later sort later (to the millisecond).
#[allow(clippy::disallowed_methods, reason = "the one place that makes ids")]
pub fn new_id() -> Id {
    Id::now_v7()
}
