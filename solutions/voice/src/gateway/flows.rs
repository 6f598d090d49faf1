//! Rows that are with sessions which may still lose them, until these acknowledge them or end.

use std::collections::{HashMap, HashSet};

use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use ieum_device::Receipt;

/// How many rows of a lane are under way at most.
const MOST: usize = 50;

/// The receipts of one message, each from somebody who took it: one is enough.
pub type OfMessage = Vec<Receipt>;
/// The receipts of a row's messages as one device has them: all are needed.
pub type OfDevice = Vec<OfMessage>;

/// Rows under way, by lane.
#[derive(Default)]
pub struct Flows {
    lanes: HashMap<String, Flow>,
    awaited: FuturesUnordered<BoxFuture<'static, Became>>,
}

/// What became of a row.
#[derive(Debug, PartialEq, Eq)]
pub struct Became {
    pub lane: String,
    pub position: i64,
    /// Else it is lost.
    pub is_acknowledged: bool,
}

#[derive(Default)]
struct Flow {
    rows: HashSet<i64>,
    pace: Pace,
}

/// How a lane goes on whose rows are under way.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub enum Pace {
    /// What is new follows at once.
    #[default]
    Flowing,
    /// More waits until there is room.
    Crowded,
    /// The lane is held until it is tried again.
    Held,
}

impl Flows {
    /// Notes that a row is under way: it is through once one device has acknowledged all of it.
    pub fn put(&mut self, lane: &str, position: i64, receipts: Vec<OfDevice>) {
        self.lanes.entry(lane.to_owned()).or_default().rows.insert(position);
        let lane = lane.to_owned();
        let became = async move { Became { lane, position, is_acknowledged: acknowledged(receipts).await } };
        self.awaited.push(became.boxed());
    }

    /// Tells whether a row is under way.
    pub fn has(&self, lane: &str, position: i64) -> bool {
        self.lanes.get(lane).is_some_and(|flow| flow.rows.contains(&position))
    }

    /// Tells whether nothing of a lane is under way.
    pub fn is_empty(&self, lane: &str) -> bool {
        self.lanes.get(lane).is_none_or(|flow| flow.rows.is_empty())
    }

    /// Tells whether what is new in a lane may follow what is under way. Where there is no room, the lane is crowded
    /// from now on.
    pub fn may_follow(&mut self, lane: &str) -> bool {
        let Some(flow) = self.lanes.get_mut(lane).filter(|flow| flow.pace == Pace::Flowing) else {
            return false;
        };
        if flow.rows.len() >= MOST {
            flow.pace = Pace::Crowded;
        }
        flow.pace == Pace::Flowing
    }

    /// Tells whether all of a lane went out and came through.
    pub fn is_through(&self, lane: &str) -> bool {
        self.lanes.get(lane).is_some_and(|flow| flow.pace == Pace::Flowing && flow.rows.is_empty())
    }

    /// Notes how a lane goes on, where anything of it is under way.
    pub fn set_pace(&mut self, lane: &str, pace: Pace) {
        if let Some(flow) = self.lanes.get_mut(lane) {
            flow.pace = pace;
        }
    }

    /// A row is no longer under way. Tells how its lane goes on, `None` where it was not.
    pub fn remove(&mut self, lane: &str, position: i64) -> Option<Pace> {
        let flow = self.lanes.get_mut(lane)?;
        flow.rows.remove(&position).then_some(flow.pace)
    }

    /// Nothing waits in a lane any more.
    pub fn let_go(&mut self, lane: &str) {
        self.lanes.remove(lane);
    }

    /// Waits for what becomes of a row. `None` where none is awaited.
    pub async fn next(&mut self) -> Option<Became> {
        self.awaited.next().await
    }

    /// Returns what came of rows already.
    pub fn at_hand(&mut self) -> Option<Became> {
        self.awaited.next().now_or_never().flatten()
    }
}

async fn acknowledged(devices: Vec<OfDevice>) -> bool {
    let is_true = std::future::ready::<bool>;
    let message = |receipts: OfMessage| {
        let each: FuturesUnordered<_> = receipts.into_iter().map(Receipt::is_acknowledged).collect();
        each.any(is_true)
    };
    let device = |messages: OfDevice| {
        let each: FuturesUnordered<_> = messages.into_iter().map(message).collect();
        each.all(is_true)
    };
    let each: FuturesUnordered<_> = devices.into_iter().map(device).collect();
    each.any(is_true).await
}
