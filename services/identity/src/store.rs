//! Queries over people, places and devices.

use ieum_contracts::identity::{
    Device, DeviceQuota, ListDevices, ListUsers, SaveUser, User, UserPlan, UserStatus,
};
use ieum_core::{Fault, Timestamp};
use ieum_store::{Row, Store, Transaction, Value};

use crate::rules::most_devices;

const USER: &str = "id, name, status, plan, language, zone, created_at";
const DEVICE: &str = "id, user_id, kind, name, area, premium, registered_at, last_seen_at";

/// The service's tables.
#[derive(Clone)]
pub struct IdentityStore {
    pub sql: Store,
}

impl IdentityStore {
    pub async fn user(&self, id: &str) -> Result<Option<User>, Fault> {
        let sql = format!("SELECT {USER} FROM ieum_identity_user WHERE id = ?");
        let Some(row) = self.sql.fetch_optional(&sql, &[id.into()]).await? else { return Ok(None) };
        let devices = self.shown(&[id]).await?;
        Ok(Some(user(&row, &devices)?))
    }

    pub async fn users(&self, ask: &ListUsers) -> Result<Vec<User>, Fault> {
        let limit = ask.limit.unwrap_or(50).clamp(1, 200);
        let sql = format!("SELECT {USER} FROM ieum_identity_user WHERE id > ? ORDER BY id LIMIT {limit}");
        let rows = self.sql.fetch_all(&sql, &[ask.after.as_deref().unwrap_or_default().into()]).await?;
        let ids: Vec<String> = rows.iter().map(|row| row.text("id")).collect::<Result<_, _>>()?;
        let devices = self.shown(&ids.iter().map(String::as_str).collect::<Vec<_>>()).await?;
        rows.iter().map(|row| user(row, &devices)).collect()
    }

    /// Returns whose which devices are, as accounts show them.
    async fn shown(&self, users: &[&str]) -> Result<Vec<(String, String)>, Fault> {
        if users.is_empty() {
            return Ok(Vec::new());
        }
        let holes = vec!["?"; users.len()].join(", ");
        let sql = format!(
            "SELECT user_id, device_id FROM ieum_identity_place WHERE shown = 1 AND user_id IN ({holes}) \
             ORDER BY device_id"
        );
        let values: Vec<Value> = users.iter().map(|user| Value::from(*user)).collect();
        let rows = self.sql.fetch_all(&sql, &values).await?;
        rows.iter().map(|row| Ok((row.text("user_id")?, row.text("device_id")?))).collect()
    }

    pub async fn save_user(&self, user: &SaveUser, now: Timestamp) -> Result<(), Fault> {
        let mut tx = self.sql.begin_write().await?;
        let changed = tx
            .execute(
                "UPDATE ieum_identity_user SET name = ?, status = ?, plan = ?, language = ?, zone = ?, updated_at = ? \
                 WHERE id = ?",
                &[
                    user.name.as_str().into(),
                    status_name(user.status).into(),
                    plan_name(user.plan).into(),
                    user.language.clone().into(),
                    user.zone.clone().into(),
                    now.into(),
                    user.id.as_str().into(),
                ],
            )
            .await?;
        if changed == 0 {
            let columns = ["name", "status", "plan", "language", "zone", "created_at", "updated_at"];
            let sql = tx.dialect().upsert("ieum_identity_user", &["id"], &columns);
            let values: [Value; 8] = [
                user.id.as_str().into(),
                user.name.as_str().into(),
                status_name(user.status).into(),
                plan_name(user.plan).into(),
                user.language.clone().into(),
                user.zone.clone().into(),
                now.into(),
                now.into(),
            ];
            tx.execute(&sql, &values).await?;
        }
        Ok(tx.commit().await?)
    }

    pub async fn quota(&self, user: &User) -> Result<DeviceQuota, Fault> {
        let sql = "SELECT COUNT(*) AS n FROM ieum_identity_place WHERE user_id = ?";
        let used = self.sql.fetch_one(sql, &[user.id.as_str().into()]).await?.int("n")?;
        let (limit, used) = (most_devices(user.plan), u32::try_from(used).unwrap_or(u32::MAX));
        Ok(DeviceQuota { limit, used, can_add_device: used < limit })
    }

    pub async fn device(&self, id: &str) -> Result<Option<Device>, Fault> {
        let sql = format!("SELECT {DEVICE} FROM ieum_identity_device WHERE id = ?");
        self.sql.fetch_optional(&sql, &[id.into()]).await?.as_ref().map(device).transpose()
    }

    pub async fn devices(&self, ask: &ListDevices) -> Result<Vec<Device>, Fault> {
        let limit = ask.limit.unwrap_or(50).clamp(1, 200);
        let mut sql = format!("SELECT {DEVICE} FROM ieum_identity_device WHERE id > ?");
        let mut values: Vec<Value> = vec![ask.after.as_deref().unwrap_or_default().into()];
        if let Some(user) = &ask.user_id {
            sql.push_str(" AND user_id = ?");
            values.push(user.as_str().into());
        }
        sql.push_str(&format!(" ORDER BY id LIMIT {limit}"));
        self.sql.fetch_all(&sql, &values).await?.iter().map(device).collect()
    }

    pub async fn seen(&self, id: &str, at: Timestamp) -> Result<(), Fault> {
        let sql = "UPDATE ieum_identity_device SET last_seen_at = ? WHERE id = ? \
                   AND (last_seen_at IS NULL OR last_seen_at < ?)";
        self.sql.execute(sql, &[at.into(), id.into(), at.into()]).await?;
        Ok(())
    }

    // --- steps of a registration, each repeatable under the registration's id ---

    /// Takes a place among the person's devices; returns false where there is none left.
    pub async fn take_place(&self, user: &User, device: &str, registration: &str) -> Result<bool, Fault> {
        let mut tx = self.sql.begin_write().await?;
        // The person's row is what two registrations at once wait for.
        let lock = tx.dialect().for_update();
        let sql = format!("SELECT id FROM ieum_identity_user WHERE id = ?{lock}");
        let id = user.id.as_str();
        tx.fetch_optional(&sql, &[id.into()]).await?;
        let sql = "SELECT device_id, registration FROM ieum_identity_place WHERE user_id = ?";
        let places = tx.fetch_all(sql, &[id.into()]).await?;
        for place in &places {
            if place.text("device_id")? == device {
                let same = place.text("registration")? == registration;
                return if same { Ok(true) } else { Err(taken(device)) };
            }
        }
        if u32::try_from(places.len()).unwrap_or(u32::MAX) >= most_devices(user.plan) {
            return Ok(false);
        }
        let sql =
            "INSERT INTO ieum_identity_place (user_id, device_id, registration, shown) VALUES (?, ?, ?, 0)";
        tx.execute(sql, &[id.into(), device.into(), registration.into()]).await?;
        tx.commit().await?;
        Ok(true)
    }

    pub async fn leave_place(&self, user: &str, device: &str, registration: &str) -> Result<(), Fault> {
        let sql = "DELETE FROM ieum_identity_place WHERE user_id = ? AND device_id = ? AND registration = ?";
        self.sql.execute(sql, &[user.into(), device.into(), registration.into()]).await?;
        Ok(())
    }

    /// Makes a device the person's. Fails with `identity.device.taken`.
    pub async fn enter_device(&self, device: &Device, registration: &str) -> Result<(), Fault> {
        let mut tx = self.sql.begin_write().await?;
        let columns = ["id", "user_id", "registration", "kind", "name", "area", "premium", "registered_at"];
        let row: Vec<Value> = vec![
            device.device_id.as_str().into(),
            device.user_id.as_str().into(),
            registration.into(),
            device.kind.as_str().into(),
            device.name.as_str().into(),
            device.area.clone().into(),
            i64::from(device.premium).into(),
            device.registered_at.into(),
        ];
        let insert = ieum_store::Insert::into("ieum_identity_device").columns(columns).rows([row]);
        insert.or_ignore(["id"]).run_in(&mut tx).await?;
        let sql = "SELECT registration FROM ieum_identity_device WHERE id = ?";
        let row = tx.fetch_one(sql, &[device.device_id.as_str().into()]).await?;
        if row.text("registration")? != registration {
            return Err(taken(&device.device_id));
        }
        Ok(tx.commit().await?)
    }

    pub async fn strike_device(&self, device: &str, registration: &str) -> Result<(), Fault> {
        let sql = "DELETE FROM ieum_identity_device WHERE id = ? AND registration = ?";
        self.sql.execute(sql, &[device.into(), registration.into()]).await?;
        Ok(())
    }

    pub async fn show_device(
        &self,
        user: &str,
        device: &str,
        registration: &str,
        shown: bool,
    ) -> Result<(), Fault> {
        let sql = "UPDATE ieum_identity_place SET shown = ? WHERE user_id = ? AND device_id = ? AND registration = ?";
        let shown = i64::from(shown);
        self.sql.execute(sql, &[shown.into(), user.into(), device.into(), registration.into()]).await?;
        Ok(())
    }
}

/// Removes a device within the caller's transaction; returns it where it was there.
pub async fn remove_device(tx: &mut Transaction, id: &str) -> Result<Option<Device>, Fault> {
    let sql = format!("SELECT {DEVICE} FROM ieum_identity_device WHERE id = ?{}", tx.dialect().for_update());
    let Some(row) = tx.fetch_optional(&sql, &[id.into()]).await? else { return Ok(None) };
    let device = device(&row)?;
    tx.execute("DELETE FROM ieum_identity_device WHERE id = ?", &[id.into()]).await?;
    tx.execute("DELETE FROM ieum_identity_place WHERE device_id = ?", &[id.into()]).await?;
    Ok(Some(device))
}

/// Removes a person within the caller's transaction; returns whether there was one.
pub async fn remove_user(tx: &mut Transaction, id: &str) -> Result<bool, Fault> {
    for sql in [
        "DELETE FROM ieum_identity_place WHERE user_id = ?",
        "DELETE FROM ieum_identity_device WHERE user_id = ?",
    ] {
        tx.execute(sql, &[id.into()]).await?;
    }
    Ok(tx.execute("DELETE FROM ieum_identity_user WHERE id = ?", &[id.into()]).await? > 0)
}

fn taken(device: &str) -> Fault {
    Fault::already_exists(
        "identity.device.taken",
        format!("registering {device:?}: it is registered already"),
    )
}

fn user(row: &Row, devices: &[(String, String)]) -> Result<User, Fault> {
    let id = row.text("id")?;
    let own = devices.iter().filter(|(user, _)| *user == id).map(|(_, device)| device.clone()).collect();
    Ok(User {
        name: row.text("name")?,
        status: match row.text("status")?.as_str() {
            "blocked" => UserStatus::Blocked,
            _ => UserStatus::Active,
        },
        plan: match row.text("plan")?.as_str() {
            "premium" => UserPlan::Premium,
            _ => UserPlan::Basic,
        },
        language: row.opt_text("language")?,
        zone: row.opt_text("zone")?,
        devices: own,
        created_at: row.timestamp("created_at")?,
        id,
    })
}

fn device(row: &Row) -> Result<Device, Fault> {
    Ok(Device {
        device_id: row.text("id")?,
        user_id: row.text("user_id")?,
        kind: row.text("kind")?,
        name: row.text("name")?,
        area: row.opt_text("area")?,
        premium: row.int("premium")? != 0,
        registered_at: row.timestamp("registered_at")?,
        last_seen_at: row.opt_timestamp("last_seen_at")?,
    })
}

const fn status_name(status: UserStatus) -> &'static str {
    match status {
        UserStatus::Blocked => "blocked",
        UserStatus::Active | UserStatus::Unknown => "active",
    }
}

const fn plan_name(plan: UserPlan) -> &'static str {
    match plan {
        UserPlan::Basic => "basic",
        UserPlan::Premium => "premium",
    }
}
