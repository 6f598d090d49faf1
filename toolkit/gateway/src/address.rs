//! From where a request came, for limits of those who have no key.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use axum::extract::ConnectInfo;
use http::{Extensions, HeaderMap};
use ipnet::IpNet;

/// The client's address as limits see it: an IPv4 address, or the /64 of an IPv6 one, since one client
/// has a whole /64.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ClientAddress(Option<IpAddr>);

impl ClientAddress {
    /// Finds the address out: the connection's, or behind `trusted` proxies the last address in
    /// `X-Forwarded-For` that is none of theirs. A stranger's own `X-Forwarded-For` is not believed.
    pub(crate) fn find(extensions: &Extensions, headers: &HeaderMap, trusted: &[IpNet]) -> Self {
        let peer = extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip().to_canonical());
        let is_proxy = |address: IpAddr| trusted.iter().any(|network| network.contains(&address));
        let Some(peer) = peer.filter(|peer| is_proxy(*peer)) else { return Self(peer.map(shorten)) };
        let forwarded = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
        let hops: Vec<&str> = forwarded.flat_map(|value| value.split(',')).map(str::trim).collect();
        let mut nearest = peer;
        for hop in hops.into_iter().rev() {
            let Ok(address) = hop.parse::<IpAddr>() else { break };
            nearest = address.to_canonical();
            if !is_proxy(nearest) {
                break;
            }
        }
        Self(Some(shorten(nearest)))
    }
}

impl ClientAddress {
    /// Returns the connection's own address, whole.
    pub(crate) fn peer(extensions: &Extensions) -> Option<IpAddr> {
        extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip().to_canonical())
    }
}

fn shorten(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(long) => IpAddr::V6((u128::from(long) & !u128::from(u64::MAX)).into()),
    }
}

impl fmt::Display for ClientAddress {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(address) => address.fmt(out),
            None => out.write_str("unknown"),
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn find(peer: &str, forwarded: &'static str) -> String {
        let mut extensions = Extensions::new();
        extensions.insert(ConnectInfo(SocketAddr::new(peer.parse().expect("is an address"), 1)));
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", HeaderValue::from_static(forwarded));
        let trusted = ["10.0.0.0/8".parse().expect("is a network")];
        ClientAddress::find(&extensions, &headers, &trusted).to_string()
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        assert_eq!(find("1.2.3.4", "9.9.9.9"), "1.2.3.4", "a stranger's word");
        assert_eq!(find("10.0.0.1", "6.6.6.6, 9.9.9.9, 10.0.0.2"), "9.9.9.9", "what the proxies saw");
        assert_eq!(find("10.0.0.1", "nonsense"), "10.0.0.1");
        assert_eq!(find("::ffff:10.0.0.1", "2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
    }
}
