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

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_another_site_is_no_device_where_devices_need_no_secret() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::new();
    for (anonymous, foreign) in [("true", 403), ("false", 101)] {
        let folder = tempfile::tempdir().expect("a folder");
        let named = [
            ("IEUM__GATEWAY__ORIGINS", "[\" HTTPS://Board.example.org:443\"]"),
            ("IEUM__DEVICE__ANONYMOUS", anonymous),
        ];
        let platform = up(folder.path(), &["device"], &named);
        let own = format!("http://{}", platform.address);
        let named = async |host: Option<&str>, origin: Option<&str>, site: Option<&str>| {
            let mut request = client.get(format!("{own}/mqtt")).header("connection", "upgrade");
            request = host.into_iter().fold(request, |request, host| request.header("host", host));
            for (name, value) in [("origin", origin), ("sec-fetch-site", site)] {
                request = value.into_iter().fold(request, |request, value| request.header(name, value));
            }
            let request = request.header("upgrade", "websocket").header("sec-websocket-version", "13");
            let request = request.header("sec-websocket-protocol", "mqtt");
            let answer = request.header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==").send().await;
            let answer = answer.expect("answers");
            let status = answer.status().as_u16();
            if status == 403 {
                let problem: serde_json::Value = answer.json().await.expect("is JSON");
                assert_eq!(problem["reason"], "door.foreign_page");
                assert!(problem["detail"].to_string().contains("gateway.origins"), "{problem}");
            }
            status
        };
        let upgrade = async |origin, site| named(None, origin, site).await;
        let rebound = named(Some("evil.example"), Some("http://evil.example"), Some("same-origin")).await;
        assert_eq!(rebound, foreign, "a page that gave its name this machine's address");
        assert_eq!(upgrade(None, None).await, 101, "a program");
        assert_eq!(upgrade(Some(&own), Some("same-origin")).await, 101, "our page");
        assert_eq!(upgrade(Some("https://board.example.org"), Some("cross-site")).await, 101, "it is named");
        for origin in ["https://other.example.org", "http://board.example.org", "null"] {
            assert_eq!(upgrade(Some(origin), None).await, foreign, "{origin}, anonymous: {anonymous}");
        }
        assert_eq!(upgrade(None, Some("cross-site")).await, foreign, "it does not say whose page it is");
        platform.stop();
    }
}
