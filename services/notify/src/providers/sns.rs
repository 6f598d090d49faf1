//! SMS and push by Amazon SNS (<https://docs.aws.amazon.com/sns/latest/api/API_Publish.html>):
//! `sns://ACCESS_KEY:SECRET_KEY@sns.eu-west-1.amazonaws.com/eu-west-1`.
//!
//! An SMS goes to a number, a push to a platform endpoint's ARN; both hold title and text, an SMS as much of them as it
//! may. `Publish` to either takes no key of repetition, so nothing that may have been taken is repeated.

use std::sync::Arc;

use async_trait::async_trait;
use http::{HeaderName, HeaderValue, Method, header};
use ieum_client::{Auth, Request, Response, RestClient};
use ieum_contracts::notify::Channel;
use ieum_core::{Cx, Fault, Secret, SharedClock};
use url::Url;
use url::form_urlencoded::Serializer;

use super::sigv4::{Signed, Signer};
use super::{
    Letter, Provider, ProviderContext, Receipt, Repeat, SendError, decoded, is_encrypted, name_of, only, rest,
};

/// The API's version.
const VERSION: &str = "2010-03-31";
const FORM: &str = "application/x-www-form-urlencoded";
/// The most characters of an SMS that `Publish` takes; it parts them among as many messages as they need.
const LONGEST_SMS: usize = 1_600;
/// Codes of answers below 500 that mean "later": they are about us, not about the message.
const LATER: [&str; 3] = ["Throttling", "ThrottledException", "KMSThrottling"];

struct Sns {
    name: String,
    channel: Channel,
    /// As it stands in the header `host`.
    host: String,
    signer: Signer,
    client: RestClient,
    clock: SharedClock,
}

pub(super) fn open(
    url: &Url,
    channel: Channel,
    context: &ProviderContext,
) -> Result<Arc<dyn Provider>, String> {
    only(url, &["tls"])?;
    let region = url.path().trim_matches('/').to_owned();
    if region.is_empty() || region.contains('/') {
        return Err("the path must be the region, such as /eu-west-1".to_owned());
    }
    let (user, Some(password)) = (url.username(), url.password()) else {
        return Err("the access key and secret key are missing: sns://KEY:SECRET@…".to_owned());
    };
    let base = rest::base(url, is_encrypted(url)?)?;
    let host = base.host_str().unwrap_or_default();
    let host = base.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    let signer = Signer {
        access_key: decoded(user),
        secret_key: Secret::new(decoded(password)),
        region,
        service: "sns",
    };
    let client = rest::client("notify-sns", base, Auth::None, context)?;
    Ok(Arc::new(Sns { name: name_of(url), channel, host, signer, client, clock: context.clock.clone() }))
}

impl Sns {
    async fn call(&self, cx: &Cx, form: Vec<(&str, &str)>) -> Result<Response, Fault> {
        let body = Serializer::new(String::new()).extend_pairs(form).finish();
        let now = jiff::Timestamp::from_microsecond(self.clock.now().as_micros());
        let now = now.map(|now| now.strftime("%Y%m%dT%H%M%SZ").to_string()).unwrap_or_default();
        let headers = [("content-type", FORM), ("host", self.host.as_str()), ("x-amz-date", now.as_str())];
        let signed =
            Signed { method: "POST", path: "/", query: "", headers: &headers, body: body.as_bytes() };
        let authorization = self.signer.authorization(&signed, &now);
        let value = |text: &str| {
            HeaderValue::from_str(text).map_err(|_| {
                Fault::invalid_argument("notify.provider.access_key", "the access key fits into no header")
            })
        };
        let mut authorization = value(&authorization)?;
        authorization.set_sensitive(true);
        let request = Request::new(Method::POST, "/")
            .body(HeaderValue::from_static(FORM), body)
            .header(HeaderName::from_static("x-amz-date"), value(&now)?)
            .header(header::AUTHORIZATION, authorization)
            .any_status();
        self.client.send(cx, request).await
    }
}

#[async_trait]
impl Provider for Sns {
    fn name(&self) -> &str {
        &self.name
    }

    fn repeat(&self) -> Repeat {
        Repeat::Doubles
    }

    async fn send(&self, cx: &Cx, letter: &Letter) -> Result<Receipt, SendError> {
        let (target, text) = match self.channel {
            Channel::Sms => ("PhoneNumber", sms_text(letter)),
            _ => ("TargetArn", format!("{}\n\n{}", letter.title, letter.body).trim().to_owned()),
        };
        let form =
            vec![("Action", "Publish"), ("Version", VERSION), (target, &*letter.to), ("Message", &*text)];
        let answer = self.call(cx, form).await.map_err(rest::failed)?;
        let body = String::from_utf8_lossy(&answer.body);
        if answer.status.is_success() {
            let reference = between(&body, "MessageId").unwrap_or_default().to_owned();
            return Ok(Receipt { reference });
        }
        let code = between(&body, "Code").unwrap_or_default();
        let why = format!("{code}: {}", between(&body, "Message").unwrap_or_default());
        if LATER.contains(&code) {
            let message = format!("{} answered {why}", self.name);
            return Err(SendError::NotSent(Fault::resource_exhausted("notify.provider.busy", message)));
        }
        Err(rest::refused(&self.name, &answer, &why))
    }

    async fn check(&self) -> Result<(), Fault> {
        let form = vec![("Action", "ListTopics"), ("Version", VERSION)];
        let answer = self.call(&Cx::root(), form).await?;
        if answer.status.is_success() {
            return Ok(());
        }
        let body = String::from_utf8_lossy(&answer.body);
        let code = between(&body, "Code").unwrap_or("an error without a code");
        Err(Fault::failed_precondition(
            "notify.provider.refused_us",
            format!("{} answered {code}", self.name),
        ))
    }
}

/// Returns title and text below each other, cut short where they are longer than an SMS may be.
fn sms_text(letter: &Letter) -> String {
    let whole = format!("{}\n{}", letter.title, letter.body.trim());
    let whole = whole.trim();
    if whole.chars().count() <= LONGEST_SMS {
        return whole.to_owned();
    }
    let kept: String = whole.chars().take(LONGEST_SMS - 1).collect();
    format!("{}…", kept.trim_end())
}

/// Returns what stands in the first element called `name`. The answers are flat, and nothing of them is trusted.
fn between<'a>(xml: &'a str, name: &str) -> Option<&'a str> {
    let rest = xml.split_once(&format!("<{name}>"))?.1;
    Some(rest.split_once(&format!("</{name}>"))?.0)
}

#[cfg(test)]
mod tests {
    use ieum_core::new_id;

    use super::*;

    #[test]
    fn an_sms_holds_title_and_text_as_far_as_it_may() {
        let letter = |body: &str| Letter {
            id: new_id(),
            to: "+821012345678".into(),
            title: "커피 박람회: 정원의 90 %".into(),
            body: body.into(),
        };
        assert_eq!(
            sms_text(&letter("\n북문으로 안내하십시오\n")),
            "커피 박람회: 정원의 90 %\n북문으로 안내하십시오"
        );
        assert_eq!(sms_text(&letter(" ")), "커피 박람회: 정원의 90 %");
        let long = sms_text(&letter(&"가".repeat(3_000)));
        assert!(long.chars().count() == LONGEST_SMS && long.ends_with("가…"), "{long}");
    }
}
