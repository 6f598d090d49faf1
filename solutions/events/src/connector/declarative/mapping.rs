//! What a mapping says: where a JSON API keeps tickets and scans, how its pages follow, which field says when.

use std::collections::BTreeMap;
use std::time::Duration;

/// A mapping without mistakes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// The API's base URL, where the registration names none.
    pub base: Option<String>,
    /// The header that signs in.
    pub header: String,
    /// What stands before the credential.
    pub prefix: String,
    /// The event's own resource.
    pub event: Option<EventMap>,
    /// The tickets, with their scans where each ticket tells its own.
    pub tickets: Option<ListMap<TicketFields>>,
    /// The scans, where they are a list of their own.
    pub checkins: Option<ListMap<CheckinFields>>,
    /// The source's own totals.
    pub totals: Option<CountMap>,
    /// Figures of a source that counts itself and tells no tickets.
    pub figures: Option<CountMap>,
    /// What its webhooks say.
    pub hook: Option<HookMap>,
}

/// Where an event says its name and dates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventMap {
    pub path: String,
    pub name: Option<String>,
    pub begins_at: Option<String>,
    pub ends_at: Option<String>,
}

/// A list of rows over pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListMap<F> {
    pub path: String,
    pub query: BTreeMap<String, String>,
    /// Where the rows stand in an answer.
    pub rows: String,
    pub pages: Pages,
    pub since: Option<Since>,
    /// The path of one row by its id.
    pub one: Option<String>,
    pub fields: F,
}

/// How pages follow each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pages {
    /// All rows come at once.
    None,
    /// By number; a page with fewer rows than asked for is the last, or where `more` says so.
    Number { parameter: String, first: u64, size_parameter: Option<String>, size: u64, more: Option<String> },
    /// By a text in the answer.
    Cursor { parameter: String, next: String, more: Option<String> },
    /// By the `Link` header (RFC 8288).
    Link,
}

/// How only what changed is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Since {
    pub parameter: String,
    /// Where each row says when it changed.
    pub field: String,
    pub form: TimeForm,
    pub overlap: Duration,
}

/// How times are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeForm {
    Rfc3339,
    Seconds,
    Millis,
}

/// Where a ticket says what.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TicketFields {
    pub id: String,
    pub status: Option<String>,
    /// The statuses that count; empty for all.
    pub valid: Vec<String>,
    pub cancelled: Option<String>,
    pub checked_in: Option<String>,
    pub checked_in_at: Option<String>,
    pub checked_out_at: Option<String>,
    pub gate: Option<String>,
}

/// Where a scan says what.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CheckinFields {
    pub id: String,
    pub ticket: String,
    pub at: String,
    pub kind: Option<String>,
    /// The kinds that mean that somebody left.
    pub exit: Vec<String>,
    pub void: Option<String>,
    pub gate: Option<String>,
}

/// Where counts stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountMap {
    pub path: String,
    pub registered: String,
    pub checked_in: String,
    pub inside: Option<String>,
}

/// Where a webhook says what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HookMap {
    pub id: String,
    pub action: Option<String>,
    pub ticket: String,
}
