//! What the files promise, whatever reads them.

use std::fs;

use ieum_core::system_clock;
use ieum_lake::{Cell, Column, Embedded, EngineOptions, Kind, Lake, LakeError, SqlEngine};
use tempfile::TempDir;

fn lake() -> (TempDir, Lake) {
    let folder = tempfile::tempdir().expect("a folder");
    let lake = Lake::open(folder.path()).expect("opens");
    (folder, lake)
}

fn columns() -> Vec<Column> {
    vec![Column::new("id", Kind::Int), Column::new("name", Kind::Text)]
}

async fn count(lake: &Lake, dataset: &str) -> Cell {
    let engine = Embedded::new(lake.clone(), EngineOptions::default(), system_clock()).expect("starts");
    let sql = format!("SELECT COUNT(*) AS n FROM {dataset}");
    engine.query(&sql).await.expect("is answered").rows[0][0].clone()
}

#[tokio::test]
async fn a_partition_is_replaced_as_a_whole_and_written_twice_changes_nothing() {
    let (_folder, lake) = lake();
    let rows = |ids: std::ops::Range<i64>| ids.map(|id| vec![id.into(), Cell::Null]).collect::<Vec<_>>();
    for _ in 0..2 {
        lake.write("people", "2026-11-20", &columns(), rows(0..5)).await.expect("is written");
    }
    lake.write("people", "2026-11-21", &columns(), rows(5..7)).await.expect("is written");
    assert_eq!(count(&lake, "people").await, Cell::Int(7));
    lake.write("people", "2026-11-20", &columns(), rows(0..1)).await.expect("is written");
    assert_eq!(count(&lake, "people").await, Cell::Int(3));
    assert_eq!(lake.partitions("people").expect("is read"), ["2026-11-20", "2026-11-21"]);
    assert_eq!(lake.datasets().expect("is read"), ["people"]);
}

#[tokio::test]
async fn a_dataset_without_rows_can_be_asked() {
    let (_folder, lake) = lake();
    lake.declare("people", &columns()).await.expect("is made");
    assert_eq!(count(&lake, "people").await, Cell::Int(0));
    assert!(lake.partitions("people").expect("is read").is_empty());
}

#[tokio::test]
async fn what_does_not_fit_is_named_and_nothing_of_it_is_kept() {
    let (folder, lake) = lake();
    lake.declare("people", &columns()).await.expect("is made");
    let before = fs::read_dir(folder.path().join("people")).expect("is there").count();
    let other = vec![Column::new("id", Kind::Text), Column::new("name", Kind::Text)];
    for (dataset, partition, columns, row, said) in [
        ("People", "p", columns(), vec![1_i64.into(), Cell::Null], "dataset \"People\""),
        ("people", "../p", columns(), vec![1_i64.into(), Cell::Null], "partition \"../p\""),
        ("people", "p", columns(), vec!["1".into(), Cell::Null], "row 0, column id"),
        ("people", "p", columns(), vec![1_i64.into()], "row 0: it has not one cell per column"),
        ("people", "p", other, vec!["1".into(), Cell::Null], "has the columns (id Int64"),
    ] {
        let error = lake.write(dataset, partition, &columns, vec![row]).await.expect_err("is refused");
        assert!(error.to_string().contains(said), "{error}");
    }
    assert_eq!(fs::read_dir(folder.path().join("people")).expect("is there").count(), before);
}

#[tokio::test]
async fn a_damaged_file_is_named_and_a_writers_leavings_are_not_read() {
    let (folder, lake) = lake();
    lake.declare("people", &columns()).await.expect("is made");
    fs::write(folder.path().join("people/.left.new"), b"half a file").expect("is written");
    assert_eq!(count(&lake, "people").await, Cell::Int(0));
    fs::write(folder.path().join("people/a.parquet"), b"PAR1 nonsense PAR1").expect("is written");
    let error = lake.declare("people", &columns()).await.expect_err("is refused");
    assert!(
        matches!(&error, LakeError::Damaged { path, .. } if path.ends_with("people/a.parquet")),
        "{error}"
    );
    let engine = Embedded::new(lake, EngineOptions::default(), system_clock()).expect("starts");
    let error = engine.query("SELECT * FROM people").await.expect_err("is refused");
    assert!(matches!(error, LakeError::Refused { .. }), "{error}");
}

#[tokio::test]
async fn an_answer_has_its_limits() {
    let (folder, lake) = lake();
    let rows = (0..1_000_i64).map(|id| vec![id.into(), "x".into()]).collect();
    lake.write("people", "p", &columns(), rows).await.expect("is written");
    let options = EngineOptions { most_rows: 999, ..EngineOptions::default() };
    let engine = Embedded::new(lake, options, system_clock()).expect("starts");
    let error = engine.query("SELECT * FROM people").await.expect_err("is refused");
    assert!(matches!(error, LakeError::TooMuch { limit: 999, .. }), "{error}");
    let kept = folder.path().join("people/p.parquet");
    for wrong in [
        "DROP TABLE people",
        "CREATE TABLE more AS SELECT 1",
        "INSERT INTO people VALUES (1, 'x')",
        "COPY people TO '/tmp/out.parquet'",
        "SET datafusion.execution.batch_size = 1",
        "CREATE EXTERNAL TABLE x STORED AS PARQUET LOCATION '/etc'",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM nobody",
        "SELEC",
    ] {
        let error = engine.query(wrong).await.expect_err(wrong);
        assert!(matches!(error, LakeError::Refused { .. }), "{wrong}: {error}");
    }
    assert!(kept.is_file());
}
