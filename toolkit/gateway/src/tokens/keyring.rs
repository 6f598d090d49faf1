//! The keys of one issuer: fetched when needed, renewed in time, never more often than once an interval.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use ieum_core::{BoxFuture, Moment, Secret, SharedClock, within};
use parking_lot::Mutex;
use url::Url;

use super::TokenRefusal;
use super::jwk::KeySet;

/// Where an issuer's keys come from.
#[derive(Clone, Debug)]
pub enum KeyOrigin {
    /// A JWK set at a URL, fetched through the [`KeySource`].
    Url(Url),
    /// A JWK set in a file, which is read again when it may have changed.
    File(PathBuf),
    /// A secret shared with the issuer; 32 bytes or more (RFC 7518 §3.2).
    Secret(Secret),
}

/// Fetches JWK sets. What may be called at all is for the source to decide.
pub trait KeySource: Send + Sync + 'static {
    /// Returns the body at `url`. Fails with a sentence for the log.
    fn fetch<'a>(&'a self, url: &'a Url) -> BoxFuture<'a, Result<Bytes, String>>;
}

/// How long a fetch may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// The time between two fetches at least, whatever tokens ask for.
const INTERVAL: Duration = Duration::from_secs(10);
/// The same for a file: together with [`super::REMEMBERED`] a change counts within a second.
const FILE_INTERVAL: Duration = Duration::from_millis(400);
/// For how many renewals that fail the last keys still count.
const STALE: u32 = 12;
/// The largest JWK set, in bytes.
const MOST_BYTES: usize = 256 << 10;

/// The keys of one issuer. Clones share them.
#[derive(Clone)]
pub(super) struct Keyring(Arc<Inner>);

struct Inner {
    origin: KeyOrigin,
    source: Arc<dyn KeySource>,
    clock: SharedClock,
    refresh: Duration,
    interval: Duration,
    state: Mutex<State>,
    generation: AtomicU64,
    /// Held by whoever fetches; the others wait for what that brings.
    fetching: futures::lock::Mutex<()>,
}

#[derive(Default)]
struct State {
    set: Option<Arc<KeySet>>,
    text: Vec<u8>,
    fetched: Moment,
    attempted: Option<Moment>,
}

impl Keyring {
    pub fn new(origin: KeyOrigin, refresh: Duration, source: Arc<dyn KeySource>, clock: SharedClock) -> Self {
        let (refresh, interval) = match origin {
            KeyOrigin::File(_) => (FILE_INTERVAL, FILE_INTERVAL),
            _ => (refresh.max(INTERVAL), INTERVAL),
        };
        let mut state = State::default();
        if let KeyOrigin::Secret(secret) = &origin {
            state.set = Some(Arc::new(KeySet::of_secret(secret.expose().as_bytes())));
        }
        let (state, generation, fetching) = (Mutex::new(state), AtomicU64::new(0), Default::default());
        Self(Arc::new(Inner { origin, source, clock, refresh, interval, state, generation, fetching }))
    }

    /// Returns which change of the keys counts now.
    pub fn generation(&self) -> u64 {
        self.0.generation.load(Ordering::Acquire)
    }

    /// Returns the keys as they are known, fetching them where none are or their time is over.
    pub async fn current(&self) -> Result<Arc<KeySet>, TokenRefusal> {
        let inner = &self.0;
        let (set, age) = {
            let state = inner.state.lock();
            (state.set.clone(), inner.clock.moment().since(state.fetched))
        };
        match (set, &inner.origin) {
            (Some(set), KeyOrigin::Secret(_)) => Ok(set),
            (Some(set), _) if age < inner.refresh => Ok(set),
            (Some(set), KeyOrigin::Url(_)) if age < inner.refresh * STALE => {
                if inner.may_fetch() {
                    let keyring = self.clone();
                    // Beside the request: the keys at hand still count.
                    tokio::spawn(async move { keyring.renew().await });
                }
                Ok(set)
            }
            _ => self.renew().await,
        }
    }

    /// Fetches the keys, unless somebody did within the interval; then what that brought counts.
    pub async fn renew(&self) -> Result<Arc<KeySet>, TokenRefusal> {
        let inner = &self.0;
        let _alone = inner.fetching.lock().await;
        if inner.may_fetch() {
            let asked = inner.clock.moment();
            inner.state.lock().attempted = Some(asked);
            match inner.read().await {
                Ok(text) => inner.take(text, asked),
                Err(problem) => tracing::warn!(origin = %inner.place(), problem, "fetching an issuer's keys"),
            }
        }
        let state = inner.state.lock();
        let fresh = inner.clock.moment().since(state.fetched) < inner.refresh * STALE;
        state.set.clone().filter(|_| fresh).ok_or(TokenRefusal::KeysUnavailable)
    }
}

impl Inner {
    fn may_fetch(&self) -> bool {
        let attempted = self.state.lock().attempted;
        attempted.is_none_or(|attempted| self.clock.moment().since(attempted) >= self.interval)
    }

    async fn read(&self) -> Result<Bytes, String> {
        match &self.origin {
            KeyOrigin::Url(url) => {
                let answer =
                    within(&self.clock, self.clock.moment() + PATIENCE, self.source.fetch(url)).await;
                answer.unwrap_or_else(|| Err(format!("no answer within {PATIENCE:?}")))
            }
            KeyOrigin::File(path) => match tokio::fs::read(path).await {
                Ok(text) => Ok(text.into()),
                Err(error) => Err(error.to_string()),
            },
            KeyOrigin::Secret(_) => Err("a secret is not fetched".to_owned()),
        }
    }

    /// Takes over a set. One that is no set changes nothing, so that a broken answer ends nobody's tokens.
    fn take(&self, text: Bytes, asked: Moment) {
        if text.len() > MOST_BYTES {
            tracing::warn!(origin = %self.place(), bytes = text.len(), "an issuer's key set is too large");
            return;
        }
        let mut state = self.state.lock();
        if state.set.is_some() && state.text == text {
            state.fetched = asked;
            return;
        }
        let generation = self.generation.load(Ordering::Acquire) + 1;
        match KeySet::parse(&text, generation) {
            Ok(set) => {
                *state = State {
                    set: Some(Arc::new(set)),
                    text: text.into(),
                    fetched: asked,
                    attempted: state.attempted,
                };
                self.generation.store(generation, Ordering::Release);
            }
            Err(problem) => tracing::warn!(origin = %self.place(), problem, "reading an issuer's keys"),
        }
    }

    fn place(&self) -> String {
        match &self.origin {
            KeyOrigin::Url(url) => url.to_string(),
            KeyOrigin::File(path) => path.display().to_string(),
            KeyOrigin::Secret(_) => "a shared secret".to_owned(),
        }
    }
}
