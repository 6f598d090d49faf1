//! The three fronts, each in a process of its own, set up to do the same.

use std::path::PathBuf;
use std::process::Command;

use ieum_core::Fault;
use serde_json::json;
use tempfile::TempDir;
use tokio::net::TcpListener;

use super::driver::upstream;
use super::failed;
use super::tokens::{AUDIENCE, ISSUER, Tokens};
use crate::peer::{Peer, free_port, named};

/// Requests a second that a user may send: more than anybody here sends, so that the limit counts and never
/// refuses.
const LIMIT: u32 = 500_000;

/// What all fronts share.
pub struct Site {
    pub tokens: Tokens,
    upstream: u16,
    folder: TempDir,
}

// === Site ===

impl Site {
    /// Makes tokens and starts the upstream, on a thread of its own.
    pub async fn prepare() -> Result<Self, Fault> {
        let folder = tempfile::tempdir().map_err(|error| failed("making a folder", &error))?;
        let tokens = Tokens::make(folder.path())?;
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .map_err(|error| failed("starting the upstream", &error))?;
        let address = listener.local_addr().map_err(|error| failed("starting the upstream", &error))?;
        tokio::spawn(upstream(listener));
        Ok(Self { tokens, upstream: address.port(), folder })
    }

    fn write(&self, name: &str, text: &str) -> Result<PathBuf, Fault> {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).map_err(|error| failed("writing settings", &error))?;
        Ok(path)
    }
}

// === Fronts ===

/// Starts this program again as the gateway alone.
pub fn ours(site: &Site) -> Result<Peer, Fault> {
    let program = std::env::current_exe().map_err(|error| failed("finding this program", &error))?;
    let port = free_port()?;
    let mut command = Command::new(program);
    command.args([super::ALONE, &port.to_string(), &site.upstream.to_string()]);
    command.arg(site.folder.path()).arg(&site.tokens.jwks_file);
    Peer::start("the gateway", port, command, site.folder.path())
}

/// Starts Envoy (`IEUM_BENCH_ENVOY`) with one worker.
pub fn envoy(site: &Site) -> Result<Peer, Fault> {
    let program = named("IEUM_BENCH_ENVOY")?;
    let port = free_port()?;
    let settings = site.write("envoy.json", &envoy_settings(site, port, free_port()?).to_string())?;
    let mut command = Command::new(program);
    command.arg("--config-path").arg(settings);
    command.args(["--concurrency", "1", "--log-level", "error", "--disable-hot-restart"]);
    Peer::start("Envoy", port, command, site.folder.path())
}

/// Starts HAProxy (`IEUM_BENCH_HAPROXY`) with one thread.
pub fn haproxy(site: &Site) -> Result<Peer, Fault> {
    let program = named("IEUM_BENCH_HAPROXY")?;
    let port = free_port()?;
    let settings = site.write("haproxy.cfg", &haproxy_settings(site, port, free_port()?))?;
    let mut command = Command::new(program);
    command.args(["-db", "-q", "-f"]).arg(settings);
    Peer::start("HAProxy", port, command, site.folder.path())
}

fn haproxy_settings(site: &Site, port: u16, stats: u16) -> String {
    let (upstream, pem) = (site.upstream, site.tokens.pem_file.display());
    format!(
        "global\n  nbthread 1\n  maxconn 4096\n\
         defaults\n  mode http\n  timeout connect 3s\n  timeout client 60s\n  timeout server 30s\n\
         \x20 option http-keep-alive\n  http-reuse always\n\
         frontend front\n  bind 127.0.0.1:{port}\n\
         \x20 http-request set-var(txn.bearer) http_auth_bearer\n\
         \x20 http-request set-var(txn.alg) var(txn.bearer),jwt_header_query('$.alg')\n\
         \x20 http-request set-var(txn.iss) var(txn.bearer),jwt_payload_query('$.iss')\n\
         \x20 http-request set-var(txn.aud) var(txn.bearer),jwt_payload_query('$.aud')\n\
         \x20 http-request set-var(txn.exp) var(txn.bearer),jwt_payload_query('$.exp','int')\n\
         \x20 http-request set-var(txn.user) var(txn.bearer),jwt_payload_query('$.sub')\n\
         \x20 http-request set-var(txn.now) date()\n\
         \x20 http-request deny deny_status 401 unless {{ var(txn.alg) -m str RS256 }}\n\
         \x20 http-request deny deny_status 401 unless {{ var(txn.iss) -m str {ISSUER} }}\n\
         \x20 http-request deny deny_status 401 unless {{ var(txn.aud) -m str {AUDIENCE} }}\n\
         \x20 http-request deny deny_status 401 if {{ var(txn.exp),sub(txn.now) -m int lt 0 }}\n\
         \x20 http-request deny deny_status 401 unless {{ var(txn.bearer),jwt_verify(txn.alg,\"{pem}\") -m int 1 }}\n\
         \x20 http-request track-sc0 var(txn.user) table users\n\
         \x20 http-request deny deny_status 429 if {{ sc_http_req_rate(0) gt {LIMIT} }}\n\
         \x20 http-request del-header authorization\n\
         \x20 http-request set-header x-user %[var(txn.user)]\n\
         \x20 option forwardfor\n\
         \x20 default_backend upstream\n\
         backend users\n  stick-table type string len 64 size 100k expire 60s store http_req_rate(1s)\n\
         backend upstream\n\
         \x20 server one 127.0.0.1:{upstream} maxconn 1024 check inter 2s observe layer7 error-limit 5 on-error mark-down\n\
         frontend stats\n  bind 127.0.0.1:{stats}\n\
         \x20 http-request use-service prometheus-exporter if {{ path /metrics }}\n"
    )
}

fn envoy_settings(site: &Site, port: u16, admin: u16) -> serde_json::Value {
    let address = |port: u16| json!({"socket_address": {"address": "127.0.0.1", "port_value": port}});
    let filters = "type.googleapis.com/envoy.extensions.filters.http";
    let jwt = json!({
        "@type": format!("{filters}.jwt_authn.v3.JwtAuthentication"),
        "providers": {"main": {
            "issuer": ISSUER, "audiences": [AUDIENCE], "forward": false,
            "local_jwks": {"inline_string": site.tokens.jwks},
            "claim_to_headers": [{"header_name": "x-user", "claim_name": "sub"}],
            "jwt_cache_config": {"jwt_cache_size": 10_000}
        }},
        "rules": [{"match": {"prefix": "/"}, "requires": {"provider_name": "main"}}]
    });
    let bucket = json!({"max_tokens": LIMIT, "tokens_per_fill": LIMIT, "fill_interval": "1s"});
    let on = json!({"default_value": {"numerator": 100, "denominator": "HUNDRED"}});
    let limit = json!({
        "@type": format!("{filters}.local_ratelimit.v3.LocalRateLimit"),
        "stat_prefix": "limit", "filter_enabled": on, "filter_enforced": on, "token_bucket": bucket,
        "max_dynamic_descriptors": 10_000,
        "descriptors": [{"entries": [{"key": "user"}], "token_bucket": bucket}],
        "rate_limits": [{"actions": [{"request_headers": {"header_name": "x-user", "descriptor_key": "user"}}]}]
    });
    let manager = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "front", "use_remote_address": true,
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [
            {"match": {"prefix": "/api/bench"}, "route": {"cluster": "upstream", "timeout": "30s"}}
        ]}]},
        "http_filters": [
            {"name": "jwt", "typed_config": jwt},
            {"name": "limit", "typed_config": limit},
            {"name": "router", "typed_config": {"@type": format!("{filters}.router.v3.Router")}}
        ]
    });
    let threshold = json!({"max_connections": 1024, "max_pending_requests": 1024, "max_requests": 1024});
    json!({
        "admin": {"address": address(admin)},
        "static_resources": {
            "listeners": [{"name": "front", "address": address(port), "filter_chains": [
                {"filters": [{"name": "manager", "typed_config": manager}]}
            ]}],
            "clusters": [{
                "name": "upstream", "type": "STATIC", "connect_timeout": "3s",
                "circuit_breakers": {"thresholds": [threshold]},
                "outlier_detection": {"consecutive_5xx": 5, "base_ejection_time": "5s"},
                "load_assignment": {"cluster_name": "upstream", "endpoints": [{"lb_endpoints": [
                    {"endpoint": {"address": address(site.upstream)}}
                ]}]}
            }]
        }
    })
}
