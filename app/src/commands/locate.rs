//! `ieum where`: one answer to where an event is.

use std::error::Error;
use std::sync::Arc;

use crate::config::Settings;
use crate::output::{Output, table};
use crate::platform::Platform;

/// Prints every place that has seen the event. Fails where none has.
pub async fn locate(settings: &Settings, event_id: &str, output: &Output) -> Result<(), Box<dyn Error>> {
    let platform = Platform::open(Arc::new(settings.clone()), &Output::quiet()).await?;
    let Whereabouts { rows, searched } = whereabouts(&platform, event_id).await?;
    platform.close().await;
    if rows.is_empty() {
        return Err(unseen(event_id, searched.as_deref()).into());
    }
    let value: Vec<_> = rows
        .iter()
        .map(|row| serde_json::json!({ "stage": row[0], "at": row[1], "detail": row[2] }))
        .collect();
    output.value(&value, || {
        let searched = searched.map_or(String::new(), |searched| format!("{searched}\n"));
        table(&["stage", "since", "detail"], &rows) + &searched
    });
    Ok(())
}

/// Where an event is, for people.
pub struct Whereabouts {
    /// Every place that has seen it, in the order of its way: stage, time and detail.
    pub rows: Vec<Vec<String>>,
    /// What was searched of a log at a broker.
    pub searched: Option<String>,
}

/// Returns every place that has seen the event.
pub async fn whereabouts(platform: &Platform, event_id: &str) -> Result<Whereabouts, Box<dyn Error>> {
    let located = platform.bus.locate(event_id).await?;
    let deliveries = crate::parts::webhook_sightings(platform, event_id).await?;
    let stage = |stage| serde_json::to_value(stage).ok().and_then(|value| value.as_str().map(str::to_owned));
    let row = |seen: &ieum_bus::Sighting| {
        vec![stage(seen.stage).unwrap_or_default(), seen.at.to_string(), seen.detail.clone()]
    };
    let rows = located.sightings.iter().map(row).chain(deliveries).collect();
    Ok(Whereabouts { rows, searched: located.searched.map(|searched| searched.to_string()) })
}

/// Says that nothing is known of the event, and what was searched.
pub fn unseen(event_id: &str, searched: Option<&str>) -> String {
    let searched = searched.map_or(String::new(), |searched| format!("; {searched}"));
    format!("no event {event_id} was ever seen here, or it is older than what is kept{searched}")
}
