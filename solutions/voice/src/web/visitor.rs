//! Who asks, whatever the door: somebody who speaks for anybody, or a device, which speaks for itself alone.
//!
//! | who comes | is | may name |
//! |---|---|---|
//! | without anything, where the door lets that in (this machine) | the operator | anybody |
//! | with a key or token of the scope `voice:use` | a service, such as an app's backend | anybody |
//! | with a device's id and secret | that device | itself, its owner, its own sessions |

use axum::extract::FromRequestParts;
use http::Extensions;
use http::request::Parts;
use ieum_contracts::voice::DialogTurn;
use ieum_core::{Cx, Fault};
use ieum_gateway::{ApiError, Partner, SignedIn};

use crate::directory::Directory;
use crate::rules;

/// What a key needs.
const SCOPE: &str = "voice:use";

/// Who asks.
#[derive(Clone, Debug)]
pub enum Visitor {
    /// Somebody who may speak for anybody.
    Anyone,
    /// A device.
    Device(SignedIn),
}

impl Visitor {
    /// Reads who it is from what the door found out. Fails where a key lacks the scope.
    pub fn of(found: &Extensions) -> Result<Self, Fault> {
        if let Some(device) = found.get::<SignedIn>() {
            return Ok(Self::Device(device.clone()));
        }
        found.get::<Partner>().map_or(Ok(()), |partner| partner.require(SCOPE))?;
        Ok(Self::Anyone)
    }

    /// Returns the device that asks.
    pub fn device(&self) -> Option<&str> {
        match self {
            Self::Anyone => None,
            Self::Device(device) => Some(device.name()),
        }
    }

    /// Returns the turn as who asks may say it: a device says it by itself. Fails with `voice.foreign`, naming the
    /// field.
    pub async fn pin(&self, cx: &Cx, directory: &Directory, turn: DialogTurn) -> Result<DialogTurn, Fault> {
        let Some(device) = self.device() else { return Ok(turn) };
        let names_somebody = turn.user_id.is_some() || turn.session_id.is_some();
        let owner = if names_somebody { Some(directory.owner(cx, device).await) } else { None };
        rules::said_by(device, owner.as_deref(), turn)
    }

    /// Fails where a device has lost its secret since it came.
    pub async fn check(&self) -> Result<(), Fault> {
        match self {
            Self::Anyone => Ok(()),
            Self::Device(device) => device.check().await,
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Visitor {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        Ok(Self::of(&parts.extensions)?)
    }
}
