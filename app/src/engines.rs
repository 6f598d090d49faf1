//! Several engines as one, each opened by itself: what cannot be opened takes nothing from the others.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use futures::future::BoxFuture;
use ieum_core::{Fault, SharedClock, describe};
use ieum_speech::{Engine, SpeechError};
use ieum_telemetry::HealthCheck;
use ieum_voice::Tongue;
use tokio::sync::OnceCell;

/// How a URL becomes an engine.
pub type Open<T> = fn(String, SharedClock) -> BoxFuture<'static, Result<Arc<T>, SpeechError>>;

/// How engines of one kind are had.
pub struct Kind<T: ?Sized> {
    /// What they are called together, such as `ears`.
    pub name: &'static str,
    /// Opens one.
    pub open: Open<T>,
    /// Tells what an open one is.
    pub says: fn(&T) -> Engine,
    /// Tells from its URL alone which languages one does; `None` where only the engine knows.
    pub languages: fn(&str) -> Option<Vec<String>>,
}

/// Engines of one kind, asked by language.
pub struct Engines<T: ?Sized> {
    engines: Vec<Arc<OneEngine<T>>>,
    says: fn(&T) -> Engine,
}

/// One of them.
pub struct OneEngine<T: ?Sized> {
    /// What health calls it, such as `ears.whisper`.
    name: String,
    url: String,
    languages: Option<Vec<String>>,
    open: Open<T>,
    clock: SharedClock,
    opened: OnceCell<Arc<T>>,
    /// Whether it could not be opened when that was last tried.
    failed: AtomicBool,
    /// Whether it is being tried again, behind what is asked.
    trying: AtomicBool,
}

/// Says that nobody does what is asked.
pub struct Unopened {
    /// The URL of the engine that would; of all where none would.
    pub url: String,
    /// Why not.
    pub error: SpeechError,
}

// === Engines ===

impl<T: ?Sized + Send + Sync + 'static> Engines<T> {
    /// Begins to open `urls`; `None` where there is none. Reading a model takes a second, for which nobody waits; one
    /// that cannot be opened is told, and tried again when it is asked.
    pub fn opening(urls: &[String], clock: &SharedClock, kind: &Kind<T>) -> Option<Arc<Self>> {
        if urls.is_empty() {
            return None;
        }
        let mut counts: HashMap<&str, usize> = HashMap::new();
        let mut engines = Vec::new();
        for url in urls {
            let scheme = url.split(':').next().unwrap_or_default();
            let count = counts.entry(scheme).or_default();
            *count += 1;
            let name = match *count {
                1 => format!("{}.{scheme}", kind.name),
                more => format!("{}.{scheme}-{more}", kind.name),
            };
            engines.push(Arc::new(OneEngine {
                name,
                url: url.clone(),
                languages: (kind.languages)(url),
                open: kind.open,
                clock: clock.clone(),
                opened: OnceCell::new(),
                failed: AtomicBool::new(false),
                trying: AtomicBool::new(false),
            }));
        }
        for engine in engines.iter().cloned() {
            tokio::spawn(async move {
                if let Err(error) = engine.get().await {
                    let (engine, error) = (&engine.url, describe(&error));
                    tracing::error!(%engine, %error, "opening a speech engine failed; the others do their part");
                }
            });
        }
        Some(Arc::new(Self { engines, says: kind.says }))
    }

    /// Returns what looks after each, by its name.
    pub fn checks(&self) -> Vec<(String, Arc<dyn HealthCheck>)> {
        let check = |engine: &Arc<OneEngine<T>>| Arc::clone(engine) as Arc<dyn HealthCheck>;
        self.engines.iter().map(|engine| (engine.name.clone(), check(engine))).collect()
    }

    /// Returns the engine that does `language`: the first of those that are open. Without a language it is one that finds
    /// it out, which is one of several languages; where none does, one of Korean.
    ///
    /// # Errors
    /// Why the one that would do it cannot be opened.
    pub async fn of(&self, language: Option<&str>) -> Result<Arc<T>, Unopened> {
        let able = self.able(language);
        for engine in &able {
            if engine.failed.load(Ordering::Relaxed) {
                // Whoever speaks does not wait for it where another one may do.
                Arc::clone(engine).try_again();
            } else if let Ok(open) = engine.get().await
                && self.fits(open, language)
            {
                return Ok(Arc::clone(open));
            }
        }
        let mut first = None;
        for engine in able {
            match engine.get().await {
                Ok(open) if self.fits(open, language) => return Ok(Arc::clone(open)),
                Ok(_) => {}
                Err(error) => {
                    first = first.or(Some(Unopened { url: engine.url.clone(), error }));
                }
            }
        }
        Err(first.unwrap_or_else(|| self.nobody(language)))
    }

    /// Returns what they are together: those that are open or about to be.
    pub fn engine(&self) -> Engine {
        let mut whole = Engine { name: String::new(), languages: Vec::new() };
        for engine in &self.engines {
            if let Some(open) = engine.opened.get() {
                let separator = if whole.name.is_empty() { "" } else { "+" };
                whole.name.push_str(separator);
                whole.name.push_str(&(self.says)(open).name);
            }
            for language in self.does(engine).into_iter().flatten() {
                if !whole.languages.contains(&language) {
                    whole.languages.push(language);
                }
            }
        }
        if whole.name.is_empty() {
            whole.name.push_str("ieum");
        }
        if whole.languages.is_empty() {
            // Those that dialogues have.
            whole.languages = vec!["ko".to_owned(), "en".to_owned()];
        }
        whole
    }

    /// Returns the engines that do or may do what is asked, in the order in which they are preferred.
    fn able(&self, language: Option<&str>) -> Vec<&Arc<OneEngine<T>>> {
        let which = |wanted: &dyn Fn(&[String]) -> bool| -> Vec<&Arc<OneEngine<T>>> {
            let is_wanted =
                |engine: &&Arc<OneEngine<T>>| self.known(engine).is_none_or(|languages| wanted(&languages));
            self.engines.iter().filter(is_wanted).collect()
        };
        let knows = |language: &str| which(&|known: &[String]| known.iter().any(|one| one == language));
        let Some(language) = language else {
            let mut able = which(&|known| known.len() > 1);
            let korean = knows(Tongue::Korean.code());
            able.extend(
                korean.into_iter().filter(|one| self.known(one).is_some_and(|known| known.len() == 1)),
            );
            return if able.is_empty() { self.engines.iter().collect() } else { able };
        };
        knows(language)
    }

    /// Returns the languages of an engine; `None` while only the engine would know.
    fn known(&self, engine: &OneEngine<T>) -> Option<Vec<String>> {
        engine.opened.get().map(|open| (self.says)(open).languages).or_else(|| engine.languages.clone())
    }

    /// Returns the languages of an engine that is open or about to be.
    fn does(&self, engine: &OneEngine<T>) -> Option<Vec<String>> {
        let is_failed = engine.opened.get().is_none() && engine.failed.load(Ordering::Relaxed);
        if is_failed { None } else { self.known(engine) }
    }

    fn fits(&self, open: &Arc<T>, language: Option<&str>) -> bool {
        language.is_none_or(|language| (self.says)(open).languages.iter().any(|known| known == language))
    }

    fn nobody(&self, language: Option<&str>) -> Unopened {
        let urls: Vec<&str> = self.engines.iter().map(|engine| engine.url.as_str()).collect();
        let known: Vec<String> = self.engines.iter().filter_map(|one| self.does(one)).flatten().collect();
        let error = SpeechError::Language {
            language: language.unwrap_or_default().to_owned(),
            known: if known.is_empty() { "none".to_owned() } else { known.join(", ") },
        };
        Unopened { url: urls.join(", "), error }
    }
}

// === OneEngine ===

impl<T: ?Sized + Send + Sync + 'static> OneEngine<T> {
    /// Returns the engine, and opens it where it is not open.
    async fn get(&self) -> Result<&Arc<T>, SpeechError> {
        let open = async || (self.open)(self.url.clone(), self.clock.clone()).await;
        let opened = self.opened.get_or_try_init(open).await;
        let had_failed = self.failed.swap(opened.is_err(), Ordering::Relaxed);
        if had_failed && opened.is_ok() {
            tracing::info!(engine = %self.url, "a speech engine that could not be opened is open now");
        }
        opened
    }

    fn try_again(self: Arc<Self>) {
        if self.trying.swap(true, Ordering::Relaxed) {
            return;
        }
        tokio::spawn(async move {
            // Why it fails is told by health.
            let _ = self.get().await;
            self.trying.store(false, Ordering::Relaxed);
        });
    }
}

#[async_trait]
impl<T: ?Sized + Send + Sync + 'static> HealthCheck for OneEngine<T> {
    async fn check(&self) -> Result<(), Fault> {
        self.get().await.map(drop).map_err(|error| {
            let fault = Fault::from(error);
            Fault { message: format!("{}: {}", self.url, fault.message), ..fault }
        })
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;
    use ieum_core::system_clock;

    use super::*;

    /// Stands for an engine: `there:ko,en` opens, `gone:ko` never does, and what begins with "silent" tells its languages
    /// only once it is open.
    struct Named(String);

    fn languages_in(url: &str) -> Vec<String> {
        url.split(':').nth(1).unwrap_or_default().split(',').map(str::to_owned).collect()
    }

    const KIND: Kind<Named> = Kind {
        name: "ears",
        open: |url, _| {
            async move {
                if url.contains("gone") {
                    let problem = "there is no such folder".to_owned();
                    return Err(SpeechError::Model { folder: url.into(), problem });
                }
                Ok(Arc::new(Named(url)))
            }
            .boxed()
        },
        says: |named| Engine { name: named.0.clone(), languages: languages_in(&named.0) },
        languages: |url| (!url.starts_with("silent")).then(|| languages_in(url)),
    };

    fn engines(urls: &[&str]) -> Arc<Engines<Named>> {
        let urls: Vec<String> = urls.iter().map(|url| (*url).to_owned()).collect();
        Engines::opening(&urls, &system_clock(), &KIND).expect("there are some")
    }

    async fn asked(engines: &Engines<Named>, language: Option<&str>) -> Result<String, String> {
        let found = engines.of(language).await;
        found.map(|named| named.0.clone()).map_err(|unopened| format!("{}: {}", unopened.url, unopened.error))
    }

    #[tokio::test]
    async fn one_that_cannot_be_opened_takes_nothing_from_the_others() {
        let all = engines(&["gone:en", "there:ko"]);
        // Asked twice: while it is opened, and knowing that it failed.
        for _ in 0..2 {
            assert_eq!(asked(&all, Some("ko")).await.expect("is heard"), "there:ko");
            assert_eq!(asked(&all, None).await.expect("is heard"), "there:ko");
            let told = asked(&all, Some("en")).await.expect_err("nobody hears it");
            assert!(told.starts_with("gone:en: opening the speech model in gone:en"), "{told}");
        }
        let told = asked(&all, Some("ja")).await.expect_err("nobody does it");
        assert!(told.contains("\"ja\": there are ko"), "{told}");
        assert_eq!(all.engine(), Engine { name: "there:ko".to_owned(), languages: vec!["ko".to_owned()] });
    }

    #[tokio::test]
    async fn the_next_one_of_the_language_stands_in() {
        let all = engines(&["silent-gone:ko", "gone:ko,en", "silent:en", "there:ko"]);
        for _ in 0..2 {
            assert_eq!(asked(&all, Some("ko")).await.expect("is heard"), "there:ko");
            assert_eq!(asked(&all, Some("en")).await.expect("is heard"), "silent:en");
        }
    }

    #[tokio::test]
    async fn speech_of_no_known_language_is_not_heard_in_the_wrong_one() {
        let all = engines(&["there:en", "gone:ko,en"]);
        let told = asked(&all, None).await.expect_err("English alone is heard");
        assert!(told.starts_with("gone:ko,en: "), "{told}");
        assert_eq!(asked(&engines(&["there:en"]), None).await.expect("there is nothing else"), "there:en");
        assert_eq!(
            asked(&engines(&["there:en", "there:ko,en"]), None).await.expect("finds out"),
            "there:ko,en"
        );
    }

    #[tokio::test]
    async fn each_has_a_name_of_its_own_in_health() {
        let all = engines(&["there:ko", "gone:en", "there:en"]);
        let checks = all.checks();
        let names: Vec<&str> = checks.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["ears.there", "ears.gone", "ears.there-2"]);
        let fault = checks[1].1.check().await.expect_err("cannot be opened");
        assert!(fault.message.starts_with("gone:en: opening"), "{fault}");
        checks[0].1.check().await.expect("is open");
    }
}
