//! Counts per route, looked up once: a request costs a few atomic additions.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use http::{Method, StatusCode};
use metrics::{Counter, Histogram};
use parking_lot::RwLock;

/// Labels are bounded: routes by the route table, methods and classes by these lists.
const METHODS: [(&str, Option<Method>); 8] = [
    ("GET", Some(Method::GET)),
    ("POST", Some(Method::POST)),
    ("PUT", Some(Method::PUT)),
    ("PATCH", Some(Method::PATCH)),
    ("DELETE", Some(Method::DELETE)),
    ("HEAD", Some(Method::HEAD)),
    ("OPTIONS", Some(Method::OPTIONS)),
    ("other", None),
];
const CLASSES: [&str; 6] = ["1xx", "2xx", "3xx", "4xx", "5xx", "other"];

/// The meters of every route that was asked for.
#[derive(Default)]
pub(crate) struct Meters(RwLock<HashMap<Arc<str>, Arc<RouteMeter>>>);

/// What is counted of one route. Handles are taken from the process's recorder at the first use, so that
/// has to be set up before the first request.
pub(crate) struct RouteMeter {
    pub route: Arc<str>,
    counts: [[OnceLock<Counter>; CLASSES.len()]; METHODS.len()],
    seconds: OnceLock<Histogram>,
}

// === Meters ===

impl Meters {
    /// Returns the meter of `route`, as it stands in the route table.
    pub fn of(&self, route: &str) -> Arc<RouteMeter> {
        if let Some(meter) = self.0.read().get(route) {
            return meter.clone();
        }
        let name: Arc<str> = route.into();
        let mut all = self.0.write();
        all.entry(name.clone()).or_insert_with(|| Arc::new(RouteMeter::new(name))).clone()
    }
}

// === RouteMeter ===

impl RouteMeter {
    fn new(route: Arc<str>) -> Self {
        Self { route, counts: Default::default(), seconds: OnceLock::new() }
    }

    /// Counts one request that took `seconds`.
    pub fn count(&self, method: &Method, status: StatusCode, seconds: f64) {
        let known = METHODS.iter().position(|(_, one)| one.as_ref() == Some(method));
        let row = known.unwrap_or(METHODS.len() - 1);
        let column = usize::from(status.as_u16() / 100).saturating_sub(1).min(CLASSES.len() - 1);
        let route = &self.route;
        let counter = self.counts[row][column].get_or_init(|| {
            metrics::counter!("ieum_gateway_requests_total", "route" => route.to_string(),
                "method" => METHODS[row].0, "status" => CLASSES[column])
        });
        counter.increment(1);
        let histogram = self.seconds.get_or_init(
            || metrics::histogram!("ieum_gateway_request_seconds", "route" => route.to_string()),
        );
        histogram.record(seconds);
    }
}

/// Counts a request that the door refused; `reason` is one of the gateway's own.
pub(crate) fn count_refusal(reason: &str) {
    metrics::counter!("ieum_gateway_refusals_total", "reason" => reason.to_owned()).increment(1);
}
