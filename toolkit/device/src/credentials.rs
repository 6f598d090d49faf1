//! Device credentials: a secret per device, kept as a hash, rotated with an overlap, revoked at once.

use std::collections::HashSet;
use std::time::Duration;

use base64::Engine;
use ieum_core::{Secret, SharedClock, Timestamp, new_id};
use ieum_store::{Row, Store, StoreError, Transaction, Value};
use ring::rand::{SecureRandom, SystemRandom};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// The credentials of all devices.
#[derive(Clone)]
pub struct Credentials {
    store: Store,
    clock: SharedClock,
}

/// A credential just made. Its secret is shown once.
pub struct Issued {
    /// Tells credentials of one device apart.
    pub id: String,
    /// The password that the device connects with; its user name is the device's id.
    pub secret: Secret,
}

/// A credential as it is listed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Credential {
    /// Tells credentials of one device apart.
    pub id: String,
    /// The device.
    pub device: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends, where it does.
    pub expires_at: Option<Timestamp>,
}

/// Why a credential cannot be made, read or removed.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// The name fits into no topic.
    #[error("naming a device {name:?}: use 1 to 60 letters, digits, '-', '_', '.' or ':'")]
    Name {
        /// The name.
        name: String,
    },
    /// The device has a secret already: a second one that nobody ends would let a lost one in for ever.
    #[error("adding the device {device:?}: it has had a secret since {since}; rotate it, or revoke it first")]
    Known {
        /// The device.
        device: String,
        /// When the secret was made that is valid.
        since: Timestamp,
    },
    /// The system gives no random numbers.
    #[error("making a secret for the device {0:?}: the system gives no random numbers")]
    Random(String),
    /// The store does not do as it is asked.
    #[error("{0} the credentials of the device {1:?}")]
    Store(&'static str, String, #[source] StoreError),
}

/// Bytes of a secret: nobody can search the hashes of as many, so that a plain one will do.
const SECRET_BYTES: usize = 32;

const SELECT: &str = "SELECT id, device, created_at, expires_at FROM ieum_device_credential";
/// The same of one device, the oldest first.
const OF_ONE: &str = "SELECT id, device, created_at, expires_at FROM ieum_device_credential WHERE device = ? \
                      ORDER BY created_at, id";

impl Credentials {
    /// Keeps credentials in `store`, which has the tables of [`migrations`](crate::migrations).
    pub fn new(store: Store, clock: SharedClock) -> Self {
        Self { store, clock }
    }

    /// Makes the credential of a device that has none which is valid.
    ///
    /// # Errors
    /// [`CredentialError::Known`] where it has one; see [`Credentials::issue`].
    pub async fn add(&self, device: &str) -> Result<Issued, CredentialError> {
        let mut transaction = self.alone(device).await?;
        let now = self.clock.now();
        let all = listed(&mut transaction, device).await?;
        if let Some(valid) = all.into_iter().find(|one| one.expires_at.is_none_or(|until| until > now)) {
            return Err(CredentialError::Known { device: device.to_owned(), since: valid.created_at });
        }
        let issued = self.issue_in(&mut transaction, device).await?;
        transaction.commit().await.map_err(failed("storing", device))?;
        Ok(issued)
    }

    /// Makes a credential beside those that the device has.
    ///
    /// # Errors
    /// A name that no topic can hold; see [`CredentialError`].
    pub async fn issue(&self, device: &str) -> Result<Issued, CredentialError> {
        let mut transaction = self.alone(device).await?;
        let issued = self.issue_in(&mut transaction, device).await?;
        transaction.commit().await.map_err(failed("storing", device))?;
        Ok(issued)
    }

    /// Makes a new credential and ends those that the device has `overlap` from now: both or nothing. Also returns until
    /// when one of those is valid, where one still is.
    ///
    /// # Errors
    /// See [`Credentials::issue`].
    pub async fn rotate(
        &self,
        device: &str,
        overlap: Duration,
    ) -> Result<(Issued, Option<Timestamp>), CredentialError> {
        let mut transaction = self.alone(device).await?;
        let before = listed(&mut transaction, device).await?;
        let issued = self.issue_in(&mut transaction, device).await?;
        let now = self.clock.now();
        let end = now + overlap;
        for credential in before.iter().filter(|old| old.expires_at.is_none_or(|at| at > end)) {
            let sql = "UPDATE ieum_device_credential SET expires_at = ? WHERE id = ?";
            let values = [end.into(), credential.id.as_str().into()];
            transaction.execute(sql, &values).await.map_err(failed("ending", device))?;
        }
        transaction.commit().await.map_err(failed("storing", device))?;
        let ends = before.iter().map(|old| old.expires_at.map_or(end, |at| at.min(end)));
        Ok((issued, ends.filter(|at| *at > now).max()))
    }

    /// Begins what looks at the device's credentials and changes them then: one after the other, whoever does so, so that
    /// of two who add a device at once one is told of the other.
    async fn alone(&self, device: &str) -> Result<Transaction, CredentialError> {
        check_name(device)?;
        let mut transaction = self.store.begin_write().await.map_err(failed("storing", device))?;
        // The one row that is always there; on SQLite the transaction is alone already.
        let sql = "UPDATE ieum_device_owner SET epoch = epoch WHERE id = 1";
        transaction.execute(sql, &[]).await.map_err(failed("storing", device))?;
        Ok(transaction)
    }

    async fn issue_in(&self, transaction: &mut Transaction, device: &str) -> Result<Issued, CredentialError> {
        let mut bytes = [0; SECRET_BYTES];
        SystemRandom::new().fill(&mut bytes).map_err(|_| CredentialError::Random(device.to_owned()))?;
        let secret = Secret::new(base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes));
        let id = new_id().to_string();
        let sql = "INSERT INTO ieum_device_credential (id, device, secret_hash, created_at, expires_at) \
                   VALUES (?, ?, ?, ?, ?)";
        let hash = hex::encode(hash(secret.expose()));
        let values = [id.as_str().into(), device.into(), hash.into(), self.clock.now().into(), Value::Null];
        transaction.execute(sql, &values).await.map_err(failed("storing", device))?;
        Ok(Issued { id, secret })
    }

    /// Removes all credentials of the device and returns how many there were.
    ///
    /// # Errors
    /// See [`CredentialError`].
    pub async fn revoke(&self, device: &str) -> Result<u64, CredentialError> {
        let sql = "DELETE FROM ieum_device_credential WHERE device = ?";
        self.store.execute(sql, &[device.into()]).await.map_err(failed("removing", device))
    }

    /// Removes those credentials of the device that were made until `until`, together with what else `transaction`
    /// writes. Connections that are open end within seconds.
    ///
    /// # Errors
    /// See [`CredentialError`].
    pub async fn revoke_in(
        transaction: &mut Transaction,
        device: &str,
        until: Timestamp,
    ) -> Result<u64, CredentialError> {
        let sql = "DELETE FROM ieum_device_credential WHERE device = ? AND created_at <= ?";
        transaction.execute(sql, &[device.into(), until.into()]).await.map_err(failed("removing", device))
    }

    /// Returns the credentials of one device, or of all, the oldest first.
    ///
    /// # Errors
    /// See [`CredentialError`].
    pub async fn list(&self, device: Option<&str>) -> Result<Vec<Credential>, CredentialError> {
        let rows = match device {
            Some(device) => self.store.fetch_all(OF_ONE, &[device.into()]).await,
            None => self.store.fetch_all(&format!("{SELECT} ORDER BY device, created_at, id"), &[]).await,
        };
        rows.and_then(|rows| read(&rows)).map_err(failed("listing", device.unwrap_or_default()))
    }

    /// Returns the ids of the credentials that are valid now.
    ///
    /// # Errors
    /// See [`CredentialError`].
    pub(crate) async fn valid(&self) -> Result<HashSet<String>, CredentialError> {
        let sql = "SELECT id FROM ieum_device_credential WHERE expires_at IS NULL OR expires_at > ?";
        let rows = self.store.fetch_all(sql, &[self.clock.now().into()]).await;
        let rows = rows.map_err(failed("listing", ""))?;
        rows.iter().map(|row| row.text("id")).collect::<Result<_, _>>().map_err(failed("listing", ""))
    }

    /// Tells whether `secret` is the device's now. The time it takes does not tell how much of it is right.
    ///
    /// # Errors
    /// A store that cannot be asked.
    pub async fn verify(&self, device: &str, secret: &Secret) -> Result<bool, CredentialError> {
        Ok(self.proof(device, secret).await?.is_some())
    }

    /// Returns the id of the device's credential whose secret this is now. See [`Credentials::verify`].
    pub(crate) async fn proof(
        &self,
        device: &str,
        secret: &Secret,
    ) -> Result<Option<String>, CredentialError> {
        // What cannot be a device's id is not looked up.
        if !is_device_id(device) {
            return Ok(None);
        }
        let sql = "SELECT id, secret_hash, expires_at FROM ieum_device_credential WHERE device = ?";
        let rows = self.store.fetch_all(sql, &[device.into()]).await.map_err(failed("reading", device))?;
        let given = hash(secret.expose());
        let now = self.clock.now();
        let mut proof = None;
        for row in &rows {
            let stored = row.text("secret_hash").map_err(failed("reading", device))?;
            let expires_at = row.opt_timestamp("expires_at").map_err(failed("reading", device))?;
            let stored = hex::decode(stored).unwrap_or_default();
            // Every one is compared, each in constant time.
            let equal = bool::from(stored.ct_eq(&given[..]));
            if equal && expires_at.is_none_or(|at| at > now) {
                proof = Some(row.text("id").map_err(failed("reading", device))?);
            }
        }
        Ok(proof)
    }
}

async fn listed(transaction: &mut Transaction, device: &str) -> Result<Vec<Credential>, CredentialError> {
    let rows = transaction.fetch_all(OF_ONE, &[device.into()]).await;
    rows.and_then(|rows| read(&rows)).map_err(failed("listing", device))
}

fn read(rows: &[Row]) -> Result<Vec<Credential>, StoreError> {
    let read = |row: &Row| {
        Ok(Credential {
            id: row.text("id")?,
            device: row.text("device")?,
            created_at: row.timestamp("created_at")?,
            expires_at: row.opt_timestamp("expires_at")?,
        })
    };
    rows.iter().map(read).collect()
}

fn hash(secret: &str) -> [u8; 32] {
    Sha256::digest(secret).into()
}

fn failed(action: &'static str, device: &str) -> impl Fn(StoreError) -> CredentialError {
    let device = device.to_owned();
    move |error| CredentialError::Store(action, device.clone(), error)
}

/// Tells whether a device can have this id: 1 to 60 letters, digits, `-`, `_`, `.` and `:`, so that it is one level of a
/// topic and short enough for a key.
pub fn is_device_id(id: &str) -> bool {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || "-_.:".contains(letter);
    (1..=60).contains(&id.len()) && id.chars().all(fits)
}

fn check_name(name: &str) -> Result<(), CredentialError> {
    match is_device_id(name) {
        true => Ok(()),
        false => Err(CredentialError::Name { name: name.chars().take(80).collect() }),
    }
}
