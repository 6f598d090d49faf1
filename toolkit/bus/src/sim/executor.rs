//! One thread, many tasks, and a seed that says which goes next. A node's tasks die or stand still together.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use parking_lot::Mutex;

use super::Dice;

type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Runs tasks in seeded order.
pub struct Executor {
    dice: Dice,
    tasks: BTreeMap<u64, Task>,
    next: u64,
    ready: Arc<Mutex<BTreeSet<u64>>>,
    spawner: Spawner,
    frozen: BTreeSet<usize>,
    /// What is ready on frozen nodes.
    waiting: BTreeSet<u64>,
}

/// Starts tasks from within tasks. Cloning shares it.
#[derive(Clone, Default)]
pub struct Spawner {
    queue: Arc<Mutex<Vec<Started>>>,
}

/// A task that has not run yet, and the node it belongs to.
type Started = (Option<usize>, Work);

struct Task {
    node: Option<usize>,
    wakeup: Arc<Wakeup>,
    work: Work,
}

struct Wakeup {
    number: u64,
    /// Ordered by number: in which order a channel wakes those who wait on it is not the seed's doing.
    ready: Arc<Mutex<BTreeSet<u64>>>,
}

impl Wake for Wakeup {
    fn wake(self: Arc<Self>) {
        self.ready.lock().insert(self.number);
    }
}

impl Spawner {
    /// Starts `work` on `node`, or outside every node.
    pub fn spawn(&self, node: Option<usize>, work: impl Future<Output = ()> + Send + 'static) {
        self.queue.lock().push((node, Box::pin(work)));
    }
}

impl Executor {
    /// Makes an executor without tasks.
    pub fn new(dice: Dice) -> Self {
        Self {
            dice,
            tasks: BTreeMap::new(),
            next: 0,
            ready: Arc::default(),
            spawner: Spawner::default(),
            frozen: BTreeSet::new(),
            waiting: BTreeSet::new(),
        }
    }

    /// Returns the means to start tasks.
    pub fn spawner(&self) -> Spawner {
        self.spawner.clone()
    }

    /// Drops everything that runs on `node`, wherever it stands.
    pub fn kill(&mut self, node: usize) {
        self.dice.note("kill", &node.to_string());
        self.admit();
        self.thaw(node);
        let dying: Vec<u64> = self
            .tasks
            .iter()
            .filter(|(_, task)| task.node == Some(node))
            .map(|(number, _)| *number)
            .collect();
        for number in dying {
            drop(self.tasks.remove(&number));
        }
    }

    /// Lets nothing on `node` go on until [`Executor::thaw`].
    pub fn freeze(&mut self, node: usize) {
        self.dice.note("freeze", &node.to_string());
        self.frozen.insert(node);
    }

    /// Lets `node` go on.
    pub fn thaw(&mut self, node: usize) {
        self.frozen.remove(&node);
        self.ready.lock().append(&mut self.waiting);
    }

    fn admit(&mut self) {
        for (node, work) in std::mem::take(&mut *self.spawner.queue.lock()) {
            let number = self.next;
            self.next += 1;
            let ready = Arc::clone(&self.ready);
            let wakeup = Arc::new(Wakeup { number, ready });
            self.ready.lock().insert(number);
            self.tasks.insert(number, Task { node, wakeup, work });
        }
    }

    /// Lets one ready task go on to its next await; returns whether there was any.
    pub fn step(&mut self) -> bool {
        loop {
            self.admit();
            let number = {
                let mut ready = self.ready.lock();
                if ready.is_empty() {
                    return false;
                }
                let chosen = self.dice.index(ready.len());
                let number = ready.iter().nth(chosen).copied();
                number.filter(|number| ready.remove(number))
            };
            let Some(number) = number else { continue };
            let Some(task) = self.tasks.get_mut(&number) else { continue };
            if task.node.is_some_and(|node| self.frozen.contains(&node)) {
                self.waiting.insert(number);
                continue;
            }
            let waker = Waker::from(Arc::clone(&task.wakeup));
            if let Poll::Ready(()) = task.work.as_mut().poll(&mut Context::from_waker(&waker)) {
                drop(self.tasks.remove(&number));
            }
            return true;
        }
    }

    /// Lets tasks go on in seeded order until none is ready.
    pub fn run_ready(&mut self) {
        while self.step() {}
    }
}
