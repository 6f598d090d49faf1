//! Messages that are kept for who subscribes later: the last of each topic (MQTT 5 §3.3.1.3).

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use ieum_core::Timestamp;

use crate::Message;
use crate::topic;

/// The messages kept, by topic.
#[derive(Default)]
pub(crate) struct Retained {
    messages: BTreeMap<Arc<str>, Arc<Message>>,
}

impl Retained {
    /// Keeps `message` in place of what its topic had.
    pub fn insert(&mut self, message: Arc<Message>) {
        self.messages.insert(Arc::clone(&message.topic), message);
    }

    /// Forgets what `topic` had and tells whether there was something.
    pub fn remove(&mut self, topic: &str) -> bool {
        self.messages.remove(topic).is_some()
    }

    /// Tells whether `topic` has a message.
    pub fn contains(&self, topic: &str) -> bool {
        self.messages.contains_key(topic)
    }

    /// Returns how many are kept.
    pub fn len(&self) -> usize {
        self.messages.len()
    }

    /// Returns what matches `pattern` and is worth delivering at `now`, by topic.
    pub fn matching(&self, pattern: &str, now: Timestamp) -> Vec<Arc<Message>> {
        // All topics that can match begin with what stands before the first wildcard.
        let fixed = pattern.find(['+', '#']).map_or(pattern, |end| &pattern[..end]);
        // "a/#" matches "a" too.
        let prefix = fixed.strip_suffix('/').filter(|_| pattern.len() > fixed.len()).unwrap_or(fixed);
        self.messages
            .range::<str, _>((Bound::Included(prefix), Bound::Unbounded))
            .take_while(|(topic, _)| topic.starts_with(prefix))
            .filter(|(topic, message)| topic::matches(pattern, topic) && !message.is_expired(now))
            .map(|(_, message)| Arc::clone(message))
            .collect()
    }

    /// Forgets what is no longer worth delivering at `now` and returns its topics.
    pub fn expire(&mut self, now: Timestamp) -> Vec<Arc<str>> {
        let mut gone = Vec::new();
        self.messages.retain(|topic, message| {
            let keep = !message.is_expired(now);
            if !keep {
                gone.push(Arc::clone(topic));
            }
            keep
        });
        gone
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_finds_its_topics_among_others() {
        let mut retained = Retained::default();
        for topic in ["a", "a/b", "a/b/c", "ab", "b", "/a", "$SYS/a"] {
            retained.insert(Arc::new(Message::new(topic, "x")));
        }
        let found = |pattern: &str| {
            let messages = retained.matching(pattern, Timestamp::default());
            messages.iter().map(|message| message.topic.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(found("a/#"), ["a", "a/b", "a/b/c"]);
        assert_eq!(found("a/+"), ["a/b"]);
        assert_eq!(found("+"), ["a", "ab", "b"]);
        assert_eq!(found("#"), ["/a", "a", "a/b", "a/b/c", "ab", "b"]);
        assert_eq!(found("/+"), ["/a"]);
        assert_eq!(found("$SYS/#"), ["$SYS/a"]);
    }
}
