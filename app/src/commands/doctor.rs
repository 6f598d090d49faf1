//! `ieum doctor`: what each chosen backend gives and loses, and whether it can be reached.

use std::error::Error;

use serde::Serialize;

use super::doctor_voice;
use crate::config::{LinkCallers, Settings};
use crate::notify;
use crate::output::Output;
use crate::platform::{Platform, open_store};
use crate::sealing;

/// One backing service as it was found.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    key: String,
    pub(super) url: String,
    reachable: bool,
    pub(super) says: Vec<String>,
}

/// Opens every backing service and tells. Fails where one cannot be reached.
pub async fn doctor(settings: &Settings, output: &Output) -> Result<(), Box<dyn Error>> {
    let mut findings = Vec::new();
    let store = match open_store(settings).await {
        Ok(store) => {
            let says = store.capabilities().sentences().into_iter().map(str::to_owned).collect();
            findings.push(found("store.main", store.url_redacted(), says));
            Some(store)
        }
        Err(error) => {
            findings.push(missing("store.main", &settings.store.main, &error));
            None
        }
    };
    if let Some(store) = store {
        for (key, result) in Platform::inspect(settings, store).await {
            findings.push(match result {
                Ok((url, says)) => found(key, &url, says),
                Err(error) => missing(key, "", error.as_ref()),
            });
        }
    }
    if settings.data.exists() {
        findings.push(match sealing::open(settings) {
            Ok(_) => found("store.sealing_keys", "", sealing::sentences(settings)),
            Err(error) => missing("store.sealing_keys", "", &error),
        });
    }
    for inspected in notify::inspect(settings).await {
        findings.push(match inspected.found {
            Ok(says) => found(&inspected.key, &inspected.name, says),
            Err(error) => missing(&inspected.key, &inspected.name, error.as_ref()),
        });
    }
    findings.extend(doctor_voice::findings(settings).await);
    findings.push(found("server.links", "", links_sentences(settings)));
    let sound = findings.iter().all(|finding| finding.reachable);
    output.value(&findings, || findings.iter().map(lines).collect());
    if sound { Ok(()) } else { Err("a backing service cannot be used".into()) }
}

fn links_sentences(settings: &Settings) -> Vec<String> {
    let certificates = settings.tls.is_some();
    let callers = match settings.server.links {
        LinkCallers::Loopback if certificates => {
            "gives contracts to processes of this machine, and to whoever shows a certificate that counts"
        }
        LinkCallers::Loopback => "gives contracts to processes of this machine only",
        LinkCallers::Anyone => {
            "lacks protection: whoever reaches the port may call every contract answered here"
        }
        LinkCallers::Nobody => "gives contracts to nobody: no other process can call this one",
    };
    let links = match certificates {
        true => "gives links over https:// and grpcs://, both sides showing certificates",
        false => "lacks links to other machines: they need certificates ([tls])",
    };
    vec![callers.to_owned(), links.to_owned()]
}

pub(super) fn found(key: &str, url: &str, says: Vec<String>) -> Finding {
    Finding { key: key.to_owned(), url: url.to_owned(), reachable: true, says }
}

pub(super) fn missing(key: &str, url: &str, error: &dyn Error) -> Finding {
    let mut says = vec![error.to_string()];
    let mut next = error.source();
    while let Some(cause) = next {
        says.push(format!("because {cause}"));
        next = cause.source();
    }
    // A URL may hold a password; only its scheme is shown.
    let scheme = url.split(':').next().unwrap_or_default();
    Finding { key: key.to_owned(), url: scheme.to_owned(), reachable: false, says }
}

fn lines(finding: &Finding) -> String {
    let mark = if finding.reachable { "ok  " } else { "FAIL" };
    let mut text = format!("{mark}  {} {}\n", finding.key, finding.url);
    for sentence in &finding.says {
        text.push_str(&format!("        {sentence}\n"));
    }
    text
}
