//! A provider that does what a test tells it and remembers what it got.

use std::collections::VecDeque;
use std::sync::Arc;

use async_trait::async_trait;
use ieum_core::{Cx, Fault};
use ieum_notify::{Letter, Provider, Receipt, Repeat, SendError};
use parking_lot::Mutex;

/// What the provider does with one letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Takes it.
    Take,
    /// Does not take it now.
    TurnAway,
    /// Refuses it for good.
    Refuse,
    /// Takes it, and the answer is lost.
    TakeAndLoseTheAnswer,
    /// Takes it and never answers.
    TakeAndHang,
}

pub struct Script {
    name: String,
    repeat: Repeat,
    acts: Mutex<VecDeque<Act>>,
    letters: Mutex<Vec<Letter>>,
    asked: Mutex<usize>,
}

impl Script {
    pub fn new(name: &str, repeat: Repeat) -> Arc<Self> {
        let (acts, letters, asked) = (Mutex::default(), Mutex::default(), Mutex::default());
        Arc::new(Self { name: name.to_owned(), repeat, acts, letters, asked })
    }

    /// Says what is done with the next letters; further ones are taken.
    pub fn will(&self, acts: &[Act]) {
        *self.acts.lock() = acts.iter().copied().collect();
    }

    /// Returns what it took.
    pub fn letters(&self) -> Vec<Letter> {
        self.letters.lock().clone()
    }

    /// Returns how often it was asked.
    pub fn asked(&self) -> usize {
        *self.asked.lock()
    }
}

#[async_trait]
impl Provider for Script {
    fn name(&self) -> &str {
        &self.name
    }

    fn repeat(&self) -> Repeat {
        self.repeat
    }

    async fn send(&self, cx: &Cx, letter: &Letter) -> Result<Receipt, SendError> {
        assert_eq!(cx.idempotency_key(), Some(letter.id.to_string().as_str()));
        *self.asked.lock() += 1;
        let act = self.acts.lock().pop_front().unwrap_or(Act::Take);
        if !matches!(act, Act::TurnAway | Act::Refuse) {
            self.letters.lock().push(letter.clone());
        }
        match act {
            Act::Take => Ok(Receipt { reference: format!("{}-{}", self.name, letter.id) }),
            Act::TurnAway => Err(SendError::NotSent(Fault::unavailable("test.away", "turned away"))),
            Act::Refuse => {
                Err(SendError::Refused(Fault::invalid_argument("test.refused", "no such address")))
            }
            Act::TakeAndLoseTheAnswer => {
                Err(SendError::Uncertain(Fault::deadline_exceeded("test.lost", "the answer was lost")))
            }
            Act::TakeAndHang => std::future::pending().await,
        }
    }

    async fn check(&self) -> Result<(), Fault> {
        Ok(())
    }
}
