//! Who speaks: the device's owner or the person named, with a stand-in while the directory cannot be reached.

use std::sync::Arc;
use std::time::Duration;

use ieum_cache::Cache;
use ieum_contracts::identity::{
    Device, DeviceId, Devices, ListDevices, User, UserId, UserPlan, UserStatus, Users,
};
use ieum_contracts::voice::DialogTurn;
use ieum_core::{Code, Cx, Fault, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use crate::rules::LONGEST_NAME;

/// How long a person stands in for the directory's answer.
const KEEP: Duration = Duration::from_secs(3_600);

/// Asks who people are and whose devices are.
#[derive(Clone)]
pub struct Directory {
    /// The directory; `None` where none is set, so that everybody is unknown and welcome.
    pub users: Option<Arc<dyn Users>>,
    /// Its devices.
    pub devices: Option<Arc<dyn Devices>>,
    /// Keeps people for the time in which the directory cannot be reached.
    pub cache: Arc<dyn Cache>,
}

/// Who speaks.
#[derive(Clone, Debug, PartialEq)]
pub struct Speaker {
    /// The person; one with the status `UNKNOWN` where nobody could say.
    pub user: User,
    /// The device, where one listens and it is somebody's.
    pub device: Option<Device>,
}

/// What the directory says of a turn.
#[derive(Clone, Debug, PartialEq)]
pub enum Who {
    /// May speak.
    Welcome(Box<Speaker>),
    /// May not.
    Blocked(Box<Speaker>),
    /// Is not known.
    NotFound(String),
}

impl Directory {
    /// Finds out who speaks. A directory that fails is no reason not to answer.
    pub async fn who(&self, cx: &Cx, turn: &DialogTurn) -> Who {
        let device = match &turn.device_id {
            Some(id) => self.device(cx, id).await,
            None => None,
        };
        let id = match (&turn.user_id, &device, &turn.device_id) {
            (Some(user), ..) => user.clone(),
            (None, Some(device), _) => device.user_id.clone(),
            // Nobody's device: it has proved itself, and speaks for itself.
            (None, None, Some(device)) => {
                let user = stand_in(&nobodys(device));
                return Who::Welcome(Box::new(Speaker { user, device: None }));
            }
            (None, None, None) => return Who::NotFound(String::new()),
        };
        self.welcome(cx, &id, device).await
    }

    /// Finds out who spoke, where that is known by now: the person of a turn, to whomever the device belongs since.
    pub async fn who_spoke(&self, cx: &Cx, user: &str, device: Option<&str>) -> Who {
        if device.is_some_and(|device| nobodys(device) == user) {
            return Who::Welcome(Box::new(Speaker { user: stand_in(user), device: None }));
        }
        let device = match device {
            Some(id) => self.device(cx, id).await.filter(|device| device.user_id == user),
            None => None,
        };
        self.welcome(cx, user, device).await
    }

    async fn welcome(&self, cx: &Cx, id: &str, device: Option<Device>) -> Who {
        match self.user(cx, id).await {
            Ok(user) if user.status == UserStatus::Blocked => {
                Who::Blocked(Box::new(Speaker { user, device }))
            }
            Ok(user) => Who::Welcome(Box::new(Speaker { user, device })),
            Err(id) => Who::NotFound(id),
        }
    }

    /// Returns who speaks where a device does: its owner, or itself where it is nobody's.
    pub async fn owner(&self, cx: &Cx, device: &str) -> String {
        self.device(cx, device).await.map_or_else(|| nobodys(device), |device| device.user_id)
    }

    /// Returns whose a device is now: its person's, or its own where it is nobody's. Fails as the directory does.
    pub async fn owner_now(&self, cx: &Cx, device: &str) -> Result<String, Fault> {
        // What stands in for the directory's answer may be from before.
        self.let_go(format!("device:{device}"));
        let Some(devices) = &self.devices else { return Ok(nobodys(device)) };
        match devices.get(cx, DeviceId { device_id: device.to_owned() }).await {
            Ok(found) => Ok(found.user_id),
            Err(fault) if fault.code == Code::NotFound => Ok(nobodys(device)),
            Err(fault) => Err(fault),
        }
    }

    /// Lets go of what stands in for a person.
    pub fn forget(&self, user: &str) {
        self.let_go(format!("user:{user}"));
    }

    /// Deletes a key of the cache, and is not waited for: whoever asks may hold a transaction open in whose store the cache
    /// lives, which then would wait for itself.
    fn let_go(&self, key: String) {
        let cache = Arc::clone(&self.cache);
        tokio::spawn(async move {
            // It lives for an hour at most.
            let _ = cache.delete(&key).await;
        });
    }

    /// Returns a person's devices, none where no directory is set. Fails as the directory does: nobody can say then.
    pub async fn devices_of(&self, cx: &Cx, user: &str) -> Result<Vec<Device>, Fault> {
        let Some(devices) = &self.devices else { return Ok(Vec::new()) };
        let ask = ListDevices { user_id: Some(user.to_owned()), limit: Some(200), ..ListDevices::default() };
        let found = devices.list(cx, ask).await;
        found
            .map(|list| list.devices)
            .inspect_err(|fault| complain(fault, "asking for a person's devices failed"))
    }

    async fn device(&self, cx: &Cx, id: &str) -> Option<Device> {
        let found = self.devices.as_ref()?.get(cx, DeviceId { device_id: id.to_owned() }).await;
        let key = format!("device:{id}");
        match found {
            Ok(device) => {
                self.keep(&key, &device).await;
                Some(device)
            }
            Err(fault) if fault.code == Code::NotFound => None,
            Err(fault) => {
                complain(&fault, "asking for a device failed; going on with what was known");
                self.kept(&key).await
            }
        }
    }

    async fn keep(&self, key: &str, value: &impl Serialize) {
        if let Ok(bytes) = serde_json::to_vec(value) {
            // Without it the directory is only missed sooner.
            let _ = self.cache.set(key, bytes.into(), KEEP).await;
        }
    }

    async fn kept<T: DeserializeOwned>(&self, key: &str) -> Option<T> {
        let kept = self.cache.get(key).await.unwrap_or_default();
        kept.and_then(|bytes| serde_json::from_slice(&bytes).ok())
    }

    /// Returns the person; the id itself where there is none.
    async fn user(&self, cx: &Cx, id: &str) -> Result<User, String> {
        let Some(users) = &self.users else { return Ok(stand_in(id)) };
        match users.get(cx, UserId { user_id: id.to_owned() }).await {
            Ok(user) => {
                self.keep(&format!("user:{id}"), &user).await;
                Ok(user)
            }
            Err(fault) if fault.code == Code::NotFound => Err(id.to_owned()),
            Err(fault) => {
                complain(&fault, "asking for a person failed; going on with what was known");
                Ok(self.kept(&format!("user:{id}")).await.unwrap_or_else(|| stand_in(id)))
            }
        }
    }
}

fn complain(fault: &Fault, what: &'static str) {
    tracing::warn!(error = %fault, "{what}");
}

/// Returns who a device is that is nobody's: itself, by its digest where the name would be too long for a person.
fn nobodys(device: &str) -> String {
    let whole = format!("device:{device}");
    if whole.chars().count() <= LONGEST_NAME {
        return whole;
    }
    format!("device:{}", hex::encode(Sha256::digest(device)))
}

/// Who stands in where the directory cannot say.
fn stand_in(id: &str) -> User {
    User {
        id: id.to_owned(),
        name: "Unknown User".to_owned(),
        status: UserStatus::Unknown,
        plan: UserPlan::Basic,
        language: None,
        zone: None,
        devices: Vec::new(),
        created_at: Timestamp::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_of_nobodys_is_a_person_of_its_own_however_long_its_name() {
        assert_eq!(nobodys("hall"), "device:hall");
        let long = "x".repeat(LONGEST_NAME);
        assert!(nobodys(&long).len() <= LONGEST_NAME);
        assert_ne!(nobodys(&long), nobodys(&format!("{}y", &long[1..])));
    }
}
