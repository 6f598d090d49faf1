//! The server that all wires share: stopping, and strangers on its port.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use ieum_core::{Clock, Code, Cx, ManualClock, system_clock};
use ieum_testkit::wait::until;
use ieum_wires::grpc::{GrpcWire, GrpcWireConfig};
use ieum_wires::http::{HttpWire, HttpWireConfig};
use ieum_wires::modes::{LinkServer, router};
use ieum_wires::serve::{Drained, ServeOptions, serve};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use crate::sample::{Answerer, Desk, DeskClient, Nothing};
use crate::suite::{PATIENCE, soon};

/// How long running calls last: less than a server drains.
const LIMIT: Duration = Duration::from_millis(700);

#[tokio::test]
async fn a_stopping_server_lets_running_calls_finish_and_takes_no_new_ones() {
    let (answerer, clock) = (Answerer::default(), ManualClock::default());
    let router = router(answerer.routes(), clock.shared());
    let server = LinkServer::start(router, clock.shared()).await.expect("starts");
    let (instances, address) = (server.instances(), server.address());
    let http = HttpWire::new(HttpWireConfig::new(instances.clone()), clock.shared()).link();
    let grpc = GrpcWire::connect_lazy(GrpcWireConfig::new(instances), clock.shared()).link();
    let running = [http, grpc].map(|link| {
        let desk = Arc::new(DeskClient::new(link));
        let hanging = Arc::clone(&desk);
        let cx = Cx::root().with_timeout(clock.moment(), LIMIT);
        (desk, tokio::spawn(async move { hanging.hang(&cx, Nothing {}).await }))
    });
    answerer.0.until("both run", |diary| diary.started.load(Ordering::SeqCst) == 2).await;
    let stopping = tokio::spawn(server.stop());
    let is_closed = || async { TcpStream::connect(address).await.is_err() };
    until("nobody new is let in", PATIENCE, is_closed).await.expect("stops listening");
    clock.advance(LIMIT);
    let [(http, first), (grpc, second)] = running;
    for call in [first, second] {
        let fault = soon("the answer", call).await.expect("is no panic").expect_err("hangs");
        assert_eq!(fault.code, Code::DeadlineExceeded, "was answered and not cut");
    }
    assert_eq!(soon("the stop", stopping).await.expect("is no panic"), Drained { cut: 0 });
    for desk in [http, grpc] {
        let fault = desk.look(&Cx::root(), Nothing {}).await.expect_err("nobody is there");
        assert_eq!(fault.code, Code::Unavailable);
    }
}

#[tokio::test]
async fn what_still_runs_after_the_drain_time_is_cut_and_counted() {
    let answerer = Answerer::default();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
    let port = listener.local_addr().expect("is bound").port();
    let (stop, stopped) = oneshot::channel::<()>();
    let options = ServeOptions { drain: Duration::from_millis(100), ..ServeOptions::default() };
    let router = router(answerer.routes(), system_clock());
    let stopped = async move { stopped.await.unwrap_or_default() };
    let serving = tokio::spawn(serve(listener, router, stopped, options, system_clock()));
    let instance = ieum_wires::discovery::Instance::new("http", "127.0.0.1", port);
    let instances = Arc::new(ieum_wires::discovery::Static::new(instance, []));
    let desk = DeskClient::new(HttpWire::new(HttpWireConfig::new(instances), system_clock()).link());
    let call = tokio::spawn(async move { desk.hang(&Cx::root(), Nothing {}).await });
    answerer.0.until("the work begins", |diary| diary.started.load(Ordering::SeqCst) == 1).await;
    drop(stop);
    assert_eq!(soon("the stop", serving).await.expect("is no panic"), Drained { cut: 1 });
    let fault = soon("the fault", call).await.expect("is no panic").expect_err("is cut");
    assert_eq!((fault.code, &*fault.reason), (Code::Unavailable, "link.cut"));
    answerer.0.until("the work stops", |diary| diary.dropped.load(Ordering::SeqCst) == 1).await;
}
