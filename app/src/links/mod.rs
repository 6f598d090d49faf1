//! From `[links]` to links: local where a contract is not named, else over the wire of its URL; the same
//! policies around each, and another link behind those whose fallback names one.

mod admin;
mod board;
mod check;
mod metrics;
mod outside;
mod process;
mod watch;

use std::sync::Arc;

use ieum_bus::Bus;
use ieum_core::{SharedClock, redact_url};
use ieum_link::{Contract, Link, Routes, local_link};
use ieum_policy::{Alternative, FallbackConfig, PolicyConfig, PolicyStack};
use ieum_process::Process;
use ieum_wires::OpenedLink;
use ieum_wires::bus::BusWire;
use ieum_wires::open::{LinkOptions, LinkUrlError, open_link};
use ieum_wires::tls::{Identity, TlsError};

use crate::config::{Mistake, Settings};
use crate::parts;

pub use admin::Steering;
pub use board::LinkBoard;
pub use check::check;
pub use outside::OutsideCheck;
use process::{Following, Standing};
pub use watch::Watching;

/// Returns what one of several links of a contract is called.
pub fn one_of(contract: &Contract, name: &str) -> String {
    format!("{}/{name}", contract.name)
}

/// Makes the links of one process.
pub struct Links {
    settings: Arc<Settings>,
    local: Routes,
    bus: Bus,
    clock: SharedClock,
    board: LinkBoard,
    identity: Option<Identity>,
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
         or start the part too{}",
        .part.map(|part| format!(": `{part}`")).unwrap_or_default()
    )]
    Nobody {
        /// The contract.
        contract: &'static str,
        /// The part that answers it; `None` for one that comes along with no part.
        part: Option<&'static str>,
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

/// Tells whether `to` means the bus of this process.
fn is_bus(to: &str) -> bool {
    matches!(to, "bus" | "bus:")
}

fn options(policy: &PolicyConfig, identity: Option<&Identity>) -> LinkOptions {
    LinkOptions {
        identity: identity.cloned(),
        connect: Some(policy.connect),
        first_byte: Some(policy.first_byte),
        total: Some(policy.timeout),
        ..LinkOptions::default()
    }
}

/// Reads who this process is; `None` where `[tls]` names no certificates.
pub fn identity(settings: &Settings) -> Result<Option<Identity>, TlsError> {
    settings.tls.as_ref().map(Identity::read).transpose()
}

impl Links {
    /// Begins the links of a process that answers `local` itself. Each is shown on `board`.
    pub fn new(
        settings: Arc<Settings>,
        local: Routes,
        bus: Bus,
        clock: SharedClock,
        board: LinkBoard,
        identity: Option<Identity>,
    ) -> Self {
        Self { settings, local, bus, clock, board, identity }
    }

    /// Returns a link to whoever answers `contract`, with its policies around it.
    ///
    /// A fallback that names another link gets that link with the same policies but no fallback of its own, so
    /// that no chain of them can come about.
    pub fn link(&self, contract: &'static Contract) -> Result<Link, LinkError> {
        let named = self.settings.links.get(contract.name).cloned();
        let (to, policy) = named.map_or_else(Default::default, |link| (link.to, link.policy));
        let to = if to.is_empty() { "local" } else { &to };
        let bare = self.bare(contract, to, &policy)?;
        let stack = PolicyStack::new(contract.name, &policy, self.clock.clone());
        self.board.add(&bare, &stack);
        let mut alternative = Alternative::default();
        if let FallbackConfig::To(other) = &policy.fallback {
            let policy = PolicyConfig { fallback: FallbackConfig::Off, ..policy.clone() };
            let bare = self.bare(contract, other, &policy)?;
            let name = format!("{}.fallback", contract.name);
            let stack = PolicyStack::new(&name, &policy, self.clock.clone());
            self.board.add(&bare, &stack);
            alternative.link = Some(stack.apply(bare.link));
        }
        // Streams pass by the policies: a stream is never repeated.
        let streams = bare.link.clone();
        Ok(Link::new(stack.apply_with(bare.link, alternative)).with_streams_of(&streams))
    }

    /// Returns a link to one of several answerers of `contract`, shown as `contract/name`.
    pub fn link_to(
        &self,
        contract: &'static Contract,
        name: &str,
        to: &str,
        policy: &PolicyConfig,
    ) -> Result<Link, LinkError> {
        let bare = self.bare(contract, to, policy)?;
        let stack = PolicyStack::new(&one_of(contract, name), policy, self.clock.clone());
        self.board.add(&bare, &stack);
        Ok(Link::new(stack.apply(bare.link)))
    }

    /// Returns a link to a process of this one that answers `contract`, shown as `contract/name`. It leads to where the
    /// process says it answers, start by start.
    pub fn link_to_process(
        &self,
        contract: &'static Contract,
        name: &str,
        process: &Arc<Process>,
        policy: &PolicyConfig,
    ) -> Link {
        let options = options(policy, self.identity.as_ref());
        let following = Following::new(contract, options, self.clock.clone(), process.watch());
        let name = one_of(contract, name);
        let stack = PolicyStack::new(&name, policy, self.clock.clone());
        self.board.add_process(process, &stack);
        let link = Link::new(stack.apply(Link::from_unary(Arc::new(following))));
        Link::from_unary(Arc::new(Standing { name, status: process.watch(), link }))
    }

    /// Opens `to` without policies.
    fn bare(
        &self,
        contract: &'static Contract,
        to: &str,
        policy: &PolicyConfig,
    ) -> Result<OpenedLink, LinkError> {
        let failed = |source| LinkError::Open { contract: contract.name, source };
        if is_bus(to) {
            return BusWire::open(self.bus.clone(), contract).map_err(failed);
        }
        if !is_local(to) {
            let opened =
                open_link(to, contract, &options(policy, self.identity.as_ref()), self.clock.clone())
                    .map_err(failed)?;
            return Ok(OpenedLink { url: redact_url(&opened.url), ..opened });
        }
        if !self.local.serves(contract.name) {
            return Err(LinkError::Nobody { contract: contract.name, part: parts::part_of(contract) });
        }
        let link = local_link(self.local.clone(), self.clock.clone());
        Ok(OpenedLink { link, wire: "local", url: "local".to_owned(), balancer: None })
    }
}

#[cfg(test)]
mod tests;
