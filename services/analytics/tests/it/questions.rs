//! Questions over history as files.

use ieum_contracts::analytics::{AttendanceRange, HistoryCell, HistoryQuestion, Insights};
use ieum_core::{Code, Cx};
use ieum_testkit::server;
use serde_json::json;

use crate::pages::filled;
use crate::stage::Stage;

/// The seed's own question, by its table and columns, with the words of the year that each engine understands.
const BY_TYPE: &str = "SELECT event_type, AVG(attendance_rate) AS avg_attendance, \
    STDDEV(attendance_rate) AS attendance_spread, hour_of_day, day_of_week, SUM(arrivals) AS arrivals, \
    COUNT(*) AS sample_size FROM event_attendance_data WHERE event_date >= DATE '2026-01-01' \
    GROUP BY event_type, hour_of_day, day_of_week ORDER BY hour_of_day, day_of_week";

pub async fn history_answers_sql_as_the_report_does(stage: &Stage) {
    filled(stage).await;
    let cx = Cx::root();
    let ask = |sql: &str| stage.insights.ask(&cx, HistoryQuestion { sql: sql.to_owned() });
    let answer = match ask(BY_TYPE).await {
        Err(fault) if fault.reason == "analytics.history.off" => {
            return server::not_run("datafusion", "this build has no feature engines");
        }
        answered => answered.expect("is answered"),
    };
    assert_eq!(answer.engine, "datafusion");
    let report = stage.insights.attendance(&cx, AttendanceRange::default()).await.expect("is made");
    let came: f64 = report.by_event_type.iter().map(|group| group.arrivals).sum();
    let at = answer.columns.iter().position(|name| name == "arrivals").expect("is a column");
    let cell = |row: &Vec<HistoryCell>| if let HistoryCell::Float(people) = row[at] { people } else { 0.0 };
    let asked: f64 = answer.rows.iter().map(cell).sum();
    assert!(came > 0.0 && (asked - came).abs() < 1e-6, "{asked} by SQL, {came} by the report");
    for wrong in ["DROP TABLE event_attendance_data", "SELECT nothing FROM event_attendance_data", "SELEC"] {
        let fault = ask(wrong).await.expect_err(wrong);
        assert_eq!((fault.code, &*fault.reason), (Code::InvalidArgument, "lake.refused"), "{wrong}");
    }
    let body = json!({ "sql": "SELECT COUNT(*) AS n FROM event_attendance_data" });
    let some = stage.key(&["fair"], &["events:read", "analytics:ask"]).await;
    let few = stage.key(&["*"], &["events:read", "analytics:read"]).await;
    let all = stage.key(&["*"], &["events:read", "analytics:ask"]).await;
    for (key, status) in [(None, 200), (Some(&some), 403), (Some(&few), 403), (Some(&all), 200)] {
        let (got, said) = stage.post("/api/insights/ask", key.map(String::as_str), &body).await;
        assert_eq!(got, status, "{said}");
    }
}
