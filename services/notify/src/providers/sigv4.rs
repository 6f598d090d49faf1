//! Signing requests to AWS: Signature Version 4
//! (<https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html>).

use hmac::{Hmac, KeyInit, Mac};
use ieum_core::Secret;
use sha2::{Digest, Sha256};

/// Who signs, and for which service of which region.
pub struct Signer {
    pub access_key: String,
    pub secret_key: Secret,
    pub region: String,
    pub service: &'static str,
}

/// A request as it is signed: no further headers than these, which must be sent as they are.
pub struct Signed<'a> {
    pub method: &'a str,
    pub path: &'a str,
    /// Encoded and sorted already.
    pub query: &'a str,
    /// Names in lower case, sorted, with `host` and `x-amz-date` among them.
    pub headers: &'a [(&'a str, &'a str)],
    pub body: &'a [u8],
}

impl Signer {
    /// Returns the value of `Authorization`; `time` is as in `x-amz-date`, such as `20150830T123600Z`.
    pub fn authorization(&self, request: &Signed<'_>, time: &str) -> String {
        let day = time.split('T').next().unwrap_or_default();
        let scope = format!("{day}/{}/{}/aws4_request", self.region, self.service);
        let names: Vec<&str> = request.headers.iter().map(|(name, _)| *name).collect();
        let names = names.join(";");
        let lines: String =
            request.headers.iter().map(|(name, value)| format!("{name}:{}\n", value.trim())).collect();
        let Signed { method, path, query, .. } = request;
        let body = hex::encode(Sha256::digest(request.body));
        let canonical = format!("{method}\n{path}\n{query}\n{lines}\n{names}\n{body}");
        let digest = hex::encode(Sha256::digest(canonical.as_bytes()));
        let text = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{digest}");
        let first = format!("AWS4{}", self.secret_key.expose());
        let steps = [day, &self.region, self.service, "aws4_request", &text];
        let signature = steps.iter().fold(first.into_bytes(), |key, step| keyed(&key, step.as_bytes()));
        format!(
            "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={names}, Signature={}",
            self.access_key,
            hex::encode(signature)
        )
    }
}

fn keyed(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut hmac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    hmac.update(text);
    hmac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of AWS's own documentation.
    #[test]
    fn a_signature_is_the_one_that_aws_computes() {
        let signer = Signer {
            access_key: "AKIDEXAMPLE".into(),
            secret_key: Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
            region: "us-east-1".into(),
            service: "iam",
        };
        let request = Signed {
            method: "GET",
            path: "/",
            query: "Action=ListUsers&Version=2010-05-08",
            headers: &[
                ("content-type", "application/x-www-form-urlencoded; charset=utf-8"),
                ("host", "iam.amazonaws.com"),
                ("x-amz-date", "20150830T123600Z"),
            ],
            body: b"",
        };
        assert_eq!(
            signer.authorization(&request, "20150830T123600Z"),
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, \
             SignedHeaders=content-type;host;x-amz-date, \
             Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
        );
    }
}
