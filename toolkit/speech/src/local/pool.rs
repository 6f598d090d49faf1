//! A bounded number of workers: what is too much is refused, and what nobody waits for any more stops.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::sync::Semaphore;

use super::LocalOptions;
use crate::SpeechError;

/// Runs work that keeps a core busy, a few at a time.
pub struct Pool {
    engine: String,
    workers: Arc<Semaphore>,
    waiting: AtomicUsize,
    most_waiting: usize,
}

/// Tells work that nobody waits for it any more.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

/// Says stop when the one who waits goes away.
struct StopOnDrop(Stop);

/// Counts one who waits, until it is dropped.
struct Waiting<'a>(&'a AtomicUsize);

// === Pool ===

impl Pool {
    pub fn new(engine: &str, options: LocalOptions) -> Self {
        Self {
            engine: engine.to_owned(),
            workers: Arc::new(Semaphore::new(options.workers.max(1))),
            waiting: AtomicUsize::new(0),
            most_waiting: options.waiting,
        }
    }

    /// Runs `work` on a thread where it may block. Dropping the future tells it to stop; until it does, it counts as
    /// a worker that is busy.
    ///
    /// # Errors
    /// [`SpeechError::Busy`] when too many wait, and what `work` says.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Stop) -> Result<T, SpeechError> + Send + 'static,
    ) -> Result<T, SpeechError> {
        let worker = match Arc::clone(&self.workers).try_acquire_owned() {
            Ok(worker) => worker,
            Err(_) => {
                let _place = self.wait()?;
                let worker = Arc::clone(&self.workers).acquire_owned().await;
                worker.map_err(|_| SpeechError::Cancelled { engine: self.engine.clone() })?
            }
        };
        let stop = Stop::default();
        let told = StopOnDrop(stop.clone());
        let task = tokio::task::spawn_blocking(move || {
            let outcome = work(&stop);
            drop(worker);
            outcome
        });
        let outcome = task.await.map_err(|error| SpeechError::Engine {
            engine: self.engine.clone(),
            step: "listening",
            problem: error.to_string(),
        });
        drop(told);
        outcome?
    }

    fn wait(&self) -> Result<Waiting<'_>, SpeechError> {
        let add = |waiting| (waiting < self.most_waiting).then_some(waiting + 1);
        match self.waiting.fetch_update(Ordering::AcqRel, Ordering::Acquire, add) {
            Ok(_) => Ok(Waiting(&self.waiting)),
            Err(waiting) => Err(SpeechError::Busy { engine: self.engine.clone(), waiting }),
        }
    }
}

// === Stop ===

impl Stop {
    /// Tells whether to stop.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::Release);
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use ieum_testkit::wait::until;

    use super::*;

    fn pool(waiting: usize) -> Arc<Pool> {
        Arc::new(Pool::new("ear", LocalOptions { workers: 1, waiting, ..LocalOptions::default() }))
    }

    #[tokio::test]
    async fn one_too_many_is_refused_at_once_and_those_before_are_served() {
        let pool = pool(1);
        let (go, gate) = mpsc::channel::<()>();
        let busy = {
            let pool = Arc::clone(&pool);
            tokio::spawn(async move { pool.run(move |_| Ok(gate.recv().is_ok())).await })
        };
        until("the worker is busy", Duration::from_secs(120), || async {
            pool.workers.available_permits() == 0
        })
        .await
        .expect("it is taken");
        let second = {
            let pool = Arc::clone(&pool);
            tokio::spawn(async move { pool.run(|_| Ok(true)).await })
        };
        until("one waits", Duration::from_secs(120), || async { pool.waiting.load(Ordering::Acquire) == 1 })
            .await
            .expect("it waits");
        let refused = pool.run(|_| Ok(true)).await.expect_err("it is one too many");
        assert_eq!(refused.to_string(), "asking ear: it is busy and 1 wait already; try again soon");
        go.send(()).expect("it waits for this");
        assert!(busy.await.expect("no panic").expect("it is served"));
        assert!(second.await.expect("no panic").expect("it is served"));
        assert_eq!(pool.waiting.load(Ordering::Acquire), 0);
    }

    #[tokio::test]
    async fn work_that_nobody_waits_for_is_told_to_stop_and_frees_its_worker() {
        let pool = pool(1);
        let work = {
            let pool = Arc::clone(&pool);
            tokio::spawn(async move {
                pool.run(|stop| {
                    while !stop.is_set() {
                        std::thread::yield_now();
                    }
                    Ok(())
                })
                .await
            })
        };
        until("the worker is busy", Duration::from_secs(120), || async {
            pool.workers.available_permits() == 0
        })
        .await
        .expect("it is taken");
        work.abort();
        until("the worker is free", Duration::from_secs(120), || async {
            pool.workers.available_permits() == 1
        })
        .await
        .expect("it stopped");
    }
}
