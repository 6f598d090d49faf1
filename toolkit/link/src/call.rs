//! One send over a link and its answer, as policies see them.

use std::hash::{BuildHasher, RandomState};
use std::sync::OnceLock;

use bytes::Bytes;

use ieum_core::Cx;
use ieum_policy::{Origin, PolicyReply, PolicyRequest};

use crate::{Kind, Operation, Payload};

/// One send: which operation, in which context, with what message.
#[derive(Debug)]
pub struct Call {
    /// The operation asked for.
    pub operation: &'static Operation,
    /// The context it travels in.
    pub cx: Cx,
    /// The message.
    pub payload: Payload,
}

/// An answer and where it came from.
#[derive(Debug)]
pub struct Reply {
    /// The message.
    pub payload: Payload,
    /// Whether the answerer said this just now, or a fallback stood in.
    pub origin: Origin,
}

impl Reply {
    /// Makes an answer that came from the answerer itself.
    pub fn live(payload: Payload) -> Self {
        Self { payload, origin: Origin::Live }
    }
}

impl PolicyRequest for Call {
    fn cx(&self) -> &Cx {
        &self.cx
    }

    fn with_cx(&mut self, cx: Cx) {
        self.cx = cx;
    }

    fn is_repeatable(&self) -> bool {
        match self.operation.kind {
            Kind::Query => true,
            Kind::Command => self.cx.idempotency_key().is_some(),
            Kind::Notice | Kind::Stream => false,
        }
    }

    fn try_clone(&self) -> Option<Self> {
        Some(Self { operation: self.operation, cx: self.cx.clone(), payload: self.payload.copy() })
    }

    fn operation(&self) -> &str {
        self.operation.path
    }

    fn fingerprint(&self) -> Option<u64> {
        if self.operation.kind != Kind::Query {
            return None;
        }
        let json = self.payload.to_json().ok()?;
        // Keyed per process: a stranger cannot make two questions collide. Two tenants, or two callers with
        // different rights, never share a remembered answer.
        static KEY: OnceLock<RandomState> = OnceLock::new();
        let key = KEY.get_or_init(RandomState::new);
        Some(key.hash_one((self.operation.path, self.cx.tenant(), self.cx.caller(), json)))
    }
}

impl PolicyReply for Reply {
    fn origin(&self) -> &Origin {
        &self.origin
    }

    fn set_origin(&mut self, origin: Origin) {
        self.origin = origin;
    }

    fn try_clone(&self) -> Option<Self> {
        Some(Self { payload: self.payload.copy(), origin: self.origin })
    }

    fn from_value(value: &serde_json::Value) -> Option<Self> {
        let json = serde_json::to_vec(value).ok()?;
        Some(Self::live(Payload::json(Bytes::from(json))))
    }
}
