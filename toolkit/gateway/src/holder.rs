//! Who stands behind a credential, whichever kind it was: an API key or a token.

use std::collections::BTreeSet;

use http::HeaderValue;
use ieum_core::Caller;

use crate::limit::Limit;
use crate::{EventAccess, Tier};

/// The holder of a verified credential.
#[derive(Debug)]
pub struct Holder {
    /// The key's id, or issuer and subject of a token.
    pub id: String,
    /// Whose it is, for people.
    pub name: String,
    /// The tier.
    pub tier: Tier,
    /// What the holder may do.
    pub scopes: BTreeSet<String>,
    /// Which events the holder may see.
    pub events: EventAccess,
    /// Which plan the key is on.
    pub plan: Option<String>,
    /// How many requests a day the plan gives, UTC; any number where it does not say.
    pub day_quota: Option<u32>,
    /// Whether it is an API key, whose uses are counted.
    pub(crate) is_key: bool,
    pub(crate) limit: Option<Limit>,
    /// Under which name requests are counted; made once, since every request needs it.
    pub(crate) counted: String,
    pub(crate) caller: Caller,
    /// The caller as a header tells it to who stands behind the gateway.
    pub(crate) header: HeaderValue,
}

impl Holder {
    /// Makes a holder whose requests are counted as `kind` and `id`, at the tier's own limit.
    pub(crate) fn new(kind: &str, id: String, name: String, tier: Tier) -> Self {
        let (counted, caller) = (format!("gateway:{kind}:{id}"), Caller::new(&id));
        let header = HeaderValue::from_str(&id).unwrap_or_else(|_| HeaderValue::from_static("unnamed"));
        let (scopes, events) = (BTreeSet::new(), EventAccess::None);
        let (plan, day_quota, is_key, limit) = (None, None, false, None);
        Self { id, name, tier, scopes, events, plan, day_quota, is_key, limit, counted, caller, header }
    }

    /// Makes the holder of a name and a password: it may do nothing that asks for a key, and `limit` counts it.
    pub(crate) fn signed_in(name: &str, limit: Limit) -> Self {
        let id = format!("signed-in:{name}");
        Self { limit: Some(limit), ..Self::new("name", id, name.to_owned(), Tier::Public) }
    }

    /// Returns the scopes as a header tells them, parted by spaces; `None` where there are none.
    pub(crate) fn scopes_header(&self) -> Option<HeaderValue> {
        if self.scopes.is_empty() {
            return None;
        }
        let words: Vec<&str> = self.scopes.iter().map(String::as_str).collect();
        HeaderValue::from_str(&words.join(" ")).ok()
    }
}
