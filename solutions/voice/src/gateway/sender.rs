//! Sends what is queued for devices and people: in order, once somebody is there to take it, again after a failure or a
//! kill, under the same id.

mod telling;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use ieum_core::{Fault, Moment};
use ieum_device::{Arrival, Broker, Client, ClientOptions, Published};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio_util::sync::CancellationToken;

use super::errands::{Errands, Found};
use super::flows::{Became, Flows, OfDevice, Pace};
use super::held::Held;
use super::lanes::device_of;
use super::spoken::SpokenWords;
use crate::dialogue::DialogManager;
use crate::replies::{Queue, Waiting};

/// How many new messages are sent at once: they share a sync of the broker's.
const AT_ONCE: usize = 100;
/// How many lanes that were held are tried at once, and how much of each.
const LANES: usize = 10;
const OF_A_LANE: usize = 50;
/// What another process queued is seen after this time at the latest.
const LOOK: Duration = Duration::from_secs(1);

/// Sends what waits.
pub struct Sender {
    client: Client,
    arrivals: Receiver<Arrival>,
    manager: Arc<DialogManager>,
    queue: Queue,
    held: Held,
    flows: Flows,
    /// Rows that came through, to be written down.
    through: Vec<(String, i64)>,
    errands: Errands,
    /// The devices of people who are written to right now, by lane.
    devices: HashMap<String, Vec<String>>,
    spoken: SpokenWords,
}

/// What became of a row.
enum Sent {
    /// Somebody has it, or nobody needs it any more.
    Done,
    /// It is with somebody who may lose it.
    UnderWay(Vec<OfDevice>),
    /// Nobody is there.
    Nobody,
    /// Who is there has no room.
    Full,
    /// It goes on when an errand is back.
    Asking,
}

/// What a round did.
#[derive(Default)]
struct Round {
    published: Vec<Published>,
    done: Vec<i64>,
    hold: Vec<i64>,
    hold_lanes: HashSet<String>,
    /// Lanes of which everything that was held is sent.
    free: HashSet<String>,
}

impl Sender {
    /// Attaches to the broker.
    pub fn attach(broker: &Broker, manager: &Arc<DialogManager>) -> Self {
        Self {
            client: broker.client("voice-sender", &ClientOptions::default()),
            arrivals: broker.arrivals(),
            manager: manager.clone(),
            queue: Queue { sql: manager.store.sql.clone() },
            held: Held::default(),
            flows: Flows::default(),
            through: Vec::new(),
            errands: Errands::default(),
            devices: HashMap::new(),
            spoken: SpokenWords::default(),
        }
    }

    /// Sends until `stop`, and then what still waits and can be sent.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut remembers = false;
        loop {
            let ending = stop.is_cancelled();
            let more = match self.begin(&mut remembers).await {
                Ok(()) => self.round().await,
                Err(fault) => Err(fault),
            };
            let more = more.unwrap_or_else(|fault| {
                tracing::warn!(error = %fault, "sending to devices failed; trying again");
                false
            });
            if ending {
                return;
            }
            if !more {
                self.wait(&stop).await;
            }
        }
    }

    /// Tries once what an earlier process held: whoever it is for may be back.
    async fn begin(&mut self, remembers: &mut bool) -> Result<(), Fault> {
        if !*remembers {
            self.queue.lanes().await?.into_iter().for_each(|lane| self.held.remember(lane));
            *remembers = true;
        }
        Ok(())
    }

    async fn wait(&mut self, stop: &CancellationToken) {
        let now = self.now();
        let look = self.held.next().map_or(LOOK, |next| next.since(now).min(LOOK));
        tokio::select! {
            () = self.manager.waiting.notified() => {}
            () = self.manager.clock.sleep(look) => {}
            arrival = self.arrivals.recv() => self.came(arrival),
            Some((lane, found)) = self.errands.next() => self.found(&lane, found),
            Some(became) = self.flows.next() => self.became(&became),
            () = stop.cancelled() => {}
        }
        self.hear_of_flows();
        while let Some(arrival) = at_hand(&mut self.arrivals) {
            self.came(arrival);
        }
        for lane in self.manager.streams.opened() {
            self.held.came(&lane);
        }
    }

    fn now(&self) -> Moment {
        self.manager.clock.moment()
    }

    fn came(&mut self, arrival: Result<Arrival, RecvError>) {
        // What was lost before somebody came is to be there for it.
        self.hear_of_flows();
        let Ok(arrival) = arrival else { return self.held.all_came() };
        let shared = arrival.filter.strip_prefix("$share/").and_then(|rest| rest.split_once('/'));
        let filter = shared.map_or(&*arrival.filter, |(_, filter)| filter);
        match device_of(filter) {
            Some(device) if !device.contains(['+', '#']) => self.held.came(device),
            None if !filter.starts_with(['+', '#']) => {}
            // One filter of many devices.
            _ => self.held.all_came(),
        }
    }

    fn found(&mut self, lane: &str, found: Option<Found>) {
        match found {
            Some(Found::Devices(devices)) => drop(self.devices.insert(lane.to_owned(), devices)),
            Some(Found::Spoken(position, audio)) => self.spoken.put(lane, position, audio),
            None => return self.held.for_a_while(lane, self.manager.clock.moment()),
        }
        self.held.now(lane);
    }

    fn hear_of_flows(&mut self) {
        while let Some(became) = self.flows.at_hand() {
            self.became(&became);
        }
    }

    /// Notes what became of a row that was under way.
    fn became(&mut self, became: &Became) {
        let (lane, position) = (became.lane.as_str(), became.position);
        let Some(pace) = self.flows.remove(lane, position) else { return };
        match (became.is_acknowledged, pace) {
            (true, Pace::Crowded) => self.held.now(lane),
            (false, Pace::Flowing | Pace::Crowded) => {
                self.flows.set_pace(lane, Pace::Held);
                let devices = self.devices.get(lane).cloned().unwrap_or_default();
                self.held.until_one_comes_or_later(lane, devices, self.manager.clock.moment());
            }
            (true, Pace::Flowing) | (_, Pace::Held) => {}
        }
        if became.is_acknowledged {
            self.through.push((lane.to_owned(), position));
        }
    }

    /// Sends one batch; returns whether there may be more right now.
    async fn round(&mut self) -> Result<bool, Fault> {
        let mut round = Round::default();
        let through: Vec<i64> = self.through.iter().map(|(_, position)| *position).collect();
        self.queue.done(&through).await?;
        for (lane, _) in self.through.drain(..).filter(|(lane, _)| self.flows.is_through(lane)) {
            round.free.insert(lane);
        }
        for lane in self.held.due(self.now(), LANES) {
            let rows = self.queue.held(&lane, OF_A_LANE).await?;
            if rows.iter().all(|row| self.goes_on(row, &mut round)) {
                self.went(lane, rows.len() < OF_A_LANE, &mut round);
            }
        }
        let fresh = self.queue.fresh(AT_ONCE).await?;
        for row in &fresh {
            let lane = row.lane.as_str();
            self.tell_streams_of_the_person(row);
            let follows = !self.held.has(lane) || round.free.contains(lane) || self.flows.may_follow(lane);
            if !follows {
                round.hold.push(row.position);
            } else if !self.goes_on(row, &mut round) {
                round.hold.push(row.position);
                round.hold_lanes.insert(row.lane.clone());
            } else if self.flows.has(lane, row.position) {
                round.hold.push(row.position);
            }
        }
        self.finish(round).await?;
        Ok(fresh.len() == AT_ONCE || self.held.has_due())
    }

    /// Writes down what a round did, once it is safe with whoever took it.
    async fn finish(&mut self, round: Round) -> Result<(), Fault> {
        for published in &round.published {
            self.client.settled(published).await.map_err(|error| {
                Fault::unavailable("voice.devices", format!("sending to devices: {error}"))
            })?;
        }
        self.queue.done(&round.done).await?;
        self.queue.hold(&round.hold).await?;
        for lane in &round.hold_lanes {
            self.queue.hold_lane(lane).await?;
        }
        for lane in &round.free {
            self.devices.remove(lane);
            self.spoken.let_go(lane);
            self.flows.let_go(lane);
            self.held.let_go(lane);
        }
        Ok(())
    }

    /// Everything that was held in a lane went out, or as much of it as was looked at.
    fn went(&mut self, lane: String, is_all: bool, round: &mut Round) {
        if !self.flows.is_empty(&lane) {
            self.flows.set_pace(&lane, if is_all { Pace::Flowing } else { Pace::Crowded });
            self.held.while_under_way(&lane, self.manager.clock.moment());
        } else if is_all {
            round.free.insert(lane);
        }
    }

    /// Sends a row; holds its lane and returns false where it cannot be.
    fn goes_on(&mut self, row: &Waiting, round: &mut Round) -> bool {
        let lane = row.lane.as_str();
        if self.flows.has(lane, row.position) && !row.is_stale(self.manager.clock.now()) {
            return true;
        }
        let (sent, now) = (self.send(row, round), self.now());
        if !matches!(sent, Sent::Done) {
            round.free.remove(lane);
        }
        match sent {
            Sent::Done => {
                self.flows.remove(lane, row.position);
                round.done.push(row.position);
                return true;
            }
            Sent::UnderWay(receipts) => {
                if self.flows.is_empty(lane) {
                    self.held.while_under_way(lane, now);
                }
                self.flows.put(lane, row.position, receipts);
                return true;
            }
            Sent::Nobody => match self.devices.remove(lane) {
                Some(devices) => self.held.until_one_comes(lane, devices, now),
                None => self.held.until_it_comes(lane),
            },
            Sent::Full => {
                tracing::warn!(device = lane, "an answer waits for its device, which has no room");
                self.held.for_a_while(lane, now);
            }
            Sent::Asking => self.held.until_told(lane),
        }
        self.flows.set_pace(lane, Pace::Held);
        false
    }
}

/// Returns what was told already, that something was missed included.
fn at_hand<T: Clone>(arrivals: &mut Receiver<T>) -> Option<Result<T, RecvError>> {
    match arrivals.try_recv() {
        Ok(arrival) => Some(Ok(arrival)),
        Err(TryRecvError::Lagged(missed)) => Some(Err(RecvError::Lagged(missed))),
        Err(TryRecvError::Empty | TryRecvError::Closed) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_missed_arrivals_is_told_so_and_then_of_the_rest() {
        let (tell, mut told) = tokio::sync::broadcast::channel(1_024);
        for number in 0..1_100 {
            tell.send(number).expect("somebody listens");
        }
        assert_eq!(at_hand(&mut told), Some(Err(RecvError::Lagged(76))));
        let rest: Vec<i32> =
            std::iter::from_fn(|| at_hand(&mut told)).map(|next| next.expect("is there")).collect();
        assert_eq!(rest, (76..1_100).collect::<Vec<_>>());
    }
}
