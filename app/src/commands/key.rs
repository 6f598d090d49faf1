//! `ieum key`: partners' API keys.

use std::error::Error;

use ieum_contracts::partners::{
    CreateKey, IssuedKey, KeyId, KeyStatus, ListKeys, PARTNER_KEYS_CONTRACT, PartnerKeys, PartnerKeysClient,
    RotateKey,
};
use ieum_core::{Clock, SystemClock, parse_duration};

use crate::cli::KeyCommand;
use crate::config::Settings;
use crate::output::{Output, table};

use super::remote;

/// Creates, rotates, revokes or lists.
pub async fn key(settings: &Settings, command: KeyCommand, output: &Output) -> Result<(), Box<dyn Error>> {
    let keys = PartnerKeysClient::new(remote::link(settings, &PARTNER_KEYS_CONTRACT, output).await?);
    let cx = remote::context();
    let explain = |fault| remote::explain(settings, fault);
    match command {
        KeyCommand::Create { name, tier, scopes, events, expires_in, per_minute } => {
            let expires_in = expires_in.as_deref().map(parse_duration).transpose()?;
            let expires_at = expires_in.map(|span| SystemClock.now() + span);
            let wish = CreateKey { name, tier, scopes, events, expires_at, per_minute };
            let issued = keys.create(&cx, wish).await.map_err(explain)?;
            output.value(&issued, || shown_once(&issued));
        }
        KeyCommand::Rotate { key_id, overlap } => {
            let overlap_seconds = Some(parse_duration(&overlap)?.as_secs());
            let issued = keys.rotate(&cx, RotateKey { key_id, overlap_seconds }).await.map_err(explain)?;
            output.value(&issued, || {
                let until = issued.key.previous_valid_until.map(|at| at.to_string()).unwrap_or_default();
                format!("{}the text before stays valid until {until}\n", shown_once(&issued))
            });
        }
        KeyCommand::Revoke { key_id } => {
            let status = keys.revoke(&cx, KeyId { key_id }).await.map_err(explain)?;
            output.value(&status, || format!("{} is revoked\n", status.key_id));
        }
        KeyCommand::List => {
            let list = keys.list(&cx, ListKeys {}).await.map_err(explain)?.keys;
            output.value(&list, || overview(&list));
        }
    }
    Ok(())
}

fn shown_once(issued: &IssuedKey) -> String {
    let (text, id) = (&issued.text, &issued.key.key_id);
    format!("{text}\nThis text is shown once and kept nowhere. Send it as X-API-Key. The key's id is {id}.\n")
}

fn overview(keys: &[KeyStatus]) -> String {
    if keys.is_empty() {
        return "there is no key; make one with `ieum key create`\n".to_owned();
    }
    let rows: Vec<Vec<String>> = keys
        .iter()
        .map(|key| {
            vec![
                key.key_id.clone(),
                key.name.clone(),
                key.tier.clone(),
                key.status.clone(),
                key.scopes.join(","),
                key.events.join(","),
                key.expires_at.map(|at| at.to_string()).unwrap_or_else(|| "never".to_owned()),
            ]
        })
        .collect();
    table(&["id", "name", "tier", "status", "scopes", "events", "expires"], &rows)
}
