//! The cache in this process' memory: bounded, with an explicit clock.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use ieum_core::{Moment, SharedClock, Timestamp, new_id};
use ieum_policy::{Decision, Gcra};
use parking_lot::Mutex;

use crate::error::check_key;
use crate::lock::LockKeeper;
use crate::{Cache, CacheError, Capabilities, LockGuard, Ranked};

/// How much a memory cache may hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct MemoryOptions {
    /// The most values. Beyond, what was used longest ago is forgotten.
    pub most_values: usize,
    /// The most locks, rate limits and members of rankings, each. They are never forgotten before their
    /// time; beyond, [`CacheError::Full`].
    pub most_kept: usize,
}

/// A cache in this process' memory.
#[derive(Clone)]
pub struct MemoryCache {
    clock: SharedClock,
    options: MemoryOptions,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    values: HashMap<String, Entry>,
    /// Keys by last use, for forgetting the oldest.
    uses: BTreeMap<u64, String>,
    next_use: u64,
    rankings: HashMap<String, Ranking>,
    members: usize,
    locks: HashMap<String, (String, Moment)>,
    limits: HashMap<String, i64>,
}

struct Entry {
    value: Bytes,
    until: Moment,
    used: u64,
}

#[derive(Default)]
struct Ranking {
    scores: HashMap<String, f64>,
    order: BTreeSet<Place>,
}

#[derive(Clone, PartialEq)]
struct Place {
    score: f64,
    member: String,
}

impl Default for MemoryOptions {
    fn default() -> Self {
        Self { most_values: 100_000, most_kept: 1_000_000 }
    }
}

// === Place ===

impl Eq for Place {}

impl Ord for Place {
    fn cmp(&self, other: &Self) -> Ordering {
        self.score.total_cmp(&other.score).then_with(|| self.member.cmp(&other.member))
    }
}

impl PartialOrd for Place {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

// === State ===

impl State {
    fn remove(&mut self, key: &str) -> Option<Entry> {
        let entry = self.values.remove(key)?;
        self.uses.remove(&entry.used);
        Some(entry)
    }

    /// Returns the live entry and notes its use; drops it where its time has passed.
    fn touch(&mut self, key: &str, now: Moment) -> Option<&Entry> {
        let entry = self.values.get_mut(key)?;
        if entry.until <= now {
            self.remove(key);
            return None;
        }
        self.uses.remove(&entry.used);
        entry.used = self.next_use;
        self.uses.insert(self.next_use, key.to_owned());
        self.next_use += 1;
        self.values.get(key)
    }

    fn insert(&mut self, key: &str, value: Bytes, until: Moment, most: usize) {
        self.remove(key);
        while self.values.len() >= most.max(1) {
            let Some((_, oldest)) = self.uses.pop_first() else { break };
            self.values.remove(&oldest);
        }
        let used = self.next_use;
        self.next_use += 1;
        self.uses.insert(used, key.to_owned());
        self.values.insert(key.to_owned(), Entry { value, until, used });
    }
}

/// Makes room in `map` for `key`: where it is full, drops what `is_over`, and where nothing is, fails.
fn make_room<T>(
    map: &mut HashMap<String, T>,
    key: &str,
    most: usize,
    kind: &'static str,
    is_over: impl Fn(&T) -> bool,
) -> Result<(), CacheError> {
    if map.len() < most || map.contains_key(key) {
        return Ok(());
    }
    map.retain(|_, kept| !is_over(kept));
    if map.len() < most { Ok(()) } else { Err(CacheError::Full { kind, entries: map.len() }) }
}

// === MemoryCache ===

impl MemoryCache {
    /// Makes an empty cache.
    pub fn new(clock: SharedClock, options: MemoryOptions) -> Self {
        Self { clock, options, state: Arc::default() }
    }
}

#[async_trait]
impl Cache for MemoryCache {
    fn capabilities(&self) -> Capabilities {
        Capabilities { shared: false, survives_restart: false, fast_limits: true }
    }

    async fn ping(&self) -> Result<(), CacheError> {
        Ok(())
    }

    async fn get(&self, key: &str) -> Result<Option<Bytes>, CacheError> {
        check_key(key)?;
        let now = self.clock.moment();
        Ok(self.state.lock().touch(key, now).map(|entry| entry.value.clone()))
    }

    async fn set(&self, key: &str, value: Bytes, ttl: Duration) -> Result<(), CacheError> {
        check_key(key)?;
        let until = self.clock.moment() + ttl;
        let mut state = self.state.lock();
        if ttl.is_zero() {
            state.remove(key);
        } else {
            state.insert(key, value, until, self.options.most_values);
        }
        Ok(())
    }

    async fn delete(&self, key: &str) -> Result<bool, CacheError> {
        check_key(key)?;
        let now = self.clock.moment();
        Ok(self.state.lock().remove(key).is_some_and(|entry| entry.until > now))
    }

    async fn ttl(&self, key: &str) -> Result<Option<Duration>, CacheError> {
        check_key(key)?;
        let now = self.clock.moment();
        Ok(self.state.lock().touch(key, now).map(|entry| entry.until.since(now)))
    }

    async fn rank_add(&self, set: &str, member: &str, score: f64) -> Result<(), CacheError> {
        check_key(set)?;
        check_key(member)?;
        if score.is_nan() {
            return Err(CacheError::Score { member: member.to_owned() });
        }
        // -0 and 0 are one score.
        let score = score + 0.0;
        let mut guard = self.state.lock();
        let state = &mut *guard;
        let is_new = state.rankings.get(set).is_none_or(|ranking| !ranking.scores.contains_key(member));
        if is_new && state.members >= self.options.most_kept {
            return Err(CacheError::Full { kind: "members of rankings", entries: state.members });
        }
        let ranking = state.rankings.entry(set.to_owned()).or_default();
        if let Some(before) = ranking.scores.insert(member.to_owned(), score) {
            ranking.order.remove(&Place { score: before, member: member.to_owned() });
        } else {
            state.members += 1;
        }
        ranking.order.insert(Place { score, member: member.to_owned() });
        Ok(())
    }

    async fn rank_top(&self, set: &str, count: usize) -> Result<Vec<Ranked>, CacheError> {
        check_key(set)?;
        let state = self.state.lock();
        let places = state.rankings.get(set).into_iter().flat_map(|ranking| ranking.order.iter().rev());
        Ok(places
            .take(count)
            .map(|place| Ranked { member: place.member.clone(), score: place.score })
            .collect())
    }

    async fn rank_of(&self, set: &str, member: &str) -> Result<Option<u64>, CacheError> {
        check_key(set)?;
        let state = self.state.lock();
        let Some(ranking) = state.rankings.get(set) else { return Ok(None) };
        let Some(score) = ranking.scores.get(member) else { return Ok(None) };
        let own = Place { score: *score, member: member.to_owned() };
        let above = ranking.order.range((std::ops::Bound::Excluded(own), std::ops::Bound::Unbounded)).count();
        Ok(Some(above as u64))
    }

    async fn rank_remove(&self, set: &str, member: &str) -> Result<bool, CacheError> {
        check_key(set)?;
        let mut guard = self.state.lock();
        let state = &mut *guard;
        let Some(ranking) = state.rankings.get_mut(set) else { return Ok(false) };
        let Some(score) = ranking.scores.remove(member) else { return Ok(false) };
        ranking.order.remove(&Place { score, member: member.to_owned() });
        state.members -= 1;
        if ranking.scores.is_empty() {
            state.rankings.remove(set);
        }
        Ok(true)
    }

    async fn lock(&self, key: &str, ttl: Duration) -> Result<Option<LockGuard>, CacheError> {
        check_key(key)?;
        let now = self.clock.moment();
        let token = new_id().to_string();
        let mut state = self.state.lock();
        if state.locks.get(key).is_some_and(|(_, until)| *until > now) {
            return Ok(None);
        }
        make_room(&mut state.locks, key, self.options.most_kept, "locks", |(_, until)| *until <= now)?;
        state.locks.insert(key.to_owned(), (token.clone(), now + ttl));
        drop(state);
        Ok(Some(LockGuard::new(Arc::new(self.clone()), key, token)))
    }

    async fn gcra(&self, key: &str, limit: &Gcra, now: Timestamp) -> Result<Decision, CacheError> {
        check_key(key)?;
        let now = now.as_micros();
        let mut state = self.state.lock();
        if let Some(arrival) = state.limits.get_mut(key) {
            let decision = limit.check(*arrival, now);
            *arrival = decision.new_arrival;
            return Ok(decision);
        }
        // A limit whose arrival has passed says the same as none.
        make_room(&mut state.limits, key, self.options.most_kept, "rate limits", |arrival| *arrival <= now)?;
        let decision = limit.check(0, now);
        state.limits.insert(key.to_owned(), decision.new_arrival);
        Ok(decision)
    }
}

#[async_trait]
impl LockKeeper for MemoryCache {
    async fn release(&self, key: &str, token: &str) -> Result<bool, CacheError> {
        let now = self.clock.moment();
        let mut state = self.state.lock();
        match state.locks.get(key) {
            Some((holder, until)) if holder == token => {
                let in_time = *until > now;
                state.locks.remove(key);
                Ok(in_time)
            }
            _ => Ok(false),
        }
    }

    async fn extend(&self, key: &str, token: &str, ttl: Duration) -> Result<bool, CacheError> {
        let now = self.clock.moment();
        let mut state = self.state.lock();
        match state.locks.get_mut(key) {
            Some((holder, until)) if holder == token && *until > now => {
                *until = now + ttl;
                Ok(true)
            }
            _ => Ok(false),
        }
    }
}

#[cfg(test)]
mod tests {
    use ieum_core::{Clock, ManualClock};

    use super::*;

    fn small(clock: &ManualClock) -> MemoryCache {
        MemoryCache::new(clock.shared(), MemoryOptions { most_values: 3, most_kept: 2 })
    }

    #[tokio::test]
    async fn a_full_cache_forgets_what_was_used_longest_ago() {
        let cache = small(&ManualClock::default());
        let hour = Duration::from_secs(3600);
        for key in ["a", "b", "c"] {
            cache.set(key, Bytes::from_static(b"1"), hour).await.expect("keeps");
        }
        cache.get("a").await.expect("reads");
        cache.set("d", Bytes::from_static(b"1"), hour).await.expect("keeps");
        let mut left = Vec::new();
        for key in ["a", "b", "c", "d"] {
            left.push(cache.get(key).await.expect("reads").is_some());
        }
        assert_eq!(left, [true, false, true, true]);
        assert_eq!(cache.state.lock().uses.len(), 3);
    }

    #[tokio::test]
    async fn a_lifetime_ends_on_the_clock_and_not_before() {
        let clock = ManualClock::default();
        let cache = small(&clock);
        cache.set("a", Bytes::from_static(b"1"), Duration::from_millis(10)).await.expect("keeps");
        clock.advance(Duration::from_millis(9));
        assert_eq!(cache.ttl("a").await.expect("reads"), Some(Duration::from_millis(1)));
        clock.advance(Duration::from_millis(1));
        assert_eq!(cache.get("a").await.expect("reads"), None);
        assert!(cache.state.lock().uses.is_empty());
    }

    #[tokio::test]
    async fn limits_and_locks_are_never_forgotten_before_their_time() {
        let clock = ManualClock::default();
        let cache = small(&clock);
        let limit = Gcra::new(1, Duration::from_secs(1), 1).expect("is a limit");
        for key in ["a", "b"] {
            assert!(cache.gcra(key, &limit, clock.now()).await.expect("decides").allowed);
        }
        let error = cache.gcra("c", &limit, clock.now()).await.expect_err("is full");
        assert!(matches!(error, CacheError::Full { kind: "rate limits", entries: 2 }), "{error}");
        assert!(!cache.gcra("a", &limit, clock.now()).await.expect("decides").allowed);
        clock.advance(Duration::from_secs(1));
        assert!(cache.gcra("c", &limit, clock.now()).await.expect("decides").allowed);
    }

    #[tokio::test]
    async fn a_lock_ends_by_time_and_its_late_holder_is_told() {
        let clock = ManualClock::default();
        let cache = small(&clock);
        let first = cache.lock("a", Duration::from_secs(1)).await.expect("asks").expect("is free");
        assert!(cache.lock("a", Duration::from_secs(1)).await.expect("asks").is_none());
        assert!(first.extend(Duration::from_secs(5)).await.expect("extends"));
        clock.advance(Duration::from_secs(5));
        let second = cache.lock("a", Duration::from_secs(1)).await.expect("asks").expect("is free again");
        assert!(!first.release().await.expect("asks"), "its time had passed");
        assert!(
            cache.lock("a", Duration::from_secs(1)).await.expect("asks").is_none(),
            "the second still holds"
        );
        assert!(second.release().await.expect("gives back"));
    }
}
