//! The cases every SQL backend must pass.

use std::sync::Arc;
use std::time::Duration;

use ieum_core::{Fault, Timestamp, new_id};
use ieum_store::{
    ConstraintKind, Dialect, Insert, Migration, MigrationError, Store, StoreError, StoreOptions, Value,
    migrate, pending,
};

use ieum_testkit::wait::until;

use crate::backend::Backend;
pub use crate::sealed::a_column_moves_to_the_first_key_from_clear_and_from_an_older_one;

async fn store_with_cups(backend: &Backend) -> Store {
    let store = backend.store().await;
    make_cups(&store).await;
    store
}

async fn make_cups(store: &Store) {
    let types = store.dialect().types();
    let sql = format!(
        "CREATE TABLE cups (id {} NOT NULL PRIMARY KEY, taste {}, count {} NOT NULL DEFAULT 0)",
        types.key, types.text, types.int
    );
    store.execute(&sql, &[]).await.expect("makes the table");
}

async fn count(store: &Store) -> i64 {
    let row = store.fetch_one("SELECT COUNT(*) AS n FROM cups", &[]).await.expect("counts");
    row.int("n").expect("is a count")
}

const ADD: &str = "INSERT INTO cups (id, taste) VALUES (?, ?)";

pub async fn values_of_every_type_come_back_as_they_went_in(backend: &Backend) {
    let store = backend.store().await;
    let types = store.dialect().types();
    let sql = format!(
        "CREATE TABLE things (id {}, n {}, f {}, b {}, t {}, k {}, x {}, j {}, at {})",
        types.serial_primary_key,
        types.int,
        types.float,
        types.bool,
        types.text,
        types.key,
        types.bytes,
        types.json,
        types.timestamp
    );
    store.execute(&sql, &[]).await.expect("makes the table");
    let blob: Vec<u8> = (0..1_048_576_u32).map(|i| (i * 31 % 251) as u8).collect();
    let long = "가나다 👩‍👩‍👧 ".repeat(10_000);
    let rows: Vec<[Value; 8]> = vec![
        [
            i64::MAX.into(),
            f64::MIN_POSITIVE.into(),
            true.into(),
            "이음 ☕️ 👩‍🔬".into(),
            "열쇠".into(),
            blob.clone().into(),
            serde_json::json!({"맛": [1, null]}).into(),
            Timestamp::from_micros(i64::MAX).into(),
        ],
        [
            i64::MIN.into(),
            (-1.5e300).into(),
            false.into(),
            "".into(),
            "'\"`\\;--".into(),
            Vec::new().into(),
            "[]".into(),
            Timestamp::from_micros(-1).into(),
        ],
        [
            0_i64.into(),
            0.1.into(),
            true.into(),
            long.as_str().into(),
            " end ".into(),
            vec![0, 255].into(),
            "\"\\u0000\"".into(),
            Timestamp::default().into(),
        ],
        std::array::from_fn(|_| Value::Null),
    ];
    let insert = "INSERT INTO things (n, f, b, t, k, x, j, at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
    for row in &rows {
        store.execute(insert, row).await.expect("saves");
    }
    let many = Insert::into("things").columns(["n", "f", "b", "t", "k", "x", "j", "at"]);
    many.rows(rows.iter().map(|row| row.to_vec())).run(&store).await.expect("saves all at once");
    let read = store.fetch_all("SELECT * FROM things ORDER BY id", &[]).await.expect("reads");
    assert_eq!(read.len(), 2 * rows.len());
    for (row, wanted) in read.iter().zip(rows.iter().chain(&rows)) {
        assert_eq!(Value::from(row.opt_int("n").expect("n")), wanted[0]);
        assert_eq!(Value::from(row.opt_float("f").expect("f")), wanted[1]);
        assert_eq!(Value::from(row.opt_bool("b").expect("b")), wanted[2]);
        assert_eq!(Value::from(row.opt_text("t").expect("t")), wanted[3]);
        assert_eq!(Value::from(row.opt_text("k").expect("k")), wanted[4]);
        assert_eq!(Value::from(row.opt_bytes("x").expect("x")), wanted[5]);
        assert_eq!(Value::from(row.opt_text("j").expect("j")), wanted[6]);
        assert_eq!(Value::from(row.opt_timestamp("at").expect("at")), wanted[7]);
    }
    assert!(matches!(read[3].int("n"), Err(StoreError::Column { .. })), "null is no number");
    let by_key = store.fetch_one("SELECT id FROM things WHERE k = ?", &["열쇠".into()]).await.expect("finds");
    assert!(by_key.int("id").expect("id") > 0);
}

pub async fn sums_and_averages_are_numbers(backend: &Backend) {
    let store = store_with_cups(backend).await;
    Insert::into("cups")
        .columns(["id", "count"])
        .rows((1..=4_i64).map(|n| vec![n.to_string().into(), n.into()]))
        .run(&store)
        .await
        .expect("saves");
    let row = store
        .fetch_one("SELECT SUM(count) AS s, AVG(count) AS a, MAX(count) AS m FROM cups", &[])
        .await
        .expect("adds up");
    assert_eq!(row.int("s").expect("s"), 10);
    assert!((row.float("a").expect("a") - 2.5).abs() < 1e-9);
    assert_eq!(row.int("m").expect("m"), 4);
}

pub async fn a_parameter_keeps_its_type_when_a_statement_is_used_again(backend: &Backend) {
    let store = backend.store().await;
    let types = store.dialect().types();
    store
        .execute(&format!("CREATE TABLE marks (id {}, f {})", types.serial_primary_key, types.float), &[])
        .await
        .expect("makes the table");
    let values = [Value::Null, Value::Int(3), Value::Float(0.25), Value::Null, Value::Int(-7)];
    for value in &values {
        store.execute("INSERT INTO marks (f) VALUES (?)", std::slice::from_ref(value)).await.expect("saves");
    }
    let read: Vec<Option<f64>> = store
        .fetch_all("SELECT f FROM marks ORDER BY id", &[])
        .await
        .expect("reads")
        .iter()
        .map(|row| row.opt_float("f").expect("f"))
        .collect();
    assert_eq!(read, [None, Some(3.0), Some(0.25), None, Some(-7.0)]);
}

pub async fn a_question_mark_in_quotes_or_comments_is_no_placeholder(backend: &Backend) {
    let store = backend.store().await;
    let sql = "SELECT 'what? it''s ?' AS a, /* ? */ ? AS b -- why?\n";
    let row = store.fetch_one(sql, &["맛?".into()]).await.expect("reads");
    assert_eq!(row.text("a").expect("a"), "what? it's ?");
    assert_eq!(row.text("b").expect("b"), "맛?");
}

pub async fn a_wrong_number_of_values_is_refused(backend: &Backend) {
    let store = store_with_cups(backend).await;
    for values in [vec![], vec!["1".into()], vec!["1".into(), "2".into(), "3".into()]] {
        let error = store.execute(ADD, &values).await.expect_err("is refused");
        assert!(matches!(error, StoreError::Parameters { holes: 2, .. }), "{error}");
    }
    assert_eq!(count(&store).await, 0);
}

pub async fn a_hostile_value_stays_a_value(backend: &Backend) {
    let store = store_with_cups(backend).await;
    let hostile = "'); DROP TABLE cups; -- \\' OR 1=1";
    store.execute(ADD, &["1".into(), hostile.into()]).await.expect("saves");
    let row =
        store.fetch_one("SELECT taste FROM cups WHERE taste = ?", &[hostile.into()]).await.expect("finds");
    assert_eq!(row.text("taste").expect("taste"), hostile);
    let error =
        Insert::into("cups; DROP TABLE cups").columns(["id"]).rows([vec![1_i64.into()]]).run(&store).await;
    assert!(matches!(error, Err(StoreError::Identifier { .. })));
}

pub async fn a_dropped_transaction_leaves_nothing(backend: &Backend) {
    let store = store_with_cups(backend).await;
    let mut transaction = store.begin().await.expect("begins");
    transaction.execute(ADD, &["1".into(), "sweet".into()]).await.expect("saves");
    drop(transaction);
    let mut transaction = store.begin().await.expect("begins");
    transaction.execute(ADD, &["2".into(), "sour".into()]).await.expect("saves");
    transaction.rollback().await.expect("undoes");
    let mut transaction = store.begin().await.expect("begins");
    transaction.execute(ADD, &["3".into(), "salty".into()]).await.expect("saves");
    transaction.execute("INSERT INTO nowhere (id) VALUES (1)", &[]).await.expect_err("has no such table");
    drop(transaction);
    assert_eq!(count(&store).await, 0);
}

pub async fn a_transaction_with_a_failed_statement_can_only_be_undone(backend: &Backend) {
    let store = store_with_cups(backend).await;
    store.execute(ADD, &["1".into(), "sweet".into()]).await.expect("saves");
    let mut transaction = store.begin().await.expect("begins");
    transaction.execute(ADD, &["2".into(), "sour".into()]).await.expect("saves");
    transaction.execute(ADD, &["1".into(), "sour".into()]).await.expect_err("is taken");
    let error = transaction.execute(ADD, &["3".into(), "salty".into()]).await.expect_err("is over");
    assert!(matches!(error, StoreError::TransactionFailed { .. }), "{error:?}");
    let error = transaction.commit().await.expect_err("cannot commit");
    assert!(matches!(error, StoreError::TransactionFailed { .. }), "{error:?}");
    assert_eq!(count(&store).await, 1);
    store.execute(ADD, &["2".into(), "sour".into()]).await.expect("the store goes on");
}

pub async fn a_committed_transaction_is_seen_by_others(backend: &Backend) {
    let store = store_with_cups(backend).await;
    let mut transaction = store.begin_write().await.expect("begins");
    transaction.execute(ADD, &["1".into(), "sweet".into()]).await.expect("saves");
    let own = transaction.fetch_one("SELECT COUNT(*) AS n FROM cups", &[]).await.expect("counts");
    assert_eq!(own.int("n").expect("n"), 1, "a transaction sees its own changes");
    if !backend.has_one_connection() {
        assert_eq!(count(&store).await, 0, "nobody else sees them yet");
    }
    transaction.commit().await.expect("commits");
    assert_eq!(count(&store).await, 1);
}

pub async fn a_reading_transaction_cannot_write(backend: &Backend) {
    if backend.has_one_connection() {
        return;
    }
    let store = store_with_cups(backend).await;
    let mut reading = store.begin_read().await.expect("begins");
    let counted = |row: ieum_store::Row| row.int("n").expect("n");
    let before = reading.fetch_one("SELECT COUNT(*) AS n FROM cups", &[]).await.map(counted).expect("counts");
    store.execute(ADD, &["1".into(), "sweet".into()]).await.expect("saves beside the reader");
    let after = reading.fetch_one("SELECT COUNT(*) AS n FROM cups", &[]).await.map(counted).expect("counts");
    assert_eq!((before, after), (0, 0), "a reader sees one state throughout");
    reading.execute(ADD, &["2".into(), "sour".into()]).await.expect_err("may not write");
    drop(reading);
    assert_eq!(count(&store).await, 1);
    store.execute(ADD, &["2".into(), "sour".into()]).await.expect("may write again");
}

pub async fn many_writers_lose_no_update(backend: &Backend) {
    let store = store_with_cups(backend).await;
    store.execute(ADD, &["1".into(), "sweet".into()]).await.expect("saves");
    let other = if backend.has_one_connection() { store.clone() } else { backend.store().await };
    let mut writers = Vec::new();
    for writer in 0..8 {
        let store = if writer % 2 == 0 { store.clone() } else { other.clone() };
        writers.push(tokio::spawn(async move {
            for _ in 0..20 {
                let mut transaction = store.begin().await.expect("begins");
                let sql = format!("SELECT count FROM cups WHERE id = ?{}", store.dialect().for_update());
                let row = transaction.fetch_one(&sql, &["1".into()]).await.expect("reads");
                let next = row.int("count").expect("count") + 1;
                transaction
                    .execute("UPDATE cups SET count = ? WHERE id = ?", &[next.into(), "1".into()])
                    .await
                    .expect("changes");
                transaction.commit().await.expect("commits");
            }
        }));
    }
    for writer in writers {
        writer.await.expect("no writer fails");
    }
    let row = store.fetch_one("SELECT count FROM cups", &[]).await.expect("reads");
    assert_eq!(row.int("count").expect("count"), 160);
}

pub async fn a_taken_key_is_a_unique_violation(backend: &Backend) {
    let store = store_with_cups(backend).await;
    store.execute(ADD, &["1".into(), "sweet".into()]).await.expect("saves");
    store.execute(ADD, &["A".into(), "sweet".into()]).await.expect("saves");
    store.execute(ADD, &["a".into(), "sweet".into()]).await.expect("keys differ by case");
    let error = store.execute(ADD, &["1".into(), "sour".into()]).await.expect_err("is taken");
    assert!(error.is_unique_violation() && !error.is_retryable(), "{error:?}");
    assert_eq!(Fault::from(error).reason, "store.duplicate");
}

pub async fn each_constraint_has_its_kind(backend: &Backend) {
    let store = store_with_cups(backend).await;
    let types = store.dialect().types();
    let sql = format!(
        "CREATE TABLE spoons (cup {key} NOT NULL, size {int} NOT NULL, CHECK (size > 0), \
         FOREIGN KEY (cup) REFERENCES cups (id))",
        key = types.key,
        int = types.int
    );
    store.execute(&sql, &[]).await.expect("makes the table");
    store.execute(ADD, &["1".into(), "sweet".into()]).await.expect("saves");
    let add = "INSERT INTO spoons (cup, size) VALUES (?, ?)";
    for (cup, size, wanted) in [
        (Value::from("nowhere"), Value::from(1_i64), ConstraintKind::ForeignKey),
        ("1".into(), Value::Null, ConstraintKind::NotNull),
        ("1".into(), (-1_i64).into(), ConstraintKind::Check),
    ] {
        let error = store.execute(add, &[cup, size]).await.expect_err("is refused");
        assert!(
            matches!(&error, StoreError::Constraint { kind, .. } if *kind == wanted),
            "{wanted:?}: {error:?}"
        );
    }
}

pub async fn an_upsert_changes_the_row_that_is_there(backend: &Backend) {
    let store = store_with_cups(backend).await;
    let sql = store.dialect().upsert("cups", &["id"], &["id", "taste"]);
    for taste in ["sweet", "sour"] {
        store.execute(&sql, &["1".into(), taste.into()]).await.expect("saves");
    }
    let rows = [vec!["1".into(), "salty".into()], vec!["2".into(), "bitter".into()]];
    let insert = Insert::into("cups").columns(["id", "taste"]).rows(rows);
    insert.clone().or_ignore(["id"]).run(&store).await.expect("saves");
    let taste = |id: &'static str| {
        let store = store.clone();
        async move {
            let row =
                store.fetch_one("SELECT taste FROM cups WHERE id = ?", &[id.into()]).await.expect("reads");
            row.text("taste").expect("taste")
        }
    };
    assert_eq!((taste("1").await.as_str(), taste("2").await.as_str()), ("sour", "bitter"));
    insert.or_update(["id"]).run(&store).await.expect("saves");
    assert_eq!((taste("1").await.as_str(), count(&store).await), ("salty", 2));
}

pub async fn an_insert_tells_which_rows_it_added(backend: &Backend) {
    let store = store_with_cups(backend).await;
    let mut transaction = store.begin().await.expect("begins");
    transaction.execute(ADD, &["2".into(), "sweet".into()]).await.expect("saves");
    for wanted in [["1", "3"].as_slice(), &[]] {
        // One name stands in it twice.
        let rows = ["1", "2", "3", "3"].map(|id| vec![id.into(), "sour".into()]);
        let insert = Insert::into("cups").columns(["id", "taste"]).rows(rows).or_ignore(["id"]);
        let added = insert.run_returning(&mut transaction, &["id"]).await;
        if !store.dialect().returns_inserted() {
            assert!(matches!(added, Err(StoreError::Value(_))), "{added:?}");
            return;
        }
        let added = added.expect("saves");
        let ids: Vec<String> = added.iter().map(|row| row.text("id").expect("id")).collect();
        assert_eq!(ids, wanted);
    }
}

pub async fn a_batch_beyond_the_parameter_limit_arrives_whole(backend: &Backend) {
    let store = store_with_cups(backend).await;
    let rows = (0..30_000_i64).map(|n| {
        let taste = if n % 3 == 0 { Value::Null } else { format!("맛 {n}").into() };
        vec![format!("{n:05}").into(), taste, n.into()]
    });
    let added = Insert::into("cups").columns(["id", "taste", "count"]).rows(rows).run(&store).await;
    assert_eq!(added.expect("saves"), 30_000);
    let row = store
        .fetch_one("SELECT taste, count FROM cups WHERE id = ?", &["29999".into()])
        .await
        .expect("reads");
    assert_eq!(
        (row.text("taste").expect("taste").as_str(), row.int("count").expect("count")),
        ("맛 29999", 29_999)
    );
    assert_eq!(count(&store).await, 30_000);
}

fn outbox(dialect: Dialect) -> Vec<String> {
    let types = dialect.types();
    vec![
        format!("CREATE TABLE outbox (id {} NOT NULL PRIMARY KEY, body {})", types.id, types.json),
        format!("ALTER TABLE outbox ADD COLUMN sent_at {}", types.timestamp),
    ]
}

fn index(_: Dialect) -> Vec<String> {
    vec!["CREATE INDEX outbox_sent ON outbox (sent_at)".to_owned()]
}

fn other_index(_: Dialect) -> Vec<String> {
    vec!["CREATE INDEX outbox_sent ON outbox (id)".to_owned()]
}

const OUTBOX: Migration = Migration { name: "0001_outbox", owner: "bus", up: outbox };
const INDEX: Migration = Migration { name: "0002_index", owner: "bus", up: index };

pub async fn migrations_apply_once_and_in_order(backend: &Backend) {
    let store = backend.store().await;
    let mut seen = Vec::new();
    let report = migrate(&store, &[OUTBOX, INDEX], |step| seen.push((step.name, step.position, step.total)))
        .await
        .expect("migrates");
    assert_eq!(seen, [("0001_outbox", 1, 2), ("0002_index", 2, 2)]);
    assert_eq!((report.applied.len(), report.present), (2, 0));
    let id = new_id();
    store
        .execute("INSERT INTO outbox (id, sent_at) VALUES (?, ?)", &[id.into(), Value::Null])
        .await
        .expect("saves");
    let report =
        migrate(&store, &[OUTBOX, INDEX], |step| panic!("{step:?} runs again")).await.expect("migrates");
    assert_eq!((report.applied.len(), report.present), (0, 2));
}

pub async fn a_changed_migration_is_refused(backend: &Backend) {
    let store = backend.store().await;
    migrate(&store, &[OUTBOX, INDEX], |_| {}).await.expect("migrates");
    let changed = Migration { up: other_index, ..INDEX };
    let error = migrate(&store, &[OUTBOX, changed], |_| {}).await.expect_err("is refused");
    assert!(matches!(error, MigrationError::Changed { .. }));
    assert!(
        error.to_string().starts_with("migration bus/0002_index was applied with another content"),
        "{error}"
    );
    assert!(pending(&store, &[OUTBOX, changed]).await.is_err());
    let twice = migrate(&store, &[OUTBOX, OUTBOX], |_| {}).await.expect_err("is refused");
    assert!(matches!(twice, MigrationError::Twice { .. }));
}

pub async fn two_migrators_at_once_apply_once(backend: &Backend) {
    let first = backend.store().await;
    let mut runs = Vec::new();
    for _ in 0..4 {
        let store = if backend.has_one_connection() { first.clone() } else { backend.store().await };
        runs.push(tokio::spawn(async move { migrate(&store, &[OUTBOX, INDEX], |_| {}).await }));
    }
    let mut applied = 0;
    for run in runs {
        applied += run.await.expect("runs").expect("migrates").applied.len();
    }
    assert_eq!(applied, 2);
    let rows = first.fetch_all("SELECT name FROM ieum_migrations", &[]).await.expect("reads");
    assert_eq!(rows.len(), 2);
}

fn two_steps(dialect: Dialect) -> Vec<String> {
    let types = dialect.types();
    vec![
        format!("CREATE TABLE first (id {} NOT NULL PRIMARY KEY)", types.id),
        "INSERT INTO needed (id) VALUES ('1')".to_owned(),
    ]
}

pub async fn a_failed_migration_can_be_repaired_and_continues(backend: &Backend) {
    let store = backend.store().await;
    let migration = Migration { name: "0001_steps", owner: "tests", up: two_steps };
    let error = migrate(&store, &[migration], |_| {}).await.expect_err("needs a table");
    assert!(matches!(error, MigrationError::Statement { statement: 2, .. }), "{error}");
    let left_behind = store.fetch_all("SELECT id FROM first", &[]).await.is_ok();
    assert_ne!(left_behind, store.capabilities().transactional_migrations, "as the capability says");
    let types = store.dialect().types();
    let sql = format!("CREATE TABLE needed (id {} NOT NULL PRIMARY KEY)", types.id);
    store.execute(&sql, &[]).await.expect("repairs");
    let report = migrate(&store, &[migration], |_| {}).await.expect("continues");
    assert_eq!(report.applied.len(), 1);
    assert_eq!(store.fetch_all("SELECT id FROM needed", &[]).await.expect("reads").len(), 1);
}

pub async fn a_dry_run_changes_nothing(backend: &Backend) {
    let store = backend.store().await;
    let todo = pending(&store, &[OUTBOX, INDEX]).await.expect("looks");
    assert_eq!(todo.iter().map(|step| step.name).collect::<Vec<_>>(), ["0001_outbox", "0002_index"]);
    assert!(todo[0].statements[0].starts_with("CREATE TABLE outbox"));
    store.fetch_all("SELECT * FROM ieum_migrations", &[]).await.expect_err("no table was made");
    migrate(&store, &[OUTBOX], |_| {}).await.expect("migrates");
    let todo = pending(&store, &[OUTBOX, INDEX]).await.expect("looks");
    assert_eq!(todo.len(), 1);
}

pub async fn a_newer_builds_migrations_are_reported(backend: &Backend) {
    let store = backend.store().await;
    migrate(&store, &[OUTBOX, INDEX], |_| {}).await.expect("migrates");
    let report = migrate(&store, &[OUTBOX], |_| {}).await.expect("an older build may still start");
    assert_eq!(report.unknown, ["bus/0002_index"]);
}

pub async fn an_exhausted_pool_says_so(backend: &Backend) {
    let options =
        StoreOptions { pool_size: 1, acquire_timeout: Duration::from_secs(2), ..Backend::options() };
    let store = backend.store_with(&options).await;
    let holder = store.begin().await.expect("begins");
    let error = store.begin().await.map(drop).expect_err("has no connection left");
    let StoreError::PoolExhausted { size: 1, waited, .. } = &error else { panic!("{error:?}") };
    assert!(*waited >= Duration::from_millis(1_900) && error.is_retryable(), "{error}");
    assert!(error.to_string().contains("one of 1 connections"), "{error}");
    let statistics = store.statistics();
    assert!(statistics.waits >= 1 && statistics.waited_micros >= 1_900_000, "{statistics:?}");
    assert_eq!(statistics.wait_timeouts, 1);
    drop(holder);
    let again = || async { store.begin().await.is_ok() };
    until("it begins again", Duration::from_secs(60), again).await.expect("begins again");
}

pub async fn a_closed_store_says_so(backend: &Backend) {
    let store = backend.store().await;
    store.ping().await.expect("answers");
    store.close().await;
    let error = store.ping().await.expect_err("is closed");
    assert!(matches!(error, StoreError::Closed { .. }), "{error:?}");
}

pub async fn a_fault_holds_no_sql_and_no_address(backend: &Backend) {
    let store = backend.store().await;
    let error = store.execute("SELEC hunter2 FROM nowhere", &[]).await.expect_err("is no SQL");
    assert!(matches!(error, StoreError::Statement { .. }), "{error:?}");
    let url = store.url_redacted().to_owned();
    let fault = Fault::from(error).to_string();
    assert!(!fault.contains("hunter2") && !fault.contains(&url), "{fault}");
}

pub async fn statistics_count_what_happened(backend: &Backend) {
    let options = StoreOptions { slow_statement: Duration::ZERO, ..Backend::options() };
    let store = Arc::new(backend.store_with(&options).await);
    store.ping().await.expect("answers");
    store.execute("SELEC", &[]).await.expect_err("is no SQL");
    let statistics = store.statistics();
    assert_eq!((statistics.statements, statistics.failed_statements, statistics.slow_statements), (2, 1, 2));
    assert!(statistics.connections >= 1 && statistics.connections <= statistics.most_connections);
}
