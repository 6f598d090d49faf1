//! Schedules for unit tests, whose bell does nothing when something is due.

use std::sync::Arc;

use async_trait::async_trait;
use ieum_core::{Cx, Fault, ManualClock, Timestamp};
use ieum_saga::{Due, Next, OnDue, Schedules};
use ieum_store::{Store, StoreOptions, Transaction, migrate};
use ieum_testkit::backend::SqlStore;

use crate::effects::RING;

struct Silent;

#[async_trait]
impl OnDue for Silent {
    async fn due(&self, _: &Cx, _: &mut Transaction, _: &Due) -> Result<Next, Fault> {
        Ok(Next::Done)
    }
}

/// Returns the store of `sql` with the tables of schedules, and schedules in it for which it is `now`.
pub async fn silent_schedules(sql: &SqlStore, now: Timestamp) -> (Store, Schedules) {
    let store = Store::open(&sql.url, &StoreOptions::default()).await.expect("opens the store");
    migrate(&store, &ieum_saga::migrations(), |_| {}).await.expect("makes the tables");
    let bell: Arc<dyn OnDue> = Arc::new(Silent);
    let schedules = Schedules::new(store.clone(), ManualClock::at(now).shared(), [(RING, bell)]);
    (store, schedules)
}
