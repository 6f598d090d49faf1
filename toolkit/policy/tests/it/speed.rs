//! What the stack costs a call that is answered at once; run by hand with `--release --ignored --nocapture`.

use std::time::Duration;

use ieum_core::{Clock, Cx, Fault, SystemClock, system_clock};
use ieum_policy::{PolicyConfig, PolicyStack};
use tower::util::BoxCloneSyncService;
use tower::{ServiceExt, service_fn};

use crate::double::{Answer, Ask};

const CALLS: u32 = 200_000;

async fn cost(service: &BoxCloneSyncService<Ask, Answer, Fault>) -> Duration {
    let cx = Cx::root();
    let began = SystemClock.moment();
    for number in 0..u64::from(CALLS) {
        let ask = Ask { cx: cx.clone(), query: true, repeatable: true, number };
        std::hint::black_box(service.clone().oneshot(ask).await.expect("answers"));
    }
    SystemClock.moment().since(began) / CALLS
}

#[tokio::test]
#[ignore = "a measurement; needs --release and a quiet machine"]
async fn the_stack_costs_well_under_a_microsecond() {
    let answer = service_fn(|ask: Ask| async move {
        Ok::<_, Fault>(Answer { number: ask.number, origin: ieum_policy::Origin::Live })
    });
    let bare = BoxCloneSyncService::new(answer);
    let guarded = PolicyStack::new("stock", &PolicyConfig::default(), system_clock()).apply(bare.clone());
    let mut overheads = Vec::new();
    for _ in 0..5 {
        let (plain, with) = (cost(&bare).await, cost(&guarded).await);
        println!("bare {plain:?}, guarded {with:?}");
        overheads.push(with.saturating_sub(plain));
    }
    overheads.sort();
    assert!(overheads[2] < Duration::from_nanos(800), "{overheads:?}");
}
