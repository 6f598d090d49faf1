//! Metrics that somebody counts anyway and tells when asked: gathered at each scrape, never pushed.

use std::fmt::Write;
use std::sync::Arc;

use parking_lot::RwLock;

/// What a family's numbers mean to Prometheus.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FamilyKind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Observations in buckets.
    Histogram,
}

/// All series of one name.
#[derive(Clone, PartialEq, Debug)]
pub struct Family {
    name: &'static str,
    help: &'static str,
    kind: FamilyKind,
    lines: String,
}

/// Tells its metrics when asked. It must answer at once: a scrape waits for it.
pub trait Gather: Send + Sync + 'static {
    /// Returns the present values. Labels must come from a bounded set, such as names in the settings.
    fn gather(&self) -> Vec<Family>;
}

/// Everybody who tells metrics when asked. Clones share one list.
#[derive(Clone, Default)]
pub(crate) struct Gatherers(Arc<RwLock<Vec<Arc<dyn Gather>>>>);

/// A series' labels.
pub type LabelPairs<'a> = &'a [(&'a str, &'a str)];

// === Family ===

impl Family {
    /// Begins a family: `name` as Prometheus knows it (`ieum_link_calls_total`), `help` for people.
    pub fn new(name: &'static str, kind: FamilyKind, help: &'static str) -> Self {
        Self { name, help, kind, lines: String::new() }
    }

    /// Adds the present value of the series with `labels`.
    #[must_use]
    pub fn with(mut self, labels: LabelPairs<'_>, value: f64) -> Self {
        self.sample("", labels, None, value);
        self
    }

    /// Adds a histogram: `buckets` are counts within each of `bounds` (not cumulative) and one more for what
    /// lies beyond, `sum` is in the unit of the bounds.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "Prometheus counts in floats")]
    pub fn with_histogram(
        mut self,
        labels: LabelPairs<'_>,
        bounds: &[f64],
        buckets: &[u64],
        sum: f64,
    ) -> Self {
        let mut seen = 0;
        for (bound, count) in bounds.iter().zip(buckets) {
            seen += count;
            self.sample("_bucket", labels, Some(&bound.to_string()), seen as f64);
        }
        let all: u64 = buckets.iter().sum();
        self.sample("_bucket", labels, Some("+Inf"), all as f64);
        self.sample("_sum", labels, None, sum);
        self.sample("_count", labels, None, all as f64);
        self
    }

    fn sample(&mut self, suffix: &str, labels: LabelPairs<'_>, bound: Option<&str>, value: f64) {
        let bound = bound.map(|bound| ("le", bound));
        let pairs: Vec<String> = labels
            .iter()
            .copied()
            .chain(bound)
            .map(|(name, value)| format!("{name}=\"{}\"", escape(value)))
            .collect();
        let braces = if pairs.is_empty() { String::new() } else { format!("{{{}}}", pairs.join(",")) };
        // Writing to a string cannot fail.
        let _ = writeln!(self.lines, "{}{suffix}{braces} {value}", self.name);
    }

    fn render(&self, text: &mut String) {
        if self.lines.is_empty() {
            return;
        }
        let kind = match self.kind {
            FamilyKind::Counter => "counter",
            FamilyKind::Gauge => "gauge",
            FamilyKind::Histogram => "histogram",
        };
        let (name, help) = (self.name, self.help);
        let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{}\n", self.lines);
    }
}

/// Escapes a label's value (<https://prometheus.io/docs/instrumenting/exposition_formats/>, "Text format").
fn escape(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

// === Gatherers ===

impl Gatherers {
    pub(crate) fn add(&self, gather: Arc<dyn Gather>) {
        self.0.write().push(gather);
    }

    /// Appends everybody's present metrics to `text`.
    pub(crate) fn render(&self, text: &mut String) {
        let all = self.0.read().clone();
        for family in all.iter().flat_map(|gather| gather.gather()) {
            family.render(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Two;

    impl Gather for Two {
        fn gather(&self) -> Vec<Family> {
            let calls = Family::new("ieum_link_calls_total", FamilyKind::Counter, "Calls.");
            let seconds = Family::new("ieum_link_call_seconds", FamilyKind::Histogram, "Lengths of calls.");
            let none = Family::new("ieum_link_in_flight", FamilyKind::Gauge, "Calls under way.");
            vec![
                calls.with(&[("link", "a \"b\"\\\n"), ("outcome", "ok")], 3.0).with(&[], 1.0),
                seconds.with_histogram(&[("link", "a")], &[0.5, 1.0], &[1, 0, 2], 7.25),
                none,
            ]
        }
    }

    #[test]
    fn what_is_gathered_reads_as_prometheus_writes_it() {
        let gatherers = Gatherers::default();
        gatherers.add(Arc::new(Two));
        let mut text = String::new();
        gatherers.render(&mut text);
        insta::assert_snapshot!(text);
    }
}
