//! Pure decisions: what a source's answer means, how fresh a state is, what needs attention.

use std::time::Duration;

use ieum_contracts::events::{
    Alert, EventMetrics, EventStatus, Freshness, GateActivity, LiveEvent, NormalizedEventData, Severity,
    Summary,
};
use ieum_contracts::wording::Phrase;
use ieum_core::{Fault, Timestamp};
use serde_json::Value;

#[cfg(test)]
mod tests;

/// How long a state counts as fresh after its source was read with success.
pub const FRESH_FOR: Duration = Duration::from_secs(300);

/// The most gates of one event that are kept.
const MOST_GATES: usize = 1_000;

/// One event's figures as a source tells them, before alerts and freshness are decided.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Figures {
    /// The event's name, where the source tells it.
    pub event_name: Option<String>,
    /// People registered.
    pub total_registered: u64,
    /// People who came at least once.
    pub checked_in: u64,
    /// People inside now.
    pub current_attendees: u64,
    /// The gates.
    pub gates: Vec<GateActivity>,
    /// Alerts that the source itself raises.
    pub alerts: Vec<Alert>,
    /// Whether the event runs, where the source tells it.
    pub status: Option<EventStatus>,
}

/// Reads the seed's realtime answer (`GET {api}/analytics/realtime`, schema `event-realtime/1`).
///
/// `participants.total` and `attendance.current` are required: an answer without them is none. Fails with
/// `events.source.garbage`, naming the field.
pub fn read_realtime(answer: &Value) -> Result<Figures, Fault> {
    if !answer.is_object() {
        return Err(garbage("the answer", "is no JSON object"));
    }
    let total_registered = required_count(answer, "participants", "total")?;
    let current_attendees = required_count(answer, "attendance", "current")?;
    let checked_in = match answer.pointer("/attendance/checkedIn") {
        None | Some(Value::Null) => current_attendees,
        Some(value) => count(value, "attendance.checkedIn")?,
    };
    Ok(Figures {
        event_name: optional_text(answer, "/event/name", "event.name")?,
        total_registered,
        checked_in,
        current_attendees,
        gates: read_gates(answer.get("gates"))?,
        alerts: read_alerts(answer.get("alerts"))?,
        status: read_status(answer)?,
    })
}

/// Brings figures into the hub's form, as read at `now`.
pub fn normalise(
    event_id: &str,
    fallback_name: &str,
    figures: Figures,
    now: Timestamp,
) -> NormalizedEventData {
    let rate = attendance_rate(figures.checked_in, figures.total_registered);
    let status = figures.status.unwrap_or(if figures.current_attendees > 0 {
        EventStatus::Active
    } else {
        EventStatus::Unknown
    });
    let alerts = find_alerts(&figures);
    NormalizedEventData {
        event_id: event_id.to_owned(),
        event_name: figures.event_name.unwrap_or_else(|| fallback_name.to_owned()),
        timestamp: now,
        metrics: EventMetrics {
            total_registered: figures.total_registered,
            current_attendees: figures.current_attendees,
            checked_in: figures.checked_in,
            attendance_rate: rate,
            gate_activity: figures.gates,
        },
        alerts,
        status,
    }
}

/// Returns the share of registered people who came, 0 to 1; 0 where nobody is registered.
#[allow(clippy::cast_precision_loss, reason = "people per event stay far below 2^52")]
pub fn attendance_rate(checked_in: u64, registered: u64) -> f64 {
    if registered == 0 {
        return 0.0;
    }
    let rate = checked_in as f64 / registered as f64;
    // Four digits: a rate that differs in the fifth is no news to anybody.
    ((rate * 10_000.0).round() / 10_000.0).min(1.0)
}

/// Tells whether two states differ in anything but the time they were read.
pub fn is_news(before: Option<&NormalizedEventData>, after: &NormalizedEventData) -> bool {
    before.is_none_or(|before| {
        before.metrics != after.metrics
            || before.alerts != after.alerts
            || before.status != after.status
            || before.event_name != after.event_name
    })
}

/// Notes since when the alerts stand that nobody has dated yet: since they stood in the state `before`, or since now.
///
/// Alerts of one kind are told apart by what they say, but for those on capacity, which tell a share that moves.
pub fn date_alerts(before: Option<&NormalizedEventData>, state: &mut NormalizedEventData) {
    let now = state.timestamp;
    for alert in state.alerts.iter_mut().filter(|alert| alert.since.is_none()) {
        let same = |old: &&Alert| {
            old.kind == alert.kind && (old.message == alert.message || alert.kind.starts_with("capacity."))
        };
        let stood = before.and_then(|before| before.alerts.iter().find(same));
        alert.since = stood.map_or(Some(now), |old| old.since);
    }
}

/// Returns the state with its age at `now`. It goes stale after [`FRESH_FOR`] and never vanishes.
pub fn live(data: NormalizedEventData, now: Timestamp) -> LiveEvent {
    let age = now.since(data.timestamp);
    let freshness = if age > FRESH_FOR { Freshness::Stale } else { Freshness::Fresh };
    LiveEvent { data, freshness, age_seconds: age.as_secs() }
}

/// Sums events up; the rate is weighted by people registered.
pub fn summarise(events: &[LiveEvent]) -> Summary {
    let sum = |pick: fn(&LiveEvent) -> u64| events.iter().map(pick).fold(0_u64, u64::saturating_add);
    let total_registered = sum(|event| event.data.metrics.total_registered);
    let total_checked_in = sum(|event| event.data.metrics.checked_in);
    let alerts = events.iter().flat_map(|event| &event.data.alerts);
    Summary {
        total_events: events.len() as u64,
        total_attendees: sum(|event| event.data.metrics.current_attendees),
        total_registered,
        total_checked_in,
        average_attendance_rate: attendance_rate(total_checked_in, total_registered),
        active_alerts: alerts.filter(|alert| alert.severity != Severity::Info).count() as u64,
        stale_events: events.iter().filter(|event| event.freshness == Freshness::Stale).count() as u64,
    }
}

/// Tells whether `event_id` may name an event: letters, digits, `-`, `_` and `.`, 1 to 64 of them.
pub fn is_event_id(event_id: &str) -> bool {
    (1..=64).contains(&event_id.len())
        && event_id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

fn find_alerts(figures: &Figures) -> Vec<Alert> {
    let mut alerts = figures.alerts.clone();
    let inside = u128::from(figures.current_attendees) * 100;
    let registered = u128::from(figures.total_registered);
    let share = (registered > 0).then(|| inside / registered);
    let crowd = match share {
        Some(share) if share > 100 => Some(("capacity.exceeded", Severity::Critical, share)),
        Some(share) if share >= 90 => Some(("capacity.90", Severity::Warning, share)),
        _ => None,
    };
    if let Some((kind, severity, share)) = crowd {
        let percent = u64::try_from(share).unwrap_or(u64::MAX);
        alerts.push(Alert::worded(
            kind,
            severity,
            Phrase::CapacityRegistered.with([("percent", percent.into())]),
        ));
    }
    for gate in &figures.gates {
        if matches!(gate.status.as_str(), "error" | "fault" | "offline") {
            let values = [("gate", gate.gate_id.as_str().into()), ("state", gate.status.as_str().into())];
            alerts.push(Alert::worded("gate.down", Severity::Warning, Phrase::GateDown.with(values)));
        }
    }
    alerts
}

fn read_gates(gates: Option<&Value>) -> Result<Vec<GateActivity>, Fault> {
    let Some(gates) = gates.filter(|gates| !gates.is_null()) else { return Ok(Vec::new()) };
    let gates = gates.as_array().ok_or_else(|| garbage("gates", "is no list"))?;
    if gates.len() > MOST_GATES {
        return Err(garbage("gates", &format!("has {} entries; at most {MOST_GATES}", gates.len())));
    }
    let gate = |(i, gate): (usize, &Value)| {
        let gate_id = match gate.get("id") {
            Some(Value::String(id)) if !id.is_empty() && id.len() <= 128 => id.clone(),
            Some(Value::Number(id)) => id.to_string(),
            _ => return Err(garbage(&format!("gates[{i}].id"), "is neither a text nor a number")),
        };
        let throughput = match gate.get("throughput") {
            None | Some(Value::Null) => 0.0,
            Some(value) => value
                .as_f64()
                .filter(|throughput| *throughput >= 0.0)
                .ok_or_else(|| garbage(&format!("gates[{i}].throughput"), "is no number from 0 on"))?,
        };
        let status = optional_text(gate, "/status", &format!("gates[{i}].status"))?;
        Ok(GateActivity { gate_id, status: status.unwrap_or_else(|| "unknown".into()), throughput })
    };
    gates.iter().enumerate().map(gate).collect()
}

fn read_alerts(alerts: Option<&Value>) -> Result<Vec<Alert>, Fault> {
    let Some(alerts) = alerts.filter(|alerts| !alerts.is_null()) else { return Ok(Vec::new()) };
    let alerts = alerts.as_array().ok_or_else(|| garbage("alerts", "is no list"))?;
    let alert = |(i, alert): (usize, &Value)| {
        let kind = optional_text(alert, "/type", &format!("alerts[{i}].type"))?;
        let message = optional_text(alert, "/message", &format!("alerts[{i}].message"))?;
        let severity = match alert.get("severity").and_then(Value::as_str) {
            Some("critical") => Severity::Critical,
            Some("info") => Severity::Info,
            _ => Severity::Warning,
        };
        Ok(Alert {
            kind: kind.unwrap_or_else(|| "source.alert".into()),
            severity,
            message: message.unwrap_or_default(),
            wording: None,
            since: None,
        })
    };
    alerts.iter().take(100).enumerate().map(alert).collect()
}

fn read_status(answer: &Value) -> Result<Option<EventStatus>, Fault> {
    let text = match optional_text(answer, "/event/status", "event.status")? {
        Some(text) => Some(text),
        None => optional_text(answer, "/status", "status")?,
    };
    Ok(text.map(|text| match text.as_str() {
        "upcoming" | "scheduled" | "planned" => EventStatus::Upcoming,
        "active" | "running" | "live" | "open" => EventStatus::Active,
        "ended" | "finished" | "closed" => EventStatus::Ended,
        _ => EventStatus::Unknown,
    }))
}

fn required_count(answer: &Value, outer: &str, inner: &str) -> Result<u64, Fault> {
    let field = format!("{outer}.{inner}");
    let value = answer.get(outer).and_then(|outer| outer.get(inner));
    count(value.ok_or_else(|| garbage(&field, "is missing"))?, &field)
}

fn count(value: &Value, field: &str) -> Result<u64, Fault> {
    // Above 2^48 it is no count of people, and sums stay exact.
    let number = value.as_u64().filter(|number| *number < 1 << 48);
    number.ok_or_else(|| garbage(field, "is no whole number from 0 on"))
}

fn optional_text(answer: &Value, pointer: &str, field: &str) -> Result<Option<String>, Fault> {
    match answer.pointer(pointer) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.len() <= 1_000 => Ok(Some(text.clone())),
        Some(Value::String(_)) => Err(garbage(field, "is longer than 1000 bytes")),
        Some(_) => Err(garbage(field, "is no text")),
    }
}

/// Makes the fault for an answer that is not what its source promised.
pub fn garbage(field: &str, problem: &str) -> Fault {
    Fault::failed_precondition(
        "events.source.garbage",
        format!("reading the source's answer: {field} {problem}"),
    )
}
