//! The service over its own store and a clock that stands still.

use ieum_contracts::payment::{BeginCharge, Charge, Charges, ChargesClient, ListCharges};
use ieum_core::{Cx, ManualClock, Timestamp, new_id, system_clock};
use ieum_link::loopback;
use ieum_payment::{PaymentDeps, PaymentPart};
use ieum_store::{Store, StoreOptions, Synchronous, migrate};

pub struct Stage {
    pub clock: ManualClock,
    pub charges: ChargesClient,
}

pub fn cx() -> Cx {
    Cx::root().with_idempotency_key(&new_id().to_string())
}

pub fn speaker() -> BeginCharge {
    BeginCharge { charge_id: "device:s1".into(), user_id: "ada".into(), item: "device.speaker".into() }
}

impl Stage {
    pub async fn over(url: &str) -> Self {
        let options = StoreOptions { sqlite_synchronous: Synchronous::Off, ..StoreOptions::default() };
        let store = Store::open(url, &options).await.expect("opens the store");
        migrate(&store, &PaymentPart::migrations(), |_| {}).await.expect("makes the tables");
        let clock = ManualClock::at(Timestamp::parse("2026-05-01T03:00:00Z").expect("is a time"));
        let part = PaymentPart::new(PaymentDeps { store, clock: clock.shared() });
        Self { clock, charges: ChargesClient::new(loopback(part.routes(), system_clock())) }
    }

    pub async fn of_ada(&self) -> Vec<Charge> {
        let ask = ListCharges { user_id: "ada".into() };
        self.charges.list(&cx(), ask).await.expect("lists").charges
    }
}
