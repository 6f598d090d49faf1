//! Wires the service: store and contract.

use std::sync::Arc;

use ieum_contracts::payment::{Charges, ChargesRoutes};
use ieum_core::SharedClock;
use ieum_link::Routes;
use ieum_store::{Migration, Store};

use crate::service::Service;
use crate::store::PaymentStore;
use crate::tables;

/// What the service stands on.
pub struct PaymentDeps {
    /// Keeps charges.
    pub store: Store,
    /// The time.
    pub clock: SharedClock,
}

/// The service, wired. It does nothing by itself.
pub struct PaymentPart {
    service: Arc<Service>,
}

impl PaymentPart {
    /// Wires the service.
    pub fn new(deps: PaymentDeps) -> Self {
        let PaymentDeps { store, clock } = deps;
        Self { service: Arc::new(Service { store: PaymentStore { sql: store }, clock }) }
    }

    /// Returns the migrations of the table used here.
    pub fn migrations() -> Vec<Migration> {
        tables::migrations()
    }

    /// Returns the contract `payment.charges` as it is served here.
    pub fn routes(&self) -> Routes {
        let charges: Arc<dyn Charges> = self.service.clone();
        ChargesRoutes::of(charges)
    }
}
