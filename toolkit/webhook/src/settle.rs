//! Writing what came of many attempts in one transaction: the log, the deliveries, the endpoints.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use ieum_core::{Id, Timestamp};
use ieum_store::{Insert, Transaction, Value};

use crate::answer::{Answer, Verdict};
use crate::deliveries::{Claimed, plan_anew};
use crate::endpoint::{DisabledReason, EndpointState};
use crate::endpoints::{self, marks, padded};
use crate::error::{WebhookError, at};
use crate::options::WebhookOptions;
use crate::schedule::Next;

/// What came of a claimed delivery.
pub(crate) enum Report {
    /// An attempt was made.
    Tried(Box<Tried>),
    /// No attempt was made; the endpoint rests until then, where given.
    Released { id: Id, endpoint: Id, rest_until: Option<Timestamp> },
}

/// One attempt and what follows it.
pub(crate) struct Tried {
    pub claimed: Claimed,
    pub at: Timestamp,
    pub ended: Timestamp,
    pub elapsed: Duration,
    pub answer: Answer,
    pub verdict: Verdict,
    pub next: Next,
}

/// An endpoint that was disabled by what came back.
#[derive(Clone, Debug)]
pub(crate) struct Disabled {
    pub endpoint: Id,
    pub reason: DisabledReason,
}

/// Writes all reports and returns which endpoints were disabled by them.
pub(crate) async fn settle(
    tx: &mut Transaction,
    owner: &str,
    reports: &[Report],
    options: &WebhookOptions,
    now: Timestamp,
) -> Result<Vec<Disabled>, WebhookError> {
    let tried: Vec<&Tried> = reports
        .iter()
        .filter_map(|report| match report {
            Report::Tried(tried) => Some(&**tried),
            Report::Released { .. } => None,
        })
        .collect();
    plan_anew(tx).await?;
    write_log(tx, &tried).await?;
    write_delivered(tx, &tried).await?;
    for one in &tried {
        write_undelivered(tx, owner, one).await?;
    }
    release(tx, owner, reports).await?;
    rest_endpoints(tx, reports, options).await?;
    judge_endpoints(tx, &tried, options, now).await
}

async fn write_log(tx: &mut Transaction, tried: &[&Tried]) -> Result<(), WebhookError> {
    let rows = tried.iter().map(|one| {
        let elapsed_ms = i64::try_from(one.elapsed.as_millis()).unwrap_or(i64::MAX);
        vec![
            one.claimed.id.into(),
            i64::from(one.claimed.tries.saturating_add(1)).into(),
            one.at.into(),
            elapsed_ms.into(),
            one.answer.status().into(),
            one.answer.detail().into(),
        ]
    });
    // A delivery whose lease ran out may have been tried elsewhere under the same number.
    Insert::into("ieum_webhook_attempt")
        .columns(["delivery_id", "number", "at_time", "elapsed_ms", "status", "detail"])
        .rows(rows)
        .or_ignore(["delivery_id", "number"])
        .run_in(tx)
        .await
        .map_err(at("writing the delivery log"))?;
    Ok(())
}

async fn write_delivered(tx: &mut Transaction, tried: &[&Tried]) -> Result<(), WebhookError> {
    let mut by_status: BTreeMap<Option<u16>, Vec<&Tried>> = BTreeMap::new();
    for one in tried.iter().filter(|one| one.next == Next::Delivered) {
        by_status.entry(one.answer.status()).or_default().push(one);
    }
    for (status, group) in by_status {
        let last = group.iter().map(|one| one.ended).max().unwrap_or_default();
        let mut listed: Vec<Value> = group.iter().map(|one| Value::from(one.claimed.id)).collect();
        // Whoever holds the lease by now: it did arrive.
        let sql = format!(
            "UPDATE ieum_webhook_delivery SET state = 'delivered', attempts = attempts + 1, tries = tries + 1, \
             lease_until = 0, last_status = ?, finished_at = ? WHERE id IN ({})",
            padded(&mut listed)
        );
        let mut values: Vec<Value> = vec![status.into(), last.into()];
        values.append(&mut listed);
        tx.execute(&sql, &values).await.map_err(at("marking deliveries as delivered"))?;
    }
    Ok(())
}

async fn write_undelivered(tx: &mut Transaction, owner: &str, one: &Tried) -> Result<(), WebhookError> {
    let (state, due_at, finished) = match one.next {
        Next::Delivered => return Ok(()),
        Next::At(time) => ("pending", time, None),
        Next::Gone => ("held", one.ended, None),
        Next::Exhausted => ("exhausted", one.ended, Some(one.ended)),
    };
    let values: Vec<Value> = vec![
        state.into(),
        due_at.into(),
        finished.into(),
        one.answer.status().into(),
        one.claimed.id.into(),
        owner.into(),
    ];
    tx.execute(
        "UPDATE ieum_webhook_delivery SET state = ?, due_at = ?, finished_at = ?, last_status = ?, \
         attempts = attempts + 1, tries = tries + 1, lease_until = 0 \
         WHERE id = ? AND lease_owner = ? AND state = 'pending'",
        &values,
    )
    .await
    .map_err(at("planning the next attempt"))?;
    Ok(())
}

async fn release(tx: &mut Transaction, owner: &str, reports: &[Report]) -> Result<(), WebhookError> {
    let ids: Vec<Id> = reports
        .iter()
        .filter_map(|report| match report {
            Report::Released { id, .. } => Some(*id),
            Report::Tried(_) => None,
        })
        .collect();
    if ids.is_empty() {
        return Ok(());
    }
    let mut values: Vec<Value> = vec![owner.into()];
    values.extend(ids.iter().map(|id| Value::from(*id)));
    let sql = format!(
        "UPDATE ieum_webhook_delivery SET lease_until = 0 WHERE lease_owner = ? AND id IN ({})",
        marks(ids.len())
    );
    tx.execute(&sql, &values).await.map_err(at("giving deliveries back"))?;
    Ok(())
}

/// Leaves endpoints alone that asked for it or whose breaker is open, in every process.
async fn rest_endpoints(
    tx: &mut Transaction,
    reports: &[Report],
    options: &WebhookOptions,
) -> Result<(), WebhookError> {
    let mut rests: BTreeMap<Id, Timestamp> = BTreeMap::new();
    for report in reports {
        let (endpoint, until) = match report {
            Report::Released { endpoint, rest_until: Some(until), .. } => (*endpoint, *until),
            Report::Released { .. } => continue,
            Report::Tried(tried) => match tried.verdict {
                Verdict::Throttled { retry_after } => {
                    let rest =
                        retry_after.unwrap_or(options.throttle).min(options.schedule.longest_retry_after);
                    (tried.claimed.target.endpoint.id, tried.ended + rest)
                }
                _ => continue,
            },
        };
        rests.entry(endpoint).and_modify(|present| *present = (*present).max(until)).or_insert(until);
    }
    for (endpoint, until) in rests {
        tx.execute(
            "UPDATE ieum_webhook_endpoint SET not_before = ? WHERE id = ? AND not_before < ?",
            &[until.into(), endpoint.into(), until.into()],
        )
        .await
        .map_err(at("leaving the endpoint alone"))?;
    }
    Ok(())
}

/// Notes who answers and who fails, and disables who is gone or failed for the whole span.
async fn judge_endpoints(
    tx: &mut Transaction,
    tried: &[&Tried],
    options: &WebhookOptions,
    now: Timestamp,
) -> Result<Vec<Disabled>, WebhookError> {
    let endpoint = |one: &&&Tried| one.claimed.target.endpoint.id;
    let good: BTreeSet<Id> =
        tried.iter().filter(|one| one.verdict.is_good()).map(|one| endpoint(&one)).collect();
    let gone: BTreeSet<Id> =
        tried.iter().filter(|one| one.verdict == Verdict::Gone).map(|one| endpoint(&one)).collect();
    let mut failing: BTreeMap<Id, &Tried> = BTreeMap::new();
    for one in tried.iter().filter(|one| !good.contains(&endpoint(one)) && !gone.contains(&endpoint(one))) {
        failing.entry(endpoint(&one)).or_insert(one);
    }
    clear_failing(tx, &good).await?;
    let mut disabled = Vec::new();
    for id in gone {
        if endpoints::disable(tx, id, DisabledReason::Gone, now).await? {
            disabled.push(Disabled { endpoint: id, reason: DisabledReason::Gone });
        }
    }
    for (id, one) in failing {
        let since = failing_since(tx, id, one.ended).await?;
        if EndpointState::is_given_up(since, options.give_up_after, now)
            && endpoints::disable(tx, id, DisabledReason::Failing, now).await?
        {
            disabled.push(Disabled { endpoint: id, reason: DisabledReason::Failing });
        }
    }
    Ok(disabled)
}

async fn clear_failing(tx: &mut Transaction, good: &BTreeSet<Id>) -> Result<(), WebhookError> {
    if good.is_empty() {
        return Ok(());
    }
    let values: Vec<Value> = good.iter().map(|id| Value::from(*id)).collect();
    let sql = format!(
        "UPDATE ieum_webhook_endpoint SET failing_since = NULL WHERE failing_since IS NOT NULL AND id IN ({})",
        marks(good.len())
    );
    tx.execute(&sql, &values).await.map_err(at("noting that endpoints answer"))?;
    Ok(())
}

async fn failing_since(
    tx: &mut Transaction,
    id: Id,
    now: Timestamp,
) -> Result<Option<Timestamp>, WebhookError> {
    let step = "noting that the endpoint fails";
    tx.execute(
        "UPDATE ieum_webhook_endpoint SET failing_since = ? WHERE id = ? AND failing_since IS NULL",
        &[now.into(), id.into()],
    )
    .await
    .map_err(at(step))?;
    let row = tx
        .fetch_optional("SELECT failing_since FROM ieum_webhook_endpoint WHERE id = ?", &[id.into()])
        .await
        .map_err(at(step))?;
    row.map_or(Ok(None), |row| row.opt_timestamp("failing_since").map_err(at(step)))
}
