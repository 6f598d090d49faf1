//! What a policy must know of the requests and replies that pass through it.

use ieum_core::Cx;

use crate::{Guarded, Origin};

/// A request that policies may guard.
pub trait PolicyRequest: Send + 'static {
    /// Returns the request's context.
    fn cx(&self) -> &Cx;

    /// Puts `cx` in place of the request's context.
    fn with_cx(&mut self, cx: Cx);

    /// Tells whether sending this twice has the effect of sending it once: a query, or a command that
    /// carries an idempotency key.
    fn is_repeatable(&self) -> bool;

    /// Returns a copy, or `None` where the body can be sent only once.
    fn try_clone(&self) -> Option<Self>
    where
        Self: Sized;

    /// Returns the operation's name, such as `voice.context/get`.
    fn operation(&self) -> &str;

    /// Returns a hash of what is asked, or `None` where the reply may not be remembered.
    ///
    /// Only a query has one. The hash should be keyed per process ([`std::hash::RandomState`]), so that a
    /// stranger cannot make two questions collide. Operation, tenant and caller need not be part of it.
    fn fingerprint(&self) -> Option<u64> {
        None
    }

    /// Tells whether this only asks and changes nothing. Only then may something else stand in.
    fn is_query(&self) -> bool {
        self.fingerprint().is_some()
    }
}

/// A reply that says where it came from.
pub trait PolicyReply: Send + 'static {
    /// Returns where the reply came from.
    fn origin(&self) -> &Origin;

    /// Marks where the reply came from.
    fn set_origin(&mut self, origin: Origin);

    /// Returns a copy, or `None` where the reply can be read only once.
    fn try_clone(&self) -> Option<Self>
    where
        Self: Sized;

    /// Makes a reply from a value in the settings (`fallback = { value = … }`), or `None` where replies
    /// cannot be made from JSON.
    fn from_value(value: &serde_json::Value) -> Option<Self>
    where
        Self: Sized,
    {
        let _ = value;
        None
    }
}

impl<T: Clone + Send + 'static> PolicyReply for Guarded<T> {
    fn origin(&self) -> &Origin {
        &self.origin
    }

    fn set_origin(&mut self, origin: Origin) {
        self.origin = origin;
    }

    fn try_clone(&self) -> Option<Self> {
        Some(self.clone())
    }
}
