//! The cache in Redis 6 or later: each operation is one command or one script, so it is atomic.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use ieum_core::{Timestamp, new_id};
use ieum_policy::{Decision, Gcra};
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Cmd, FromRedisValue, Script, cmd};

use crate::error::check_key;
use crate::lock::LockKeeper;
use crate::{Cache, CacheError, Capabilities, LockGuard, Ranked};

/// A cache in Redis. Values keep their keys as they are; rankings, locks and limits stand under
/// `rank:`, `lock:` and `limit:`.
#[derive(Clone)]
pub struct RedisCache {
    url: Arc<str>,
    connection: ConnectionManager,
    scripts: Arc<Scripts>,
}

struct Scripts {
    limit: Script,
    release: Script,
    extend: Script,
}

/// Keeps the theoretical arrival of `Gcra::check`, on Redis' own clock, and returns the one before and the
/// time; the decision is then made from both by `Gcra::check` itself. Numbers stay below 2^53, so they are
/// exact in Lua. The key ends when its arrival has passed, since it then says the same as none.
const LIMIT: &str = r"
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local interval, tolerance = tonumber(ARGV[1]), tonumber(ARGV[2])
local before = tonumber(redis.call('GET', KEYS[1]) or '0')
local kept = math.max(now, math.min(before, now + tolerance))
local after = kept + interval
if after - now > tolerance then after = kept end
if after ~= before then
  redis.call('SET', KEYS[1], string.format('%.0f', after), 'PX', math.floor((after - now) / 1000) + 1)
end
return { string.format('%.0f', before), string.format('%.0f', now) }
";

const RELEASE: &str =
    "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0";

const EXTEND: &str = "if redis.call('GET', KEYS[1]) == ARGV[1] then \
                      return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end return 0";

/// How long to wait for a connection.
const CONNECT: Duration = Duration::from_secs(3);
/// How long to wait for an answer.
const ANSWER: Duration = Duration::from_secs(5);

impl RedisCache {
    /// Connects to `redis://[user:password@]host[:port][/database]`.
    ///
    /// # Errors
    /// A URL that cannot be read, or a server that does not answer.
    pub async fn open(url: &str) -> Result<Self, CacheError> {
        let shown = ieum_core::redact_url(url);
        let client = redis::Client::open(url)
            .map_err(|error| CacheError::Url { url: shown.clone(), problem: error.to_string() })?;
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(CONNECT))
            .set_response_timeout(Some(ANSWER))
            .set_number_of_retries(1)
            .set_max_delay(Duration::from_millis(500));
        let connection = ConnectionManager::new_with_config(client, config)
            .await
            .map_err(|source| CacheError::Unreachable { url: shown.clone(), source })?;
        let scripts =
            Scripts { limit: Script::new(LIMIT), release: Script::new(RELEASE), extend: Script::new(EXTEND) };
        Ok(Self { url: shown.into(), connection, scripts: Arc::new(scripts) })
    }

    async fn run<T: FromRedisValue>(&self, name: &'static str, command: &Cmd) -> Result<T, CacheError> {
        let mut connection = self.connection.clone();
        command.query_async(&mut connection).await.map_err(|source| self.failed(name, source))
    }

    fn failed(&self, command: &'static str, source: redis::RedisError) -> CacheError {
        let url = self.url.to_string();
        if source.is_io_error() || source.is_timeout() || source.is_connection_dropped() {
            return CacheError::Unreachable { url, source };
        }
        CacheError::Refused { url, command, source }
    }
}

/// Whole milliseconds, rounded up, so that a lifetime is never shorter than asked.
fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_micros().div_ceil(1_000)).unwrap_or(u64::MAX).clamp(1, i64::MAX as u64 / 2)
}

#[async_trait]
impl Cache for RedisCache {
    fn capabilities(&self) -> Capabilities {
        Capabilities { shared: true, survives_restart: true, fast_limits: true }
    }

    async fn ping(&self) -> Result<(), CacheError> {
        self.run::<String>("PING", &cmd("PING")).await.map(drop)
    }

    async fn get(&self, key: &str) -> Result<Option<Bytes>, CacheError> {
        check_key(key)?;
        let value: Option<Vec<u8>> = self.run("GET", cmd("GET").arg(key)).await?;
        Ok(value.map(Bytes::from))
    }

    async fn set(&self, key: &str, value: Bytes, ttl: Duration) -> Result<(), CacheError> {
        check_key(key)?;
        if ttl.is_zero() {
            return self.delete(key).await.map(drop);
        }
        let mut command = cmd("SET");
        command.arg(key).arg(value.as_ref()).arg("PX").arg(millis(ttl));
        self.run("SET", &command).await
    }

    async fn delete(&self, key: &str) -> Result<bool, CacheError> {
        check_key(key)?;
        Ok(self.run::<u64>("DEL", cmd("DEL").arg(key)).await? > 0)
    }

    async fn ttl(&self, key: &str) -> Result<Option<Duration>, CacheError> {
        check_key(key)?;
        // -2: no such key; -1: no lifetime, which somebody else must have set.
        let left: i64 = self.run("PTTL", cmd("PTTL").arg(key)).await?;
        Ok(match left {
            -1 => Some(Duration::MAX),
            left => u64::try_from(left).ok().map(Duration::from_millis),
        })
    }

    async fn rank_add(&self, set: &str, member: &str, score: f64) -> Result<(), CacheError> {
        check_key(set)?;
        check_key(member)?;
        if score.is_nan() {
            return Err(CacheError::Score { member: member.to_owned() });
        }
        let mut command = cmd("ZADD");
        command.arg(format!("rank:{set}")).arg(score).arg(member);
        self.run::<u64>("ZADD", &command).await.map(drop)
    }

    async fn rank_top(&self, set: &str, count: usize) -> Result<Vec<Ranked>, CacheError> {
        check_key(set)?;
        let Some(last) = count.checked_sub(1) else { return Ok(Vec::new()) };
        let mut command = cmd("ZREVRANGE");
        command.arg(format!("rank:{set}")).arg(0).arg(last).arg("WITHSCORES");
        let places: Vec<(String, f64)> = self.run("ZREVRANGE", &command).await?;
        Ok(places.into_iter().map(|(member, score)| Ranked { member, score }).collect())
    }

    async fn rank_of(&self, set: &str, member: &str) -> Result<Option<u64>, CacheError> {
        check_key(set)?;
        self.run("ZREVRANK", cmd("ZREVRANK").arg(format!("rank:{set}")).arg(member)).await
    }

    async fn rank_remove(&self, set: &str, member: &str) -> Result<bool, CacheError> {
        check_key(set)?;
        Ok(self.run::<u64>("ZREM", cmd("ZREM").arg(format!("rank:{set}")).arg(member)).await? > 0)
    }

    async fn lock(&self, key: &str, ttl: Duration) -> Result<Option<LockGuard>, CacheError> {
        check_key(key)?;
        let token = new_id().to_string();
        let mut command = cmd("SET");
        command.arg(format!("lock:{key}")).arg(&token).arg("NX").arg("PX").arg(millis(ttl));
        let taken: Option<String> = self.run("SET", &command).await?;
        Ok(taken.map(|_| LockGuard::new(Arc::new(self.clone()), key, token)))
    }

    async fn gcra(&self, key: &str, limit: &Gcra, _now: Timestamp) -> Result<Decision, CacheError> {
        check_key(key)?;
        let mut connection = self.connection.clone();
        let (before, now): (i64, i64) = self
            .scripts
            .limit
            .key(format!("limit:{key}"))
            .arg(limit.interval_micros())
            .arg(limit.tolerance_micros())
            .invoke_async(&mut connection)
            .await
            .map_err(|source| self.failed("the limit script", source))?;
        Ok(limit.check(before, now))
    }
}

#[async_trait]
impl LockKeeper for RedisCache {
    async fn release(&self, key: &str, token: &str) -> Result<bool, CacheError> {
        let mut connection = self.connection.clone();
        let mut invocation = self.scripts.release.key(format!("lock:{key}"));
        let released: Result<u64, _> = invocation.arg(token).invoke_async(&mut connection).await;
        released.map(|count| count > 0).map_err(|source| self.failed("the release script", source))
    }

    async fn extend(&self, key: &str, token: &str, ttl: Duration) -> Result<bool, CacheError> {
        let mut connection = self.connection.clone();
        let mut invocation = self.scripts.extend.key(format!("lock:{key}"));
        let extended: Result<u64, _> =
            invocation.arg(token).arg(millis(ttl)).invoke_async(&mut connection).await;
        extended.map(|count| count > 0).map_err(|source| self.failed("the extend script", source))
    }
}
