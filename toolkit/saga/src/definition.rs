//! What a saga does: its steps, how each is done and undone, and what its end tells.

use std::fmt;

use async_trait::async_trait;
use ieum_core::{Cx, Fault};
use ieum_store::Transaction;
use serde::de::DeserializeOwned;
use serde::{Deserialize as _, Serialize};
use serde_json::Value;

/// Steps that are done one after the other, or undone in reverse.
#[async_trait]
pub trait Saga: Send + Sync + 'static {
    /// The name in rows, metrics and logs, such as `identity.device_registration`.
    const NAME: &'static str;

    /// What steps know of each other. Kept after each of them; it must hold no secret.
    type State: Serialize + DeserializeOwned + Send + Sync;

    /// The steps.
    type Step: Copy + Send + Sync + 'static;

    /// The steps by name, in their order. A name stays what it is as long as a saga may stand at it.
    const STEPS: &'static [(&'static str, Self::Step)];

    /// Does one step. It may be asked again, with the same idempotency key in `cx`, after a kill and where
    /// the fault [is one that may pass](Fault::is_retryable); any other fault turns the saga around.
    async fn run(&self, cx: &Cx, step: Self::Step, state: &mut Self::State) -> Result<(), Fault>;

    /// Undoes one step, in reverse order, beginning with the one that was refused: it may have had its effect, and
    /// undoing what had none does nothing. Asked again like [`Saga::run`]; what is refused for good leaves the saga
    /// [stuck](crate::Phase::Stuck) for a person to look at.
    async fn undo(&self, cx: &Cx, step: Self::Step, state: &mut Self::State) -> Result<(), Fault>;

    /// Tells the end, in the transaction that keeps it: an event, a row. By default nothing.
    async fn ended(
        &self,
        _tx: &mut Transaction,
        _id: &str,
        _ended: &Ended,
        _state: &Self::State,
    ) -> Result<(), Fault> {
        Ok(())
    }
}

/// How a saga ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Every step is done.
    Done,
    /// Everything is undone, because of this.
    Undone(Fault),
}

/// Which way a step is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Run,
    Undo,
}

impl fmt::Display for Way {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Run => "run",
            Self::Undo => "undo",
        })
    }
}

/// A saga without its types.
#[async_trait]
pub trait AnySaga: Send + Sync + 'static {
    fn steps(&self) -> Vec<&'static str>;

    /// Asks a step and returns the state after it, which is there whether it was refused or not.
    async fn ask(&self, cx: &Cx, way: Way, step: usize, state: Value) -> (Value, Result<(), Fault>);

    async fn ended(&self, tx: &mut Transaction, id: &str, ended: &Ended, state: Value) -> Result<(), Fault>;
}

/// Gives a [`Saga`] that form.
pub struct Typed<S>(pub S);

#[async_trait]
impl<S: Saga> AnySaga for Typed<S> {
    fn steps(&self) -> Vec<&'static str> {
        S::STEPS.iter().map(|(name, _)| *name).collect()
    }

    async fn ask(&self, cx: &Cx, way: Way, step: usize, state: Value) -> (Value, Result<(), Fault>) {
        let Some((_, step)) = S::STEPS.get(step) else {
            return (state, Err(Fault::internal("saga.step", "asking for a step that is not there")));
        };
        let mut typed = match read::<S>(&state) {
            Ok(typed) => typed,
            Err(fault) => return (state, Err(fault)),
        };
        let asked = match way {
            Way::Run => self.0.run(cx, *step, &mut typed).await,
            Way::Undo => self.0.undo(cx, *step, &mut typed).await,
        };
        match serde_json::to_value(&typed) {
            Ok(state) => (state, asked),
            Err(error) => (state, Err(Fault::internal("saga.state", format!("writing the state: {error}")))),
        }
    }

    async fn ended(&self, tx: &mut Transaction, id: &str, ended: &Ended, state: Value) -> Result<(), Fault> {
        self.0.ended(tx, id, ended, &read::<S>(&state)?).await
    }
}

fn read<S: Saga>(state: &Value) -> Result<S::State, Fault> {
    S::State::deserialize(state).map_err(|error| {
        Fault::data_loss("saga.state", format!("reading the state of a saga {}: {error}", S::NAME))
    })
}
