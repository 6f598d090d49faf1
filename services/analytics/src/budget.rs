//! Privacy budgets in the tables: what each partner has spent in a month, and every answer that was told.
//!
//! An answer and what it costs are written in one transaction, under a lock on the partner's account: of two that ask
//! at once the second sees what the first has spent. What is told was written before.

use std::collections::BTreeMap;

use ieum_core::{Fault, Timestamp};
use ieum_privacy::{Account, Charge, Epsilon, Ledger, LedgerError, Question};
use ieum_store::{Insert, Store, StoreError, Value};

/// How much may be told, to whom.
#[derive(Clone, Debug)]
pub struct PrivacyOptions {
    /// What one answer costs, epsilon. Default 1.
    pub answer: Epsilon,
    /// What a partner may spend in a month (UTC) over all events, epsilon. Default 20.
    pub budget: Epsilon,
    /// The same for partners on these plans.
    pub budgets: BTreeMap<String, Epsilon>,
}

/// The ledger in the SQL store.
#[derive(Clone)]
pub(crate) struct SqlLedger {
    sql: Store,
}

const ACCOUNT: &str = "SELECT spent FROM ieum_analytics_privacy WHERE partner = ? AND month = ?";
const TOLD: &str = "SELECT answer FROM ieum_analytics_told WHERE partner = ? AND question = ?";

impl Default for PrivacyOptions {
    fn default() -> Self {
        let whole = |epsilon: u64| Epsilon::from_millionths(epsilon * 1_000_000);
        Self { answer: whole(1), budget: whole(20), budgets: BTreeMap::new() }
    }
}

impl PrivacyOptions {
    /// Makes options from numbers of epsilon. Fails with what is wrong with them, naming the number.
    pub fn of(answer: f64, budget: f64, plans: &[(String, f64)]) -> Result<Self, String> {
        let read = |number: f64| {
            Epsilon::new(number)
                .ok_or_else(|| format!("{number} is no epsilon; expected 0.000001 to 1000000"))
        };
        let budgets = plans.iter().map(|(plan, budget)| Ok((plan.clone(), read(*budget)?)));
        let options = Self {
            answer: read(answer)?,
            budget: read(budget)?,
            budgets: budgets.collect::<Result<_, String>>()?,
        };
        // Each answer is shared out among five numbers.
        if options.answer.as_millionths() < 1_000 {
            return Err(format!(
                "{answer} of epsilon for an answer tells nothing but noise; expected 0.001 or more"
            ));
        }
        Ok(options)
    }

    /// Returns what a partner on this plan may spend in a month.
    pub fn limit(&self, plan: Option<&str>) -> Epsilon {
        plan.and_then(|plan| self.budgets.get(plan)).copied().unwrap_or(self.budget)
    }
}

impl SqlLedger {
    pub fn new(sql: Store) -> Self {
        Self { sql }
    }

    /// Returns what a partner has spent in a month.
    pub async fn spent(&self, partner: &str, month: &str) -> Result<Epsilon, StoreError> {
        let row = self.sql.fetch_optional(ACCOUNT, &[partner.into(), month.into()]).await?;
        Ok(Epsilon::from_millionths(row.map_or(Ok(0), |row| row.int("spent"))?.unsigned_abs()))
    }
}

impl Ledger for SqlLedger {
    type Error = StoreError;

    async fn read(&self, question: &Question) -> Result<Account, StoreError> {
        let (partner, month) = (question.partner.as_str(), question.dataset.as_str());
        // Whatever month it was told in: told anew, its mean would give the truth away.
        let told = self.sql.fetch_optional(TOLD, &[partner.into(), (&question.text).into()]).await?;
        let remembered = told.map(|row| row.text("answer")).transpose()?;
        let remembered = remembered.and_then(|text| serde_json::from_str(&text).ok());
        Ok(Account { spent: self.spent(partner, month).await?, remembered })
    }

    async fn write(&self, question: &Question, charge: &Charge) -> Result<bool, StoreError> {
        let (partner, month) = (question.partner.as_str(), question.dataset.as_str());
        let account = [Value::from(partner), month.into()];
        // Made by itself: two that make it and then lock it within one transaction each would wait for each other.
        if self.sql.fetch_optional(ACCOUNT, &account).await?.is_none() {
            let row = vec![partner.into(), month.into(), 0_i64.into()];
            let make =
                Insert::into("ieum_analytics_privacy").columns(["partner", "month", "spent"]).rows([row]);
            make.or_ignore(["partner", "month"]).run(&self.sql).await?;
        }
        let mut tx = self.sql.begin_write().await?;
        let sql = format!("{ACCOUNT}{}", tx.dialect().for_update());
        let spent = tx.fetch_one(&sql, &account).await?.int("spent")?.unsigned_abs();
        let told = tx.fetch_optional(TOLD, &[partner.into(), (&question.text).into()]).await?;
        if spent != charge.before.as_millionths() || told.is_some() {
            tx.rollback().await?;
            return Ok(false);
        }
        let after = i64::try_from(charge.after.as_millionths()).unwrap_or(i64::MAX);
        let sql = "UPDATE ieum_analytics_privacy SET spent = ? WHERE partner = ? AND month = ?";
        tx.execute(sql, &[after.into(), partner.into(), month.into()]).await?;
        let answer = serde_json::Value::from(charge.answer.clone()).to_string();
        let sql = "INSERT INTO ieum_analytics_told (partner, question, month, answer) VALUES (?, ?, ?, ?)";
        let values = [partner.into(), (&question.text).into(), month.into(), answer.into()];
        match tx.execute(sql, &values).await {
            Ok(_) => {}
            // Told in another month a moment ago.
            Err(error) if error.is_unique_violation() => {
                tx.rollback().await?;
                return Ok(false);
            }
            Err(error) => return Err(error),
        }
        tx.commit().await?;
        Ok(true)
    }
}

/// Returns the month that a time is in, such as `2026-11`, and when the next one begins, both UTC.
pub(crate) fn month_of(now: Timestamp) -> (String, Timestamp) {
    let month: String = now.to_string().chars().take(7).collect();
    let number = |part: &str| part.parse::<u32>().unwrap_or(1);
    let (year, this) = month.split_once('-').map_or((1970, 1), |(year, this)| (number(year), number(this)));
    let (year, next) = if this == 12 { (year + 1, 1) } else { (year, this + 1) };
    let refills_at = Timestamp::parse(&format!("{year:04}-{next:02}-01T00:00:00Z")).unwrap_or(now);
    (month, refills_at)
}

/// Makes the fault for a question that is not answered.
pub(crate) fn fault(error: LedgerError<StoreError>, now: Timestamp, refills_at: Timestamp) -> Fault {
    match error {
        LedgerError::UsedUp { left, limit, cost, .. } => {
            let day: String = refills_at.to_string().chars().take(10).collect();
            let message = format!(
                "telling of behaviour: of this month's privacy budget of {limit} there is {left} left, the answer costs \
                 {cost}; it is full again on {day}"
            );
            Fault::resource_exhausted("analytics.privacy.used_up", message)
                .with_retry_after(refills_at.since(now))
        }
        LedgerError::Store { cause, .. } => cause.into(),
        LedgerError::Busy { .. } => {
            Fault::aborted("analytics.privacy.busy", format!("telling of behaviour: {error}"))
        }
        LedgerError::Noise(_) => {
            Fault::internal("analytics.privacy.noise", format!("telling of behaviour: {error}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_has_its_own_budget_and_others_the_usual_one() {
        let options = PrivacyOptions::of(0.5, 8.0, &[("school".into(), 2.0)]).expect("are budgets");
        assert_eq!(options.limit(Some("school")), Epsilon::from_millionths(2_000_000));
        assert_eq!(options.limit(Some("other")), options.limit(None));
        let error = PrivacyOptions::of(0.5, -1.0, &[]).expect_err("is no budget");
        assert_eq!(error, "-1 is no epsilon; expected 0.000001 to 1000000");
        assert!(PrivacyOptions::of(0.000_01, 1.0, &[]).is_err());
    }

    #[test]
    fn a_month_ends_where_the_next_begins_also_at_the_turn_of_the_year() {
        let of = |text: &str| month_of(Timestamp::parse(text).expect("is a time"));
        let (month, next) = of("2026-12-31T23:59:59Z");
        assert_eq!((month.as_str(), next.to_string().as_str()), ("2026-12", "2027-01-01T00:00:00.000Z"));
        assert_eq!(of("2026-02-01T00:00:00Z").0, "2026-02");
    }
}
