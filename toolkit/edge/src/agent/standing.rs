//! A connection of a device that stands: messages out within a window, answers in, each acknowledged for its number.

use std::collections::HashMap;
use std::convert::Infallible;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedReceiver;

use super::Notice;
use super::running::Running;
use crate::connection::{Connection, Incoming};
use crate::queue::{News, Payload};
use crate::worker::{Answer, Come, Dealt};
use crate::{ConnectError, Kind, QueueError, Refusal};

/// What a connection that stands remembers.
pub(super) struct Standing {
    pub connection: Connection,
    pub generation: u64,
    pub window: usize,
    pub largest: usize,
    /// Messages under way by their number in packets.
    pub flying: HashMap<u16, (i64, Kind)>,
    pub present: bool,
    /// Refusals and failed reads in a row that may pass.
    pub failed: u32,
}

/// Why a connection ended.
pub(super) enum End {
    Stopped,
    Failed(ConnectError),
    Queue(QueueError),
}

/// While as many bytes are not written yet, nothing more is readied: the broker is slow.
const UNSENT: usize = 256 * 1024;
/// How often what is too old is looked for.
const SWEEP: Duration = Duration::from_secs(10);

impl From<ConnectError> for End {
    fn from(error: ConnectError) -> Self {
        Self::Failed(error)
    }
}

impl From<QueueError> for End {
    fn from(error: QueueError) -> Self {
        Self::Queue(error)
    }
}

impl Running<'_> {
    /// Serves a connection until it ends.
    pub async fn serve(
        &self,
        mut standing: Standing,
        first: Vec<Incoming>,
        dealt: &mut UnboundedReceiver<Dealt>,
    ) -> End {
        let Err(end) = self.pass(&mut standing, first, dealt).await;
        if matches!(end, End::Stopped) {
            standing.connection.close().await;
        }
        end
    }

    /// Passes messages both ways.
    async fn pass(
        &self,
        standing: &mut Standing,
        first: Vec<Incoming>,
        dealt: &mut UnboundedReceiver<Dealt>,
    ) -> Result<Infallible, End> {
        for incoming in first {
            self.incoming(standing, incoming).await?;
        }
        let clock = &self.agent.clock;
        // What was wrong with the disk before may have passed.
        self.agent.queue.settle().await?;
        let mut sweep = clock.sleep(Duration::ZERO);
        let mut pause = None;
        loop {
            let failed = standing.failed;
            if pause.is_none() {
                self.send(standing).await?;
                pause = self.wait_after(standing, failed).map(|wait| clock.sleep(wait));
            }
            self.tell_of_the_disk();
            let resting = async {
                match &mut pause {
                    Some(pause) => pause.await,
                    None => std::future::pending().await,
                }
            };
            let failed = standing.failed;
            tokio::select! {
                incoming = standing.connection.next() => self.incoming(standing, incoming?).await?,
                Some((generation, id)) = dealt.recv() => {
                    if generation == standing.generation {
                        standing.connection.acknowledge(id);
                    }
                }
                () = self.agent.taken.notified() => {}
                () = resting => pause = None,
                () = &mut sweep => {
                    sweep = clock.sleep(SWEEP);
                    self.sweep().await?;
                }
                () = self.stop.cancelled() => return Err(End::Stopped),
            }
            pause = self.wait_after(standing, failed).map(|wait| clock.sleep(wait)).or(pause);
        }
    }

    /// Returns how long nothing is sent where more failed than `before`.
    fn wait_after(&self, standing: &Standing, before: u32) -> Option<Duration> {
        (standing.failed > before).then(|| self.options.backoff.delay(standing.failed, rand::random()))
    }

    /// Tells once where the disk takes or gives nothing, and once where it takes what it is given again.
    fn tell_of_the_disk(&self) {
        while let Some(news) = self.agent.queue.news() {
            self.listener.noticed(match news {
                News::Trouble(problem) => Notice::Unkept { problem },
                News::Unread(problem) => Notice::Unread { problem },
                News::Well => Notice::KeptAgain,
            });
        }
    }

    /// Gives up what is too old, tells of all that was given up, and writes what is owed to the disk.
    async fn sweep(&self) -> Result<(), End> {
        self.agent.queue.settle().await?;
        self.agent.queue.expire().await?;
        for ((kind, why), count) in self.agent.queue.given_up() {
            self.listener.noticed(Notice::GivenUp { kind, why, count });
        }
        Ok(())
    }

    /// Readies what may go out.
    async fn send(&self, standing: &mut Standing) -> Result<(), End> {
        let queue = &self.agent.queue;
        while standing.flying.len() < standing.window && standing.connection.unsent() < UNSENT {
            let Some(head) = queue.next() else { return Ok(()) };
            let payload = match queue.payload(head.position).await? {
                Payload::Says(payload) => payload,
                Payload::Gone => {
                    queue.done(head.position).await?;
                    continue;
                }
                Payload::Unread => {
                    queue.land(Some(head.position));
                    standing.failed += 1;
                    return Ok(());
                }
            };
            let topic = format!("device/{}/{}", self.options.device, head.kind.name());
            // What stands around the payload in a packet is shorter.
            if payload.len() + topic.len() + 20 > standing.largest {
                queue.done(head.position).await?;
                let refusal = Refusal(0x95);
                self.listener.noticed(Notice::Refused { number: head.position, kind: head.kind, refusal });
                continue;
            }
            let id = number_of(head.position);
            let again = head.again && standing.present;
            standing.connection.publish(id, &topic, &payload, (false, again))?;
            standing.flying.insert(id, (head.position, head.kind));
        }
        Ok(())
    }

    async fn incoming(&self, standing: &mut Standing, incoming: Incoming) -> Result<(), End> {
        let queue = &self.agent.queue;
        match incoming {
            Incoming::Message { topic, payload, id, .. } => {
                let generation = standing.generation;
                // The worker lives as long as the agent; how many may come is what the broker was told.
                let _ = self.come.send(Come { generation, id, answer: Answer { topic, payload } });
            }
            Incoming::Taken { id } => {
                if let Some((number, kind)) = standing.flying.remove(&id) {
                    queue.done(number).await?;
                    standing.failed = 0;
                    self.listener.noticed(Notice::Delivered { number, kind });
                }
            }
            Incoming::Refused { id, refusal } => {
                let Some((number, kind)) = standing.flying.remove(&id) else { return Ok(()) };
                if refusal.may_pass() {
                    queue.land(Some(number));
                    standing.failed += 1;
                } else {
                    queue.done(number).await?;
                    self.listener.noticed(Notice::Refused { number, kind, refusal });
                }
            }
        }
        Ok(())
    }
}

/// Returns a message's number in packets: the same after a kill, so that the broker knows it again (MQTT 5 §4.4).
fn number_of(position: i64) -> u16 {
    u16::try_from(position.rem_euclid(65_534)).unwrap_or_default() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_in_packets_is_never_zero_nor_that_of_a_subscription() {
        let numbers: Vec<u16> = [0, 1, 65_533, 65_534, i64::MAX].into_iter().map(number_of).collect();
        assert_eq!(numbers[..4], [1, 2, 65_534, 1]);
        assert!(numbers.iter().all(|number| (1..65_535).contains(number)));
    }
}
