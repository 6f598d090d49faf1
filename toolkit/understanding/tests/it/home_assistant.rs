//! Home Assistant's intents: its compiled sentences against its own test sentences.

use std::path::{Path, PathBuf};

use ieum_understanding::template::{IntentsFile, ListValue, Lists, Recognised, Recogniser, Situation};
use serde_json::{Map, Value, json};

use crate::{Table, material};

fn read_yaml(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).expect("a file of the clone");
    serde_saphyr::from_str(&text).expect("YAML")
}

fn names(test: &Value, key: &str) -> Vec<String> {
    let entries = test[key].as_array().cloned().unwrap_or_default();
    entries.iter().filter_map(|entry| Some(entry["name"].as_str()?.to_owned())).collect()
}

/// What the test file says about its home; `__context_area__` where it names no room of the device that listens.
fn situation(test: &Value) -> Situation {
    let entities = test["entities"].as_array().cloned().unwrap_or_default();
    let entities = entities.iter().map(|entity| {
        let name = entity["name"].as_str().expect("an entity has a name").to_owned();
        let context = json!({"domain": entity["domain"]}).as_object().cloned();
        (name.clone(), ListValue { meant: Some(json!(name)), context, metadata: None })
    });
    let areas = test["areas"].as_array().cloned().unwrap_or_default();
    let here = areas.iter().find(|area| area["context_area"] == json!(true)).map(|area| area["name"].clone());
    let (areas, floors) = (names(test, "areas"), names(test, "floors"));
    Situation {
        lists: Lists::default()
            .with_values("name", entities)
            .with_names("area", areas.iter().map(String::as_str))
            .with_names("floor", floors.iter().map(String::as_str)),
        context: Map::from_iter([("area".to_owned(), here.unwrap_or_else(|| json!("__context_area__")))]),
        prefer: Some("name".to_owned()),
    }
}

fn fits(expected: &Value, actual: &Value) -> bool {
    let same = |one: &Value, other: &Value| {
        one == other || (one.as_f64().is_some() && one.as_f64() == other.as_f64())
    };
    match (expected, actual) {
        (Value::Array(expected), Value::Array(actual)) => {
            actual.iter().all(|actual| expected.contains(actual))
        }
        (Value::Array(any), one) | (one, Value::Array(any)) => any.iter().any(|at| same(at, one)),
        (expected, actual) => same(expected, actual),
    }
}

/// Returns whether intent, combination and slots are what the test expects; `combo` is its entry in `intents.yaml`.
fn is_right(found: &Recognised, intent: &str, name: &str, slots: &Map<String, Value>, combo: &Value) -> bool {
    let mut expected = slots.clone();
    let inferred: Vec<Value> = combo["inferred_domains"]
        .as_object()
        .into_iter()
        .flat_map(|domains| domains.values())
        .flat_map(|domains| domains.as_array().cloned().unwrap_or_default())
        .collect();
    if !inferred.is_empty() {
        expected.insert("domain".to_owned(), Value::Array(inferred));
    }
    let mut actual: Map<String, Value> =
        found.slots.iter().map(|slot| (slot.name.clone(), slot.value.clone())).collect();
    if combo["context_area"] == json!(true) {
        actual.remove("area");
    }
    let combination = found.metadata.as_ref().and_then(|metadata| metadata["slot_combination"].as_str());
    found.intent == intent
        && combination == Some(name)
        && actual.keys().eq(expected.keys())
        && actual.iter().all(|(slot, value)| fits(&expected[slot], value))
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder of the clone").flatten() {
        match entry.path() {
            path if path.is_dir() => found.extend(files(&path)),
            path if path.extension().is_some_and(|end| end == "yaml") => found.push(path),
            _ => {}
        }
    }
    found.sort();
    found
}

/// Returns the compiled sentences of a language as the package `home-assistant-intents` brings them.
fn recogniser(language: &str) -> Option<Recogniser> {
    let data = material("home-assistant-intents", "IEUM_TEST_HA_DATA")?.join(format!("{language}.json"));
    let compiled = std::fs::read_to_string(data).expect("the compiled sentences");
    Some(Recogniser::compile(&IntentsFile::from_json(&compiled).expect("a file")).expect("it compiles"))
}

fn measure(language: &str) -> Option<f64> {
    let clone = material("the tests of Home Assistant's intents", "IEUM_TEST_HA_INTENTS")?;
    let recogniser = recogniser(language)?;
    let schemas = read_yaml(&clone.join("intents.yaml"));
    let mut table = Table::default();
    for path in files(&clone.join("tests").join(language)) {
        let combo_name = path.file_stem().and_then(|stem| stem.to_str()).expect("a name").to_owned();
        let intent = path
            .parent()
            .and_then(Path::file_name)
            .and_then(|name| name.to_str())
            .expect("a folder")
            .to_owned();
        let test = read_yaml(&path);
        let situation = situation(&test);
        let combo = &schemas[&intent]["slot_combinations"][&combo_name];
        for group in test["tests"].as_array().into_iter().flatten() {
            let slots = group["slots"].as_object().cloned().unwrap_or_default();
            for sentence in group["sentences"].as_array().into_iter().flatten().filter_map(Value::as_str) {
                let found = recogniser.recognise(sentence, &situation);
                let right =
                    found.as_ref().is_some_and(|found| is_right(found, &intent, &combo_name, &slots, combo));
                table.count(&intent, right, || format!("{combo_name} \"{sentence}\": {found:?}"));
            }
        }
    }
    Some(table.print(&format!("Home Assistant's test sentences, {language}")))
}

#[test]
#[ignore = "needs ha_intents"]
fn every_korean_sentence_of_home_assistant_is_understood() {
    assert!(measure("ko").is_none_or(|share| share == 100.0));
}

#[test]
#[ignore = "needs ha_intents"]
fn english_sentences_of_home_assistant_are_understood() {
    assert!(measure("en").is_none_or(|share| share >= 99.0));
}
