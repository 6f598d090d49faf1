//! Due times of repeated jobs over the explicit clock: jitter, back-off and no overlap. Pure.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

use ieum_core::Moment;

/// The longest wait after failures, unless the interval itself is longer.
const LONGEST_BACK_OFF: Duration = Duration::from_secs(300);

/// The longest wait after failures in intervals: who reads each second wants to know soon that it works again.
const MOST_INTERVALS: u32 = 10;

/// By which share of the interval a due time may move, so that many sources do not come due at once.
const JITTER: f64 = 0.1;

/// When each job is due. A job that runs is never due; a job hastened while it runs runs once more.
#[derive(Debug)]
pub struct Schedule<K> {
    jobs: HashMap<K, Job>,
}

#[derive(Debug, Clone, Copy)]
struct Job {
    interval: Duration,
    due: Moment,
    running: bool,
    hastened: bool,
    failing: bool,
    /// Not before, as the source asked.
    floor: Moment,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Run {
    /// It succeeded.
    Done,
    /// It failed for the given number of times in a row; not again before `floor`, as the source asked.
    Failed {
        /// Failures in a row, this one included.
        failures: u32,
        /// What `Retry-After` said.
        floor: Duration,
    },
}

impl<K> Default for Schedule<K> {
    fn default() -> Self {
        Self { jobs: HashMap::new() }
    }
}

impl<K: Clone + Eq + Hash + Ord> Schedule<K> {
    /// Adds a job or changes its interval; it is due at once.
    pub fn add(&mut self, key: K, interval: Duration, now: Moment) {
        let job = self.jobs.entry(key).or_insert(Job {
            interval,
            due: now,
            running: false,
            hastened: false,
            failing: false,
            floor: now,
        });
        job.interval = interval;
        job.due = now;
        job.hastened = job.running;
    }

    /// Adds a job that is due for the first time after its interval, somewhere within the last half of it by the
    /// key's order of arrival, so that many added at once do not come due at once.
    pub fn add_later(&mut self, key: K, interval: Duration, now: Moment) {
        let place = u32::try_from(self.jobs.len() % 16).unwrap_or(0);
        self.add(key.clone(), interval, now);
        if let Some(job) = self.jobs.get_mut(&key) {
            job.due = now + interval / 2 + interval / 32 * place;
            job.hastened = false;
        }
    }

    /// Tells whether there is such a job.
    pub fn holds(&self, key: &K) -> bool {
        self.jobs.contains_key(key)
    }

    /// Forgets a job. A run under way ends by itself.
    pub fn remove(&mut self, key: &K) {
        self.jobs.remove(key);
    }

    /// Makes a job due at `now`, or right after its present run.
    pub fn hasten(&mut self, key: &K, now: Moment) {
        if let Some(job) = self.jobs.get_mut(key) {
            job.due = job.due.min(now);
            job.hastened = job.running;
        }
    }

    /// Makes a job due at `now` that waits longer because it failed: what it needs works again.
    pub fn recover(&mut self, key: &K, now: Moment) {
        if let Some(job) = self.jobs.get_mut(key).filter(|job| job.failing && !job.running) {
            job.due = job.due.min(now.max(job.floor));
        }
    }

    /// Returns the jobs that are due, at most `most`, and marks them as running, the longest overdue first.
    pub fn take_due(&mut self, now: Moment, most: usize) -> Vec<K> {
        let mut due: Vec<(Moment, K)> = self
            .jobs
            .iter()
            .filter(|(_, job)| !job.running && job.due <= now)
            .map(|(key, job)| (job.due, key.clone()))
            .collect();
        due.sort();
        due.truncate(most);
        for (_, key) in &due {
            if let Some(job) = self.jobs.get_mut(key) {
                job.running = true;
            }
        }
        due.into_iter().map(|(_, key)| key).collect()
    }

    /// Notes the end of a run. `random` in [0, 1) spreads due times.
    pub fn finished(&mut self, key: &K, run: Run, now: Moment, random: f64) {
        let Some(job) = self.jobs.get_mut(key) else { return };
        job.running = false;
        job.failing = run != Run::Done;
        if let Run::Failed { floor, .. } = run {
            job.floor = now + floor;
        }
        let hastened = std::mem::take(&mut job.hastened);
        let wait = match run {
            Run::Done if hastened => Duration::ZERO,
            Run::Done => spread(job.interval, random),
            Run::Failed { failures, floor } => {
                let factor = 2_u32.saturating_pow(failures.saturating_sub(1).min(10));
                let longest = LONGEST_BACK_OFF.min(job.interval * MOST_INTERVALS).max(job.interval);
                let longer = job.interval.saturating_mul(factor).min(longest);
                spread(longer, random).max(floor)
            }
        };
        job.due = now + wait;
    }

    /// Returns the moment at which the next job comes due; `None` where all run or none exists.
    pub fn next_due(&self) -> Option<Moment> {
        self.jobs.values().filter(|job| !job.running).map(|job| job.due).min()
    }

    /// Returns how many jobs run now.
    pub fn running(&self) -> usize {
        self.jobs.values().filter(|job| job.running).count()
    }
}

fn spread(interval: Duration, random: f64) -> Duration {
    interval.mul_f64(1.0 - JITTER + 2.0 * JITTER * random.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(seconds: u64) -> Moment {
        Moment::from_start(Duration::from_secs(seconds))
    }

    const INTERVAL: Duration = Duration::from_secs(90);

    #[test]
    fn an_interval_beyond_a_minute_is_kept_and_jittered() {
        let mut schedule = Schedule::default();
        schedule.add("expo", INTERVAL, second(0));
        assert_eq!(schedule.take_due(second(0), 9), ["expo"]);
        schedule.finished(&"expo", Run::Done, second(1), 0.0);
        assert_eq!(schedule.next_due(), Some(second(82)));
        assert!(schedule.take_due(second(81), 9).is_empty());
        assert_eq!(schedule.take_due(second(82), 9), ["expo"]);
        schedule.finished(&"expo", Run::Done, second(82), 1.0);
        assert_eq!(schedule.next_due(), Some(second(181)));
    }

    #[test]
    fn a_running_job_is_never_due_and_a_hint_meanwhile_runs_it_once_more() {
        let mut schedule = Schedule::default();
        schedule.add("expo", INTERVAL, second(0));
        assert_eq!(schedule.take_due(second(0), 9).len(), 1);
        schedule.hasten(&"expo", second(5));
        schedule.hasten(&"expo", second(6));
        assert!(schedule.take_due(second(500), 9).is_empty());
        assert_eq!(schedule.next_due(), None);
        schedule.finished(&"expo", Run::Done, second(7), 0.5);
        assert_eq!(schedule.take_due(second(7), 9), ["expo"]);
        schedule.finished(&"expo", Run::Done, second(8), 0.5);
        assert_eq!(schedule.next_due(), Some(second(98)));
    }

    #[test]
    fn failures_wait_longer_up_to_a_limit_and_obey_the_sources_floor() {
        let mut schedule = Schedule::default();
        schedule.add("expo", Duration::from_secs(10), second(0));
        let mut wait_after = |failures, floor| {
            schedule.finished(&"expo", Run::Failed { failures, floor }, second(0), 0.5);
            schedule.next_due().expect("is scheduled").since_start()
        };
        assert_eq!(wait_after(1, Duration::ZERO), Duration::from_secs(10));
        assert_eq!(wait_after(3, Duration::ZERO), Duration::from_secs(40));
        assert_eq!(wait_after(40, Duration::ZERO), Duration::from_secs(100));
        assert_eq!(wait_after(1, Duration::from_secs(900)), Duration::from_secs(900));
    }

    #[test]
    fn a_failing_job_runs_at_once_when_its_source_works_again() {
        let mut schedule = Schedule::default();
        schedule.add("expo", INTERVAL, second(0));
        schedule.take_due(second(0), 9);
        schedule.finished(&"expo", Run::Failed { failures: 9, floor: Duration::ZERO }, second(0), 0.5);
        assert_eq!(schedule.next_due(), Some(second(300)));
        schedule.recover(&"expo", second(7));
        assert_eq!(schedule.take_due(second(7), 9), ["expo"]);
        let floor = Duration::from_secs(60);
        schedule.finished(&"expo", Run::Failed { failures: 9, floor }, second(7), 0.5);
        schedule.recover(&"expo", second(8));
        assert_eq!(schedule.next_due(), Some(second(67)), "the source asked for a pause");
        schedule.finished(&"expo", Run::Done, second(7), 0.5);
        schedule.recover(&"expo", second(8));
        assert_eq!(schedule.next_due(), Some(second(97)), "what works keeps its pace");
    }

    #[test]
    fn a_removed_job_never_comes_back() {
        let mut schedule = Schedule::default();
        schedule.add("expo", INTERVAL, second(0));
        schedule.take_due(second(0), 9);
        schedule.remove(&"expo");
        schedule.finished(&"expo", Run::Done, second(1), 0.0);
        assert_eq!(schedule.next_due(), None);
    }

    #[test]
    fn two_hundred_sources_keep_their_pace_without_overlap_and_without_a_herd() {
        const SOURCES: usize = 200;
        const AT_ONCE: usize = 64;
        let mut schedule = Schedule::default();
        let mut random = {
            let mut seed = 7_u64;
            move || {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (seed >> 33) as f64 / f64::from(1_u32 << 31)
            }
        };
        let interval = |source: usize| Duration::from_secs([30, 60, 90, 300][source % 4]);
        for source in 0..SOURCES {
            schedule.add(source, interval(source), second(0));
        }
        let mut running: HashMap<usize, Moment> = HashMap::new();
        let mut began: HashMap<usize, Vec<Moment>> = HashMap::new();
        let mut most = 0;
        // Tenths of a second for two hours; a read takes 0.3 to 2 s.
        for tenth in 0..72_000_u64 {
            let now = Moment::from_start(Duration::from_millis(tenth * 100));
            let ended: Vec<usize> =
                running.iter().filter(|(_, until)| **until <= now).map(|(source, _)| *source).collect();
            for source in ended {
                running.remove(&source);
                schedule.finished(&source, Run::Done, now, random());
            }
            let free = AT_ONCE - running.len();
            for source in schedule.take_due(now, free) {
                let until = now + Duration::from_millis(300 + (random() * 1_700.0) as u64);
                assert!(running.insert(source, until).is_none(), "source {source} overlaps itself");
                began.entry(source).or_default().push(now);
            }
            if tenth > 36_000 {
                most = most.max(running.len());
            }
            assert!(running.len() <= AT_ONCE);
        }
        for source in 0..SOURCES {
            let begins = &began[&source];
            let interval = interval(source).as_secs_f64();
            for pair in begins.windows(2) {
                let gap = pair[1].since(pair[0]).as_secs_f64();
                // The interval with its jitter, the read itself, and a tenth for the steps of this test.
                assert!(
                    gap >= interval * 0.9 && gap <= interval * 1.1 + 2.3,
                    "{source}: {gap} s of {interval} s"
                );
            }
        }
        assert!(most <= 40, "after an hour {most} of {SOURCES} still come due at once");
    }
}
