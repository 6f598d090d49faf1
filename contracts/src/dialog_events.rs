//! What dialogues and devices tell on the bus.

use ieum_core::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::plugins::ScheduleKind;
use crate::voice::DialogOutcome;

/// The bus topic of what happens in dialogues; the key is the person, or `device:{id}` for a device that is nobody's.
pub const DIALOG_EVENTS: &str = "dialog-events";

/// The CloudEvents type of a turn that was answered; the data is a [`DialogCompleted`].
pub const DIALOG_COMPLETED: &str = "voice.dialog.completed.v1";

/// The CloudEvents type of a timer, alarm or reminder that rang; the data is a [`ScheduleRang`].
pub const SCHEDULE_RANG: &str = "voice.schedule.rang.v1";

/// The CloudEvents type of what a device noticed, such as motion; the data is a [`DeviceNotice`].
pub const DEVICE_NOTICED: &str = "voice.device.noticed.v1";

/// The bus topic of what devices measure; the key is the device.
pub const DEVICE_EVENTS: &str = "device-events";

/// The CloudEvents type of what a device measured, its telemetry; the data is a [`DeviceMeasurement`].
pub const DEVICE_MEASURED: &str = "voice.device.measured.v1";

/// A turn that was answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DialogCompleted {
    /// The turn.
    pub turn_id: String,
    /// Whose it was.
    pub user_id: String,
    /// The device that listened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_id: Option<String>,
    /// The conversation.
    pub session_id: String,
    /// The language.
    pub language: String,
    /// What was meant, first.
    pub intent: String,
    /// What became of it.
    pub outcome: DialogOutcome,
    /// Milliseconds from the turn to its answer.
    pub took_ms: f64,
    /// When.
    pub at: Timestamp,
}

/// A timer, alarm or reminder that rang.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ScheduleRang {
    /// Its id.
    pub schedule_id: String,
    /// What it is.
    pub kind: ScheduleKind,
    /// Whose it is.
    pub user_id: String,
    /// The device that rings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_id: Option<String>,
    /// What it is about.
    #[serde(default)]
    pub label: String,
    /// When it was to ring.
    pub at: Timestamp,
    /// Milliseconds that it rang too late, because nobody ran.
    pub late_ms: u64,
}

/// What a device noticed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeviceNotice {
    /// The device.
    pub device_id: String,
    /// Whose it is; `device:{id}` where nobody's.
    pub user_id: String,
    /// What it noticed, such as `motion_detected`.
    pub event_type: String,
    /// Where, where it said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// All that it said of it, such as `{"location": "door", "intensity": 0.8}`.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub data: Value,
    /// The IANA zone of the clocks where the person is; left out where the directory could not say who that is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// When, by the device's own clock where that is within a day of ours. When it came is the event's own time.
    pub at: Timestamp,
}

/// What a device measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeviceMeasurement {
    /// The device.
    pub device_id: String,
    /// All that it said, such as `{"temperature": 21.5}`.
    pub data: Value,
    /// When, by the device's own clock where that is within a day of ours. When it came is the event's own time.
    pub at: Timestamp,
}
