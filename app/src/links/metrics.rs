//! The links as Prometheus reads them: gathered from their policies at each scrape.

use ieum_policy::{BreakerState, LATENCY_BOUNDS, PolicySnapshot};
use ieum_telemetry::{Family, FamilyKind, Gather};

use super::LinkBoard;

use FamilyKind::{Counter, Gauge, Histogram};

#[allow(clippy::cast_precision_loss, reason = "Prometheus counts in floats")]
fn float(count: u64) -> f64 {
    count as f64
}

/// Adds one series for each of `pairs`, labelled by `link` and `label`.
fn labelled<'a>(
    family: Family,
    link: &str,
    label: &str,
    pairs: impl IntoIterator<Item = (&'a str, u64)>,
) -> Family {
    pairs
        .into_iter()
        .fold(family, |family, (value, count)| family.with(&[("link", link), (label, value)], float(count)))
}

/// Adds up one family over all links.
fn over(links: &[PolicySnapshot], family: Family, add: impl Fn(Family, &PolicySnapshot) -> Family) -> Family {
    links.iter().fold(family, add)
}

fn plain(links: &[PolicySnapshot], family: Family, value: impl Fn(&PolicySnapshot) -> Option<u64>) -> Family {
    over(links, family, |family, link| match value(link) {
        Some(value) => family.with(&[("link", &link.name)], float(value)),
        None => family,
    })
}

impl Gather for LinkBoard {
    fn gather(&self) -> Vec<Family> {
        let entries = self.all();
        let links: Vec<PolicySnapshot> = entries.iter().map(|entry| entry.policies.snapshot()).collect();
        let mut families = calls(&links);
        families.extend(breakers(&links));
        let instances = Family::new("ieum_link_instances", Gauge, "Instances behind a link.");
        families.push(entries.iter().fold(instances, |family, entry| {
            let loads = entry.balancer.as_ref().map(|balancer| balancer.loads()).unwrap_or_default();
            let ejected = loads.iter().filter(|load| load.ejected).count() as u64;
            let states = [("well", loads.len() as u64 - ejected), ("ejected", ejected)];
            let some = entry.balancer.is_some();
            labelled(family, entry.policies.name(), "state", states.into_iter().filter(|_| some))
        }));
        families
    }
}

fn calls(links: &[PolicySnapshot]) -> Vec<Family> {
    let family = Family::new;
    vec![
        over(
            links,
            family("ieum_link_calls_total", Counter, "Calls over a link by outcome, before any fallback."),
            |family, link| labelled(family, &link.name, "outcome", link.outcomes.clone()),
        ),
        over(
            links,
            family("ieum_link_rejected_total", Counter, "Calls that were not sent, by who refused."),
            |family, link| {
                let by = link.rejected;
                let pairs = [("breaker", by.breaker), ("bulkhead", by.bulkhead), ("rate", by.rate)];
                labelled(family, &link.name, "by", pairs)
            },
        ),
        over(
            links,
            family("ieum_link_fallbacks_total", Counter, "Calls that a fallback answered, by its kind."),
            |family, link| labelled(family, &link.name, "kind", link.fallbacks.clone()),
        ),
        plain(links, family("ieum_link_retries_total", Counter, "Retries that were sent."), |link| {
            Some(link.retries)
        }),
        plain(
            links,
            family("ieum_link_retries_out_of_budget_total", Counter, "Retries the budget did not allow."),
            |link| Some(link.retries_out_of_budget),
        ),
        plain(links, family("ieum_link_retry_budget", Gauge, "Retries that the budget holds."), |link| {
            Some(link.budget)
        }),
        plain(
            links,
            family("ieum_link_hedges_total", Counter, "Second sends beside a slow first one."),
            |link| link.hedges.as_ref().map(|hedges| hedges.sent),
        ),
        plain(
            links,
            family("ieum_link_hedges_won_total", Counter, "Second sends that brought the answer."),
            |link| link.hedges.as_ref().map(|hedges| hedges.won),
        ),
        over(
            links,
            family("ieum_link_hedges_held_total", Counter, "Second sends that were held back, by what."),
            |family, link| match &link.hedges {
                Some(hedges) => labelled(family, &link.name, "by", hedges.held.clone()),
                None => family,
            },
        ),
        plain(links, family("ieum_link_in_flight", Gauge, "Calls under way."), |link| Some(link.in_flight)),
        plain(
            links,
            family("ieum_link_waiting", Gauge, "Calls that wait for a place in the bulkhead."),
            |link| link.waiting.map(|waiting| waiting as u64),
        ),
        over(
            links,
            family("ieum_link_call_seconds", Histogram, "Lengths of calls, retries and waits included."),
            |family, link| {
                let both = [("ok", &link.latency_ok), ("failed", &link.latency_failed)];
                both.into_iter().fold(family, |family, (outcome, seen)| {
                    let labels = [("link", &*link.name), ("outcome", outcome)];
                    family.with_histogram(&labels, &LATENCY_BOUNDS, &seen.buckets, seen.sum_seconds)
                })
            },
        ),
    ]
}

fn breakers(links: &[PolicySnapshot]) -> [Family; 2] {
    let state = Family::new("ieum_link_breaker_state", Gauge, "1 for the state that the breaker is in.");
    let changes =
        Family::new("ieum_link_breaker_changes_total", Counter, "How often the breaker became what.");
    [
        over(links, state, |family, link| {
            let Some(now) = link.breaker.as_ref().map(BreakerState::name) else { return family };
            labelled(
                family,
                &link.name,
                "state",
                BreakerState::NAMES.map(|name| (name, u64::from(name == now))),
            )
        }),
        over(links, changes, |family, link| {
            let Some(counts) = link.breaker_counts else { return family };
            let pairs =
                [("open", counts.opened), ("half-open", counts.half_opened), ("closed", counts.closed)];
            labelled(family, &link.name, "to", pairs)
        }),
    ]
}
