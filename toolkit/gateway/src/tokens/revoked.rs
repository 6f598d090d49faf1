//! Tokens that were revoked before their time, kept until that time.

use std::sync::Arc;

use ieum_core::Timestamp;
use ieum_store::{Dialect, StoreError};
use ring::digest::{SHA256, digest};

use super::{TokenRefusal, Tokens};

/// Creates the table of revoked tokens.
pub(crate) fn create(dialect: Dialect) -> Vec<String> {
    let (key, at) = (dialect.types().key, dialect.types().timestamp);
    vec![format!("CREATE TABLE api_revoked_tokens (id {key} NOT NULL PRIMARY KEY, until {at} NOT NULL)")]
}

/// Names a token by issuer and `jti`, at one length whatever those are.
fn name(issuer: &str, jti: &str) -> String {
    hex::encode(digest(&SHA256, format!("{issuer}\n{jti}").as_bytes()))
}

impl Tokens {
    /// Revokes the token `jti` of `issuer`, which ends by itself at `until` (its `exp`): here at once, in
    /// other processes within half a second. Fails where the store fails.
    pub async fn revoke(&self, issuer: &str, jti: &str, until: Timestamp) -> Result<(), StoreError> {
        let (id, until) = (name(issuer, jti), until + self.longest_leeway());
        let mut transaction = self.0.store.begin_write().await?;
        let over = self.0.clock.now();
        transaction
            .execute(
                "DELETE FROM api_revoked_tokens WHERE id = ? OR until < ?",
                &[id.clone().into(), over.into()],
            )
            .await?;
        transaction
            .execute("INSERT INTO api_revoked_tokens (id, until) VALUES (?, ?)", &[id.into(), until.into()])
            .await?;
        transaction.commit().await?;
        self.0.remembered.clear();
        Ok(())
    }

    /// Fails where the token was revoked, or where the store fails.
    pub(super) async fn check_revoked(&self, issuer: &str, jti: Option<&str>) -> Result<(), TokenRefusal> {
        let Some(jti) = jti else { return Ok(()) };
        let sql = "SELECT id FROM api_revoked_tokens WHERE id = ?";
        let found = self.0.store.fetch_all(sql, &[name(issuer, jti).into()]).await;
        match found.map_err(|error| TokenRefusal::Store(Arc::new(error)))?.is_empty() {
            true => Ok(()),
            false => Err(TokenRefusal::Revoked),
        }
    }
}
