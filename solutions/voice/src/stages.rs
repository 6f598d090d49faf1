//! How long each stage of a turn takes.

use ieum_contracts::voice::StageTime;
use ieum_core::{Moment, SharedClock};

/// The stages of a turn, as they end.
pub struct Stages {
    clock: SharedClock,
    last: Moment,
    ended: Vec<StageTime>,
    /// Whether they are measured among those of all turns.
    are_counted: bool,
}

impl Stages {
    /// Begins now, with what hearing took where the turn was spoken.
    pub fn begin(clock: SharedClock, heard_ms: Option<f64>) -> Self {
        let heard = heard_ms.map(|ms| StageTime { stage: "heard".to_owned(), ms });
        Self { last: clock.moment(), clock, ended: heard.into_iter().collect(), are_counted: true }
    }

    /// Begins the stages of a turn that is no turn of anybody's, only one led again.
    pub fn apart(clock: SharedClock) -> Self {
        Self { are_counted: false, ..Self::begin(clock, None) }
    }

    /// Ends a stage; the next one begins.
    pub fn end(&mut self, stage: &'static str) {
        let now = self.clock.moment();
        let ms = now.since(self.last).as_secs_f64() * 1_000.0;
        self.last = now;
        self.ended.push(StageTime { stage: stage.to_owned(), ms });
        if self.are_counted {
            metrics::histogram!("ieum_voice_stage_seconds", "stage" => stage).record(ms / 1_000.0);
        }
    }

    /// Returns the milliseconds of all stages.
    pub fn total(&self) -> f64 {
        self.ended.iter().map(|stage| stage.ms).sum()
    }

    /// Returns the stages in their order.
    pub fn list(self) -> Vec<StageTime> {
        self.ended
    }
}
