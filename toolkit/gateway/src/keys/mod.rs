//! API keys: made once, kept as a hash, rotated with an overlap, revoked within a second.

mod known;
mod quota;
mod tables;
mod text;
mod usage;
mod verify;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use ieum_core::{Fault, Secret, SharedClock, Timestamp};
use ieum_store::{Migration, Store, StoreError, Transaction, Value};
use parking_lot::Mutex;
use serde::Serialize;

use crate::plan::{Plan, PlanError, Plans};
use crate::{EventAccess, Rate, Tier};
use known::KnownKeys;
pub(crate) use quota::DayLeft;
pub use usage::KeyUse;
use usage::Usage;
use verify::Loading;
pub use verify::{KeyRefusal, VerifiedKey};

/// The API keys in a store. Cheap to clone.
#[derive(Clone)]
pub struct Keys(Arc<Inner>);

struct Inner {
    store: Store,
    clock: SharedClock,
    options: KeysOptions,
    known: KnownKeys,
    loading: Mutex<HashMap<String, Loading>>,
    usage: Usage,
    plans: Plans,
}

/// How keys are remembered.
#[derive(Clone, Copy, Debug)]
pub struct KeysOptions {
    /// How many keys are remembered at most. Default 10,000.
    pub remembered: usize,
    /// How long a key is remembered without asking the store: a key that another process revoked
    /// works at most that much longer. Default 800 ms.
    pub remembered_for: Duration,
}

/// A wish for a key.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// Whose it is, for people; 1 to 100 characters.
    pub name: String,
    /// Its tier.
    pub tier: Tier,
    /// What it may do, such as `attendance:read` or `attendance:*`.
    pub scopes: BTreeSet<String>,
    /// Which events it may see.
    pub events: EventAccess,
    /// When it ends, if it does.
    pub expires_at: Option<Timestamp>,
    /// Its own limit; the tier's where left out.
    pub rate: Option<Rate>,
}

/// A key as it stands. Its text is not part of it and is kept nowhere.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyRecord {
    /// The id within the key's text.
    pub id: String,
    /// Whose it is, for people.
    pub name: String,
    /// Its tier.
    pub tier: Tier,
    /// What it may do.
    pub scopes: BTreeSet<String>,
    /// Which events it may see.
    pub events: EventAccess,
    /// Its own limit; its plan's or tier's where left out.
    pub rate: Option<Rate>,
    /// Which plan it is on.
    pub plan: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends, if it does.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked, if it was.
    pub revoked_at: Option<Timestamp>,
    /// When it was last used, as of the last [`Keys::flush_usage`].
    pub last_used_at: Option<Timestamp>,
    /// Until when the text before the last rotation is valid, if there was a rotation.
    pub previous_valid_until: Option<Timestamp>,
}

/// Says which step of keeping keys failed.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The wish can never be met.
    #[error("field {field}: {problem}")]
    Invalid {
        /// The field.
        field: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// There is no such key.
    #[error("there is no key {id}")]
    Unknown {
        /// The id asked for.
        id: String,
    },
    /// The key was revoked and stays so.
    #[error("key {id} is revoked")]
    Revoked {
        /// The id asked for.
        id: String,
    },
    /// The store failed.
    #[error("keeping an API key")]
    Store(#[source] StoreError),
}

impl Default for KeysOptions {
    fn default() -> Self {
        Self { remembered: 10_000, remembered_for: Duration::from_millis(800) }
    }
}

// === Keys ===

impl Keys {
    /// Opens the keys in `store`, whose migrations ([`Keys::migrations`]) must have run.
    pub fn new(store: Store, clock: SharedClock, options: KeysOptions) -> Self {
        Self::with(store, clock, options, Plans::default())
    }

    /// Opens the keys with plans that they may be on. Fails at the first plan that cannot be.
    pub fn with_plans(
        store: Store,
        clock: SharedClock,
        options: KeysOptions,
        plans: Vec<Plan>,
    ) -> Result<Self, PlanError> {
        Ok(Self::with(store, clock, options, Plans::new(plans)?))
    }

    fn with(store: Store, clock: SharedClock, options: KeysOptions, plans: Plans) -> Self {
        let known = KnownKeys::new(options.remembered);
        Self(Arc::new(Inner {
            store,
            clock,
            options,
            known,
            loading: Mutex::default(),
            usage: Usage::default(),
            plans,
        }))
    }

    /// Returns the migrations of the tables that keys are kept in.
    pub fn migrations() -> Vec<Migration> {
        tables::migrations()
    }

    /// Makes a key and returns it with its text, which cannot be had again.
    /// Fails with [`KeyError::Invalid`] naming the field, and where the store fails.
    pub async fn create(&self, wish: NewKey) -> Result<(KeyRecord, Secret), KeyError> {
        self.create_on(None, wish).await
    }

    /// Makes a key on a plan, as [`Keys::create`] does without one. What the wish leaves out (no scope, no rate)
    /// follows the plan as it stands at each request; the tier is the plan's.
    pub async fn create_on(&self, plan: Option<&str>, wish: NewKey) -> Result<(KeyRecord, Secret), KeyError> {
        let now = self.0.clock.now();
        let plan = plan.map(|name| self.plan(name)).transpose()?;
        let wish = NewKey { tier: plan.map_or(wish.tier, |plan| plan.tier), ..wish };
        let plan = plan.map(|plan| plan.name.clone());
        wish.check(now)?;
        let id = text::new_id();
        let key_text = text::new_text(wish.tier, &id);
        let NewKey { name, tier, scopes, events, expires_at, rate } = wish;
        let values: [Value; 11] = [
            id.clone().into(),
            name.clone().into(),
            tier.name().into(),
            serde_json::json!(scopes).into(),
            serde_json::json!(events).into(),
            rate.map(|rate| rate.limit).into(),
            rate.map(|rate| i64::try_from(rate.per.0.as_micros()).unwrap_or(i64::MAX)).into(),
            rate.map(|rate| rate.burst).into(),
            now.into(),
            expires_at.into(),
            plan.clone().into(),
        ];
        let mut transaction = self.0.store.begin_write().await?;
        transaction.execute(tables::INSERT_KEY, &values).await?;
        add_text(&mut transaction, &id, &key_text, now).await?;
        transaction.commit().await?;
        let (revoked_at, last_used_at, previous_valid_until) = (None, None, None);
        let record = KeyRecord {
            id,
            name,
            tier,
            scopes,
            events,
            rate,
            plan,
            created_at: now,
            expires_at,
            revoked_at,
            last_used_at,
            previous_valid_until,
        };
        Ok((record, key_text))
    }

    /// Returns a plan. Fails with [`KeyError::Invalid`] where there is none of that name.
    pub fn plan(&self, name: &str) -> Result<&Plan, KeyError> {
        let unknown = || {
            let problem = match self.0.plans.names() {
                names if names.is_empty() => format!("there is no plan {name:?}; the settings list none"),
                names => format!("there is no plan {name:?}; there are {names}"),
            };
            KeyError::Invalid { field: "tier", problem }
        };
        self.0.plans.get(name).ok_or_else(unknown)
    }

    /// Makes a second text for a key. The present one stays valid for `overlap`; one from an earlier
    /// rotation ends now, so that never more than two are valid.
    /// Fails with [`KeyError::Unknown`], [`KeyError::Revoked`], and where the store fails.
    pub async fn rotate(&self, id: &str, overlap: Duration) -> Result<(KeyRecord, Secret), KeyError> {
        let now = self.0.clock.now();
        let mut transaction = self.0.store.begin_write().await?;
        let lock = transaction.dialect().for_update();
        let found = transaction
            .fetch_optional(
                &format!("SELECT tier, revoked_at FROM api_keys WHERE id = ?{lock}"),
                &[id.into()],
            )
            .await?;
        let row = found.ok_or_else(|| KeyError::Unknown { id: id.to_owned() })?;
        if row.opt_timestamp("revoked_at")?.is_some() {
            return Err(KeyError::Revoked { id: id.to_owned() });
        }
        let tier = row
            .text("tier")?
            .parse()
            .map_err(|problem| KeyError::Store(StoreError::Column { column: "tier".to_owned(), problem }))?;
        let key_text = text::new_text(tier, id);
        transaction
            .execute("DELETE FROM api_key_texts WHERE key_id = ? AND valid_until IS NOT NULL", &[id.into()])
            .await?;
        transaction
            .execute(
                "UPDATE api_key_texts SET valid_until = ? WHERE key_id = ?",
                &[(now + overlap).into(), id.into()],
            )
            .await?;
        add_text(&mut transaction, id, &key_text, now).await?;
        transaction.commit().await?;
        self.0.known.forget(id);
        Ok((self.show(id).await?, key_text))
    }

    /// Ends a key: here at once, in other processes within [`KeysOptions::remembered_for`]. A key that is
    /// revoked already stays as it is.
    /// Fails with [`KeyError::Unknown`], and where the store fails.
    pub async fn revoke(&self, id: &str) -> Result<KeyRecord, KeyError> {
        let now = self.0.clock.now();
        self.0
            .store
            .execute(
                "UPDATE api_keys SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL",
                &[now.into(), id.into()],
            )
            .await?;
        self.0.known.forget(id);
        self.show(id).await
    }

    /// Returns a key. Fails with [`KeyError::Unknown`], and where the store fails.
    pub async fn show(&self, id: &str) -> Result<KeyRecord, KeyError> {
        let sql = format!("{} WHERE k.id = ?", tables::SELECT_KEY);
        let rows = self.0.store.fetch_all(&sql, &[id.into()]).await?;
        let key = tables::group(&rows)?.pop();
        key.map(|(record, _)| record).ok_or_else(|| KeyError::Unknown { id: id.to_owned() })
    }

    /// Returns every key, the oldest first. Fails where the store fails.
    pub async fn list(&self) -> Result<Vec<KeyRecord>, KeyError> {
        let sql = format!("{} ORDER BY k.created_at, k.id", tables::SELECT_KEY);
        let rows = self.0.store.fetch_all(&sql, &[]).await?;
        Ok(tables::group(&rows)?.into_iter().map(|(record, _)| record).collect())
    }
}

async fn add_text(
    transaction: &mut Transaction,
    id: &str,
    text: &Secret,
    now: Timestamp,
) -> Result<(), StoreError> {
    let hash = hex::encode(text::hash(text.expose()));
    let sql = "INSERT INTO api_key_texts (hash, key_id, created_at) VALUES (?, ?, ?)";
    transaction.execute(sql, &[hash.into(), id.into(), now.into()]).await?;
    Ok(())
}

// === NewKey ===

impl NewKey {
    fn check(&self, now: Timestamp) -> Result<(), KeyError> {
        let invalid = |field, problem: String| Err(KeyError::Invalid { field, problem });
        let letters = self.name.chars().count();
        if self.name.trim().is_empty() || letters > 100 || self.name.chars().any(char::is_control) {
            return invalid("name", "must be 1 to 100 printable characters".into());
        }
        if self.scopes.len() > 64 {
            return invalid("scopes", format!("{} are too many; at most 64", self.scopes.len()));
        }
        if let Some(scope) = self.scopes.iter().find(|scope| !is_scope(scope)) {
            return invalid(
                "scopes",
                format!("{scope:?} is no scope; write area:action, such as attendance:read"),
            );
        }
        if let EventAccess::Only(events) = &self.events {
            if events.len() > 1_000 {
                return invalid("events", format!("{} are too many; at most 1000", events.len()));
            }
            if let Some(event) = events.iter().find(|event| event.is_empty() || event.len() > 200) {
                return invalid("events", format!("{event:?} is no event id"));
            }
        }
        if self.expires_at.is_some_and(|end| end <= now) {
            return invalid("expiresAt", "lies in the past".into());
        }
        match self.rate.map(|rate| rate.gcra()) {
            Some(Err(error)) => invalid("rate", error.to_string()),
            _ => Ok(()),
        }
    }
}

pub(crate) fn is_scope(scope: &str) -> bool {
    let word = |text: &str| {
        !text.is_empty() && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.'))
    };
    let parts = scope.split_once(':');
    scope.len() <= 64 && parts.is_some_and(|(area, action)| word(area) && (action == "*" || word(action)))
}

// === KeyError ===

impl From<StoreError> for KeyError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<KeyError> for Fault {
    fn from(error: KeyError) -> Self {
        let message = error.to_string();
        match error {
            KeyError::Invalid { .. } => Self::invalid_argument("gateway.key_invalid", message),
            KeyError::Unknown { .. } => Self::not_found("gateway.key_unknown", message),
            KeyError::Revoked { .. } => Self::failed_precondition("gateway.key_revoked", message),
            KeyError::Store(cause) => cause.into(),
        }
    }
}
