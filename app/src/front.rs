//! The front door as settings want it: whose tokens open it, and which routes lead to other servers.

use std::error::Error;
use std::sync::Arc;

use axum::Router;
use bytes::Bytes;
use ieum_client::{OutboundPolicy, RestClient, RestConfig};
use ieum_core::{BoxFuture, Cx, SharedClock};
use ieum_gateway::{Gateway, KeySource, Tokens};
use url::Url;

use crate::config::Settings;
use crate::platform::Platform;

/// Fetches issuers' keys like anything else from outside: through the outbound guard.
struct Fetched {
    outbound: OutboundPolicy,
    clock: SharedClock,
}

impl KeySource for Fetched {
    fn fetch<'a>(&'a self, url: &'a Url) -> BoxFuture<'a, Result<Bytes, String>> {
        Box::pin(async move {
            let origin: Url = url.join("/").map_err(|error| error.to_string())?;
            let outbound = self.outbound.clone();
            let config = RestConfig { outbound, ..RestConfig::new("issuer", origin) };
            let client = RestClient::new(config, self.clock.clone()).map_err(|error| error.to_string())?;
            let answer = client.get(&Cx::root(), url.as_str()).await.map_err(|fault| fault.to_string())?;
            Ok(answer.body)
        })
    }
}

/// Returns the tokens that are accepted; `None` where no issuer is named. Fails where one is wrong.
pub fn tokens(platform: &Platform) -> Result<Option<Tokens>, Box<dyn Error>> {
    let issuers = platform.settings.gateway.issuers.clone();
    if issuers.is_empty() {
        return Ok(None);
    }
    let source = Fetched { outbound: platform.outbound.clone(), clock: platform.clock.clone() };
    let (store, clock) = (platform.store.clone(), platform.clock.clone());
    Ok(Some(Tokens::new(issuers, Arc::new(source), store, clock)?))
}

/// Returns the routes to other servers, each behind its door. Fails where one is wrong.
pub fn forwards(settings: &Settings, gateway: &Gateway) -> Result<Router, Box<dyn Error>> {
    let mut router = Router::new();
    for route in &settings.gateway.routes {
        router = router.merge(gateway.forward(route.clone())?);
    }
    Ok(router)
}
