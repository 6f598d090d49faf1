//! `ieum check`: the settings are read and every mistake is named; reaching here means there was none.

use std::error::Error;

use crate::config::Settings;
use crate::output::Output;
use crate::parts;
use crate::sealing;

/// Checks that every link names a contract that exists and a wire that can carry it.
pub fn check(settings: &Settings, output: &Output) -> Result<(), Box<dyn Error>> {
    crate::links::check(settings, &parts::contracts())?;
    let sealing = sealing::sentences(settings);
    let listen = settings.server.listen.to_string();
    let value = serde_json::json!({ "ok": true, "listen": listen, "sealing": sealing });
    output.value(&value, || format!("every setting is right\n{}\n", sealing.join("\n")));
    Ok(())
}
