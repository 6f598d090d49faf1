//! A source's secrets: sealed in the tables, open only in memory.

use std::collections::BTreeMap;

use ieum_contracts::events::EventServiceConfig;
use ieum_core::{Fault, Secret, Timestamp};
use ieum_store::{Row, SealError, SealedColumn};
use serde::{Deserialize, Serialize};

use crate::store::{EventsStore, Source, broken, read_config};

/// Where sealed secrets stand; each is bound to its event.
const SECRETS: SealedColumn = SealedColumn { table: "ieum_events_source", column: "secrets", id: "event_id" };

/// What is sealed as one text.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Secrets {
    credentials: BTreeMap<String, String>,
    hook_secret: String,
}

impl EventsStore {
    /// Parts a configuration into what may stand in clear and the sealed rest.
    pub(crate) fn part_secrets(
        &self,
        config: &EventServiceConfig,
        hook_secret: &Secret,
    ) -> Result<(String, String), Fault> {
        let mut open = config.clone();
        let credentials = std::mem::take(&mut open.authentication.credentials);
        let json = serde_json::to_string(&open).map_err(|error| broken("config", &error))?;
        let secrets = Secrets { credentials, hook_secret: hook_secret.expose().to_owned() };
        let text = serde_json::to_string(&secrets).map_err(|error| broken("secrets", &error))?;
        Ok((json, self.sealer.seal(&SECRETS.at(&config.event_id), &Secret::new(text))))
    }

    /// Reads a source with its secrets. A row from before secrets were sealed holds them in clear.
    pub(crate) fn read_source(&self, row: &Row) -> Result<Source, Fault> {
        let mut config = read_config(row)?;
        let mut hook_secret = row.text("hook_secret")?;
        if let Some(sealed) = row.opt_text("secrets")? {
            let text = self.sealer.open(&SECRETS.at(&config.event_id), &sealed).map_err(sealing)?;
            let secrets: Secrets =
                serde_json::from_str(text.expose()).map_err(|error| broken("secrets", &error))?;
            config.authentication.credentials = secrets.credentials;
            hook_secret = secrets.hook_secret;
        }
        Ok(Source {
            config,
            hook_secret: Secret::new(hook_secret),
            webhook_id: row.opt_text("webhook_id")?,
            healthy: row.bool("healthy")?,
            failures: u32::try_from(row.int("failures")?).unwrap_or(u32::MAX),
            last_error: row.opt_text("last_error")?,
            // A newer version's words are none of ours: the sentence is left.
            last_error_wording: row
                .opt_text("last_error_wording")?
                .and_then(|json| serde_json::from_str(&json).ok()),
            last_success_at: row.opt_int("last_success_at")?.map(Timestamp::from_micros),
            created_at: Timestamp::from_micros(row.int("created_at")?),
            health_at: row.opt_int("health_at")?.map(Timestamp::from_micros),
        })
    }

    /// Seals what stands in clear from before, and what an older key sealed. Returns how many rows changed.
    pub async fn seal_secrets(&self) -> Result<u64, Fault> {
        let sql = "SELECT * FROM ieum_events_source WHERE removed = ? AND secrets IS NULL";
        let mut changed = 0;
        for row in self.sql().fetch_all(sql, &[false.into()]).await? {
            let source = self.read_source(&row)?;
            let (json, secrets) = self.part_secrets(&source.config, &source.hook_secret)?;
            let sql = "UPDATE ieum_events_source SET config = ?, hook_secret = '', secrets = ? \
                       WHERE event_id = ? AND secrets IS NULL";
            let event_id = source.config.event_id.as_str();
            changed += self.sql().execute(sql, &[json.into(), secrets.into(), event_id.into()]).await?;
        }
        Ok(changed + self.sealer.reseal(self.sql(), &SECRETS).await.map_err(sealing)?)
    }
}

fn sealing(error: SealError) -> Fault {
    Fault::failed_precondition("events.store.sealed", format!("reading a source's secrets: {error}"))
}
