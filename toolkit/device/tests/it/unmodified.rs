//! Clients that others wrote: Python's paho-mqtt and Node's mqtt, as they come from their registries.

use std::path::Path;
use std::process::Command;

use ieum_core::system_clock;
use ieum_testkit::server;
use tokio::net::TcpListener;

use crate::world::{Kept, Mode, in_every_mode, local, open_options};

const PYTHON: &str = r#"
import sys, threading
import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

port, path = int(sys.argv[1]), sys.argv[2]
for version in (mqtt.MQTTv311, mqtt.MQTTv5):
    for transport in ("tcp", "websockets"):
        client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="py", protocol=version, transport=transport)
        if transport == "websockets":
            client.ws_set_options(path="/mqtt")
        got, done, ready = [], threading.Event(), threading.Event()
        def heard(client, data, message):
            got.append((message.qos, message.payload))
            if len(got) == 6: done.set()
        client.on_message = heard
        client.on_connect = lambda client, data, flags, reason, properties: client.subscribe("py/#", qos=2)
        client.on_subscribe = lambda client, data, mid, reasons, properties: ready.set()
        client.connect("127.0.0.1", port if transport == "tcp" else int(path))
        client.loop_start()
        assert ready.wait(20), "subscribed"
        for number in range(6):
            options = {}
            if version == mqtt.MQTTv5:
                properties = Properties(PacketTypes.PUBLISH)
                properties.UserProperty = ("number", str(number))
                options["properties"] = properties
            client.publish("py/topic", b"x" * (number * 5000), qos=number % 3, **options).wait_for_publish(20)
        assert done.wait(20), got
        assert [(qos, len(payload)) for qos, payload in got] == [(n % 3, n * 5000) for n in range(6)], got
        client.disconnect()
        client.loop_stop()
print("all well")
"#;

const NODE: &str = r#"
const mqtt = require('mqtt');
const [port, web] = process.argv.slice(-2);
const talk = (url, protocolVersion) => new Promise((resolve, reject) => {
  const client = mqtt.connect(url, { protocolVersion, clientId: 'js', reconnectPeriod: 0, clean: true });
  const got = [];
  client.on('error', reject);
  client.on('connect', async () => {
    await client.subscribeAsync('js/#', { qos: 2 });
    for (let number = 0; number < 6; number++) {
      await client.publishAsync('js/topic', Buffer.alloc(number * 5000), { qos: number % 3 });
    }
  });
  client.on('message', (topic, payload, packet) => {
    got.push([packet.qos, payload.length]);
    if (got.length < 6) return;
    const wanted = [0, 1, 2, 3, 4, 5].map(number => [number % 3, number * 5000]);
    if (JSON.stringify(got) !== JSON.stringify(wanted)) reject(new Error(JSON.stringify(got)));
    client.end(false, {}, resolve);
  });
});
(async () => {
  for (const version of [4, 5]) {
    await talk(`mqtt://127.0.0.1:${port}`, version);
    await talk(`ws://127.0.0.1:${web}/mqtt`, version);
  }
  console.log('all well');
})().catch(error => { console.error(error); process.exit(1); });
"#;

/// Runs a program that talks to a broker by TCP and by WebSocket.
async fn talks(mode: Mode, program: &Path, script: &str, folder: Option<&Path>) {
    let Kept { broker, .. } = &mode.open(open_options(), system_clock()).await;
    let address = broker.listen(local(), None).await.expect("listens");
    let listener = TcpListener::bind(local()).await.expect("listens");
    let web = listener.local_addr().expect("has an address");
    let routes = broker.web_socket("/mqtt");
    tokio::spawn(async move { axum::serve(listener, routes).await });
    let mut command = Command::new(program);
    let flag = if folder.is_some() { "-e" } else { "-c" };
    command.args([flag, script]);
    if let Some(folder) = folder {
        command.arg("--").env("NODE_PATH", folder.join("node_modules"));
    }
    command.args([address.port().to_string(), web.port().to_string()]);
    let output = tokio::task::spawn_blocking(move || command.output()).await.expect("ends").expect("runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let complained = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("all well"), "{said}\n{complained}");
    broker.close().await;
}

async fn paho_for_python_talks_to_the_broker_as_it_is(mode: Mode) {
    match server::python_mqtt() {
        Some(python) => talks(mode, &python, PYTHON, None).await,
        None => server::not_run("mqtt for python", "cargo xtask test has not installed paho-mqtt"),
    }
}

async fn mqtt_for_node_talks_to_the_broker_as_it_is(mode: Mode) {
    match server::node_mqtt() {
        Some(folder) => talks(mode, Path::new("node"), NODE, Some(&folder)).await,
        None => server::not_run("mqtt for node", "cargo xtask test has not installed mqtt"),
    }
}

in_every_mode!(paho_for_python_talks_to_the_broker_as_it_is, mqtt_for_node_talks_to_the_broker_as_it_is);
