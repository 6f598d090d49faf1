//! The versions of the dialogue's API: which one a caller asks for, and how an old one takes its leave.

use std::time::{Duration, UNIX_EPOCH};

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use ieum_core::{Fault, Timestamp};
use ieum_gateway::ApiError;

/// The header in which a caller names a version, and an answer its own.
const VERSION: HeaderName = HeaderName::from_static("api-version");

/// A version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Version {
    First,
    Second,
}

/// When the first version became old, and when it ends.
#[derive(Clone, Copy, Debug)]
pub struct Versions {
    /// Since when a caller should use the second one.
    pub deprecated_at: Timestamp,
    /// From when on it answers 410.
    pub sunset_at: Timestamp,
}

impl Default for Versions {
    fn default() -> Self {
        let at = |text| Timestamp::parse(text).unwrap_or_default();
        Self { deprecated_at: at("2026-11-22T00:00:00Z"), sunset_at: at("2027-11-30T00:00:00Z") }
    }
}

impl Version {
    /// Returns the version that a request asks for: in the header `API-Version`, or as `version` beside the media type
    /// that it accepts; the newest where it says nothing. Fails with `voice.version.unsupported`.
    pub fn asked(headers: &HeaderMap) -> Result<Self, Fault> {
        let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
        let of_accept =
            || text(&header::ACCEPT)?.split([';', ',']).find_map(|part| part.trim().strip_prefix("version="));
        match text(&VERSION).or_else(of_accept).map(|asked| asked.trim().trim_matches('"')) {
            None | Some("2" | "v2") => Ok(Self::Second),
            Some("1" | "v1") => Ok(Self::First),
            Some(other) => {
                let other: String = other.chars().take(20).collect();
                let message = format!("version {other:?} is not answered here; expected v1 or v2");
                Err(Fault::invalid_argument("voice.version.unsupported", message))
            }
        }
    }
}

impl Versions {
    /// Returns the headers of an answer of `version`. Fails with 410 where it has ended.
    pub(crate) fn headers(&self, version: Version, now: Timestamp) -> Result<HeaderMap, ApiError> {
        let mut headers = HeaderMap::new();
        if version == Version::Second {
            headers.insert(VERSION, HeaderValue::from_static("v2"));
            return Ok(headers);
        }
        let ended =
            UNIX_EPOCH + Duration::from_secs(u64::try_from(self.sunset_at.as_seconds()).unwrap_or_default());
        let sunset = httpdate::fmt_http_date(ended);
        if now >= self.sunset_at {
            let message = format!("version v1 ended on {sunset}; ask /api/v2/dialog/text");
            let fault = Fault::not_found("voice.version.ended", message);
            return Err(ApiError::from(fault).with_status(StatusCode::GONE));
        }
        headers.insert(VERSION, HeaderValue::from_static("v1"));
        // RFC 9745 §2.1: a date as a structured field; RFC 8594 §3.
        let since = format!("@{}", self.deprecated_at.as_seconds());
        let link = "</api/v2/dialog/text>; rel=\"successor-version\"";
        for (name, value) in [("deprecation", since.as_str()), ("sunset", sunset.as_str()), ("link", link)] {
            if let Ok(value) = HeaderValue::from_str(value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
        Ok(headers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_asked_for_in_a_header_or_beside_the_media_type() {
        let asked = |name: HeaderName, value: &'static str| {
            Version::asked(&HeaderMap::from_iter([(name, HeaderValue::from_static(value))]))
        };
        assert_eq!(asked(VERSION, "v1"), Ok(Version::First));
        assert_eq!(asked(header::ACCEPT, "application/json; version=1"), Ok(Version::First));
        assert_eq!(asked(header::ACCEPT, "application/json"), Ok(Version::Second));
        assert_eq!(&*asked(VERSION, "v3").expect_err("is none").reason, "voice.version.unsupported");
    }

    #[test]
    fn the_first_version_says_when_it_ends_and_ends_then() {
        let versions = Versions::default();
        let headers = versions.headers(Version::First, versions.deprecated_at).expect("is answered");
        assert_eq!(headers["sunset"], "Tue, 30 Nov 2027 00:00:00 GMT");
        assert_eq!(headers["deprecation"], "@1795305600");
        assert!(versions.headers(Version::First, versions.sunset_at).is_err());
        assert!(versions.headers(Version::Second, versions.sunset_at).is_ok());
    }
}
