//! Links to processes that this one started: they follow the address that the process says at each start, and ask nobody
//! while it does not run.

use ieum_core::{BoxFuture, Fault, SharedClock};
use ieum_link::{Call, Contract, Link, Reply, UnaryLink};
use ieum_process::{Address, State, Status};
use ieum_wires::open::{LinkOptions, open_link};
use parking_lot::Mutex;
use tokio::sync::watch;

/// Carries calls to wherever the process answers at the time. Stands within the policies.
pub struct Following {
    contract: &'static Contract,
    options: LinkOptions,
    clock: SharedClock,
    status: watch::Receiver<Status>,
    opened: Mutex<Option<(Address, Link)>>,
}

/// Refuses calls while the process does not run. Stands before the policies: the breaker learns of the answers of a
/// process, not of its absence, so that one that is back is asked at once.
pub struct Standing {
    /// What it is called.
    pub name: String,
    /// How the process stands.
    pub status: watch::Receiver<Status>,
    /// The way to it.
    pub link: Link,
}

// === Following ===

impl Following {
    pub fn new(
        contract: &'static Contract,
        options: LinkOptions,
        clock: SharedClock,
        status: watch::Receiver<Status>,
    ) -> Self {
        Self { contract, options, clock, status, opened: Mutex::new(None) }
    }

    fn link(&self) -> Result<Link, Fault> {
        let address = self.status.borrow().address().cloned();
        let address = address.ok_or_else(|| absent(self.contract.name, &self.status.borrow()))?;
        let mut opened = self.opened.lock();
        if let Some((_, link)) = opened.as_ref().filter(|(known, _)| *known == address) {
            return Ok(link.clone());
        }
        let link = open_link(address.as_str(), self.contract, &self.options, self.clock.clone())
            .map_err(|error| Fault::unavailable("link.process_address", error.to_string()))?
            .link;
        *opened = Some((address, link.clone()));
        Ok(link)
    }
}

impl UnaryLink for Following {
    fn call(&self, call: Call) -> BoxFuture<'static, Result<Reply, Fault>> {
        match self.link() {
            Ok(link) => link.call(call),
            Err(fault) => Box::pin(std::future::ready(Err(fault))),
        }
    }
}

// === Standing ===

impl UnaryLink for Standing {
    fn call(&self, call: Call) -> BoxFuture<'static, Result<Reply, Fault>> {
        let status = self.status.borrow();
        match status.state {
            State::Running(_) => self.link.call(call),
            _ => Box::pin(std::future::ready(Err(absent(&self.name, &status)))),
        }
    }
}

fn absent(name: &str, status: &Status) -> Fault {
    let why = status.ended.as_ref().map(|ended| format!(": {ended}")).unwrap_or_default();
    let state = status.state.name();
    Fault::unavailable("link.process_absent", format!("asking {name}, whose process is {state}{why}"))
}
