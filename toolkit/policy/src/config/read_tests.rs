//! Tests of reading policies from settings.

use std::collections::HashMap;

use super::*;

fn read(text: &str) -> Result<PolicyConfig, String> {
    toml::from_str(text).map_err(|error| error.message().to_owned())
}

#[test]
fn the_link_table_of_the_design_is_read() {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Entry {
        Url(String),
        Table(Box<Link>),
    }
    #[derive(Deserialize)]
    struct Link {
        to: String,
        #[serde(flatten)]
        policy: PolicyConfig,
    }
    #[derive(Deserialize)]
    struct Settings {
        links: HashMap<String, Entry>,
    }
    let text = r#"
        [links]
        "voice.context" = "http://context:7100"
        "voice.speech"  = "grpc://ml:9090"
        [links."coffee.stock"]
        to = "dns+http://stock:7100"
        timeout = "800ms"
        retry = { attempts = 3, first = "100ms", factor = 2, most = "1s", budget = "20%" }
        breaker = { failures = "50%", slow = "80% over 2s", window = "10s", probes = 3 }
        fallback = "last-good"
    "#;
    let settings: Settings = toml::from_str(text).expect("is the design's sample");
    assert!(matches!(&settings.links["voice.speech"], Entry::Url(url) if url == "grpc://ml:9090"));
    let Entry::Table(link) = &settings.links["coffee.stock"] else { panic!("is a table") };
    assert_eq!(link.to, "dns+http://stock:7100");
    let defaults = PolicyConfig::default();
    let expected = PolicyConfig {
        timeout: Duration::from_millis(800),
        breaker: Some(BreakerConfig {
            slow: Some((0.8, Duration::from_secs(2))),
            ..BreakerConfig::default()
        }),
        fallback: FallbackConfig::LastGood { entries: ENTRIES },
        ..defaults
    };
    assert_eq!(link.policy, expected);
}

#[test]
fn nothing_said_means_the_defaults() {
    let config = read("").expect("is empty");
    assert_eq!(config, PolicyConfig::default());
    assert_eq!(config.connect, Duration::from_secs(3));
    assert_eq!(config.first_byte, Duration::from_secs(5));
    assert_eq!((config.retry.attempts, config.retry.first), (3, Duration::from_millis(100)));
}

#[test]
fn short_forms_and_tables_say_the_same() {
    let short =
        read("rate = \"100/10s\"\nbulkhead = 8\nretry = \"off\"\nbreaker = \"off\"").expect("is right");
    let long = read(
        "rate = { limit = 100, per = \"10s\", burst = 100 }\nbulkhead = { limit = 8, queue = 0 }\n\
         retry = { attempts = 1 }\nbreaker = false",
    );
    assert_eq!(Ok(short), long);
    assert_eq!(read("hedge = \"p95\""), read("hedge = { after = \"p95\", window = \"60s\", minimum = 20 }"));
    assert_eq!(read("hedge = \"off\""), read(""));
    let fixed = read("hedge = \"150ms\"").expect("is right").hedge.map(|hedge| hedge.after);
    assert_eq!(fixed, Some(HedgeAfter::Fixed(Duration::from_millis(150))));
    let late = read("timeout = \"100ms\"\nhedge = \"150ms\"").expect_err("comes too late");
    assert_eq!(late, "hedge: the whole call (timeout) is over before a second send would begin");
    let cache = read("fallback = \"cache 30s\"").expect("is right");
    let within = Duration::from_secs(30);
    assert_eq!(cache.fallback, FallbackConfig::Cache { within, entries: ENTRIES });
    let value = read("fallback = { value = { seats = 0 } }").expect("is right");
    assert_eq!(value.fallback, FallbackConfig::Value(serde_json::json!({ "seats": 0 })));
    let to = read("fallback = { to = \"http://other:7100\" }").expect("is right");
    assert_eq!(to.fallback, FallbackConfig::To("http://other:7100".into()));
    assert_eq!(
        read("breaker = { consecutive = 0 }").expect("is right").breaker.map(|it| it.consecutive),
        Some(None)
    );
}

#[test]
fn every_mistake_is_told_at_once_and_names_its_key() {
    let told = read(
        r#"
        timeout = 800
        conect = "3s"
        attempt = "9s"
        retry = { attempts = 0, first = "2s", factor = "fast", budget = "120%" }
        hedge = { after = "p100", window = 5 }
        breaker = { slow = "80%", failures = "0%", probes = -1 }
        bulkhead = { queue = 3 }
        rate = "many"
        fallback = "luck"
        "#,
    )
    .expect_err("is wrong");
    let expected = [
        "timeout: 800 is no duration; write it as \"800ms\"",
        "retry.attempts: 0 is no whole number of at least 1",
        "retry.factor: \"fast\" is no number from 1 to 100",
        "retry.budget: \"120%\" is no share; write it as \"50%\", from \"0%\" to \"100%\"",
        "retry.first: the first wait is longer than the longest (most)",
        "hedge.after: \"p100\" is no percentile; write it as \"p95\", from \"p1\" to \"p99\"",
        "hedge.window: 5 is no duration; write it as \"800ms\"",
        "breaker.failures: \"0%\" would always be reached; write \"off\" to not look at it",
        "breaker.slow: \"80%\" is not understood; write \"80% over 2s\"",
        "breaker.probes: -1 is no whole number of at least 1",
        "bulkhead.limit: it says how many calls run at once and must be given",
        "rate: \"many\" is not understood; write \"off\", \"100/s\" or \
         { limit = 100, per = \"1s\", burst = 20 }",
        "fallback: \"luck\" is not understood; write \"off\", \"last-good\", \"cache 30s\", { value = … }, \
         { to = \"http://…\" } or { last_good = 1000 }",
        "attempt: one attempt may not take longer than the whole call (timeout)",
        "conect: there is no such key; known are timeout, connect, first_byte, attempt, retry, hedge, \
         breaker, bulkhead, rate, fallback",
    ];
    assert_eq!(told.split("; ").count(), expected.join("; ").split("; ").count(), "{told}");
    assert_eq!(told, expected.join("; "));
}
