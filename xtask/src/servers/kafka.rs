//! Apache Kafka itself, one node in KRaft mode, from its published jars.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Kind, Started, probe, program, spawn, wait_ready};
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

fn jars() -> Result<PathBuf, Failure> {
    Ok(shell::cache_folder()?.join("kafka").join(RELEASE))
}

/// Fetches Kafka and what it needs into the cache folder, once.
fn prepare() -> Result<(), Failure> {
    let jars = jars()?;
    let done = jars.join("complete");
    if done.is_file() {
        return Ok(());
    }
    println!("fetching Apache Kafka {RELEASE}");
    std::fs::create_dir_all(&jars).tried(format_args!("making {}", jars.display()))?;
    let project = jars.join("pom.xml");
    std::fs::write(&project, project_file()).tried(format_args!("writing {}", project.display()))?;
    let mut command = Command::new(program("mvn")?);
    command.args(["--quiet", "--batch-mode", "dependency:copy-dependencies", "-DoutputDirectory=."]);
    shell::read("mvn dependency:copy-dependencies", command.current_dir(&jars))?;
    std::fs::write(&done, RELEASE).tried(format_args!("writing {}", done.display()))
}

fn project_file() -> String {
    let needed = [("org.apache.kafka", "kafka_2.13", RELEASE), ("org.slf4j", "slf4j-simple", "1.7.36")];
    let dependencies: String = needed
        .iter()
        .map(|(group, name, version)| {
            format!(
                "    <dependency><groupId>{group}</groupId><artifactId>{name}</artifactId>\
                 <version>{version}</version></dependency>\n"
            )
        })
        .collect();
    format!(
        "<project xmlns=\"http://maven.apache.org/POM/4.0.0\">\n  <modelVersion>4.0.0</modelVersion>\n  \
         <groupId>ieum</groupId><artifactId>kafka</artifactId><version>1</version>\n  \
         <dependencies>\n{dependencies}  </dependencies>\n</project>\n"
    )
}

fn start(folder: &Path) -> Result<Started, Failure> {
    let [port, controller] = probe::free_ports()?;
    let settings = folder.join("server.properties");
    std::fs::write(&settings, properties(port, controller, folder)).tried("writing the settings of Kafka")?;
    let java = program("java")?;
    let classes = format!("{}/*", jars()?.display());
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
