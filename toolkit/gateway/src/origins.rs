//! Whose pages may ask as this server's own do: origins of other sites, named one by one.

use std::str::FromStr;
use std::sync::Arc;

use http::HeaderValue;
use serde::Deserialize;
use url::Url;

/// The origin of a page as browsers tell it in `Origin` (RFC 6454 §6.2), such as `https://board.example.org`. However it is
/// written, it is kept so: spaces around it and the port that its scheme has anyway (:80, :443) are left out, capitals become
/// small letters, and a name in letters other than a to z its punycode (RFC 6454 §4).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Origin(String);

/// Says why a text is no origin. Only scheme, host and port make one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OriginError {
    /// It has no scheme and host.
    #[error("is no origin; write scheme and host, such as \"https://board.example.org\"")]
    Shape,
    /// No page has such an address.
    #[error("begins with {0}://, which is of no page; write http:// or https://")]
    Scheme(String),
    /// It stands for many.
    #[error("has a wildcard; name each origin by itself, such as \"https://board.example.org\"")]
    Wildcard,
    /// Something comes after the host and port, or a login before them.
    #[error("is more than an origin, which is told without login, path and query; write {0:?}")]
    More(String),
}

/// The origins beside this server's own. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Origins(Arc<[Origin]>);

// === Origin ===

impl FromStr for Origin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, OriginError> {
        let text = text.trim();
        if text.contains('*') {
            return Err(OriginError::Wildcard);
        }
        // Read as a URL they would be passed over, and two lines become one.
        if text.contains(|letter: char| letter.is_whitespace() || letter.is_control()) {
            return Err(OriginError::Shape);
        }
        let url = Url::parse(text).map_err(|_| OriginError::Shape)?;
        // "board.example.org:8080" reads as a scheme and a path.
        if !text.contains("://") {
            return Err(OriginError::Shape);
        }
        if !matches!(url.scheme(), "http" | "https") {
            return Err(OriginError::Scheme(url.scheme().to_owned()));
        }
        let origin = url.origin().ascii_serialization();
        let has_login = !url.username().is_empty() || url.password().is_some();
        let is_more = has_login || url.path() != "/" || url.query().is_some() || url.fragment().is_some();
        if is_more || text.ends_with('/') {
            return Err(OriginError::More(origin));
        }
        Ok(Self(origin))
    }
}

impl TryFrom<String> for Origin {
    type Error = OriginError;

    fn try_from(text: String) -> Result<Self, OriginError> {
        text.parse()
    }
}

// === Origins ===

impl Origins {
    /// Tells whether `Origin` names one of them.
    pub fn hold(&self, header: &HeaderValue) -> bool {
        self.0.iter().any(|origin| origin.0.as_bytes() == header.as_bytes())
    }
}

impl From<Vec<Origin>> for Origins {
    fn from(all: Vec<Origin>) -> Self {
        Self(all.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_read_as_browsers_tell_it() {
        for (text, told) in [
            ("https://board.example.org", "https://board.example.org"),
            ("HTTPS://Board.example.org:443", "https://board.example.org"),
            (" https://board.example.org\t", "https://board.example.org"),
            ("http://BOARD.example.org:80", "http://board.example.org"),
            ("https://board.example.org:80", "https://board.example.org:80"),
            ("http://board.example.org:443", "http://board.example.org:443"),
            ("http://localhost:5173", "http://localhost:5173"),
            ("http://[::1]:5173", "http://[::1]:5173"),
            ("https://한국.example", "https://xn--3e0b707e.example"),
        ] {
            let origins = Origins::from(vec![text.parse::<Origin>().expect(text)]);
            assert!(origins.hold(&HeaderValue::from_static(told)), "{text}");
            for other in ["null", "https://other.example", "https://board.example.org.evil.example"] {
                assert!(!origins.hold(&HeaderValue::from_static(other)), "{text} is not {other}");
            }
        }
        let board = Origins::from(vec!["https://board.example.org".parse::<Origin>().expect("is one")]);
        for other in ["http://board.example.org", "https://board.example.org:8443", "https://example.org"] {
            assert!(!board.hold(&HeaderValue::from_static(other)), "{other}");
        }
        assert!(!Origins::default().hold(&HeaderValue::from_static("null")));
    }

    #[test]
    fn what_is_no_origin_says_what_to_write() {
        let more = |origin: &str| OriginError::More(origin.to_owned());
        for (text, error) in [
            ("", OriginError::Shape),
            ("null", OriginError::Shape),
            ("board.example.org", OriginError::Shape),
            ("board.example.org:8080", OriginError::Shape),
            ("https://", OriginError::Shape),
            ("https://board.exam ple.org", OriginError::Shape),
            ("https://board.\nexample.org", OriginError::Shape),
            ("https://board.example.org/ ", more("https://board.example.org")),
            ("*", OriginError::Wildcard),
            ("https://*.example.org", OriginError::Wildcard),
            ("file:///home", OriginError::Scheme("file".to_owned())),
            ("wss://board.example.org", OriginError::Scheme("wss".to_owned())),
            ("https://board.example.org/", more("https://board.example.org")),
            ("https://board.example.org/page", more("https://board.example.org")),
            ("https://board.example.org?page", more("https://board.example.org")),
            ("https://board.example.org#page", more("https://board.example.org")),
            ("http://me:secret@board.example.org:8080", more("http://board.example.org:8080")),
        ] {
            assert_eq!(text.parse::<Origin>(), Err(error), "{text}");
        }
    }
}
