//! Two processes that know each other by their certificates.

use std::path::Path;

use ieum_core::{Secret, system_clock};
use ieum_edge::{Address, Connection, Hello, Trust};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use crate::outside::{added, port};
use crate::{attendance_is_served, ieum, text, up, write};

type Issuer = CertifiedIssuer<'static, KeyPair>;

fn authority(folder: &Path) -> Issuer {
    let mut params = CertificateParams::new(Vec::new()).expect("has no names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("makes a key"));
    let issuer = issuer.expect("signs itself");
    write(folder, "authorities.pem", &issuer.pem());
    issuer
}

/// Signs a certificate for `name` and returns the `[tls]` that uses it.
fn tls(folder: &Path, issuer: &Issuer, name: &str) -> String {
    let key = KeyPair::generate().expect("makes a key");
    let params = CertificateParams::new(vec![name.to_owned()]).expect("is a name");
    let certificate = params.signed_by(&key, issuer).expect("is signed");
    let certificate = write(folder, &format!("{name}.pem"), &certificate.pem());
    let key = write(folder, &format!("{name}.key"), &key.serialize_pem());
    let authorities = folder.join("authorities.pem").display().to_string();
    format!("[tls]\ncertificate = {certificate:?}\nkey = {key:?}\nauthorities = {authorities:?}\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_meet_over_tls() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    for scheme in ["https", "grpcs"] {
        let folder = tempfile::tempdir().expect("a folder");
        let issuer = authority(folder.path());
        let server = write(folder.path(), "events.toml", &tls(folder.path(), &issuer, "localhost"));
        let events = up(folder.path(), &["events", "--config", &server], &[]);
        let port = events.address.rsplit(':').next().expect("has a port");
        let caller = tls(folder.path(), &issuer, "partners.internal");
        let caller = format!("{caller}[links]\n\"events.state\" = \"{scheme}://localhost:{port}\"\n");
        let caller = write(folder.path(), "partners.toml", &caller);
        let partners = up(folder.path(), &["partners", "--config", &caller], &[]);
        attendance_is_served(folder.path(), &events, &partners).await;
        partners.stop();
        events.stop();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn from_elsewhere_only_a_certificate_that_counts_opens_a_contract() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let folder = tempfile::tempdir().expect("a folder");
    let issuer = authority(folder.path());
    let settings = write(folder.path(), "own.toml", &tls(folder.path(), &issuer, "localhost"));
    tls(folder.path(), &issuer, "partners.internal");
    let platform = up(folder.path(), &["--config", &settings], &[]);
    let port = platform.address.rsplit(':').next().expect("has a port");
    let read = |name: &str| std::fs::read(folder.path().join(name)).expect("is there");
    let root = reqwest::Certificate::from_pem(&read("authorities.pem")).expect("is one");
    let mut pair = read("partners.internal.pem");
    pair.extend(read("partners.internal.key"));
    let proof = reqwest::Identity::from_pem(&pair).expect("is one");
    let client = || reqwest::Client::builder().tls_certs_only([root.clone()]);
    let ask = async |client: reqwest::ClientBuilder, contract: &str| {
        let url = format!("https://localhost:{port}/links/{contract}/list");
        // As if through a proxy: from elsewhere.
        let asked = client.build().expect("builds").post(url).header("x-forwarded-for", "192.0.2.1");
        let asked = asked.header("content-type", "application/json").body("{}");
        let answer = asked.send().await.expect("answers");
        (answer.status().as_u16(), answer.text().await.expect("is text"))
    };
    assert_eq!(ask(client().identity(proof.clone()), "events.state").await.0, 200);
    let (status, said) = ask(client(), "events.state").await;
    assert_eq!(status, 403);
    assert!(said.contains("from outside this machine without a certificate"), "{said}");
    let (status, _) = ask(client().identity(proof), "platform.links").await;
    assert_eq!(status, 403, "steering stays with this machine");
    let plain = format!("http://{}/health/live", platform.address);
    assert!(reqwest::get(plain).await.expect("answers").status().is_success(), "plain stays plain");
    platform.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_comes_over_tls_and_believes_only_who_signed_the_certificate() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let [folder, stranger] = [(); 2].map(|()| tempfile::tempdir().expect("a folder"));
    tls(folder.path(), &authority(folder.path()), "localhost");
    authority(stranger.path());
    let [certificate, key] = ["localhost.pem", "localhost.key"].map(|name| folder.path().join(name));
    let [certificate, key] = [&certificate, &key].map(|path| path.to_str().expect("is text"));
    let settings = [("IEUM__DEVICE__CERTIFICATE", certificate), ("IEUM__DEVICE__KEY", key)];
    let platform = up(folder.path(), &["device"], &settings);
    let secret = added(&platform, folder.path(), "hall");
    let come = async |scheme: &str, signed: &Path, secret: &str| {
        let address = Address::parse(&format!("{scheme}://localhost:{}", port(&platform.mqtt)));
        let hello = Hello {
            client: "hall".to_owned(),
            credentials: Some(("hall".to_owned(), Secret::new(secret.to_owned()))),
            keep_alive: 600,
            session_seconds: 0,
            receive: 10,
        };
        let trust = Trust::from_file(&signed.join("authorities.pem")).expect("is believed");
        Connection::open(&address.expect("is one"), &hello, &trust, &system_clock()).await
    };
    let (mut device, _) = come("mqtts", folder.path(), &secret).await.expect("is let in");
    device.subscribe("device/hall/#").await.expect("is granted");
    assert!(come("mqtts", folder.path(), "guess").await.is_err(), "the secret still counts");
    assert!(come("mqtts", stranger.path(), &secret).await.is_err(), "a stranger signed nothing of this");
    assert!(come("mqtt", folder.path(), &secret).await.is_err(), "nobody comes in the clear");
    platform.stop();
}

#[test]
fn certificates_that_make_no_identity_are_named_by_check() {
    let folder = tempfile::tempdir().expect("a folder");
    let issuer = authority(folder.path());
    tls(folder.path(), &issuer, "other");
    let right = tls(folder.path(), &issuer, "localhost");
    for (wrong, words) in [
        (right.replace("localhost.key", "other.key"), "tls.key: using the certificate in"),
        (right.replace("localhost.pem", "none.pem"), "tls.certificate: reading the certificate in"),
        (right.replace("authorities.pem", "localhost.key"), "tls.authorities: reading the authorities in"),
        ("[tls]\nkey = \"x\"\n".to_owned(), "tls.authorities: is empty, but"),
    ] {
        let settings = write(folder.path(), "own.toml", &wrong);
        let output = ieum(folder.path(), &[]).args(["--config", &settings, "check"]).output().expect("runs");
        assert!(!output.status.success(), "{wrong}");
        assert!(text(&output).contains(words), "{wrong}: {}", text(&output));
    }
}
