//! What a source still allows us, learned from its answers, so that a spent quota is not asked again.

use std::time::Duration;

use http::{HeaderMap, StatusCode};
use ieum_core::{Fault, Moment, Timestamp, parse_retry_after};
use parking_lot::Mutex;

/// The longest time for which one answer can silence a source: a wrong or hostile header must not
/// stop a source for good.
const LONGEST_BLOCK: Duration = Duration::from_secs(3600);

/// Epoch seconds and milliseconds are told from a span by their size: nobody resets in 30 years.
const LEAST_EPOCH_SECONDS: u64 = 1_000_000_000;
const LEAST_EPOCH_MILLIS: u64 = 1_000_000_000_000;

/// What one source still allows, shared by all who call it.
#[derive(Debug, Default)]
pub struct RateBudget {
    state: Mutex<RateState>,
}

/// What is known of a source's allowance.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct RateState {
    /// Nothing is sent before this moment: the source said so (`Retry-After`).
    pub blocked_until: Option<Moment>,
    /// Requests left until `resets_at`, as the source said and less what was sent since.
    pub remaining: Option<u64>,
    /// When the source's quota is full again.
    pub resets_at: Option<Moment>,
}

impl RateBudget {
    /// Takes one request out of the budget at `now`. Fails with `client.rate_limited` and the time left
    /// where the source said that nothing is left or asked to wait.
    pub fn take(&self, now: Moment) -> Result<(), Fault> {
        let mut state = self.state.lock();
        if let Some(until) = state.blocked_until {
            if until > now {
                return Err(limited(until.since(now), "the source asked to wait"));
            }
            state.blocked_until = None;
        }
        let Some(resets_at) = state.resets_at else { return Ok(()) };
        if resets_at <= now {
            *state = RateState::default();
            return Ok(());
        }
        match state.remaining.as_mut() {
            Some(0) => Err(limited(resets_at.since(now), "the source's quota is used up")),
            Some(remaining) => {
                *remaining -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Learns from an answer: `Retry-After` of a 429 or 503 (RFC 9110 §10.2.3), `RateLimit`
    /// (draft-ietf-httpapi-ratelimit-headers, drafts 7 and later), `RateLimit-Remaining` with
    /// `RateLimit-Reset` (drafts up to 6), and the same with `X-` in front.
    pub fn learn(&self, status: StatusCode, headers: &HeaderMap, now: Moment, wall: Timestamp) {
        let told = read_allowance(headers, wall);
        let wait = matches!(status.as_u16(), 429 | 503).then(|| read_wait(headers, wall)).flatten();
        if told.is_none() && wait.is_none() {
            return;
        }
        let mut state = self.state.lock();
        if let Some(wait) = wait {
            let until = now + wait.min(LONGEST_BLOCK);
            state.blocked_until = state.blocked_until.max(Some(until));
        }
        let Some((remaining, reset)) = told else { return };
        let resets_at = now + reset.min(LONGEST_BLOCK);
        // Answers overtake each other: within one quota the count only falls.
        let same =
            state.resets_at.filter(|known| *known > now && resets_at <= *known + Duration::from_secs(1));
        match (same, state.remaining) {
            (Some(_), Some(known)) => state.remaining = Some(known.min(remaining)),
            _ => {
                state.remaining = Some(remaining);
                state.resets_at = Some(resets_at);
            }
        }
    }

    /// Returns what is known.
    pub fn state(&self) -> RateState {
        *self.state.lock()
    }
}

fn limited(wait: Duration, why: &str) -> Fault {
    let message = format!("{why}; nothing is sent for {} ms", wait.as_millis());
    Fault::resource_exhausted("client.rate_limited", message).with_retry_after(wait)
}

/// Returns the wait that `Retry-After` asks for.
pub(crate) fn read_wait(headers: &HeaderMap, wall: Timestamp) -> Option<Duration> {
    parse_retry_after(text(headers, "retry-after")?, wall)
}

fn read_allowance(headers: &HeaderMap, wall: Timestamp) -> Option<(u64, Duration)> {
    let combined = headers.get_all("ratelimit").iter().filter_map(|value| value.to_str().ok());
    // Of several quotas the one with the least left decides; of equals the one that resets last.
    let strictest =
        combined.flat_map(read_combined).min_by_key(|(left, reset)| (*left, std::cmp::Reverse(*reset)));
    strictest
        .or_else(|| read_pair(headers, "ratelimit-remaining", "ratelimit-reset", wall))
        .or_else(|| read_pair(headers, "x-ratelimit-remaining", "x-ratelimit-reset", wall))
}

/// Reads `"name";r=50;t=30, …` and the older `limit=100, remaining=50, reset=30`.
fn read_combined(value: &str) -> Vec<(u64, Duration)> {
    let number = |part: &str, name: &str| -> Option<u64> {
        part.trim().strip_prefix(name)?.trim_start().strip_prefix('=')?.trim().parse().ok()
    };
    if value.contains("remaining") {
        let find = |name| value.split([',', ';']).find_map(|part| number(part, name));
        let pair = find("remaining").zip(find("reset"));
        return pair.map(|(left, reset)| (left, Duration::from_secs(reset))).into_iter().collect();
    }
    let items = value.split(',').filter_map(|item| {
        let find = |name| item.split(';').skip(1).find_map(|part| number(part, name));
        Some((find("r")?, Duration::from_secs(find("t")?)))
    });
    items.collect()
}

fn read_pair(headers: &HeaderMap, left: &str, reset: &str, wall: Timestamp) -> Option<(u64, Duration)> {
    let left: u64 = text(headers, left)?.trim().parse().ok()?;
    let reset: u64 = text(headers, reset)?.trim().parse().ok()?;
    let reset = match reset {
        LEAST_EPOCH_MILLIS.. => Timestamp::from_millis(i64::try_from(reset).ok()?).since(wall),
        LEAST_EPOCH_SECONDS.. => Timestamp::from_seconds(i64::try_from(reset).ok()?).since(wall),
        _ => Duration::from_secs(reset),
    };
    Some((left, reset))
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.parse().expect("is a name"), HeaderValue::from_static(value)))
            .collect()
    }

    fn at(seconds: u64) -> Moment {
        Moment::from_start(Duration::from_secs(seconds))
    }

    #[test]
    fn every_spelling_of_an_allowance_is_read() {
        let wall = Timestamp::from_seconds(1_800_000_000);
        let thirty = Duration::from_secs(30);
        for pairs in [
            vec![("ratelimit", "\"default\";r=5;t=30")],
            vec![("ratelimit", "\"hour\";r=900;t=3000, \"minute\";r=5;t=30;pk=:abc:")],
            vec![("ratelimit", "limit=100, remaining=5, reset=30")],
            vec![("ratelimit-remaining", "5"), ("ratelimit-reset", "30")],
            vec![("x-ratelimit-remaining", "5"), ("x-ratelimit-reset", "30")],
            vec![("x-ratelimit-remaining", "5"), ("x-ratelimit-reset", "1800000030")],
            vec![("x-ratelimit-remaining", "5"), ("x-ratelimit-reset", "1800000030000")],
        ] {
            assert_eq!(read_allowance(&headers(&pairs), wall), Some((5, thirty)), "{pairs:?}");
        }
        for value in ["", "soon", "\"x\";r=-1;t=5", "\"x\";r=5", "remaining=5", "r=5;t=4,,;;="] {
            assert_eq!(read_allowance(&headers(&[("ratelimit", value)]), wall), None, "{value}");
        }
    }

    #[test]
    fn a_used_up_quota_is_not_asked_again_until_it_resets() {
        let budget = RateBudget::default();
        budget.learn(
            StatusCode::OK,
            &headers(&[("ratelimit", "\"a\";r=2;t=30")]),
            at(0),
            Timestamp::default(),
        );
        assert!(budget.take(at(1)).is_ok());
        assert!(budget.take(at(1)).is_ok());
        let fault = budget.take(at(10)).expect_err("is used up");
        assert_eq!(
            (fault.reason.as_ref(), fault.retry_after),
            ("client.rate_limited", Some(Duration::from_secs(20)))
        );
        assert!(budget.take(at(30)).is_ok());
        assert_eq!(budget.state(), RateState::default(), "what was learned ended with the quota");
    }

    #[test]
    fn an_answer_that_was_overtaken_gives_nothing_back() {
        let budget = RateBudget::default();
        let wall = Timestamp::default();
        budget.learn(StatusCode::OK, &headers(&[("ratelimit", "\"a\";r=1;t=30")]), at(0), wall);
        budget.learn(StatusCode::OK, &headers(&[("ratelimit", "\"a\";r=4;t=30")]), at(0), wall);
        assert_eq!(budget.state().remaining, Some(1));
        budget.learn(StatusCode::OK, &headers(&[("ratelimit", "\"a\";r=9;t=60")]), at(5), wall);
        assert_eq!(budget.state().remaining, Some(9), "a new quota counts");
    }

    #[test]
    fn retry_after_blocks_for_at_most_an_hour_and_only_where_it_means_a_limit() {
        let budget = RateBudget::default();
        let wall = Timestamp::default();
        budget.learn(StatusCode::CREATED, &headers(&[("retry-after", "9")]), at(0), wall);
        assert!(budget.take(at(0)).is_ok());
        budget.learn(StatusCode::SERVICE_UNAVAILABLE, &headers(&[("retry-after", "9")]), at(0), wall);
        assert_eq!(budget.take(at(0)).expect_err("is blocked").retry_after, Some(Duration::from_secs(9)));
        budget.learn(StatusCode::TOO_MANY_REQUESTS, &headers(&[("retry-after", "3")]), at(0), wall);
        assert!(budget.take(at(8)).is_err(), "the longer wait holds");
        budget.learn(StatusCode::TOO_MANY_REQUESTS, &headers(&[("retry-after", "99999999")]), at(9), wall);
        assert!(budget.take(at(9 + 3600)).is_ok());
    }
}
