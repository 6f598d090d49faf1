//! The HTTP wire over a simulated network: a partition that heals.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use axum::serve::Listener;
use ieum_core::{BoxFuture, Clock, Code, Cx, Moment, SharedClock, Timestamp};
use ieum_wires::connect::{Connect, Socket};
use ieum_wires::discovery::{Instance, Static};
use ieum_wires::http::{HttpWire, HttpWireConfig};
use ieum_wires::modes::router;
use ieum_wires::serve::{ServeOptions, serve};

use crate::sample::{Answerer, Desk, DeskClient, Nothing};

/// The simulation's time.
struct SimulatedClock(tokio::time::Instant);

impl Clock for SimulatedClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(1_790_000_000) + self.0.elapsed()
    }

    fn moment(&self) -> Moment {
        Moment::from_start(self.0.elapsed())
    }

    fn sleep_until(&self, until: Moment) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep_until(self.0 + until.since_start()))
    }
}

fn clock() -> SharedClock {
    Arc::new(SimulatedClock(tokio::time::Instant::now()))
}

struct SimulatedNetwork;

#[ieum_link::async_trait]
impl Connect for SimulatedNetwork {
    async fn connect(&self, host: &str, port: u16) -> std::io::Result<Box<dyn Socket>> {
        Ok(Box::new(turmoil::net::TcpStream::connect((host, port)).await?))
    }
}

struct SimulatedListener(turmoil::net::TcpListener);

impl Listener for SimulatedListener {
    type Io = turmoil::net::TcpStream;
    type Addr = std::net::SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        self.0.accept().await.expect("accepts")
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.0.local_addr()
    }
}

#[test]
fn a_partition_costs_the_limit_and_nothing_more_once_it_heals() {
    let mut sim = turmoil::Builder::new().simulation_duration(Duration::from_secs(120)).rng_seed(7).build();
    sim.host("desk", || async {
        let listener = turmoil::net::TcpListener::bind((IpAddr::V4(Ipv4Addr::UNSPECIFIED), 7100)).await?;
        let router = router(Answerer::default().routes(), clock());
        let never = std::future::pending();
        serve(SimulatedListener(listener), router, never, ServeOptions::default(), clock()).await;
        Ok(())
    });
    sim.client("caller", async {
        let instances = Arc::new(Static::new(Instance::new("http", "desk", 7100), []));
        let mut config = HttpWireConfig::new(instances);
        (config.network, config.first_byte) = (Arc::new(SimulatedNetwork), Duration::from_secs(5));
        let clock = clock();
        let desk = DeskClient::new(HttpWire::new(config, Arc::clone(&clock)).link());
        desk.look(&Cx::root(), Nothing {}).await.expect("answers");
        turmoil::partition("caller", "desk");
        let began = clock.moment();
        let fault = desk.look(&Cx::root(), Nothing {}).await.expect_err("is cut off");
        let took = clock.moment().since(began);
        assert_eq!(fault.code, Code::DeadlineExceeded, "{fault}");
        assert!((4_900..5_200).contains(&took.as_millis()), "{took:?}");
        turmoil::repair("caller", "desk");
        desk.look(&Cx::root(), Nothing {}).await.expect("answers again");
        Ok(())
    });
    sim.run().expect("every client ends well");
}
