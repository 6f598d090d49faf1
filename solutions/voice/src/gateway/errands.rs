//! What the sender has others find out before a lane can go on: a person's devices, words spoken.

use std::collections::HashMap;
use std::sync::Arc;

use ieum_core::Cx;
use tokio::task::{Id, JoinSet};

use crate::dialogue::DialogManager;
use crate::replies::Words;
use crate::speech::Audio;

/// Errands under way, by their lanes.
#[derive(Default)]
pub struct Errands {
    tasks: JoinSet<Option<Found>>,
    lanes: HashMap<Id, String>,
}

/// What was found out.
pub enum Found {
    /// A person's devices.
    Devices(Vec<String>),
    /// The words of the row at this position, spoken; nothing where the engine fails.
    Spoken(i64, Option<Audio>),
}

impl Errands {
    /// Asks for a person's devices; nothing is found where nobody can say, which is not the same as none.
    pub fn devices(&mut self, manager: &Arc<DialogManager>, lane: &str, user: &str) {
        let (manager, user) = (manager.clone(), user.to_owned());
        let task = self.tasks.spawn(async move {
            let devices = manager.directory.devices_of(&Cx::root(), &user).await.ok()?;
            Some(Found::Devices(devices.into_iter().map(|device| device.device_id).collect()))
        });
        self.lanes.insert(task.id(), lane.to_owned());
    }

    /// Has the words of a row spoken.
    pub fn speak(&mut self, manager: &Arc<DialogManager>, lane: &str, position: i64, words: Words) {
        let manager = manager.clone();
        let task =
            self.tasks.spawn(async move { Some(Found::Spoken(position, manager.aloud(&words).await)) });
        self.lanes.insert(task.id(), lane.to_owned());
    }

    /// Waits for one to come back, with its lane; nothing was found where nobody can say or it ended by a panic. `None`
    /// where none is under way.
    pub async fn next(&mut self) -> Option<(String, Option<Found>)> {
        let (id, found) = match self.tasks.join_next_with_id().await? {
            Ok((id, found)) => (id, found),
            Err(error) => {
                tracing::error!(error = %error, "finding out before something is sent ended by a panic");
                (error.id(), None)
            }
        };
        Some((self.lanes.remove(&id).unwrap_or_default(), found))
    }
}
