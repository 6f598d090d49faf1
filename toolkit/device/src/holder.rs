//! Who has the tables of devices: the broker that opened them last. Each says who it is, so that who takes over and who is
//! taken from can name each other.

use ieum_core::Timestamp;
use ieum_store::{Row, Store, StoreError, Value};

use crate::DeviceStoreError;

/// A broker that has the tables of devices, or had them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Holder {
    /// What it calls itself: [`BrokerOptions::name`](crate::BrokerOptions::name).
    pub name: String,
    /// When it took them.
    pub since: Timestamp,
}

/// How things stand for the broker that asks.
pub(crate) enum Standing {
    /// It has the tables.
    Ours,
    /// It has them, and who had them before has shown since that it runs still.
    Contested(Holder),
    /// Another one has taken them.
    Lost,
}

/// The longest name that the table keeps, in characters.
const LONGEST_NAME: usize = 120;

/// Cuts a name to what the table keeps.
pub(crate) fn name(text: &str) -> String {
    text.chars().take(LONGEST_NAME).collect()
}

/// Takes the tables for `own`. Returns the number of those who have taken them so far, and who had them before where it did
/// not give them back.
pub(crate) async fn take(store: &Store, own: &Holder) -> Result<(i64, Option<Holder>), DeviceStoreError> {
    let failed = |error| DeviceStoreError::Store("taking over", error);
    let mut transaction = store.begin_write().await.map_err(failed)?;
    // First, and so locked until the commit: of two that take at once the later one finds the other.
    let raised = "UPDATE ieum_device_owner SET epoch = epoch + 1 WHERE id = 1";
    transaction.execute(raised, &[]).await.map_err(failed)?;
    let read = "SELECT epoch, name, since FROM ieum_device_owner WHERE id = 1";
    let row = transaction.fetch_one(read, &[]).await.map_err(failed)?;
    let (epoch, before) = (row.int("epoch").map_err(failed)?, holder(&row, "name", "since").map_err(failed)?);
    let named =
        "UPDATE ieum_device_owner SET name = ?, since = ?, rival = NULL, rival_since = NULL WHERE id = 1";
    transaction.execute(named, &[own.name.as_str().into(), own.since.into()]).await.map_err(failed)?;
    transaction.commit().await.map_err(failed)?;
    Ok((epoch, before))
}

/// Says that the tables are nobody's any more, where they were those of `epoch`: who takes them next takes them from nobody.
pub(crate) async fn give_back(store: &Store, epoch: i64) -> Result<(), DeviceStoreError> {
    let sql = "UPDATE ieum_device_owner SET name = NULL, since = NULL WHERE id = 1 AND epoch = ?";
    let given = store.execute(sql, &[epoch.into()]).await;
    given.map(drop).map_err(|error| DeviceStoreError::Store("giving back", error))
}

/// Shows whoever has the tables now that `own`, which had them as `epoch`, runs still.
pub(crate) async fn show_life(store: &Store, epoch: i64, own: &Holder) -> Result<(), DeviceStoreError> {
    let sql = "UPDATE ieum_device_owner SET rival = ?, rival_since = ? WHERE id = 1 AND epoch > ?";
    let values: [Value; 3] = [own.name.as_str().into(), own.since.into(), epoch.into()];
    store.execute(sql, &values).await.map(drop).map_err(|error| DeviceStoreError::Store("speaking up", error))
}

/// Returns how things stand for who took the tables as `epoch`.
pub(crate) async fn standing(store: &Store, epoch: i64) -> Result<Standing, DeviceStoreError> {
    let failed = |error| DeviceStoreError::Store("looking who has them", error);
    let read = "SELECT epoch, rival, rival_since FROM ieum_device_owner WHERE id = 1";
    let row = store.fetch_one(read, &[]).await.map_err(failed)?;
    if row.int("epoch").map_err(failed)? != epoch {
        return Ok(Standing::Lost);
    }
    let rival = holder(&row, "rival", "rival_since").map_err(failed)?;
    Ok(rival.map_or(Standing::Ours, Standing::Contested))
}

/// Returns who has the tables; nobody where the last one gave them back.
pub(crate) async fn current(store: &Store) -> Result<Option<Holder>, DeviceStoreError> {
    let failed = |error| DeviceStoreError::Store("looking who has them", error);
    let read = "SELECT name, since FROM ieum_device_owner WHERE id = 1";
    let row = store.fetch_one(read, &[]).await.map_err(failed)?;
    holder(&row, "name", "since").map_err(failed)
}

fn holder(row: &Row, name: &str, since: &str) -> Result<Option<Holder>, StoreError> {
    let read = row.opt_text(name)?.zip(row.opt_timestamp(since)?);
    Ok(read.map(|(name, since)| Holder { name, since }))
}
