//! One task that runs between start and drain.

use parking_lot::Mutex;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// The task, while it runs.
#[derive(Default)]
pub struct Background(Mutex<Option<(JoinHandle<()>, CancellationToken)>>);

impl Background {
    /// Starts what `work` makes; it must end once its token is cancelled. Starting twice changes nothing.
    pub fn start<F>(&self, work: impl FnOnce(CancellationToken) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let mut running = self.0.lock();
        if running.is_none() {
            let stop = CancellationToken::new();
            *running = Some((tokio::spawn(work(stop.clone())), stop));
        }
    }

    /// Tells it to end and waits until it has. `what` it does is said where it ended by a panic.
    pub async fn drain(&self, what: &str) {
        let Some((task, stop)) = self.0.lock().take() else { return };
        stop.cancel();
        if let Err(error) = task.await {
            tracing::error!(error = %error, "{what} ended by a panic");
        }
    }
}
