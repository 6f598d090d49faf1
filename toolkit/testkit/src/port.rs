//! A port that belongs to one test while nobody listens on it.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::TcpSocket;

/// A port of this machine that the system gives to nobody else as long as this lives. Who connects to it is refused;
/// who listens on it by its number may do so, and come back after it was gone.
///
/// A port that was only looked up and let go of is the next one's who asks for any port, and tests ask all the time.
#[derive(Debug)]
pub struct KeptPort {
    address: SocketAddr,
    _socket: TcpSocket,
}

impl KeptPort {
    /// Takes a free port.
    ///
    /// # Panics
    /// Where the machine has no free port.
    pub fn take() -> Self {
        let socket = TcpSocket::new_v4().expect("a socket can be made");
        // Listeners reuse addresses as well, so that both may be bound to it. It is never listened on here.
        socket.set_reuseaddr(true).expect("the address may be shared");
        socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).expect("a port is free");
        let address = socket.local_addr().expect("it is bound");
        Self { address, _socket: socket }
    }

    /// Returns the address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the number alone.
    pub fn number(&self) -> u16 {
        self.address.port()
    }
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;

    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    #[tokio::test]
    async fn nobody_is_there_until_somebody_listens_and_after_it_left() {
        let kept = KeptPort::take();
        for _ in 0..3 {
            let refused = TcpStream::connect(kept.address()).await.expect_err("nobody listens");
            assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
            let listener = TcpListener::bind(kept.address()).await.expect("is ours");
            TcpStream::connect(kept.address()).await.expect("somebody listens");
            drop(listener);
        }
    }

    #[tokio::test]
    async fn no_other_gets_it() {
        let kept: Vec<KeptPort> = (0..50).map(|_| KeptPort::take()).collect();
        let mut others = Vec::new();
        for _ in 0..500 {
            others.push(TcpListener::bind("127.0.0.1:0").await.expect("a port is free"));
        }
        for other in others {
            let number = other.local_addr().expect("is bound").port();
            assert!(kept.iter().all(|kept| kept.number() != number), "{number} is taken");
        }
    }
}
