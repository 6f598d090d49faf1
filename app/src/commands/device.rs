//! `ieum device`: the credentials that devices come with.
//!
//! Straight to the store: a running platform looks there for every connection, and every few seconds for those that are
//! open.

use std::error::Error;
use std::sync::Arc;

use ieum_core::{Timestamp, parse_duration};
use ieum_device::{CredentialError, Credentials, Issued};

use crate::cli::DeviceCommand;
use crate::config::Settings;
use crate::device;
use crate::nearest::nearest;
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
        DeviceCommand::Add { device } => {
            let issued = credentials.add(&device).await.map_err(how_else)?;
            show(&device, &issued, output);
        }
        DeviceCommand::Rotate { device, overlap } => {
            let overlap = parse_duration(&overlap)?;
            is_known(credentials, "rotating", &device).await?;
            let (issued, until) = credentials.rotate(&device, overlap).await?;
            show_rotated(&device, &issued, until, output);
        }
        DeviceCommand::Revoke { device } => {
            is_known(credentials, "revoking", &device).await?;
            let count = credentials.revoke(&device).await?;
            output.value(&serde_json::json!({ "device": device, "revoked": count }), || {
                format!("{device} is let in no more; open connections end within seconds\n")
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

/// Names the commands that help where the device has a secret already.
fn how_else(error: CredentialError) -> Box<dyn Error> {
    match error {
        CredentialError::Known { device, since } => format!(
            "adding {device}: it has had a secret since {since}; `ieum device rotate {device}` makes another one and lets the \
             first end a day later, with `--overlap 0s` at once; `ieum device revoke {device}` takes all away"
        )
        .into(),
        other => other.into(),
    }
}

/// Fails where the device has no secret, with the name that may have been meant.
async fn is_known(
    credentials: &Credentials,
    doing: &'static str,
    device: &str,
) -> Result<(), Box<dyn Error>> {
    if !credentials.list(Some(device)).await?.is_empty() {
        return Ok(());
    }
    let all = credentials.list(None).await?;
    let meant = nearest(device, all.iter().map(|one| one.device.as_str()));
    let meant = meant.map(|name| format!("; did you mean {name:?}")).unwrap_or_default();
    Err(format!(
        "{doing} {device:?}: there is no such device{meant}; `ieum device list` lists them all, `ieum device add {device}` adds \
         this one"
    )
    .into())
}

fn show(device: &str, issued: &Issued, output: &Output) {
    let value = serde_json::json!({ "device": device, "secret": issued.secret.expose() });
    output.value(&value, || how_to_come(device, issued));
}

fn show_rotated(device: &str, issued: &Issued, until: Option<Timestamp>, output: &Output) {
    let secret = issued.secret.expose();
    let value = serde_json::json!({ "device": device, "secret": secret, "formerValidUntil": until });
    output.value(&value, || {
        let former = match until {
            Some(until) => {
                format!("The secret before stays valid until {until}; what is connected with it then ends.")
            }
            None => "The secret before is valid no more; what is connected with it ends within seconds."
                .to_owned(),
        };
        format!("{}{former}\n", how_to_come(device, issued))
    });
}

fn how_to_come(device: &str, issued: &Issued) -> String {
    let secret = issued.secret.expose();
    format!(
        "{secret}\nThis secret is shown once and kept nowhere. The device connects with the user name {device} and \
         this password.\n"
    )
}
