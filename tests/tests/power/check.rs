//! What must hold of a store after a power cut.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use ieum_bus::{BusOptions, Subscription, open_bus};
use ieum_core::system_clock;
use ieum_store::{Store, StoreOptions, Synchronous, Value, migrate, pending};

use crate::schema::{FILLED, ROUNDS, migrations};
use crate::workload::{GROUP, TOPIC, consumer, event, store_url};

type Problem = String;

/// What the process was told is durable before the cut.
#[derive(Debug, Default)]
pub struct Acknowledged {
    events: BTreeSet<String>,
    rows: BTreeSet<String>,
    effects: BTreeSet<String>,
    migrated: Option<usize>,
}

impl Acknowledged {
    pub fn read<'a>(marks: impl Iterator<Item = &'a str>) -> Self {
        let mut told = Self::default();
        for mark in marks {
            let (what, name) = mark.split_once(' ').expect("is a word and a name");
            match what {
                "published" => drop(told.events.insert(name.to_owned())),
                "row" => drop(told.rows.insert(name.to_owned())),
                "effect" => drop(told.effects.insert(name.to_owned())),
                "migrated" => told.migrated = Some(name.parse().expect("is a number")),
                "closed" => {}
                other => panic!("{other} is no mark"),
            }
        }
        told
    }
}

/// Opens the store in `folder` and says what is wrong with it. With `resume` the bus works on there, too.
pub async fn problem(folder: &Path, told: &Acknowledged, resume: bool) -> Result<(), Problem> {
    let options = StoreOptions {
        // The check itself needs no disk.
        sqlite_synchronous: Synchronous::Off,
        pool_size: 2,
        ..StoreOptions::default()
    };
    let store = Store::open(&store_url(folder), &options).await.map_err(said("opening the store"))?;
    let found = check(&store, told, resume).await;
    store.close().await;
    found
}

async fn check(store: &Store, told: &Acknowledged, resume: bool) -> Result<(), Problem> {
    let integrity = texts(store, "PRAGMA integrity_check", "integrity_check").await?;
    expect(integrity == ["ok"], || format!("integrity_check says {integrity:?}"))?;
    if let Some(round) = told.migrated {
        let left = pending(store, &migrations(round)).await.map_err(said("reading the migrations"))?;
        let names: Vec<&str> = left.iter().map(|migration| migration.name).collect();
        expect(names.is_empty(), || format!("acknowledged migrations are gone: {names:?}"))?;
    }
    migrate(store, &migrations(ROUNDS - 1), |_| {}).await.map_err(said("migrating on"))?;
    let filled = texts(store, "SELECT DISTINCT name || number AS name FROM filled", "name").await?.len();
    let count = texts(store, "SELECT name FROM filled", "name").await?.len();
    let wanted = usize::try_from(FILLED).unwrap_or(0) * (ROUNDS - 1);
    expect((filled, count) == (wanted, wanted), || format!("migrations filled {filled} of {count} rows"))?;
    check_data(store, told).await?;
    if resume { work_on(store).await } else { Ok(()) }
}

async fn check_data(store: &Store, told: &Acknowledged) -> Result<(), Problem> {
    let logged = "SELECT event_id FROM ieum_bus_log UNION ALL SELECT event_id FROM ieum_bus_outbox";
    let events = set("events", texts(store, logged, "event_id").await?)?;
    let rows = set("rows", texts(store, "SELECT id FROM cup", "id").await?)?;
    let effects = set("effects", texts(store, "SELECT event_id FROM effect", "event_id").await?)?;
    let marks = set("inbox marks", texts(store, "SELECT event_id FROM ieum_bus_inbox", "event_id").await?)?;
    holds("published events", &told.events, &events)?;
    holds("rows", &told.rows, &rows)?;
    holds("effects", &told.effects, &effects)?;
    holds("effects' events", &effects, &events)?;
    expect(effects == marks, || "effects and inbox marks differ".to_owned())?;
    let of_rows: BTreeSet<String> = events.into_iter().filter(|id| id.starts_with('r')).collect();
    expect(of_rows == rows, || "rows and their events differ".to_owned())
}

/// The bus takes up its work: all that is logged has its effect once.
async fn work_on(store: &Store) -> Result<(), Problem> {
    let options = BusOptions { poll: Duration::from_millis(10), ..BusOptions::default() };
    let bus =
        open_bus("local:", store.clone(), system_clock(), options).await.map_err(said("opening the bus"))?;
    // Whoever held the slots is dead; their leases are of another clock.
    store.execute("UPDATE ieum_bus_slot SET owner = ''", &[]).await.map_err(said("freeing the slots"))?;
    store.execute("DELETE FROM ieum_bus_member", &[]).await.map_err(said("freeing the group"))?;
    bus.publish(TOPIC, event("p-after", "p-after")).await.map_err(said("publishing after the cut"))?;
    let subscribed =
        bus.subscribe(Subscription::new(TOPIC, GROUP), consumer()).await.map_err(said("subscribing"))?;
    let waiting = "SELECT event_id FROM ieum_bus_log WHERE event_id NOT IN (SELECT event_id FROM effect) \
                   UNION ALL SELECT event_id FROM ieum_bus_outbox";
    let done = ieum_testkit::wait::until("all effects", Duration::from_secs(180), async || {
        texts(store, waiting, "event_id").await.is_ok_and(|left| left.is_empty())
    });
    done.await.map_err(said("working on"))?;
    subscribed.drain().await;
    check_data(store, &Acknowledged::default()).await
}

/// Reads a column of text.
pub async fn texts(store: &Store, sql: &str, column: &str) -> Result<Vec<String>, Problem> {
    let none: &[Value] = &[];
    let rows = store.fetch_all(sql, none).await.map_err(said(sql))?;
    rows.iter().map(|row| row.text(column).map_err(said(sql))).collect()
}

fn set(what: &str, names: Vec<String>) -> Result<BTreeSet<String>, Problem> {
    let count = names.len();
    let set: BTreeSet<String> = names.into_iter().collect();
    expect(set.len() == count, || format!("{what} are there twice"))?;
    Ok(set)
}

fn holds(what: &str, told: &BTreeSet<String>, there: &BTreeSet<String>) -> Result<(), Problem> {
    let lost: Vec<&String> = told.difference(there).collect();
    expect(lost.is_empty(), || format!("{} {what} are lost, such as {}", lost.len(), lost[0]))
}

fn expect(holds: bool, otherwise: impl FnOnce() -> Problem) -> Result<(), Problem> {
    if holds { Ok(()) } else { Err(otherwise()) }
}

fn said<E: std::error::Error + 'static>(what: &str) -> impl FnOnce(E) -> Problem {
    move |error| format!("{what}: {}", describe(&error))
}

/// Joins an error with its causes.
pub fn describe(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
