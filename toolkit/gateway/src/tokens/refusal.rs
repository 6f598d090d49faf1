//! Why a token opens nothing, and what a stranger learns of it.

use std::sync::Arc;

use ieum_core::Fault;
use ieum_store::StoreError;

/// Says why a token opens nothing. Nothing of the token is repeated, and what stands behind its signature
/// (times, audience) is judged only once the signature was right.
#[derive(Clone, Debug, thiserror::Error)]
pub enum TokenRefusal {
    /// Longer than any token of ours.
    #[error("the token is longer than {most} bytes")]
    TooLong {
        /// The limit, in bytes.
        most: usize,
    },
    /// Not three parts of base64 and JSON, or a name stands twice in one of them.
    #[error("the token is not well formed")]
    Malformed,
    /// Nobody trusts who issued it.
    #[error("the token's issuer is not trusted here")]
    Issuer,
    /// Its issuer does not sign that way; `none` is always among these.
    #[error("the token's algorithm is not accepted of its issuer")]
    Algorithm,
    /// No key of the issuer fits.
    #[error("the token's key is not known")]
    Key,
    /// The signature does not fit.
    #[error("the token's signature is wrong")]
    Signature,
    /// A claim that must be there is missing or of the wrong kind.
    #[error("the token's claim {0} is missing or wrong")]
    Claim(&'static str),
    /// It has ended.
    #[error("the token has expired")]
    Expired,
    /// It does not count yet.
    #[error("the token is not valid yet")]
    Early,
    /// It was issued for somebody else.
    #[error("the token is for another audience")]
    Audience,
    /// It was revoked.
    #[error("the token was revoked")]
    Revoked,
    /// The issuer's keys cannot be had now.
    #[error("the token's issuer cannot be asked for its keys now")]
    KeysUnavailable,
    /// Nobody can tell now whether it was revoked.
    #[error("the token cannot be checked now")]
    Store(#[source] Arc<StoreError>),
}

impl TokenRefusal {
    /// Tells whether the fault is on our side, so that the caller is not to blame.
    pub(crate) fn is_ours(&self) -> bool {
        matches!(self, Self::KeysUnavailable | Self::Store(_))
    }
}

impl From<TokenRefusal> for Fault {
    fn from(refusal: TokenRefusal) -> Self {
        let message = refusal.to_string();
        let reason = match refusal {
            TokenRefusal::TooLong { .. } => "gateway.token_too_long",
            TokenRefusal::Malformed => "gateway.token_malformed",
            TokenRefusal::Issuer => "gateway.token_issuer",
            TokenRefusal::Algorithm => "gateway.token_algorithm",
            TokenRefusal::Key => "gateway.token_key",
            TokenRefusal::Signature => "gateway.token_signature",
            TokenRefusal::Claim(_) => "gateway.token_claim",
            TokenRefusal::Expired => "gateway.token_expired",
            TokenRefusal::Early => "gateway.token_early",
            TokenRefusal::Audience => "gateway.token_audience",
            TokenRefusal::Revoked => "gateway.token_revoked",
            TokenRefusal::KeysUnavailable | TokenRefusal::Store(_) => {
                return Self::unavailable("gateway.tokens_unavailable", message);
            }
        };
        Self::unauthenticated(reason, message)
    }
}
