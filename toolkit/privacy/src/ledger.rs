//! What may still be told: a budget of epsilon per partner and dataset, and answers that are remembered.
//!
//! Epsilons of answers about one dataset add up (sequential composition: Dwork, Roth, "The Algorithmic Foundations
//! of Differential Privacy", 2014, theorem 3.16). The same question is answered by the same answer: new noise would
//! let its mean give the truth away, and would cost again.

use std::fmt;
use std::future::Future;

use crate::{LedgerError, NoiseError};

/// How often a question is tried while others spend from the same account.
const TRIES: u32 = 16;

/// What an answer costs, in millionths: sums of these have no rounding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(transparent)]
pub struct Epsilon(u64);

/// What a partner may spend on one dataset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// The epsilon that all answers together may cost.
    pub limit: Epsilon,
}

/// What is asked, by whom, about what.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Question {
    /// Who asks; partners who may talk to each other are one.
    pub partner: String,
    /// About what. Where data grow, the name says which state is meant, such as the day.
    pub dataset: String,
    /// The question in one fixed form, with all its parameters and its accuracy.
    pub text: String,
}

/// How an account stands, read together with the answer to one question.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// What was spent.
    pub spent: Epsilon,
    /// The answer that the question got before.
    pub remembered: Option<Vec<i64>>,
}

/// What is written when a question is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    /// What had been spent before.
    pub before: Epsilon,
    /// What has been spent with it.
    pub after: Epsilon,
    /// The answer to remember.
    pub answer: Vec<i64>,
}

/// An answer that may be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// The numbers, with noise.
    pub values: Vec<i64>,
    /// Whether it was told before, and so cost nothing.
    pub remembered: bool,
    /// What is left of the budget.
    pub left: Epsilon,
}

/// What is to be done about a question.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Decision {
    Remembered(Vec<i64>),
    Spend { after: Epsilon },
    UsedUp { left: Epsilon },
}

/// Keeps accounts and answers, durably.
pub trait Ledger {
    /// Why it cannot.
    type Error: std::error::Error + Send + Sync + 'static;

    /// Returns the partner's account of the dataset with the answer to this very question, if it was told.
    fn read(&self, question: &Question) -> impl Future<Output = Result<Account, Self::Error>> + Send;

    /// Writes what is spent and the answer in one step, durably, if the account still stands at `charge.before` and
    /// the question has no answer; returns false, writing nothing, where it does not.
    fn write(
        &self,
        question: &Question,
        charge: &Charge,
    ) -> impl Future<Output = Result<bool, Self::Error>> + Send;
}

// === Epsilon ===

impl Epsilon {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// Makes an epsilon, cut to millionths; `None` for what is not above zero or more than a million.
    pub fn new(epsilon: f64) -> Option<Self> {
        let millionths = (epsilon * 1e6).floor();
        (1.0..=1e12).contains(&millionths).then_some(Self(millionths as u64))
    }

    /// Makes an epsilon from millionths.
    pub const fn from_millionths(millionths: u64) -> Self {
        Self(millionths)
    }

    /// Returns it in millionths.
    pub const fn as_millionths(self) -> u64 {
        self.0
    }

    /// Returns it as a number.
    pub fn as_f64(self) -> f64 {
        self.0 as f64 / 1e6
    }
}

impl fmt::Display for Epsilon {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.as_f64())
    }
}

// === Budget ===

impl Budget {
    /// Returns what is left of the budget.
    pub fn left(&self, spent: Epsilon) -> Epsilon {
        Epsilon(self.limit.0.saturating_sub(spent.0))
    }

    fn decide(&self, account: Account, cost: Epsilon) -> Decision {
        if let Some(answer) = account.remembered {
            return Decision::Remembered(answer);
        }
        match account.spent.0.checked_add(cost.0) {
            Some(after) if after <= self.limit.0 => Decision::Spend { after: Epsilon(after) },
            _ => Decision::UsedUp { left: self.left(account.spent) },
        }
    }
}

/// Answers a question: by what was told before, or by `measure`, which is then charged with `cost`. Nothing is told
/// before charge and answer are written together, so a crash or a lost race costs nothing and tells nothing.
///
/// # Errors
/// Refuses where the budget does not hold `cost`; passes on what the ledger and `measure` say.
pub async fn ask<L: Ledger>(
    ledger: &L,
    budget: Budget,
    question: &Question,
    cost: Epsilon,
    measure: impl Fn() -> Result<Vec<i64>, NoiseError>,
) -> Result<Answered, LedgerError<L::Error>> {
    let failed = |step| move |cause| LedgerError::Store { step, dataset: question.dataset.clone(), cause };
    if cost == Epsilon::ZERO {
        return Err(LedgerError::Noise(NoiseError::NoEpsilon));
    }
    for _ in 0..TRIES {
        let account = ledger.read(question).await.map_err(failed("reading"))?;
        let before = account.spent;
        match budget.decide(account, cost) {
            Decision::Remembered(values) => {
                return Ok(Answered { values, remembered: true, left: budget.left(before) });
            }
            Decision::UsedUp { left } => {
                return Err(LedgerError::UsedUp {
                    partner: question.partner.clone(),
                    dataset: question.dataset.clone(),
                    left,
                    limit: budget.limit,
                    cost,
                });
            }
            Decision::Spend { after } => {
                let answer = measure().map_err(LedgerError::Noise)?;
                let charge = Charge { before, after, answer };
                if ledger.write(question, &charge).await.map_err(failed("writing"))? {
                    return Ok(Answered {
                        values: charge.answer,
                        remembered: false,
                        left: budget.left(after),
                    });
                }
            }
        }
    }
    Err(LedgerError::Busy { dataset: question.dataset.clone(), tries: TRIES })
}
