//! Meets the contract `partners.keys` with the gateway's keys.

use std::collections::BTreeSet;
use std::time::Duration;

use ieum_contracts::partners::{
    CreateKey, IssuedKey, KeyId, KeyList, KeyStatus, ListKeys, PartnerKeys, RotateKey,
};
use ieum_core::{Cx, Fault, Secret, SharedClock};
use ieum_gateway::{KeyError, KeyRecord, Keys, NewKey, Rate, Tier};

use crate::rules;

/// How long a rotated text stays valid where the wish does not say.
const USUAL_OVERLAP: Duration = Duration::from_secs(86_400);
/// The longest overlap of a rotation.
const LONGEST_OVERLAP: Duration = Duration::from_secs(90 * 86_400);

/// The keys behind the contract.
pub(crate) struct KeyService {
    pub keys: Keys,
    pub clock: SharedClock,
}

#[async_trait::async_trait]
impl PartnerKeys for KeyService {
    async fn create(&self, _cx: &Cx, wish: CreateKey) -> Result<IssuedKey, Fault> {
        let (tier, plan) = match wish.tier.parse::<Tier>() {
            Ok(tier) => (tier, None),
            Err(problem) => {
                let plan = self.keys.plan(&wish.tier);
                let plan = plan.map_err(|unknown| invalid("tier", &format!("{problem}; {unknown}")))?;
                (plan.tier, Some(plan.name.as_str()))
            }
        };
        let scopes = match wish.scopes.is_empty() {
            // A key on a plan has what the plan has at each request.
            true if plan.is_some() => BTreeSet::new(),
            true => rules::usual_scopes(tier),
            false => wish.scopes.into_iter().collect(),
        };
        if wish.per_minute == Some(0) {
            return Err(invalid("perMinute", "must be at least 1"));
        }
        let new = NewKey {
            name: wish.name,
            tier,
            scopes,
            events: wish.events.into(),
            expires_at: wish.expires_at,
            rate: wish.per_minute.map(Rate::per_minute),
        };
        let (record, text) = self.keys.create_on(plan, new).await.map_err(fault)?;
        Ok(self.issued(record, &text))
    }

    async fn rotate(&self, _cx: &Cx, wish: RotateKey) -> Result<IssuedKey, Fault> {
        let overlap = wish.overlap_seconds.map_or(USUAL_OVERLAP, Duration::from_secs);
        if overlap > LONGEST_OVERLAP {
            return Err(invalid("overlapSeconds", "must be at most 7776000 (90 days)"));
        }
        let (record, text) = self.keys.rotate(&wish.key_id, overlap).await.map_err(fault)?;
        Ok(self.issued(record, &text))
    }

    async fn revoke(&self, _cx: &Cx, wish: KeyId) -> Result<KeyStatus, Fault> {
        let record = self.keys.revoke(&wish.key_id).await.map_err(fault)?;
        Ok(self.status(record))
    }

    async fn list(&self, _cx: &Cx, _ask: ListKeys) -> Result<KeyList, Fault> {
        let mut records = self.keys.list().await.map_err(fault)?;
        records.sort_by(|one, other| (one.created_at, &one.id).cmp(&(other.created_at, &other.id)));
        Ok(KeyList { keys: records.into_iter().map(|record| self.status(record)).collect() })
    }
}

impl KeyService {
    fn issued(&self, record: KeyRecord, text: &Secret) -> IssuedKey {
        IssuedKey { text: text.expose().to_owned(), key: self.status(record) }
    }

    fn status(&self, record: KeyRecord) -> KeyStatus {
        let (now, scopes) = (self.clock.now(), self.keys.scopes_of(&record));
        let status = rules::key_status(&record, now).to_owned();
        KeyStatus {
            key_id: record.id,
            name: record.name,
            tier: record.plan.unwrap_or_else(|| record.tier.name().to_owned()),
            scopes: scopes.into_iter().collect(),
            events: record.events.into(),
            status,
            created_at: record.created_at,
            expires_at: record.expires_at,
            previous_valid_until: record.previous_valid_until.filter(|until| *until > now),
            last_used_at: record.last_used_at,
        }
    }
}

fn invalid(field: &str, problem: &str) -> Fault {
    Fault::invalid_argument("partners.key.invalid", format!("field {field}: {problem}"))
}

/// Returns the fault with the contract's reasons; what the store said is logged here and goes no further.
pub(crate) fn fault(error: KeyError) -> Fault {
    let message = error.to_string();
    match error {
        KeyError::Invalid { .. } => Fault::invalid_argument("partners.key.invalid", message),
        KeyError::Unknown { .. } => Fault::not_found("partners.key.unknown", message),
        KeyError::Revoked { .. } => Fault::failed_precondition("partners.key.revoked", message),
        KeyError::Store(cause) => {
            tracing::error!(error = &cause as &dyn std::error::Error, "keeping an API key failed");
            cause.into()
        }
    }
}
