//! Keys seen a moment ago, so that a busy key costs no look-up per request.

use std::collections::HashMap;
use std::sync::Arc;

use ieum_core::Moment;
use parking_lot::Mutex;

use super::VerifiedKey;

/// What the store said of an id, and until when that counts.
#[derive(Clone)]
struct Known {
    key: Option<Arc<VerifiedKey>>,
    until: Moment,
}

/// A bounded table of ids.
pub(super) struct KnownKeys {
    entries: Mutex<HashMap<String, Known>>,
    most: usize,
}

impl KnownKeys {
    pub fn new(most: usize) -> Self {
        Self { entries: Mutex::default(), most: most.max(2) }
    }

    /// Returns what is known of `id` at `now`: `None` nothing, `Some(None)` that there is no such key.
    pub fn get(&self, id: &str, now: Moment) -> Option<Option<Arc<VerifiedKey>>> {
        let entries = self.entries.lock();
        entries.get(id).filter(|known| known.until > now).map(|known| known.key.clone())
    }

    /// Remembers what the store said. A full table forgets what has ended, else an arbitrary half: a
    /// flood of made-up ids costs look-ups, never memory.
    pub fn put(&self, id: &str, key: Option<Arc<VerifiedKey>>, until: Moment, now: Moment) {
        let mut entries = self.entries.lock();
        if entries.len() >= self.most {
            entries.retain(|_, known| known.until > now);
        }
        if entries.len() >= self.most {
            let mut keep = true;
            entries.retain(|_, _| {
                keep = !keep;
                keep
            });
        }
        entries.insert(id.to_owned(), Known { key, until });
    }

    pub fn forget(&self, id: &str) {
        self.entries.lock().remove(id);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_table_stays_bounded_and_forgets_in_time() {
        let known = KnownKeys::new(10);
        let later = Moment::START + Duration::from_secs(1);
        for i in 0..1_000 {
            known.put(&i.to_string(), None, later, Moment::START);
            assert!(known.entries.lock().len() <= 10);
        }
        assert!(matches!(known.get("999", Moment::START), Some(None)));
        assert!(known.get("999", later).is_none(), "its time is over");
        known.forget("999");
        assert!(known.get("999", Moment::START).is_none());
    }
}
