//! `gateway.origins`: pages of other sites that may ask where this machine needs no key.

use serde_json::json;

use super::up;

#[tokio::test(flavor = "multi_thread")]
async fn a_page_whose_origin_is_named_asks_and_opens_sockets_and_is_shown_no_answer() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().expect("a folder");
    let named = [("IEUM__GATEWAY__ORIGINS", "[\"https://board.example.org\"]")];
    let platform = up(folder.path(), &["voice", "events"], &named);
    let client = reqwest::Client::new();
    let asked = async |request: reqwest::RequestBuilder, origin: &str| {
        let request = request.header("origin", origin).header("sec-fetch-site", "cross-site");
        let answer = request.send().await.expect("answers");
        // A browser would show the answer to the page: nobody asked for that.
        let shown = answer.headers().keys().find(|name| name.as_str().starts_with("access-control-"));
        assert_eq!(shown, None);
        answer.status().as_u16()
    };
    let own = format!("http://{}", platform.address);
    let socket = |path: &str| {
        let request = client.get(format!("{own}{path}")).header("connection", "upgrade");
        let request = request.header("upgrade", "websocket").header("sec-websocket-version", "13");
        request.header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
    };
    let turn = json!({ "userId": "kim", "text": "지금 몇 시야?" });
    for (origin, fine, open) in
        [("https://board.example.org", 200, 101), ("https://other.example.org", 403, 403)]
    {
        let said = client.post(format!("{own}/api/v2/dialog/text")).json(&turn);
        assert_eq!(asked(said, origin).await, fine, "{origin} speaks");
        assert_eq!(asked(client.get(format!("{own}/api/events")), origin).await, fine, "{origin} reads");
        let overview = client.get(format!("{own}/api/operator/overview"));
        assert_eq!(asked(overview, origin).await, fine, "{origin} operates");
        for path in ["/api/dialog/stream?userId=kim", "/api/events/socket"] {
            assert_eq!(asked(socket(path), origin).await, open, "{origin} opens {path}");
        }
        let preflight = client.request(reqwest::Method::OPTIONS, format!("{own}/api/v2/dialog/text"));
        asked(preflight.header("access-control-request-method", "POST"), origin).await;
    }
    platform.stop();
}
