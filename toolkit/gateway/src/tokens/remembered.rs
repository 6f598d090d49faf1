//! Tokens verified a moment ago, by their hash, so that a busy token costs one hash per request.

use std::collections::HashMap;
use std::sync::Arc;

use ieum_core::{Moment, Timestamp};
use parking_lot::Mutex;

use crate::Holder;

/// SHA-256 of a token's text: no token is kept.
pub(super) type Digest = [u8; 32];

/// A token that was right.
#[derive(Clone)]
pub(super) struct Known {
    pub holder: Arc<Holder>,
    /// Which of the issuers, and which change of its keys.
    pub issuer: usize,
    pub generation: u64,
    /// How many revocations had been made here when it was looked up.
    pub revocations: u64,
    /// When the token itself ends, leeway included.
    pub ends: Timestamp,
    /// Until when it counts without being looked at again.
    pub until: Moment,
}

/// Parts of the table, so that cores do not wait for each other.
const SHARDS: usize = 16;

/// A bounded table of tokens.
pub(super) struct Remembered {
    shards: [Mutex<HashMap<Digest, Known>>; SHARDS],
    most: usize,
}

impl Remembered {
    pub fn new(most: usize) -> Self {
        Self { shards: Default::default(), most: (most / SHARDS).max(2) }
    }

    fn shard(&self, digest: &Digest) -> &Mutex<HashMap<Digest, Known>> {
        &self.shards[usize::from(digest[0]) % SHARDS]
    }

    /// Returns what was known of the token and counts still.
    pub fn get(&self, digest: &Digest, moment: Moment, now: Timestamp) -> Option<Known> {
        let shard = self.shard(digest).lock();
        shard.get(digest).filter(|known| known.until > moment && known.ends > now).cloned()
    }

    /// Remembers a token. A full table forgets what has ended, else an arbitrary half.
    pub fn put(&self, digest: Digest, known: Known, moment: Moment) {
        let mut shard = self.shard(&digest).lock();
        if shard.len() >= self.most {
            shard.retain(|_, known| known.until > moment);
        }
        if shard.len() >= self.most {
            let mut keep = true;
            shard.retain(|_, _| {
                keep = !keep;
                keep
            });
        }
        shard.insert(digest, known);
    }

    /// Forgets every token.
    pub fn clear(&self) {
        self.shards.iter().for_each(|shard| shard.lock().clear());
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::Tier;

    #[test]
    fn the_table_stays_bounded_and_forgets_in_time() {
        let remembered = Remembered::new(64);
        let later = Moment::START + Duration::from_secs(1);
        let (now, ends) = (Timestamp::from_seconds(1), Timestamp::from_seconds(2));
        let holder = Arc::new(Holder::new("token", "a".into(), "a".into(), Tier::Partner));
        let known = Known { holder, issuer: 0, generation: 0, revocations: 0, ends, until: later };
        for i in 0..1_000_u32 {
            let digest: Digest = std::array::from_fn(|place| i.to_le_bytes()[place % 4]);
            remembered.put(digest, known.clone(), Moment::START);
            assert!(remembered.get(&digest, Moment::START, now).is_some());
            assert!(remembered.get(&digest, later, now).is_none(), "its time is over");
            assert!(remembered.get(&digest, Moment::START, ends).is_none(), "the token has ended");
            assert!(remembered.shards.iter().map(|shard| shard.lock().len()).sum::<usize>() <= 64);
        }
    }
}
