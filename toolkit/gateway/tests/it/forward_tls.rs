//! Routes over TLS: whom they believe, what they ask for, and how they say no.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ieum_gateway::{ForwardOptions, Tier};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::forward::{get, raw, serve, stage};

/// Somebody who signs certificates.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: TempDir,
}

/// A server that answers with the name it was asked by (SNI), and counts its connections.
struct Upstream {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("has no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("makes a key"));
        Self { issuer: issuer.expect("signs itself"), folder: TempDir::new().expect("a folder") }
    }

    /// Returns a file with its certificate.
    fn file(&self) -> PathBuf {
        let path = self.folder.path().join("authorities.pem");
        std::fs::write(&path, self.issuer.pem()).expect("is written");
        path
    }

    /// Starts a server that proves to be `name`.
    async fn server(&self, name: &str) -> Upstream {
        let key = KeyPair::generate().expect("makes a key");
        let params = CertificateParams::new(vec![name.to_owned()]).expect("is a name");
        let certificate = params.signed_by(&key, &self.issuer).expect("is signed");
        let key = PrivateKeyDer::try_from(key.serialize_der()).expect("is a key");
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("speaks TLS")
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .expect("is a pair");
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("listens");
        let address = listener.local_addr().expect("has an address");
        let connections = Arc::<AtomicUsize>::default();
        tokio::spawn(answer(listener, TlsAcceptor::from(Arc::new(config)), connections.clone()));
        Upstream { address, connections }
    }
}

async fn answer(listener: TcpListener, acceptor: TlsAcceptor, connections: Arc<AtomicUsize>) {
    while let Ok((socket, _)) = listener.accept().await {
        let (acceptor, connections) = (acceptor.clone(), connections.clone());
        tokio::spawn(async move {
            // A caller that does not believe us leaves in the middle.
            let Ok(mut stream) = acceptor.accept(socket).await else { return };
            connections.fetch_add(1, Ordering::SeqCst);
            let name = stream.get_ref().1.server_name().unwrap_or("nobody").to_owned();
            let mut read = Vec::new();
            while stream.read_buf(&mut read).await.is_ok_and(|count| count > 0) {
                if read.ends_with(b"\r\n\r\n") {
                    let host = String::from_utf8_lossy(&read).to_ascii_lowercase();
                    let host = host
                        .lines()
                        .find_map(|line| line.strip_prefix("host: "))
                        .unwrap_or_default()
                        .to_owned();
                    let body = format!("{name} as {host}");
                    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
                    stream.write_all(format!("{head}{body}").as_bytes()).await.expect("writes");
                    read.clear();
                }
            }
        });
    }
}

impl Upstream {
    fn options(&self, authorities: PathBuf) -> ForwardOptions {
        let to = format!("https://localhost:{}/base", self.address.port()).parse().expect("is a URL");
        let authorities = Some(authorities);
        ForwardOptions { tier: Tier::Public, authorities, ..ForwardOptions::new("/api/x", to) }
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

#[tokio::test]
async fn a_server_that_an_authority_of_ours_vouches_for_is_believed() {
    let (stage, authority) = (stage().await, Authority::new());
    let upstream = authority.server("localhost").await;
    let gate = serve(&stage, upstream.options(authority.file())).await;
    for _ in 0..3 {
        let answer = raw(gate, get("/api/x/a", "")).await;
        let expected = format!("localhost as localhost:{}", upstream.address.port());
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with(&expected), "{answer}");
    }
    assert_eq!(upstream.connections(), 1, "the connection is kept");
}

#[tokio::test]
async fn a_server_that_a_stranger_vouches_for_is_refused_with_a_sentence() {
    let (stage, authority, stranger) = (stage().await, Authority::new(), Authority::new());
    for (signer, name) in [(&stranger, "localhost"), (&authority, "elsewhere.example")] {
        let upstream = signer.server(name).await;
        let gate = serve(&stage, upstream.options(authority.file())).await;
        let answer = raw(gate, get("/api/x/a", "")).await;
        assert!(answer.starts_with("HTTP/1.1 502 "), "{name}: {answer}");
        assert!(answer.contains("gateway.upstream_untrusted"), "{name}: {answer}");
        let sentence = "the server behind this path showed a certificate that does not count here";
        assert!(answer.contains(sentence) && !answer.contains(name), "{name}: {answer}");
        assert_eq!(upstream.connections(), 0, "{name}: nothing was sent");
    }
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_is_unreachable_over_it() {
    let (stage, authority) = (stage().await, Authority::new());
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("listens");
    let address = listener.local_addr().expect("has an address");
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let _ = socket.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").await;
        }
    });
    let upstream = Upstream { address, connections: Arc::default() };
    let gate = serve(&stage, upstream.options(authority.file())).await;
    let answer = raw(gate, get("/api/x/a", "")).await;
    assert!(
        answer.starts_with("HTTP/1.1 502 ") && answer.contains("gateway.upstream_unreachable"),
        "{answer}"
    );
    assert!(answer.contains("agreeing on TLS with the server behind this path"), "{answer}");
}

#[test]
fn whom_to_believe_is_checked_before_anything_starts() {
    let folder = TempDir::new().expect("a folder");
    let (empty, nonsense) = (folder.path().join("empty.pem"), folder.path().join("nonsense.pem"));
    std::fs::write(&empty, "").expect("is written");
    let text = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    std::fs::write(&nonsense, text).expect("is written");
    let none = folder.path().join("none.pem");
    for (to, authorities, told) in [
        ("https://tea", &none, "authorities: reading "),
        ("https://tea", &empty, "empty.pem holds no certificate"),
        ("https://tea", &nonsense, "authorities: trusting those in "),
        ("http://tea", &empty, "authorities: goes with an https:// URL alone"),
    ] {
        let options = ForwardOptions {
            authorities: Some(authorities.clone()),
            ..ForwardOptions::new("/api/tea", to.parse().expect("is a URL"))
        };
        let error = options.check().expect_err("cannot be").to_string();
        assert!(error.contains(told), "{to} {}: {error}", authorities.display());
    }
}
