//! The same text on every engine gives the same rows: zones, nulls, joins, windows, rounding.

use std::path::Path;
use std::sync::Arc;

use ieum_core::system_clock;
use ieum_lake::{Cell, EngineOptions, Lake, Rows, SqlEngine, open_engine};
use ieum_testkit::server;

use crate::sample::fill;

/// The questions. All order their rows, by rounded means, put nulls first by name, and divide floating point numbers only: what is left
/// to an engine's habit differs between them.
const QUESTIONS: &[(&str, &str)] = &[
    ("everything", "SELECT * FROM visits ORDER BY event_id, visited_at LIMIT 500"),
    (
        "counts_of_nulls",
        "SELECT COUNT(*) AS n, COUNT(arrivals) AS told, SUM(arrivals) AS people, AVG(rate) AS rate, \
      COUNT(DISTINCT event_id) AS events FROM visits",
    ),
    (
        "the_seeds_own_corrected",
        "SELECT e.event_type, v.local_hour, v.local_weekday, AVG(v.rate) AS avg_attendance, \
      STDDEV(v.rate) AS attendance_spread, COUNT(*) AS sample_size FROM visits v JOIN events e \
      ON e.event_id = v.event_id WHERE v.local_day >= DATE '2026-11-05' GROUP BY e.event_type, v.local_hour, \
      v.local_weekday ORDER BY ROUND(AVG(v.rate), 6) DESC NULLS LAST, e.event_type NULLS FIRST, v.local_hour, v.local_weekday",
    ),
    (
        "outer_join",
        "SELECT COALESCE(v.event_id, e.event_id) AS event_id, e.event_type, COUNT(v.visited_at) AS visits \
      FROM visits v FULL OUTER JOIN events e ON e.event_id = v.event_id \
      GROUP BY COALESCE(v.event_id, e.event_id), e.event_type ORDER BY event_id",
    ),
    (
        "nulls_compare",
        "SELECT COUNT(CASE WHEN is_online THEN 1 END) AS online, \
      COUNT(CASE WHEN NOT is_online THEN 1 END) AS there, COUNT(CASE WHEN is_online IS NULL THEN 1 END) AS unknown, \
      COUNT(CASE WHEN arrivals <> 3 THEN 1 END) AS others FROM visits",
    ),
    (
        "no_rows",
        "SELECT SUM(arrivals) AS people, COUNT(*) AS n, AVG(rate) AS rate FROM visits WHERE event_id = 'nobody'",
    ),
    (
        "days_and_zones",
        "SELECT local_day, MIN(visited_at) AS first_at, MAX(visited_at) AS last_at, \
      COUNT(DISTINCT CAST(visited_at AS DATE)) AS days_of_utc FROM visits GROUP BY local_day ORDER BY local_day",
    ),
    (
        "parts_of_a_time",
        "SELECT EXTRACT(YEAR FROM visited_at) AS y, EXTRACT(MONTH FROM visited_at) AS m, \
      EXTRACT(DAY FROM visited_at) AS d, EXTRACT(HOUR FROM visited_at) AS h, COUNT(*) AS n FROM visits \
      WHERE event_id = 'ga' GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4",
    ),
    (
        "a_running_sum",
        "SELECT event_id, local_day, people, SUM(people) OVER (PARTITION BY event_id ORDER BY local_day \
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS so_far, RANK() OVER (PARTITION BY local_day \
      ORDER BY people DESC, event_id) AS place FROM (SELECT event_id, local_day, SUM(arrivals) AS people FROM visits \
      GROUP BY event_id, local_day) days ORDER BY event_id, local_day",
    ),
    (
        "a_named_part",
        "WITH busy AS (SELECT event_id, local_hour, SUM(arrivals) AS people FROM visits \
      GROUP BY event_id, local_hour HAVING SUM(arrivals) > 50) SELECT event_id, MAX(people) AS most FROM busy \
      GROUP BY event_id ORDER BY event_id",
    ),
    (
        "rounding",
        "SELECT event_id, ROUND(AVG(rate), 3) AS rate, CAST(SUM(arrivals) AS DOUBLE) / \
      CAST(COUNT(arrivals) AS DOUBLE) AS mean, CAST(1 AS DOUBLE) / NULLIF(CAST(0 AS DOUBLE), 0) AS nothing \
      FROM visits GROUP BY event_id ORDER BY event_id",
    ),
    (
        "letters",
        "SELECT UPPER(event_id) AS upper, CHAR_LENGTH(event_id) AS letters, event_id LIKE '%-%' AS dashed, \
      CONCAT(event_id, '!') AS loud FROM (SELECT DISTINCT event_id FROM visits) ids ORDER BY event_id",
    ),
    (
        "either",
        "SELECT event_id FROM events WHERE capacity > 50 UNION SELECT event_id FROM visits \
      WHERE arrivals = 22 ORDER BY event_id",
    ),
];

async fn engine(url: &str, folder: &Path) -> Arc<dyn SqlEngine> {
    let opened = open_engine(url, folder, EngineOptions::default(), system_clock()).await;
    opened.unwrap_or_else(|error| panic!("opening {url}: {error}"))
}

/// Rounds what engines add up in different orders.
fn plain(rows: Rows) -> Rows {
    let round = |cell| match cell {
        Cell::Float(number) => Cell::Float((number * 1e9).round() / 1e9),
        other => other,
    };
    let rows_of = |row: Vec<Cell>| row.into_iter().map(round).collect();
    Rows { columns: rows.columns, rows: rows.rows.into_iter().map(rows_of).collect() }
}

/// Asks everything of the embedded engine and of the one at `url`.
async fn agrees(url: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    fill(&Lake::open(folder.path()).expect("opens")).await;
    let embedded = engine("datafusion:", folder.path()).await;
    let other = engine(url, folder.path()).await;
    other.ping().await.expect("answers");
    let mut differ = Vec::new();
    for (name, sql) in QUESTIONS {
        let ours = plain(embedded.query(sql).await.unwrap_or_else(|error| panic!("{name}: {error}")));
        match other.query(sql).await.map(plain) {
            Ok(theirs) if theirs == ours => {}
            Ok(theirs) => {
                let at = ours.rows.iter().zip(&theirs.rows).find(|(ours, theirs)| ours != theirs);
                differ.push(format!(
                    "{name}: {} and {} rows, {:?} and {:?}, first {at:?}",
                    ours.rows.len(),
                    theirs.rows.len(),
                    ours.columns,
                    theirs.columns
                ));
            }
            Err(error) => differ.push(format!("{name}: {error}")),
        }
    }
    assert!(differ.is_empty(), "{} of {} differ:\n{}", differ.len(), QUESTIONS.len(), differ.join("\n"));
    // What is written after an engine was opened is seen by the next question.
    let lake = Lake::open(folder.path()).expect("opens");
    let more = vec![vec!["new".into(), "talk".into(), Cell::Null]];
    lake.write("events", "more", &crate::sample::event_columns(), more).await.expect("is written");
    for engine in [&embedded, &other] {
        let rows = engine.query("SELECT COUNT(*) AS n FROM events").await.expect("is answered");
        assert_eq!(rows.rows, [[Cell::Int(5)]], "{}", engine.name());
    }
    for wrong in ["DROP VIEW events", "SELECT nothing FROM events", "SELEC"] {
        let error = other.query(wrong).await.expect_err(wrong);
        assert!(error.to_string().starts_with("asking "), "{error}");
    }
}

#[tokio::test]
async fn the_embedded_engine_says_what_the_rows_say() {
    let folder = tempfile::tempdir().expect("a folder");
    fill(&Lake::open(folder.path()).expect("opens")).await;
    let engine = engine("datafusion:", folder.path()).await;
    let visits = crate::sample::visits();
    let people: i64 =
        visits.iter().filter_map(|row| if let Cell::Int(n) = row[5] { Some(n) } else { None }).sum();
    let rows =
        engine.query("SELECT COUNT(*) AS n, SUM(arrivals) AS people FROM visits").await.expect("is answered");
    let all = i64::try_from(visits.len()).expect("is small");
    assert_eq!(rows.rows, [[Cell::Int(all), Cell::Int(people)]]);
    let sql = "SELECT * FROM visits WHERE event_id = '나' ORDER BY visited_at";
    let rows = engine.query(sql).await.expect("is answered");
    let theirs: Vec<_> = visits.into_iter().filter(|row| row[0] == "나".into()).collect();
    assert_eq!(rows.rows, theirs, "what was written comes back as it was");
}

#[tokio::test]
#[ignore = "needs sail"]
async fn sail_answers_the_same_text_alike() {
    let Some(url) = server::require("sail") else { return };
    agrees(&url).await;
}

#[tokio::test]
#[ignore = "needs spark"]
async fn spark_answers_the_same_text_alike() {
    let Some(url) = server::require("spark") else { return };
    agrees(&url).await;
}

#[tokio::test]
async fn a_cluster_that_is_not_there_is_named_without_its_token() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = "sc://127.0.0.1:9/;token=hidden";
    let opened = open_engine(url, folder.path(), EngineOptions::default(), system_clock()).await;
    let error = opened.err().expect("nobody is there").to_string();
    assert!(error.contains("sc://127.0.0.1:9") && !error.contains("hidden"), "{error}");
    for (url, said) in [("spark://x", "expected datafusion or sc"), ("nothing", "no scheme")] {
        let opened = open_engine(url, folder.path(), EngineOptions::default(), system_clock()).await;
        assert!(opened.err().expect("is refused").to_string().contains(said));
    }
}
