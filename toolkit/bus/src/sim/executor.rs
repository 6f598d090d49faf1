//! One thread, many tasks, and a seed that says which goes next.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use rand::Rng;

use super::Random;

pub(super) struct Executor {
    random: Random,
    tasks: Vec<Task>,
}

struct Task {
    node: Option<usize>,
    ready: Arc<Ready>,
    future: Pin<Box<dyn Future<Output = ()> + Send>>,
}

struct Ready(AtomicBool);

impl Wake for Ready {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl Executor {
    pub(super) fn new(random: Random) -> Self {
        Self { random, tasks: Vec::new() }
    }

    pub(super) fn spawn(&mut self, node: Option<usize>, future: impl Future<Output = ()> + Send + 'static) {
        let ready = Arc::new(Ready(AtomicBool::new(true)));
        self.tasks.push(Task { node, ready, future: Box::pin(future) });
    }

    /// Drops everything that runs on `node`, wherever it stands.
    pub(super) fn kill(&mut self, node: usize) {
        self.tasks.retain(|task| task.node != Some(node));
    }

    /// Polls ready tasks in seeded order until none is ready.
    pub(super) fn run_ready(&mut self) {
        loop {
            let is_ready = |task: &Task| task.ready.0.load(Ordering::SeqCst);
            let ready: Vec<usize> =
                self.tasks.iter().enumerate().filter(|(_, task)| is_ready(task)).map(|(i, _)| i).collect();
            if ready.is_empty() {
                return;
            }
            let chosen = ready[self.random.lock().random_range(0..ready.len())];
            let task = &mut self.tasks[chosen];
            task.ready.0.store(false, Ordering::SeqCst);
            let waker = Waker::from(Arc::clone(&task.ready));
            if let Poll::Ready(()) = task.future.as_mut().poll(&mut Context::from_waker(&waker)) {
                drop(self.tasks.remove(chosen));
            }
        }
    }
}
