//! A broker of a test's own, to be killed: Apache Kafka from the jars that the test runner fetched.

use std::net::TcpListener;
use std::process::Command;
use std::time::Duration;

use ieum_testkit::process::Child;
use ieum_testkit::server::{not_run, require};

/// Where the test runner says that Kafka's classes are.
const CLASSES: &str = "IEUM_TEST_KAFKA_CLASSES";
const QUIET: &str = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn";

/// One node in a folder of its own.
pub struct Broker {
    port: u16,
    classes: String,
    folder: tempfile::TempDir,
    child: Option<Child>,
}

pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    listener.local_addr().expect("has an address").port()
}

impl Broker {
    /// Starts a broker; `None` where the test runner brought none, which is recorded.
    pub async fn start() -> Option<Self> {
        Self::start_with("", "", &[]).await
    }

    /// The same with one more listener, more settings, and users for SCRAM as Kafka's storage tool takes them.
    pub async fn start_with(listener: &str, more: &str, users: &[String]) -> Option<Self> {
        require("kafka")?;
        #[allow(clippy::disallowed_methods, reason = "the test runner hands its findings over like this")]
        let Ok(classes) = std::env::var(CLASSES) else {
            not_run("kafka", "the runner did not say where its classes are");
            return None;
        };
        let folder = tempfile::tempdir().expect("makes a folder");
        let (port, controller) = (free_port(), free_port());
        let another = if listener.is_empty() { String::new() } else { format!(",{listener}") };
        let settings = format!(
            "process.roles=broker,controller\nnode.id=1\ncontroller.quorum.voters=1@127.0.0.1:{controller}\n\
             listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}{another}\n\
             advertised.listeners=PLAINTEXT://127.0.0.1:{port}{another}\ncontroller.listener.names=CONTROLLER\n\
             listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_SSL:SASL_SSL\n\
             log.dirs={}\nauto.create.topics.enable=true\noffsets.topic.num.partitions=4\n\
             offsets.topic.replication.factor=1\ntransaction.state.log.num.partitions=4\n\
             transaction.state.log.replication.factor=1\ntransaction.state.log.min.isr=1\n\
             group.initial.rebalance.delay.ms=0\ngroup.min.session.timeout.ms=1000\n{more}\n",
            folder.path().join("data").display()
        );
        std::fs::write(folder.path().join("settings"), settings).expect("writes the settings");
        let mut broker = Self { port, classes, folder, child: None };
        let mut format = broker.java("kafka.tools.StorageTool");
        format
            .args(["format", "-t", "aWV1bS10ZXN0LWNsdXN0ZQ", "-c"])
            .arg(broker.folder.path().join("settings"));
        for user in users {
            format.args(["--add-scram", user]);
        }
        assert!(format.output().expect("runs java").status.success(), "formats the storage");
        broker.restart().await;
        Some(broker)
    }

    fn java(&self, class: &str) -> Command {
        let mut command = Command::new("java");
        command.args(["-Xmx256m", "-cp", &self.classes, QUIET, class]).current_dir(self.folder.path());
        command
    }

    pub fn url(&self) -> String {
        format!("kafka://127.0.0.1:{}", self.port)
    }

    /// Ends it without a chance to tidy up.
    pub fn kill(&mut self) {
        // Dropping a child kills it and waits for its end.
        drop(self.child.take().expect("runs"));
    }

    /// Starts it over its data and waits until it listens.
    pub async fn restart(&mut self) {
        let mut command = self.java("kafka.Kafka");
        command.arg(self.folder.path().join("settings"));
        let log = self.folder.path().join("log");
        self.child = Some(Child::start("a broker", command, &log).expect("starts"));
        let port = self.port;
        ieum_testkit::wait::until("the broker listens", Duration::from_secs(180), async || {
            tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok()
        })
        .await
        .expect("comes up");
    }
}
