//! Notices over the bus.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use ieum_bus::{Bus, BusOptions, DeadFilter, open_bus};
use ieum_core::{Cx, system_clock};
use ieum_store::{Store, StoreOptions, migrate};
use ieum_wires::bus::{BusWire, serve_notices};

use crate::sample::{Answerer, BELL_CONTRACT, Bell, BellClient, BellRoutes, DESK_CONTRACT, Diary, Word};

async fn bus(folder: &tempfile::TempDir) -> Bus {
    let url = format!("sqlite:{}", folder.path().join("bus.db").display());
    let store = Store::open(&url, &StoreOptions::default()).await.expect("opens");
    migrate(&store, &ieum_bus::migrations(), |_| ()).await.expect("migrates");
    open_bus("local:", store, system_clock(), BusOptions::default()).await.expect("opens")
}

fn ring(text: &str) -> Word {
    Word { text: text.into() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_notice_over_the_bus_is_handled_once_in_its_senders_context() {
    let folder = tempfile::tempdir().expect("has a folder");
    let bus = bus(&folder).await;
    let answerer = Answerer::default();
    let bell = BellClient::new(BusWire::open(bus.clone(), &BELL_CONTRACT).expect("opens").link);
    let cx = Cx::root().with_tenant("seoul").with_idempotency_key("k-1");
    bell.ring(&cx, ring("첫째")).await.expect("is durable");
    bell.ring(&cx, ring("첫째")).await.expect("is durable");
    bell.ring(&cx.with_idempotency_key("k-2"), ring("둘째")).await.expect("is durable");
    let routes = BellRoutes::of(Arc::new(answerer.clone()));
    let serving = serve_notices(&bus, routes, "bells", system_clock()).await.expect("subscribes");
    answerer.0.until("both notices", |diary| diary.gone.lock().len() == 2).await;
    assert_eq!(*answerer.0.gone.lock(), ["첫째 for seoul", "둘째 for seoul"]);
    for subscribed in serving {
        subscribed.drain().await;
    }
    assert_eq!(answerer.0.calls.load(Ordering::SeqCst), 2, "the repeat was the same event");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_notice_that_can_never_be_handled_becomes_a_dead_letter() {
    let folder = tempfile::tempdir().expect("has a folder");
    let bus = bus(&folder).await;
    let answerer = Answerer::default();
    let routes = BellRoutes::of(Arc::new(answerer.clone()));
    let serving = serve_notices(&bus, routes, "bells", system_clock()).await.expect("subscribes");
    let bell = BellClient::new(BusWire::open(bus.clone(), &BELL_CONTRACT).expect("opens").link);
    bell.ring(&Cx::root(), ring("broken")).await.expect("is durable");
    bell.ring(&Cx::root(), ring("whole")).await.expect("is durable");
    let both = |diary: &Diary| diary.started.load(Ordering::SeqCst) == 1 && !diary.gone.lock().is_empty();
    answerer.0.until("both notices", both).await;
    for subscribed in serving {
        subscribed.drain().await;
    }
    let dead = bus.dead_letters().list(&DeadFilter::default()).await.expect("lists");
    assert_eq!(dead.len(), 1);
    assert_eq!(dead[0].reason, "bell.broken");
}

#[tokio::test]
async fn a_contract_with_answers_is_refused_when_the_link_is_opened() {
    let folder = tempfile::tempdir().expect("has a folder");
    let error = BusWire::open(bus(&folder).await, &DESK_CONTRACT).expect_err("is refused");
    assert_eq!(
        error.to_string(),
        "linking sample.desk over bus: mirror is a query and this wire carries notices only; use http://, \
         grpc:// or local"
    );
}
