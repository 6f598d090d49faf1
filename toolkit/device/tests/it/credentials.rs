//! Making, replacing and ending secrets at once, over every store.

use std::time::Duration;

use ieum_core::system_clock;
use ieum_device::{CredentialError, Credentials, migrations};
use ieum_store::{Store, StoreOptions, migrate};
use tokio::task::JoinSet;

/// How many try at once.
const MANY: usize = 8;

/// Returns the credentials of a fresh store.
pub async fn over(url: &str) -> Credentials {
    let store = Store::open(url, &StoreOptions::default()).await.expect("opens");
    migrate(&store, &migrations(), |_| {}).await.expect("migrates");
    Credentials::new(store, system_clock())
}

/// Returns how many of the device's secrets have no end.
async fn endless(credentials: &Credentials) -> usize {
    let all = credentials.list(Some("kitchen")).await.expect("is listed");
    all.iter().filter(|one| one.expires_at.is_none()).count()
}

pub async fn of_many_who_add_a_device_at_once_one_gets_a_secret(credentials: &Credentials) {
    let mut tries = JoinSet::new();
    for _ in 0..MANY {
        let credentials = credentials.clone();
        tries.spawn(async move { credentials.add("kitchen").await });
    }
    let mut secrets = Vec::new();
    while let Some(tried) = tries.join_next().await {
        match tried.expect("ends") {
            Ok(issued) => secrets.push(issued.secret),
            Err(CredentialError::Known { device, .. }) => assert_eq!(device, "kitchen"),
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!((secrets.len(), endless(credentials).await), (1, 1));
    assert!(credentials.verify("kitchen", &secrets[0]).await.expect("is judged"));
}

pub async fn of_many_secrets_that_replace_one_at_once_one_stays(credentials: &Credentials) {
    let first = credentials.add("kitchen").await.expect("is made").secret;
    let mut tries = JoinSet::new();
    for _ in 0..MANY {
        let credentials = credentials.clone();
        tries.spawn(async move { credentials.rotate("kitchen", Duration::ZERO).await });
    }
    while let Some(tried) = tries.join_next().await {
        let (_, former) = tried.expect("ends").expect("is replaced");
        assert_eq!(former, None);
    }
    assert_eq!(endless(credentials).await, 1);
    assert!(!credentials.verify("kitchen", &first).await.expect("is judged"));
}
