//! From one connection of a device to its next: what is tried again, after which wait, and what ends it.

use std::collections::HashMap;
use std::sync::atomic::Ordering;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio_util::sync::CancellationToken;

use super::standing::{End, Standing};
use super::{Agent, AgentError, AgentOptions, Notice};
use crate::ConnectError;
use crate::connection::{Connection, Greeting, Hello, Incoming};
use crate::worker::{Come, Dealt, Listener};

/// What every connection of an agent needs.
pub(super) struct Running<'a> {
    pub agent: &'a Agent,
    pub options: &'a AgentOptions,
    pub listener: &'a dyn Listener,
    /// Where answers are handed over.
    pub come: &'a UnboundedSender<Come>,
    pub stop: &'a CancellationToken,
}

/// The most answers that come before the first is dealt with.
const RECEIVE: u16 = 32;
/// How many seconds the broker keeps the session of a device that is away.
const SESSION: u32 = 7 * 24 * 3_600;

impl Running<'_> {
    /// Connects, again and again, until it is to stop or trying again cannot help.
    pub async fn run(&self, dealt: &mut UnboundedReceiver<Dealt>) -> Result<(), AgentError> {
        let (mut failures, mut generation) = (0, 0);
        let device = || self.options.device.clone();
        loop {
            generation += 1;
            let opened = tokio::select! {
                opened = self.attempt(generation) => opened,
                () = self.stop.cancelled() => return Ok(()),
            };
            let end = match opened {
                Ok((standing, first)) => {
                    failures = 0;
                    self.agent.connected.store(true, Ordering::Release);
                    self.serve(standing, first, dealt).await
                }
                Err(error) => End::Failed(error),
            };
            self.agent.connected.store(false, Ordering::Release);
            self.agent.queue.land(None);
            let error = match end {
                End::Stopped => return Ok(()),
                End::Queue(source) => return Err(AgentError::Queue { device: device(), source }),
                End::Failed(source) if !source.may_pass() => {
                    return Err(AgentError::Hopeless { device: device(), source });
                }
                End::Failed(error) => error,
            };
            failures += 1;
            let again_in = self.options.backoff.delay(failures, rand::random());
            self.listener.noticed(Notice::Away { error, again_in });
            tokio::select! {
                () = self.agent.clock.sleep(again_in) => {}
                () = self.stop.cancelled() => return Ok(()),
            }
        }
    }

    /// Connects and subscribes once.
    async fn attempt(&self, generation: u64) -> Result<(Standing, Vec<Incoming>), ConnectError> {
        let Self { options, listener, .. } = self;
        let hello = Hello {
            client: options.device.clone(),
            credentials: options.secret.clone().map(|secret| (options.device.clone(), secret)),
            keep_alive: options.keep_alive,
            session_seconds: SESSION,
            receive: RECEIVE,
        };
        let opened = Connection::open(&options.address, &hello, &options.trust, &self.agent.clock).await?;
        let (mut connection, Greeting { present, receive, packet }) = opened;
        let first = connection.subscribe(&format!("device/{}/response", options.device)).await?;
        listener.noticed(Notice::Connected { resumed: present });
        let standing = Standing {
            connection,
            generation,
            window: usize::from(options.window.min(receive).max(1)),
            largest: usize::try_from(packet).unwrap_or(usize::MAX),
            flying: HashMap::new(),
            present,
            failed: 0,
        };
        Ok((standing, first))
    }
}
