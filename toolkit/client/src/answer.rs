//! A source's answer, read whole and within limits.

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use ieum_core::Fault;
use ieum_policy::{Origin, PolicyReply};
use serde::de::DeserializeOwned;

/// A source's answer.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// The headers of the last hop.
    pub headers: HeaderMap,
    /// The body, decompressed.
    pub body: Bytes,
    /// Whether the source itself answered or something stands in for it.
    pub origin: Origin,
    /// What was asked, for faults: source, method and path.
    pub(crate) asked: String,
}

impl Response {
    /// Reads the body as JSON. Fails with `client.bad_json`, naming what was asked and the field, where
    /// it is none or does not have the shape of `T`. The body itself is not part of the fault.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        let mut reader = serde_json::Deserializer::from_slice(&self.body);
        let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
            let (field, cause) = (error.path().to_string(), error.into_inner());
            let field = if field == "." { "the body".to_owned() } else { format!("field {field}") };
            self.bad_json(&format!("{field}: {}", without_values(&cause)))
        })?;
        reader.end().map_err(|_| self.bad_json("the body: something follows the JSON value"))?;
        Ok(value)
    }

    fn bad_json(&self, what: &str) -> Fault {
        Fault::internal("client.bad_json", format!("{} answered with wrong JSON: {what}", self.asked))
    }
}

/// Returns what is wrong without quoting strings of the answer, which may be anybody's data.
fn without_values(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match (text.find("string \""), text.rfind("\", expected")) {
        (Some(start), Some(end)) if start < end => format!("{}a string{}", &text[..start], &text[end + 1..]),
        _ => text,
    }
}

impl PolicyReply for Response {
    fn origin(&self) -> &Origin {
        &self.origin
    }

    fn set_origin(&mut self, origin: Origin) {
        self.origin = origin;
    }

    fn try_clone(&self) -> Option<Self> {
        Some(self.clone())
    }

    fn from_value(value: &serde_json::Value) -> Option<Self> {
        Some(Self {
            status: StatusCode::OK,
            headers: HeaderMap::new(),
            body: serde_json::to_vec(value).ok()?.into(),
            origin: Origin::Live,
            asked: "the settings".into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn message(body: &'static str) -> String {
        let mut response = Response::from_value(&serde_json::Value::Null).expect("has a value");
        response.body = Bytes::from_static(body.as_bytes());
        response.asked = "GET /totals of hub".into();
        let read: Result<BTreeMap<String, Vec<u32>>, Fault> = response.json();
        read.expect_err("is refused").message
    }

    #[test]
    fn wrong_json_names_the_question_and_the_field_and_quotes_nothing() {
        assert_eq!(
            message(r#"{"gates":[1,"canary \", x"]}"#),
            "GET /totals of hub answered with wrong JSON: field gates[1]: invalid type: a string, expected \
             u32 at line 1 column 26"
        );
        assert!(message("<html>").contains("the body: expected value"), "{}", message("<html>"));
        assert!(message("{} {}").contains("something follows"));
    }
}
