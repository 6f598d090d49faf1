//! Kafka over TLS and with logins, on a broker that demands both, and what is said where something is wrong.

use std::path::{Path, PathBuf};
use std::time::Duration;

use ieum_bus::{BusOptions, DeadFilter, OUTBOX_GROUP, open_bus};
use ieum_core::{Fault, describe, system_clock};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

use crate::broker::{Broker, free_port};
use crate::listener::Listener;
use crate::world::{World, event, eventually};

/// A password in which every letter has to be encoded that a URL gives a meaning.
const PASSWORD: &str = "se:cr/et@1";
const IN_URL: &str = "se%3Acr%2Fet%401";

/// Certificates in files, and where the broker listens.
struct Secure {
    broker: Broker,
    port: u16,
    folder: tempfile::TempDir,
}

/// Makes an authority; writes its certificate, and a key with a certificate of it for this machine.
fn authority(folder: &Path, name: &str) -> PathBuf {
    let mut params = CertificateParams::new(Vec::<String>::new()).expect("no names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    // OpenSSL takes a certificate for its own issuer where both have one name.
    params.distinguished_name.push(DnType::CommonName, name);
    let key = KeyPair::generate().expect("a key");
    let issuer = CertifiedIssuer::self_signed(params, key).expect("an authority");
    let file = folder.join(format!("{name}.pem"));
    std::fs::write(&file, issuer.pem()).expect("writes");
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let key = KeyPair::generate().expect("a key");
    let mut leaf = CertificateParams::new(names).expect("is a name");
    leaf.distinguished_name.push(DnType::CommonName, "a broker");
    let leaf = leaf.signed_by(&key, &issuer).expect("is signed");
    let chain = format!("{}{}{}", key.serialize_pem(), leaf.pem(), issuer.pem());
    std::fs::write(folder.join(format!("{name}-server.pem")), chain).expect("writes");
    file
}

impl Secure {
    async fn start() -> Option<Self> {
        let folder = tempfile::tempdir().expect("makes a folder");
        authority(folder.path(), "ours");
        authority(folder.path(), "foreign");
        let port = free_port();
        let module = "org.apache.kafka.common.security";
        let settings = [
            "sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512".to_owned(),
            format!(
                "listener.name.sasl_ssl.plain.sasl.jaas.config={module}.plain.PlainLoginModule required \
                 user_mina=\"{PASSWORD}\" user_guest=\"guest\";"
            ),
            format!(
                "listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config={module}.scram.ScramLoginModule required;"
            ),
            format!(
                "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config={module}.scram.ScramLoginModule required;"
            ),
            "ssl.keystore.type=PEM".to_owned(),
            format!("ssl.keystore.location={}", folder.path().join("ours-server.pem").display()),
            "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer".to_owned(),
            "super.users=User:ANONYMOUS;User:mina".to_owned(),
        ];
        let users =
            ["SCRAM-SHA-256", "SCRAM-SHA-512"].map(|kind| format!("{kind}=[name=mina,password={PASSWORD}]"));
        let more = format!("SASL_SSL://127.0.0.1:{port}");
        let broker = Broker::start_with(&more, &settings.join("\n"), &users).await?;
        Some(Self { broker, port, folder })
    }

    /// Returns a URL with a login, options and the authority of this name.
    fn url(&self, login: &str, authority: &str, more: &str) -> String {
        let file = self.folder.path().join(format!("{authority}.pem"));
        format!("kafkas://{login}127.0.0.1:{}?partitions=2&ca={}{more}", self.port, file.display())
    }

    /// Returns what is said of a bus at this URL.
    async fn complaint(&self, url: &str) -> String {
        let world = World::sqlite().await;
        let bus =
            open_bus(url, world.store.clone(), system_clock(), BusOptions::default()).await.expect("opens");
        let error = bus.ping().await.expect_err("something is wrong");
        assert!(
            !format!("{error:?}").contains(PASSWORD) && !format!("{error:?}").contains("wrong-word"),
            "{error:?}"
        );
        describe(&error)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs kafka"]
async fn a_bus_speaks_tls_logs_in_and_says_what_is_wrong() {
    let Some(secure) = Secure::start().await else { return };
    let login = format!("mina:{IN_URL}@");
    for sasl in ["", "&sasl=plain", "&sasl=scram-sha-256", "&sasl=scram-sha-512"] {
        let world = World::kafka(&secure.url(&login, "ours", sasl)).await;
        world.bus.ping().await.expect("is let in");
        world.bus.publish(&world.topic, event("a", 0)).await.expect("publishes");
        let listener = Listener::new("readers");
        let subscribed = world.subscribe("readers", &listener).await;
        eventually!("the effect", world.effects("readers").await == ["a-0"]);
        subscribed.drain().await;
    }
    what_is_wrong_is_said(&secure, &login).await;
    a_forbidden_topic_is_refused(&secure).await;
}

async fn what_is_wrong_is_said(secure: &Secure, login: &str) {
    for sasl in ["plain", "scram-sha-512"] {
        let url = secure.url("mina:wrong-word@", "ours", &format!("&sasl={sasl}"));
        let said = secure.complaint(&url).await;
        assert!(
            said.contains("as \"mina\": it does not let us in: ") && said.contains("look at user, password"),
            "{said}"
        );
    }
    let said = secure.complaint(&secure.url(login, "foreign", "")).await;
    assert!(said.contains("its certificate does not hold: no authority that counts has signed it"), "{said}");
    let by_the_system = format!("kafkas://{login}127.0.0.1:{}", secure.port);
    let said = secure.complaint(&by_the_system).await;
    assert!(said.contains("its certificate does not hold"), "{said}");
    // The broker ends such a connection without a word; whether the client library guesses why depends on when.
    let said = secure.complaint(&format!("kafka://127.0.0.1:{}", secure.port)).await;
    assert!(said.contains(&format!("kafka at 127.0.0.1:{}", secure.port)), "{said}");
    let said = secure.complaint(&secure.broker.url().replace("kafka://", "kafkas://")).await;
    assert!(said.contains("does not speak TLS on this port; write kafka://"), "{said}");
    // Publishing says it as well, once its patience ends.
    let world = World::sqlite().await;
    let options = BusOptions { patience: Duration::from_secs(3), ..BusOptions::default() };
    let url = secure.url("mina:wrong-word@", "ours", "");
    let bus = open_bus(&url, world.store.clone(), system_clock(), options).await.expect("opens");
    let refused = describe(&bus.publish(&world.topic, event("a", 0)).await.expect_err("is not let in"));
    assert!(!refused.contains("wrong-word"), "{refused}");
}

/// A guest may log in and nothing more.
async fn a_forbidden_topic_is_refused(secure: &Secure) {
    let world = World::kafka(&secure.url("guest:guest@", "ours", "")).await;
    let refused =
        Fault::from(world.bus.publish(&world.topic, event("a", 0)).await.expect_err("is forbidden"));
    assert_eq!(refused.reason, "bus.forbidden_topic", "{refused:?}");
    assert!(refused.message.contains("allow Write and Describe there"), "{}", refused.message);
    let mut tx = world.store.begin_write().await.expect("begins");
    world.bus.outbox(&mut tx, &world.topic, &event("a", 1)).await.expect("writes");
    tx.commit().await.expect("commits");
    let desk = world.bus.dead_letters();
    eventually!("the dead letter", desk.list(&DeadFilter::default()).await.expect("lists").len() == 1);
    let letter = desk.list(&DeadFilter::default()).await.expect("lists").remove(0);
    assert_eq!((letter.group.as_str(), letter.reason.as_str()), (OUTBOX_GROUP, "bus.forbidden_topic"));
}
