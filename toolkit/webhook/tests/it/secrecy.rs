//! Secrets stay out of logs, debug output and, in clear, out of the store.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use ieum_store::{SealedColumn, Sealer};
use ieum_testkit::wait::until;
use ieum_webhook::{DeliveryState, WebhookOptions};
use parking_lot::Mutex;

use crate::stage::{Stage, webhooks};

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_secret_is_never_logged_or_debugged() {
    let captured = Captured::default();
    let writer = captured.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let stage = Stage::sqlite().await;
    let registered = stage.register().await;
    let newer = stage.webhooks.rotate_secret("seoul", registered.endpoint.id).await.expect("rotates");
    stage.receiver.answer_status(410);
    let running = stage.webhooks.start();
    stage.enqueue("m-1", "e-1").await;
    stage.wait_for("m-1", DeliveryState::Held, 1).await;
    running.drain().await;
    let logged = String::from_utf8_lossy(&captured.0.lock()).into_owned();
    assert!(logged.contains("webhook endpoint disabled"), "the log is captured");
    let debugged = format!("{registered:?} {newer:?}");
    for secret in [&registered.secret, &newer] {
        let bare = secret.expose().trim_start_matches("whsec_");
        assert!(!logged.contains(bare) && !debugged.contains(bare));
    }
}

const SECRETS: SealedColumn = SealedColumn { table: "ieum_webhook_endpoint", column: "secrets", id: "id" };

async fn kept(stage: &Stage) -> String {
    let row = stage.store.fetch_one("SELECT secrets FROM ieum_webhook_endpoint", &[]).await;
    row.and_then(|row| row.text("secrets")).expect("is there")
}

#[tokio::test]
async fn a_secret_in_clear_from_before_is_sealed_and_still_signs() {
    let stage = Stage::sqlite().await;
    let registered = stage.register().await;
    let id = registered.endpoint.id.to_string();
    let sealed = kept(&stage).await;
    assert!(stage.sealer.is_current(&sealed), "{sealed}");
    let clear = stage.sealer.open(&SECRETS.at(&id), &sealed).expect("opens").expose().to_owned();
    assert!(clear.contains(registered.secret.expose()));
    let store = &stage.store;
    store.execute("UPDATE ieum_webhook_endpoint SET secrets = ?", &[clear.into()]).await.expect("is written");
    assert_eq!(stage.webhooks.reseal().await.expect("seals"), 1);
    assert!(stage.sealer.is_current(&kept(&stage).await));
    let running = stage.webhooks.start();
    stage.enqueue("m-1", "e-1").await;
    stage.wait_for("m-1", DeliveryState::Delivered, 1).await;
    let seen = stage.receiver.wait(1).await.remove(0);
    assert_eq!(seen.header("x-webhook-signature"), registered.secret.sign_plain(&seen.body));
    running.drain().await;
}

#[tokio::test]
async fn without_its_key_nothing_is_sent_and_the_missing_key_is_named() {
    let stage = Stage::sqlite().await;
    stage.register().await;
    stage.enqueue("m-1", "e-1").await;
    let stranger =
        webhooks(&stage.store, &Sealer::with_random_key(), stage.clock.shared(), WebhookOptions::default());
    let error = stranger.reseal().await.expect_err("lacks the key");
    let cause = std::error::Error::source(&error).expect("has a cause").to_string();
    assert!(
        cause.contains("ieum_webhook_endpoint.secrets") && cause.contains(stage.sealer.key_ids()[0]),
        "{cause}"
    );
    let running = stranger.start();
    let claimed = "SELECT lease_until FROM ieum_webhook_delivery WHERE lease_owner IS NOT NULL";
    until("the delivery is claimed", Duration::from_secs(120), || async {
        stage.store.fetch_optional(claimed, &[]).await.expect("is read").is_some()
    })
    .await
    .expect("gets there");
    running.drain().await;
    assert!(stage.receiver.seen().is_empty());
}
