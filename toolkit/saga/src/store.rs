//! Queries over sagas.

use std::time::Duration;

use ieum_core::{Fault, Timestamp};
use ieum_store::{Row, Store, StoreError, Transaction, Value};

use crate::error::SagaError;
use crate::rules::{Phase, Place};

const COLUMNS: &str = "id, name, state, phase, step, attempts, fault, trace, due_at, created_at, finished_at";

/// A saga as it is kept.
#[derive(Clone, Debug)]
pub struct Kept {
    pub id: String,
    pub name: String,
    pub state: serde_json::Value,
    pub phase: Phase,
    /// By its name: steps may be added before it in a later version.
    pub step: String,
    pub attempts: u32,
    pub fault: Option<Fault>,
    pub trace: String,
    pub due: Timestamp,
    pub created: Timestamp,
    pub finished: Option<Timestamp>,
}

/// A saga that begins.
pub struct New<'a> {
    pub id: &'a str,
    pub name: &'a str,
    pub state: &'a str,
    pub step: &'a str,
    pub trace: &'a str,
    pub now: Timestamp,
}

/// Keeps a new saga; returns whether it is new.
pub async fn insert(tx: &mut Transaction, new: &New<'_>) -> Result<bool, StoreError> {
    // MySQL counts a row that stays as it is like a new one, so it is asked first.
    let known = tx.fetch_optional("SELECT id FROM ieum_saga WHERE id = ?", &[new.id.into()]).await?;
    if known.is_some() {
        return Ok(false);
    }
    let columns =
        ["id", "name", "state", "phase", "step", "attempts", "trace", "due_at", "lease_until", "created_at"];
    let row: Vec<Value> = vec![
        new.id.into(),
        new.name.into(),
        new.state.into(),
        Phase::Running.name().into(),
        new.step.into(),
        0_i64.into(),
        new.trace.into(),
        new.now.into(),
        0_i64.into(),
        new.now.into(),
    ];
    let insert = ieum_store::Insert::into("ieum_saga").columns(columns).rows([row]);
    Ok(insert.or_ignore(["id"]).run_in(tx).await? > 0)
}

/// Leases sagas named in `names` that are due.
pub async fn claim(
    store: &Store,
    names: &[&str],
    owner: &str,
    most: usize,
    lease: Duration,
    now: Timestamp,
) -> Result<Vec<Kept>, SagaError> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let holes = vec!["?"; names.len()].join(", ");
    let due =
        format!("phase IN ('running', 'undoing') AND due_at <= ? AND lease_until <= ? AND name IN ({holes})");
    let mut values: Vec<Value> = vec![now.into(), now.into()];
    values.extend(names.iter().map(|name| Value::from(*name)));
    // A look costs no writer; most of the time nothing is due.
    if store
        .fetch_optional(&format!("SELECT id FROM ieum_saga WHERE {due} LIMIT 1"), &values)
        .await?
        .is_none()
    {
        return Ok(Vec::new());
    }
    let mut tx = store.begin_write().await?;
    let lock = tx.dialect().limit_for_update_skip_locked();
    let sql = format!("SELECT {COLUMNS} FROM ieum_saga WHERE {due} ORDER BY due_at LIMIT {most}{lock}");
    let rows = tx.fetch_all(&sql, &values).await?;
    for row in &rows {
        let sql = "UPDATE ieum_saga SET lease_owner = ?, lease_until = ? WHERE id = ?";
        tx.execute(sql, &[owner.into(), (now + lease).into(), row.value("id")?.clone()]).await?;
    }
    tx.commit().await?;
    rows.iter().map(read).collect()
}

/// Returns when the next saga named in `names` may be leased: when its step is due and nobody holds it any more.
pub async fn next_due(store: &Store, names: &[&str]) -> Result<Option<Timestamp>, StoreError> {
    if names.is_empty() {
        return Ok(None);
    }
    let holes = vec!["?"; names.len()].join(", ");
    let sql = format!(
        "SELECT MIN(CASE WHEN lease_until > due_at THEN lease_until ELSE due_at END) AS due FROM ieum_saga \
         WHERE phase IN ('running', 'undoing') AND name IN ({holes})"
    );
    let values: Vec<Value> = names.iter().map(|name| Value::from(*name)).collect();
    store.fetch_one(&sql, &values).await?.opt_timestamp("due")
}

/// Extends a lease; returns whether it was still ours.
pub async fn extend(
    store: &Store,
    id: &str,
    owner: &str,
    until: Timestamp,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let sql = "UPDATE ieum_saga SET lease_until = ? WHERE id = ? AND lease_owner = ? AND lease_until > ?";
    Ok(store.execute(sql, &[until.into(), id.into(), owner.into(), now.into()]).await? > 0)
}

/// Keeps where a saga stands now; returns whether the lease was still ours. The lease is given back unless the saga
/// goes on at once.
pub async fn save(
    tx: &mut Transaction,
    kept: &Kept,
    (place, step): (&Place, &str),
    owner: &str,
    until: Option<Timestamp>,
    now: Timestamp,
) -> Result<bool, SagaError> {
    let broken =
        |error: serde_json::Error| SagaError::State { id: kept.id.clone(), message: error.to_string() };
    let state = serde_json::to_string(&kept.state).map_err(broken)?;
    let fault = place.fault.as_ref().map(serde_json::to_string).transpose().map_err(broken)?;
    let finished = place.phase.is_over().then_some(now);
    let sql = "UPDATE ieum_saga SET state = ?, phase = ?, step = ?, attempts = ?, fault = ?, due_at = ?, \
               lease_owner = ?, lease_until = ?, finished_at = ? WHERE id = ? AND lease_owner = ?";
    let holder = until.map(|_| owner.to_owned());
    let values: [Value; 11] = [
        state.into(),
        place.phase.name().into(),
        step.into(),
        i64::from(place.attempts).into(),
        fault.into(),
        place.due.into(),
        holder.into(),
        until.unwrap_or_default().into(),
        finished.into(),
        kept.id.as_str().into(),
        owner.into(),
    ];
    Ok(tx.execute(sql, &values).await? > 0)
}

/// Returns one saga.
pub async fn get(store: &Store, id: &str) -> Result<Option<Kept>, SagaError> {
    let sql = format!("SELECT {COLUMNS} FROM ieum_saga WHERE id = ?");
    store.fetch_optional(&sql, &[id.into()]).await?.as_ref().map(read).transpose()
}

/// Returns sagas, the newest first.
pub async fn list(
    store: &Store,
    name: Option<&str>,
    phase: Option<Phase>,
    most: u32,
) -> Result<Vec<Kept>, SagaError> {
    let mut sql = format!("SELECT {COLUMNS} FROM ieum_saga WHERE 1 = 1");
    let mut values: Vec<Value> = Vec::new();
    if let Some(name) = name {
        sql.push_str(" AND name = ?");
        values.push(name.into());
    }
    if let Some(phase) = phase {
        sql.push_str(" AND phase = ?");
        values.push(phase.name().into());
    }
    sql.push_str(&format!(" ORDER BY created_at DESC, id LIMIT {most}"));
    store.fetch_all(&sql, &values).await?.iter().map(read).collect()
}

/// Makes a stuck saga go on undoing; returns whether it was stuck.
pub async fn resume(store: &Store, id: &str, now: Timestamp) -> Result<bool, StoreError> {
    let sql = "UPDATE ieum_saga SET phase = 'undoing', attempts = 0, due_at = ?, lease_until = 0, finished_at = NULL \
               WHERE id = ? AND phase = 'stuck'";
    Ok(store.execute(sql, &[now.into(), id.into()]).await? > 0)
}

/// Removes sagas that ended before `until`; those that are stuck stay. Returns how many.
pub async fn purge(store: &Store, until: Timestamp) -> Result<u64, StoreError> {
    let sql = "DELETE FROM ieum_saga WHERE phase IN ('done', 'undone') AND finished_at < ?";
    store.execute(sql, &[until.into()]).await
}

fn read(row: &Row) -> Result<Kept, SagaError> {
    let id = row.text("id")?;
    let broken = |message: String| SagaError::State { id: id.clone(), message };
    let phase = row.text("phase")?;
    let found = Phase::ALL.into_iter().find(|known| known.name() == phase);
    let state = serde_json::from_str(&row.text("state")?).map_err(|error| broken(error.to_string()))?;
    let fault = row.opt_text("fault")?.map(|text| serde_json::from_str(&text)).transpose();
    Ok(Kept {
        name: row.text("name")?,
        state,
        phase: found.ok_or_else(|| broken(format!("{phase:?} is no phase")))?,
        step: row.text("step")?,
        attempts: u32::try_from(row.int("attempts")?).unwrap_or(u32::MAX),
        fault: fault.map_err(|error| broken(error.to_string()))?,
        trace: row.text("trace")?,
        due: row.timestamp("due_at")?,
        created: row.timestamp("created_at")?,
        finished: row.opt_timestamp("finished_at")?,
        id,
    })
}
