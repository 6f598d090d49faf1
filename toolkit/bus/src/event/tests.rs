//! What an event survives, and what is refused with the attribute's name.

use ieum_core::{Caller, Cx, Timestamp};
use proptest::prelude::*;
use serde_json::json;

use super::*;

fn read(value: serde_json::Value) -> Result<Event, EventError> {
    Event::from_cloud_event_json(value.to_string().as_bytes(), Timestamp::from_seconds(5))
}

#[test]
fn an_event_reads_back_as_written_with_its_context() {
    let cx = Cx::root().with_tenant("seoul").with_caller(Caller::new("gate")).with_idempotency_key("scan-1");
    let event = Event::new(&cx, "/events", "event.attendance.changed.v1", "expo", json!({"scanned": 3}))
        .expect("is JSON")
        .with_subject("expo/hall-1");
    let text = event.to_cloud_event_json();
    let again = Event::from_cloud_event_json(text.as_bytes(), Timestamp::default()).expect("is an event");
    assert_eq!(again, event);
    let there = again.context(2);
    assert_eq!(there.trace().trace_id, cx.trace().trace_id);
    assert_ne!(there.trace().span_id, cx.trace().span_id, "a child span");
    assert_eq!(
        (there.tenant(), there.idempotency_key(), there.attempt()),
        (Some("seoul"), Some("scan-1"), 2)
    );
    assert_eq!(there.caller(), Some(&Caller::new("gate")));
}

#[test]
fn a_strangers_minimal_event_is_completed() {
    let event = read(json!({"specversion": "1.0", "id": "7", "source": "/x", "type": "t", "comexample": 4}))
        .expect("has the four required attributes");
    assert_eq!(event.time, Timestamp::from_seconds(5));
    assert_eq!(event.key, "/x/7");
    assert_eq!(event.data, serde_json::Value::Null);
    assert_eq!(event.extensions["comexample"], json!(4));
}

#[test]
fn a_wrong_event_is_refused_with_the_attributes_name() {
    let good = json!({"specversion": "1.0", "id": "7", "source": "/x", "type": "t"});
    let cases = [
        ("id", json!(null), "reading an event: attribute \"id\" is missing"),
        ("id", json!(7), "reading an event: attribute \"id\" must be text and is a number"),
        ("source", json!(""), "reading an event: attribute \"source\" is empty"),
        ("type", json!("\0"), "reading an event: attribute \"type\" contains the character U+0000"),
        (
            "specversion",
            json!("0.3"),
            "reading an event: attribute \"specversion\" is \"0.3\"; this bus speaks \"1.0\"",
        ),
        (
            "time",
            json!("noon"),
            "reading an event: attribute \"time\" is \"noon\", which is no RFC 3339 time",
        ),
        (
            "Upper",
            json!("x"),
            "reading an event: attribute \"Upper\" is no attribute name: only a-z and 0-9 are allowed",
        ),
        (
            "nested",
            json!({}),
            "reading an event: attribute \"nested\" must be text, a boolean or a 32-bit whole number and is an object",
        ),
        (
            "datacontenttype",
            json!("text/xml"),
            "reading an event: attribute \"datacontenttype\" is \"text/xml\"; this bus carries JSON",
        ),
        (
            "data_base64",
            json!("AA=="),
            "reading an event: attribute \"data_base64\" is binary; this bus carries JSON in \"data\"",
        ),
    ];
    for (attribute, value, expected) in cases {
        let mut event = good.clone();
        event[attribute] = value;
        assert_eq!(read(event).expect_err(attribute).to_string(), expected);
    }
    let long = "x".repeat(129);
    let mut event = good.clone();
    event["id"] = json!(long);
    let error = read(event).expect_err("is over-long").to_string();
    assert_eq!(error, "reading an event: attribute \"id\" is 129 characters long; at most 128 are kept");
    assert_eq!(
        read(json!([1])).expect_err("an array").to_string(),
        "reading an event: expected a JSON object, found an array"
    );
}

proptest! {
    #[test]
    fn no_bytes_make_reading_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Event::from_cloud_event_json(&bytes, Timestamp::default());
    }

    #[test]
    fn every_sound_event_reads_back(id in "[!-~]{1,40}", key in "\\PC{1,40}", micros in 0_i64..4_000_000_000_000_000) {
        let event = Event::new(&Cx::root(), "/s", "k", key, json!({"n": micros}))
            .expect("is JSON")
            .with_id(id)
            .at(Timestamp::from_micros(micros));
        let again = Event::from_cloud_event_json(event.to_cloud_event_json().as_bytes(), Timestamp::default());
        prop_assert_eq!(again.expect("is an event"), event);
    }
}
