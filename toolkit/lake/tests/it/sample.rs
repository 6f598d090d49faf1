//! A small history with what engines see differently: zones, nulls, gaps, letters of two scripts.

use ieum_core::Timestamp;
use ieum_lake::{Cell, Column, Kind, Lake};

/// The columns of `visits`.
pub fn visit_columns() -> Vec<Column> {
    [
        ("event_id", Kind::Text),
        ("visited_at", Kind::Timestamp),
        ("local_day", Kind::Date),
        ("local_hour", Kind::Int),
        ("local_weekday", Kind::Int),
        ("arrivals", Kind::Int),
        ("rate", Kind::Float),
        ("is_online", Kind::Bool),
    ]
    .map(|(name, kind)| Column::new(name, kind))
    .into()
}

/// The columns of `events`.
pub fn event_columns() -> Vec<Column> {
    [("event_id", Kind::Text), ("event_type", Kind::Text), ("capacity", Kind::Int)]
        .map(|(name, kind)| Column::new(name, kind))
        .into()
}

/// Two weeks of quarter hours of four events, from a rule without chance. Seoul is nine hours before UTC.
pub fn visits() -> Vec<Vec<Cell>> {
    const QUARTER: i64 = 900;
    const BEGIN: i64 = 1_793_491_200;
    let mut rows = Vec::new();
    for (number, event) in ["ga", "나", "c-3", "lost"].into_iter().enumerate() {
        let number = i64::try_from(number).expect("is small");
        for quarter in 0..14 * 96 {
            let at = BEGIN + quarter * QUARTER;
            let local = at + 9 * 3_600;
            let (day, hour) = (local.div_euclid(86_400), local.rem_euclid(86_400) / 3_600);
            let weekday = (day + 3).rem_euclid(7) + 1;
            let arrivals = (quarter * 7 + number * 13) % 23;
            let rate = (quarter % 5 != number).then_some(arrivals as f64 / 23.0);
            rows.push(vec![
                event.into(),
                Timestamp::from_micros(at * 1_000_000 + number).into(),
                Cell::Date(i32::try_from(day).expect("is near")),
                hour.into(),
                weekday.into(),
                (quarter % 11 != 0).then_some(arrivals).into(),
                rate.into(),
                (quarter % 3 != 0).then_some(number % 2 == 0).into(),
            ]);
        }
    }
    rows
}

/// Three events of which visits tell, one of which they do not; one without a type, one without a capacity.
pub fn events() -> Vec<Vec<Cell>> {
    vec![
        vec!["ga".into(), "concert".into(), 500_i64.into()],
        vec!["나".into(), "박람회".into(), Cell::Null],
        vec!["c-3".into(), Cell::Null, 80_i64.into()],
        vec!["never".into(), "concert".into(), 10_i64.into()],
    ]
}

/// Puts both into a lake, visits in three partitions.
pub async fn fill(lake: &Lake) {
    lake.write("events", "all", &event_columns(), events()).await.expect("is written");
    let visits = visits();
    for (number, part) in visits.chunks(visits.len() / 3 + 1).enumerate() {
        let partition = format!("part-{number}");
        lake.write("visits", &partition, &visit_columns(), part.to_vec()).await.expect("is written");
    }
}
