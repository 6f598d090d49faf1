//! Whole exchanges: dropped, delayed, doubled, overtaken.

use std::time::Duration;

use ieum_core::{Clock, SystemClock};
use ieum_testkit::fault::{FaultPlan, HttpProxy};
use ieum_testkit::port::KeptPort;
use ieum_testkit::wait;

use crate::origin::{Origin, get};

async fn proxy(origin: &Origin, plan: FaultPlan) -> HttpProxy {
    HttpProxy::start(&origin.address.to_string(), plan).await.expect("the plan is right")
}

#[tokio::test]
async fn a_calm_proxy_passes_everything() {
    let origin = Origin::start().await;
    let proxy = proxy(&origin, FaultPlan::default()).await;
    let answer = get(proxy.address(), "/a").await;
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("/a as number 1"), "{answer}");
    assert_eq!((proxy.counts().arrived, proxy.counts().forwarded), (1, 1));
}

#[tokio::test]
async fn a_drop_closes_without_an_answer_and_reaches_the_server_every_second_time() {
    let origin = Origin::start().await;
    let proxy = proxy(&origin, FaultPlan { drop: 1.0, seed: 3, ..FaultPlan::default() }).await;
    for number in 0..40 {
        assert_eq!(get(proxy.address(), &format!("/{number}")).await, "");
    }
    let counts = proxy.counts();
    assert_eq!(counts.dropped_before + counts.dropped_after, 40);
    assert_eq!(origin.seen().len() as u64, counts.dropped_after);
    assert!((8..32).contains(&counts.dropped_after), "{counts:?}");
}

#[tokio::test]
async fn a_duplicate_reaches_the_server_twice() {
    let origin = Origin::start().await;
    let proxy = proxy(&origin, FaultPlan { duplicate: 1.0, ..FaultPlan::default() }).await;
    assert!(get(proxy.address(), "/once").await.starts_with("HTTP/1.1 200"));
    assert_eq!(origin.seen(), ["/once", "/once"]);
    assert_eq!(proxy.counts().duplicated, 1);
}

#[tokio::test]
async fn a_held_request_is_overtaken_by_a_later_one() {
    let origin = Origin::start().await;
    let held = FaultPlan { reorder: 1.0, delay_most: Duration::from_secs(600), ..FaultPlan::default() };
    let proxy = proxy(&origin, held).await;
    let address = proxy.address();
    let first = tokio::spawn(async move { get(address, "/first").await });
    wait::until("the first request arrived", Duration::from_secs(60), || async {
        proxy.counts().arrived == 1
    })
    .await
    .expect("it was sent");
    proxy.change(FaultPlan::default()).expect("the plan is right");
    wait::until("the second overtook the first", Duration::from_secs(60), || async {
        get(address, "/second").await;
        proxy.counts().reordered == 1
    })
    .await
    .expect("the first is held");
    assert!(first.await.expect("it did not panic").contains("/first"));
    let seen = origin.seen();
    assert_eq!((seen[0].as_str(), seen.last().map(String::as_str)), ("/second", Some("/first")));
}

#[tokio::test]
async fn a_delay_takes_time_and_loses_nothing() {
    let origin = Origin::start().await;
    let slow = FaultPlan { delay: 1.0, delay_most: Duration::from_millis(40), ..FaultPlan::default() };
    let proxy = proxy(&origin, slow).await;
    let began = SystemClock.moment();
    for _ in 0..8 {
        assert!(get(proxy.address(), "/slow").await.contains("200 OK"));
    }
    assert!(SystemClock.moment().since(began) > Duration::from_millis(40));
    assert_eq!(proxy.counts().delayed, 8);
}

#[tokio::test]
async fn a_server_that_is_gone_is_a_bad_gateway() {
    let nobody = KeptPort::take();
    let proxy = HttpProxy::start(&nobody.address().to_string(), FaultPlan::default())
        .await
        .expect("the plan is right");
    assert!(get(proxy.address(), "/").await.starts_with("HTTP/1.1 502"));
}
