//! The ledger says what a query over all scans says, whatever came in which order.

use std::time::Duration;

use ieum_store::{Insert, Store, StoreOptions, migrate};
use ieum_testkit::backend::SqlStore;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::*;
use crate::EventsPart;
use crate::facts::{OrderFacts, PositionFact};

const EVENT: &str = "expo";

fn profile() -> Profile {
    Profile { list_id: 7, list_name: "main".into(), ..Profile::default() }
}

async fn opened(base: &SqlStore) -> Store {
    let store = Store::open(&base.url, &StoreOptions::default()).await.expect("opens");
    migrate(&store, &EventsPart::migrations(), |_| {}).await.expect("migrates");
    store
}

fn scan(id: i64, position_id: i64, minute: u32, is_exit: bool, gate: u8, list_id: i64) -> CheckinFact {
    CheckinFact {
        id,
        position_id,
        list_id,
        is_exit,
        scanned_at: Timestamp::from_seconds(i64::from(minute) * 60 + id % 60),
        gate: (gate > 0).then(|| format!("g{gate}")),
    }
}

/// Pages of few orders, tickets and scans, so that they meet again and again.
fn pages() -> impl Strategy<Value = Vec<Batch>> {
    let checkin = (1_i64..60, 1_i64..12, 0_u32..400, any::<bool>(), 0_u8..4, 7_i64..9)
        .prop_map(|(id, position, minute, exit, gate, list)| scan(id, position, minute, exit, gate, list));
    let order = (0_i64..4, "[pnec]", any::<bool>(), prop::collection::vec(checkin.clone(), 0..6)).prop_map(
        |(order, status, canceled, scans)| {
            let position = |id: i64| PositionFact {
                id,
                item: id % 3,
                subevent: None,
                canceled: canceled && id % 2 == 0,
                checkins: scans.iter().filter(|scan| scan.position_id == id).cloned().collect(),
            };
            OrderFacts {
                code: format!("O{order}"),
                status,
                valid_if_pending: canceled,
                positions: (order * 3 + 1..=order * 3 + 3).map(position).collect(),
            }
        },
    );
    let page = (
        prop::collection::vec(order, 0..3),
        prop::collection::vec(checkin, 0..5),
        prop::collection::vec(1_i64..60, 0..3),
        prop::option::of(0_i64..4),
        any::<bool>(),
    )
        .prop_map(|(orders, checkins, void_checkins, gone, scans_apart)| Batch {
            orders,
            checkins,
            void_checkins,
            gone_orders: gone.map(|order| format!("O{order}")).into_iter().collect(),
            scans_apart,
            ..Batch::default()
        });
    prop::collection::vec(page, 1..8)
}

/// What all scans come to, by one query over all of them.
async fn by_query(tx: &mut Transaction) -> Vec<(String, i64, i64, i64)> {
    let sql = "SELECT gate, MAX(scanned_at) AS last_at, COUNT(CASE WHEN is_exit = ? THEN 1 END) AS entered, \
               COUNT(CASE WHEN is_exit = ? THEN 1 END) AS departed FROM ieum_events_checkin \
               WHERE event_id = ? AND list_id = ? GROUP BY gate ORDER BY gate";
    let rows = tx.fetch_all(sql, &[false.into(), true.into(), EVENT.into(), 7_i64.into()]).await;
    let mut gates: Vec<_> = rows
        .expect("counts")
        .iter()
        .map(|row| {
            let number = |name| row.int(name).expect("is a number");
            let gate = row.opt_text("gate").expect("is text").unwrap_or_default();
            (gate, number("entered"), number("departed"), number("last_at"))
        })
        .collect();
    gates.sort();
    gates
}

async fn compare(tx: &mut Transaction) {
    let tally = tally::fetch(tx, EVENT).await.expect("reads").expect("is there");
    let all = apply::count(tx, EVENT, &profile(), None).await.expect("counts");
    assert_eq!(tally.totals, all);
    let gates = tally::totals(tx, EVENT).await.expect("reads");
    let gates: Vec<_> = gates
        .into_iter()
        .map(|gate| (gate.gate, gate.entered, gate.left, gate.last_at.as_micros()))
        .collect();
    assert_eq!(gates, by_query(tx).await);
    assert_eq!(tally.entered, gates.iter().map(|gate| gate.1).sum::<i64>());
    assert_eq!(tally.left, gates.iter().map(|gate| gate.2).sum::<i64>());
    // Minutes and stays, against a ledger that is made anew.
    let now = Timestamp::from_seconds(500 * 60);
    let kept = (tally::minutes(tx, EVENT, 0, 1_000).await.expect("reads"), stays(tx, now).await);
    tally::forget(tx, EVENT).await.expect("forgets");
    current(tx, EVENT, &profile()).await.expect("is made");
    let made = (tally::minutes(tx, EVENT, 0, 1_000).await.expect("reads"), stays(tx, now).await);
    assert_eq!(kept, made);
}

async fn stays(tx: &mut Transaction, now: Timestamp) -> Vec<Vec<f64>> {
    let stays = tally::stays(tx, EVENT, now).await.expect("reads");
    let shortened = |mut people: Vec<f64>| {
        while people.last() == Some(&0.0) {
            people.pop();
        }
        people
    };
    [stays.closed, stays.missed, stays.open].map(shortened).into()
}

async fn the_ledger_says_what_the_query_over_all_scans_says(base: &SqlStore) {
    let store = opened(base).await;
    let mut runner = TestRunner::deterministic();
    for case in 0..12 {
        let pages = pages().new_tree(&mut runner).expect("makes pages").current();
        let mut tx = store.begin_write().await.expect("begins");
        for table in ["ieum_events_checkin", "ieum_events_order_position"] {
            tx.execute(&format!("DELETE FROM {table}"), &[]).await.expect("empties");
        }
        tally::forget(&mut tx, EVENT).await.expect("forgets");
        current(&mut tx, EVENT, &profile()).await.expect("is made");
        for (i, page) in pages.iter().enumerate() {
            apply::apply(&mut tx, EVENT, 1, page)
                .await
                .unwrap_or_else(|fault| panic!("{case}, {i}: {fault}"));
            compare(&mut tx).await;
        }
        tx.commit().await.expect("commits");
    }
}

#[tokio::test]
async fn the_ledger_says_what_the_query_says_on_sqlite() {
    the_ledger_says_what_the_query_over_all_scans_says(&SqlStore::sqlite()).await;
}

#[tokio::test]
#[ignore = "needs postgres"]
async fn the_ledger_says_what_the_query_says_on_postgres() {
    let Some(base) = SqlStore::on("postgres").await else { return };
    the_ledger_says_what_the_query_over_all_scans_says(&base).await;
    base.clean_up().await;
}

#[tokio::test]
#[ignore = "needs mysql"]
async fn the_ledger_says_what_the_query_says_on_mysql() {
    let Some(base) = SqlStore::on("mysql").await else { return };
    the_ledger_says_what_the_query_over_all_scans_says(&base).await;
    base.clean_up().await;
}

/// Fills the tables with people who came and left at ten gates over eight hours.
async fn fill(store: &Store, people: i64) {
    for first in (0..people).step_by(5_000) {
        let range = first..(first + 5_000).min(people);
        let mut tx = store.begin_write().await.expect("begins");
        let tickets = range.clone().map(|id| {
            let code = format!("O{id}");
            vec![
                EVENT.into(),
                id.into(),
                code.into(),
                "p".into(),
                false.into(),
                1_i64.into(),
                Value::Null,
                false.into(),
                1_i64.into(),
            ]
        });
        let columns = [
            "event_id",
            "position_id",
            "order_code",
            "order_status",
            "valid_if_pending",
            "item",
            "subevent",
            "canceled",
            "generation",
        ];
        let insert =
            Insert::into("ieum_events_order_position").columns(columns).rows(tickets.collect::<Vec<_>>());
        insert.run_in(&mut tx).await.expect("inserts");
        let scans =
            range.flat_map(|id| [(2 * id, id, false), (2 * id + 1, id, true)]).map(|(scan, id, exit)| {
                let at = Timestamp::from_seconds(id % 28_800 + if exit { 5_400 } else { 0 });
                vec![
                    EVENT.into(),
                    scan.into(),
                    id.into(),
                    7_i64.into(),
                    exit.into(),
                    at.into(),
                    format!("g{}", id % 10).into(),
                    1_i64.into(),
                ]
            });
        let columns = [
            "event_id",
            "checkin_id",
            "position_id",
            "list_id",
            "is_exit",
            "scanned_at",
            "gate",
            "generation",
        ];
        let insert = Insert::into("ieum_events_checkin").columns(columns).rows(scans.collect::<Vec<_>>());
        insert.run_in(&mut tx).await.expect("inserts");
        tx.commit().await.expect("commits");
    }
}

/// Takes single scans in and counts, and returns the statements and the time that each took.
async fn cost(store: &Store, first_id: i64, people: i64) -> (u64, Duration) {
    const SCANS: i64 = 50;
    let before = store.statistics().statements;
    let clock = ieum_core::system_clock();
    let begun = clock.moment();
    for i in 0..SCANS {
        let scan = scan(first_id + i, people / SCANS * i, 540, false, 1, 7);
        let page = Batch { checkins: vec![scan], ..Batch::default() };
        let mut tx = store.begin_write().await.expect("begins");
        apply::apply(&mut tx, EVENT, 1, &page).await.expect("applies");
        let figures = apply::figures(&mut tx, EVENT, &profile(), None, Timestamp::from_seconds(32_400)).await;
        assert!(figures.expect("counts").0.current_attendees > 0);
        tx.commit().await.expect("commits");
    }
    ((store.statistics().statements - before) / SCANS as u64, clock.moment().since(begun) / SCANS as u32)
}

#[tokio::test]
async fn one_more_scan_takes_as_many_statements_over_indexes_however_many_there_are() {
    let mut seen = Vec::new();
    for people in [500, 10_000] {
        let base = SqlStore::sqlite();
        let store = opened(&base).await;
        fill(&store, people).await;
        let mut tx = store.begin_write().await.expect("begins");
        current(&mut tx, EVENT, &profile()).await.expect("is made");
        tx.commit().await.expect("commits");
        let (statements, each) = cost(&store, 2 * people, people).await;
        println!("{} scans: {statements} statements, {each:?} for one more", 2 * people);
        seen.push(statements);
        let mut tx = store.begin_write().await.expect("begins");
        compare(&mut tx).await;
        tx.commit().await.expect("commits");
    }
    assert_eq!(seen[0], seen[1]);
}

/// The same with as many scans as a large fair has in a day; prints what it took.
#[tokio::test]
#[ignore = "takes a minute: 200,000 scans"]
async fn one_scan_among_two_hundred_thousand_costs_what_it_costs_among_a_thousand() {
    for people in [500, 100_000] {
        let base = SqlStore::sqlite();
        let store = opened(&base).await;
        fill(&store, people).await;
        let mut tx = store.begin_write().await.expect("begins");
        current(&mut tx, EVENT, &profile()).await.expect("is made");
        tx.commit().await.expect("commits");
        let (statements, each) = cost(&store, 2 * people, people).await;
        let clock = ieum_core::system_clock();
        let mut tx = store.begin_write().await.expect("begins");
        let begun = clock.moment();
        apply::count(&mut tx, EVENT, &profile(), None).await.expect("counts");
        by_query(&mut tx).await;
        let all = clock.moment().since(begun);
        tx.rollback().await.expect("ends");
        println!(
            "{} scans: {statements} statements, {each:?} for one more; {all:?} by the query over all",
            2 * people
        );
    }
}
