//! The cases every cache backend must pass.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use ieum_cache::{CacheError, Ranked};
use ieum_core::{Clock, SystemClock};
use ieum_policy::Gcra;

use crate::backend::Backend;

const HOUR: Duration = Duration::from_secs(3600);
/// How long a test waits for what is to happen.
const PATIENCE: Duration = Duration::from_secs(120);

pub async fn a_value_comes_back_as_it_went_in(backend: &Backend) {
    let cache = &backend.cache;
    cache.ping().await.expect("answers");
    let long: Bytes = (0..1_048_576_u32).map(|i| (i * 31 % 251) as u8).collect::<Vec<u8>>().into();
    for (name, value) in
        [("빈 값", Bytes::new()), ("a 'quoted\" `key`; --", Bytes::from("이음 ☕️")), ("long", long)]
    {
        let key = backend.key(name);
        assert_eq!(cache.get(&key).await.expect("reads"), None);
        cache.set(&key, value.clone(), HOUR).await.expect("keeps");
        assert_eq!(cache.get(&key).await.expect("reads"), Some(value));
    }
    assert_eq!(cache.get(&backend.key("LONG")).await.expect("reads"), None, "keys differ by case");
}

pub async fn a_deleted_key_is_gone(backend: &Backend) {
    let (cache, key) = (&backend.cache, backend.key("a"));
    cache.set(&key, Bytes::from("1"), HOUR).await.expect("keeps");
    assert!(cache.delete(&key).await.expect("deletes"));
    assert!(!cache.delete(&key).await.expect("deletes"));
    assert_eq!(cache.get(&key).await.expect("reads"), None);
    cache.set(&key, Bytes::from("1"), HOUR).await.expect("keeps");
    cache.set(&key, Bytes::from("2"), Duration::ZERO).await.expect("deletes");
    assert_eq!(cache.ttl(&key).await.expect("reads"), None);
}

pub async fn a_lifetime_ends(backend: &Backend) {
    let (cache, key) = (&backend.cache, backend.key("a"));
    let begun = SystemClock.moment();
    cache.set(&key, Bytes::from("1"), Duration::from_millis(300)).await.expect("keeps");
    match cache.ttl(&key).await.expect("reads") {
        Some(left) => assert!(left <= Duration::from_millis(300), "{left:?}"),
        // A machine that stood still meanwhile; that it does not end too early is seen below.
        None => assert!(SystemClock.moment().since(begun) >= Duration::from_millis(299), "is there"),
    }
    while cache.get(&key).await.expect("reads").is_some() {
        assert!(SystemClock.moment().since(begun) < PATIENCE, "never ends");
        SystemClock.sleep(Duration::from_millis(10)).await;
    }
    assert!(SystemClock.moment().since(begun) >= Duration::from_millis(299), "ends too early");
    assert_eq!(cache.ttl(&key).await.expect("reads"), None);
    assert!(!cache.delete(&key).await.expect("deletes"), "what is over is not there");
}

pub async fn a_newer_value_has_its_own_lifetime(backend: &Backend) {
    let (cache, key) = (&backend.cache, backend.key("a"));
    cache.set(&key, Bytes::from("1"), Duration::from_millis(20)).await.expect("keeps");
    cache.set(&key, Bytes::from("2"), HOUR).await.expect("keeps");
    SystemClock.sleep(Duration::from_millis(40)).await;
    assert_eq!(cache.get(&key).await.expect("reads"), Some(Bytes::from("2")));
    let left = cache.ttl(&key).await.expect("reads").expect("is there");
    assert!(left > HOUR - PATIENCE * 5 && left <= HOUR, "{left:?}");
}

pub async fn a_ranking_is_ordered_and_changes(backend: &Backend) {
    let (cache, set) = (&backend.cache, backend.key("맛"));
    for (member, score) in [("sour", 2.0), ("sweet", 9.5), ("salty", -1.0), ("bitter", 2.0)] {
        cache.rank_add(&set, member, score).await.expect("ranks");
    }
    let names = |top: Vec<Ranked>| top.into_iter().map(|place| place.member).collect::<Vec<_>>();
    assert_eq!(names(cache.rank_top(&set, 10).await.expect("reads")), ["sweet", "sour", "bitter", "salty"]);
    assert_eq!(
        cache.rank_top(&set, 1).await.expect("reads"),
        [Ranked { member: "sweet".into(), score: 9.5 }]
    );
    assert!(cache.rank_top(&set, 0).await.expect("reads").is_empty());
    assert_eq!(cache.rank_of(&set, "bitter").await.expect("reads"), Some(2));
    assert_eq!(cache.rank_of(&set, "umami").await.expect("reads"), None);
    cache.rank_add(&set, "salty", 1e9).await.expect("ranks");
    assert_eq!(cache.rank_of(&set, "salty").await.expect("reads"), Some(0));
    assert!(cache.rank_remove(&set, "sweet").await.expect("removes"));
    assert!(!cache.rank_remove(&set, "sweet").await.expect("removes"));
    assert_eq!(names(cache.rank_top(&set, 10).await.expect("reads")), ["salty", "sour", "bitter"]);
    let error = cache.rank_add(&set, "sour", f64::NAN).await.expect_err("is no number");
    assert!(matches!(error, CacheError::Score { .. }));
}

pub async fn the_same_name_may_be_key_ranking_lock_and_limit(backend: &Backend) {
    let (cache, name) = (&backend.cache, backend.key("a"));
    let limit = Gcra::new(1, HOUR, 1).expect("is a limit");
    cache.set(&name, Bytes::from("1"), HOUR).await.expect("keeps");
    cache.rank_add(&name, "m", 1.0).await.expect("ranks");
    let held = cache.lock(&name, HOUR).await.expect("asks").expect("is free");
    assert!(cache.gcra(&name, &limit, SystemClock.now()).await.expect("decides").allowed);
    assert_eq!(cache.get(&name).await.expect("reads"), Some(Bytes::from("1")));
    assert!(held.release().await.expect("gives back"));
}

pub async fn a_lock_has_one_holder(backend: &Backend) {
    let key = backend.key("a");
    let mut tasks = Vec::new();
    for _ in 0..8 {
        let (cache, key) = (Arc::clone(&backend.cache), key.clone());
        tasks.push(tokio::spawn(async move { cache.lock(&key, HOUR).await.expect("asks") }));
    }
    let mut held = Vec::new();
    for task in tasks {
        held.extend(task.await.expect("ends"));
    }
    assert_eq!(held.len(), 1);
    let first = held.pop().expect("is one");
    assert!(first.extend(HOUR).await.expect("extends"));
    assert!(backend.cache.lock(&key, HOUR).await.expect("asks").is_none());
    assert!(first.release().await.expect("gives back"));
    let second = backend.cache.lock(&key, HOUR).await.expect("asks").expect("is free");
    assert!(second.release().await.expect("gives back"));
}

pub async fn a_dropped_lock_is_given_back(backend: &Backend) {
    let (cache, key) = (&backend.cache, backend.key("a"));
    drop(cache.lock(&key, HOUR).await.expect("asks").expect("is free"));
    let begun = SystemClock.moment();
    while cache.lock(&key, HOUR).await.expect("asks").is_none() {
        assert!(SystemClock.moment().since(begun) < PATIENCE, "is never given back");
        SystemClock.sleep(Duration::from_millis(5)).await;
    }
}

pub async fn a_lock_ends_by_time(backend: &Backend) {
    let (cache, key) = (&backend.cache, backend.key("a"));
    let begun = SystemClock.moment();
    let first = cache.lock(&key, Duration::from_millis(200)).await.expect("asks").expect("is free");
    let second = loop {
        if let Some(second) = cache.lock(&key, HOUR).await.expect("asks") {
            break second;
        }
        assert!(SystemClock.moment().since(begun) < PATIENCE, "never ends");
        SystemClock.sleep(Duration::from_millis(5)).await;
    };
    assert!(SystemClock.moment().since(begun) >= Duration::from_millis(199), "ends too early");
    assert!(!first.extend(HOUR).await.expect("asks"), "somebody else has it");
    assert!(!first.release().await.expect("asks"), "somebody else has it");
    assert!(second.release().await.expect("gives back"), "the first did not give it back");
}

pub async fn a_limit_lets_the_burst_pass_and_no_more(backend: &Backend) {
    let (cache, key) = (&backend.cache, backend.key("a"));
    let limit = Gcra::new(1, HOUR, 5).expect("is a limit");
    for left in (0..5).rev() {
        let decision = cache.gcra(&key, &limit, SystemClock.now()).await.expect("decides");
        assert!(decision.allowed);
        assert_eq!(decision.remaining, left);
    }
    for _ in 0..3 {
        let refused = cache.gcra(&key, &limit, SystemClock.now()).await.expect("decides");
        assert!(!refused.allowed && refused.retry_after > HOUR - PATIENCE * 5, "{refused:?}");
    }
    let other = cache.gcra(&backend.key("b"), &limit, SystemClock.now()).await.expect("decides");
    assert_eq!(other.remaining, 4, "another key has its own limit");
}

pub async fn a_limit_refills_at_its_rate(backend: &Backend) {
    let (cache, key) = (&backend.cache, backend.key("a"));
    let limit = Gcra::new(10, Duration::from_secs(1), 1).expect("is a limit");
    let begun = SystemClock.moment();
    let mut passed = 0;
    while passed < 4 {
        let decision = cache.gcra(&key, &limit, SystemClock.now()).await.expect("decides");
        if decision.allowed {
            passed += 1;
        } else {
            assert!(decision.retry_after <= Duration::from_millis(100), "{decision:?}");
            SystemClock.sleep(decision.retry_after).await;
        }
        assert!(SystemClock.moment().since(begun) < PATIENCE, "never refills");
    }
    // Server clocks are read at other moments than ours: a tenth of an interval of grace.
    assert!(SystemClock.moment().since(begun) >= Duration::from_millis(290), "refills too fast");
}

pub async fn many_tasks_share_one_limit_exactly(backend: &Backend) {
    let key = backend.key("a");
    let limit = Gcra::new(1, HOUR, 25).expect("is a limit");
    let mut tasks = Vec::new();
    for _ in 0..8 {
        let (cache, key) = (Arc::clone(&backend.cache), key.clone());
        tasks.push(tokio::spawn(async move {
            let mut passed = 0;
            for _ in 0..10 {
                passed +=
                    u32::from(cache.gcra(&key, &limit, SystemClock.now()).await.expect("decides").allowed);
            }
            passed
        }));
    }
    let mut passed = 0;
    for task in tasks {
        passed += task.await.expect("ends");
    }
    assert_eq!(passed, 25);
}

pub async fn a_key_no_backend_could_keep_is_refused(backend: &Backend) {
    for key in [String::new(), "가".repeat(191)] {
        let error = backend.cache.get(&key).await.expect_err("is refused");
        assert!(matches!(error, CacheError::Key { .. }));
        backend.cache.set(&key, Bytes::new(), HOUR).await.expect_err("is refused");
    }
    let longest = "가".repeat(190);
    backend.cache.set(&longest, Bytes::from("1"), HOUR).await.expect("keeps");
    assert!(backend.cache.delete(&longest).await.expect("deletes"));
}
