//! `ieum device`: the credentials that devices come with.
//!
//! Straight to the store: a running platform looks there for every connection, and every few seconds for those that are
//! open.

use std::error::Error;
use std::sync::Arc;

use ieum_core::parse_duration;
use ieum_device::{Credentials, Issued};

use crate::cli::DeviceCommand;
use crate::config::Settings;
use crate::device;
use crate::output::{Output, table};
use crate::platform::Platform;

/// Adds, rotates, revokes or lists.
pub async fn device(
    settings: &Settings,
    command: DeviceCommand,
    output: &Output,
) -> Result<(), Box<dyn Error>> {
    let platform = Platform::open(Arc::new(settings.clone()), &Output::quiet()).await?;
    let done = run(&device::credentials(&platform), command, output).await;
    platform.close().await;
    done
}

async fn run(
    credentials: &Credentials,
    command: DeviceCommand,
    output: &Output,
) -> Result<(), Box<dyn Error>> {
    match command {
        DeviceCommand::Add { device } => show(&device, &credentials.issue(&device).await?, output),
        DeviceCommand::Rotate { device, overlap } => {
            let overlap = parse_duration(&overlap)?;
            show(&device, &credentials.rotate(&device, overlap).await?, output);
        }
        DeviceCommand::Revoke { device } => {
            let count = credentials.revoke(&device).await?;
            output.value(&serde_json::json!({ "device": device, "revoked": count }), || match count {
                0 => format!("{device} has no secret\n"),
                _ => format!("{device} is let in no more; open connections end within seconds\n"),
            });
        }
        // It is another command: what runs on a device opens no store of the platform's.
        DeviceCommand::Run(_) => {}
        DeviceCommand::List => {
            let all = credentials.list(None).await?;
            let rows: Vec<Vec<String>> = all
                .iter()
                .map(|one| {
                    let until = one.expires_at.map_or_else(|| "for ever".to_owned(), |at| at.to_string());
                    vec![one.device.clone(), one.created_at.to_string(), until]
                })
                .collect();
            let value: Vec<_> = all
                .iter()
                .map(|one| {
                    serde_json::json!({
                        "device": one.device, "createdAt": one.created_at, "expiresAt": one.expires_at,
                    })
                })
                .collect();
            output.value(&value, || match rows.as_slice() {
                [] => "there is no device; add one with `ieum device add`\n".to_owned(),
                rows => table(&["device", "made", "valid until"], rows),
            });
        }
    }
    Ok(())
}

fn show(device: &str, issued: &Issued, output: &Output) {
    let secret = issued.secret.expose();
    output.value(&serde_json::json!({ "device": device, "secret": secret }), || {
        format!(
            "{secret}\nThis secret is shown once and kept nowhere. The device connects with the user name {device} and \
             this password.\n"
        )
    });
}
