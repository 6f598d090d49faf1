//! Answers `platform.watch`: tells a link at first and again whenever it changes.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use async_trait::async_trait;
use futures::future::{Either, select};
use futures::stream::{self, StreamExt};
use ieum_contracts::platform::{LinkStatus, PlatformWatch, ProcessStatus, WatchLinks};
use ieum_core::{Cx, Fault, SharedClock};
use ieum_link::{Incoming, Outgoing};
use tokio_util::sync::CancellationToken;

use super::LinkBoard;

/// How often the links are looked at. Whoever watches sees a change this much later at most.
const LOOK: Duration = Duration::from_millis(200);

/// The links of this process before a person's eyes.
pub struct Watching {
    /// The links.
    pub board: LinkBoard,
    /// When to look.
    pub clock: SharedClock,
    /// Ends every watching: who watches would hold up the process's end.
    pub stop: CancellationToken,
}

/// One watcher: whom it asks for, what it was told, and what it is to be told next.
struct Watcher {
    board: LinkBoard,
    clock: SharedClock,
    asks: Incoming<WatchLinks>,
    chosen: Option<WatchLinks>,
    told: BTreeMap<String, Seen>,
    next: VecDeque<LinkStatus>,
}

/// What of a link counts as a change: the breaker, the instances that are left out, and the process that answers.
type Seen = (Option<(String, Option<String>)>, Vec<String>, Option<ProcessStatus>);

#[async_trait]
impl PlatformWatch for Watching {
    async fn links(&self, _: &Cx, asks: Incoming<WatchLinks>) -> Result<Outgoing<LinkStatus>, Fault> {
        let watcher = Watcher {
            board: self.board.clone(),
            clock: self.clock.clone(),
            asks,
            chosen: None,
            told: BTreeMap::new(),
            next: VecDeque::new(),
        };
        let told =
            stream::unfold(watcher, |mut watcher| async move { Some((watcher.tell().await?, watcher)) });
        Ok(told.take_until(self.stop.clone().cancelled_owned()).boxed())
    }
}

impl Watcher {
    /// Returns the next status to tell; `None` once nobody asks any more.
    async fn tell(&mut self) -> Option<Result<LinkStatus, Fault>> {
        loop {
            if let Some(status) = self.next.pop_front() {
                return Some(Ok(status));
            }
            let pause = self.clock.sleep(LOOK);
            match select(self.asks.next(), pause).await {
                Either::Left((None, _)) => return None,
                Either::Left((Some(Err(fault)), _)) => return Some(Err(fault)),
                Either::Left((Some(Ok(ask)), _)) => {
                    self.told.clear();
                    self.chosen = Some(ask);
                }
                Either::Right(_) => {}
            }
            self.look();
        }
    }

    fn look(&mut self) {
        let Some(chosen) = &self.chosen else { return };
        for status in self.board.all().iter().map(super::board::Entry::status) {
            if !chosen.names.is_empty() && !chosen.names.contains(&status.name) {
                continue;
            }
            let seen = seen(&status);
            if self.told.get(&status.name) != Some(&seen) {
                self.told.insert(status.name.clone(), seen);
                self.next.push_back(status);
            }
        }
    }
}

fn seen(status: &LinkStatus) -> Seen {
    let breaker = status.breaker.as_ref().map(|breaker| (breaker.state.clone(), breaker.reason.clone()));
    let ejected = status.instances.iter().filter(|instance| instance.ejected);
    let ejected = ejected.map(|instance| instance.address.clone()).collect();
    (breaker, ejected, status.process.clone())
}
