//! Real receivers: a mail server (aiosmtpd), Amazon SNS as moto answers for it, and an ntfy as it is documented.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use ieum_client::OutboundPolicy;
use ieum_contracts::notify::Channel;
use ieum_core::{Cx, new_id, system_clock};
use ieum_notify::{Letter, Provider, ProviderContext, Repeat, SendError, open_provider};
use ieum_testkit::server;
use ieum_testkit::wait::until_some;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

const PATIENCE: Duration = Duration::from_secs(120);

fn provider(url: &str, channel: Channel) -> Arc<dyn Provider> {
    // Two providers of TLS may be linked in; the app makes this choice at its start.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let context = ProviderContext {
        outbound: OutboundPolicy { allow: vec!["127.0.0.0/8".parse().expect("is a network")] },
        clock: system_clock(),
        from: "Ieum 알림 <no-reply@example.org>".into(),
    };
    open_provider(url, channel, &context).unwrap_or_else(|error| panic!("opening {url}: {error}"))
}

fn letter(to: &str) -> Letter {
    let (title, body) = ("커피 박람회: 정원의 90 %".to_owned(), "A line\n.\na dot alone, 한글\n".to_owned());
    Letter { id: new_id(), to: to.to_owned(), title, body }
}

/// Returns the mail that holds `text`, once it is there.
async fn mail_with(folder: &Path, text: &str) -> String {
    let look = || async {
        let entries = std::fs::read_dir(folder.join("new")).ok()?;
        let mails = entries.flatten().filter_map(|entry| std::fs::read_to_string(entry.path()).ok());
        mails.into_iter().find(|mail| mail.contains(text))
    };
    until_some("the mail arrives", PATIENCE, look).await.expect("arrives")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs aiosmtpd"]
async fn a_mail_server_takes_a_message_whole() {
    let (Some(url), Some(folder)) = (server::require("aiosmtpd"), server::mailbox()) else { return };
    let mail = provider(&format!("{url}?tls=none"), Channel::Email);
    mail.check().await.expect("lets us in");
    let letter = letter("ada@example.org");
    let receipt = mail.send(&Cx::root(), &letter).await.expect("is taken");
    assert!(receipt.reference.starts_with("OK"), "{receipt:?}");
    let arrived = mail_with(&folder, &letter.id.to_string()).await;
    assert!(arrived.contains(&format!("Message-ID: <{}@example.org>", letter.id)), "{arrived}");
    assert!(
        arrived.contains("Auto-Submitted: auto-generated") && arrived.contains("X-RcptTo: ada@example.org")
    );
    let words = python(READ_MAIL, &arrived);
    let mut lines = words.lines();
    assert_eq!(lines.next(), Some(letter.title.as_str()));
    assert_eq!(lines.next(), Some("Ieum 알림 <no-reply@example.org>"));
    assert_eq!(lines.take(3).collect::<Vec<_>>(), ["A line", ".", "a dot alone, 한글"]);
}

/// Takes a mail apart as another library than the one that wrote it understands it.
const READ_MAIL: &str = "import email, email.policy, sys\n\
    mail = email.message_from_string(sys.stdin.read(), policy=email.policy.default)\n\
    print(mail['subject']); print(mail['from']); print(mail.get_content())";

/// Runs a script of the interpreter that every such test run has.
fn python(script: &str, input: &str) -> String {
    use std::io::Write;
    use std::process::{Command, Stdio};
    let mut command = Command::new("python3");
    command.args(["-X", "utf8", "-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("starts");
    child.stdin.take().expect("is piped").write_all(input.as_bytes()).expect("is read");
    String::from_utf8(child.wait_with_output().expect("ends").stdout).expect("is text")
}

/// A mail server that answers as it is told, line by line; for what a sound one never does.
async fn odd_mail_server(answer: impl Fn(&str) -> Option<&'static str> + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
    let address = listener.local_addr().expect("has an address");
    let answer = Arc::new(answer);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let answer = answer.clone();
            tokio::spawn(async move {
                let (read, mut write) = stream.into_split();
                let mut lines = BufReader::new(read).lines();
                let _ = write.write_all(b"220 odd ESMTP\r\n").await;
                let mut within = false;
                while let Ok(Some(line)) = lines.next_line().await {
                    let asked = match (within, line.as_str()) {
                        (true, ".") => "END",
                        (true, _) => continue,
                        (false, line) => line.split(' ').next().unwrap_or_default(),
                    };
                    within = asked == "DATA";
                    // No answer is the end of the connection.
                    let Some(text) = answer(asked) else { return };
                    within = within && text.starts_with("354");
                    let _ = write.write_all(format!("{text}\r\n").as_bytes()).await;
                }
            });
        }
    });
    format!("smtp://{address}?tls=none")
}

fn usual(asked: &str) -> Option<&'static str> {
    Some(match asked {
        "EHLO" => "250 odd",
        "DATA" => "354 go on",
        "QUIT" => "221 bye",
        _ => "250 ok",
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_a_lost_answer_to_the_whole_message_leaves_mail_uncertain() {
    let send = |url: String| async move {
        provider(&url, Channel::Email).send(&Cx::root(), &letter("ada@example.org")).await
    };
    assert!(send(odd_mail_server(usual).await).await.is_ok());
    for (step, answer, expected) in [
        ("EHLO", Some("554 not you"), "nothing was sent"),
        ("MAIL", Some("550 not from you"), "nothing was sent"),
        ("RCPT", Some("550 no such person"), "the message was refused for good"),
        ("RCPT", Some("450 later"), "nothing was sent"),
        ("RCPT", None, "nothing was sent"),
        ("DATA", None, "nothing was sent"),
        ("END", Some("451 later"), "nothing was sent"),
        ("END", Some("554 spam"), "the message was refused for good"),
        ("END", None, "the message may have been sent"),
    ] {
        let url = odd_mail_server(move |asked| if asked == step { answer } else { usual(asked) }).await;
        let error = send(url).await.expect_err("is no receipt");
        assert_eq!(error.to_string(), expected, "{answer:?} to {step}");
    }
    let nobody = send("smtp://127.0.0.1:1?tls=none".into()).await.expect_err("nobody listens");
    assert!(matches!(nobody, SendError::NotSent(_)), "{nobody:?}");
    // Where encryption is asked for, a server that has none gets nothing.
    let plain = odd_mail_server(usual).await.replace("?tls=none", "");
    assert!(matches!(send(plain).await, Err(SendError::NotSent(_))));
}

/// Asks moto by the language of AWS, without a signature, which it does not look at.
async fn aws(url: &str, form: &[(&str, &str)]) -> String {
    let client = reqwest::Client::builder().build().expect("is made");
    let header = "AWS4-HMAC-SHA256 Credential=key/20260101/eu-west-1/sns/aws4_request, SignedHeaders=host, Signature=x";
    let request = client.post(url).header("authorization", header).form(form).send();
    request.await.expect("is answered").text().await.expect("is text")
}

/// Returns what moto kept of the service.
async fn kept(url: &str) -> Value {
    let data = reqwest::get(format!("{url}/moto-api/data.json")).await.expect("is answered");
    data.json::<Value>().await.expect("is JSON")["sns"].clone()
}

fn sns(url: &str) -> String {
    let address = url.trim_start_matches("http://");
    format!("sns://AKIDEXAMPLE:sec%2Fret@{address}/eu-west-1?tls=none")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs moto"]
async fn amazon_sns_takes_a_text_message_and_a_push_and_refuses_a_wrong_number() {
    let Some(url) = server::require("moto") else { return };
    let sms = provider(&sns(&url), Channel::Sms);
    assert_eq!(sms.repeat(), Repeat::Doubles);
    assert!(!sms.name().contains("sec"), "{}", sms.name());
    sms.check().await.expect("lets us in");
    let sent = sms.send(&Cx::root(), &letter("+821012345678")).await.expect("is taken");
    let refused = sms.send(&Cx::root(), &letter("tel:1")).await.expect_err("is no number");
    assert!(matches!(refused, SendError::Refused(_)), "{refused:?}");

    let version = ("Version", "2010-03-31");
    let made = aws(
        &url,
        &[
            ("Action", "CreatePlatformApplication"),
            version,
            ("Name", "ieum"),
            ("Platform", "GCM"),
            ("Attributes.entry.1.key", "PlatformCredential"),
            ("Attributes.entry.1.value", "x"),
        ],
    )
    .await;
    let application = between(&made, "PlatformApplicationArn");
    let token = new_id().to_string();
    let made = aws(
        &url,
        &[
            ("Action", "CreatePlatformEndpoint"),
            version,
            ("PlatformApplicationArn", &application),
            ("Token", &token),
        ],
    )
    .await;
    let endpoint = between(&made, "EndpointArn");
    let push = provider(&sns(&url), Channel::Push);
    let letter = letter(&endpoint);
    let receipt = push.send(&Cx::root(), &letter).await.expect("is taken");
    let kept = kept(&url).await;
    let texts = kept["SMS"]
        .as_array()
        .expect("are kept")
        .iter()
        .filter(|sms| sms["message_id"] == sent.reference.as_str());
    let texts: Vec<_> = texts.map(|sms| (sms["phone_number"].as_str(), sms["message"].as_str())).collect();
    let whole = format!("{}\n{}", letter.title, letter.body.trim());
    assert_eq!(texts, [(Some("+821012345678"), Some(whole.as_str()))]);
    let kept = kept["PlatformEndpoint"].to_string();
    assert!(kept.contains(&receipt.reference), "moto kept the push under the id it gave: {kept}");
    let gone = push.send(&Cx::root(), &Letter { to: format!("{endpoint}x"), ..letter }).await;
    assert!(matches!(gone, Err(SendError::Refused(_))), "{gone:?}");
}

fn between(xml: &str, name: &str) -> String {
    let rest = xml.split_once(&format!("<{name}>")).unwrap_or_else(|| panic!("{xml}")).1;
    rest.split_once(&format!("</{name}>")).expect("ends").0.to_owned()
}

/// The token and the body of each request.
type Seen = Arc<Mutex<Vec<(Option<String>, Value)>>>;

/// Answers as <https://docs.ntfy.sh/publish/#publish-as-json> describes.
async fn ntfy(seen: Seen) -> String {
    let publish = |State(seen): State<Seen>, headers: http::HeaderMap, Json(body): Json<Value>| async move {
        let token = headers.get("authorization").and_then(|value| value.to_str().ok()).map(str::to_owned);
        let topic = body["topic"].as_str().unwrap_or_default().to_owned();
        seen.lock().push((token, body));
        match topic.as_str() {
            "forbidden" => {
                (http::StatusCode::FORBIDDEN, Json(json!({ "code": 40301, "error": "forbidden" })))
            }
            "busy" => (http::StatusCode::TOO_MANY_REQUESTS, Json(json!({ "error": "limit reached" }))),
            "broken" => (http::StatusCode::INTERNAL_SERVER_ERROR, Json(json!({}))),
            "no topic" => (http::StatusCode::BAD_REQUEST, Json(json!({ "error": "topic invalid" }))),
            _ => (http::StatusCode::OK, Json(json!({ "id": "hwQ2YpKdmg", "event": "message" }))),
        }
    };
    let health = || async { Json(json!({ "healthy": true })) };
    let router = Router::new().route("/", post(publish)).route("/v1/health", get(health)).with_state(seen);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
    let address = listener.local_addr().expect("has an address");
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("ntfy://:tk_secret@{address}?tls=none")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ntfy_gets_a_message_under_an_id_by_which_it_is_shown_once() {
    let seen = Seen::default();
    let push = provider(&ntfy(Arc::clone(&seen)).await, Channel::Push);
    assert!(!push.name().contains("tk_secret"));
    push.check().await.expect("is healthy");
    let letter = letter("ada");
    for _ in 0..2 {
        assert_eq!(push.send(&Cx::root(), &letter).await.expect("is taken").reference, "hwQ2YpKdmg");
    }
    let requests = seen.lock().clone();
    assert_eq!(requests[0].0.as_deref(), Some("Bearer tk_secret"));
    assert_eq!(requests[0].1["title"], letter.title.as_str());
    assert_eq!(requests[0].1["sequence_id"], requests[1].1["sequence_id"]);
    for (topic, expected) in [
        ("forbidden", "nothing was sent"),
        ("busy", "nothing was sent"),
        ("broken", "the message may have been sent"),
        ("no topic", "the message was refused for good"),
    ] {
        let letter = Letter { to: topic.to_owned(), ..letter.clone() };
        let error = push.send(&Cx::root(), &letter).await.expect_err("is no receipt");
        assert_eq!(error.to_string(), expected, "{topic}");
        assert!(!format!("{error:?}").contains("tk_secret"));
    }
    assert_eq!(seen.lock().len(), 6, "nothing is repeated by the provider itself");
}
