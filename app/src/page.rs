//! The console's files, embedded in the binary.

use axum::Router;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "../console/dist"]
#[allow_missing = true]
struct Files;

/// Said where the binary was built without the page.
const NOT_BUILT: &str = "<!doctype html><meta charset=utf-8><title>Ieum</title><p>This binary was built without \
the console. Run <code>cargo xtask console</code> (it needs Node) and build again. The API is at \
<a href=/openapi.json>/openapi.json</a>.";

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

/// Returns the routes of the page: its addresses and its hashed assets.
pub fn routes() -> Router {
    let assets = Router::new().route("/assets/{*file}", get(asset));
    PAGES.iter().fold(assets, |router, page| router.route(page, get(index)))
}

async fn index() -> Response {
    let page = match Files::get("index.html") {
        Some(file) => Html(String::from_utf8_lossy(&file.data).into_owned()),
        None => Html(NOT_BUILT.to_owned()),
    };
    let mut response = page.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
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
}
