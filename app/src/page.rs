//! The console's files, embedded in the binary, and which of its pages something answers here.

use axum::Router;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use ieum_contracts::events::EVENT_SERVICE_REGISTRY_CONTRACT;
use ieum_contracts::partners::PARTNER_KEYS_CONTRACT;
use ieum_link::Contract;
use rust_embed::RustEmbed;

use crate::config::Settings;
use crate::parts::Parts;

#[derive(RustEmbed)]
#[folder = "../console/dist"]
#[allow_missing = true]
struct Files;

/// Said where the binary was built without the page.
const NOT_BUILT: &str = "<!doctype html><meta charset=utf-8><title>Ieum</title><p>This binary was built without \
the console. Run <code>cargo xtask console</code> (it needs Node) and build again. What can be asked here without it:";

/// Content security policy: the page loads from here and talks to here, nothing else. Spoken answers come within JSON.
const POLICY: &str = "default-src 'self'; img-src 'self' data:; media-src data:; style-src 'self' 'unsafe-inline'; \
frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

/// The addresses under which the page shows itself. It reads from the address what to show.
const PAGES: [&str; 9] = [
    "/",
    "/events/{eventId}",
    "/insights",
    "/voice",
    "/sources",
    "/partners",
    "/webhooks",
    "/dead-letters",
    "/system",
];

/// The pages of the console's list, in its order, with who must answer for each to show anything.
static LISTED: [(&str, Needs); 8] = [
    ("/", Needs::Part("events")),
    ("/insights", Needs::Part("analytics")),
    ("/voice", Needs::Part("voice")),
    ("/sources", Needs::Contract(&EVENT_SERVICE_REGISTRY_CONTRACT)),
    ("/partners", Needs::Contract(&PARTNER_KEYS_CONTRACT)),
    ("/webhooks", Needs::Part("partners")),
    ("/dead-letters", Needs::Nobody),
    ("/system", Needs::Nobody),
];

/// Who must answer for a page.
enum Needs {
    /// A part of this process.
    Part(&'static str),
    /// Whoever answers a contract: a part of this process, or the one that `[links]` names.
    Contract(&'static Contract),
    /// The process itself.
    Nobody,
}

/// Returns the addresses of the listed pages that something answers here, the first one to open first.
pub fn answered(parts: &Parts, settings: &Settings) -> Vec<&'static str> {
    let (names, routes) = (parts.names(), parts.routes());
    let linked =
        |contract: &Contract| routes.serves(contract.name) || settings.links.contains_key(contract.name);
    listed(|needs| match needs {
        Needs::Part(name) => names.contains(name),
        Needs::Contract(contract) => linked(contract),
        Needs::Nobody => true,
    })
}

fn listed(is_met: impl Fn(&Needs) -> bool) -> Vec<&'static str> {
    let mut pages: Vec<_> = LISTED.iter().filter(|(_, needs)| is_met(needs)).map(|(page, _)| *page).collect();
    // Where nothing else is to be seen, how the process fares is what somebody opens it for.
    if pages.first() == Some(&"/dead-letters") {
        pages.reverse();
    }
    pages
}

/// Returns the routes of the page: its addresses and its hashed assets. The page is told which of the `answered` ones
/// something answers here, so that it offers no others.
///
/// Where the binary has no page, it names the `described` APIs instead.
pub fn routes(answered: &[&str], described: &[&str]) -> Router {
    let assets = Router::new().route("/assets/{*file}", get(asset));
    let (told, without) = (answered.join(" "), without_page(described));
    let index = get(move || index(told.clone(), without.clone()));
    PAGES.iter().fold(assets, |router, page| router.route(page, index.clone()))
}

async fn index(answered: String, without: String) -> Response {
    let page = match Files::get("index.html") {
        Some(file) => Html(telling(&String::from_utf8_lossy(&file.data), &answered)),
        None => Html(without),
    };
    let mut response = page.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

fn without_page(described: &[&str]) -> String {
    described.iter().fold(NOT_BUILT.to_owned(), |page, path| format!("{page} <a href={path}>{path}</a>"))
}

/// Writes into a page which pages are answered; see `console/src/api/answered.ts`.
fn telling(page: &str, answered: &str) -> String {
    page.replacen("</head>", &format!("<meta name=\"ieum-pages\" content=\"{answered}\" /></head>"), 1)
}

async fn asset(uri: Uri, headers: HeaderMap) -> Response {
    let path = uri.path().trim_start_matches('/');
    let compressed = takes_gzip(&headers).then(|| Files::get(&format!("{path}.gz"))).flatten();
    let is_compressed = compressed.is_some();
    let Some(file) = compressed.or_else(|| Files::get(path)) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let kind = match path.rsplit('.').next() {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    };
    // The names carry a hash of the content, so a file never changes under its name.
    let headers =
        [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "public, max-age=31536000, immutable")];
    let mut response = (headers, file.data.into_owned()).into_response();
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if is_compressed {
        response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}

/// Tells whether the browser takes a file compressed (RFC 9110 §12.5.3).
fn takes_gzip(headers: &HeaderMap) -> bool {
    let accepted = headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok());
    accepted.unwrap_or_default().split(',').any(|one| {
        let mut words = one.split(';').map(str::trim);
        words.next() == Some("gzip") && words.all(|weight| weight != "q=0")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_travels_compressed_to_who_takes_it_so() {
        let takes = |text: &'static str| {
            takes_gzip(&HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(text))]))
        };
        assert!(takes("gzip") && takes("br, gzip;q=0.5"));
        assert!(!takes("br") && !takes("gzip;q=0") && !takes_gzip(&HeaderMap::new()));
    }

    #[test]
    fn only_pages_that_something_answers_are_offered() {
        let with =
            |parts: &[&str]| listed(|needs| matches!(needs, Needs::Part(name) if parts.contains(name)));
        assert_eq!(with(&["voice"]), ["/voice"]);
        assert_eq!(with(&["events", "analytics", "partners"]), ["/", "/insights", "/webhooks"]);
        assert!(without_page(&["/a.json"]).ends_with("without it: <a href=/a.json>/a.json</a>"));
        let alone = listed(|needs| matches!(needs, Needs::Nobody));
        assert_eq!(alone, ["/system", "/dead-letters"], "health is the first to open");
        assert_eq!(
            telling("<head></head><body></body>", "/voice /system"),
            "<head><meta name=\"ieum-pages\" content=\"/voice /system\" /></head><body></body>"
        );
    }
}
