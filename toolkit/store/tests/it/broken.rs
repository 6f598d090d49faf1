//! A connection that breaks at any point never makes an acknowledged change vanish or half of one stay.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use ieum_core::{Clock, SystemClock};
use ieum_store::{Store, StoreError, StoreOptions};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::backend::Backend;

/// Stands before a server and cuts the connection once so many bytes of answers have passed.
struct Cutter {
    port: u16,
    left: Arc<AtomicI64>,
    passed: Arc<AtomicI64>,
}

impl Cutter {
    async fn before(address: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
        let port = listener.local_addr().expect("has an address").port();
        let (left, passed) = (Arc::new(AtomicI64::new(i64::MAX)), Arc::new(AtomicI64::new(0)));
        let shared = (Arc::clone(&left), Arc::clone(&passed));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&address).await.expect("reaches the server");
                tokio::spawn(carry(client, server, Arc::clone(&shared.0), Arc::clone(&shared.1)));
            }
        });
        Self { port, left, passed }
    }
}

async fn carry(mut client: TcpStream, mut server: TcpStream, left: Arc<AtomicI64>, passed: Arc<AtomicI64>) {
    let (mut from_client, mut from_server) = ([0_u8; 8_192], [0_u8; 8_192]);
    loop {
        tokio::select! {
            read = client.read(&mut from_client) => match read {
                Ok(count) if count > 0 => {
                    if server.write_all(&from_client[..count]).await.is_err() { return }
                }
                _ => return,
            },
            read = server.read(&mut from_server) => match read {
                Ok(count) if count > 0 => {
                    let bytes = i64::try_from(count).expect("is small");
                    let before = left.fetch_sub(bytes, Ordering::SeqCst);
                    let allowed = usize::try_from(before.clamp(0, bytes)).expect("is small");
                    passed.fetch_add(bytes, Ordering::SeqCst);
                    if client.write_all(&from_server[..allowed]).await.is_err() || allowed < count { return }
                }
                _ => return,
            },
        }
    }
}

async fn save_two(store: &Store, n: i64) -> Result<(), StoreError> {
    let mut transaction = store.begin().await?;
    for half in 0..2_i64 {
        transaction.execute("INSERT INTO halves (n, half) VALUES (?, ?)", &[n.into(), half.into()]).await?;
    }
    transaction.commit().await
}

async fn cut_at_every_point(backend: &Backend) {
    let direct = backend.store().await;
    let types = direct.dialect().types();
    let sql =
        format!("CREATE TABLE halves (n {0} NOT NULL, half {0} NOT NULL, PRIMARY KEY (n, half))", types.int);
    direct.execute(&sql, &[]).await.expect("makes the table");
    let mut url = url::Url::parse(backend.url()).expect("is a url");
    let cutter =
        Cutter::before(format!("{}:{}", url.host_str().expect("host"), url.port().expect("port"))).await;
    url.set_host(Some("127.0.0.1")).expect("takes a host");
    url.set_port(Some(cutter.port)).expect("takes a port");
    let options =
        StoreOptions { pool_size: 1, acquire_timeout: Duration::from_secs(5), ..Backend::options() };
    let store = Store::open(url.as_str(), &options).await.expect("opens through the cutter");
    // On a fresh connection, as after each cut: statements are prepared anew.
    store.ping().await.expect("answers");
    settle(&store).await;
    cutter.passed.store(0, Ordering::SeqCst);
    save_two(&store, -1).await.expect("saves");
    let whole = cutter.passed.load(Ordering::SeqCst);
    let (mut lost, mut unknown) = (0, 0);
    for n in 0..whole + 8 {
        cutter.left.store(n, Ordering::SeqCst);
        let result = save_two(&store, n).await;
        cutter.left.store(i64::MAX, Ordering::SeqCst);
        let saved = saved(&direct, n, result.is_ok()).await;
        match result {
            Ok(()) => assert_eq!(saved, 2, "cut at {n}: an acknowledged change is there"),
            Err(StoreError::CommitUnknown { .. }) => {
                unknown += 1;
                assert!(saved == 0 || saved == 2, "cut at {n}: half a change stayed");
            }
            Err(error) => {
                lost += 1;
                assert!(error.is_retryable(), "cut at {n}: {error:?}");
                assert_eq!(saved, 0, "cut at {n}: {error:?}");
            }
        }
        // The store mends itself: the broken connection is replaced.
        let begun = SystemClock.moment();
        while store.ping().await.is_err() {
            assert!(SystemClock.moment().since(begun) < Duration::from_secs(120), "cut at {n}: never mends");
        }
        settle(&store).await;
    }
    assert!(lost > 0 && unknown > 0, "{lost} lost, {unknown} unknown of {whole} bytes");
}

/// Waits until the only connection is back in the pool, which asks the server once more first.
async fn settle(store: &Store) {
    let begun = SystemClock.moment();
    while store.statistics().idle == 0 {
        assert!(
            SystemClock.moment().since(begun) < Duration::from_secs(120),
            "the connection never comes back"
        );
        SystemClock.sleep(Duration::from_millis(1)).await;
    }
}

/// Counts what is there of change `n`, once the server has noticed that the connection is gone.
async fn saved(direct: &Store, n: i64, acknowledged: bool) -> i64 {
    let count = async || {
        let row = direct.fetch_one("SELECT COUNT(*) AS n FROM halves WHERE n = ?", &[n.into()]).await;
        row.expect("counts").int("n").expect("is a count")
    };
    let first = count().await;
    if acknowledged || first > 0 {
        return first;
    }
    // A commit on its way may still arrive.
    SystemClock.sleep(Duration::from_millis(5)).await;
    count().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs postgres"]
async fn postgres_cut_at_every_point_of_a_transaction() {
    let Some(url) = ieum_testkit::server::require("postgres") else { return };
    let backend = Backend::server(&url).await;
    cut_at_every_point(&backend).await;
    backend.clean_up().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs mysql"]
async fn mysql_cut_at_every_point_of_a_transaction() {
    let Some(url) = ieum_testkit::server::require("mysql") else { return };
    let backend = Backend::server(&url).await;
    cut_at_every_point(&backend).await;
    backend.clean_up().await;
}
