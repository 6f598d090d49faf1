//! CLINC150 (Larson et al., 2019): 150 intents, and sentences that are none of them.

use std::time::Duration;

use ieum_understanding::classify::{Classifier, Example, Training};
use serde_json::Value;

use crate::material;

/// The share of what is in scope that the threshold must leave right, on the part that is for choosing.
const FLOOR: f64 = 0.92;

fn examples(data: &Value, part: &str) -> Vec<Example> {
    let listed = |key: &str| data[key].as_array().cloned().unwrap_or_default();
    let outside = match part {
        "train" => "oos_train",
        "val" => "oos_val",
        _ => "oos_test",
    };
    let text = |pair: &Value| pair[0].as_str().unwrap_or_default().to_owned();
    let inside = listed(part)
        .into_iter()
        .map(|pair| Example { text: text(&pair), intent: pair[1].as_str().map(str::to_owned) });
    inside.chain(listed(outside).iter().map(|pair| Example { text: text(pair), intent: None })).collect()
}

/// Returns what `work` took.
#[allow(clippy::disallowed_methods, reason = "a measurement reads the real clock")]
fn took(work: impl FnOnce()) -> Duration {
    let start = std::time::Instant::now();
    work();
    start.elapsed()
}

#[test]
#[ignore = "needs clinc"]
fn intents_are_told_apart_and_what_is_none_of_them_is_refused() {
    let Some(folder) = material("clinc", "IEUM_TEST_CLINC") else { return };
    let path = folder.join("data").join("data_full.json");
    let data: Value =
        serde_json::from_str(&std::fs::read_to_string(path).expect("data_full.json")).expect("JSON");
    let mut trained = None;
    let training = took(|| trained = Some(Classifier::train(&examples(&data, "train"), Training::default())));
    let mut classifier = trained.expect("it ran").expect("it trains");
    let test = examples(&data, "test");
    let right = |classifier: &Classifier| {
        let answered = |example: &&Example| {
            let guess = classifier.classify(&example.text);
            guess.in_scope && example.intent.as_deref() == Some(guess.intent)
        };
        let inside = test.iter().filter(|example| example.intent.is_some());
        100.0 * inside.clone().filter(answered).count() as f64 / inside.count() as f64
    };
    let open = right(&classifier);
    println!("CLINC150, data_full.json, trained in {training:.1?}");
    println!("  in scope, nothing refused     {open:6.2} %");
    let mut reached = Vec::new();
    // The first is what is promised; the others show what refusing more would cost.
    for floor in [FLOOR, 0.915, 0.91, 0.905, 0.90] {
        let kept = 100.0 * classifier.choose_threshold(&examples(&data, "val"), floor);
        let inside = right(&classifier);
        let outside = test.iter().filter(|example| example.intent.is_none());
        let refused = outside.clone().filter(|example| !classifier.classify(&example.text).in_scope).count();
        let recall = 100.0 * refused as f64 / outside.count() as f64;
        println!(
            "  floor {floor:.3} on validation ({kept:.2} %): in scope {inside:6.2} %, out of scope refused {recall:6.2} %"
        );
        reached.push((inside, recall));
    }
    let each = took(|| {
        test.iter().for_each(|example| assert!(!classifier.classify(&example.text).intent.is_empty()))
    }) / test.len() as u32;
    println!("  an utterance takes {each:.1?}");
    assert!(open >= 92.5);
    let (inside, recall) = reached[0];
    assert!(inside >= 91.7 && recall >= 70.0, "{inside:.2} % and {recall:.2} %");
}
