//! A device becomes a person's: four steps, undone in reverse where one is refused.

use std::sync::Arc;

use async_trait::async_trait;
use ieum_bus::{Bus, Event};
use ieum_contracts::identity::{
    DEVICE_REGISTERED, DEVICE_REGISTRATIONS, Device, RegisterDevice, USER_REMOVED, UserId,
};
use ieum_contracts::payment::{BeginCharge, ChargeId, Charges};
use ieum_core::{Cx, Fault, Timestamp};
use ieum_saga::{Ended, Saga};
use ieum_store::Transaction;
use serde::{Deserialize, Serialize};

use crate::rules;
use crate::store::IdentityStore;

/// Registers devices.
pub struct DeviceRegistration {
    pub store: IdentityStore,
    pub charges: Arc<dyn Charges>,
    pub bus: Bus,
}

/// What the steps know of each other.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct State {
    /// The saga's id, under which every step is known.
    pub registration: String,
    /// What is wanted.
    pub wish: RegisterDevice,
    /// When it was wanted.
    pub at: Timestamp,
}

/// The steps.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    Quota,
    Registry,
    Account,
    Billing,
}

impl State {
    fn device(&self) -> Device {
        let RegisterDevice { user_id, device_id, kind, name, area, premium } = self.wish.clone();
        Device { device_id, user_id, kind, name, area, premium, registered_at: self.at, last_seen_at: None }
    }

    fn charge_id(&self) -> String {
        charge_id(&self.wish.device_id)
    }
}

/// Returns the id of a device's charge.
pub fn charge_id(device_id: &str) -> String {
    format!("device:{device_id}")
}

#[async_trait]
impl Saga for DeviceRegistration {
    const NAME: &'static str = "identity.device_registration";
    type State = State;
    type Step = Step;
    const STEPS: &'static [(&'static str, Step)] = &[
        ("quota", Step::Quota),
        ("registry", Step::Registry),
        ("account", Step::Account),
        ("billing", Step::Billing),
    ];

    async fn run(&self, cx: &Cx, step: Step, state: &mut State) -> Result<(), Fault> {
        let State { registration, wish, .. } = &*state;
        match step {
            Step::Quota => {
                let user = self.store.user(&wish.user_id).await?;
                let user = user.ok_or_else(|| crate::service::unknown_user(&wish.user_id))?;
                rules::check_may(&user)?;
                if self.store.take_place(&user, &wish.device_id, registration).await? {
                    return Ok(());
                }
                let most = rules::most_devices(user.plan);
                let message = format!("registering a device of {:?}: the plan has {most} devices", user.id);
                Err(Fault::failed_precondition("identity.quota.exceeded", message))
            }
            Step::Registry => self.store.enter_device(&state.device(), registration).await,
            Step::Account => self.store.show_device(&wish.user_id, &wish.device_id, registration, true).await,
            Step::Billing if !wish.premium => Ok(()),
            Step::Billing => {
                let item = format!("device.{}", if wish.kind.is_empty() { "device" } else { &wish.kind });
                let charge =
                    BeginCharge { charge_id: state.charge_id(), user_id: wish.user_id.clone(), item };
                self.charges.begin(cx, charge).await.map(drop)
            }
        }
    }

    async fn undo(&self, cx: &Cx, step: Step, state: &mut State) -> Result<(), Fault> {
        let State { registration, wish, .. } = &*state;
        match step {
            Step::Quota => self.store.leave_place(&wish.user_id, &wish.device_id, registration).await,
            Step::Registry => self.store.strike_device(&wish.device_id, registration).await,
            Step::Account => {
                self.store.show_device(&wish.user_id, &wish.device_id, registration, false).await
            }
            Step::Billing if !wish.premium => Ok(()),
            Step::Billing => self.charges.end(cx, ChargeId { charge_id: state.charge_id() }).await.map(drop),
        }
    }

    async fn ended(&self, tx: &mut Transaction, id: &str, ended: &Ended, state: &State) -> Result<(), Fault> {
        if *ended != Ended::Done {
            return Ok(());
        }
        let cx = Cx::root().with_idempotency_key(id);
        tell(&self.bus, tx, &cx, DEVICE_REGISTERED, &state.device()).await
    }
}

/// Publishes what happened to a device, together with `tx`.
pub async fn tell(
    bus: &Bus,
    tx: &mut Transaction,
    cx: &Cx,
    kind: &str,
    device: &Device,
) -> Result<(), Fault> {
    let source = format!("/users/{}", device.user_id);
    let event = Event::new(cx, source, kind, device.user_id.as_str(), device)
        .map_err(|error| Fault::internal("identity.event", error.to_string()))?
        .with_subject(device.device_id.as_str());
    Ok(bus.outbox(tx, DEVICE_REGISTRATIONS, &event).await?)
}

/// Publishes that a person is known no more, together with `tx`.
pub async fn tell_removed(bus: &Bus, tx: &mut Transaction, cx: &Cx, user: &UserId) -> Result<(), Fault> {
    let source = format!("/users/{}", user.user_id);
    let event = Event::new(cx, source, USER_REMOVED, user.user_id.as_str(), user)
        .map_err(|error| Fault::internal("identity.event", error.to_string()))?
        .with_subject(user.user_id.as_str());
    Ok(bus.outbox(tx, DEVICE_REGISTRATIONS, &event).await?)
}
