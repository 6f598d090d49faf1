//! Where a broker is: `mqtt://host:port` or `mqtts://host:port`, with a user name and a password where it wants them.

use std::fmt;

use ieum_core::{Secret, redact_url};
use url::Url;

/// Where a broker is.
#[derive(Clone, Debug)]
pub struct Address {
    /// Its name or IP address.
    pub host: String,
    /// Its port; 1883, over TLS 8883, where none is given.
    pub port: u16,
    /// Whether it is spoken to over TLS.
    pub tls: bool,
    /// The user name, where the URL has one.
    pub user: Option<String>,
    /// The password, where the URL has one.
    pub password: Option<Secret>,
}

/// Says what is wrong with a broker's URL.
#[derive(Debug, thiserror::Error)]
#[error(
    "reading {text:?} as a broker's address: {problem}; write mqtt://host:1883, or mqtts://host:8883 for TLS"
)]
pub struct AddressError {
    text: String,
    problem: &'static str,
}

impl Address {
    /// Reads a URL.
    ///
    /// # Errors
    /// What is no URL, has another scheme, or more than host, port, user name and password.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let wrong = |problem| AddressError { text: redact_url(text), problem };
        let url = Url::parse(text).map_err(|_| wrong("it is no URL"))?;
        let tls = match url.scheme() {
            "mqtt" => false,
            "mqtts" => true,
            _ => return Err(wrong("its scheme is neither mqtt nor mqtts")),
        };
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("nothing may follow host and port"));
        }
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(|| wrong("it names no host"))?;
        // An IPv6 address stands in brackets in a URL, and nowhere else.
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let plain = |part: &str| -> Option<String> {
            let pair = format!("x={}", part.replace('+', "%2B"));
            let url = Url::parse(&format!("mqtt://x/?{pair}")).ok()?;
            url.query_pairs().next().map(|(_, value)| value.into_owned())
        };
        Ok(Self {
            host,
            port: url.port().unwrap_or(if tls { 8883 } else { 1883 }),
            tls,
            user: (!url.username().is_empty()).then(|| plain(url.username())).flatten(),
            password: url.password().and_then(plain).map(Secret::new),
        })
    }
}

/// Without user name and password.
impl fmt::Display for Address {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "mqtts" } else { "mqtt" };
        match self.host.contains(':') {
            true => write!(out, "{scheme}://[{}]:{}", self.host, self.port),
            false => write!(out, "{scheme}://{}:{}", self.host, self.port),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_and_shown_without_its_password() {
        let address = Address::parse("mqtt://pi:a%2Fb+c@broker.local").expect("is one");
        assert_eq!((address.host.as_str(), address.port, address.tls), ("broker.local", 1883, false));
        assert_eq!(address.user.as_deref(), Some("pi"));
        assert_eq!(address.password.as_ref().map(Secret::expose), Some("a/b+c"));
        assert_eq!(address.to_string(), "mqtt://broker.local:1883");
        assert_eq!(Address::parse("mqtts://[::1]").expect("is one").to_string(), "mqtts://[::1]:8883");
    }

    #[test]
    fn what_is_no_address_is_refused_without_its_password() {
        for (text, problem) in [
            ("broker", "it is no URL"),
            ("http://broker", "neither mqtt nor mqtts"),
            ("mqtt://u:canary@broker/path", "nothing may follow"),
        ] {
            let said = Address::parse(text).expect_err("is refused").to_string();
            assert!(said.contains(problem) && !said.contains("canary"), "{said}");
        }
    }
}
