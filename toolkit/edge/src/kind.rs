//! What a device says, and what may be given up for it.

/// What a message is about, and by that its topic.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Kind {
    /// Something said as text.
    Text,
    /// A recording, or a part of one.
    Audio,
    /// Something a sensor noticed, or what the device controls.
    Event,
    /// How the device fares.
    Telemetry,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Text, Self::Audio, Self::Event, Self::Telemetry];

    /// Returns the last word of its topic, `device/{id}/{name}`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Audio => "audio",
            Self::Event => "event",
            Self::Telemetry => "telemetry",
        }
    }

    /// Returns the kind of this name.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Returns the place in the order in which messages make room, or `None` for what somebody said, which never does.
    pub(crate) const fn makes_room(self) -> Option<u8> {
        match self {
            Self::Telemetry => Some(0),
            Self::Event => Some(1),
            Self::Text | Self::Audio => None,
        }
    }
}
