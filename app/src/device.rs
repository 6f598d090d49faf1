//! Devices as settings want them: the broker over the platform's store, its listener and its door for WebSocket.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use axum::Router;
use ieum_device::{
    Admission, Broker, BrokerOptions, Credentials, Limits, TopicClass, tls_from_files, web_socket_of,
};

use crate::config::DeviceSettings;
use crate::platform::Platform;

/// What devices send, as metrics tell it apart.
const CLASSES: [&str; 4] = ["audio", "event", "telemetry", "response"];

/// The part `device`.
#[derive(Default)]
pub struct DevicePart {
    broker: Arc<OnceLock<Broker>>,
    address: OnceLock<SocketAddr>,
}

/// Returns where the credentials of devices are.
pub fn credentials(platform: &Platform) -> Credentials {
    Credentials::new(platform.store.clone(), platform.clock.clone())
}

impl DevicePart {
    /// Opens the broker and listens.
    pub async fn start(&self, platform: &Platform) -> Result<(), Box<dyn Error>> {
        let settings = &platform.settings.device;
        let broker =
            Broker::open(platform.store.clone(), options(platform, settings), platform.clock.clone()).await?;
        if let Some(listen) = settings.listen {
            let tls = match &settings.tls {
                Some((certificate, key)) => Some(tls_from_files(certificate, key)?),
                None => None,
            };
            let address = broker.listen(listen, tls).await?;
            // A part starts once.
            let _ = self.address.set(address);
        }
        let _ = self.broker.set(broker);
        Ok(())
    }

    /// Returns where the broker listens.
    pub fn address(&self) -> Option<SocketAddr> {
        self.address.get().copied()
    }

    /// Returns the broker, once it is open.
    pub fn broker(&self) -> Option<Broker> {
        self.broker.get().cloned()
    }

    /// Returns the route of MQTT over WebSocket.
    pub fn router(&self) -> Router {
        web_socket_of(Arc::clone(&self.broker), "/mqtt")
    }

    /// Ends all connections and makes durable what waits for it.
    pub async fn drain(&self) {
        if let Some(broker) = self.broker.get() {
            broker.close().await;
        }
    }
}

fn options(platform: &Platform, settings: &DeviceSettings) -> BrokerOptions {
    let class = |name: &str| TopicClass { name: name.to_owned(), filter: format!("device/+/{name}") };
    BrokerOptions {
        limits: Limits {
            packet: settings.most_packet,
            queued: settings.most_queued,
            session: settings.keep_session,
            ..Limits::default()
        },
        admission: Admission { credentials: Some(credentials(platform)), anonymous: settings.anonymous },
        classes: CLASSES.map(class).into(),
        ..BrokerOptions::default()
    }
}
