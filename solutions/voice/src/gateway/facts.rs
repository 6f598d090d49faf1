//! What devices notice and measure: told on the bus with all they say of it, and the latest measurement kept.

use ieum_bus::Event;
use ieum_contracts::identity::{DeviceSeen, UserStatus};
use ieum_contracts::voice::{
    DEVICE_EVENTS, DEVICE_MEASURED, DEVICE_NOTICED, DIALOG_EVENTS, DeviceMeasurement, DeviceNotice,
    DialogTurn,
};
use ieum_core::{Cx, Fault};
use serde_json::{Map, Value};

use super::Desk;
use super::desk::user_of;
use super::message::{Envelope, EventMessage};
use crate::directory::Who;
use crate::measured::keep_measurement;
use crate::rules::turn_key;

/// What every message has, beside what it measured.
const ENVELOPE: [&str; 3] = ["messageId", "timestamp", "deviceId"];

impl Desk {
    /// Tells what a device noticed.
    pub(super) async fn notice(
        &self,
        device: &str,
        id: &str,
        envelope: &Envelope,
        event: EventMessage,
    ) -> Result<(), Fault> {
        let now = self.clock().now();
        let who = self.who(device).await;
        let notice = DeviceNotice {
            device_id: device.to_owned(),
            // Told along: whoever handles this in a transaction asks nobody.
            zone: self.zone_of(&who),
            user_id: user_of(who),
            event_type: event.event_type.chars().take(120).collect(),
            location: event.data["location"].as_str().map(|place| place.chars().take(120).collect()),
            data: event.data,
            at: envelope.at(now),
        };
        let told = Event::new(&Cx::root(), "/voice", DEVICE_NOTICED, notice.user_id.as_str(), &notice)?;
        let told = told.with_id(key(device, id)).with_subject(device).at(now);
        Ok(self.manager.bus.publish(DIALOG_EVENTS, told).await?)
    }

    /// Tells what a device measured, keeps it as the latest, and notes that the device was heard of.
    pub(super) async fn measured(
        &self,
        device: &str,
        id: &str,
        envelope: &Envelope,
        mut data: Map<String, Value>,
    ) -> Result<(), Fault> {
        self.seen(device).await;
        data.retain(|name, _| !ENVELOPE.contains(&name.as_str()));
        let now = self.clock().now();
        let measured = DeviceMeasurement {
            device_id: device.to_owned(),
            data: Value::Object(data),
            at: envelope.at(now),
        };
        let told = Event::new(&Cx::root(), "/voice", DEVICE_MEASURED, device, &measured)?;
        let told = told.with_id(key(device, id)).with_subject(device).at(now);
        let mut tx = self.manager.store.sql.begin_write().await?;
        keep_measurement(&mut tx, &measured).await?;
        self.manager.bus.outbox(&mut tx, DEVICE_EVENTS, &told).await?;
        Ok(tx.commit().await?)
    }

    /// Returns the zone of a person: the server's for one who says none, and none for one of whom nobody knows.
    fn zone_of(&self, who: &Who) -> Option<String> {
        match who {
            Who::Welcome(speaker) | Who::Blocked(speaker) if speaker.user.status != UserStatus::Unknown => {
                Some(speaker.user.zone.clone().unwrap_or_else(|| self.manager.zone.clone()))
            }
            _ => None,
        }
    }

    async fn seen(&self, device: &str) {
        let Some(devices) = &self.manager.directory.devices else { return };
        let seen = DeviceSeen { device_id: device.to_owned(), at: self.clock().now() };
        if let Err(fault) = devices.seen(&Cx::root(), seen).await {
            tracing::debug!(error = %fault, device, "noting that a device was heard of failed");
        }
    }
}

/// Returns under which id a message is told once.
fn key(device: &str, id: &str) -> String {
    let turn = DialogTurn { device_id: Some(device.to_owned()), ..DialogTurn::default() };
    turn_key(&turn, id)
}
