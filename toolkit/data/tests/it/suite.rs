//! The cases every time series backend must pass.

use std::time::Duration;

use ieum_core::Timestamp;
use ieum_data::{Aggregate, Field, Point, Range, SeriesError};

use crate::backend::Backend;

const MINUTE: Duration = Duration::from_secs(60);

/// A whole minute.
fn noon() -> Timestamp {
    Timestamp::parse("2026-05-01T12:00:00Z").expect("is a time")
}

fn second(second: u64) -> Timestamp {
    noon() + Duration::from_secs(second)
}

fn hour(measurement: &str) -> Range {
    Range::new(measurement, noon(), noon() + 60 * MINUTE)
}

pub async fn points_come_back_as_they_went_in(backend: &Backend) {
    let capabilities = backend.series.capabilities();
    backend.series.ping().await.expect("answers");
    let name = backend.measurement(" 참석, 자=1");
    let mut wanted = Point::new(&name, second(1) + Duration::from_millis(250))
        .tag("event id", "e=1, \"가\"")
        .tag("장소", "서울 ☕")
        .field("fill rate", 0.125)
        .field("count,now", -7_i64)
        .field("big", 1e300);
    let mut written = wanted.clone();
    for (field, value) in [("note", Field::from("줄 1\n\"줄\" \\ 2, a=b ")), ("open", Field::from(true))] {
        written.fields.insert(field.to_owned(), value.clone());
        if capabilities.text_fields {
            wanted.fields.insert(field.to_owned(), value);
        } else if let Field::Bool(truth) = value {
            wanted.fields.insert(field.to_owned(), Field::Float(f64::from(u8::from(truth))));
        }
    }
    if !capabilities.whole_numbers {
        wanted.fields.insert("count,now".to_owned(), Field::Float(-7.0));
    }
    backend.series.write(&[written]).await.expect("keeps");
    let read = backend.read(&hour(&name), 1).await;
    assert_eq!(read[0], wanted);
    assert!(backend.series.query(&hour(&backend.measurement("other"))).await.expect("reads").is_empty());
}

pub async fn a_range_holds_its_first_time_and_not_its_last(backend: &Backend) {
    let name = backend.measurement("a");
    let points: Vec<Point> = (0..5).map(|i| Point::new(&name, second(i)).field("v", i as f64)).collect();
    backend.series.write(&points).await.expect("keeps");
    backend.read(&hour(&name), 5).await;
    let read = backend.read(&Range::new(&name, second(1), second(4)), 3).await;
    assert_eq!(
        read.iter().map(|point| point.number("v")).collect::<Vec<_>>(),
        [Some(1.0), Some(2.0), Some(3.0)]
    );
    let read = backend.read(&hour(&name).limit(2), 2).await;
    assert_eq!(read[1].at, second(1), "the earliest come first");
}

pub async fn tags_choose_series(backend: &Backend) {
    let name = backend.measurement("a");
    let point = |city: &str, hall: &str, v: f64| {
        Point::new(&name, second(1)).tag("city", city).tag("hall", hall).field("v", v)
    };
    let bare = Point::new(&name, second(1)).field("v", 4.0);
    let points = [point("Seoul", "A", 1.0), point("Seoul", "B", 2.0), point("Busan", "A", 3.0), bare.clone()];
    backend.series.write(&points).await.expect("keeps");
    let all = backend.read(&hour(&name), 4).await;
    assert_eq!(all[0], bare, "among one time the series come by their tags");
    let read = backend.read(&hour(&name).tag("city", "Seoul"), 2).await;
    assert_eq!(read, points[..2]);
    backend.read(&hour(&name).tag("city", "Seoul").tag("hall", "B"), 1).await;
    backend.read(&hour(&name).tag("city", "Seoul' OR 1=1 --"), 0).await;
    backend.read(&hour(&name).tag("street", "x"), 0).await;
}

pub async fn steps_are_made_of_their_points_and_no_others(backend: &Backend) {
    let name = backend.measurement("a");
    let mut points = Vec::new();
    // Two series; the first and last moment of each minute hold something.
    for (at, v) in [(0, 1.0), (30, 2.0), (59, 6.0), (60, 10.0), (179, 20.0)] {
        points.push(Point::new(&name, second(at)).tag("s", "one").field("v", v).field("w", at as i64));
    }
    points.push(Point::new(&name, second(61)).tag("s", "two").field("v", -5.0));
    backend.series.write(&points).await.expect("keeps");
    backend.read(&hour(&name), 6).await;
    for (aggregate, wanted) in [
        (Aggregate::Mean, [3.0, 10.0, -5.0, 20.0]),
        (Aggregate::Max, [6.0, 10.0, -5.0, 20.0]),
        (Aggregate::Sum, [9.0, 10.0, -5.0, 20.0]),
        (Aggregate::Last, [6.0, 10.0, -5.0, 20.0]),
    ] {
        let read = backend.read(&hour(&name).step(MINUTE, aggregate), 4).await;
        let times: Vec<Timestamp> = read.iter().map(|point| point.at).collect();
        assert_eq!(times, [second(0), second(60), second(60), second(120)], "{aggregate:?}");
        let values: Vec<f64> = read.iter().map(|point| point.number("v").expect("has v")).collect();
        assert_eq!(values, wanted, "{aggregate:?}");
        assert_eq!(read[2].tags["s"], "two");
        assert_eq!(read[2].number("w"), None, "{aggregate:?}");
        assert_eq!(read[1].number("w"), Some(60.0), "{aggregate:?}");
    }
}

pub async fn a_range_that_cuts_a_step_takes_only_what_is_inside(backend: &Backend) {
    let name = backend.measurement("a");
    let points: Vec<Point> = (0..180).map(|i| Point::new(&name, second(i)).field("v", i as f64)).collect();
    backend.series.write(&points).await.expect("keeps");
    backend.read(&hour(&name), 180).await;
    let range = Range::new(&name, second(50), second(130)).step(MINUTE, Aggregate::Sum);
    let read = backend.read(&range, 3).await;
    let sums: Vec<f64> = read.iter().map(|point| point.number("v").expect("has v")).collect();
    assert_eq!(sums, [(50..60).sum::<u32>(), (60..120).sum(), (120..130).sum()].map(f64::from));
    assert_eq!(read[0].at, second(0), "a step is named by its beginning");
}

pub async fn writing_again_changes_nothing_and_replaces_by_field(backend: &Backend) {
    let name = backend.measurement("a");
    let first = Point::new(&name, second(1)).tag("t", "x").field("v", 1.5).field("w", 1.5);
    for _ in 0..2 {
        backend.series.write(std::slice::from_ref(&first)).await.expect("keeps");
    }
    assert_eq!(backend.read(&hour(&name), 1).await, [first]);
    if backend.series.capabilities().reads_own_writes {
        let second = Point::new(&name, second(1)).tag("t", "x").field("v", 2.5);
        backend.series.write(&[second]).await.expect("keeps");
        let read = backend.read(&hour(&name), 1).await;
        assert_eq!((read[0].number("v"), read[0].number("w")), (Some(2.5), Some(1.5)));
    }
}

pub async fn names_alike_are_kept_apart(backend: &Backend) {
    let (short, long) = (backend.measurement("a"), backend.measurement("a_b"));
    let points = [
        Point::new(&short, second(1)).field("b_c", 1.0),
        Point::new(&long, second(1)).field("c", 2.0),
        Point::new(&short, second(2)).tag("b", "1").field("v", 3.0),
    ];
    backend.series.write(&points).await.expect("keeps");
    assert_eq!(backend.read(&hour(&short), 2).await, [points[0].clone(), points[2].clone()]);
    assert_eq!(backend.read(&hour(&long), 1).await, [points[1].clone()]);
}

pub async fn thousands_of_points_arrive_whole(backend: &Backend) {
    let name = backend.measurement("a");
    let points: Vec<Point> = (0..7_000_u64)
        .map(|i| {
            let at = noon() + Duration::from_millis(i * 500);
            Point::new(&name, at).tag("s", &(i % 7).to_string()).field("v", i as f64).field("w", 0.5)
        })
        .collect();
    backend.series.write(&points).await.expect("keeps");
    let read = backend.read(&hour(&name), 7_000).await;
    assert_eq!(read, points);
}

pub async fn a_point_no_backend_could_keep_is_refused_and_named(backend: &Backend) {
    let name = backend.measurement("a");
    let good = Point::new(&name, second(1)).field("v", 1.0);
    for (bad, part) in [
        (Point::new("", second(1)).field("v", 1.0), "point 1, measurement: it is empty"),
        (Point::new("#x", second(1)).field("v", 1.0), "point 1, measurement: it begins with #"),
        (good.clone().tag("a\nb", "x"), "point 1, tag \"a\\nb\": it holds a control character"),
        (good.clone().tag("a", ""), "point 1, tag \"a\": it is empty"),
        (good.clone().tag("a", "x\\"), "point 1, tag \"a\": it holds a backslash"),
        (good.clone().field("time", 1.0), "point 1, field \"time\": "),
        (good.clone().field("v", f64::NAN), "point 1, field \"v\": it is NaN or infinite"),
        (Point::new(&name, second(1)), "point 1, fields: it has none"),
    ] {
        let error = backend.series.write(&[good.clone(), bad]).await.expect_err("is refused");
        assert!(matches!(error, SeriesError::Point { point: 1, .. }) && !error.is_retryable());
        assert!(error.to_string().starts_with(part), "{error}");
    }
    assert!(
        backend.series.query(&hour(&name)).await.expect("reads").is_empty(),
        "the good one is not kept alone"
    );
}

pub async fn a_range_that_cannot_be_read_is_refused(backend: &Backend) {
    let name = backend.measurement("a");
    for range in [
        Range::new(&name, second(2), second(2)),
        Range::new("", second(1), second(2)),
        hour(&name).step(Duration::ZERO, Aggregate::Max),
        hour(&name).step(Duration::from_micros(1_500), Aggregate::Max),
        hour(&name).tag("", "x"),
    ] {
        let error = backend.series.query(&range).await.expect_err("is refused");
        assert!(matches!(error, SeriesError::Range { .. }), "{error}");
    }
}
