//! The report on a source: the connector's own checks, then who we are to it, its clock, its limits, and whether
//! its webhooks would find us.

use std::time::Duration;

use http::Method;
use ieum_client::{OutboundPolicy, Request, RestClient, RestConfig};
use ieum_contracts::events::{AuthenticationKind, EventServiceConfig, ProbeCheck, ProbeLevel, ProbeReport};
use ieum_contracts::wording::Wording;
use ieum_core::{Code, Cx, Fault, SharedClock};
use url::Url;

use super::source::Told;
use super::{Connector, advice, base_url};

/// A source whose clock differs by more is worth a look: times of scans are its own.
const MOST_SKEW: f64 = 5.0;

/// How long our own address may take to answer.
const HOOK_PATIENCE: Duration = Duration::from_secs(5);

/// A check with the kind of its failure.
pub struct Checked {
    pub(crate) check: ProbeCheck,
    code: Option<Code>,
}

impl Checked {
    /// Makes one check. A failure names the step, what was asked of which address, and what to do about it. The
    /// address holds no credentials: [`base_url`] refuses such.
    pub fn of(name: &str, address: &Url, result: Result<String, Fault>) -> Self {
        let code = result.as_ref().err().map(|fault| fault.code);
        let (level, detail, wording) = match result {
            Ok(detail) => (ProbeLevel::Ok, detail, None),
            Err(fault) => {
                let address = address.as_str().trim_end_matches('/');
                let detail = format!("asking {address}: {}", fault.message);
                (ProbeLevel::Fail, detail, Some(advice::cause(&fault).with([])))
            }
        };
        let ok = level != ProbeLevel::Fail;
        let advice = wording.as_ref().map(Wording::english);
        let check = ProbeCheck { name: name.to_owned(), ok, detail, level, advice, advice_wording: wording };
        Self { check, code }
    }

    /// Makes a failure of this check a warning: the source can be read without it.
    pub fn optional(mut self) -> Self {
        if self.check.level == ProbeLevel::Fail {
            (self.check.level, self.check.ok) = (ProbeLevel::Warn, true);
        }
        self
    }

    /// Tells whether the source can be read in spite of this check.
    pub fn passed(&self) -> bool {
        self.check.ok
    }
}

/// Probes a source. Never fails as a whole.
pub async fn report(
    connector: &dyn Connector,
    cx: &Cx,
    config: &EventServiceConfig,
    outbound: &OutboundPolicy,
    clock: &SharedClock,
) -> ProbeReport {
    let steps = connector.probe(cx).await;
    let told = connector.told();
    let reached = steps.iter().all(Checked::passed);
    let mut more = vec![authentication(config, &steps)];
    if reached {
        more.push(scopes(&steps));
        more.push(Some(clock_check(&told)));
        more.push(Some(limits(config, &told)));
        more.push(Some(hook(cx, config, outbound, clock).await));
    }
    let checks: Vec<ProbeCheck> =
        steps.into_iter().map(|step| step.check).chain(more.into_iter().flatten()).collect();
    #[allow(clippy::cast_precision_loss, reason = "clocks differ by less than 2^52 microseconds")]
    let clock_skew_seconds = told.skew_micros.map(|micros| micros as f64 / 1e6);
    ProbeReport { ok: checks.iter().all(|check| check.ok), checks, clock_skew_seconds }
}

fn line(name: &str, level: ProbeLevel, detail: String, advice: Option<&str>) -> ProbeCheck {
    let ok = level != ProbeLevel::Fail;
    let advice = advice.map(str::to_owned);
    ProbeCheck { name: name.to_owned(), ok, detail, level, advice, advice_wording: None }
}

/// Says whether we are known; nothing where the source failed for another reason.
fn authentication(config: &EventServiceConfig, steps: &[Checked]) -> Option<ProbeCheck> {
    let none = config.authentication.kind == AuthenticationKind::None;
    if steps.iter().any(|step| step.code == Some(Code::Unauthenticated)) {
        let detail =
            if none { "it asks for credentials, and none were given" } else { "it refused the credentials" };
        let advice = "make a token or key there and give it with --token-file";
        return Some(line("authentication", ProbeLevel::Fail, detail.to_owned(), Some(advice)));
    }
    if !steps.iter().all(Checked::passed) {
        return None;
    }
    let detail = if none { "none were given, and it answers" } else { "the credentials were accepted" };
    Some(line("authentication", ProbeLevel::Ok, detail.to_owned(), None))
}

/// Says what may be read and what not.
fn scopes(steps: &[Checked]) -> Option<ProbeCheck> {
    let (denied, allowed): (Vec<&Checked>, Vec<&Checked>) = steps
        .iter()
        .partition(|step| matches!(step.code, Some(Code::PermissionDenied | Code::Unauthenticated)));
    let names =
        |steps: &[&Checked]| steps.iter().map(|step| step.check.name.as_str()).collect::<Vec<_>>().join(", ");
    let detail = format!("may read {}", names(&allowed));
    if denied.is_empty() {
        return Some(line("scopes", ProbeLevel::Ok, detail, None));
    }
    let detail = format!("{detail}; may not read {}", names(&denied));
    let advice = "give the token the rights for that there, or do without";
    Some(line("scopes", ProbeLevel::Warn, detail, Some(advice)))
}

fn clock_check(told: &Told) -> ProbeCheck {
    let Some(micros) = told.skew_micros else {
        let advice = "nothing, as long as its clock is right; its answers have no Date header";
        return line("clock", ProbeLevel::Warn, "it does not tell the time".to_owned(), Some(advice));
    };
    #[allow(clippy::cast_precision_loss, reason = "clocks differ by less than 2^52 microseconds")]
    let seconds = micros as f64 / 1e6;
    let detail = format!("its clock minus ours: {seconds:.1} s");
    if seconds.abs() <= MOST_SKEW {
        return line("clock", ProbeLevel::Ok, detail, None);
    }
    let advice = "set both clocks by NTP: scans carry its time, and ages are told by ours";
    line("clock", ProbeLevel::Warn, detail, Some(advice))
}

fn limits(config: &EventServiceConfig, told: &Told) -> ProbeCheck {
    let ours = config.sync_settings.requests_per_minute;
    let Some(limits) = &told.limits else {
        let detail = format!("it tells none; at most {ours} requests per minute are sent");
        return line("limits", ProbeLevel::Ok, detail, None);
    };
    let detail = format!("it says {limits}; at most {ours} requests per minute are sent");
    let used_up = limits.split(", ").any(|limit| limit.ends_with("remaining: 0"));
    if used_up {
        let advice = "wait until its quota is full again, or read with a longer interval";
        return line("limits", ProbeLevel::Warn, detail, Some(advice));
    }
    line("limits", ProbeLevel::Ok, detail, None)
}

/// Knocks at our own public address. Whoever answers there must know that nobody listens at a wrong secret.
async fn hook(
    cx: &Cx,
    config: &EventServiceConfig,
    outbound: &OutboundPolicy,
    clock: &SharedClock,
) -> ProbeCheck {
    let Some(address) = &config.endpoints.webhook else {
        let every = config.sync_settings.interval;
        let detail = format!("no address was given for webhooks; it is read every {every} s");
        return line("hook", ProbeLevel::Ok, detail, None);
    };
    let warn = |problem: String| {
        let advice = "check server.public_url or --webhook, and that it leads here from outside; until then it is \
                      read on schedule";
        line("hook", ProbeLevel::Warn, problem, Some(advice))
    };
    let client = match own_client(config, address, outbound, clock) {
        Ok(client) => client,
        Err(problem) => return warn(problem),
    };
    let path = format!("/hooks/{}/probe", config.event_id);
    match client.send(cx, Request::new(Method::POST, path).any_status()).await {
        Ok(answer) if String::from_utf8_lossy(&answer.body).contains("events.hook.") => {
            line("hook", ProbeLevel::Ok, format!("{address} leads here, as seen from here"), None)
        }
        Ok(answer) => warn(format!("{address} answered {} and is not this hub", answer.status)),
        Err(fault) => warn(format!("{address}: {}", fault.message)),
    }
}

fn own_client(
    config: &EventServiceConfig,
    address: &str,
    outbound: &OutboundPolicy,
    clock: &SharedClock,
) -> Result<RestClient, String> {
    let base = base_url("endpoints.webhook", address).map_err(|fault| fault.message)?;
    let mut rest = RestConfig::new(config.event_id.clone(), base);
    rest.outbound = outbound.clone();
    rest.policy.timeout = HOOK_PATIENCE;
    rest.policy.first_byte = HOOK_PATIENCE;
    rest.policy.retry.attempts = 1;
    RestClient::new(rest, clock.clone()).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(name: &str, result: Result<String, Fault>) -> Checked {
        Checked::of(name, &Url::parse("https://tickets.example").expect("is a URL"), result)
    }

    #[test]
    fn what_may_not_be_read_is_named_and_a_wish_is_no_need() {
        let denied = Fault::permission_denied("client.status", "answered 403");
        let steps = [step("event", Ok("found".into())), step("webhooks", Err(denied)).optional()];
        assert!(steps.iter().all(Checked::passed));
        let told = scopes(&steps).expect("is told");
        assert_eq!(
            (told.level, told.detail.as_str()),
            (ProbeLevel::Warn, "may read event; may not read webhooks")
        );
    }

    #[test]
    fn a_clock_that_is_off_and_a_quota_that_is_used_up_are_worth_a_look() {
        let skewed = Told { skew_micros: Some(-90_000_000), limits: None };
        let told = clock_check(&skewed);
        assert_eq!((told.level, told.detail.as_str()), (ProbeLevel::Warn, "its clock minus ours: -90.0 s"));
        assert_eq!(clock_check(&Told { skew_micros: Some(900_000), limits: None }).level, ProbeLevel::Ok);
        assert_eq!(clock_check(&Told::default()).level, ProbeLevel::Warn);
    }
}
