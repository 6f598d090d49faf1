//! A gateway over its own store, and requests to it.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::routing::{get, post};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt;
use ieum_cache::{MemoryCache, MemoryOptions};
use ieum_core::{Clock, ManualClock, Secret, Timestamp};
use ieum_gateway::{
    ApiError, ApiJson, ApiPath, ApiQuery, Context, EventAccess, Gateway, GatewayOptions, IssuerOptions,
    KeyRecord, KeySource, Keys, KeysOptions, NewKey, Partner, Rate, Tier, Tokens,
};
use ieum_store::{Store, StoreOptions, Synchronous, migrate};
use ieum_testkit::backend::SqlStore;
use serde::{Deserialize, Serialize};
use tower::ServiceExt;

pub const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// Everything a test needs; a SQLite file of its own lives as long as it.
pub struct Stage {
    pub clock: ManualClock,
    pub store: Store,
    pub keys: Keys,
    pub tokens: Option<Tokens>,
    pub gateway: Gateway,
    _kept: Option<SqlStore>,
}

/// An answer read whole.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Order {
    pub gates: Vec<Gate>,
    pub note: String,
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Gate {
    pub id: u32,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Window {
    #[serde(default)]
    pub limit: u32,
    pub time_range: String,
}

impl Stage {
    pub async fn new() -> Self {
        Self::with(tight()).await
    }

    /// The same as [`Stage::new`] in the database at `url`.
    pub async fn over(url: &str) -> Self {
        Self::build(url, tight(), None).await
    }

    pub async fn with(options: GatewayOptions) -> Self {
        Self::in_sqlite(options, None).await
    }

    /// A stage that takes the tokens of `issuers` too.
    pub async fn issuing(
        options: GatewayOptions,
        issuers: Vec<IssuerOptions>,
        source: Arc<dyn KeySource>,
    ) -> Self {
        Self::in_sqlite(options, Some((issuers, source))).await
    }

    async fn in_sqlite(
        options: GatewayOptions,
        issuing: Option<(Vec<IssuerOptions>, Arc<dyn KeySource>)>,
    ) -> Self {
        let database = SqlStore::sqlite();
        let stage = Self::build(&database.url, options, issuing).await;
        Self { _kept: Some(database), ..stage }
    }

    async fn build(
        url: &str,
        options: GatewayOptions,
        issuing: Option<(Vec<IssuerOptions>, Arc<dyn KeySource>)>,
    ) -> Self {
        let store_options = StoreOptions { sqlite_synchronous: Synchronous::Off, ..StoreOptions::default() };
        let clock = ManualClock::at(Timestamp::parse("2026-05-01T10:00:00Z").expect("is a time"));
        let store = Store::open(url, &store_options).await.expect("opens");
        migrate(&store, &Keys::migrations(), |_| {}).await.expect("migrates");
        let keys = Keys::new(store.clone(), clock.shared(), KeysOptions::default());
        let cache = Arc::new(MemoryCache::new(clock.shared(), MemoryOptions::default()));
        let tokens = issuing.map(|(issuers, source)| {
            Tokens::new(issuers, source, store.clone(), clock.shared()).expect("the issuers are right")
        });
        let gateway = Gateway::with_tokens(keys.clone(), tokens.clone(), cache, clock.shared(), options)
            .expect("the limits are right");
        Self { clock, store, keys, tokens, gateway, _kept: None }
    }

    pub fn clock_seconds(&self) -> i64 {
        self.clock.now().as_seconds()
    }

    /// The routes of the tests behind their doors.
    pub fn site(&self) -> Router {
        let public = Router::new()
            .route("/hello", get(async || "hello"))
            .route("/panic", get(panics))
            .route("/teapot", get(async || (StatusCode::IM_A_TEAPOT, "short and stout")))
            .route(
                "/query",
                get(async |ApiQuery(window): ApiQuery<Window>| {
                    format!("{} {}", window.limit, window.time_range)
                }),
            )
            .route("/number/{count}", get(async |ApiPath(count): ApiPath<u32>| count.to_string()));
        let partner = Router::new()
            .route(
                "/whoami",
                get(async |partner: Partner, Context(cx): Context| {
                    format!(
                        "{} {} {}",
                        partner.name(),
                        partner.tier(),
                        cx.caller().map_or("nobody", |caller| caller.name())
                    )
                }),
            )
            .route("/events/{event}/attendance", get(attendance))
            .route("/orders", post(async |ApiJson(order): ApiJson<Order>| ApiJson(order)))
            .route("/raw", post(async |body: bytes::Bytes| body.len().to_string()));
        let premium = Router::new().route("/gold", get(async || "gold"));
        self.gateway.frame(
            Router::new()
                .nest("/api/public", self.gateway.public(public))
                .nest("/api/partner", self.gateway.partner(partner))
                .nest("/api/premium", self.gateway.premium(premium)),
        )
    }

    pub async fn key(&self, tier: Tier) -> (KeyRecord, Secret) {
        self.keys.create(wish(tier)).await.expect("is made")
    }
}

/// Limits that few requests reach.
fn tight() -> GatewayOptions {
    GatewayOptions {
        public: Rate::per_minute(3),
        partner: Rate::per_minute(5),
        premium: Rate::per_minute(50),
        wrong_keys: Rate::per_minute(4),
        max_body: 1_000,
        max_decompressed: 5_000,
        ..GatewayOptions::default()
    }
}

async fn panics() -> &'static str {
    panic!("canary: the inner state")
}

async fn attendance(partner: Partner, ApiPath(event): ApiPath<String>) -> Result<String, ApiError> {
    partner.require("attendance:read")?;
    partner.may_see(&event)?;
    Ok(format!("attendance of {event}"))
}

pub fn wish(tier: Tier) -> NewKey {
    NewKey {
        name: "Seoul Fair".into(),
        tier,
        scopes: ["attendance:read".to_owned()].into(),
        events: EventAccess::from(vec!["e1".to_owned()]),
        expires_at: None,
        rate: None,
    }
}

pub fn request(method: Method, path: &str) -> Request<Body> {
    let peer = ConnectInfo(SocketAddr::from(([192, 0, 2, 1], 4711)));
    let request =
        Request::builder().method(method).uri(path).header("traceparent", TRACEPARENT).extension(peer);
    request.body(Body::empty()).expect("is a request")
}

pub fn get_with(path: &str, key: &str) -> Request<Body> {
    let mut request = request(Method::GET, path);
    request.headers_mut().insert("x-api-key", key.parse().expect("fits a header"));
    request
}

pub fn post_json(path: &str, key: &str, body: impl Into<Body>) -> Request<Body> {
    let mut request = get_with(path, key);
    *request.method_mut() = Method::POST;
    request.headers_mut().insert("content-type", "application/json".parse().expect("fits a header"));
    *request.body_mut() = body.into();
    request
}

pub async fn ask(site: &Router, request: Request<Body>) -> Answer {
    let response = site.clone().oneshot(request).await.expect("never fails");
    let (parts, body) = response.into_parts();
    let body = body.collect().await.expect("ends").to_bytes();
    if let Some(length) = parts.headers.get("content-length").filter(|_| !body.is_empty()) {
        assert_eq!(length, body.len().to_string().as_str(), "the length is that of the final body");
    }
    Answer { status: parts.status, headers: parts.headers, body: String::from_utf8_lossy(&body).into_owned() }
}

impl Answer {
    pub fn reason(&self) -> String {
        let value: serde_json::Value = serde_json::from_str(&self.body).unwrap_or_default();
        value["reason"].as_str().unwrap_or_default().to_owned()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Status, headers and body as text; the span id, which is new each time, left out.
    pub fn show(&self) -> String {
        let mut lines: Vec<String> = self
            .headers
            .iter()
            .map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value.as_bytes())))
            .collect();
        lines.sort();
        let trace = TRACEPARENT.split('-').nth(1).expect("has a trace id");
        for line in &mut lines {
            if line.starts_with("traceparent") {
                assert!(line.contains(trace), "{line}");
                *line = format!("traceparent: 00-{trace}-<span>-01");
            }
        }
        let body: Result<serde_json::Value, _> = serde_json::from_str(&self.body);
        let body = body.map_or_else(
            |_| self.body.clone(),
            |value| serde_json::to_string_pretty(&value).expect("is JSON"),
        );
        format!("{}\n{}\n\n{body}", self.status, lines.join("\n"))
    }
}
