//! `[[gateway.issuers]]`, `[[gateway.plans]]`, `[[gateway.routes]]`, `gateway.origins`: whose tokens open the front door,
//! what keys may do, what stands behind it, and whose pages may ask.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use ieum_core::{Secret, describe, parse_duration};
use ieum_gateway::{
    Algorithm, EventAccess, ForwardOptions, IssuerOptions, KeyOrigin, Origin, Plan, Rate, Tier,
};
use toml::{Table, Value};
use url::Url;

use super::Mistake;

/// One entry of a list of tables; remembers what was asked for, so that the rest is a mistake.
struct Entry<'a> {
    key: String,
    table: &'a Table,
    known: BTreeSet<&'static str>,
    mistakes: &'a mut Vec<Mistake>,
}

/// Reads the issuers, adding a mistake for whatever is wrong.
pub(super) fn issuers(table: &Table, mistakes: &mut Vec<Mistake>) -> Vec<IssuerOptions> {
    let mut all: Vec<IssuerOptions> = Vec::new();
    for (index, value) in entries(table, "issuers") {
        let Some(mut entry) = Entry::open(format!("gateway.issuers[{index}]"), value, mistakes) else {
            continue;
        };
        let options = issuer(&mut entry);
        for (field, problem) in options.mistakes() {
            entry.wrong(field, problem);
        }
        if all.iter().any(|other| other.issuer == options.issuer) {
            entry.wrong("issuer", "is there already; one issuer has one entry".to_owned());
        }
        entry.close();
        all.push(options);
    }
    all
}

/// Reads the routes, adding a mistake for whatever is wrong.
pub(super) fn routes(table: &Table, mistakes: &mut Vec<Mistake>) -> Vec<ForwardOptions> {
    let mut all: Vec<ForwardOptions> = Vec::new();
    for (index, value) in entries(table, "routes") {
        let Some(mut entry) = Entry::open(format!("gateway.routes[{index}]"), value, mistakes) else {
            continue;
        };
        let options = route(&mut entry);
        if let Some(Err(error)) = options.as_ref().map(ForwardOptions::check) {
            let text = describe(&error);
            match text.split_once(": ") {
                Some(("path", problem)) => entry.wrong("path", problem.to_owned()),
                Some(("authorities", problem)) => entry.wrong("authorities", problem.to_owned()),
                Some(("to", problem)) => entry.wrong("to", problem.to_owned()),
                _ => entry.wrong("per_minute", text),
            }
        }
        if let Some(own) = options.as_ref().and_then(|options| own_path(&options.path)) {
            entry.wrong("path", format!("is at or below {own}, which this process answers itself"));
        }
        if options.as_ref().is_some_and(|own| all.iter().any(|other| other.path == own.path)) {
            entry.wrong("path", "is there already".to_owned());
        }
        entry.close();
        all.extend(options);
    }
    all
}

/// Reads the plans that keys may be on, adding a mistake for whatever is wrong.
pub(super) fn plans(table: &Table, mistakes: &mut Vec<Mistake>) -> Vec<Plan> {
    let mut all: Vec<Plan> = Vec::new();
    for (index, value) in entries(table, "plans") {
        let Some(mut entry) = Entry::open(format!("gateway.plans[{index}]"), value, mistakes) else {
            continue;
        };
        let plan = plan(&mut entry);
        if let Some(Err(error)) = plan.as_ref().map(Plan::check) {
            entry.wrong("name", error.problem);
        }
        if plan.as_ref().is_some_and(|own| all.iter().any(|other| other.name == own.name)) {
            entry.wrong("name", "is there already; one plan has one entry".to_owned());
        }
        entry.close();
        all.extend(plan);
    }
    all
}

/// Reads whose pages may ask beside this server's own, adding a mistake for whatever is wrong.
pub(super) fn origins(table: &Table, mistakes: &mut Vec<Mistake>) -> Vec<Origin> {
    let mut all = Vec::new();
    for (index, value) in entries(table, "origins") {
        let read = match value.as_str() {
            Some(text) => text.parse::<Origin>().map_err(|error| format!("{text:?} {error}")),
            None => Err(format!("is {}, expected a string", value.type_str())),
        };
        match read {
            Ok(origin) => all.push(origin),
            Err(problem) => mistakes.push(Mistake { key: format!("gateway.origins[{index}]"), problem }),
        }
    }
    all
}

/// What this process answers itself. Nobody else's server may stand there.
const OWN_PATHS: [&str; 22] = [
    "/api/conversation",
    "/api/dashboard",
    "/api/dialog",
    "/api/events",
    "/api/identity",
    "/api/insights",
    "/api/notifications",
    "/api/operator",
    "/api/partner",
    "/api/premium",
    "/api/public",
    "/api/users",
    "/api/v1/dialog",
    "/api/v2/dialog",
    "/api/voice",
    "/assets",
    "/health",
    "/hooks",
    "/links",
    "/metrics",
    "/mqtt",
    "/openapi.json",
];

/// Returns the path of ours that `path` is, or lies below of.
fn own_path(path: &str) -> Option<&'static str> {
    let below =
        |own: &str| path.strip_prefix(own).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    OWN_PATHS.into_iter().find(|own| below(own))
}

fn entries<'a>(table: &'a Table, list: &str) -> impl Iterator<Item = (usize, &'a Value)> {
    let list = table.get("gateway").and_then(|gateway| gateway.get(list)).and_then(Value::as_array);
    list.into_iter().flatten().enumerate()
}

fn issuer(entry: &mut Entry<'_>) -> IssuerOptions {
    let name = entry.text("issuer").unwrap_or_default();
    let keys = entry.keys();
    let mut options = IssuerOptions::new(&name, "", Algorithm::Rs256, keys);
    options.audience = entry.texts("audience").unwrap_or_default();
    let algorithms = entry.texts("algorithms").unwrap_or_default();
    options.algorithms = algorithms.iter().filter_map(|text| entry.parsed("algorithms", text)).collect();
    options.leeway = entry.duration("leeway").unwrap_or(options.leeway);
    options.refresh = entry.duration("refresh").unwrap_or(options.refresh);
    options.tier = entry.tier("tier").unwrap_or(options.tier);
    options.tier_claim = entry.text("tier_claim").unwrap_or(options.tier_claim);
    options.scope_claim = entry.text("scope_claim").unwrap_or(options.scope_claim);
    options.events_claim = entry.text("events_claim");
    options.events = entry.texts("events").map_or(options.events, EventAccess::from);
    let tiers = entry.value("tiers").and_then(Value::as_table).cloned().unwrap_or_default();
    for (word, tier) in tiers {
        let text = tier.as_str().unwrap_or_default().to_owned();
        options.tiers.extend(entry.parsed("tiers", &text).map(|tier| (word, tier)));
    }
    options
}

fn route(entry: &mut Entry<'_>) -> Option<ForwardOptions> {
    let path = entry.needed("path");
    let to = entry.needed("to").and_then(|text| match text.parse::<Url>() {
        Ok(url) => Some(url),
        Err(error) => {
            entry.wrong("to", format!("{text:?} is no URL: {error}"));
            None
        }
    });
    let authorities = entry.text("authorities").map(PathBuf::from);
    let tier = entry.tier("tier");
    let per_minute = entry.number("per_minute");
    let timeout = entry.duration("timeout");
    let at_once = entry.number("at_once");
    let most_body = entry.number("most_body");
    let mut options = ForwardOptions::new(&path?, to?);
    options.authorities = authorities;
    options.tier = tier.unwrap_or(options.tier);
    options.rate = per_minute.map(Rate::per_minute);
    options.timeout = timeout.unwrap_or(options.timeout);
    options.most_at_once = at_once.map_or(options.most_at_once, |number| number as usize);
    options.most_body = most_body.map(|number| number as usize);
    Some(options)
}

fn plan(entry: &mut Entry<'_>) -> Option<Plan> {
    let name = entry.needed("name");
    let tier = entry.tier("tier");
    let scopes = entry.texts("scopes").unwrap_or_default();
    let rate = entry.number("per_minute").map(Rate::per_minute);
    let burst = entry.number("burst");
    let day_quota = entry.number("per_day");
    let aggregate_only = entry.truth("aggregate_only").unwrap_or(true);
    if burst.is_some() && rate.is_none() {
        entry.wrong("burst", "needs per_minute beside it".to_owned());
    }
    let rate = rate.map(|rate| Rate { burst: burst.unwrap_or(rate.burst), ..rate });
    let (tier, scopes) = (tier.unwrap_or(Tier::Partner), scopes.into_iter().collect());
    Some(Plan { name: name?, tier, scopes, rate, day_quota, aggregate_only })
}

// === Entry ===

impl<'a> Entry<'a> {
    fn open(key: String, value: &'a Value, mistakes: &'a mut Vec<Mistake>) -> Option<Self> {
        let Some(table) = value.as_table() else {
            mistakes.push(Mistake { key, problem: format!("is {}, expected a table", value.type_str()) });
            return None;
        };
        Some(Self { key, table, known: BTreeSet::new(), mistakes })
    }

    fn wrong(&mut self, field: &str, problem: String) {
        self.mistakes.push(Mistake { key: format!("{}.{field}", self.key), problem });
    }

    /// Names what nobody asked for.
    fn close(mut self) {
        let unknown: Vec<&String> =
            self.table.keys().filter(|name| !self.known.contains(name.as_str())).collect();
        let list = self.known.iter().copied().collect::<Vec<_>>().join(", ");
        for name in unknown {
            self.wrong(name, format!("is not a setting; there are {list}"));
        }
    }

    fn value(&mut self, field: &'static str) -> Option<&'a Value> {
        self.known.insert(field);
        self.table.get(field)
    }

    fn text(&mut self, field: &'static str) -> Option<String> {
        let value = self.value(field)?;
        let text = value.as_str().map(ToOwned::to_owned);
        if text.is_none() {
            self.wrong(field, format!("is {}, expected a string", value.type_str()));
        }
        text
    }

    fn needed(&mut self, field: &'static str) -> Option<String> {
        if self.value(field).is_none() {
            self.wrong(field, "is missing".to_owned());
        }
        self.text(field)
    }

    /// Reads a list of strings; one string stands for a list of one.
    fn texts(&mut self, field: &'static str) -> Option<Vec<String>> {
        let value = self.value(field)?;
        let texts: Option<Vec<String>> = match value {
            Value::String(text) => Some(vec![text.clone()]),
            Value::Array(list) => list.iter().map(|one| one.as_str().map(ToOwned::to_owned)).collect(),
            _ => None,
        };
        if texts.is_none() {
            self.wrong(field, "is no list of strings".to_owned());
        }
        texts
    }

    fn number(&mut self, field: &'static str) -> Option<u32> {
        let value = self.value(field)?;
        let number = value.as_integer().and_then(|number| u32::try_from(number).ok()).filter(|one| *one > 0);
        if number.is_none() {
            self.wrong(field, format!("is {value}, expected a number of 1 or more"));
        }
        number
    }

    fn truth(&mut self, field: &'static str) -> Option<bool> {
        let value = self.value(field)?;
        if value.as_bool().is_none() {
            self.wrong(field, format!("is {value}, expected true or false"));
        }
        value.as_bool()
    }

    fn duration(&mut self, field: &'static str) -> Option<Duration> {
        let text = self.text(field)?;
        parse_duration(&text).map_err(|error| self.wrong(field, error.to_string())).ok()
    }

    fn tier(&mut self, field: &'static str) -> Option<Tier> {
        let text = self.text(field)?;
        self.parsed(field, &text)
    }

    fn parsed<T: std::str::FromStr<Err = String>>(&mut self, field: &'static str, text: &str) -> Option<T> {
        text.parse().map_err(|problem| self.wrong(field, problem)).ok()
    }

    /// Reads where an issuer's keys come from: `keys`, a URL or `file:…`, or `secret`.
    fn keys(&mut self) -> KeyOrigin {
        let none = || KeyOrigin::Secret(Secret::new(String::new()));
        match (self.text("keys"), self.text("secret")) {
            (None, Some(secret)) => KeyOrigin::Secret(Secret::new(secret)),
            (Some(text), None) => match (text.strip_prefix("file:"), text.parse::<Url>()) {
                (Some(path), _) => KeyOrigin::File(path.into()),
                (None, Ok(url)) => KeyOrigin::Url(url),
                (None, Err(_)) => {
                    self.wrong("keys", format!("{text:?} is neither a URL nor file:… with a path"));
                    none()
                }
            },
            (Some(_), Some(_)) => {
                self.wrong("secret", "an issuer has keys or a secret, not both".to_owned());
                none()
            }
            (None, None) => {
                self.wrong("keys", "is missing; name a URL or file of keys, or a secret".to_owned());
                none()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use ieum_gateway::Tier;

    use crate::config::{Settings, Sources, load};

    fn load_text(text: &str) -> Result<Settings, String> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("own.toml");
        std::fs::write(&path, text).expect("is written");
        let sources = Sources { file: Some(path), ..Sources::default() };
        load(&sources).map_err(|error| error.to_string())
    }

    #[test]
    fn issuers_and_routes_are_read_from_lists_of_tables() {
        let settings = load_text(
            r#"
            [[gateway.issuers]]
            issuer = "https://id.example.org"
            audience = "ieum"
            algorithms = ["RS256", "EdDSA"]
            keys = "https://id.example.org/jwks.json"
            tier_claim = "plan"
            tiers = { gold = "premium" }
            [[gateway.issuers]]
            issuer = "inside"
            audience = ["ieum"]
            algorithms = ["HS256"]
            secret = "a secret of two that is long enough"
            [[gateway.routes]]
            path = "/api/coffee"
            to = "http://coffee:7300/api"
            tier = "public"
            per_minute = 60
            timeout = "800ms"
            "#,
        );
        let gateway = settings.expect("is right").gateway;
        assert_eq!(gateway.issuers.len(), 2);
        assert_eq!(gateway.issuers[0].tiers.get("gold"), Some(&Tier::Premium));
        let route = &gateway.routes[0];
        assert_eq!((route.path.as_str(), route.tier), ("/api/coffee", Tier::Public));
        assert_eq!(route.rate.map(|rate| rate.limit), Some(60));
    }

    #[test]
    fn every_mistake_of_the_front_door_is_named_by_its_key() {
        let error = load_text(
            r#"
            [[gateway.issuers]]
            issuer = ""
            algorithms = ["none", "HS256"]
            keys = "https://id.example.org/jwks.json"
            leeway = "1h"
            audiense = "ieum"
            [[gateway.issuers]]
            issuer = "inside"
            audience = "ieum"
            algorithms = ["HS256"]
            secret = "short"
            [[gateway.routes]]
            path = "api/"
            to = "ftp://coffee"
            teir = "public"
            [[gateway.routes]]
            path = "/api/coffee"
            per_minute = 0
            [[gateway.routes]]
            path = "/api/tea"
            to = "https://tea:7300"
            authorities = "/nowhere/authorities.pem"
            [[gateway.routes]]
            path = "/api/milk"
            to = "http://milk:7300"
            authorities = "/nowhere/authorities.pem"
            [[gateway.plans]]
            name = "premium"
            [[gateway.plans]]
            name = "school"
            burst = 5
            per_day = 0
            aggregate_only = "no"
            [[gateway.routes]]
            path = "/api/events/mine"
            to = "http://127.0.0.1:9000"
            "#,
        );
        let error = error.expect_err("much is wrong");
        for line in [
            "gateway.issuers[0].algorithms: \"none\" is no algorithm",
            "gateway.issuers[0].algorithms: HS256 goes with a secret",
            "gateway.issuers[0].audience: names nobody",
            "gateway.issuers[0].audiense: is not a setting",
            "gateway.issuers[0].issuer: is empty",
            "gateway.issuers[0].leeway: is more than five minutes",
            "gateway.issuers[1].secret: is shorter than 32 bytes",
            "gateway.routes[0].path: \"api/\" is no path",
            "gateway.routes[0].teir: is not a setting",
            "gateway.routes[1].per_minute: is 0",
            "gateway.routes[1].to: is missing",
            "gateway.plans[0].name: is a tier's name",
            "gateway.plans[1].aggregate_only: is \"no\", expected true or false",
            "gateway.plans[1].burst: needs per_minute beside it",
            "gateway.plans[1].per_day: is 0",
            "gateway.routes[2].authorities: reading /nowhere/authorities.pem",
            "gateway.routes[3].authorities: goes with an https:// URL alone",
            "gateway.routes[4].path: is at or below /api/events, which this process answers itself",
        ] {
            assert!(error.contains(line), "{line}\n{error}");
        }
        assert!(!error.contains("short\""), "a secret is not shown: {error}");
    }

    #[test]
    fn origins_are_read_and_what_is_none_says_what_to_write() {
        let settings =
            load_text("[gateway]\norigins = [\"https://board.example.org\", \"http://localhost:5173\"]");
        assert_eq!(settings.expect("is right").gateway.origins.len(), 2);
        let error = load_text(
            "[gateway]\norigins = [\"https://board.example.org/\", \"board.example.org\", \"https://*.example.org\", 1]",
        );
        let error = error.expect_err("none is an origin");
        for line in [
            "gateway.origins[0]: \"https://board.example.org/\" is more than an origin, which is told without login, \
             path and query; write \"https://board.example.org\"",
            "gateway.origins[1]: \"board.example.org\" is no origin; write scheme and host",
            "gateway.origins[2]: \"https://*.example.org\" has a wildcard; name each origin by itself",
            "gateway.origins[3]: is integer, expected a string",
        ] {
            assert!(error.contains(line), "{line}\n{error}");
        }
    }

    #[test]
    fn every_documented_path_is_known_as_our_own() {
        let mut found = 0;
        for file in std::fs::read_dir("../contracts/openapi").expect("is there") {
            let text = std::fs::read_to_string(file.expect("is readable").path()).expect("is readable");
            let document: serde_json::Value = serde_json::from_str(&text).expect("is JSON");
            for path in document["paths"].as_object().expect("has paths").keys() {
                assert!(super::own_path(path).is_some(), "{path} is missing in OWN_PATHS");
                found += 1;
            }
        }
        assert!(found > 0, "a document was read");
        assert_eq!(super::own_path("/api/eventsource"), None);
    }
}
