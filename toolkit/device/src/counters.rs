//! What a broker counts, by classes of topics that the operator names: never by topic.

use metrics::{Counter, Gauge};

use crate::hub::Counts;
use crate::packet::Reason;
use crate::topic::matches;

/// A class of topics in metrics.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TopicClass {
    /// The label.
    pub name: String,
    /// Which topics belong to it.
    pub filter: String,
}

/// Counters that are looked up once.
pub(crate) struct Counters {
    classes: Vec<(String, ClassCounters)>,
    other: ClassCounters,
    delivered: Counter,
    dropped_full: Counter,
    refused_full: Counter,
    dropped_expired: Counter,
    dropped_large: Counter,
    sessions: Gauge,
    connections: Gauge,
    retained: Gauge,
}

struct ClassCounters {
    name: String,
    messages: Counter,
    bytes: Counter,
}

impl Counters {
    pub fn new(classes: &[TopicClass]) -> Self {
        let counters = |name: &str| ClassCounters {
            name: name.to_owned(),
            messages: metrics::counter!("ieum_device_received_total", "class" => name.to_owned()),
            bytes: metrics::counter!("ieum_device_received_bytes_total", "class" => name.to_owned()),
        };
        let dropped = |why| metrics::counter!("ieum_device_dropped_total", "why" => why);
        Self {
            classes: classes.iter().map(|class| (class.filter.clone(), counters(&class.name))).collect(),
            other: counters("other"),
            delivered: metrics::counter!("ieum_device_delivered_total"),
            dropped_full: dropped("full"),
            refused_full: metrics::counter!("ieum_device_refused_total", "reason" => "queue_full"),
            dropped_expired: dropped("expired"),
            dropped_large: dropped("too_large"),
            sessions: metrics::gauge!("ieum_device_sessions"),
            connections: metrics::gauge!("ieum_device_connections"),
            retained: metrics::gauge!("ieum_device_retained"),
        }
    }

    /// Counts a message that came in.
    pub fn received(&self, topic: &str, bytes: usize) {
        let counters = self.of(topic);
        counters.messages.increment(1);
        counters.bytes.increment(bytes as u64);
    }

    /// Counts a message that its client may not publish.
    pub fn refused_message(&self, topic: &str, reason: Reason) {
        let class = self.of(topic).name.clone();
        metrics::counter!("ieum_device_refused_total", "class" => class, "reason" => reason.name())
            .increment(1);
    }

    fn of(&self, topic: &str) -> &ClassCounters {
        let class = self.classes.iter().find(|(filter, _)| matches(filter, topic));
        class.map_or(&self.other, |(_, counters)| counters)
    }

    /// Counts a connection that was refused or ended for a reason.
    pub fn refused(&self, reason: Reason) {
        metrics::counter!("ieum_device_refused_total", "reason" => reason.name()).increment(1);
    }

    /// Tells what the hub counted since the last time, and how large it is.
    pub fn tell(&self, counts: Counts, (sessions, connections, retained): (usize, usize, usize)) {
        self.delivered.increment(counts.delivered);
        self.dropped_full.increment(counts.dropped_full);
        self.refused_full.increment(counts.refused_full);
        self.dropped_expired.increment(counts.dropped_expired);
        self.dropped_large.increment(counts.dropped_large);
        self.sessions.set(sessions as f64);
        self.connections.set(connections as f64);
        self.retained.set(retained as f64);
    }
}
