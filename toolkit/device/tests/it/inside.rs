//! Clients within the process, and those that come by TLS and WebSocket.

use std::sync::Arc;

use futures::{SinkExt, StreamExt};
use ieum_device::{ClientError, ClientOptions, Message, Quality};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::Role;

use crate::raw::{Raw, hello, message};
use crate::world::{Mode, World, in_every_mode, local};

async fn the_platform_hears_devices_and_answers_them(mode: Mode) {
    let world = World::new(mode).await;
    let mut platform = world.broker.client("voice", &ClientOptions::default());
    platform.subscribe("device/+/audio", Quality::AtLeastOnce).await.expect("subscribes");
    let mut device = Raw::enter(world.address, &hello(5, "one")).await;
    device.subscribe("device/one/response", 1).await;
    device.publish("device/one/audio", "hello", 1).await;
    let heard = platform.next().await.expect("is attached");
    assert_eq!((&*heard.message.topic, &heard.message.payload[..]), ("device/one/audio", &b"hello"[..]));
    platform.acknowledge(&heard).expect("is attached");
    let answer = Message::new("device/one/response", "yes").with_property("turn", "1");
    platform.publish(answer).await.expect("is published");
    let answer = device.message().await;
    assert_eq!((answer.text().as_str(), answer.properties.len()), ("yes", 1));
    let wrong = platform.publish(Message::new("device/+", "x")).await.expect_err("is no topic");
    assert_eq!(wrong.to_string(), "publishing to \"device/+\": it is no topic name");
}

async fn the_platform_is_handed_no_more_than_it_deals_with(mode: Mode) {
    let world = World::new(mode).await;
    let options = ClientOptions { kept: true, inflight: 2 };
    let mut platform = world.broker.client("slow", &options);
    platform.subscribe("room", Quality::ExactlyOnce).await.expect("subscribes");
    let mut device = Raw::enter(world.address, &hello(5, "one")).await;
    for number in 0..3 {
        device.publish("room", &number.to_string(), 2).await;
    }
    let first = platform.next().await.expect("is attached");
    let _second = platform.next().await.expect("is attached");
    let third = tokio::time::timeout(std::time::Duration::from_millis(50), platform.next()).await;
    assert!(third.is_err(), "two are not dealt with");
    platform.acknowledge(&first).expect("is attached");
    assert_eq!(platform.next().await.expect("is attached").message.payload, "2");
    let mut successor = world.broker.client("slow", &options);
    assert_eq!(platform.next().await.expect_err("was taken over"), ClientError::Gone);
    for number in ["1", "2"] {
        let delivery = successor.next().await.expect("is attached");
        assert_eq!((&delivery.message.payload[..], delivery.again), (number.as_bytes(), true));
        successor.acknowledge(&delivery).expect("is attached");
    }
}

async fn a_device_may_come_by_tls(mode: Mode) {
    let world = World::new(mode).await;
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("makes a certificate");
    let folder = tempfile::tempdir().expect("makes a folder");
    let [certificate, key] = ["certificate.pem", "key.pem"].map(|name| folder.path().join(name));
    std::fs::write(&certificate, made.cert.pem()).expect("writes");
    std::fs::write(&key, made.signing_key.serialize_pem()).expect("writes");
    let tls = ieum_device::tls_from_files(&certificate, &key).expect("reads");
    let address = world.broker.listen(local(), Some(tls)).await.expect("listens");
    let mut roots = rustls::RootCertStore::empty();
    roots.add(made.cert.der().clone()).expect("is a certificate");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("has versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(address).await.expect("connects");
    let name = "localhost".try_into().expect("is a name");
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.expect("is encrypted");
    let mut client = Raw::over(stream, 5);
    client.send(&hello(5, "a").encode()).await;
    client.next().await;
    client.subscribe("room", 1).await;
    client.publish("room", &"x".repeat(200_000), 1).await;
    assert_eq!(client.message().await.payload.len(), 200_000);
    let wrong = ieum_device::tls_from_files(&folder.path().join("none"), &key).expect_err("is not there");
    assert!(wrong.to_string().starts_with("reading \""), "{wrong}");
}

async fn a_browser_may_come_by_websocket(mode: Mode) {
    let world = World::new(mode).await;
    let listener = TcpListener::bind(local()).await.expect("listens");
    let address = listener.local_addr().expect("has an address");
    let routes = world.broker.web_socket("/mqtt");
    tokio::spawn(async move { axum::serve(listener, routes).await });
    let refused = upgrade(address, "").await.0;
    assert!(refused.starts_with("HTTP/1.1 400"), "{refused}");
    let (answer, stream) = upgrade(address, "Sec-WebSocket-Protocol: mqttv3.1, mqtt\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 101"), "{answer}");
    assert!(answer.to_lowercase().contains("sec-websocket-protocol: mqtt\r\n"), "{answer}");
    let socket = WebSocketStream::from_raw_socket(stream, Role::Client, None).await;
    let (near, far) = tokio::io::duplex(1 << 20);
    tokio::spawn(carry(socket, far));
    let mut client = Raw::over(near, 5);
    client.send(&hello(5, "a").encode()).await;
    client.next().await;
    client.subscribe("room", 2).await;
    client.publish_as(message("room", &"x".repeat(100_000), 2)).await;
    assert_eq!(client.message().await.payload.len(), 100_000);
    client.nothing().await;
}

async fn a_browser_that_takes_its_leave_is_told_the_end(mode: Mode) {
    use tokio_tungstenite::tungstenite::Message as Frame;
    let world = World::new(mode).await;
    let listener = TcpListener::bind(local()).await.expect("listens");
    let address = listener.local_addr().expect("has an address");
    let routes = world.broker.web_socket("/mqtt");
    tokio::spawn(async move { axum::serve(listener, routes).await });
    let (_, stream) = upgrade(address, "Sec-WebSocket-Protocol: mqtt\r\n").await;
    let mut socket = WebSocketStream::from_raw_socket(stream, Role::Client, None).await;
    socket.send(Frame::Binary(hello(5, "a").encode().into())).await.expect("is sent");
    let greeting = socket.next().await.expect("answers").expect("is whole");
    assert!(matches!(&greeting, Frame::Binary(bytes) if bytes[0] == 0x20), "{greeting:?}");
    socket.send(Frame::Binary(vec![0xe0, 0].into())).await.expect("is sent");
    let last = socket.next().await.expect("answers").expect("is whole");
    assert!(matches!(last, Frame::Close(_)), "{last:?}");
    assert!(socket.next().await.is_none(), "nothing comes after the end");
}

async fn every_end_of_a_websocket_is_told_with_its_status(mode: Mode) {
    use tokio_tungstenite::tungstenite::Message as Frame;
    use tokio_tungstenite::tungstenite::protocol::CloseFrame;
    let world = World::new(mode).await;
    let listener = TcpListener::bind(local()).await.expect("listens");
    let address = listener.local_addr().expect("has an address");
    let routes = world.broker.web_socket("/mqtt");
    tokio::spawn(async move { axum::serve(listener, routes).await });
    let entered = async || {
        let (_, stream) = upgrade(address, "Sec-WebSocket-Protocol: mqtt\r\n").await;
        let mut socket = WebSocketStream::from_raw_socket(stream, Role::Client, None).await;
        socket.send(Frame::Binary(hello(5, "a").encode().into())).await.expect("is sent");
        assert!(matches!(socket.next().await, Some(Ok(Frame::Binary(_)))), "is greeted");
        socket
    };
    let ended = async |mut socket: WebSocketStream<TcpStream>| loop {
        // Whatever comes before, such as a DISCONNECT, says more.
        if let Frame::Close(frame) = socket.next().await.expect("says why").expect("is no cut") {
            let frame = frame.expect("has a status");
            return (u16::from(frame.code), frame.reason.to_string());
        }
    };
    let mut socket = entered().await;
    socket.close(Some(CloseFrame { code: 4_000.into(), reason: "mine".into() })).await.expect("is sent");
    assert_eq!(ended(socket).await, (4_000, "mine".to_owned()), "what the client said is said back");
    let mut socket = entered().await;
    socket.send(Frame::text("words")).await.expect("is sent");
    assert_eq!(ended(socket).await, (1_003, "MQTT takes binary frames only".to_owned()));
    let mut socket = entered().await;
    // A second CONNECT is a mistake that MQTT names itself.
    socket.send(Frame::Binary(hello(5, "a").encode().into())).await.expect("is sent");
    assert_eq!(ended(socket).await, (1_000, String::new()));
    let socket = entered().await;
    let (told, ()) = tokio::join!(ended(socket), world.broker.close());
    assert_eq!(told, (1_001, "the broker stops".to_owned()));
}

async fn who_is_still_writing_reads_why_its_websocket_ends(mode: Mode) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    const MUCH: usize = 16 * 1024 * 1024;
    let world = World::new(mode).await;
    let listener = TcpListener::bind(local()).await.expect("listens");
    let address = listener.local_addr().expect("has an address");
    let routes = world.broker.web_socket("/mqtt");
    tokio::spawn(async move { axum::serve(listener, routes).await });
    // Masked with zeros, as which every payload is itself.
    let hello = hello(5, "a").encode();
    let entering =
        [&[0x82, 0x80 | u8::try_from(hello.len()).expect("is short"), 0, 0, 0, 0], &*hello].concat();
    let long = [&[0x82, 0xff][..], &MUCH.to_be_bytes(), &[0; 4 + MUCH]].concat();
    let garbled = [&[0x85, 0x81, 0, 0, 0, 0, 1][..], &[0; MUCH]].concat();
    let words = [&[0x81, 0xfe, 4, 0, 0, 0, 0, 0][..], &[b'x'; 1_024]].concat().repeat(MUCH / 1_024);
    let no_text = [&[0x81, 0x82, 0, 0, 0, 0, 0xff, 0xfe][..], &[0; MUCH]].concat();
    for (sent, status, why) in [
        (&long, 1_009_u16, "the frame is larger than a packet may be"),
        (&garbled, 1_002, "this is no WebSocket (RFC 6455)"),
        (&words, 1_003, "MQTT takes binary frames only"),
        (&no_text, 1_007, "a text must be UTF-8"),
    ] {
        for greeted in [true, false] {
            let (_, mut line) = upgrade(address, "Sec-WebSocket-Protocol: mqtt\r\n").await;
            if greeted {
                line.write_all(&entering).await.expect("is sent");
                let head = [line.read_u8().await.expect("greets"), line.read_u8().await.expect("greets")];
                let mut greeting = vec![0; usize::from(head[1])];
                line.read_exact(&mut greeting).await.expect("greets");
                assert_eq!((head[0], greeting[0]), (0x82, 0x20));
            }
            line.write_all(sent).await.unwrap_or_else(|error| panic!("{status}: it is not taken: {error}"));
            let mut last = vec![0; 4 + why.len()];
            line.read_exact(&mut last).await.expect("says why");
            let length = u8::try_from(2 + why.len()).expect("is short");
            assert_eq!(last, [&[0x88, length][..], &status.to_be_bytes(), why.as_bytes()].concat());
        }
    }
}

/// Asks for an upgrade by hand and returns the answer's head.
async fn upgrade(address: std::net::SocketAddr, protocol: &str) -> (String, TcpStream) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = TcpStream::connect(address).await.expect("connects");
    let request = format!(
        "GET /mqtt HTTP/1.1\r\nHost: {address}\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{protocol}\r\n"
    );
    stream.write_all(request.as_bytes()).await.expect("asks");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.expect("is answered"));
    }
    (String::from_utf8(head).expect("is text"), stream)
}

/// Carries bytes to and from binary frames, two bytes of each packet in a frame of their own.
async fn carry(mut socket: WebSocketStream<TcpStream>, mut far: tokio::io::DuplexStream) {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio_tungstenite::tungstenite::Message as Frame;
    let mut bytes = vec![0; 65_536];
    loop {
        tokio::select! {
            read = far.read(&mut bytes) => {
                let Ok(count @ 1..) = read else { return };
                let cut = count.min(2);
                for part in [&bytes[..cut], &bytes[cut..count]] {
                    if socket.send(Frame::Binary(part.to_vec().into())).await.is_err() {
                        return;
                    }
                }
            }
            frame = socket.next() => {
                let Some(Ok(Frame::Binary(frame))) = frame else { return };
                if far.write_all(&frame).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// Returns who took a message.
fn owners(published: &ieum_device::Published) -> Vec<&str> {
    published.takers.iter().map(|taker| &*taker.owner).collect()
}

async fn who_publishes_is_told_who_took_it_and_who_comes_to_listen(mode: Mode) {
    let world = World::new(mode).await;
    let mut arrivals = world.broker.arrivals();
    let platform = world.broker.client("voice", &ClientOptions::default());
    let answer = || Message::new("device/one/response", "yes");
    assert_eq!(owners(&platform.put(answer()).expect("is a topic")), [""; 0], "nobody is there");
    let mut device = Raw::enter(world.address, &hello(5, "one")).await;
    device.subscribe("device/one/#", 1).await;
    let arrival = arrivals.recv().await.expect("is told");
    assert_eq!((&*arrival.client, &*arrival.filter), ("one", "device/one/#"));
    let published = platform.put(answer()).expect("is a topic");
    platform.settled(&published).await.expect("is open");
    assert_eq!((published.takers.len(), &*published.takers[0].client), (1, "one"));
    assert_eq!(device.message().await.text(), "yes");
    device.leave().await;
    assert!(platform.put(answer()).expect("is a topic").takers.is_empty(), "it left nothing behind");
    // A session that is kept takes what its client is to have later, and is told of when the client is back.
    let mut kept = Raw::enter(world.address, &hello(5, "two").kept()).await;
    kept.subscribe("device/one/response", 1).await;
    kept.leave_with(0, 600).await;
    assert_eq!(&*arrivals.recv().await.expect("is told").client, "two");
    assert_eq!(platform.put(answer()).expect("is a topic").takers.len(), 1);
    let _back = Raw::connect(world.address, &hello(5, "two").kept()).await;
    assert_eq!(&*arrivals.recv().await.expect("is told").filter, "device/one/response");
}

async fn a_message_that_a_session_may_lose_comes_with_a_receipt(mode: Mode) {
    let world = World::new(mode).await;
    let platform = world.broker.client("voice", &ClientOptions::default());
    let put = |text: &str| {
        let put = platform.put(Message::new("device/one/response", text.to_owned())).expect("is a topic");
        put.takers.into_iter().next().expect("somebody took it").receipt
    };
    let mut device = Raw::enter(world.address, &hello(5, "one")).await;
    device.subscribe("device/one/response", 0).await;
    assert!(put("zero").is_none(), "of quality 0 nobody hears again");
    device.message().await;
    for quality in [1, 2] {
        device.subscribe("device/one/response", quality).await;
        let receipt = put("yes").expect("may be lost");
        assert_eq!(device.message().await.text(), "yes");
        device.settle().await;
        assert!(receipt.is_acknowledged().await, "quality {quality}");
    }
    device.polite = false;
    let (under_way, waiting) = (put("under way"), put("waiting"));
    assert_eq!(device.message().await.text(), "under way");
    drop(device);
    for receipt in [under_way, waiting] {
        assert!(
            !receipt.expect("may be lost").is_acknowledged().await,
            "its session ended with the connection"
        );
    }
    // What is larger than its client takes is dropped as if it had arrived (MQTT 5 §3.1.2.11.4).
    const PACKET_MAXIMUM: u8 = 0x27;
    let mut small = Raw::enter(world.address, &hello(5, "one").with(PACKET_MAXIMUM, 100)).await;
    small.subscribe("device/one/response", 1).await;
    let receipt = put(&"x".repeat(200)).expect("may be lost");
    assert!(receipt.is_acknowledged().await, "it would never arrive");
}

async fn one_that_talks_most_leaves_room_to_the_others(mode: Mode) {
    let world = World::new(mode).await;
    let options = ClientOptions { kept: true, inflight: 10 };
    let mut platform = world.broker.client_of_many("voice", &options);
    platform.subscribe("device/+/audio", Quality::AtLeastOnce).await.expect("subscribes");
    let mut loud = Raw::enter(world.address, &hello(5, "loud")).await;
    let mut codes = Vec::new();
    for _ in 0..8 {
        codes.push(loud.publish("device/loud/audio", "x", 1).await);
    }
    assert_eq!(codes, [0, 0, 0, 0, 0, 0x97, 0x97, 0x97], "half of the window, and no more");
    let mut shy = Raw::enter(world.address, &hello(5, "shy")).await;
    assert_eq!(shy.publish("device/shy/audio", "hello", 1).await, 0);
    let mut heard = Vec::new();
    for _ in 0..6 {
        heard.push(platform.next().await.expect("is attached"));
    }
    assert_eq!(heard[5].message.payload, "hello", "handed over while nothing is dealt with");
    for delivery in &heard[..5] {
        platform.acknowledge(delivery).expect("is attached");
    }
    assert_eq!(loud.publish("device/loud/audio", "x", 1).await, 0, "it may go on");
}

in_every_mode!(
    the_platform_hears_devices_and_answers_them,
    the_platform_is_handed_no_more_than_it_deals_with,
    a_device_may_come_by_tls,
    a_browser_may_come_by_websocket,
    a_browser_that_takes_its_leave_is_told_the_end,
    every_end_of_a_websocket_is_told_with_its_status,
    who_is_still_writing_reads_why_its_websocket_ends,
    who_publishes_is_told_who_took_it_and_who_comes_to_listen,
    a_message_that_a_session_may_lose_comes_with_a_receipt,
    one_that_talks_most_leaves_room_to_the_others,
);
