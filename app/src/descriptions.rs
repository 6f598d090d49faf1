//! Where the descriptions (OpenAPI) of the APIs stand that are answered here: each part has its own.

/// The parts that people and programs ask over HTTP, each with the path of its description.
const DESCRIBED: [(&str, &str); 6] = [
    ("partners", "/openapi.json"),
    ("events", "/api/events/openapi.json"),
    ("analytics", "/api/insights/openapi.json"),
    ("notify", "/api/notifications/openapi.json"),
    ("identity", "/api/identity/openapi.json"),
    ("voice", "/api/voice/openapi.json"),
];

/// That of the process itself, whichever parts it has.
const OPERATOR: &str = "/api/operator/openapi.json";

/// Returns the paths of the descriptions that a process with these parts answers.
pub fn paths(parts: &[&str]) -> Vec<&'static str> {
    let described = DESCRIBED.iter().filter(|(part, _)| parts.contains(part)).map(|(_, path)| *path);
    described.chain([OPERATOR]).collect()
}
