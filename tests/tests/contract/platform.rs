//! `platform.links`, `platform.process` and `platform.watch` over every way.

use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::{self, StreamExt};
use ieum_contracts::platform::{
    AskAbout, BreakerStatus, InstanceStatus, LinkList, LinkOrder, LinkStatus, ListLinks,
    PLATFORM_LINKS_CONTRACT, PLATFORM_PROCESS_CONTRACT, PLATFORM_WATCH_CONTRACT, PlatformLinks,
    PlatformLinksClient, PlatformLinksRoutes, PlatformProcess, PlatformProcessClient, PlatformProcessRoutes,
    PlatformWatch, PlatformWatchClient, PlatformWatchRoutes, ProcessAbout, ProcessStatus, SteerLink,
    WatchLinks,
};
use ieum_core::{Code, Cx, Fault};
use ieum_link::{Incoming, Outgoing};

use crate::every_way::Ways;

/// Has one link.
struct OneLink;

fn status(name: &str) -> LinkStatus {
    LinkStatus {
        name: name.to_owned(),
        to: "http://a:7100,http://b:7100".into(),
        wire: "http".into(),
        fallback: "last-good".into(),
        calls: u64::MAX,
        in_flight: 3,
        failures: 2,
        rejected: [("breaker".to_owned(), 1)].into(),
        fallbacks: [("last-good".to_owned(), 2)].into(),
        retries: 4,
        budget: 5,
        p95_ms: Some(2.5),
        breaker: Some(BreakerStatus {
            state: "held-open".into(), reason: Some("점검 중".into()), opened: 1
        }),
        instances: vec![InstanceStatus { address: "http://a:7100".into(), running: 1, ejected: true }],
        process: Some(ProcessStatus {
            state: "waiting".into(),
            address: None,
            restarts: 3,
            ended: Some("it ended with exit status: 1".into()),
        }),
    }
}

#[async_trait]
impl PlatformLinks for OneLink {
    async fn list(&self, _: &Cx, _: ListLinks) -> Result<LinkList, Fault> {
        Ok(LinkList { links: vec![status("events.state")] })
    }

    async fn steer(&self, _: &Cx, order: SteerLink) -> Result<LinkStatus, Fault> {
        match order.order {
            LinkOrder::Release => Err(Fault::not_found("platform.link.unknown", order.name)),
            LinkOrder::Open | LinkOrder::Close | LinkOrder::Hold => Ok(status(&order.reason)),
        }
    }
}

#[async_trait]
impl PlatformWatch for OneLink {
    async fn links(&self, _: &Cx, asks: Incoming<WatchLinks>) -> Result<Outgoing<LinkStatus>, Fault> {
        let told = asks.flat_map(|ask| match ask {
            Ok(ask) => stream::iter(ask.names.into_iter().map(|name| Ok(status(&name))).collect::<Vec<_>>()),
            Err(fault) => stream::iter(vec![Err(fault)]),
        });
        Ok(told.boxed())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn platform_links_mean_the_same_every_way() {
    let ways = Ways::<dyn PlatformLinks> {
        contract: &PLATFORM_LINKS_CONTRACT,
        answerer: || Arc::new(OneLink),
        routes: PlatformLinksRoutes::of,
        meet: |link| Arc::new(PlatformLinksClient::new(link)),
    };
    ways.run(|way, links| async move {
        let cx = Cx::root();
        let list = links.list(&cx, ListLinks {}).await.expect("is listed");
        assert_eq!(list.links, [status("events.state")], "{way}");
        for order in [LinkOrder::Open, LinkOrder::Close, LinkOrder::Hold] {
            let order = SteerLink { name: "events.state".into(), order, reason: "점검".into() };
            assert_eq!(links.steer(&cx, order).await, Ok(status("점검")), "{way}");
        }
        let release = SteerLink { name: "없음".into(), order: LinkOrder::Release, reason: String::new() };
        let fault = links.steer(&cx, release).await.expect_err("is unknown");
        assert_eq!(
            (fault.code, &*fault.reason, &*fault.message),
            (Code::NotFound, "platform.link.unknown", "없음")
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn platform_watch_means_the_same_every_way() {
    let ways = Ways::<dyn PlatformWatch> {
        contract: &PLATFORM_WATCH_CONTRACT,
        answerer: || Arc::new(OneLink),
        routes: PlatformWatchRoutes::of,
        meet: |link| Arc::new(PlatformWatchClient::new(link)),
    };
    ways.run(|way, watch| async move {
        let ask =
            |names: &[&str]| Ok(WatchLinks { names: names.iter().map(|name| (*name).to_owned()).collect() });
        let asks = stream::iter([ask(&["하나", "two"]), ask(&[]), ask(&["three"])]).boxed();
        let told = watch.links(&Cx::root(), asks).await.expect("opens");
        let told: Vec<_> = told.collect().await;
        let expected: Vec<_> = ["하나", "two", "three"].map(|name| Ok(status(name))).into();
        assert_eq!(told, expected, "{way}");
    })
    .await;
}

/// Tells the same of every process.
struct OneProcess;

#[async_trait]
impl PlatformProcess for OneProcess {
    async fn about(&self, _: &Cx, _: AskAbout) -> Result<ProcessAbout, Fault> {
        let parts = vec!["device".to_owned(), "voice".to_owned()];
        Ok(ProcessAbout { data: "/srv/이음".into(), store: "sqlite 1:2/ieum.db".into(), parts })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn platform_process_means_the_same_every_way() {
    let ways = Ways::<dyn PlatformProcess> {
        contract: &PLATFORM_PROCESS_CONTRACT,
        answerer: || Arc::new(OneProcess),
        routes: PlatformProcessRoutes::of,
        meet: |link| Arc::new(PlatformProcessClient::new(link)),
    };
    ways.run(|way, process| async move {
        let about = process.about(&Cx::root(), AskAbout {}).await.expect("is told");
        assert_eq!((about.data.as_str(), about.parts.len()), ("/srv/이음", 2), "{way}");
    })
    .await;
}
