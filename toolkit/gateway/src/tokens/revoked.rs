//! Tokens that were revoked before their time: one by its id, or all of a subject issued before a moment.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use ieum_core::Timestamp;
use ieum_store::{Dialect, Row, StoreError};
use ring::digest::{SHA256, digest};

use super::text::Claims;
use super::{TokenRefusal, Tokens};

/// A revocation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Revocation {
    /// Which tokens.
    pub what: Revoked,
    /// From when on nobody need remember it: once the tokens have ended by themselves.
    pub until: Timestamp,
    /// Why, for people.
    pub reason: String,
    /// When it was revoked.
    pub revoked_at: Timestamp,
}

/// Which tokens are revoked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Revoked {
    /// The token of this issuer with this `jti` (RFC 7519 §4.1.7).
    Token {
        /// The `iss`.
        issuer: String,
        /// The `jti`.
        id: String,
    },
    /// Every token of this issuer for this `sub` whose `iat` is before the moment, or that has none.
    Subject {
        /// The `iss`.
        issuer: String,
        /// The `sub`.
        subject: String,
        /// Tokens issued from this moment on count.
        issued_before: Timestamp,
    },
}

/// Says why tokens cannot be revoked.
#[derive(Debug, thiserror::Error)]
pub enum RevokeError {
    /// Tokens of that issuer open nothing here.
    #[error("revoking tokens of {issuer:?}: no such issuer is trusted here; there are {known}")]
    Issuer {
        /// The issuer.
        issuer: String,
        /// Those that are.
        known: String,
    },
    /// A field cannot be.
    #[error("revoking tokens: {field} {problem}")]
    Field {
        /// Which.
        field: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The store failed.
    #[error("keeping the revocation")]
    Store(#[source] StoreError),
}

/// Creates the table of revoked tokens.
pub(crate) fn create(dialect: Dialect) -> Vec<String> {
    let (key, at) = (dialect.types().key, dialect.types().timestamp);
    vec![format!("CREATE TABLE api_revoked_tokens (id {key} NOT NULL PRIMARY KEY, until {at} NOT NULL)")]
}

/// Says what each row revokes, why and since when. Rows from before have none of it.
pub(crate) fn describe(dialect: Dialect) -> Vec<String> {
    let (text, at) = (dialect.types().text, dialect.types().timestamp);
    let columns = [("issuer", text), ("token", text), ("subject", text), ("reason", text)];
    let times = [("issued_before", at), ("revoked_at", at)];
    let add = |(name, kind): (&str, &str)| format!("ALTER TABLE api_revoked_tokens ADD COLUMN {name} {kind}");
    columns.into_iter().chain(times).map(add).collect()
}

/// Names a token by issuer and `jti`, at one length whatever those are.
fn name(issuer: &str, jti: &str) -> String {
    hex::encode(digest(&SHA256, format!("{issuer}\n{jti}").as_bytes()))
}

/// Names all tokens of a subject. No `jti` can make the same name: the first line of that is an issuer, which this
/// prefix is not.
fn subject_name(issuer: &str, subject: &str) -> String {
    hex::encode(digest(&SHA256, format!("\nsubject\n{issuer}\n{subject}").as_bytes()))
}

// === Revoked ===

impl Revoked {
    fn issuer(&self) -> &str {
        match self {
            Self::Token { issuer, .. } | Self::Subject { issuer, .. } => issuer,
        }
    }

    fn name(&self) -> String {
        match self {
            Self::Token { issuer, id } => name(issuer, id),
            Self::Subject { issuer, subject, .. } => subject_name(issuer, subject),
        }
    }
}

// === Tokens ===

impl Tokens {
    /// Revokes tokens: here at once, in other processes within half a second. A second revocation of the same
    /// replaces the first. Fails where the issuer is unknown, a field is empty or the end is over, and where the store
    /// fails.
    pub async fn revoke(
        &self,
        what: Revoked,
        until: Timestamp,
        reason: &str,
    ) -> Result<Revocation, RevokeError> {
        let now = self.0.clock.now();
        self.check(&what, until, now)?;
        let kept = Revocation { what, until, reason: reason.to_owned(), revoked_at: now };
        self.keep(&kept).await.map_err(RevokeError::Store)?;
        // First the count, so that what was looked up before cannot be remembered after.
        self.0.revocations.fetch_add(1, Ordering::SeqCst);
        self.0.remembered.clear();
        Ok(kept)
    }

    fn check(&self, what: &Revoked, until: Timestamp, now: Timestamp) -> Result<(), RevokeError> {
        let issuers = || self.0.issuers.iter().map(|issuer| issuer.options.issuer.as_str());
        if !issuers().any(|issuer| issuer == what.issuer()) {
            let known = issuers().collect::<Vec<_>>().join(", ");
            return Err(RevokeError::Issuer { issuer: what.issuer().to_owned(), known });
        }
        let wrong = |field, problem| Err(RevokeError::Field { field, problem });
        match what {
            Revoked::Token { id, .. } if id.is_empty() => wrong("id", "is empty"),
            Revoked::Subject { subject, .. } if subject.is_empty() => wrong("subject", "is empty"),
            _ if until <= now => wrong("until", "is over, so nothing would be revoked"),
            _ => Ok(()),
        }
    }

    async fn keep(&self, kept: &Revocation) -> Result<(), StoreError> {
        let id = kept.what.name();
        let until = kept.until + self.longest_leeway();
        let (token, subject, before) = match &kept.what {
            Revoked::Token { id, .. } => (Some(id.clone()), None, None),
            Revoked::Subject { subject, issued_before, .. } => {
                (None, Some(subject.clone()), Some(*issued_before))
            }
        };
        let mut transaction = self.0.store.begin_write().await?;
        transaction
            .execute(
                "DELETE FROM api_revoked_tokens WHERE id = ? OR until < ?",
                &[id.clone().into(), kept.revoked_at.into()],
            )
            .await?;
        let sql = "INSERT INTO api_revoked_tokens \
            (id, until, issuer, token, subject, issued_before, reason, revoked_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
        let values = [
            id.into(),
            until.into(),
            kept.what.issuer().into(),
            token.into(),
            subject.into(),
            before.into(),
            kept.reason.as_str().into(),
            kept.revoked_at.into(),
        ];
        transaction.execute(sql, &values).await?;
        transaction.commit().await
    }

    /// Returns every revocation that counts still, the newest first; those of a version that kept no names are left
    /// out. Fails where the store fails.
    pub async fn revocations(&self) -> Result<Vec<Revocation>, StoreError> {
        let sql = "SELECT issuer, token, subject, issued_before, reason, revoked_at, until \
            FROM api_revoked_tokens WHERE until >= ? AND issuer IS NOT NULL ORDER BY revoked_at DESC, id";
        let rows = self.0.store.fetch_all(sql, &[self.0.clock.now().into()]).await?;
        rows.iter().map(|row| self.read(row)).collect()
    }

    fn read(&self, row: &Row) -> Result<Revocation, StoreError> {
        let issuer = row.text("issuer")?;
        let what = match row.opt_text("subject")? {
            Some(subject) => {
                Revoked::Subject { issuer, subject, issued_before: row.timestamp("issued_before")? }
            }
            None => Revoked::Token { issuer, id: row.text("token")? },
        };
        let until = row.timestamp("until")? - self.longest_leeway();
        Ok(Revocation { what, until, reason: row.text("reason")?, revoked_at: row.timestamp("revoked_at")? })
    }

    /// Fails where the token was revoked, or where the store fails.
    pub(super) async fn check_revoked(&self, issuer: &str, claims: &Claims) -> Result<(), TokenRefusal> {
        // A token without an id has nobody's; its subject may be revoked all the same.
        let token = claims.text("jti").map(|jti| name(issuer, jti)).unwrap_or_default();
        let subject = subject_name(issuer, claims.text("sub").unwrap_or_default());
        let sql = "SELECT id, issued_before FROM api_revoked_tokens WHERE id IN (?, ?)";
        let failed = |error| TokenRefusal::Store(Arc::new(error));
        let rows = self.0.store.fetch_all(sql, &[token.into(), subject.into()]).await.map_err(failed)?;
        let issued_at = claims.time("iat")?;
        for row in &rows {
            let before = row.opt_timestamp("issued_before").map_err(failed)?;
            if before.is_none_or(|before| issued_at.is_none_or(|issued_at| issued_at < before)) {
                return Err(TokenRefusal::Revoked);
            }
        }
        Ok(())
    }
}
