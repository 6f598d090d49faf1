//! Meets the contract `payment.charges`.

use async_trait::async_trait;
use ieum_contracts::payment::{BeginCharge, Charge, ChargeId, ChargeList, Charges, ListCharges};
use ieum_core::{Cx, Fault, SharedClock};

use crate::rules;
use crate::store::PaymentStore;

/// Keeps charges.
pub struct Service {
    pub store: PaymentStore,
    pub clock: SharedClock,
}

#[async_trait]
impl Charges for Service {
    async fn begin(&self, _cx: &Cx, wish: BeginCharge) -> Result<Charge, Fault> {
        rules::check(&wish)?;
        let won_per_month = rules::price(&wish.item)?;
        let BeginCharge { charge_id, user_id, item } = wish;
        let begun_at = self.clock.now();
        let kept = self
            .store
            .begin(&Charge { charge_id, user_id, item, won_per_month, begun_at, ended_at: None })
            .await?;
        Ok(kept)
    }

    async fn end(&self, _cx: &Cx, ask: ChargeId) -> Result<ChargeId, Fault> {
        self.store.end(&ask.charge_id, self.clock.now()).await?;
        Ok(ask)
    }

    async fn list(&self, _cx: &Cx, ask: ListCharges) -> Result<ChargeList, Fault> {
        Ok(ChargeList { charges: self.store.of_user(&ask.user_id).await? })
    }
}
