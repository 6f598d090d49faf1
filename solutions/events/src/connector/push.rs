//! Gates that push their scans themselves: nothing is asked of anybody, a read only renews the picture.

use async_trait::async_trait;
use ieum_contracts::events::{EventServiceConfig, ProbeCheck, ProbeLevel, ProbeReport};
use ieum_core::{Cx, Fault, Timestamp};

use super::probe::Checked;
use super::source::Told;
use super::{Connector, base_url, invalid};
use crate::facts::{Batch, Next, Profile};

/// The option that says how many people are registered.
const REGISTERED: &str = "registered";

/// The options that say when the event begins and ends, RFC 3339.
const BEGINS_AT: &str = "beginsAt";
const ENDS_AT: &str = "endsAt";

/// A source that pushes.
pub struct Push {
    profile: Profile,
}

impl Push {
    /// Makes the connector. Fails with `events.source.invalid`, naming the field. `endpoints.api` may be
    /// empty, or say where people find the gates' own system; it is never called.
    pub fn open(config: &EventServiceConfig) -> Result<Self, Fault> {
        if !config.endpoints.api.is_empty() {
            base_url("endpoints.api", &config.endpoints.api)?;
        }
        let option = |name: &str| config.options.get(name).map(String::as_str);
        let time = |name: &str| {
            let read = |text| {
                Timestamp::parse(text)
                    .ok_or_else(|| invalid(&format!("options.{name}"), "is no RFC 3339 time"))
            };
            option(name).map(read).transpose()
        };
        let registered = option(REGISTERED).map_or(Ok(0), |text| {
            let number = text.parse::<u64>().ok().filter(|number| *number < 1 << 48);
            number.ok_or_else(|| invalid("options.registered", "is no whole number from 0 on"))
        })?;
        let profile = Profile {
            event_name: config.service_name.clone(),
            begins_at: time(BEGINS_AT)?,
            ends_at: time(ENDS_AT)?,
            pushed: Some(registered),
            ..Profile::default()
        };
        Ok(Self { profile })
    }

    fn renewed(&self) -> Batch {
        Batch { profile: Some(self.profile.clone()), next: Next::Done(String::new()), ..Batch::default() }
    }
}

/// The report on a source that is never called.
pub fn report(config: &EventServiceConfig) -> ProbeReport {
    let detail = format!(
        "nothing is read; its gates send scans to POST /api/events/{}/gates/scans, under a key with the scope {}",
        config.event_id,
        crate::gates::web::SCOPE
    );
    let check = ProbeCheck {
        name: "push".to_owned(),
        ok: true,
        detail,
        level: ProbeLevel::Ok,
        advice: None,
        advice_wording: None,
    };
    ProbeReport { ok: true, checks: vec![check], clock_skew_seconds: None }
}

#[async_trait]
impl Connector for Push {
    async fn probe(&self, _: &Cx) -> Vec<Checked> {
        Vec::new()
    }

    fn told(&self) -> Told {
        Told::default()
    }

    async fn health(&self, _: &Cx) -> Result<(), Fault> {
        Ok(())
    }

    async fn initial(&self, _: &Cx, _: Option<&str>) -> Result<Batch, Fault> {
        Ok(self.renewed())
    }

    async fn incremental(&self, _: &Cx, _: &str) -> Result<Batch, Fault> {
        Ok(self.renewed())
    }
}
