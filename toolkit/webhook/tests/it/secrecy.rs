//! Secrets stay out of logs and debug output.

use std::io::Write;
use std::sync::Arc;

use ieum_webhook::DeliveryState;
use parking_lot::Mutex;

use crate::stage::Stage;

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
