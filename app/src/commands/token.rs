//! `ieum token`: tokens (JWT) that end before their time.
//!
//! Straight to the store, as `ieum dead` goes: running processes look there for every token at least twice a second.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use ieum_core::{Timestamp, parse_duration};
use ieum_gateway::{Revocation, Revoked, Tokens};
use serde::Serialize;

use crate::cli::{RevokeToken, TokenCommand};
use crate::config::Settings;
use crate::front;
use crate::output::{Output, table};
use crate::platform::Platform;

/// How long a revocation is kept where the wish does not say: longer than any token should live.
const KEPT: Duration = Duration::from_secs(10 * 365 * 86_400);

/// A revocation as it is told.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    issuer: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    issued_before: Option<Timestamp>,
    until: Timestamp,
    revoked_at: Timestamp,
    reason: String,
}

/// Revokes or lists.
pub async fn token(
    settings: &Settings,
    command: TokenCommand,
    output: &Output,
) -> Result<(), Box<dyn Error>> {
    let platform = Platform::open(Arc::new(settings.clone()), &Output::quiet()).await?;
    let done = run(&platform, command, output).await;
    platform.close().await;
    done
}

async fn run(platform: &Platform, command: TokenCommand, output: &Output) -> Result<(), Box<dyn Error>> {
    let tokens = front::tokens(platform)?
        .ok_or("no token opens anything here: gateway.issuers names nobody whose tokens count")?;
    match command {
        TokenCommand::Revoke(wish) => revoke(platform, &tokens, wish, output).await,
        TokenCommand::List => {
            let all: Vec<Told> = tokens.revocations().await?.into_iter().map(Told::from).collect();
            output.value(&all, || overview(&all));
            Ok(())
        }
    }
}

async fn revoke(
    platform: &Platform,
    tokens: &Tokens,
    wish: RevokeToken,
    output: &Output,
) -> Result<(), Box<dyn Error>> {
    let now = platform.clock.now();
    let RevokeToken { issuer, id, subject, issued_before, until, reason } = wish;
    let issuer = issuer.map_or_else(|| only_issuer(platform), Ok)?;
    let issued_before = issued_before.map_or(Ok(now), |text| {
        let ago = parse_duration(&text).ok().map(|span| now - span);
        ago.or_else(|| Timestamp::parse(&text)).ok_or_else(|| no_time("--issued-before", &text))
    })?;
    let until = until.map_or(Ok(now + KEPT), |text| {
        let ahead = parse_duration(&text).ok().map(|span| now + span);
        ahead.or_else(|| Timestamp::parse(&text)).ok_or_else(|| no_time("--until", &text))
    })?;
    let what = match (id, subject) {
        (Some(id), _) => Revoked::Token { issuer, id },
        (None, subject) => Revoked::Subject { issuer, subject: subject.unwrap_or_default(), issued_before },
    };
    let told = Told::from(tokens.revoke(what, until, &reason).await?);
    output.value(&told, || {
        format!(
            "{} of {} opens nothing any more, everywhere within half a second\n",
            told.what(),
            told.issuer
        )
    });
    Ok(())
}

/// Returns the issuer that need not be named, since there is no other.
fn only_issuer(platform: &Platform) -> Result<String, String> {
    match platform.settings.gateway.issuers.as_slice() {
        [only] => Ok(only.issuer.clone()),
        several => {
            let known: Vec<_> = several.iter().map(|one| one.issuer.as_str()).collect();
            Err(format!("say whose token it is by --issuer; there are {}", known.join(", ")))
        }
    }
}

fn no_time(option: &str, text: &str) -> String {
    format!("{option} {text:?} is neither a time such as 2026-05-01T10:00:00Z nor a span such as 2h")
}

fn overview(all: &[Told]) -> String {
    if all.is_empty() {
        return "no token is revoked\n".to_owned();
    }
    let rows: Vec<Vec<String>> = all
        .iter()
        .map(|one| {
            let (revoked, until) = (one.revoked_at.to_string(), one.until.to_string());
            vec![one.issuer.clone(), one.what(), revoked, until, one.reason.clone()]
        })
        .collect();
    table(&["issuer", "what", "revoked", "kept until", "reason"], &rows)
}

// === Told ===

impl Told {
    fn what(&self) -> String {
        match (&self.id, &self.subject, self.issued_before) {
            (None, Some(subject), Some(before)) => {
                format!("every token for {subject} issued before {before}")
            }
            (id, ..) => format!("token {}", id.as_deref().unwrap_or_default()),
        }
    }
}

impl From<Revocation> for Told {
    fn from(revocation: Revocation) -> Self {
        let Revocation { what, until, reason, revoked_at } = revocation;
        let (issuer, id, subject, issued_before) = match what {
            Revoked::Token { issuer, id } => (issuer, Some(id), None, None),
            Revoked::Subject { issuer, subject, issued_before } => {
                (issuer, None, Some(subject), Some(issued_before))
            }
        };
        Self { issuer, id, subject, issued_before, until, revoked_at, reason }
    }
}
