//! Policies around a wire: what an answerer that fails is spared.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use ieum_core::{Code, Cx, system_clock};
use ieum_link::Link;
use ieum_policy::{PolicyConfig, PolicyStack};
use ieum_wires::grpc::{GrpcWire, GrpcWireConfig};
use ieum_wires::http::{HttpWire, HttpWireConfig};
use ieum_wires::modes::{LinkServer, Mode, router};

use crate::sample::{Answerer, Desk, DeskClient, FailWith, Nothing};

async fn guarded(mode: Mode, config: &PolicyConfig) -> (Answerer, LinkServer, PolicyStack, DeskClient) {
    let answerer = Answerer::default();
    let router = router(answerer.routes(), system_clock());
    let server = LinkServer::start(router, system_clock()).await.expect("starts");
    let link = match mode {
        Mode::Grpc => GrpcWire::connect_lazy(GrpcWireConfig::new(server.instances()), system_clock()).link(),
        _ => HttpWire::new(HttpWireConfig::new(server.instances()), system_clock()).link(),
    };
    let stack = PolicyStack::new("desk", config, system_clock());
    let desk = DeskClient::new(Link::new(stack.apply(link)));
    (answerer, server, stack, desk)
}

fn down() -> FailWith {
    FailWith {
        code: Code::Unavailable,
        reason: "desk.down".into(),
        message: "x".into(),
        retry_after_ms: None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answerer_that_always_fails_gets_at_most_a_fifth_more_than_its_normal_load() {
    const CALLS: usize = 600;
    for mode in [Mode::Http, Mode::Grpc] {
        let mut config = PolicyConfig { breaker: None, ..PolicyConfig::default() };
        (config.retry.first, config.retry.most) = (Duration::from_millis(1), Duration::from_millis(2));
        let (answerer, _server, stack, desk) = guarded(mode, &config).await;
        let desk = Arc::new(desk);
        for _ in 0..CALLS / 20 {
            let cx = Cx::root();
            let calls = (0..20).map(|_| desk.fail(&cx, down()));
            for answer in futures::future::join_all(calls).await {
                assert_eq!(answer.expect_err("is down").reason, "desk.down");
            }
        }
        let received = answerer.0.calls.load(Ordering::SeqCst);
        assert!(received > CALLS, "{mode:?}: some were repeated");
        assert!(received <= CALLS * 12 / 10, "{mode:?}: {CALLS} calls became {received}");
        assert_eq!(stack.handle().snapshot().calls, CALLS as u64);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_breaker_spares_an_answerer_that_is_down_nearly_everything() {
    let (answerer, _server, _, desk) = guarded(Mode::Http, &PolicyConfig::default()).await;
    for _ in 0..300 {
        desk.fail(&Cx::root(), down()).await.expect_err("is down");
    }
    let received = answerer.0.calls.load(Ordering::SeqCst);
    assert!(received <= 20, "300 calls became {received}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_what_may_be_repeated_is_repeated_and_counts_its_attempts() {
    let mut config = PolicyConfig { breaker: None, ..PolicyConfig::default() };
    config.retry.first = Duration::from_millis(1);
    let (answerer, server, _, desk) = guarded(Mode::Http, &config).await;
    let calls = || answerer.0.calls.load(Ordering::SeqCst);
    desk.fail(&Cx::root(), down()).await.expect_err("is down");
    assert!(calls() > 1, "a query is repeated");
    let before = calls();
    let wrong = FailWith { code: Code::InvalidArgument, ..down() };
    desk.fail(&Cx::root(), wrong).await.expect_err("is wrong");
    assert_eq!(calls(), before + 1, "what can never be right is not");
    let seen = desk.look(&Cx::root(), Nothing {}).await.expect("answers");
    assert_eq!(seen.attempt, 0);
    server.stop().await;
    let fault = desk.look(&Cx::root(), Nothing {}).await.expect_err("is gone");
    assert_eq!(fault.code, Code::Unavailable);
}
