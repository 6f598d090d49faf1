//! A contract with one operation of each kind, and an answerer that tells what it saw.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::stream::{self, StreamExt};
use ieum_core::{Code, Cx, Fault, Timestamp};
use ieum_link::{Incoming, Outgoing, Routes, contract};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

/// A message with everything that JSON can get wrong.
#[derive(Clone, Default, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Everything {
    pub text: String,
    pub number: i64,
    pub large: u64,
    pub fraction: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub perhaps: Option<String>,
    pub list: Vec<String>,
    pub pairs: BTreeMap<String, i64>,
    pub at: Timestamp,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FailWith {
    pub code: Code,
    pub reason: String,
    pub message: String,
    pub retry_after_ms: Option<u64>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Nothing {}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Seen {
    pub trace: String,
    pub caller: Option<String>,
    pub tenant: Option<String>,
    pub key: Option<String>,
    pub attempt: u32,
    pub left_ms: Option<u64>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Word {
    pub text: String,
}

/// Single messages.
#[contract("sample.desk")]
pub trait Desk: Send + Sync {
    /// Returns the message.
    #[query]
    async fn mirror(&self, cx: &Cx, ask: Everything) -> Result<Everything, Fault>;
    /// Fails as told.
    #[query]
    async fn fail(&self, cx: &Cx, ask: FailWith) -> Result<Nothing, Fault>;
    /// Never answers.
    #[query]
    async fn hang(&self, cx: &Cx, ask: Nothing) -> Result<Nothing, Fault>;
    /// Breaks down.
    #[query]
    async fn panic(&self, cx: &Cx, ask: Nothing) -> Result<Nothing, Fault>;
    /// Returns the context that arrived.
    #[command]
    async fn look(&self, cx: &Cx, ask: Nothing) -> Result<Seen, Fault>;
    /// Counts.
    #[notice]
    async fn idle(&self, cx: &Cx, gone: Word) -> Result<(), Fault>;
}

/// Streams.
#[contract("sample.talk")]
pub trait Talk: Send + Sync {
    /// Repeats each word; the word "stop" is answered with a fault.
    #[stream]
    async fn echo(&self, cx: &Cx, heard: Incoming<Word>) -> Result<Outgoing<Word>, Fault>;
    /// Speaks without end, 16 KiB at a time.
    #[stream]
    async fn flood(&self, cx: &Cx, heard: Incoming<Word>) -> Result<Outgoing<Word>, Fault>;
    /// Hears everything and says nothing.
    #[stream]
    async fn sink(&self, cx: &Cx, heard: Incoming<Word>) -> Result<Outgoing<Word>, Fault>;
    /// Refuses to begin.
    #[stream]
    async fn refuse(&self, cx: &Cx, heard: Incoming<Word>) -> Result<Outgoing<Word>, Fault>;
}

/// What the answerer did so far.
#[derive(Default)]
pub struct Diary {
    pub started: AtomicUsize,
    pub dropped: AtomicUsize,
    pub calls: AtomicUsize,
    pub spoken: AtomicUsize,
    pub gone: Mutex<Vec<String>>,
    pub heard_end: Mutex<Vec<String>>,
    pub changed: Notify,
}

#[derive(Clone, Default)]
pub struct Answerer(pub Arc<Diary>);

/// Tells the diary when the work it stands in was dropped.
struct Working(Arc<Diary>);

impl Diary {
    /// Waits until `holds`, within the patience of a test.
    pub async fn until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let wait = async {
            loop {
                let changed = self.changed.notified();
                if holds(self) {
                    return;
                }
                changed.await;
            }
        };
        tokio::time::timeout(crate::suite::PATIENCE, wait).await.expect(what);
    }

    fn count(&self, which: &AtomicUsize) {
        which.fetch_add(1, Ordering::SeqCst);
        self.changed.notify_waiters();
    }
}

impl Working {
    fn begin(diary: &Arc<Diary>) -> Self {
        diary.count(&diary.started);
        Self(Arc::clone(diary))
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        self.0.count(&self.0.dropped);
    }
}

impl Answerer {
    pub fn routes(&self) -> Routes {
        DeskRoutes::of(Arc::new(self.clone())).merge(TalkRoutes::of(Arc::new(self.clone())))
    }
}

#[ieum_link::async_trait]
impl Desk for Answerer {
    async fn mirror(&self, _: &Cx, ask: Everything) -> Result<Everything, Fault> {
        self.0.count(&self.0.calls);
        Ok(ask)
    }

    async fn fail(&self, _: &Cx, ask: FailWith) -> Result<Nothing, Fault> {
        self.0.count(&self.0.calls);
        let fault = Fault::new(ask.code, ask.reason, ask.message);
        Err(match ask.retry_after_ms {
            Some(wait) => fault.with_retry_after(Duration::from_millis(wait)),
            None => fault,
        })
    }

    async fn hang(&self, _: &Cx, _: Nothing) -> Result<Nothing, Fault> {
        let _working = Working::begin(&self.0);
        std::future::pending().await
    }

    async fn panic(&self, _: &Cx, _: Nothing) -> Result<Nothing, Fault> {
        panic!("as asked")
    }

    async fn look(&self, cx: &Cx, _: Nothing) -> Result<Seen, Fault> {
        self.0.count(&self.0.calls);
        let now = ieum_core::system_clock().moment();
        Ok(Seen {
            trace: cx.trace().to_string(),
            caller: cx.caller().map(|caller| caller.name().to_owned()),
            tenant: cx.tenant().map(str::to_owned),
            key: cx.idempotency_key().map(str::to_owned),
            attempt: cx.attempt(),
            left_ms: cx.time_left(now).map(|left| u64::try_from(left.as_millis()).expect("is short")),
        })
    }

    async fn idle(&self, _: &Cx, gone: Word) -> Result<(), Fault> {
        self.0.gone.lock().push(gone.text);
        self.0.changed.notify_waiters();
        Ok(())
    }
}

#[ieum_link::async_trait]
impl Talk for Answerer {
    async fn echo(&self, _: &Cx, heard: Incoming<Word>) -> Result<Outgoing<Word>, Fault> {
        let diary = Arc::clone(&self.0);
        let working = Working::begin(&self.0);
        let spoken = heard.map(move |word| {
            let _held = &working;
            match word {
                Ok(word) if word.text == "stop" => {
                    Err(Fault::failed_precondition("talk.stopped", "hearing 그만, as told"))
                }
                Ok(word) => Ok(word),
                Err(fault) => {
                    diary.heard_end.lock().push(fault.reason.to_string());
                    diary.changed.notify_waiters();
                    Err(fault)
                }
            }
        });
        Ok(spoken.boxed())
    }

    async fn flood(&self, _: &Cx, heard: Incoming<Word>) -> Result<Outgoing<Word>, Fault> {
        let diary = Arc::clone(&self.0);
        let working = Working::begin(&self.0);
        let words = stream::repeat_with(move || {
            let _held = (&heard, &working);
            diary.count(&diary.spoken);
            Ok(Word { text: "가".repeat(16 * 1024 / 3) })
        });
        Ok(words.boxed())
    }

    async fn sink(&self, _: &Cx, mut heard: Incoming<Word>) -> Result<Outgoing<Word>, Fault> {
        let diary = Arc::clone(&self.0);
        let words = stream::once(async move {
            let mut count = 0;
            while let Some(word) = heard.next().await {
                word?;
                count += 1;
                diary.count(&diary.spoken);
            }
            Ok(Word { text: count.to_string() })
        });
        Ok(words.boxed())
    }

    async fn refuse(&self, _: &Cx, _: Incoming<Word>) -> Result<Outgoing<Word>, Fault> {
        Err(Fault::permission_denied("talk.refused", "opening a talk")
            .with_retry_after(Duration::from_secs(3)))
    }
}

/// Notices alone: what may ride the bus.
#[contract("sample.bell")]
pub trait Bell: Send + Sync {
    /// Rings.
    #[notice]
    async fn ring(&self, cx: &Cx, word: Word) -> Result<(), Fault>;
}

#[ieum_link::async_trait]
impl Bell for Answerer {
    async fn ring(&self, cx: &Cx, word: Word) -> Result<(), Fault> {
        if word.text == "broken" {
            self.0.count(&self.0.started);
            return Err(Fault::failed_precondition("bell.broken", "ringing"));
        }
        self.0.count(&self.0.calls);
        let text = format!("{} for {}", word.text, cx.tenant().unwrap_or("nobody"));
        self.0.gone.lock().push(text);
        self.0.changed.notify_waiters();
        Ok(())
    }
}
