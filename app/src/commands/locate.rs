//! `ieum where`: one answer to where an event is.

use std::error::Error;
use std::sync::Arc;

use crate::config::Settings;
use crate::output::{Output, table};
use crate::platform::Platform;

/// Prints every place that has seen the event. Fails where none has.
pub async fn locate(settings: &Settings, event_id: &str, output: &Output) -> Result<(), Box<dyn Error>> {
    let platform = Platform::open(Arc::new(settings.clone()), &Output::quiet()).await?;
    let rows = sightings(&platform, event_id).await?;
    platform.close().await;
    if rows.is_empty() {
        return Err(unseen(event_id).into());
    }
    let value: Vec<_> = rows
        .iter()
        .map(|row| serde_json::json!({ "stage": row[0], "at": row[1], "detail": row[2] }))
        .collect();
    output.value(&value, || table(&["stage", "since", "detail"], &rows));
    Ok(())
}

/// Returns every place that has seen the event, in the order of its way, as rows of stage, time and detail.
pub async fn sightings(platform: &Platform, event_id: &str) -> Result<Vec<Vec<String>>, Box<dyn Error>> {
    let sightings = platform.bus.locate(event_id).await?;
    let deliveries = crate::parts::webhook_sightings(platform, event_id).await?;
    let stage = |stage| serde_json::to_value(stage).ok().and_then(|value| value.as_str().map(str::to_owned));
    let row = |seen: &ieum_bus::Sighting| {
        vec![stage(seen.stage).unwrap_or_default(), seen.at.to_string(), seen.detail.clone()]
    };
    Ok(sightings.iter().map(row).chain(deliveries).collect())
}

/// Says that nothing is known of the event.
pub fn unseen(event_id: &str) -> String {
    format!("no event {event_id} was ever seen here, or it is older than what is kept")
}
