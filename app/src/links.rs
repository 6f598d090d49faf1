//! From `[links]` to links: local where a contract is not named, else over the wire of its URL; the same
//! policies around each.

use std::collections::BTreeMap;
use std::sync::Arc;

use ieum_core::SharedClock;
use ieum_link::{Contract, Link, Routes, local_link};
use ieum_policy::PolicyStack;
use ieum_wires::open::{LinkOptions, LinkUrlError, open_link};

use crate::config::{LinkSettings, Mistake, Settings};

/// Makes the links of one process.
pub struct Links {
    settings: Arc<Settings>,
    local: Routes,
    clock: SharedClock,
    stacks: BTreeMap<&'static str, PolicyStack>,
}

/// Says why a contract cannot be linked.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// Settings that cannot be honoured, all at once.
    #[error("{}", list(.0))]
    Wrong(Vec<Mistake>),
    /// The wire's own reason.
    #[error("linking {contract}")]
    Open {
        /// The contract.
        contract: &'static str,
        /// Why.
        #[source]
        source: LinkUrlError,
    },
    /// Nobody answers it.
    #[error(
        "{contract} is answered by no part of this process; name where it is answered under [links], \
             or start the part too"
    )]
    Nobody {
        /// The contract.
        contract: &'static str,
    },
}

fn list(mistakes: &[Mistake]) -> String {
    let lines: Vec<_> =
        mistakes.iter().map(|mistake| format!("{}: {}", mistake.key, mistake.problem)).collect();
    lines.join("\n")
}

/// Tells whether `to` means the routes of this process.
fn is_local(to: &str) -> bool {
    matches!(to, "local" | "local:")
}

/// Checks every entry of `[links]` against the contracts that exist, naming all mistakes at once.
pub fn check(settings: &Settings, contracts: &[&'static Contract]) -> Result<(), LinkError> {
    let mut mistakes = Vec::new();
    for (name, link) in &settings.links {
        let key = format!("links.{name:?}");
        let Some(contract) = contracts.iter().find(|contract| contract.name == name) else {
            let known: Vec<_> = contracts.iter().map(|contract| contract.name).collect();
            let problem = format!("is no contract; there are {}", known.join(", "));
            mistakes.push(Mistake { key, problem });
            continue;
        };
        if !is_local(&link.to)
            && let Err(error) = open_link(&link.to, contract, &options(link), ieum_core::system_clock())
        {
            mistakes.push(Mistake { key, problem: error.to_string() });
        }
    }
    if mistakes.is_empty() { Ok(()) } else { Err(LinkError::Wrong(mistakes)) }
}

fn options(link: &LinkSettings) -> LinkOptions {
    LinkOptions {
        connect: Some(link.policy.connect),
        first_byte: Some(link.policy.first_byte),
        total: Some(link.policy.timeout),
        ..LinkOptions::default()
    }
}

impl Links {
    /// Begins the links of a process that answers `local` itself.
    pub fn new(settings: Arc<Settings>, local: Routes, clock: SharedClock) -> Self {
        Self { settings, local, clock, stacks: BTreeMap::new() }
    }

    /// Returns a link to whoever answers `contract`, with its policies around it.
    pub fn link(&mut self, contract: &'static Contract) -> Result<Link, LinkError> {
        let named = self.settings.links.get(contract.name).filter(|link| !is_local(&link.to)).cloned();
        let (bare, policy) = match named {
            Some(link) => {
                let opened = open_link(&link.to, contract, &options(&link), self.clock.clone())
                    .map_err(|source| LinkError::Open { contract: contract.name, source })?;
                (opened.link, link.policy)
            }
            None if self.local.serves(contract.name) => {
                let own = self.settings.links.get(contract.name).map(|link| link.policy.clone());
                (local_link(self.local.clone(), self.clock.clone()), own.unwrap_or_default())
            }
            None => return Err(LinkError::Nobody { contract: contract.name }),
        };
        let stack = PolicyStack::new(contract.name, &policy, self.clock.clone());
        self.stacks.insert(contract.name, stack.clone());
        // Streams pass by the policies: a stream is never repeated.
        let streams = bare.clone();
        Ok(Link::new(stack.apply(bare)).with_streams_of(&streams))
    }
}
