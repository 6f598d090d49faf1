//! Where a Dialogflow is and how to sign in, as one URL.

use std::path::PathBuf;

use ieum_core::{Secret, redact_url};
use url::Url;

use crate::{AgentName, SessionName};

/// How a Dialogflow is spoken to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Transport {
    /// HTTP/2 and Protocol Buffers.
    Grpc,
    /// HTTP and JSON.
    Rest,
    /// Not a Dialogflow, but an `MLService` over gRPC.
    Ml,
}

/// An agent at a Dialogflow.
///
/// | URL | is |
/// |---|---|
/// | `dialogflow://PROJECT` | Google's own, over gRPC; `?transport=rest` for REST |
/// | `dialogflow+grpc://HOST:PORT/PROJECT` | a compatible server over gRPC; `dialogflow+grpcs://` with TLS |
/// | `dialogflow+http://HOST:PORT/PROJECT` | a compatible server over REST; `dialogflow+https://` with TLS |
/// | `ml://HOST:PORT` | an `MLService` over gRPC; `mls://` with TLS. It has no project and takes no parameters |
///
/// Behind a question mark: `location=REGION`, `environment=NAME`, and `token=…` (a bearer token) or
/// `credentials=FILE` (the JSON key of a service account).
#[derive(Clone, Debug)]
pub struct DialogflowAddress {
    /// Whose agent.
    pub agent: AgentName,
    /// The environment of the agent; `None` is its draft.
    pub environment: Option<String>,
    /// How to speak to it.
    pub transport: Transport,
    /// Where it is: scheme (`http`, `https`), host and port.
    pub base: Url,
    pub(crate) credentials: Credentials,
}

/// How to sign in.
#[derive(Clone, Debug)]
pub(crate) enum Credentials {
    None,
    Token(Secret),
    File(PathBuf),
}

/// Says what is wrong with the URL. The URL is shown without what may be secret in it.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{url}: {problem}")]
pub struct AddressError {
    url: String,
    problem: String,
}

const GOOGLE: &str = "dialogflow.googleapis.com";

impl DialogflowAddress {
    /// Reads the URL.
    ///
    /// # Errors
    /// Another scheme, no project, a parameter that is not understood, and credentials that would go to another
    /// machine without TLS.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let wrong = |problem: &str| AddressError { url: redact_url(text), problem: problem.to_owned() };
        let url = Url::parse(text).map_err(|error| wrong(&error.to_string()))?;
        let (mut transport, secure, own) = match url.scheme() {
            "dialogflow" => (Transport::Grpc, true, true),
            "dialogflow+grpc" => (Transport::Grpc, false, false),
            "dialogflow+grpcs" => (Transport::Grpc, true, false),
            "dialogflow+http" => (Transport::Rest, false, false),
            "dialogflow+https" => (Transport::Rest, true, false),
            "ml" => (Transport::Ml, false, false),
            "mls" => (Transport::Ml, true, false),
            _ => {
                let known = "dialogflow://PROJECT, dialogflow+grpc://HOST:PORT/PROJECT or ml://HOST:PORT";
                return Err(wrong(&format!("expected {known}")));
            }
        };
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(|| wrong("names no host"))?;
        let path = url.path().trim_matches('/');
        let project = match transport {
            Transport::Ml if !path.is_empty() || url.query().is_some() => {
                return Err(wrong("an MLService has no project and no parameters; expected ml://HOST:PORT"));
            }
            Transport::Ml => "ml",
            _ if own => host,
            _ => path,
        };
        if project.is_empty() || project.contains('/') || (own && !path.is_empty()) {
            return Err(wrong("names no project; expected dialogflow://PROJECT or …://HOST:PORT/PROJECT"));
        }
        let mut agent = AgentName::new(project);
        let (mut environment, mut credentials) = (None, Credentials::None);
        for (key, value) in url.query_pairs() {
            match (&*key, &*value) {
                (_, "") => return Err(wrong(&format!("{key} is empty"))),
                ("location", place) => agent.location = Some(place.to_owned()),
                ("environment", name) => environment = Some(name.to_owned()),
                ("token", token) => credentials = Credentials::Token(Secret::new(token)),
                ("credentials", file) => credentials = Credentials::File(file.into()),
                ("transport", "grpc") if own => transport = Transport::Grpc,
                ("transport", "rest") if own => transport = Transport::Rest,
                // Its value may be secret and is not shown.
                (other, _) => {
                    let known =
                        "known are location, environment, token, credentials, and transport (grpc, rest)";
                    return Err(wrong(&format!("{other} is not understood here; {known}")));
                }
            }
        }
        let place = agent.location.as_deref().filter(|place| *place != "global");
        let host = match (own, url.port(), place) {
            (true, _, None) => GOOGLE.to_owned(),
            (true, _, Some(place)) => format!("{place}-{GOOGLE}"),
            (false, Some(port), _) => format!("{host}:{port}"),
            (false, None, _) => host.to_owned(),
        };
        let base = format!("{}://{host}", if secure { "https" } else { "http" });
        let base = Url::parse(&base).map_err(|error| wrong(&error.to_string()))?;
        if !secure && !matches!(credentials, Credentials::None) && !is_near(&base) {
            return Err(wrong(
                "credentials go to another machine over TLS only; use dialogflow+grpcs or +https",
            ));
        }
        let address = Self { agent, environment, transport, base, credentials };
        SessionName::parse(&address.session("s").to_string()).map_err(|error| wrong(&error.to_string()))?;
        Ok(address)
    }

    /// Tells whether it is Google's own and nobody signs in there, whom Google answers nothing.
    pub fn lacks_credentials(&self) -> bool {
        let host = self.base.host_str().unwrap_or_default();
        matches!(self.credentials, Credentials::None) && host.ends_with(GOOGLE)
    }

    /// Returns the name of the session `id` of this agent.
    pub fn session(&self, id: &str) -> SessionName {
        SessionName {
            agent: self.agent.clone(),
            environment: self.environment.clone().map(|environment| (environment, "-".to_owned())),
            session: id.to_owned(),
        }
    }

    /// Returns scheme, host and port without a slash at the end.
    pub(crate) fn origin(&self) -> String {
        self.base.as_str().trim_end_matches('/').to_owned()
    }
}

fn is_near(base: &Url) -> bool {
    let host = base.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_the_url_is_read() {
        for (text, base, transport, session) in [
            (
                "dialogflow://shop",
                "https://dialogflow.googleapis.com",
                Transport::Grpc,
                "projects/shop/agent/sessions/s",
            ),
            (
                "dialogflow://shop?transport=rest&location=asia-northeast1",
                "https://asia-northeast1-dialogflow.googleapis.com",
                Transport::Rest,
                "projects/shop/locations/asia-northeast1/agent/sessions/s",
            ),
            (
                "dialogflow+grpc://127.0.0.1:50051/shop?environment=live&token=t",
                "http://127.0.0.1:50051",
                Transport::Grpc,
                "projects/shop/agent/environments/live/users/-/sessions/s",
            ),
            (
                "dialogflow+http://[::1]:8080/p",
                "http://[::1]:8080",
                Transport::Rest,
                "projects/p/agent/sessions/s",
            ),
            (
                "dialogflow+https://a.example/p",
                "https://a.example",
                Transport::Rest,
                "projects/p/agent/sessions/s",
            ),
            ("ml://h:1", "http://h:1", Transport::Ml, "projects/ml/agent/sessions/s"),
            ("mls://h:1", "https://h:1", Transport::Ml, "projects/ml/agent/sessions/s"),
        ] {
            let address = DialogflowAddress::parse(text).expect(text);
            assert_eq!((address.origin().as_str(), address.transport), (base, transport));
            assert_eq!(address.session("s").to_string(), session);
        }
    }

    #[test]
    fn mistakes_are_named_and_no_token_is_shown() {
        for (text, part) in [
            ("https://a.example/p", "expected dialogflow"),
            ("dialogflow://", "host"),
            ("dialogflow://shop/more", "no project"),
            ("dialogflow+grpc://h:1", "no project"),
            ("dialogflow+grpc://h:1/p?tokn=hunter2", "tokn is not understood"),
            ("dialogflow+grpc://h:1/p?transport=rest", "transport is not understood"),
            ("dialogflow+grpc://h:1/p?token=hunter2", "TLS only"),
            ("dialogflow://p?token=", "token is empty"),
            ("ml://h:1/p", "no project and no parameters"),
            ("ml://h:1?token=hunter2", "no project and no parameters"),
        ] {
            let error = DialogflowAddress::parse(text).expect_err(text).to_string();
            assert!(error.contains(part) && !error.contains("hunter2"), "{text}: {error}");
        }
        let debug =
            format!("{:?}", DialogflowAddress::parse("dialogflow://p?token=hunter2").expect("is read"));
        assert!(!debug.contains("hunter2"), "{debug}");
    }
}
