//! The streams that are open in this process, and who is at them: what nobody asked for is told there, too.

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What waits for one stream at most; beyond that it has no room.
const MOST_WAITING: usize = 64;

/// The open streams. Clones share them.
#[derive(Clone)]
pub struct Streams {
    open: Arc<Mutex<Open>>,
    /// Told when a stream opens.
    waiting: Arc<Notify>,
    /// Every stream is to end.
    ending: CancellationToken,
    tasks: TaskTracker,
}

/// The way to one stream, which may listen to several lanes.
type Numbered = (u64, mpsc::Sender<Arc<str>>);

#[derive(Default)]
struct Open {
    lanes: HashMap<String, Vec<Numbered>>,
    count: u64,
    opened: HashSet<String>,
}

/// What became of a message for streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// At least one has it.
    Taken,
    /// Some are open, and none has room.
    Full,
    /// None is open.
    Nobody,
}

/// What one stream is told. Dropping it ends that.
pub struct Listening {
    streams: Streams,
    lanes: Vec<String>,
    number: u64,
    told: mpsc::Receiver<Arc<str>>,
}

impl Streams {
    /// Begins without any; `waiting` is told when one opens.
    pub fn new(waiting: Arc<Notify>) -> Self {
        Self { open: Arc::default(), waiting, ending: CancellationToken::new(), tasks: TaskTracker::new() }
    }

    /// Runs a stream, for [`Self::end`] to wait for.
    pub fn spawn(&self, stream: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(stream);
    }

    /// Returns what tells a stream that it is to end.
    pub fn ending(&self) -> CancellationToken {
        self.ending.clone()
    }

    /// Ends every stream, also those that open later, and waits until each has answered and taken its leave.
    pub async fn end(&self) {
        self.ending.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Listens to what is sent to any of these lanes.
    pub fn listen(&self, lanes: Vec<String>) -> Listening {
        let (tell, told) = mpsc::channel(MOST_WAITING);
        let mut open = self.open.lock();
        open.count += 1;
        let number = open.count;
        for lane in &lanes {
            open.lanes.entry(lane.clone()).or_default().push((number, tell.clone()));
            open.opened.insert(lane.clone());
        }
        drop(open);
        self.waiting.notify_one();
        Listening { streams: self.clone(), lanes, number, told }
    }

    /// Tells every stream that listens to one of these lanes, each once.
    pub fn tell<'a>(&self, lanes: impl IntoIterator<Item = &'a str>, message: &Arc<str>) -> Told {
        self.tell_besides(lanes, None, message)
    }

    /// Tells them like [`Streams::tell`], but for those that listen to the lane `besides`: there they are told of it.
    pub fn tell_besides<'a>(
        &self,
        lanes: impl IntoIterator<Item = &'a str>,
        besides: Option<&str>,
        message: &Arc<str>,
    ) -> Told {
        let open = self.open.lock();
        let others = besides.and_then(|lane| open.lanes.get(lane)).into_iter().flatten();
        let mut seen: HashSet<u64> = others.map(|(number, _)| *number).collect();
        let mut told = Told::Nobody;
        for (number, tell) in lanes.into_iter().filter_map(|lane| open.lanes.get(lane)).flatten() {
            if !seen.insert(*number) {
                continue;
            }
            match tell.try_send(message.clone()) {
                Ok(()) => told = Told::Taken,
                Err(TrySendError::Full(_)) if told == Told::Nobody => told = Told::Full,
                Err(_) => {}
            }
        }
        told
    }

    /// Returns the lanes that somebody began to listen to since this was last asked.
    pub fn opened(&self) -> HashSet<String> {
        std::mem::take(&mut self.open.lock().opened)
    }
}

impl Listening {
    /// Waits for the next message.
    pub async fn next(&mut self) -> Arc<str> {
        match self.told.recv().await {
            Some(message) => message,
            // The streams hold the sender as long as this lives.
            None => std::future::pending().await,
        }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let open = &mut *self.streams.open.lock();
        for lane in &self.lanes {
            let Some(streams) = open.lanes.get_mut(lane) else { continue };
            streams.retain(|(number, _)| *number != self.number);
            if streams.is_empty() {
                open.lanes.remove(lane);
                // Nobody may ask who came, and whoever came is gone.
                open.opened.remove(lane);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_stream_is_told_once_as_long_as_it_is_open_and_has_room() {
        let streams = Streams::new(Arc::default());
        let tell = |text: &str| streams.tell(["kitchen", "person/ada"], &text.into());
        assert_eq!(tell("nobody hears"), Told::Nobody);
        let mut both = streams.listen(vec!["kitchen".into(), "person/ada".into()]);
        let mut other = streams.listen(vec!["person/ada".into()]);
        assert_eq!((tell("hears"), streams.opened().len(), streams.opened().len()), (Told::Taken, 2, 0));
        let besides = |text: &str| streams.tell_besides(["person/ada"], Some("kitchen"), &text.into());
        assert_eq!(besides("not the kitchen"), Told::Taken);
        assert_eq!((&*other.next().await, &*other.next().await), ("hears", "not the kitchen"));
        drop(other);
        assert_eq!(besides("nobody else"), Told::Nobody);
        assert_eq!(&*both.next().await, "hears");
        for _ in 0..MOST_WAITING {
            assert_eq!(tell("again"), Told::Taken, "each is told once, so that there is room");
        }
        assert_eq!(tell("too much"), Told::Full);
        drop(both);
        assert_eq!(tell("gone"), Told::Nobody);
        assert!(streams.open.lock().lanes.is_empty(), "nothing is left of it");
    }

    #[tokio::test]
    async fn who_came_and_went_is_forgotten_though_nobody_asks_who_came() {
        let streams = Streams::new(Arc::default());
        let stays = streams.listen(vec!["kitchen".into()]);
        drop(streams.listen(vec!["kitchen".into(), "person/ada".into()]));
        assert_eq!(streams.opened(), HashSet::from(["kitchen".to_owned()]));
        drop(stays);
    }
}
