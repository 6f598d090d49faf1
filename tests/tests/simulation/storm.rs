//! Turmoil's clock and TCP, as the HTTP wire and its server take them.

use std::net::SocketAddr;

use axum::serve::Listener;
use ieum_bus::sim::Dice;
use ieum_core::{BoxFuture, Clock, Moment, Timestamp};
use ieum_wires::connect::{Connect, Socket};

/// Turmoil's time, the same on all hosts.
pub struct StormClock;

impl Clock for StormClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(1_000_000) + turmoil::sim_elapsed().unwrap_or_default()
    }

    fn moment(&self) -> Moment {
        Moment::from_start(turmoil::sim_elapsed().unwrap_or_default())
    }

    fn sleep_until(&self, until: Moment) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            #[allow(clippy::disallowed_methods, reason = "turmoil turns tokio's timer")]
            loop {
                let left = until.since(StormClock.moment());
                if left.is_zero() {
                    return;
                }
                tokio::time::sleep(left).await;
            }
        })
    }
}

pub struct StormNetwork(pub Dice);

#[ieum_link::async_trait]
impl Connect for StormNetwork {
    async fn connect(&self, host: &str, port: u16) -> std::io::Result<Box<dyn Socket>> {
        let connected = turmoil::net::TcpStream::connect((host, port)).await;
        self.0.note("connect", &format!("{host} {}", connected.is_ok()));
        Ok(Box::new(connected?))
    }
}

pub struct StormListener(pub turmoil::net::TcpListener);

impl Listener for StormListener {
    type Io = turmoil::net::TcpStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        self.0.accept().await.expect("accepts")
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.0.local_addr()
    }
}
