//! A fault proxy for byte streams: refuses, cuts and delays connections of any protocol.

use std::net::SocketAddr;
use std::sync::Arc;

use ieum_core::{Clock, SystemClock};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::dice::{Dice, Fate};
use super::{FaultCounts, FaultError, FaultPlan, upstream_address};

/// A running proxy. Dropping it closes its port and all its connections.
///
/// `drop` closes a connection at its start, every second time after the server's first bytes were swallowed;
/// `delay` holds back single chunks. Bytes can be neither doubled nor reordered within TCP.
pub struct TcpProxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: tokio::task::JoinHandle<()>,
}

struct Shared {
    upstream: SocketAddr,
    dice: Dice,
    link: watch::Sender<Line>,
}

/// How the line to the server is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    /// Bytes flow.
    Up,
    /// Connections are cut and new ones closed at once.
    Down,
    /// Connections stay open but nothing moves, as behind a switch that died.
    Silent,
}

impl TcpProxy {
    /// Opens a free port on 127.0.0.1 and forwards to `upstream` (`host:port` or `http://host:port`).
    ///
    /// # Errors
    /// [`FaultError`] for an address that cannot be read, a plan with `duplicate` or `reorder` or a rate
    /// outside 0 to 1, and when no port opens.
    pub async fn start(upstream: &str, plan: FaultPlan) -> Result<Self, FaultError> {
        plan.check()?;
        if plan.duplicate > 0.0 || plan.reorder > 0.0 {
            return Err(FaultError::Plan("a byte stream can neither be duplicated nor reordered".to_owned()));
        }
        let upstream = upstream_address(upstream)?;
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(FaultError::Listen)?;
        let address = listener.local_addr().map_err(FaultError::Listen)?;
        let shared = Arc::new(Shared { upstream, dice: Dice::new(plan), link: watch::Sender::new(Line::Up) });
        let accepting = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Ok(Self { address, shared, accepting })
    }

    /// Returns the address that clients shall use.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns what it has done so far.
    pub fn counts(&self) -> FaultCounts {
        self.shared.dice.counts()
    }

    /// Cuts every connection and closes new ones at once, until [`Self::restore`].
    pub fn cut(&self) {
        self.shared.link.send_replace(Line::Down);
    }

    /// Keeps every connection open and moves nothing, until [`Self::restore`]: a partition without a reset.
    pub fn silence(&self) {
        self.shared.link.send_replace(Line::Silent);
    }

    /// Lets bytes flow again.
    pub fn restore(&self) {
        self.shared.link.send_replace(Line::Up);
    }
}

impl Drop for TcpProxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    // Aborting this task drops the set, which ends every connection.
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let Ok((stream, _)) = listener.accept().await else { continue };
        connections.spawn(join(Arc::clone(&shared), stream));
    }
}

async fn join(shared: Arc<Shared>, client: TcpStream) {
    shared.dice.count(|counts| counts.arrived += 1);
    let fate = shared.dice.draw();
    if fate.drop_before || *shared.link.borrow() == Line::Down {
        shared.dice.count(|counts| counts.dropped_before += 1);
        return;
    }
    let Ok(server) = TcpStream::connect(shared.upstream).await else { return };
    let _ = client.set_nodelay(true);
    let _ = server.set_nodelay(true);
    shared.dice.count(|counts| counts.forwarded += 1);
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let mut line = shared.link.subscribe();
    let up = pump(&shared, from_client, to_server, Fate::default());
    let down = pump(&shared, from_server, to_client, fate);
    tokio::select! {
        // One side may close its half and still wait for the rest: only both ends end the connection.
        _ = async { tokio::try_join!(up, down) } => {}
        _ = line.wait_for(|line| *line == Line::Down) => {
            shared.dice.count(|counts| counts.dropped_after += 1);
        }
    }
}

/// A connection was cut on purpose or by one of its ends.
struct Cut;

async fn pump(
    shared: &Shared,
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    fate: Fate,
) -> Result<(), Cut> {
    let mut buffer = vec![0; 16 * 1024];
    let mut line = shared.link.subscribe();
    loop {
        let count = from.read(&mut buffer).await.map_err(|_| Cut)?;
        if count == 0 {
            let _ = to.shutdown().await;
            return Ok(());
        }
        if fate.drop_after {
            shared.dice.count(|counts| counts.dropped_after += 1);
            return Err(Cut);
        }
        if let Some(delay) = shared.dice.draw().delay {
            shared.dice.count(|counts| counts.delayed += 1);
            SystemClock.sleep(delay).await;
        }
        let _ = line.wait_for(|line| *line != Line::Silent).await;
        to.write_all(&buffer[..count]).await.map_err(|_| Cut)?;
    }
}
