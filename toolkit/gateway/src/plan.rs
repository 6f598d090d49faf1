//! Plans: what the keys that are on one may do, how fast and how often a day.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;

use crate::keys::is_scope;
use crate::{Rate, Tier};

/// The scope without which a key sees totals alone: no row about a single gate or person.
pub const DETAILS: &str = "details:read";

/// A plan with a name. A key on it takes from it what it does not say itself.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Plan {
    /// Its name, other than a tier's: 1 to 40 lower-case letters, digits and `-`.
    pub name: String,
    /// Which doors its keys open.
    pub tier: Tier,
    /// What its keys may do.
    pub scopes: BTreeSet<String>,
    /// Its keys' limit; the tier's where left out.
    pub rate: Option<Rate>,
    /// How many requests a key has from one midnight UTC to the next; any number where left out.
    pub day_quota: Option<u32>,
    /// Whether its keys see totals alone; else they have [`DETAILS`].
    pub aggregate_only: bool,
}

/// Says which plan cannot be and why.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("plan {name:?}: {problem}")]
pub struct PlanError {
    /// The plan.
    pub name: String,
    /// What is wrong with it.
    pub problem: String,
}

/// The plans there are.
#[derive(Clone, Default)]
pub(crate) struct Plans(Arc<BTreeMap<String, Plan>>);

// === Plan ===

impl Plan {
    /// Returns what the plan's keys may do, details included where it has them.
    pub fn granted(&self) -> BTreeSet<String> {
        let mut scopes = self.scopes.clone();
        match self.aggregate_only {
            true => scopes.remove(DETAILS),
            false => scopes.insert(DETAILS.to_owned()),
        };
        scopes
    }

    /// Fails with what makes the plan impossible.
    pub fn check(&self) -> Result<(), PlanError> {
        self.problem().map_or(Ok(()), |problem| Err(PlanError { name: self.name.clone(), problem }))
    }

    fn problem(&self) -> Option<String> {
        let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if self.name.is_empty() || self.name.len() > 40 || !self.name.bytes().all(letter) {
            return Some("a name is 1 to 40 lower-case letters, digits and -".to_owned());
        }
        if self.name.parse::<Tier>().is_ok() {
            return Some("is a tier's name".to_owned());
        }
        if let Some(scope) = self.scopes.iter().find(|scope| !is_scope(scope)) {
            return Some(format!("{scope:?} is no scope; write area:action, such as attendance:read"));
        }
        if self.day_quota == Some(0) {
            return Some("a day quota of 0 lets nothing pass".to_owned());
        }
        self.rate.and_then(|rate| rate.gcra().err()).map(|error| error.to_string())
    }
}

// === Plans ===

impl Plans {
    /// Takes the plans in. Fails at the first that cannot be.
    pub fn new(plans: Vec<Plan>) -> Result<Self, PlanError> {
        let mut all = BTreeMap::new();
        for plan in plans {
            let name = plan.name.clone();
            plan.check()?;
            if all.insert(name.clone(), plan).is_some() {
                return Err(PlanError { name, problem: "stands there twice".to_owned() });
            }
        }
        Ok(Self(Arc::new(all)))
    }

    pub fn get(&self, name: &str) -> Option<&Plan> {
        self.0.get(name)
    }

    /// Returns every name, for those who asked for another.
    pub fn names(&self) -> String {
        self.0.keys().map(String::as_str).collect::<Vec<_>>().join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(name: &str) -> Plan {
        let scopes = BTreeSet::from(["events:read".to_owned()]);
        let (rate, day_quota) = (Some(Rate::per_minute(60)), Some(1_000));
        Plan { name: name.into(), tier: Tier::Partner, scopes, rate, day_quota, aggregate_only: true }
    }

    #[test]
    fn a_plan_grants_details_only_where_it_says_so() {
        assert!(!plan("starter").granted().contains(DETAILS));
        assert!(Plan { aggregate_only: false, ..plan("starter") }.granted().contains(DETAILS));
        let scopes = BTreeSet::from([DETAILS.to_owned()]);
        assert!(!Plan { scopes, ..plan("starter") }.granted().contains(DETAILS), "aggregate-only wins");
    }

    #[test]
    fn a_plan_that_cannot_be_is_named() {
        assert!(Plans::new(vec![plan("starter"), plan("grown-up")]).is_ok());
        for (wrong, word) in [
            (plan("premium"), "tier"),
            (plan("Two Words"), "name"),
            (Plan { day_quota: Some(0), ..plan("a") }, "quota"),
            (Plan { scopes: BTreeSet::from(["all".to_owned()]), ..plan("a") }, "scope"),
            (Plan { rate: Some(Rate::per_minute(0)), ..plan("a") }, ""),
            (plan("starter"), "twice"),
        ] {
            let error = Plans::new(vec![plan("starter"), wrong]).err().expect("cannot be");
            assert!(error.problem.contains(word), "{error}");
        }
    }
}
