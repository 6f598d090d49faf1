//! Verifying a key's text: one hash per request, and no SQL while the key is remembered.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::WeakShared;
use ieum_core::{BoxFuture, Fault, Timestamp};
use ieum_store::StoreError;
use subtle::{Choice, ConstantTimeEq};

use super::tables::{self, SELECT_KEY, StoredText};
use super::text::{self, KeyHash};
use super::{KeyRecord, Keys};
use crate::Holder;
use crate::limit::Limit;
use crate::plan::Plan;

/// A key whose text was verified.
#[derive(Debug)]
pub struct VerifiedKey {
    /// Whose it is and what it may do.
    pub holder: Arc<Holder>,
    texts: Vec<(KeyHash, Option<Timestamp>)>,
    expires_at: Option<Timestamp>,
    revoked: bool,
}

/// What the store says of an id.
type Loaded = Result<Option<Arc<VerifiedKey>>, Arc<StoreError>>;

/// A look-up under way that several requests wait for.
pub(super) type Loading = WeakShared<BoxFuture<'static, Loaded>>;

/// Says why a text opens nothing. What it says to a stranger is the same for every text that was never
/// a key's; only the holder of a right text learns that it ended.
#[derive(Debug, thiserror::Error)]
pub enum KeyRefusal {
    /// The text is no key's: wrong form, unknown id or wrong secret.
    #[error("the API key is not valid")]
    Wrong,
    /// The key or this text of it has ended.
    #[error("the API key has expired")]
    Expired,
    /// The key was revoked.
    #[error("the API key was revoked")]
    Revoked,
    /// Nobody can tell now.
    #[error("the API key cannot be checked now")]
    Store(#[source] Arc<StoreError>),
}

// === Keys ===

impl Keys {
    /// Verifies the text of a key and notes its use. Fails with [`KeyRefusal`].
    pub async fn verify(&self, key_text: &str) -> Result<Arc<VerifiedKey>, KeyRefusal> {
        let parsed = text::parse(key_text).ok_or(KeyRefusal::Wrong)?;
        let found = match self.0.known.get(parsed.id, self.0.clock.moment()) {
            Some(found) => found,
            None => Box::pin(self.load(parsed.id)).await.map_err(KeyRefusal::Store)?,
        };
        let now = self.0.clock.now();
        // An unknown id costs the hash too, so that the time taken does not tell ids.
        let hash = text::hash(key_text);
        let key = found.ok_or(KeyRefusal::Wrong)?;
        key.check(&hash, now)?;
        self.0.usage.note(&key.holder.id, now);
        Ok(key)
    }

    /// Tells whether verifying this text would ask the store.
    pub(crate) fn is_remembered(&self, key_text: &str) -> bool {
        let now = self.0.clock.moment();
        text::parse(key_text).is_none_or(|parsed| self.0.known.get(parsed.id, now).is_some())
    }

    /// Asks the store, once for all who ask for the same id at the same time.
    async fn load(&self, id: &str) -> Loaded {
        let loading = {
            let mut all = self.0.loading.lock();
            match all.get(id).and_then(WeakShared::upgrade) {
                Some(loading) => loading,
                None => {
                    let (keys, wanted) = (self.clone(), id.to_owned());
                    let loading = async move { keys.read(&wanted).await }.boxed().shared();
                    // Held weakly: when everybody who waits has gone, the look-up ends and gives its
                    // connection back.
                    all.extend(loading.downgrade().map(|weak| (id.to_owned(), weak)));
                    loading
                }
            }
        };
        let loaded = loading.await;
        self.0.loading.lock().retain(|_, loading| loading.upgrade().is_some_and(|one| one.peek().is_none()));
        loaded
    }

    async fn read(&self, id: &str) -> Loaded {
        // Counted from before the read: the answer is as old as the question.
        let asked = self.0.clock.moment();
        let sql = format!("{SELECT_KEY} WHERE k.id = ?");
        let rows = self.0.store.fetch_all(&sql, &[id.into()]).await.map_err(Arc::new)?;
        let found = tables::group(&rows).map_err(Arc::new)?.pop();
        let key = found.map(|(record, texts)| Arc::new(self.verified(record, &texts)));
        let now = self.0.clock.moment();
        self.0.known.put(id, key.clone(), asked + self.0.options.remembered_for, now);
        Ok(key)
    }

    /// Returns what a key may do: what it says itself, else what its plan has now.
    pub fn scopes_of(&self, record: &KeyRecord) -> BTreeSet<String> {
        match record.plan.as_deref().and_then(|name| self.0.plans.get(name)) {
            Some(plan) if record.scopes.is_empty() => plan.granted(),
            _ => record.scopes.clone(),
        }
    }

    /// Returns a key with what its plan adds. One whose plan was taken from the settings has only what it says
    /// itself.
    fn verified(&self, record: KeyRecord, texts: &[StoredText]) -> VerifiedKey {
        let plan = record.plan.as_deref().and_then(|name| {
            let plan = self.0.plans.get(name);
            if plan.is_none() {
                tracing::warn!(key = record.id, plan = name, "a key is on a plan that the settings lack");
            }
            plan
        });
        let scopes = self.scopes_of(&record);
        VerifiedKey::new(KeyRecord { scopes, ..record }, plan, texts)
    }
}

// === VerifiedKey ===

impl VerifiedKey {
    fn new(record: KeyRecord, plan: Option<&Plan>, texts: &[StoredText]) -> Self {
        let decode = |text: &StoredText| {
            let mut hash = KeyHash::default();
            hex::decode_to_slice(&text.hash, &mut hash).ok().map(|()| (hash, text.valid_until))
        };
        // A limit was checked when the key was made; one that somebody edited into nonsense falls back to
        // the tier's.
        let tier = plan.map_or(record.tier, |plan| plan.tier);
        let rate = record.rate.or(plan.and_then(|plan| plan.rate));
        let limit = rate.and_then(|rate| Limit::new(tier.name(), rate).ok());
        let holder = Holder {
            scopes: record.scopes,
            events: record.events,
            limit,
            plan: record.plan,
            day_quota: plan.and_then(|plan| plan.day_quota),
            is_key: true,
            ..Holder::new("key", record.id, record.name, tier)
        };
        Self {
            holder: Arc::new(holder),
            texts: texts.iter().filter_map(decode).collect(),
            expires_at: record.expires_at,
            revoked: record.revoked_at.is_some(),
        }
    }

    fn check(&self, hash: &KeyHash, now: Timestamp) -> Result<(), KeyRefusal> {
        let (mut known, mut valid) = (Choice::from(0), Choice::from(0));
        for (stored, until) in &self.texts {
            let equal = stored.ct_eq(hash);
            known |= equal;
            valid |= equal & Choice::from(u8::from(until.is_none_or(|until| now < until)));
        }
        match (bool::from(known), bool::from(valid)) {
            (false, _) => Err(KeyRefusal::Wrong),
            (true, _) if self.revoked => Err(KeyRefusal::Revoked),
            (true, false) => Err(KeyRefusal::Expired),
            (true, true) if self.expires_at.is_some_and(|end| end <= now) => Err(KeyRefusal::Expired),
            (true, true) => Ok(()),
        }
    }
}

// === KeyRefusal ===

impl From<KeyRefusal> for Fault {
    fn from(refusal: KeyRefusal) -> Self {
        let message = refusal.to_string();
        match refusal {
            KeyRefusal::Wrong => Self::unauthenticated("gateway.key_wrong", message),
            KeyRefusal::Expired => Self::unauthenticated("gateway.key_expired", message),
            KeyRefusal::Revoked => Self::unauthenticated("gateway.key_revoked", message),
            KeyRefusal::Store(_) => Self::unavailable("gateway.keys_unavailable", message),
        }
    }
}
