//! Devices over MQTT: what they say comes in by `device/{id}/text`, `event`, `telemetry` and `audio`, answers go out by
//! `device/{id}/response`. A message is acknowledged once what it led to is committed.

mod desk;
pub(crate) mod envelope;
mod errands;
mod facts;
mod flows;
mod held;
mod lanes;
mod letter;
mod message;
mod reach;
mod refusals;
mod sender;
mod spoken;

use std::sync::Arc;

use ieum_device::{Broker, Client, ClientError, ClientOptions, Quality};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

pub use desk::Desk;
pub use lanes::device_of;
pub use letter::Letter;
pub use sender::Sender;

use lanes::Lanes;

/// The name of the session in which devices are heard. It outlives the process, so that nothing is missed.
const NAME: &str = "voice";
/// Messages in hand at most. Each device has one of them worked on, and none has more than half of them.
const IN_HAND: u16 = 1_000;

/// Hears devices.
pub struct Gateway {
    client: Client,
    desk: Arc<Desk>,
}

impl Gateway {
    /// Takes over the session in which devices are heard.
    ///
    /// # Errors
    /// A broker that has ended.
    pub async fn attach(broker: &Broker, desk: Arc<Desk>) -> Result<Self, ClientError> {
        let client = broker.client_of_many(NAME, &ClientOptions { kept: true, inflight: IN_HAND });
        for kind in ["text", "event", "telemetry", "audio"] {
            // What was kept of it was carried out when it was published.
            client.subscribe_from_now_on(&format!("device/+/{kind}"), Quality::AtLeastOnce).await?;
        }
        Ok(Self { client, desk })
    }

    /// Hears until `stop`, then finishes what is in hand.
    pub async fn run(mut self, stop: CancellationToken) {
        let (done, mut finished) = mpsc::unbounded_channel();
        let lanes = Lanes::new(self.desk.clone(), done, stop.clone());
        loop {
            tokio::select! {
                delivery = self.client.next() => match delivery {
                    Ok(delivery) => lanes.put(delivery),
                    Err(error) => {
                        tracing::warn!(error = %error, "devices are heard no more");
                        return;
                    }
                },
                Some(delivery) = finished.recv() => self.acknowledge(&delivery),
                () = stop.cancelled() => break,
            }
        }
        lanes.finish().await;
        while let Ok(delivery) = finished.try_recv() {
            self.acknowledge(&delivery);
        }
    }

    fn acknowledge(&self, delivery: &ieum_device::Delivery) {
        if let Err(error) = self.client.acknowledge(delivery) {
            tracing::warn!(error = %error, "a device's message could not be acknowledged; it comes again");
        }
    }
}
