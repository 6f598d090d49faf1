//! Apache Kafka itself, one node in KRaft mode, from its published jars.

use std::path::Path;
use std::process::Command;

use super::{Kind, Started, maven, probe, program, spawn, wait_ready};
use crate::failure::{Failure, Tried};
use crate::shell;

/// The release of Kafka to run.
const RELEASE: &str = "3.9.1";

pub const KIND: Kind = Kind {
    name: "kafka",
    packages: &["default-jre-headless", "maven"],
    programs: &["java", "mvn"],
    prepare,
    start,
};

/// Any fixed id will do: the cluster has one node and lives for one run.
const CLUSTER: &str = "aWV1bS10ZXN0LWNsdXN0ZQ";

/// Fetches Kafka and what it needs, once.
fn prepare() -> Result<(), Failure> {
    let jars = [("org.apache.kafka", "kafka_2.13", RELEASE), ("org.slf4j", "slf4j-simple", "1.7.36")];
    maven::fetch(KIND.name, RELEASE, &jars)
}

fn start(folder: &Path) -> Result<Started, Failure> {
    let [port, controller] = probe::free_ports()?;
    let settings = folder.join("server.properties");
    std::fs::write(&settings, properties(port, controller, folder)).tried("writing the settings of Kafka")?;
    let java = program("java")?;
    let classes = format!("{}/*", maven::folder(KIND.name, RELEASE)?.display());
    let quiet = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn";
    let mut format = Command::new(&java);
    format
        .args(["-cp", &classes, quiet, "kafka.tools.StorageTool", "format", "-t", CLUSTER, "-c"])
        .arg(&settings);
    shell::read("formatting Kafka's storage", &mut format)?;
    let mut command = Command::new(&java);
    command.args(["-Xmx512m", "-cp", &classes, quiet, "kafka.Kafka"]).arg(&settings).current_dir(folder);
    let mut child = spawn("Kafka", command, folder)?;
    wait_ready(&mut child, || answers(port))?;
    Ok(Started {
        url: format!("kafka://127.0.0.1:{port}"),
        version: format!("Apache Kafka {RELEASE}"),
        // For tests that kill a broker of their own.
        settings: vec![("IEUM_TEST_KAFKA_CLASSES", classes)],
        child,
    })
}

fn properties(port: u16, controller: u16, folder: &Path) -> String {
    let lines = [
        "process.roles=broker,controller".to_owned(),
        "node.id=1".to_owned(),
        format!("controller.quorum.voters=1@127.0.0.1:{controller}"),
        format!("listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}"),
        format!("advertised.listeners=PLAINTEXT://127.0.0.1:{port}"),
        "controller.listener.names=CONTROLLER".to_owned(),
        format!("log.dirs={}", folder.join("data").display()),
        "num.partitions=3".to_owned(),
        "auto.create.topics.enable=true".to_owned(),
        "offsets.topic.num.partitions=4".to_owned(),
        "offsets.topic.replication.factor=1".to_owned(),
        "transaction.state.log.num.partitions=4".to_owned(),
        "transaction.state.log.replication.factor=1".to_owned(),
        "transaction.state.log.min.isr=1".to_owned(),
        "group.initial.rebalance.delay.ms=0".to_owned(),
        // Tests do not wait for the usual 6 s until a killed member counts as dead.
        "group.min.session.timeout.ms=1000".to_owned(),
    ];
    lines.join("\n") + "\n"
}

/// Tells whether the broker answers an ApiVersions request (Kafka protocol, key 18, version 0).
fn answers(port: u16) -> bool {
    let request = [0, 0, 0, 14, 0, 18, 0, 0, 0, 0, 0, 1, 0, 4, b'i', b'e', b'u', b'm'];
    probe::is_open(port) && probe::say(port, &request).len() > 8
}
