//! Spark's connection string: `sc://host[:port]/;key=value;…`.

use ieum_core::{Secret, redact_url};
use url::Url;

use crate::LakeError;

/// Spark Connect's port.
const PORT: u16 = 15_002;

/// Where a cluster is, and who asks.
#[derive(Clone, Debug)]
pub struct Address {
    host: String,
    port: u16,
    pub tls: bool,
    pub token: Option<Secret>,
    pub user: String,
}

impl Address {
    /// Reads the connection string.
    pub fn read(text: &str) -> Result<Self, LakeError> {
        // A token stands after the third slash.
        let place = redact_url(&text.split('/').take(3).collect::<Vec<_>>().join("/"));
        let wrong = |problem: String| LakeError::Url { url: place.clone(), problem };
        let url = Url::parse(text).map_err(|error| wrong(error.to_string()))?;
        let host = url.host_str().filter(|host| !host.is_empty());
        let host = host.ok_or_else(|| wrong("it names no host".to_owned()))?.to_owned();
        if !url.username().is_empty() || url.password().is_some() || url.query().is_some() {
            return Err(wrong("expected sc://host:port/;token=…;use_ssl=true;user_id=…".to_owned()));
        }
        let mut address =
            Self { host, port: url.port().unwrap_or(PORT), tls: false, token: None, user: "ieum".to_owned() };
        for pair in url.path().trim_start_matches('/').split(';').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            match (key, value) {
                ("use_ssl", "true" | "false") => address.tls = value == "true",
                ("use_ssl", _) => return Err(wrong("use_ssl is neither true nor false".to_owned())),
                ("token", value) if !value.is_empty() => address.token = Some(Secret::new(value)),
                ("user_id", value) if !value.is_empty() => address.user = value.to_owned(),
                ("token" | "user_id", _) => return Err(wrong(format!("{key} is empty"))),
                // Its value may be secret and is not shown.
                (other, _) => {
                    let known = "known are token, use_ssl and user_id";
                    return Err(wrong(format!("{other} is no parameter that is understood; {known}")));
                }
            }
        }
        if address.token.is_some() && !address.tls && !is_near(&address.host) {
            let problem = "a token goes to another machine over TLS only; add use_ssl=true";
            return Err(wrong(problem.to_owned()));
        }
        Ok(address)
    }

    /// Returns where to connect.
    pub fn uri(&self) -> String {
        format!("{}://{}:{}", if self.tls { "https" } else { "http" }, self.host, self.port)
    }

    /// Returns the address without its token.
    pub fn shown(&self) -> String {
        format!("sc://{}:{}", self.host, self.port)
    }
}

fn is_near(host: &str) -> bool {
    let plain = host.trim_matches(['[', ']']);
    host == "localhost" || plain.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sparks_own_form_is_read() {
        let address =
            Address::read("sc://spark.example.org/;token=abc;use_ssl=true;user_id=me").expect("is read");
        assert_eq!(address.uri(), "https://spark.example.org:15002");
        assert_eq!((address.user.as_str(), address.shown().as_str()), ("me", "sc://spark.example.org:15002"));
        assert_eq!(Address::read("sc://[::1]:50051").expect("is read").uri(), "http://[::1]:50051");
        assert!(Address::read("sc://localhost/;token=abc").is_ok());
    }

    #[test]
    fn mistakes_are_named_and_no_token_is_shown() {
        for (text, part) in [
            ("sc://", "host"),
            ("sc://a/;use_ssl=yes", "use_ssl"),
            ("sc://a/;tokn=secret", "tokn"),
            ("sc://a/;token=", "token is empty"),
            ("sc://a.example.org/;token=secret", "TLS only"),
            ("sc://me:secret@a", "expected sc://"),
        ] {
            let error = Address::read(text).expect_err(text).to_string();
            assert!(error.contains(part) && !error.contains("tokn=secret"), "{text}: {error}");
        }
        let debug = format!("{:?}", Address::read("sc://localhost/;token=hidden").expect("is read"));
        assert!(!debug.contains("hidden"), "{debug}");
    }
}
