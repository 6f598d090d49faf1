//! Wires the service: store, sagas, contracts, routes.

use std::sync::Arc;

use axum::Router;
use ieum_bus::Bus;
use ieum_contracts::identity::{Devices, DevicesRoutes, Users, UsersRoutes};
use ieum_contracts::payment::Charges;
use ieum_core::SharedClock;
use ieum_link::Routes;
use ieum_saga::{SagaOptions, Sagas};
use ieum_store::{Migration, Store};

use crate::registration::DeviceRegistration;
use crate::service::Service;
use crate::store::IdentityStore;
use crate::{tables, web};

/// What the service stands on.
pub struct IdentityDeps {
    /// Keeps people, devices and registrations.
    pub store: Store,
    /// Tells what happens to devices.
    pub bus: Bus,
    /// The time.
    pub clock: SharedClock,
    /// Charges for premium devices.
    pub charges: Arc<dyn Charges>,
    /// How registrations behave.
    pub sagas: SagaOptions,
}

/// The service, wired. Registrations go on once [`IdentityPart::start`] is called.
pub struct IdentityPart {
    service: Arc<Service>,
}

impl IdentityPart {
    /// Wires the service.
    pub fn new(deps: IdentityDeps) -> Self {
        let IdentityDeps { store, bus, clock, charges, sagas } = deps;
        let tables = IdentityStore { sql: store.clone() };
        let registration =
            DeviceRegistration { store: tables.clone(), charges: charges.clone(), bus: bus.clone() };
        let sagas = Sagas::builder(store, clock.clone(), sagas).with(registration).build();
        Self { service: Arc::new(Service { store: tables, sagas, charges, bus, clock }) }
    }

    /// Returns the migrations of the tables used here. Those of [sagas](ieum_saga::migrations) are the caller's.
    pub fn migrations() -> Vec<Migration> {
        tables::migrations()
    }

    /// Returns the contracts `identity.users` and `identity.devices` as they are served here.
    pub fn routes(&self) -> Routes {
        let users: Arc<dyn Users> = self.service.clone();
        let devices: Arc<dyn Devices> = self.service.clone();
        UsersRoutes::of(users).merge(DevicesRoutes::of(devices))
    }

    /// Returns the pages of people and devices, without a door: who may come in is for the caller to decide. The
    /// holder of a key needs the scope `users:read`, and `users:write` to change anything.
    pub fn router(&self) -> Router {
        web::router(self.service.clone())
    }

    /// Returns the registrations, for an operator to look at.
    pub fn sagas(&self) -> Sagas {
        self.service.sagas.clone()
    }

    /// Starts to run registrations, those that another process left among them.
    pub fn start(&self) {
        self.service.sagas.start();
    }

    /// Begins no further step and waits for those that are asked.
    pub async fn drain(&self) {
        self.service.sagas.drain().await;
    }
}
