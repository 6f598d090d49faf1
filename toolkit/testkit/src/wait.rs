//! Waiting for a condition on the real timer: the one place where tests may sleep.

use std::future::Future;
use std::time::Duration;

use ieum_core::{Clock, SystemClock};

/// How long to pause between two looks at a condition.
const PAUSE: Duration = Duration::from_millis(10);

/// The condition did not come true in time.
#[derive(Debug, thiserror::Error)]
#[error("waited {waited:?} in vain until {what}")]
pub struct WaitError {
    /// What was waited for.
    pub what: String,
    /// How long.
    pub waited: Duration,
}

/// Completes once `condition` answers true; looks at least once.
///
/// # Errors
/// [`WaitError`] when `timeout` has passed before.
pub async fn until<F, A>(what: &str, timeout: Duration, mut condition: F) -> Result<(), WaitError>
where
    F: FnMut() -> A,
    A: Future<Output = bool>,
{
    until_some(what, timeout, || {
        let answer = condition();
        async move { answer.await.then_some(()) }
    })
    .await
}

/// Completes with the first value that `look` finds; looks at least once. Where a pause lasts longer than it was to, the
/// machine stood still, and with it whatever is waited for: the time that was lost is given on top.
///
/// # Errors
/// [`WaitError`] when `timeout` has passed before.
pub async fn until_some<T, F, A>(what: &str, timeout: Duration, mut look: F) -> Result<T, WaitError>
where
    F: FnMut() -> A,
    A: Future<Output = Option<T>>,
{
    let clock = SystemClock;
    let mut give_up = clock.moment() + timeout;
    loop {
        if let Some(found) = look().await {
            return Ok(found);
        }
        let now = clock.moment();
        if now >= give_up {
            return Err(WaitError { what: what.to_owned(), waited: timeout });
        }
        clock.sleep(PAUSE).await;
        give_up = give_up + clock.moment().since(now).saturating_sub(PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test]
    async fn waiting_ends_with_the_condition() {
        let looks = AtomicU32::new(0);
        until("three looks were taken", Duration::from_secs(60), || async {
            looks.fetch_add(1, Ordering::Relaxed) >= 2
        })
        .await
        .expect("comes true on the third look");
        assert_eq!(looks.load(Ordering::Relaxed), 3);
    }

    #[tokio::test]
    async fn time_in_which_the_machine_stood_still_is_not_waited() {
        let looks = AtomicU32::new(0);
        until("three looks were taken", PAUSE * 5, || async {
            // Whoever holds the only thread holds up the pause of this look.
            tokio::spawn(async { std::thread::sleep(PAUSE * 10) });
            looks.fetch_add(1, Ordering::Relaxed) >= 2
        })
        .await
        .expect("comes true on the third look");
    }

    #[tokio::test]
    async fn waiting_in_vain_says_for_what() {
        let error =
            until("pigs fly", Duration::ZERO, || async { false }).await.expect_err("never comes true");
        assert_eq!(error.to_string(), "waited 0ns in vain until pigs fly");
    }
}
