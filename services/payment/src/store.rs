//! Queries over charges.

use ieum_contracts::payment::Charge;
use ieum_core::{Fault, Timestamp};
use ieum_store::{Insert, Row, Store, Value};

const COLUMNS: &str = "id, user_id, item, won_per_month, begun_at, ended_at";

/// The service's table.
pub struct PaymentStore {
    pub sql: Store,
}

impl PaymentStore {
    /// Keeps a charge; one that is there under the same id stays, and is returned.
    pub async fn begin(&self, charge: &Charge) -> Result<Charge, Fault> {
        let row: Vec<Value> = vec![
            charge.charge_id.as_str().into(),
            charge.user_id.as_str().into(),
            charge.item.as_str().into(),
            i64::try_from(charge.won_per_month).unwrap_or(i64::MAX).into(),
            charge.begun_at.into(),
        ];
        let columns = ["id", "user_id", "item", "won_per_month", "begun_at"];
        let mut tx = self.sql.begin_write().await?;
        // One that has ended may begin again, as a device that comes back does.
        let sql = "DELETE FROM ieum_payment_charge WHERE id = ? AND ended_at IS NOT NULL";
        tx.execute(sql, &[charge.charge_id.as_str().into()]).await?;
        Insert::into("ieum_payment_charge")
            .columns(columns)
            .rows([row])
            .or_ignore(["id"])
            .run_in(&mut tx)
            .await?;
        let sql = format!("SELECT {COLUMNS} FROM ieum_payment_charge WHERE id = ?");
        let kept = read(&tx.fetch_one(&sql, &[charge.charge_id.as_str().into()]).await?)?;
        tx.commit().await?;
        Ok(kept)
    }

    pub async fn end(&self, id: &str, now: Timestamp) -> Result<(), Fault> {
        let sql = "UPDATE ieum_payment_charge SET ended_at = ? WHERE id = ? AND ended_at IS NULL";
        self.sql.execute(sql, &[now.into(), id.into()]).await?;
        Ok(())
    }

    pub async fn of_user(&self, user: &str) -> Result<Vec<Charge>, Fault> {
        let sql = format!(
            "SELECT {COLUMNS} FROM ieum_payment_charge WHERE user_id = ? ORDER BY begun_at DESC, id LIMIT 200"
        );
        self.sql.fetch_all(&sql, &[user.into()]).await?.iter().map(read).collect()
    }
}

fn read(row: &Row) -> Result<Charge, Fault> {
    Ok(Charge {
        charge_id: row.text("id")?,
        user_id: row.text("user_id")?,
        item: row.text("item")?,
        won_per_month: u64::try_from(row.int("won_per_month")?).unwrap_or(0),
        begun_at: row.timestamp("begun_at")?,
        ended_at: row.opt_timestamp("ended_at")?,
    })
}
