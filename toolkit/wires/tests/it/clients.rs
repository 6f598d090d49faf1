//! What a client makes of answerers that are slow, broken, strange or gone.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::StreamExt;
use ieum_core::{Code, Cx, Fault, system_clock};
use ieum_link::Link;
use ieum_testkit::port::KeptPort;
use ieum_wires::discovery::{Instance, Static};
use ieum_wires::grpc::{GrpcWire, GrpcWireConfig};
use ieum_wires::http::{HttpWire, HttpWireConfig};
use ieum_wires::modes::{LinkServer, Mode, router};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::sample::{Answerer, Desk, DeskClient, Everything, Nothing, Talk, TalkClient};
use crate::suite::{soon, words};

fn at(port: u16) -> Arc<Static> {
    Arc::new(Static::new(Instance::new("http", "127.0.0.1", port), []))
}

fn http_to(port: u16, change: impl FnOnce(&mut HttpWireConfig)) -> Link {
    let mut config = HttpWireConfig::new(at(port));
    change(&mut config);
    HttpWire::new(config, system_clock()).link()
}

fn grpc_to(port: u16, change: impl FnOnce(&mut GrpcWireConfig)) -> Link {
    let mut config = GrpcWireConfig::new(at(port));
    change(&mut config);
    GrpcWire::connect_lazy(config, system_clock()).link()
}

async fn look(link: &Link) -> Fault {
    let desk = DeskClient::new(link.clone());
    soon("the fault", desk.look(&Cx::root(), Nothing {})).await.expect_err("fails")
}

/// Answers every connection with the same bytes after one read, then closes it.
async fn answering(bytes: &'static [u8]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
    let port = listener.local_addr().expect("is bound").port();
    tokio::spawn(async move {
        loop {
            let Ok((mut stream, _)) = listener.accept().await else { return };
            tokio::spawn(async move {
                let mut request = vec![0; 64 * 1024];
                let _ = stream.read(&mut request).await;
                let _ = stream.write_all(bytes).await;
                let _ = stream.shutdown().await;
            });
        }
    });
    port
}

/// Takes connections and never says anything.
async fn silent() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
    let port = listener.local_addr().expect("is bound").port();
    tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((stream, _)) = listener.accept().await {
            held.push(stream);
        }
    });
    port
}

/// Passes connections on to a server until they are cut.
struct Cutter {
    port: u16,
    connections: Arc<parking_lot::Mutex<JoinSet<()>>>,
    accepted: Arc<AtomicUsize>,
}

impl Cutter {
    async fn before(server: &LinkServer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
        let port = listener.local_addr().expect("is bound").port();
        let (connections, accepted) = (Arc::new(parking_lot::Mutex::new(JoinSet::new())), Arc::default());
        let (upstream, tasks, count) = (server.address(), Arc::clone(&connections), Arc::clone(&accepted));
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                AtomicUsize::fetch_add(&count, 1, Ordering::SeqCst);
                tasks.lock().spawn(async move {
                    let mut far = TcpStream::connect(upstream).await.expect("connects");
                    let _ = copy_bidirectional(&mut stream, &mut far).await;
                });
            }
        });
        Self { port, connections, accepted }
    }

    fn cut(&self) {
        self.connections.lock().abort_all();
    }
}

async fn server() -> (Answerer, LinkServer) {
    let answerer = Answerer::default();
    let router = router(answerer.routes(), system_clock());
    (answerer, LinkServer::start(router, system_clock()).await.expect("starts"))
}

#[tokio::test]
async fn where_nobody_listens_the_fault_is_unavailable_and_nothing_was_sent() {
    let nobody = KeptPort::take();
    let port = nobody.number();
    for link in [http_to(port, |_| ()), grpc_to(port, |_| ())] {
        let fault = look(&link).await;
        assert_eq!((fault.code, &*fault.reason), (Code::Unavailable, "link.connect"));
        assert!(fault.message.contains(&port.to_string()), "{}", fault.message);
    }
}

#[tokio::test]
async fn a_silent_peer_costs_no_more_than_the_limit() {
    let port = silent().await;
    let limit = Duration::from_millis(200);
    let http = look(&http_to(port, |config| config.first_byte = limit)).await;
    assert_eq!((http.code, &*http.reason), (Code::DeadlineExceeded, "link.deadline"));
    assert!(http.message.contains("did not begin in time"), "{}", http.message);
    let grpc = look(&grpc_to(port, |config| config.total = limit)).await;
    assert_eq!((grpc.code, &*grpc.reason), (Code::DeadlineExceeded, "link.deadline"));
}

#[tokio::test]
async fn a_connection_that_never_comes_about_ends_at_the_connect_limit() {
    struct Never;
    #[ieum_link::async_trait]
    impl ieum_wires::connect::Connect for Never {
        async fn connect(&self, _: &str, _: u16) -> std::io::Result<Box<dyn ieum_wires::connect::Socket>> {
            std::future::pending().await
        }
    }
    let limit = Duration::from_millis(100);
    let fault = look(&http_to(1, |config| {
        (config.network, config.connect) = (Arc::new(Never), limit);
    }))
    .await;
    assert_eq!((fault.code, &*fault.reason), (Code::Unavailable, "link.connect"));
    assert!(fault.message.contains("took longer than 100ms"), "{}", fault.message);
}

#[tokio::test]
async fn an_answer_cut_in_the_middle_is_unavailable() {
    let half = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{\"half";
    for bytes in [&half[..], b"HTTP/1.1 200 O", b""] {
        let fault = look(&http_to(answering(bytes).await, |_| ())).await;
        assert_eq!((fault.code, &*fault.reason), (Code::Unavailable, "link.cut"));
    }
}

#[tokio::test]
async fn a_foreign_answer_keeps_its_class_and_wait_and_hides_its_words() {
    let busy = b"HTTP/1.1 503 Busy\r\nretry-after: 7\r\ncontent-type: text/html\r\ncontent-length: 9\r\n\r\nroot@db-7";
    let fault = look(&http_to(answering(busy).await, |_| ())).await;
    assert_eq!((fault.code, &*fault.reason), (Code::Unavailable, "link.foreign_answer"));
    assert_eq!(fault.retry_after, Some(Duration::from_secs(7)));
    assert!(!fault.to_string().contains("db-7"), "{fault}");
    let page = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 2\r\n\r\nhi";
    let fault = look(&http_to(answering(page).await, |_| ())).await;
    assert_eq!((fault.code, &*fault.reason), (Code::Internal, "link.foreign_answer"));
    let wrong = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n[]";
    let fault = look(&http_to(answering(wrong).await, |_| ())).await;
    assert_eq!((fault.code, &*fault.reason), (Code::Internal, "link.answer"), "the request was not wrong");
    assert!(fault.message.contains("sample.desk/look") && fault.message.contains("line 1"), "{fault}");
}

#[tokio::test]
async fn an_answer_longer_than_the_limit_is_not_taken() {
    let (_answerer, server) = server().await;
    let port = server.address().port();
    let long = Everything { text: "x".repeat(10_000), ..Everything::default() };
    let http = http_to(port, |config| config.max_answer = 5_000);
    let fault = DeskClient::new(http).mirror(&Cx::root(), long.clone()).await.expect_err("is too long");
    assert_eq!((fault.code, &*fault.reason), (Code::Internal, "link.answer_too_long"));
    let grpc = grpc_to(port, |config| config.max_message = 5_000);
    let fault = DeskClient::new(grpc).mirror(&Cx::root(), long).await.expect_err("is too long");
    assert_eq!((fault.code, &*fault.reason), (Code::Internal, "link.answer_too_long"));
}

#[tokio::test]
async fn a_message_longer_than_the_server_takes_is_refused_on_both_wires() {
    let (answerer, server) = server().await;
    let port = server.address().port();
    let long = Everything { text: "x".repeat(3 * 1024 * 1024), ..Everything::default() };
    for link in [http_to(port, |_| ()), grpc_to(port, |_| ())] {
        let desk = DeskClient::new(link);
        let fault = desk.mirror(&Cx::root(), long.clone()).await.expect_err("is too long");
        assert_eq!((fault.code, &*fault.reason), (Code::InvalidArgument, "link.message_too_long"));
    }
    assert_eq!(answerer.0.calls.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_connection_cut_under_a_call_is_unavailable_and_the_next_call_connects_anew() {
    for mode in [Mode::Http, Mode::Grpc] {
        let (answerer, server) = server().await;
        let cutter = Cutter::before(&server).await;
        let link =
            if mode == Mode::Http { http_to(cutter.port, |_| ()) } else { grpc_to(cutter.port, |_| ()) };
        let desk = Arc::new(DeskClient::new(link));
        let hanging = Arc::clone(&desk);
        let call = tokio::spawn(async move { hanging.hang(&Cx::root(), Nothing {}).await });
        answerer.0.until("the work begins", |diary| diary.started.load(Ordering::SeqCst) == 1).await;
        cutter.cut();
        let fault = soon("the fault", call).await.expect("is no panic").expect_err("is cut");
        assert_eq!((fault.code, &*fault.reason), (Code::Unavailable, "link.cut"), "{mode:?}");
        answerer.0.until("the work stops", |diary| diary.dropped.load(Ordering::SeqCst) == 1).await;
        desk.look(&Cx::root(), Nothing {}).await.expect("connects anew");
        assert_eq!(cutter.accepted.load(Ordering::SeqCst), 2);
    }
}

#[tokio::test]
async fn a_connection_cut_under_a_stream_ends_it_with_unavailable() {
    let (answerer, server) = server().await;
    let cutter = Cutter::before(&server).await;
    let talk = TalkClient::new(grpc_to(cutter.port, |_| ()));
    let mut said = talk.flood(&Cx::root(), words(&[])).await.expect("opens");
    assert!(said.next().await.is_some_and(|word| word.is_ok()));
    cutter.cut();
    let rest: Vec<_> = soon("the end", said.collect()).await;
    let fault = rest.into_iter().next_back().expect("has an end").expect_err("is cut");
    assert_eq!((fault.code, &*fault.reason), (Code::Unavailable, "link.cut"));
    answerer.0.until("the speaker stops", |diary| diary.dropped.load(Ordering::SeqCst) == 1).await;
}

#[tokio::test]
async fn connections_are_kept_and_used_again() {
    for mode in [Mode::Http, Mode::Grpc] {
        let (_answerer, server) = server().await;
        let cutter = Cutter::before(&server).await;
        let link =
            if mode == Mode::Http { http_to(cutter.port, |_| ()) } else { grpc_to(cutter.port, |_| ()) };
        let desk = DeskClient::new(link);
        for _ in 0..20 {
            desk.look(&Cx::root(), Nothing {}).await.expect("answers");
        }
        assert_eq!(cutter.accepted.load(Ordering::SeqCst), 1, "{mode:?}");
    }
}

#[tokio::test]
async fn calls_are_shared_out_and_an_instance_that_is_gone_costs_a_few_at_most() {
    let ((one, first), (two, second)) = (server().await, server().await);
    let nobody = KeptPort::take();
    let gone = nobody.number();
    let instance = |port| Instance::new("http", "127.0.0.1", port);
    let (first_at, second_at) = (first.address().port(), second.address().port());
    let three = Static::new(instance(first_at), [instance(second_at), instance(gone)]);
    let wire = HttpWire::new(HttpWireConfig::new(Arc::new(three)), system_clock());
    let desk = DeskClient::new(wire.link());
    let mut failed = 0;
    for _ in 0..30 {
        let cx = Cx::root();
        let calls = (0..10).map(|_| desk.look(&cx, Nothing {}));
        for answer in futures::future::join_all(calls).await {
            if let Err(fault) = answer {
                assert_eq!(fault.reason, "link.connect");
                failed += 1;
            }
        }
    }
    assert!(failed <= 20, "{failed} of 300 calls went to an instance that is gone");
    assert!(wire.balancer().loads().iter().all(|load| load.running == 0));
    let served = [one, two].map(|answerer| answerer.0.calls.load(Ordering::SeqCst));
    assert_eq!(served.iter().sum::<usize>(), 300 - failed);
    assert!(served.iter().all(|count| *count > 0), "{served:?}");
}
