//! The contexts of a device's Dialogflow sessions, kept apart from those of others who name their sessions alike.

use std::sync::Arc;

use async_trait::async_trait;
use ieum_core::Fault;
use ieum_dialogflow::{Change, ContextStore, Kept, SessionName};
use sha2::{Digest, Sha256};

use crate::web::Visitor;

/// Contexts under names that only one device has.
pub struct OwnContexts {
    /// Goes before every session's name; of one length for all, so that no two devices can mean the same.
    prefix: String,
    inner: Arc<dyn ContextStore>,
}

impl OwnContexts {
    /// Returns the contexts that `visitor` may read and change: all of them, but to a device only its own.
    pub fn of(visitor: &Visitor, inner: Arc<dyn ContextStore>) -> Arc<dyn ContextStore> {
        match visitor.device() {
            None => inner,
            Some(device) => {
                let prefix = format!("{}:", hex::encode(Sha256::digest(device)));
                Arc::new(Self { prefix, inner })
            }
        }
    }

    fn own(&self, session: &SessionName) -> SessionName {
        SessionName { session: format!("{}{}", self.prefix, session.session), ..session.clone() }
    }
}

#[async_trait]
impl ContextStore for OwnContexts {
    async fn load(&self, session: &SessionName) -> Result<Vec<Kept>, Fault> {
        self.inner.load(&self.own(session)).await
    }

    async fn change(&self, session: &SessionName, change: Change<'_>) -> Result<Vec<Kept>, Fault> {
        self.inner.change(&self.own(session), change).await
    }
}
