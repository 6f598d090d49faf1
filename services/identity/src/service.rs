//! Meets the contracts `identity.users` and `identity.devices`.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use ieum_bus::Bus;
use ieum_contracts::identity::{
    DEVICE_REMOVED, Device, DeviceId, DeviceList, DeviceQuota, DeviceSeen, Devices, ListDevices, ListUsers,
    RegisterDevice, Registration, RegistrationId, RegistrationState, SaveUser, User, UserId, UserList, Users,
};
use ieum_contracts::payment::{ChargeId, Charges};
use ieum_core::{Cx, Fault, SharedClock, new_id};
use ieum_saga::{Phase, SagaError, SagaStatus, Sagas};

use crate::registration::{DeviceRegistration, State, charge_id, tell, tell_removed};
use crate::rules;
use crate::store::{IdentityStore, remove_device, remove_user};

/// How long whoever registers a device waits for its end.
const PATIENCE: Duration = Duration::from_secs(4);

/// Keeps people and devices.
pub struct Service {
    pub store: IdentityStore,
    pub sagas: Sagas,
    pub charges: Arc<dyn Charges>,
    pub bus: Bus,
    pub clock: SharedClock,
}

#[async_trait]
impl Users for Service {
    async fn get(&self, _cx: &Cx, ask: UserId) -> Result<User, Fault> {
        self.store.user(&ask.user_id).await?.ok_or_else(|| unknown_user(&ask.user_id))
    }

    async fn list(&self, _cx: &Cx, ask: ListUsers) -> Result<UserList, Fault> {
        Ok(UserList { users: self.store.users(&ask).await? })
    }

    async fn save(&self, _cx: &Cx, user: SaveUser) -> Result<User, Fault> {
        rules::check_user(&user)?;
        self.store.save_user(&user, self.clock.now()).await?;
        self.store.user(&user.id).await?.ok_or_else(|| unknown_user(&user.id))
    }

    async fn remove(&self, cx: &Cx, ask: UserId) -> Result<UserId, Fault> {
        let wish = ListDevices { user_id: Some(ask.user_id.clone()), ..ListDevices::default() };
        // Charges end first: a person who is gone must not be charged.
        for device in self.store.devices(&ListDevices { limit: Some(200), ..wish }).await? {
            Devices::remove(self, cx, DeviceId { device_id: device.device_id }).await?;
        }
        let mut tx = self.store.sql.begin_write().await?;
        if remove_user(&mut tx, &ask.user_id).await? {
            tell_removed(&self.bus, &mut tx, cx, &ask).await?;
        }
        tx.commit().await?;
        Ok(ask)
    }

    async fn quota(&self, cx: &Cx, ask: UserId) -> Result<DeviceQuota, Fault> {
        let user = Users::get(self, cx, ask).await?;
        self.store.quota(&user).await
    }
}

#[async_trait]
impl Devices for Service {
    async fn get(&self, _cx: &Cx, ask: DeviceId) -> Result<Device, Fault> {
        self.store.device(&ask.device_id).await?.ok_or_else(|| {
            let id: String = ask.device_id.chars().take(120).collect();
            Fault::not_found("identity.device.unknown", format!("there is no device {id:?}"))
        })
    }

    async fn list(&self, _cx: &Cx, ask: ListDevices) -> Result<DeviceList, Fault> {
        Ok(DeviceList { devices: self.store.devices(&ask).await? })
    }

    async fn register(&self, cx: &Cx, wish: RegisterDevice) -> Result<Registration, Fault> {
        rules::check_device(&wish)?;
        // An id may hold ':', and so may a key: of two registrations none is to be taken for the other.
        let device = wish.device_id.replace(':', "@");
        let registration = match cx.idempotency_key() {
            Some(key) => format!("device:{device}:{}", short(key)),
            None => format!("device:{device}:{}", new_id()),
        };
        let state = State { registration: registration.clone(), wish, at: self.clock.now() };
        self.sagas.begin::<DeviceRegistration>(cx, &registration, &state).await?;
        match self.sagas.finish(&registration, PATIENCE).await {
            Ok(SagaStatus { phase: Phase::Undone, fault: Some(fault), .. }) => Err(fault),
            Ok(status) => registration_of(status),
            Err(SagaError::StillRunning { .. }) => registration_of(self.sagas.status(&registration).await?),
            Err(error) => Err(error.into()),
        }
    }

    async fn registration(&self, _cx: &Cx, ask: RegistrationId) -> Result<Registration, Fault> {
        match self.sagas.status(&ask.registration_id).await {
            Ok(status) => registration_of(status),
            Err(SagaError::UnknownId { .. }) => Err(Fault::not_found(
                "identity.registration.unknown",
                "there is no such registration; those that are over are kept for 30 days",
            )),
            Err(error) => Err(error.into()),
        }
    }

    async fn remove(&self, cx: &Cx, ask: DeviceId) -> Result<DeviceId, Fault> {
        let Some(device) = self.store.device(&ask.device_id).await? else { return Ok(ask) };
        if device.premium {
            self.charges.end(cx, ChargeId { charge_id: charge_id(&device.device_id) }).await?;
        }
        let mut tx = self.store.sql.begin_write().await?;
        if let Some(device) = remove_device(&mut tx, &ask.device_id).await? {
            tell(&self.bus, &mut tx, cx, DEVICE_REMOVED, &device).await?;
        }
        tx.commit().await?;
        Ok(ask)
    }

    async fn seen(&self, _cx: &Cx, ask: DeviceSeen) -> Result<DeviceSeen, Fault> {
        self.store.seen(&ask.device_id, ask.at).await?;
        Ok(ask)
    }
}

fn registration_of(status: SagaStatus) -> Result<Registration, Fault> {
    let state: State = serde_json::from_value(status.state).map_err(|error| {
        Fault::data_loss("identity.registration", format!("reading a registration: {error}"))
    })?;
    Ok(Registration {
        registration_id: status.id,
        device_id: state.wish.device_id,
        user_id: state.wish.user_id,
        state: match status.phase {
            Phase::Running => RegistrationState::Running,
            Phase::Undoing => RegistrationState::Undoing,
            Phase::Done => RegistrationState::Done,
            Phase::Undone => RegistrationState::Undone,
            Phase::Stuck => RegistrationState::Stuck,
        },
        step: status.step,
        reason: status.fault.map(|fault| fault.to_string()),
    })
}

/// Keys may be long; a registration's id has room for 100 characters of one.
fn short(key: &str) -> String {
    key.chars().take(100).collect()
}

pub fn unknown_user(id: &str) -> Fault {
    let id: String = id.chars().take(120).collect();
    Fault::not_found("identity.user.unknown", format!("there is no person {id:?}; save one first"))
}
