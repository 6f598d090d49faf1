//! The cases every backend of documents must pass.

use futures::future::join_all;
use ieum_core::Timestamp;
use ieum_documents::{Entry, SHOWN};
use serde_json::json;

use crate::backend::{Backend, ids, note};

pub async fn a_document_begins_with_its_first_entry(backend: &Backend) {
    assert_eq!(backend.get("ada", "부엌").await, None);
    let first = backend.add("ada", "부엌", note("1", "몇 시야?")).await;
    assert_eq!((first.count, &first.state), (1, &json!({ "last": "1" })));
    assert_eq!(first.entries, [json!({ "noteId": "1", "text": "몇 시야?" })]);
    assert_eq!(Some(first.updated_at), Timestamp::parse("2026-05-01T03:00:00.25Z"));
    let second = backend.add("ada", "부엌", note("2", "줄\n바꿈 \"따옴표\" \\ ☕️")).await;
    assert_eq!((second.count, ids(&second)), (2, vec!["1", "2"]));
    assert_eq!(backend.get("ada", "부엌").await, Some(second));
}

pub async fn an_entry_that_comes_twice_is_counted_once(backend: &Backend) {
    for id in ["1", "2", "1", "2", "10", "a\"b", "a\"b"] {
        backend.add("ada", "부엌", note(id, id)).await;
    }
    // Nor does one change anything that says something else by now.
    let last = backend.add("ada", "부엌", note("1", "changed")).await;
    assert_eq!((last.count, ids(&last)), (4, vec!["1", "2", "10", "a\"b"]));
    assert_eq!((&last.state, &last.entries[0]["text"]), (&json!({ "last": "a\"b" }), &json!("1")));
}

pub async fn entries_at_once_are_all_counted_and_none_is_lost(backend: &Backend) {
    // All at once make the document, too.
    let made = (0..SHOWN).map(|number| async move {
        backend.add("ada", "부엌", note(&format!("n{number}"), "동시에")).await.count
    });
    assert!(join_all(made).await.contains(&(SHOWN as u64)), "the last one sees all");
    let document = backend.get("ada", "부엌").await.expect("is there");
    let mut seen = ids(&document);
    seen.sort_unstable();
    seen.dedup();
    assert_eq!((document.count, seen.len()), (SHOWN as u64, SHOWN));
    assert_eq!(Some(document.state["last"].as_str()), ids(&document).last().map(|last| Some(*last)));
}

pub async fn an_entry_that_comes_many_times_at_once_is_counted_once(backend: &Backend) {
    backend.add("ada", "부엌", note("0", "먼저")).await;
    for id in ["1", "2", "3"] {
        join_all((0..10).map(|_| backend.add("ada", "부엌", note(id, "또")))).await;
        join_all((0..10).map(|_| backend.add("ada", id, note(id, "또")))).await;
        assert_eq!(backend.get("ada", id).await.expect("is there").count, 1, "who makes it at once meets");
    }
    let document = backend.get("ada", "부엌").await.expect("is there");
    assert_eq!((document.count, ids(&document)), (4, vec!["0", "1", "2", "3"]));
}

pub async fn the_last_entries_are_shown_in_their_order(backend: &Backend) {
    let names: Vec<String> = (0..SHOWN + 5).map(|number| format!("n{number}")).collect();
    for name in &names {
        backend.add("ada", "부엌", note(name, "짧다")).await;
    }
    let document = backend.get("ada", "부엌").await.expect("is there");
    assert_eq!(
        (document.count, ids(&document).as_slice()),
        (25, &names.iter().map(|name| &**name).collect::<Vec<_>>()[5..])
    );
}

pub async fn old_entries_go_and_the_count_stays(backend: &Backend) {
    let long = "가나다 라마바 ".repeat(250);
    for number in 0..90 {
        backend.add("ada", "부엌", note(&format!("n{number}"), &*long)).await;
    }
    let document = backend.get("ada", "부엌").await.expect("is there");
    assert_eq!((document.count, ids(&document).last()), (90, Some(&"n89")));
    assert!((3..=SHOWN).contains(&document.entries.len()), "{} are shown", document.entries.len());
    assert!(document.entries.iter().all(|entry| entry["text"] == *long), "whole or not at all");
    // What is long gone is not known again; what is kept is.
    assert_eq!(backend.add("ada", "부엌", note("n89", "또")).await.count, 90);
    assert_eq!(backend.add("ada", "부엌", note("n0", "또")).await.count, 91);
}

pub async fn keys_that_look_alike_when_joined_are_different_documents(backend: &Backend) {
    let keys = [
        ("a:b", "c"),
        ("a", "b:c"),
        ("a.b", "$c"),
        ("a", "b"),
        ("A", "b"),
        ("", "ab"),
        ("가/나", "%_'\";--"),
    ];
    for (number, (owner, id)) in keys.into_iter().enumerate() {
        let document = backend.add(owner, id, note(&number.to_string(), "하나")).await;
        assert_eq!((document.count, ids(&document)), (1, vec![&*number.to_string()]), "{owner:?} {id:?}");
    }
}

pub async fn an_owner_is_forgotten_with_every_document_and_nobody_else(backend: &Backend) {
    for (owner, id) in [("ada", "1"), ("ada", "2"), ("ada.", "1"), ("bob", "1")] {
        backend.add(owner, id, note("n", "하나")).await;
    }
    assert_eq!(backend.forget("ada").await, 2);
    assert_eq!(backend.forget("ada").await, 0, "again is harmless");
    assert_eq!((backend.get("ada", "1").await, backend.get("ada", "2").await), (None, None));
    assert!(backend.get("ada.", "1").await.is_some() && backend.get("bob", "1").await.is_some());
    assert_eq!(backend.add("ada", "1", note("n", "둘")).await.count, 1, "it begins anew");
}

pub async fn what_comes_back_is_what_went_in(backend: &Backend) {
    let text = json!({
        "large": "긴 글 ☕️ ".repeat(20_000), "empty": "", "nothing": null, "list": [1, "둘", [true, null], {}],
        "whole": 9_007_199_254_740_993_i64, "least": i64::MIN, "half": 0.1, "a.b": "dot", "날": "2026-05-01",
    });
    let entry = Entry { state: text.clone(), ..note("1", text.clone()) };
    let document = backend.add("ada", "부엌", entry).await;
    assert_eq!((&document.state, &document.entries[0]["text"]), (&text, &text));
    assert_eq!(backend.get("ada", "부엌").await, Some(document));
    let bare = Entry { body: Default::default(), ..note("2", "") };
    assert_eq!(backend.add("ada", "부엌", bare).await.entries.last(), Some(&json!({ "noteId": "2" })));
}
