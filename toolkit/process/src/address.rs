//! Where a process says it answers: one line on its standard output.

use std::fmt;
use std::net::IpAddr;

use url::{Host, Url};

/// What the line with the address begins with.
pub const HANDSHAKE: &str = "ieum-plugin";

/// Where a process answers: `http://` or `grpc://`, an address of this machine, a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address(String);

/// Says why a line names no address that may be called.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum AddressError {
    /// It is no URL of a wire that plugins have.
    #[error("{said:?} is no address such as http://127.0.0.1:43121 or grpc://127.0.0.1:43121")]
    Shape {
        /// What was said, shortened.
        said: String,
    },
    /// It leads away from this machine: whoever writes a plugin does not choose whom this process calls.
    #[error("{said:?} is no address of this machine; listen on 127.0.0.1 or [::1]")]
    Elsewhere {
        /// What was said, shortened.
        said: String,
    },
}

/// The longest part of a wrong address that is repeated, characters.
const REPEATED: usize = 120;

// === Address ===

impl Address {
    /// Reads a line; `None` where it is no handshake but something else that is said.
    ///
    /// # Errors
    /// A handshake with an address that may not be called.
    pub fn of_line(line: &str) -> Result<Option<Self>, AddressError> {
        let Some(rest) = line.trim().strip_prefix(HANDSHAKE) else { return Ok(None) };
        if !rest.starts_with(char::is_whitespace) {
            return Ok(None);
        }
        let said: String = rest.trim().chars().take(REPEATED).collect();
        let shape = || AddressError::Shape { said: said.clone() };
        let url = Url::parse(rest.trim()).map_err(|_| shape())?;
        let plain = matches!(url.path(), "" | "/") && url.query().is_none() && url.username().is_empty();
        let port = url.port().filter(|port| *port > 0 && plain).ok_or_else(shape)?;
        if !matches!(url.scheme(), "http" | "grpc") {
            return Err(shape());
        }
        // A host of a scheme that no standard knows is read as a name.
        let ip: Option<IpAddr> = match url.host() {
            Some(Host::Ipv4(ip)) => Some(ip.into()),
            Some(Host::Ipv6(ip)) => Some(ip.into()),
            Some(Host::Domain(name)) => name.parse().ok(),
            None => None,
        };
        let ip = ip.filter(IpAddr::is_loopback).ok_or(AddressError::Elsewhere { said })?;
        let host = if ip.is_ipv6() { format!("[{ip}]") } else { ip.to_string() };
        Ok(Some(Self(format!("{}://{host}:{port}", url.scheme()))))
    }

    /// Returns it as the URL of a link.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Address {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_this_machine_is_read_and_any_other_refused_by_name() {
        let read = |line: &str| Address::of_line(line).map(|found| found.map(|address| address.to_string()));
        for address in ["http://127.0.0.1:43121", "grpc://127.0.0.1:1", "grpc://[::1]:9", "http://[::1]:9"] {
            assert_eq!(read(&format!("ieum-plugin {address}\r")), Ok(Some(address.to_owned())), "{address}");
        }
        for line in ["", "listening", "ieum-plugins http://127.0.0.1:1", "an ieum-plugin http://127.0.0.1:1"]
        {
            assert_eq!(read(line), Ok(None), "{line}");
        }
        for (address, part) in [
            ("https://127.0.0.1:1", "is no address such as"),
            ("http://127.0.0.1", "is no address such as"),
            ("http://127.0.0.1:1/path", "is no address such as"),
            ("http://me@127.0.0.1:1", "is no address such as"),
            ("43121", "is no address such as"),
            ("http://10.0.0.1:81", "no address of this machine"),
            ("http://169.254.169.254:1", "no address of this machine"),
            ("http://localhost:1", "no address of this machine"),
            ("grpc://plugin.example.org:1", "no address of this machine"),
        ] {
            let error = read(&format!("ieum-plugin {address}")).expect_err("is refused").to_string();
            assert!(error.contains(part), "{address}: {error}");
        }
    }
}
