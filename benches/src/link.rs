//! What a local link costs over a direct call through `Arc<dyn Trait>`.

use std::hint::black_box;
use std::sync::Arc;

use ieum_core::{Cx, Fault, system_clock};
use ieum_link::{Link, contract, local_link};
use ieum_policy::{PolicyConfig, PolicyStack};
use serde::{Deserialize, Serialize};

use crate::measure::cost;
use crate::report::{Wanted, figures};

#[derive(Clone, Serialize, Deserialize)]
pub struct Ask {
    pub number: u64,
}

/// Adds one.
#[contract("bench.adder")]
pub trait Adder {
    /// Returns the number plus one.
    #[query]
    async fn add(&self, cx: &Cx, ask: Ask) -> Result<u64, Fault>;
}

pub struct Adding;

#[ieum_link::async_trait]
impl Adder for Adding {
    async fn add(&self, _: &Cx, ask: Ask) -> Result<u64, Fault> {
        Ok(ask.number + 1)
    }
}

const CALLS: u64 = 300_000;
const ROUNDS: usize = 7;

async fn ask(adder: &dyn Adder, cx: &Cx) -> u64 {
    for number in 0..CALLS {
        // The answer is used, so that the call is made.
        let _ = black_box(adder.add(cx, Ask { number: black_box(number) }).await);
    }
    CALLS
}

/// Prints microseconds that each kind of link adds to a direct call.
pub async fn run() -> Result<(), Fault> {
    let direct: Arc<dyn Adder> = Arc::new(Adding);
    let bare = local_link(AdderRoutes::of(direct.clone()), system_clock());
    let stack = PolicyStack::new("bench.adder", &PolicyConfig::default(), system_clock());
    let guarded = Link::new(stack.apply(bare.clone()));
    let subjects: [(&str, Arc<dyn Adder>); 2] = [
        ("local link", Arc::new(AdderClient::new(bare))),
        ("local link with the default policies", Arc::new(AdderClient::new(guarded))),
    ];
    let cx = Cx::root();
    for (name, subject) in subjects {
        let (mut added, mut ratios) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let peer = cost(ask(direct.as_ref(), &cx)).await;
            let ours = cost(ask(subject.as_ref(), &cx)).await;
            added.push(ours.wall_micros() - peer.wall_micros());
            ratios.push(ours.wall_micros() / peer.wall_micros());
        }
        let what = format!("{name}, added to a call through `Arc<dyn Trait>`");
        figures("link", &what, " µs", added, Wanted::AtMost(1.0));
        figures("link", &format!("{name} / that call"), "x", ratios, Wanted::Nothing);
    }
    Ok(())
}
