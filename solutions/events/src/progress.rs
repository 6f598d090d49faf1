//! How far a source's registration is: its steps, and what was read so far.

use ieum_contracts::events::{Progress, ProgressStep, ReadCounts, RegistrationStep, SourcePhase, StepState};
use ieum_core::Fault;
use ieum_store::Value;

use crate::cursor::Cursor;
use crate::store::{EventsStore, Source};

impl EventsStore {
    /// Returns what was read of a source so far.
    pub async fn read_counts(&self, event_id: &str, cursor: &Cursor) -> Result<ReadCounts, Fault> {
        let sql = "SELECT COUNT(DISTINCT order_code) AS orders, COUNT(*) AS tickets, \
                   (SELECT COUNT(*) FROM ieum_events_checkin WHERE event_id = ?) AS checkins, \
                   (SELECT COUNT(*) FROM ieum_events_room WHERE event_id = ?) AS rooms, \
                   (SELECT COUNT(*) FROM ieum_events_slot WHERE event_id = ? AND gone_at IS NULL) AS slots \
                   FROM ieum_events_order_position WHERE event_id = ?";
        let values: Vec<Value> = vec![event_id.into(); 4];
        let row = self.sql().fetch_one(sql, &values).await?;
        let number = |name: &str| Ok::<_, Fault>(u64::try_from(row.int(name)?).unwrap_or(0));
        let known = u64::from(cursor.profile.is_some());
        let counts_itself = cursor.profile.is_none() && cursor.phase == SourcePhase::Live;
        Ok(ReadCounts {
            events: known.max(u64::from(counts_itself)),
            lists: known,
            orders: number("orders")?,
            tickets: number("tickets")?,
            checkins: number("checkins")?,
            rooms: number("rooms")?,
            slots: number("slots")?,
        })
    }
}

/// Puts the steps together. `scheduled` tells whether this process reads the source on schedule.
pub fn progress(source: &Source, cursor: &Cursor, read: ReadCounts, scheduled: bool) -> Progress {
    let config = &source.config;
    let step = |step, state, detail: String| ProgressStep { step, state, detail };
    let live = cursor.phase == SourcePhase::Live;
    let reading = match (&source.last_error, live) {
        (_, true) => (StepState::Done, read_so_far(&read)),
        (Some(error), false) => (StepState::Failed, format!("{}; {error}", read_so_far(&read))),
        (None, false) => (StepState::Running, read_so_far(&read)),
    };
    let every = format!("every {} s", config.sync_settings.interval);
    let hooks = match (&config.endpoints.webhook, &source.webhook_id) {
        (Some(_), Some(id)) => format!("{every}, and at once by webhook {id}"),
        (Some(_), None) => format!("{every}; the source was asked for webhooks and sends none"),
        (None, _) => every,
    };
    let scheduled = match (live, scheduled) {
        (true, true) => (StepState::Done, format!("read {hooks}")),
        (false, true) => (StepState::Waiting, format!("read {hooks}, once all is read")),
        (_, false) => (StepState::Waiting, "no process reads it; start one with `ieum up events`".to_owned()),
    };
    let health = match (source.health_at, source.healthy) {
        (None, _) => (StepState::Waiting, "was not asked yet".to_owned()),
        (Some(at), true) => (StepState::Done, format!("healthy at {at}")),
        (Some(at), false) => (StepState::Failed, format!("did not answer as healthy at {at}")),
    };
    let steps = vec![
        step(RegistrationStep::Probed, StepState::Done, format!("asked {}", config.endpoints.api)),
        step(RegistrationStep::Saved, StepState::Done, format!("at {}", source.created_at)),
        step(RegistrationStep::InitialSync, reading.0, reading.1),
        step(RegistrationStep::Scheduled, scheduled.0, scheduled.1),
        step(RegistrationStep::HealthWatched, health.0, health.1),
    ];
    Progress { event_id: config.event_id.clone(), steps, read }
}

fn read_so_far(read: &ReadCounts) -> String {
    let ReadCounts { events, lists, orders, tickets, checkins, rooms, slots } = read;
    if *rooms + *slots > 0 && *tickets == 0 {
        return format!("{rooms} rooms, {slots} slots");
    }
    format!("{events} events, {lists} lists, {orders} orders, {tickets} tickets, {checkins} check-ins")
}
