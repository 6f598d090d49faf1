//! Which addresses a request from here may reach: the public internet and what the operator allows.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use ieum_core::Fault;
use ipnet::IpNet;
use serde::Deserialize;
use url::{Host, Url};

/// What the operator allows beyond the public internet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutboundPolicy {
    /// Networks that may be reached although they are not public, such as `127.0.0.0/8`.
    #[serde(default)]
    pub allow: Vec<IpNet>,
}

/// Decides which addresses may be reached. Cheap to clone.
///
/// The decision is about the address a connection goes to, so it holds against names that resolve to
/// inner addresses, against names that change their address between two look-ups, and against odd
/// spellings of an address (`0x7f.1`, `2130706433`), which the URL parser turns into the plain one.
#[derive(Clone, Debug, Default)]
pub struct OutboundGuard {
    allow: Arc<[IpNet]>,
}

/// Says why an address may not be reached. Names host and rule, never credentials or a query.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The address is not public and not allowed.
    #[error("{host} is at {address}, which is {rule} and in no network of outbound.allow")]
    Address {
        /// The host as the URL has it.
        host: String,
        /// The address it stands for.
        address: IpAddr,
        /// Which kind of address that is.
        rule: &'static str,
    },
    /// Only HTTP is spoken.
    #[error("{scheme}: addresses are not called, only http: and https:")]
    Scheme {
        /// The URL's scheme.
        scheme: String,
    },
    /// Credentials in a URL end up in logs.
    #[error("the address of {host} carries a user name or password; put credentials into the settings")]
    UserInfo {
        /// The host as the URL has it.
        host: String,
    },
    /// There is nobody to connect to.
    #[error("the address names no host")]
    NoHost,
}

/// IPv4 networks that are not public: the IANA special-purpose registry (RFC 6890 and its updates),
/// and the one public address that is a cloud's inner service.
const INNER_V4: [(Ipv4Addr, u8, &str); 18] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8, "unspecified"),
    (Ipv4Addr::new(10, 0, 0, 0), 8, "private"),
    (Ipv4Addr::new(100, 64, 0, 0), 10, "shared by a carrier (CGNAT)"),
    (Ipv4Addr::new(127, 0, 0, 0), 8, "loopback"),
    (Ipv4Addr::new(169, 254, 169, 254), 32, "a cloud metadata service"),
    (Ipv4Addr::new(169, 254, 0, 0), 16, "link-local"),
    (Ipv4Addr::new(172, 16, 0, 0), 12, "private"),
    (Ipv4Addr::new(192, 0, 0, 0), 24, "reserved for protocols"),
    (Ipv4Addr::new(192, 0, 2, 0), 24, "for documentation"),
    (Ipv4Addr::new(192, 88, 99, 0), 24, "a 6to4 relay"),
    (Ipv4Addr::new(192, 168, 0, 0), 16, "private"),
    (Ipv4Addr::new(198, 18, 0, 0), 15, "for benchmarks"),
    (Ipv4Addr::new(198, 51, 100, 0), 24, "for documentation"),
    (Ipv4Addr::new(203, 0, 113, 0), 24, "for documentation"),
    (Ipv4Addr::new(168, 63, 129, 16), 32, "a cloud metadata service"),
    (Ipv4Addr::new(224, 0, 0, 0), 4, "multicast"),
    (Ipv4Addr::BROADCAST, 32, "broadcast"),
    (Ipv4Addr::new(240, 0, 0, 0), 4, "reserved"),
];

/// IPv6 networks that are not public. What is in none of them and outside `2000::/3` is not public either
/// (RFC 4291 §2.4).
const INNER_V6: [(Ipv6Addr, u8, &str); 13] = [
    (Ipv6Addr::UNSPECIFIED, 128, "unspecified"),
    (Ipv6Addr::LOCALHOST, 128, "loopback"),
    (Ipv6Addr::UNSPECIFIED, 96, "IPv4-compatible"),
    (Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, 0, 0), 48, "a local NAT64"),
    (Ipv6Addr::new(0x100, 0, 0, 0, 0, 0, 0, 0), 64, "discard-only"),
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 32, "Teredo"),
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23, "reserved for protocols"),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32, "for documentation"),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16, "6to4"),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20, "for documentation"),
    (Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7, "private"),
    (Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10, "link-local"),
    (Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0), 8, "multicast"),
];

// === OutboundGuard ===

impl OutboundGuard {
    /// Makes the guard of `policy`. The default guard allows the public internet only.
    pub fn new(policy: &OutboundPolicy) -> Self {
        Self { allow: policy.allow.clone().into() }
    }

    /// Returns which rule forbids `address`, or `None` where it may be reached.
    ///
    /// An IPv4 address inside IPv6 (mapped, or behind NAT64, RFC 6052) is judged as the IPv4 address it
    /// leads to. IPv4-compatible, 6to4 and Teredo addresses are forbidden whatever they lead to: they are
    /// deprecated and serve only to get around guards.
    pub fn rule_against(&self, address: IpAddr) -> Option<&'static str> {
        if self.allow.iter().any(|network| network.contains(&address)) {
            return None;
        }
        match address {
            IpAddr::V4(address) => inner_v4(address),
            IpAddr::V6(address) => match embedded_v4(address) {
                Some(inside) => self.rule_against(IpAddr::V4(inside)),
                None => inner_v6(address),
            },
        }
    }

    /// Fails where the address of `host` may not be reached.
    pub fn check_address(&self, host: &str, address: IpAddr) -> Result<(), Refused> {
        match self.rule_against(address) {
            None => Ok(()),
            Some(rule) => Err(Refused::Address { host: host.to_owned(), address, rule }),
        }
    }

    /// Fails where `url` can be refused before any name is resolved: another scheme than HTTP,
    /// credentials inside, or an address in place of a name that may not be reached.
    pub fn check_url(&self, url: &Url) -> Result<(), Refused> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Refused::Scheme { scheme: url.scheme().to_owned() });
        }
        let host = url.host_str().unwrap_or_default();
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refused::UserInfo { host: host.to_owned() });
        }
        match url.host() {
            None => Err(Refused::NoHost),
            Some(Host::Domain(_)) => Ok(()),
            Some(Host::Ipv4(address)) => self.check_address(host, IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => self.check_address(host, IpAddr::V6(address)),
        }
    }

    /// Returns those of a name's addresses that may be reached. Fails where none may, with the rule
    /// against the first, and where there is none at all.
    pub fn admit(&self, host: &str, addresses: Vec<IpAddr>) -> Result<Vec<IpAddr>, Refused> {
        let first = addresses.first().copied();
        let admitted: Vec<_> =
            addresses.into_iter().filter(|address| self.rule_against(*address).is_none()).collect();
        match first {
            Some(first) if admitted.is_empty() => self.check_address(host, first).map(|()| admitted),
            _ => Ok(admitted),
        }
    }
}

fn inner_v4(address: Ipv4Addr) -> Option<&'static str> {
    let number = u32::from(address);
    let within = |network: Ipv4Addr, length: u8| (number ^ u32::from(network)) >> (32 - length) == 0;
    INNER_V4.iter().find(|(network, length, _)| within(*network, *length)).map(|(_, _, rule)| *rule)
}

fn inner_v6(address: Ipv6Addr) -> Option<&'static str> {
    let number = u128::from(address);
    let within = |network: Ipv6Addr, length: u8| (number ^ u128::from(network)) >> (128 - length) == 0;
    let named = INNER_V6.iter().find(|(network, length, _)| within(*network, *length));
    match named {
        Some((_, _, rule)) => Some(rule),
        None if number >> 125 == 1 => None,
        None => Some("outside the public IPv6 range"),
    }
}

/// Returns the IPv4 address that a mapped (RFC 4291 §2.5.5.2) or NAT64 (RFC 6052) address leads to.
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    if let Some(mapped) = address.to_ipv4_mapped() {
        return Some(mapped);
    }
    let [0x64, 0xff9b, 0, 0, 0, 0, high, low] = address.segments() else { return None };
    let ([first, second], [third, fourth]) = (high.to_be_bytes(), low.to_be_bytes());
    Some(Ipv4Addr::new(first, second, third, fourth))
}

// === Refused ===

impl From<Refused> for Fault {
    fn from(refused: Refused) -> Self {
        Self::permission_denied("client.address_refused", refused.to_string())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn refusal(guard: &OutboundGuard, url: &str) -> Option<String> {
        let url = Url::parse(url).expect("is a URL");
        guard.check_url(&url).err().map(|refused| refused.to_string())
    }

    #[test]
    fn every_inner_network_is_refused_at_both_its_ends() {
        let guard = OutboundGuard::default();
        for (network, length, _) in INNER_V4 {
            let first = u32::from(network);
            let last = first | (u32::MAX.checked_shr(u32::from(length)).unwrap_or(0));
            for number in [first, last] {
                let address = Ipv4Addr::from(number);
                assert!(guard.rule_against(IpAddr::V4(address)).is_some(), "{address}");
                let mapped = IpAddr::V6(address.to_ipv6_mapped());
                assert!(guard.rule_against(mapped).is_some(), "{mapped}");
                let nat64 = IpAddr::V6(Ipv6Addr::from((0x64_ff9b_u128 << 96) | u128::from(number)));
                assert!(guard.rule_against(nat64).is_some(), "{nat64}");
            }
        }
        for (network, length, _) in INNER_V6 {
            let first = u128::from(network);
            let last = first | (u128::MAX.checked_shr(u32::from(length)).unwrap_or(0));
            for number in [first, last] {
                let address = IpAddr::V6(Ipv6Addr::from(number));
                assert!(guard.rule_against(address).is_some(), "{address}");
            }
        }
    }

    #[test]
    fn the_neighbours_of_inner_networks_are_public() {
        let guard = OutboundGuard::default();
        for text in [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.167.255.255",
            "192.169.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2606:4700:4700::1111",
            "2a00:1450::1",
            "64:ff9b::8.8.8.8",
            "::ffff:8.8.8.8",
        ] {
            let address = text.parse().expect("is an address");
            assert_eq!(guard.rule_against(address), None, "{text}");
        }
    }

    #[test]
    fn odd_spellings_of_an_inner_address_are_refused() {
        let guard = OutboundGuard::default();
        for url in [
            "http://127.1/",
            "http://2130706433/",
            "http://0x7f000001/",
            "http://0x7f.0.0.1/",
            "http://0177.0.0.1/",
            "http://127.0.0.1./",
            "http://[::1]/",
            "http://[::ffff:127.0.0.1]/",
            "http://[::ffff:7f00:1]/",
            "http://[::127.0.0.1]/",
            "http://[2002:7f00:1::]/",
            "http://[64:ff9b::10.0.0.1]/",
            "http://[2001:0:0:0:0:0:0:1]/",
            "http://[fe80::1]/",
            "http://[fd00:ec2::254]/",
            "http://169.254.169.254/latest/",
            "http://0/",
            "http://[::]/",
            "http://①②⑦.0.0.1/",
            "http://%31%32%37.0.0.1/",
            "http://[4000::1]/",
        ] {
            assert!(refusal(&guard, url).is_some(), "{url}");
        }
    }

    #[test]
    fn a_refusal_names_host_and_rule_and_no_secret() {
        let guard = OutboundGuard::default();
        assert_eq!(
            refusal(&guard, "http://0x7f.1/?token=canary").as_deref(),
            Some("127.0.0.1 is at 127.0.0.1, which is loopback and in no network of outbound.allow"),
        );
        let text = refusal(&guard, "http://user:canary@example.org/").expect("is refused");
        assert!(!text.contains("canary"), "{text}");
        assert!(refusal(&guard, "file:///etc/passwd").expect("is refused").contains("file:"));
        assert_eq!(refusal(&guard, "https://example.org/"), None);
    }

    #[test]
    fn an_allowed_network_is_reached_also_as_a_mapped_address_and_nothing_beside_it() {
        let policy = OutboundPolicy { allow: vec!["127.0.0.0/8".parse().expect("is a network")] };
        let guard = OutboundGuard::new(&policy);
        assert_eq!(refusal(&guard, "http://127.0.0.1:8345/"), None);
        assert_eq!(refusal(&guard, "http://[::ffff:127.0.0.1]/"), None);
        assert!(refusal(&guard, "http://[::1]/").is_some());
        assert!(refusal(&guard, "http://10.0.0.1/").is_some());
    }

    #[test]
    fn of_a_names_addresses_only_the_reachable_remain() {
        let guard = OutboundGuard::default();
        let inner: IpAddr = "10.0.0.1".parse().expect("is an address");
        let public: IpAddr = "1.1.1.1".parse().expect("is an address");
        assert_eq!(guard.admit("mixed.test", vec![inner, public]), Ok(vec![public]));
        let refused = guard.admit("inner.test", vec![inner]).expect_err("is refused");
        assert_eq!(
            refused.to_string(),
            "inner.test is at 10.0.0.1, which is private and in no network of outbound.allow"
        );
    }

    proptest! {
        #[test]
        fn a_mapped_address_is_judged_like_the_address_inside(number in any::<u32>()) {
            let guard = OutboundGuard::default();
            let address = Ipv4Addr::from(number);
            let mapped = guard.rule_against(IpAddr::V6(address.to_ipv6_mapped()));
            prop_assert_eq!(guard.rule_against(IpAddr::V4(address)), mapped);
        }
    }
}
