//! Who is let in: what a CONNECT must prove before it gets a session.

use std::sync::Arc;

use ieum_core::new_id;

use crate::credentials::Credentials;
use crate::packet::{Connect, Reason, Version};
use crate::rules::Principal;

/// Whom a broker lets in.
#[derive(Clone, Default)]
pub struct Admission {
    /// Where the devices' credentials are.
    pub credentials: Option<Credentials>,
    /// Whether clients without user name and password are let in.
    pub anonymous: bool,
}

/// The longest client identifier in bytes: together with the owner's name it must fit into a key.
const LONGEST_CLIENT: usize = 120;

/// A client that may have a session.
#[derive(Debug)]
pub(crate) struct Admitted {
    pub principal: Principal,
    /// The id of the credential that proved it.
    pub credential: Option<Arc<str>>,
    pub client: Arc<str>,
    /// The identifier was made here.
    pub assigned: bool,
}

impl Admission {
    /// Decides about a CONNECT.
    pub(crate) async fn admit(&self, connect: &Connect) -> Result<Admitted, Reason> {
        let named = !connect.client.is_empty();
        // MQTT 3.1.1 §3.1.3.1: without an identifier there is nothing to come back to.
        if !named && connect.version == Version::V4 && !connect.clean_start {
            return Err(Reason::ClientIdentifierInvalid);
        }
        if connect.client.len() > LONGEST_CLIENT || connect.client.chars().any(char::is_control) {
            return Err(Reason::ClientIdentifierInvalid);
        }
        let (principal, credential) = self.principal(connect).await?;
        let client = if named { connect.client.as_str().into() } else { new_id().to_string().into() };
        Ok(Admitted { principal, credential, client, assigned: !named })
    }

    /// Returns who it is, and which credential proves it.
    async fn principal(&self, connect: &Connect) -> Result<(Principal, Option<Arc<str>>), Reason> {
        let (Some(device), Some(secret)) = (&connect.user, &connect.password) else {
            let nothing = connect.user.is_none() && connect.password.is_none();
            let refused = if nothing { Reason::NotAuthorized } else { Reason::BadCredentials };
            return if nothing && self.anonymous { Ok((Principal::Anonymous, None)) } else { Err(refused) };
        };
        let Some(credentials) = &self.credentials else { return Err(Reason::BadCredentials) };
        match credentials.proof(device, secret).await {
            Ok(Some(id)) => Ok((Principal::Device(device.as_str().into()), Some(id.into()))),
            Ok(None) => Err(Reason::BadCredentials),
            Err(error) => {
                tracing::warn!(error = %ieum_core::describe(&error), "checking a device's credentials failed");
                Err(Reason::ServerUnavailable)
            }
        }
    }
}
