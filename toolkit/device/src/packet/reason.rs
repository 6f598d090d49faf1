//! Why a packet or a connection is refused: the reason codes of MQTT 5 (§2.4) and their like in MQTT 3.1.1.

use mqtt_protocol_core::mqtt::result_code::MqttError;

/// A reason code that tells of a refusal, or that something was done to no effect.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Reason {
    NoSubscriptionExisted = 0x11,
    Unspecified = 0x80,
    Malformed = 0x81,
    ProtocolError = 0x82,
    UnsupportedVersion = 0x84,
    ClientIdentifierInvalid = 0x85,
    BadCredentials = 0x86,
    NotAuthorized = 0x87,
    ServerUnavailable = 0x88,
    ShuttingDown = 0x8B,
    BadAuthenticationMethod = 0x8C,
    KeepAliveTimeout = 0x8D,
    SessionTakenOver = 0x8E,
    FilterInvalid = 0x8F,
    TopicInvalid = 0x90,
    UnknownPacketIdentifier = 0x92,
    ReceiveMaximumExceeded = 0x93,
    TopicAliasInvalid = 0x94,
    PacketTooLarge = 0x95,
    QuotaExceeded = 0x97,
    AdministrativeAction = 0x98,
}

impl Reason {
    /// Returns the reason code of MQTT 5.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// Returns the return code of a CONNACK of MQTT 3.1.1 (§3.2.2.3), or `None` where it has none and the
    /// connection is closed without a word.
    pub const fn return_code(self) -> Option<u8> {
        match self {
            Self::UnsupportedVersion => Some(1),
            Self::ClientIdentifierInvalid => Some(2),
            Self::ServerUnavailable | Self::QuotaExceeded | Self::ShuttingDown => Some(3),
            Self::BadCredentials => Some(4),
            Self::NotAuthorized => Some(5),
            _ => None,
        }
    }

    /// Returns the name that metrics and logs use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoSubscriptionExisted => "no_subscription_existed",
            Self::Unspecified => "unspecified",
            Self::Malformed => "malformed",
            Self::ProtocolError => "protocol_error",
            Self::UnsupportedVersion => "unsupported_version",
            Self::ClientIdentifierInvalid => "client_identifier_invalid",
            Self::BadCredentials => "bad_credentials",
            Self::NotAuthorized => "not_authorized",
            Self::ServerUnavailable => "server_unavailable",
            Self::ShuttingDown => "shutting_down",
            Self::BadAuthenticationMethod => "bad_authentication_method",
            Self::KeepAliveTimeout => "keep_alive_timeout",
            Self::SessionTakenOver => "session_taken_over",
            Self::FilterInvalid => "filter_invalid",
            Self::TopicInvalid => "topic_invalid",
            Self::UnknownPacketIdentifier => "unknown_packet_identifier",
            Self::ReceiveMaximumExceeded => "receive_maximum_exceeded",
            Self::TopicAliasInvalid => "topic_alias_invalid",
            Self::PacketTooLarge => "packet_too_large",
            Self::QuotaExceeded => "quota_exceeded",
            Self::AdministrativeAction => "administrative_action",
        }
    }
}

impl From<MqttError> for Reason {
    fn from(error: MqttError) -> Self {
        match error {
            MqttError::ProtocolError => Self::ProtocolError,
            MqttError::UnsupportedProtocolVersion => Self::UnsupportedVersion,
            MqttError::ClientIdentifierNotValid => Self::ClientIdentifierInvalid,
            MqttError::TopicFilterInvalid => Self::FilterInvalid,
            MqttError::TopicNameInvalid => Self::TopicInvalid,
            MqttError::TopicAliasInvalid => Self::TopicAliasInvalid,
            MqttError::PacketTooLarge => Self::PacketTooLarge,
            _ => Self::Malformed,
        }
    }
}
