//! Who asks: tier, scopes and the events they may see.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::request::Parts;
use ieum_core::Fault;
use serde::{Deserialize, Serialize};

use crate::plan::DETAILS;
use crate::{ApiError, Holder};

/// The tier of a key or route. A higher tier may use the routes of the lower ones.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// Everybody.
    Public,
    /// Partners with a key.
    Partner,
    /// Partners with a premium key.
    Premium,
}

/// Which events a key may see.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(from = "Vec<String>", into = "Vec<String>")]
pub enum EventAccess {
    /// Every event; written as `["*"]`.
    All,
    /// These events only; an empty list is none.
    Only(BTreeSet<String>),
    /// No event.
    #[default]
    None,
}

/// The holder of the key or token under which a request came. Take it as an argument of a handler.
#[derive(Clone, Debug)]
pub struct Partner {
    holder: Arc<Holder>,
}

// === Tier ===

impl Tier {
    /// Every tier, the lowest first.
    pub const ALL: [Self; 3] = [Self::Public, Self::Partner, Self::Premium];

    /// Returns the name, as it stands in keys and settings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Partner => "partner",
            Self::Premium => "premium",
        }
    }
}

impl fmt::Display for Tier {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

impl FromStr for Tier {
    type Err = String;

    /// Reads a tier's name. Fails with a sentence that lists them.
    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|tier| tier.name() == text);
        found.ok_or_else(|| format!("{text:?} is no tier; expected public, partner or premium"))
    }
}

// === EventAccess ===

impl EventAccess {
    /// Tells whether the event is among them.
    pub fn contains(&self, event_id: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(events) => events.contains(event_id),
            Self::None => false,
        }
    }

    /// Returns the ids to ask for on somebody's behalf; `None` asks for all.
    pub fn ids(&self) -> Option<Vec<String>> {
        match self {
            Self::All => None,
            Self::Only(events) => Some(events.iter().cloned().collect()),
            Self::None => Some(Vec::new()),
        }
    }
}

impl From<Vec<String>> for EventAccess {
    fn from(events: Vec<String>) -> Self {
        match events.iter().any(|event| event == "*") {
            true => Self::All,
            false if events.is_empty() => Self::None,
            false => Self::Only(events.into_iter().collect()),
        }
    }
}

impl From<EventAccess> for Vec<String> {
    fn from(access: EventAccess) -> Self {
        match access {
            EventAccess::All => vec!["*".into()],
            EventAccess::Only(events) => events.into_iter().collect(),
            EventAccess::None => Self::new(),
        }
    }
}

// === Partner ===

impl Partner {
    pub(crate) fn new(holder: Arc<Holder>) -> Self {
        Self { holder }
    }

    /// Returns which plan the key is on.
    pub fn plan(&self) -> Option<&str> {
        self.holder.plan.as_deref()
    }

    /// Returns how many requests a day the plan gives, UTC.
    pub fn day_quota(&self) -> Option<u32> {
        self.holder.day_quota
    }

    /// Tells whether the key sees rows about single gates and people, instead of totals alone.
    pub fn sees_details(&self) -> bool {
        self.require(DETAILS).is_ok()
    }

    pub(crate) fn holder(&self) -> &Holder {
        &self.holder
    }

    /// Returns the key's id, or a token's issuer and subject.
    pub fn id(&self) -> &str {
        &self.holder.id
    }

    /// Returns whose key it is, for people.
    pub fn name(&self) -> &str {
        &self.holder.name
    }

    /// Returns the key's tier.
    pub fn tier(&self) -> Tier {
        self.holder.tier
    }

    /// Returns what the key may do.
    pub fn scopes(&self) -> &BTreeSet<String> {
        &self.holder.scopes
    }

    /// Returns which events the key may see.
    pub fn events(&self) -> &EventAccess {
        &self.holder.events
    }

    /// Fails with `gateway.scope_missing` where the key lacks `scope` and the wildcard of its area: for
    /// `attendance:read` that is `attendance:*`.
    pub fn require(&self, scope: &str) -> Result<(), Fault> {
        let area = scope.split_once(':').map_or(scope, |(area, _)| area);
        let has = |wanted: &str| self.holder.scopes.contains(wanted);
        if has(scope) || has(&format!("{area}:*")) {
            return Ok(());
        }
        Err(Fault::permission_denied("gateway.scope_missing", format!("this key lacks the scope {scope}")))
    }

    /// Fails with `gateway.event_forbidden` where the key may not see the event. The answer is the same
    /// whether the event exists or not, as long as this is asked before looking for the event.
    pub fn may_see(&self, event_id: &str) -> Result<(), Fault> {
        match self.holder.events.contains(event_id) {
            true => Ok(()),
            false => {
                Err(Fault::permission_denied("gateway.event_forbidden", "this key may not see this event"))
            }
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Partner {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| {
            Fault::unauthenticated("gateway.key_missing", "this needs an API key in the header X-API-Key")
                .into()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn event_access_is_written_as_a_list() {
        for (text, access) in [
            (r#"["*"]"#, EventAccess::All),
            (r#"[]"#, EventAccess::None),
            (r#"["a","b"]"#, EventAccess::Only(["a".to_owned(), "b".to_owned()].into())),
        ] {
            assert_eq!(serde_json::from_str::<EventAccess>(text).expect("reads"), access);
            assert_eq!(serde_json::to_string(&access).expect("writes"), text);
        }
        assert!(Tier::Premium > Tier::Partner && Tier::Partner > Tier::Public);
        assert!("gold".parse::<Tier>().is_err());
    }
}
