//! A budget never overspent, a question never answered twice by new noise.

use std::cell::Cell;
use std::collections::HashMap;
use std::convert::Infallible;
use std::future::Future;
use std::pin::pin;
use std::sync::Mutex;
use std::task::{Context, Poll, Waker};

use ieum_privacy::{Account, Budget, Charge, Epsilon, Ledger, LedgerError, Question, ask, noise};
use proptest::prelude::*;

/// Keeps accounts in memory, and lets somebody else spend between a read and its write.
#[derive(Default)]
struct Memory {
    spent: Mutex<HashMap<(String, String), Epsilon>>,
    answers: Mutex<HashMap<Question, Vec<i64>>>,
    races: Cell<u32>,
}

// The tests run on one thread; `Cell` is not shared beyond it.
#[derive(Debug, thiserror::Error)]
#[error("never")]
struct Never(#[from] Infallible);

impl Memory {
    fn account(question: &Question) -> (String, String) {
        (question.partner.clone(), question.dataset.clone())
    }

    fn spent(&self, question: &Question) -> Epsilon {
        self.spent.lock().expect("no panic").get(&Self::account(question)).copied().unwrap_or_default()
    }
}

impl Ledger for Memory {
    type Error = Never;

    fn read(&self, question: &Question) -> impl Future<Output = Result<Account, Never>> + Send {
        let remembered = self.answers.lock().expect("no panic").get(question).cloned();
        let account = Account { spent: self.spent(question), remembered };
        std::future::ready(Ok(account))
    }

    fn write(
        &self,
        question: &Question,
        charge: &Charge,
    ) -> impl Future<Output = Result<bool, Never>> + Send {
        if self.races.get() > 0 {
            self.races.set(self.races.get() - 1);
            let raced = Epsilon::from_millionths(self.spent(question).as_millionths() + 1);
            self.spent.lock().expect("no panic").insert(Self::account(question), raced);
        }
        let stands = self.spent(question) == charge.before;
        if stands {
            self.spent.lock().expect("no panic").insert(Self::account(question), charge.after);
            self.answers.lock().expect("no panic").insert(question.clone(), charge.answer.clone());
        }
        std::future::ready(Ok(stands))
    }
}

/// Nothing here ever waits.
fn run<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a ledger in memory waits for nothing"),
    }
}

fn question(text: &str) -> Question {
    Question { partner: "acme".into(), dataset: "visits of 2026-05-01".into(), text: text.into() }
}

fn epsilon(number: f64) -> Epsilon {
    Epsilon::new(number).expect("is positive")
}

#[test]
fn the_same_question_gets_the_same_answer_and_costs_nothing() {
    let (ledger, budget) = (Memory::default(), Budget { limit: epsilon(1.0) });
    let tell = || noise::count(100, 1, epsilon(0.4)).map(|count| vec![count]);
    let first = run(ask(&ledger, budget, &question("all"), epsilon(0.4), tell)).expect("is in the budget");
    assert!(!first.remembered);
    assert_eq!(first.left, epsilon(0.6));
    for _ in 0..50 {
        let again = run(ask(&ledger, budget, &question("all"), epsilon(0.4), tell)).expect("was told");
        assert_eq!((again.values, again.remembered, again.left), (first.values.clone(), true, first.left));
    }
}

#[test]
fn a_used_up_budget_refuses_what_is_new_and_still_tells_what_was_told() {
    let (ledger, budget) = (Memory::default(), Budget { limit: epsilon(1.0) });
    let tell = || Ok(vec![7]);
    run(ask(&ledger, budget, &question("a"), epsilon(0.7), tell)).expect("is in the budget");
    let refused = run(ask(&ledger, budget, &question("b"), epsilon(0.4), tell)).expect_err("is too much");
    assert_eq!(
        refused.to_string(),
        "partner acme has 0.3 of epsilon 1 left for visits of 2026-05-01, the question costs 0.4"
    );
    assert_eq!(ledger.spent(&question("b")), epsilon(0.7), "a refusal costs nothing");
    run(ask(&ledger, budget, &question("b"), epsilon(0.3), tell))
        .expect("the last of it is there to be spent");
    assert!(run(ask(&ledger, budget, &question("a"), epsilon(0.7), tell)).expect("was told").remembered);
}

#[test]
fn a_lost_race_is_tried_again_on_the_new_account_and_never_overspends() {
    let (ledger, budget) = (Memory::default(), Budget { limit: epsilon(0.5) });
    ledger.races.set(3);
    let answered = run(ask(&ledger, budget, &question("a"), epsilon(0.4), || Ok(vec![1]))).expect("fits");
    assert_eq!(answered.left, Epsilon::from_millionths(99_997));
    ledger.races.set(u32::MAX);
    let cheap = Epsilon::from_millionths(1);
    let busy = run(ask(&ledger, budget, &question("b"), cheap, || Ok(vec![1]))).expect_err("never wins");
    assert!(matches!(busy, LedgerError::Busy { tries: 16, .. }), "{busy}");
}

proptest! {
    #[test]
    fn no_order_of_questions_spends_more_than_there_is(
        costs in prop::collection::vec((0_usize..8, 1_u64..400_000), 1..60),
    ) {
        let (ledger, budget) = (Memory::default(), Budget { limit: epsilon(1.0) });
        for (which, cost) in costs {
            let cost = Epsilon::from_millionths(cost);
            let _ = run(ask(&ledger, budget, &question(&which.to_string()), cost, || Ok(vec![0])));
            prop_assert!(ledger.spent(&question("any")) <= budget.limit);
        }
    }
}
