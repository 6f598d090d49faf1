//! Keys over their life: made, remembered, rotated, expired, revoked.

use std::time::Duration;

use ieum_core::Clock;
use ieum_gateway::{EventAccess, KeyRefusal, Keys, KeysOptions, NewKey, Rate, Tier};

use crate::stage::{Stage, wish};

const HOUR: Duration = Duration::from_secs(3_600);

pub async fn a_key_is_kept_as_a_hash_and_shown_once(stage: &Stage) {
    let (record, key) = stage.key(Tier::Partner).await;
    assert!(key.expose().starts_with(&format!("ieum_partner_{}_", record.id)));
    let secret = key.expose().rsplit('_').next().expect("has a secret");
    for table in ["api_keys", "api_key_texts"] {
        let rows = stage.store.fetch_all(&format!("SELECT * FROM {table}"), &[]).await.expect("reads");
        assert_eq!(rows.len(), 1);
        assert!(!format!("{rows:?}").contains(secret), "{table}");
    }
    assert!(!format!("{record:?}{key:?}").contains(secret));
    assert_eq!(stage.keys.list().await.expect("lists"), vec![record.clone()]);
    let verified = stage.keys.verify(key.expose()).await.expect("is right");
    assert_eq!((verified.holder.id.as_str(), verified.holder.tier), (record.id.as_str(), Tier::Partner));
}

pub async fn malformed_foreign_and_altered_keys_are_all_simply_wrong(stage: &Stage) {
    let (_, key) = stage.key(Tier::Partner).await;
    let text = key.expose();
    let last = if text.ends_with('x') { 'y' } else { 'x' };
    for wrong in [
        String::new(),
        "ieum_partner".into(),
        text.replacen("ieum_", "other_", 1),
        text.replacen("partner", "premium", 1),
        text.replacen("partner", "public", 1),
        format!("{}{last}", &text[..text.len() - 1]),
        format!("{text}x"),
        text.to_ascii_uppercase(),
        format!("ieum_partner_{}_{}", "a".repeat(16), "b".repeat(40)),
        "x".repeat(100_000),
    ] {
        let refusal = stage.keys.verify(&wrong).await.expect_err("is wrong");
        assert!(matches!(refusal, KeyRefusal::Wrong), "{wrong}: {refusal:?}");
        assert_eq!(refusal.to_string(), "the API key is not valid");
    }
}

pub async fn a_busy_key_costs_no_sql_while_it_is_remembered(stage: &Stage) {
    let (_, key) = stage.key(Tier::Partner).await;
    stage.keys.verify(key.expose()).await.expect("is right");
    let asked = stage.store.statistics().statements;
    for _ in 0..100 {
        stage.keys.verify(key.expose()).await.expect("is right");
    }
    assert_eq!(stage.store.statistics().statements, asked);
    stage.clock.advance(Duration::from_millis(800));
    stage.keys.verify(key.expose()).await.expect("is right");
    assert!(stage.store.statistics().statements > asked, "is looked up again");
}

pub async fn many_requests_at_once_ask_the_store_once(stage: &Stage) {
    let (_, key) = stage.key(Tier::Partner).await;
    let asked = stage.store.statistics().statements;
    let verified = futures::future::join_all((0..100).map(|_| stage.keys.verify(key.expose()))).await;
    assert!(verified.iter().all(Result::is_ok));
    assert_eq!(stage.store.statistics().statements, asked + 1);
}

pub async fn after_a_rotation_both_texts_work_until_the_overlap_ends_and_never_three(stage: &Stage) {
    let (record, first) = stage.key(Tier::Partner).await;
    let works = async |text: &ieum_core::Secret| stage.keys.verify(text.expose()).await.is_ok();
    let (rotated, second) = stage.keys.rotate(&record.id, HOUR).await.expect("rotates");
    assert_eq!(rotated.previous_valid_until, Some(stage.clock.now() + HOUR));
    assert!(works(&first).await && works(&second).await);
    let (_, third) = stage.keys.rotate(&record.id, HOUR).await.expect("rotates");
    assert!(!works(&first).await, "ended with the second rotation");
    assert!(works(&second).await && works(&third).await);
    stage.clock.advance(HOUR - Duration::from_millis(1));
    assert!(works(&second).await);
    stage.clock.advance(Duration::from_millis(1));
    let refusal = stage.keys.verify(second.expose()).await.expect_err("has ended");
    assert!(matches!(refusal, KeyRefusal::Expired));
    assert!(works(&third).await);
}

pub async fn a_key_ends_at_its_time(stage: &Stage) {
    let expires_at = Some(stage.clock.now() + HOUR);
    let (_, key) = stage.keys.create(NewKey { expires_at, ..wish(Tier::Partner) }).await.expect("is made");
    stage.clock.advance(HOUR - Duration::from_millis(1));
    assert!(stage.keys.verify(key.expose()).await.is_ok());
    stage.clock.advance(Duration::from_millis(1));
    assert!(matches!(stage.keys.verify(key.expose()).await, Err(KeyRefusal::Expired)));
}

pub async fn a_revoked_key_ends_here_at_once_and_elsewhere_within_a_second(stage: &Stage) {
    let elsewhere = Keys::new(stage.store.clone(), stage.clock.shared(), KeysOptions::default());
    let (record, key) = stage.key(Tier::Partner).await;
    stage.keys.verify(key.expose()).await.expect("is right");
    elsewhere.verify(key.expose()).await.expect("is right");
    let revoked = stage.keys.revoke(&record.id).await.expect("is revoked");
    assert_eq!(revoked.revoked_at, Some(stage.clock.now()));
    assert!(matches!(stage.keys.verify(key.expose()).await, Err(KeyRefusal::Revoked)));
    stage.clock.advance(Duration::from_millis(999));
    assert!(matches!(elsewhere.verify(key.expose()).await, Err(KeyRefusal::Revoked)));
    assert!(stage.keys.rotate(&record.id, HOUR).await.is_err(), "a revoked key stays so");
    let again = stage.keys.revoke(&record.id).await.expect("changes nothing");
    assert_eq!(again.revoked_at, revoked.revoked_at);
    assert!(stage.keys.revoke("nobody").await.is_err());
}

pub async fn the_last_use_is_written_in_batches(stage: &Stage) {
    let (record, key) = stage.key(Tier::Partner).await;
    for _ in 0..10 {
        stage.clock.advance(Duration::from_millis(10));
        stage.keys.verify(key.expose()).await.expect("is right");
    }
    let used = stage.clock.now();
    assert_eq!(stage.keys.show(&record.id).await.expect("is there").last_used_at, None);
    assert_eq!(stage.keys.flush_usage().await.expect("writes"), 1);
    assert_eq!(stage.keys.show(&record.id).await.expect("is there").last_used_at, Some(used));
    assert_eq!(stage.keys.flush_usage().await.expect("writes"), 0);
}

pub async fn a_wish_that_cannot_be_met_names_its_field_and_saves_nothing(stage: &Stage) {
    let base = || wish(Tier::Partner);
    let past = Some(stage.clock.now());
    for (field, wish) in [
        ("name", NewKey { name: " ".into(), ..base() }),
        ("name", NewKey { name: "a\nb".into(), ..base() }),
        ("scopes", NewKey { scopes: ["attendance".to_owned()].into(), ..base() }),
        ("scopes", NewKey { scopes: ["*:*".to_owned()].into(), ..base() }),
        ("events", NewKey { events: EventAccess::from(vec![String::new()]), ..base() }),
        ("expiresAt", NewKey { expires_at: past, ..base() }),
        ("rate", NewKey { rate: Some(Rate::per_minute(0)), ..base() }),
    ] {
        let error = stage.keys.create(wish).await.expect_err("is refused");
        assert!(error.to_string().starts_with(&format!("field {field}: ")), "{error}");
    }
    assert!(stage.keys.list().await.expect("lists").is_empty());
}
