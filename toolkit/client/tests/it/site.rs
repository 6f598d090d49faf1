//! A small server on a free port, and clients that may reach it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use http::HeaderName;
use ieum_client::{Auth, RestClient, RestConfig};
use ieum_core::{Secret, system_clock};
use parking_lot::Mutex;
use url::Url;

pub const CANARY: &str = "canary-5f2c91";

/// Serves `router` until the test ends.
pub async fn serve(router: Router) -> SocketAddr {
    serve_at("127.0.0.1:0", router).await
}

pub async fn serve_at(address: &str, router: Router) -> SocketAddr {
    let listener = tokio::net::TcpListener::bind(address).await.expect("a port is free");
    let address = listener.local_addr().expect("is bound");
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

/// Settings for the server at `address`, allowed to reach 127.0.0.1 and nothing else that is inner.
pub fn config(address: SocketAddr) -> RestConfig {
    let base = Url::parse(&format!("http://{address}/api")).expect("is a URL");
    let mut config = RestConfig::new("hub", base);
    config.outbound.allow = vec!["127.0.0.1/32".parse().expect("is a network")];
    config.auth = Auth::Header { name: HeaderName::from_static("x-api-key"), value: Secret::new(CANARY) };
    config.policy.retry.first = Duration::from_millis(1);
    config
}

pub fn client(config: RestConfig) -> RestClient {
    RestClient::new(config, system_clock()).expect("the settings are right")
}

/// What a handler saw, in order.
#[derive(Clone, Default)]
pub struct Seen(Arc<Mutex<Vec<String>>>);

impl Seen {
    pub fn note(&self, text: impl Into<String>) -> usize {
        let mut list = self.0.lock();
        list.push(text.into());
        list.len()
    }

    pub fn all(&self) -> Vec<String> {
        self.0.lock().clone()
    }
}
