//! What was kept of a topic is handed to whoever wants it, and not again to who carries out what he is told.

use ieum_device::{Broker, ClientOptions, Delivery, Message, Quality, migrations};
use ieum_store::{Store, StoreOptions, migrate};
use ieum_testkit::backend::SqlStore;

use crate::world::open_options;

async fn open(store: &Store) -> Broker {
    let clock = ieum_core::system_clock();
    Broker::open(store.clone(), open_options(), clock).await.expect("opens the broker")
}

/// Subscribes again, as at every start, and returns what is handed over up to and with what is published then.
async fn told(broker: &Broker, last: &str) -> Vec<(String, bool)> {
    let mut hears = broker.client("voice", &ClientOptions { kept: true, inflight: 10 });
    hears.subscribe_from_now_on("room/+", Quality::AtLeastOnce).await.expect("subscribes");
    let speaks = broker.client("speaker", &ClientOptions::default());
    let mut message = Message::new("room/one", last.to_owned());
    message.retain = true;
    speaks.publish(message).await.expect("is published");
    let mut told = Vec::new();
    loop {
        let delivery: Delivery = hears.next().await.expect("is attached");
        hears.acknowledge(&delivery).expect("is attached");
        let text = String::from_utf8(delivery.message.payload.to_vec()).expect("is text");
        let is_last = text == last;
        told.push((text, delivery.again));
        if is_last {
            return told;
        }
    }
}

#[tokio::test]
async fn a_message_that_is_kept_is_handed_over_once_however_often_its_hearer_starts() {
    let database = SqlStore::sqlite();
    let store = Store::open(&database.url, &StoreOptions::default()).await.expect("opens the store");
    migrate(&store, &migrations(), |_| {}).await.expect("migrates");
    for start in ["one", "two", "three"] {
        let broker = open(&store).await;
        assert_eq!(told(&broker, start).await, [(start.to_owned(), false)]);
        broker.close().await;
    }
    let broker = open(&store).await;
    let mut asks = broker.client("asks", &ClientOptions::default());
    asks.subscribe("room/+", Quality::AtLeastOnce).await.expect("subscribes");
    assert_eq!(asks.next().await.expect("is attached").message.payload, "three", "it is kept");
}
