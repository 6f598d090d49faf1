//! Rows of a mapped API as facts of the hub.

use ieum_core::{Fault, Timestamp};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::mapping::{CheckinFields, CountMap, TicketFields, TimeForm};
use crate::facts::{CheckinFact, OrderFacts, PositionFact, Totals};
use crate::programme::facts::bounded_text;
use crate::rules::garbage;

/// The one check-in list of a mapped source.
pub const LIST: i64 = 1;

/// The longest id; it stands in the tables and is looked up as it is.
const LONGEST_ID: usize = 120;

/// A row, for messages: which list and which number.
#[derive(Clone, Copy)]
pub struct Row<'a> {
    pub list: &'static str,
    pub number: usize,
    pub value: &'a Value,
}

impl Row<'_> {
    fn wrong(&self, pointer: &str, problem: &str) -> Fault {
        garbage(&format!("{}[{}]{pointer}", self.list, self.number), problem)
    }

    fn at(&self, pointer: &str) -> Option<&Value> {
        self.value.pointer(pointer).filter(|value| !value.is_null())
    }

    /// Reads an id: a text or a number.
    fn id(&self, pointer: &str) -> Result<String, Fault> {
        match self.at(pointer) {
            Some(Value::String(id)) if (1..=LONGEST_ID).contains(&id.len()) => Ok(id.clone()),
            Some(Value::Number(id)) => Ok(id.to_string()),
            _ => Err(self.wrong(pointer, "is neither a number nor a text of 1 to 120 bytes")),
        }
    }

    fn truth(&self, pointer: &str) -> Result<bool, Fault> {
        match self.at(pointer) {
            None => Ok(false),
            Some(Value::Bool(truth)) => Ok(*truth),
            Some(Value::Number(number)) => Ok(number.as_f64() != Some(0.0)),
            Some(Value::String(text)) if matches!(text.as_str(), "true" | "yes" | "1") => Ok(true),
            Some(Value::String(text)) if matches!(text.as_str(), "false" | "no" | "0" | "") => Ok(false),
            Some(_) => Err(self.wrong(pointer, "is neither true nor false")),
        }
    }

    fn text(&self, pointer: Option<&String>) -> Option<String> {
        match self.at(pointer?)? {
            Value::String(text) => Some(bounded_text(text, 120)),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// Reads a time; `None` where there is none.
    pub fn time(&self, pointer: &str, form: TimeForm) -> Result<Option<Timestamp>, Fault> {
        let Some(value) = self.at(pointer) else { return Ok(None) };
        let number = || value.as_i64().or_else(|| value.as_str()?.parse().ok());
        let time = match form {
            TimeForm::Rfc3339 => value.as_str().and_then(Timestamp::parse),
            TimeForm::Seconds => number().filter(|number| *number < 1 << 40).map(Timestamp::from_seconds),
            TimeForm::Millis => number().filter(|number| *number < 1 << 50).map(Timestamp::from_millis),
        };
        time.map(Some).ok_or_else(|| self.wrong(pointer, "is no time in the form that the mapping names"))
    }

    /// Reads a time that must be there.
    pub fn required_time(&self, pointer: &str, form: TimeForm) -> Result<Timestamp, Fault> {
        self.time(pointer, form)?.ok_or_else(|| self.wrong(pointer, "is missing"))
    }
}

/// Reads a ticket. Each is an order of its own: lists of tickets part what was bought together. `changed_at` is
/// when somebody came of whom only that is told.
pub fn ticket(
    row: Row<'_>,
    fields: &TicketFields,
    form: TimeForm,
    changed_at: Timestamp,
) -> Result<OrderFacts, Fault> {
    let text = row.id(&fields.id)?;
    let id = number_of(&text);
    let status = row.text(fields.status.as_ref());
    let counts = fields.valid.is_empty() || status.is_some_and(|status| fields.valid.contains(&status));
    let time =
        |pointer: &Option<String>| pointer.as_ref().map_or(Ok(None), |pointer| row.time(pointer, form));
    let (came_at, left_at) = (time(&fields.checked_in_at)?, time(&fields.checked_out_at)?);
    let came = match &fields.checked_in {
        Some(pointer) => row.truth(pointer)?,
        None => came_at.is_some(),
    };
    let gate = row.text(fields.gate.as_ref());
    let scan = |what: &str, is_exit: bool, scanned_at: Timestamp| CheckinFact {
        id: number_of(&format!("{what} of {text}")),
        position_id: id,
        list_id: LIST,
        is_exit,
        scanned_at,
        gate: gate.clone(),
    };
    let mut checkins = Vec::new();
    if came {
        checkins.push(scan("entry", false, came_at.unwrap_or(changed_at)));
        checkins.extend(left_at.map(|at| scan("exit", true, at)));
    }
    let canceled = fields.cancelled.as_ref().map_or(Ok(false), |pointer| row.truth(pointer))?;
    let position = PositionFact { id, item: 0, subevent: None, canceled, checkins };
    let status = if counts { "p" } else { "x" };
    Ok(OrderFacts { code: text, status: status.into(), valid_if_pending: false, positions: vec![position] })
}

/// Reads a scan; the second says whether it counts.
pub fn checkin(row: Row<'_>, fields: &CheckinFields, form: TimeForm) -> Result<(CheckinFact, bool), Fault> {
    let kind = row.text(fields.kind.as_ref());
    let void = fields.void.as_ref().map_or(Ok(false), |pointer| row.truth(pointer))?;
    let fact = CheckinFact {
        id: number_of(&row.id(&fields.id)?),
        position_id: number_of(&row.id(&fields.ticket)?),
        list_id: LIST,
        is_exit: kind.is_some_and(|kind| fields.exit.contains(&kind)),
        scanned_at: row.required_time(&fields.at, form)?,
        gate: row.text(fields.gate.as_ref()),
    };
    Ok((fact, !void))
}

/// Reads counts. Without a count of those inside, whoever came is inside.
pub fn counts(answer: &Value, map: &CountMap) -> Result<Totals, Fault> {
    let count = |pointer: &str| {
        let number = answer.pointer(pointer).and_then(Value::as_u64).filter(|number| *number < 1 << 48);
        number.ok_or_else(|| garbage(pointer, "is missing or no whole number from 0 on"))
    };
    let checked_in = count(&map.checked_in)?;
    let inside = map.inside.as_ref().map_or(Ok(checked_in), |pointer| count(pointer))?;
    Ok(Totals { registered: count(&map.registered)?, checked_in, inside })
}

/// Returns the number under which an id stands in the tables: itself, or 62 bits of its SHA-256, which are above
/// every number that an API counts up to.
pub fn number_of(id: &str) -> i64 {
    const ABOVE: i64 = 1 << 62;
    if let Some(number) = id.parse().ok().filter(|number| (0..ABOVE).contains(number) && !id.starts_with('+'))
    {
        return number;
    }
    let hash = Sha256::digest(id.as_bytes());
    let bytes = hash.iter().take(8).fold(0_i64, |sum, byte| (sum << 8) | i64::from(*byte));
    (bytes & (ABOVE - 1)) | ABOVE
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn row(value: &Value) -> Row<'_> {
        Row { list: "tickets", number: 3, value }
    }

    #[test]
    fn ids_are_numbers_or_keep_apart_from_them() {
        assert_eq!(number_of("17"), 17);
        let text = number_of("a7b1-…");
        assert!(text >= 1 << 62, "{text}");
        assert_ne!(text, number_of("a7b1-"));
        assert!(number_of("99999999999999999999") >= 1 << 62);
    }

    #[test]
    fn a_ticket_tells_whether_it_counts_and_when_it_came() {
        let fields = TicketFields {
            id: "/id".into(),
            status: Some("/status".into()),
            valid: vec!["Attending".into()],
            checked_in: Some("/in".into()),
            checked_in_at: Some("/codes/0/changed".into()),
            ..TicketFields::default()
        };
        let read = |value: Value| ticket(row(&value), &fields, TimeForm::Rfc3339, Timestamp::from_seconds(9));
        let came = json!({"id": "12", "status": "Attending", "in": true, "codes": [{"changed": "2026-01-01T00:00:00Z"}]});
        let order = read(came).expect("is a ticket");
        assert_eq!((order.status.as_str(), order.positions[0].checkins.len()), ("p", 1));
        let untimed = read(json!({"id": 12, "status": "Refunded", "in": true})).expect("is a ticket");
        assert_eq!(untimed.status, "x");
        assert_eq!(untimed.positions[0].checkins[0].scanned_at, Timestamp::from_seconds(9));
        let fault = read(json!({"status": "Attending"})).expect_err("has no id");
        assert!(fault.message.contains("tickets[3]/id is neither a number nor a text"), "{fault}");
        let fault = read(json!({"id": 1, "in": []})).expect_err("is no truth");
        assert!(fault.message.contains("tickets[3]/in is neither true nor false"), "{fault}");
    }
}
