//! A guard over metric labels: so many different values each, the rest is `other`.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use metrics::{Counter, Gauge, Histogram, Key, KeyName, Label, Metadata, Recorder, SharedString, Unit};
use parking_lot::RwLock;

/// What every value beyond the bound is counted as.
const OTHER: &str = "other";

/// Bounds how many different values a label may take, so that no caller can fill the memory of this
/// process and of whoever scrapes it. Clones share what was seen.
#[derive(Clone, Debug)]
pub struct Labels {
    most: usize,
    seen: Arc<RwLock<Seen>>,
}

/// Values by metric, then by label.
type Seen = HashMap<String, HashMap<String, HashSet<String>>>;

/// A recorder whose labels are bounded.
#[derive(Debug)]
pub(crate) struct Bounded<R> {
    inner: R,
    labels: Labels,
}

impl Labels {
    /// Allows `most` different values per label of a metric.
    pub fn bounded(most: usize) -> Self {
        Self { most, seen: Arc::default() }
    }

    /// Returns `value`, or `other` where `label` has taken its share of different values already.
    pub fn value<'a>(&self, label: &str, value: &'a str) -> &'a str {
        if self.admits("", label, value) { value } else { OTHER }
    }

    fn admits(&self, metric: &str, label: &str, value: &str) -> bool {
        let known = |seen: &Seen| {
            let values = seen.get(metric).and_then(|labels| labels.get(label));
            values.map(|values| (values.contains(value), values.len() < self.most))
        };
        match known(&self.seen.read()) {
            Some((true, _)) => return true,
            Some((false, false)) => return false,
            _ => {}
        }
        let mut seen = self.seen.write();
        // The room may have gone between the two locks.
        match known(&seen) {
            Some((true, _)) => true,
            Some((false, false)) => false,
            None if self.most == 0 => false,
            _ => {
                let labels = seen.entry(metric.to_owned()).or_default();
                labels.entry(label.to_owned()).or_default().insert(value.to_owned())
            }
        }
    }
}

impl<R> Bounded<R> {
    pub(crate) fn new(inner: R, labels: Labels) -> Self {
        Self { inner, labels }
    }

    fn bound<'a>(&self, key: &'a Key) -> Cow<'a, Key> {
        let admits = |label: &Label| self.labels.admits(key.name(), label.key(), label.value());
        let admitted: Vec<bool> = key.labels().map(admits).collect();
        if admitted.iter().all(|admitted| *admitted) {
            return Cow::Borrowed(key);
        }
        let pairs = key.labels().zip(admitted);
        let labels: Vec<Label> = pairs
            .map(
                |(label, admitted)| {
                    if admitted { label.clone() } else { Label::new(label.key().to_owned(), OTHER) }
                },
            )
            .collect();
        Cow::Owned(Key::from_parts(key.name().to_owned(), labels))
    }
}

impl<R: Recorder> Recorder for Bounded<R> {
    fn describe_counter(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.inner.describe_counter(key, unit, description);
    }

    fn describe_gauge(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.inner.describe_gauge(key, unit, description);
    }

    fn describe_histogram(&self, key: KeyName, unit: Option<Unit>, description: SharedString) {
        self.inner.describe_histogram(key, unit, description);
    }

    fn register_counter(&self, key: &Key, metadata: &Metadata<'_>) -> Counter {
        self.inner.register_counter(&self.bound(key), metadata)
    }

    fn register_gauge(&self, key: &Key, metadata: &Metadata<'_>) -> Gauge {
        self.inner.register_gauge(&self.bound(key), metadata)
    }

    fn register_histogram(&self, key: &Key, metadata: &Metadata<'_>) -> Histogram {
        self.inner.register_histogram(&self.bound(key), metadata)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_beyond_the_bound_become_other_and_known_ones_stay() {
        let labels = Labels::bounded(2);
        assert_eq!(labels.value("path", "/a"), "/a");
        assert_eq!(labels.value("path", "/b"), "/b");
        assert_eq!(labels.value("path", "/c"), "other");
        assert_eq!(labels.value("path", "/a"), "/a");
        assert_eq!(labels.value("method", "GET"), "GET", "each label has its own bound");
        assert_eq!(Labels::bounded(0).value("path", "/a"), "other");
    }

    #[test]
    fn a_flood_of_label_values_adds_one_series() {
        let prometheus = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
        let handle = prometheus.handle();
        let recorder = Bounded::new(prometheus, Labels::bounded(3));
        metrics::with_local_recorder(&recorder, || {
            for number in 0..1_000 {
                metrics::counter!("calls_total", "key" => format!("key-{number}"), "kind" => "query")
                    .increment(1);
            }
        });
        let text = handle.render();
        let series: Vec<&str> = text.lines().filter(|line| line.starts_with("calls_total{")).collect();
        assert_eq!(series.len(), 4, "{text}");
        assert!(text.contains("calls_total{key=\"other\",kind=\"query\"} 997"), "{text}");
    }
}
