//! A service's URL as it may be shown: without what a stranger must not read.

use url::Url;

/// Shown in place of a part that may hold a secret.
const HIDDEN: &str = "<hidden>";

/// Returns `text` as logs, errors and pages may show it: without password, parameters, query and fragment.
///
/// Every URL that `ieum.toml` takes passes here, lists of instances included (`http://a:1,http://b:2`). A file
/// (`sqlite:…`) and a bare scheme (`memory:`) have no secrets and stay as they are. What cannot be understood
/// shows its scheme at most.
pub fn redact_url(text: &str) -> String {
    if text.starts_with("sqlite:") {
        return text.to_owned();
    }
    let parts: Vec<String> = text.split(',').map(|part| redact_one(part.trim())).collect();
    // A secret may hold a comma: then no part but the first is an address, and nothing of it is shown.
    if parts.iter().skip(1).any(|part| part.contains(HIDDEN)) {
        return redact_one(text);
    }
    parts.join(",")
}

fn redact_one(text: &str) -> String {
    let scheme = text.split_once(':').map(|(scheme, _)| scheme).filter(|scheme| is_scheme(scheme));
    match Url::parse(text) {
        Ok(mut url) if url.has_host() => {
            if url.password().is_some() && url.set_password(Some("***")).is_err() {
                return HIDDEN.to_owned();
            }
            // Spark writes its token behind a semicolon (RFC 3986 §3.3: a segment's own parameters).
            if let Some((path, _)) = url.path().to_owned().split_once(';') {
                url.set_path(path);
            }
            url.set_query(None);
            url.set_fragment(None);
            // The parser adds a slash that nobody wrote.
            let shown = url.to_string();
            let slash = text.split(['?', '#']).next().is_some_and(|text| text.ends_with('/'));
            if url.path() == "/" && !slash { shown.trim_end_matches('/').to_owned() } else { shown }
        }
        Ok(url) if url.path().is_empty() => format!("{}:", url.scheme()),
        _ => scheme.map_or_else(|| HIDDEN.to_owned(), |scheme| format!("{scheme}:{HIDDEN}")),
    }
}

fn is_scheme(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_keeps_what_helps_and_loses_what_is_secret() {
        for (text, shown) in [
            ("postgres://ieum:hunter2@h:1/d?sslkey=hunter2", "postgres://ieum:***@h:1/d"),
            ("redis://:hunter2@cache:6379/0#hunter2", "redis://:***@cache:6379/0"),
            ("influxdb+https://u:hunter2@h/db", "influxdb+https://u:***@h/db"),
            ("http://a:7100,http://b:7100", "http://a:7100,http://b:7100"),
            ("dns+grpc://u:hunter2@stock", "dns+grpc://u:***@stock"),
            ("http://a/", "http://a/"),
            ("sc://spark:15002/;token=hunter2;use_ssl=true", "sc://spark:15002"),
            ("sqlite:한글 폴더/a.db", "sqlite:한글 폴더/a.db"),
            ("memory:", "memory:"),
            ("bus:", "bus:"),
        ] {
            assert_eq!(redact_url(text), shown);
        }
    }

    #[test]
    fn what_is_no_url_shows_its_scheme_at_most() {
        for text in [
            "",
            "hunter2",
            "hunter2@h",
            "postgres://u:hunter2@/d",
            "mysql://u:hunter2@h:port/d",
            "postgres://u:hunter2@h:99999/d",
            "ftp://u:hunter2,x@h",
            "http://a,u:hunter2@b",
            "kafka:hunter2",
            "한글:hunter2",
        ] {
            let shown = redact_url(text);
            assert!(!shown.contains("hunter2"), "{text}: {shown}");
        }
    }
}
