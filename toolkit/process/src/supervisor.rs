//! Runs a process beside its handle: start, handshake, watch, end, and again.

use std::sync::Arc;
use std::time::Duration;

use ieum_core::{Moment, SharedClock, within};
use rand::Rng;
use tokio::sync::{oneshot, watch};
use tokio_util::sync::CancellationToken;

use crate::launch::{Launched, Voices};
use crate::output::listen;
use crate::restarts::Restarts;
use crate::{Address, AddressError, Ending, ProcessOptions, State, Status, memory};

/// What keeps a process running until it is to stop.
pub struct Supervisor {
    pub options: ProcessOptions,
    pub clock: SharedClock,
    pub status: Arc<watch::Sender<Status>>,
    pub stop: CancellationToken,
}

// === Supervisor ===

impl Supervisor {
    /// Runs it until it is told to stop.
    pub async fn run(self) {
        let mut restarts = Restarts::new(self.options.restarts);
        loop {
            self.tell(State::Starting);
            let mut answering_since = None;
            let ending = self.once(&mut answering_since).await;
            let stopped = matches!(ending, Ending::Stopped);
            let answered = answering_since.map_or(Duration::ZERO, |since| self.clock.moment().since(since));
            let wait = restarts.ended(answered, rand::rng().random());
            let state = if stopped { State::Stopped } else { State::Waiting(wait) };
            if !stopped {
                let again_ms = wait.as_millis() as u64;
                tracing::warn!(process = self.options.name, why = %ending, again_ms, "a process ended");
            }
            self.status.send_modify(|status| {
                status.state = state;
                status.ended = Some(ending);
            });
            if stopped || self.unless_stopped(self.clock.sleep(wait)).await.is_none() {
                self.tell(State::Stopped);
                return;
            }
            self.status.send_modify(|status| status.restarts += 1);
        }
    }

    fn program(&self) -> &str {
        self.options.command.first().map(String::as_str).unwrap_or_default()
    }

    fn tell(&self, state: State) {
        self.status.send_modify(|status| status.state = state);
    }

    /// Completes with `work`; with `None` where the process is to end first.
    async fn unless_stopped<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => None,
            done = work => Some(done),
        }
    }

    /// Runs it once, to its end.
    async fn once(&self, answering_since: &mut Option<Moment>) -> Ending {
        let (mut launched, voices) = match Launched::start(&self.options) {
            Ok(started) => started,
            Err(error) => return Ending::NotStarted(Arc::new(error)),
        };
        let handshake = self.listen_to(voices);
        let ending = match self.handshake(&mut launched, handshake).await {
            Ok(address) => {
                tracing::info!(process = self.options.name, %address, "a process answers");
                *answering_since = Some(self.clock.moment());
                self.tell(State::Running(address));
                self.watch(&mut launched).await
            }
            Err(ending) => ending,
        };
        self.end(&mut launched, &ending).await;
        ending
    }

    fn listen_to(&self, voices: Voices) -> oneshot::Receiver<Result<Address, AddressError>> {
        let (sender, handshake) = oneshot::channel();
        let (name, clock) = (self.options.name.clone(), self.clock.clone());
        tokio::spawn(listen(voices.output, name.clone(), clock.clone(), Some(sender)));
        tokio::spawn(listen(voices.errors, name, clock, None));
        handshake
    }

    /// Waits until it says where it answers.
    async fn handshake(
        &self,
        launched: &mut Launched,
        handshake: oneshot::Receiver<Result<Address, AddressError>>,
    ) -> Result<Address, Ending> {
        let end = self.clock.moment() + self.options.patience;
        let said = async {
            match handshake.await {
                Ok(said) => said.map_err(Ending::Strange),
                // Its output is closed: nothing can come any more.
                Err(_) => std::future::pending().await,
            }
        };
        let silent = Ending::Silent { within: self.options.patience };
        tokio::select! {
            () = self.stop.cancelled() => Err(Ending::Stopped),
            said = within(&self.clock, end, said) => said.unwrap_or(Err(silent)),
            ending = self.watch_memory(launched) => Err(match ending {
                Ending::Exited(status) => Ending::before_it_answers(status, self.program()),
                ending => ending,
            }),
        }
    }

    /// Watches it until it ends, is to end, or holds too much memory.
    async fn watch(&self, launched: &mut Launched) -> Ending {
        self.unless_stopped(self.watch_memory(launched)).await.unwrap_or(Ending::Stopped)
    }

    async fn watch_memory(&self, launched: &mut Launched) -> Ending {
        let (limit, group) = (self.options.memory, launched.group());
        loop {
            tokio::select! {
                ended = launched.child.wait() => return match ended {
                    Ok(status) => Ending::Exited(status),
                    Err(error) => Ending::NotStarted(Arc::new(error)),
                },
                () = self.clock.sleep(self.options.look) => {}
            }
            let Some(group) = group else { continue };
            // A look at many processes takes longer than a thread of the runtime may be held.
            let held = tokio::task::spawn_blocking(move || memory::held(group)).await;
            if let Ok(Some(held)) = held
                && held > limit
            {
                return Ending::Memory { held, limit };
            }
        }
    }

    /// Sees to it that nothing of it is left.
    async fn end(&self, launched: &mut Launched, ending: &Ending) {
        match ending {
            Ending::Stopped => launched.let_go(),
            Ending::Memory { .. } | Ending::Silent { .. } | Ending::Strange(_) => launched.end().await,
            // It is gone; its children are asked to follow.
            Ending::Exited(_)
            | Ending::Missing { .. }
            | Ending::NotRunnable { .. }
            | Ending::NotStarted(_) => {
                launched.let_go();
                return;
            }
        }
        // The keeper ends it within its grace; a second more is for a machine that is busy.
        let end = self.clock.moment() + self.options.grace + Duration::from_secs(1);
        if within(&self.clock, end, launched.child.wait()).await.is_none() {
            launched.end().await;
        }
    }
}
