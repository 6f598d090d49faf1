//! `identity.users`, `identity.devices` and `payment.charges` over every way.

use std::sync::Arc;

use async_trait::async_trait;
use ieum_contracts::identity::{
    DEVICES_CONTRACT, Device, DeviceId, DeviceList, DeviceQuota, DeviceSeen, Devices, DevicesClient,
    DevicesRoutes, ListDevices, ListUsers, RegisterDevice, Registration, RegistrationId, RegistrationState,
    SaveUser, USERS_CONTRACT, User, UserId, UserList, UserPlan, UserStatus, Users, UsersClient, UsersRoutes,
};
use ieum_contracts::payment::{
    BeginCharge, CHARGES_CONTRACT, Charge, ChargeId, ChargeList, Charges, ChargesClient, ChargesRoutes,
    ListCharges,
};
use ieum_core::{Code, Cx, Fault, Timestamp};

use crate::every_way::Ways;

/// Says back what it is told.
struct Echo;

fn now() -> Timestamp {
    Timestamp::from_millis(1_790_000_000_123)
}

fn user(wish: SaveUser) -> User {
    let SaveUser { id, name, status, plan, language, zone } = wish;
    User {
        id, name, status, plan, language, zone, devices: vec!["거실-스피커".into()], created_at: now()
    }
}

fn device(wish: RegisterDevice) -> Device {
    let RegisterDevice { user_id, device_id, kind, name, area, premium } = wish;
    Device { device_id, user_id, kind, name, area, premium, registered_at: now(), last_seen_at: Some(now()) }
}

fn unknown(what: &str) -> Fault {
    Fault::not_found("identity.user.unknown", format!("there is no person {what:?}"))
}

#[async_trait]
impl Users for Echo {
    async fn get(&self, _: &Cx, ask: UserId) -> Result<User, Fault> {
        Err(unknown(&ask.user_id))
    }

    async fn list(&self, _: &Cx, ask: ListUsers) -> Result<UserList, Fault> {
        let id = ask.after.unwrap_or_default();
        let user = user(SaveUser { id, status: UserStatus::Unknown, ..SaveUser::default() });
        Ok(UserList { users: vec![user; ask.limit.unwrap_or(0) as usize] })
    }

    async fn save(&self, _: &Cx, wish: SaveUser) -> Result<User, Fault> {
        Ok(user(wish))
    }

    async fn remove(&self, _: &Cx, ask: UserId) -> Result<UserId, Fault> {
        Ok(ask)
    }

    async fn quota(&self, _: &Cx, _: UserId) -> Result<DeviceQuota, Fault> {
        Ok(DeviceQuota { limit: u32::MAX, used: 7, can_add_device: true })
    }
}

#[async_trait]
impl Devices for Echo {
    async fn get(&self, _: &Cx, ask: DeviceId) -> Result<Device, Fault> {
        Ok(device(RegisterDevice { device_id: ask.device_id, ..RegisterDevice::default() }))
    }

    async fn list(&self, _: &Cx, ask: ListDevices) -> Result<DeviceList, Fault> {
        let user_id = ask.user_id.unwrap_or_default();
        Ok(DeviceList { devices: vec![device(RegisterDevice { user_id, ..RegisterDevice::default() })] })
    }

    async fn register(&self, _: &Cx, wish: RegisterDevice) -> Result<Registration, Fault> {
        if wish.premium {
            return Err(Fault::failed_precondition("identity.quota.exceeded", "registering a device"));
        }
        let state = RegistrationState::Undoing;
        let RegisterDevice { user_id, device_id, kind: step, area: reason, .. } = wish;
        Ok(Registration { registration_id: "r1".into(), device_id, user_id, state, step, reason })
    }

    async fn registration(&self, _: &Cx, ask: RegistrationId) -> Result<Registration, Fault> {
        let empty = String::new;
        let (state, registration_id) = (RegistrationState::Stuck, ask.registration_id);
        Ok(Registration {
            registration_id,
            device_id: empty(),
            user_id: empty(),
            state,
            step: empty(),
            reason: None,
        })
    }

    async fn remove(&self, _: &Cx, ask: DeviceId) -> Result<DeviceId, Fault> {
        Ok(ask)
    }

    async fn seen(&self, _: &Cx, ask: DeviceSeen) -> Result<DeviceSeen, Fault> {
        Ok(ask)
    }
}

#[async_trait]
impl Charges for Echo {
    async fn begin(&self, _: &Cx, wish: BeginCharge) -> Result<Charge, Fault> {
        let BeginCharge { charge_id, user_id, item } = wish;
        Ok(Charge {
            charge_id,
            user_id,
            item,
            won_per_month: 1 << 52,
            begun_at: now(),
            ended_at: Some(now()),
        })
    }

    async fn end(&self, _: &Cx, ask: ChargeId) -> Result<ChargeId, Fault> {
        Ok(ask)
    }

    async fn list(&self, _: &Cx, ask: ListCharges) -> Result<ChargeList, Fault> {
        Err(Fault::permission_denied("payment.refused", format!("listing charges of {:?}", ask.user_id)))
    }
}

fn keyed() -> Cx {
    Cx::root().with_idempotency_key("k1")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn identity_users_mean_the_same_every_way() {
    let ways = Ways::<dyn Users> {
        contract: &USERS_CONTRACT,
        answerer: || Arc::new(Echo),
        routes: UsersRoutes::of,
        meet: |link| Arc::new(UsersClient::new(link)),
    };
    ways.run(|way, users| async move {
        let wish = SaveUser {
            id: "ada".into(),
            name: "에이다".into(),
            status: UserStatus::Blocked,
            plan: UserPlan::Premium,
            language: Some("ko".into()),
            zone: Some("Asia/Seoul".into()),
        };
        assert_eq!(users.save(&keyed(), wish.clone()).await, Ok(user(wish)), "{way}");
        let ask = ListUsers { after: Some("가".into()), limit: Some(2) };
        let listed = users.list(&Cx::root(), ask).await.expect("lists").users;
        assert_eq!((listed.len(), &*listed[1].id, listed[1].status), (2, "가", UserStatus::Unknown), "{way}");
        let id = UserId { user_id: "없음".into() };
        let fault = users.get(&Cx::root(), id.clone()).await.expect_err("is unknown");
        assert_eq!((fault.code, &fault), (Code::NotFound, &unknown("없음")), "{way}");
        assert_eq!(users.quota(&Cx::root(), id.clone()).await.expect("is told").limit, u32::MAX, "{way}");
        assert_eq!(users.remove(&keyed(), id.clone()).await, Ok(id), "{way}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn identity_devices_mean_the_same_every_way() {
    let ways = Ways::<dyn Devices> {
        contract: &DEVICES_CONTRACT,
        answerer: || Arc::new(Echo),
        routes: DevicesRoutes::of,
        meet: |link| Arc::new(DevicesClient::new(link)),
    };
    ways.run(|way, devices| async move {
        let wish = RegisterDevice {
            user_id: "ada".into(),
            device_id: "s1".into(),
            kind: "registry".into(),
            name: "스피커".into(),
            area: Some("거실".into()),
            premium: false,
        };
        let told = devices.register(&keyed(), wish.clone()).await.expect("is told");
        assert_eq!((told.state, &*told.step), (RegistrationState::Undoing, "registry"), "{way}");
        assert_eq!(told.reason.as_deref(), Some("거실"), "{way}");
        let premium = RegisterDevice { premium: true, ..wish };
        let fault = devices.register(&keyed(), premium).await.expect_err("is refused");
        assert_eq!(
            (fault.code, &*fault.reason),
            (Code::FailedPrecondition, "identity.quota.exceeded"),
            "{way}"
        );
        let ask = RegistrationId { registration_id: "r9".into() };
        assert_eq!(
            devices.registration(&Cx::root(), ask).await.expect("is told").registration_id,
            "r9",
            "{way}"
        );
        let id = DeviceId { device_id: "s1".into() };
        let found = devices.get(&Cx::root(), id.clone()).await.expect("is there");
        assert_eq!(found.last_seen_at, Some(now()), "{way}");
        let ask = ListDevices { user_id: Some("ada".into()), ..ListDevices::default() };
        assert_eq!(devices.list(&Cx::root(), ask).await.expect("lists").devices[0].user_id, "ada", "{way}");
        let seen = DeviceSeen { device_id: "s1".into(), at: now() };
        assert_eq!(devices.seen(&keyed(), seen.clone()).await, Ok(seen), "{way}");
        assert_eq!(devices.remove(&keyed(), id.clone()).await, Ok(id), "{way}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn payment_charges_mean_the_same_every_way() {
    let ways = Ways::<dyn Charges> {
        contract: &CHARGES_CONTRACT,
        answerer: || Arc::new(Echo),
        routes: ChargesRoutes::of,
        meet: |link| Arc::new(ChargesClient::new(link)),
    };
    ways.run(|way, charges| async move {
        let (charge_id, user_id, item) = ("c1".to_owned(), "ada".to_owned(), "device.스피커".to_owned());
        let wish = BeginCharge { charge_id: charge_id.clone(), user_id: user_id.clone(), item };
        let begun = charges.begin(&keyed(), wish).await.expect("begins");
        assert_eq!(
            (begun.won_per_month, &*begun.item, begun.ended_at),
            (1 << 52, "device.스피커", Some(now())),
            "{way}"
        );
        let id = ChargeId { charge_id };
        assert_eq!(charges.end(&keyed(), id.clone()).await, Ok(id), "{way}");
        let fault = charges.list(&Cx::root(), ListCharges { user_id }).await.expect_err("is refused");
        assert_eq!((fault.code, &*fault.reason), (Code::PermissionDenied, "payment.refused"), "{way}");
    })
    .await;
}
