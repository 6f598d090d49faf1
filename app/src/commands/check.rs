//! `ieum check`: the settings are read and every mistake is named; reaching here means there was none.

use std::error::Error;

use crate::config::Settings;
use crate::output::Output;
use crate::parts;

/// Checks that every link names a contract that exists and a wire that can carry it.
pub fn check(settings: &Settings, output: &Output) -> Result<(), Box<dyn Error>> {
    crate::links::check(settings, &parts::contracts())?;
    let value = serde_json::json!({ "ok": true, "listen": settings.server.listen.to_string() });
    output.value(&value, || "every setting is right\n".to_owned());
    Ok(())
}
