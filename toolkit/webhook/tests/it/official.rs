//! A real delivery, judged by the official Standard Webhooks libraries for Python and JavaScript.

use std::path::Path;
use std::process::Stdio;

use ieum_core::{Cx, system_clock};
use ieum_webhook::WebhookOptions;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::stage::{Stage, message, webhooks};

/// Reads `{secret, headers, body}` from standard input and prints `verified` or `refused`.
const PYTHON: &str = r"
import json, sys
from standardwebhooks.webhooks import Webhook, WebhookVerificationError
given = json.load(sys.stdin)
try:
    Webhook(given['secret']).verify(given['body'], given['headers'])
    print('verified')
except WebhookVerificationError:
    print('refused')
";

/// The same for Node.
const NODE: &str = r"
const { Webhook, WebhookVerificationError } = require('standardwebhooks');
let text = '';
process.stdin.on('data', part => { text += part; }).on('end', () => {
  const given = JSON.parse(text);
  try {
    new Webhook(given.secret).verify(given.body, given.headers);
    console.log('verified');
  } catch (error) {
    if (!(error instanceof WebhookVerificationError)) throw error;
    console.log('refused');
  }
});
";

/// Captures one delivery sent now, as `{secret, headers, body}`.
async fn captured() -> Value {
    let stage = Stage::sqlite().await;
    let webhooks = webhooks(&stage.store, &stage.sealer, system_clock(), WebhookOptions::default());
    let registered = webhooks.register(stage.wish()).await.expect("registers");
    webhooks.rotate_secret("seoul", registered.endpoint.id).await.expect("rotates");
    let _running = webhooks.start();
    let mut tx = stage.store.begin().await.expect("begins");
    let mut message = message("m-1", "e-1");
    message.data = json!({"eventName": "서울 박람회", "quote": "\"\\/"});
    webhooks.enqueue(&mut tx, &Cx::root(), &message).await.expect("is accepted");
    tx.commit().await.expect("commits");
    let seen = stage.receiver.wait(1).await.remove(0);
    let headers: serde_json::Map<String, Value> = ["webhook-id", "webhook-timestamp", "webhook-signature"]
        .into_iter()
        .map(|name| (name.to_owned(), seen.header(name).into()))
        .collect();
    let body = String::from_utf8(seen.body.to_vec()).expect("is UTF-8");
    json!({"secret": registered.secret.expose(), "headers": headers, "body": body})
}

async fn judge(mut command: Command, given: &Value) -> String {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("starts");
    let mut input = child.stdin.take().expect("has a standard input");
    input.write_all(given.to_string().as_bytes()).await.expect("takes the delivery");
    drop(input);
    let output = child.wait_with_output().await.expect("ends");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "the library failed: {errors}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

async fn is_verified_and_nothing_changed_is(command: impl Fn() -> Command) {
    let given = captured().await;
    assert_eq!(judge(command(), &given).await, "verified");
    let mut changed = given.clone();
    changed["body"] = given["body"].as_str().expect("is text").replace("m-1", "m-2").into();
    assert_eq!(judge(command(), &changed).await, "refused");
    let mut late = given.clone();
    late["headers"]["webhook-timestamp"] = "1614265330".into();
    assert_eq!(judge(command(), &late).await, "refused");
    let mut other = given.clone();
    other["headers"]["webhook-id"] = "m-2".into();
    assert_eq!(judge(command(), &other).await, "refused");
}

/// Returns where `cargo xtask test` put a library; without one, records that the test did not run.
#[allow(clippy::disallowed_methods, reason = "the test runner hands paths over in the environment")]
fn library(name: &str) -> Option<String> {
    let path = std::env::var(format!("IEUM_TEST_{name}_URL")).ok().filter(|path| !path.is_empty());
    if path.is_none() {
        ieum_testkit::server::not_run(&name.to_lowercase(), "the standardwebhooks library is not installed");
    }
    path
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs standardwebhooks"]
async fn the_official_python_library_verifies_a_delivery() {
    let Some(python) = library("PYTHON") else { return };
    is_verified_and_nothing_changed_is(|| {
        let mut command = Command::new(&python);
        command.args(["-c", PYTHON]);
        command
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs standardwebhooks"]
async fn the_official_javascript_library_verifies_a_delivery() {
    let Some(folder) = library("NODE") else { return };
    is_verified_and_nothing_changed_is(|| {
        let mut command = Command::new("node");
        command.args(["-e", NODE]).env("NODE_PATH", Path::new(&folder).join("node_modules"));
        command
    })
    .await;
}
