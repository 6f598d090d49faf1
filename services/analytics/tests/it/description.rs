//! The committed OpenAPI document is what the handlers say, and what they answer.

use serde_json::Value;

use crate::pages::filled;
use crate::stage::Stage;

#[test]
fn the_committed_openapi_document_is_up_to_date() {
    ieum_testkit::openapi::is_committed("analytics", &ieum_analytics::openapi_json());
}

pub async fn answers_are_what_the_description_says(stage: &Stage) {
    filled(stage).await;
    crate::behaviour::crowd(stage, 300);
    let (status, document) = stage.get("/api/insights/openapi.json", None).await;
    assert_eq!(status, 200);
    let mut compared = 0;
    for (route, path) in [
        ("/api/events/{eventId}/insights", "/api/events/fair/insights"),
        ("/api/events/{eventId}/forecast", "/api/events/fair/forecast"),
        ("/api/events/{eventId}/forecast", "/api/events/fair/forecast?step=day"),
        ("/api/insights", "/api/insights"),
        ("/api/insights/attendance", "/api/insights/attendance"),
        ("/api/insights/roi", "/api/insights/roi"),
        ("/api/insights/{eventId}/behaviour", "/api/insights/fair/behaviour"),
    ] {
        let (status, answer) = stage.get(path, None).await;
        assert_eq!(status, 200, "{path}: {answer}");
        let schema =
            &document["paths"][route]["get"]["responses"]["200"]["content"]["application/json"]["schema"];
        assert!(schema.is_object(), "{route} has no schema");
        compared += compare(&document, schema, &answer, path);
    }
    assert!(compared > 400, "only {compared} fields were compared");
}

/// Compares an answer with its schema, both ways, and returns how many fields that were.
fn compare(document: &Value, schema: &Value, answer: &Value, place: &str) -> usize {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.trim_start_matches("#/components/schemas/");
        let named = &document["components"]["schemas"][name];
        assert!(named.is_object(), "{place}: the description has no {name}");
        return compare(document, named, answer, place);
    }
    if let Some(items) = answer.as_array() {
        assert!(schema["items"].is_object(), "{place}: a list is not described");
        return items.iter().map(|item| compare(document, &schema["items"], item, place)).sum();
    }
    let Some(fields) = answer.as_object() else { return 1 };
    if let Some(any) = schema.get("additionalProperties") {
        return fields.values().map(|value| compare(document, any, value, place)).sum();
    }
    let (properties, required) = described(document, schema);
    for name in &required {
        assert!(fields.contains_key(name), "{place}: {name} is promised and missing");
    }
    let each = fields.iter().map(|(name, value)| {
        let known = properties.iter().find(|(known, _)| known == name);
        let (_, schema) = known.unwrap_or_else(|| panic!("{place}: {name} is not described"));
        compare(document, schema, value, &format!("{place} {name}"))
    });
    each.sum()
}

/// The fields of an object's schema, with those that it takes from others, and which of them are promised.
fn described(document: &Value, schema: &Value) -> (Vec<(String, Value)>, Vec<String>) {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.trim_start_matches("#/components/schemas/");
        return described(document, &document["components"]["schemas"][name]);
    }
    let own = schema["properties"].as_object().into_iter().flatten();
    let mut properties: Vec<(String, Value)> =
        own.map(|(name, field)| (name.clone(), field.clone())).collect();
    let promised = schema["required"].as_array().into_iter().flatten();
    let mut required: Vec<String> = promised.filter_map(|name| name.as_str().map(str::to_owned)).collect();
    for part in ["allOf", "oneOf"].into_iter().filter_map(|part| schema[part].as_array()).flatten() {
        let (more, promised) = described(document, part);
        properties.extend(more);
        required.extend(promised);
    }
    (properties, required)
}
