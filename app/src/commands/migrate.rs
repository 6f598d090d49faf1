//! `ieum migrate`: brings the SQL store to this version, or tells what would be done.

use std::error::Error;

use crate::config::Settings;
use crate::output::Output;
use crate::parts;
use crate::platform::open_store;

/// Applies or lists what is missing.
pub async fn migrate(settings: &Settings, dry_run: bool, output: &Output) -> Result<(), Box<dyn Error>> {
    let store = open_store(settings).await?;
    let migrations = parts::migrations();
    if dry_run {
        let missing = ieum_store::pending(&store, &migrations).await?;
        let names: Vec<String> = missing.iter().map(|step| format!("{}/{}", step.owner, step.name)).collect();
        output.value(&names, || match names.as_slice() {
            [] => "nothing to do\n".to_owned(),
            names => format!("would apply {}\n", names.join(", ")),
        });
    } else {
        let report = apply(&store, output).await?;
        output.value(&serde_json::json!({ "applied": report }), || format!("applied {report} migrations\n"));
    }
    store.close().await;
    Ok(())
}

/// Applies what is missing, showing each step, and returns how many there were.
pub async fn apply(store: &ieum_store::Store, output: &Output) -> Result<usize, ieum_store::MigrationError> {
    let report = ieum_store::migrate(store, &parts::migrations(), |step| {
        output.progress(&format!("migrating {}/{}", step.owner, step.name));
    })
    .await?;
    output.progress_done();
    Ok(report.applied.len())
}
