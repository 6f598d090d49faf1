//! Where a saga goes from where it stands: pure decisions.

use std::time::Duration;

use ieum_core::{Fault, Timestamp};
use ieum_policy::Backoff;

/// Where a saga stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// It goes forward.
    Running,
    /// A step was refused; what was done is being undone.
    Undoing,
    /// Every step is done.
    Done,
    /// Everything is undone.
    Undone,
    /// A step could not be undone. A person must look at it and resume it.
    Stuck,
}

impl Phase {
    /// Every phase.
    pub const ALL: [Self; 5] = [Self::Running, Self::Undoing, Self::Done, Self::Undone, Self::Stuck];

    /// Returns the word in rows and answers.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Undoing => "undoing",
            Self::Done => "done",
            Self::Undone => "undone",
            Self::Stuck => "stuck",
        }
    }

    /// Tells whether nothing more is going to happen by itself.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::Undone | Self::Stuck)
    }
}

/// A saga's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub phase: Phase,
    /// The step that is asked next.
    pub step: usize,
    /// How often that step was asked.
    pub attempts: u32,
    /// When it is asked.
    pub due: Timestamp,
    /// Why it turned around, or why the last attempt failed.
    pub fault: Option<Fault>,
}

/// How often and after which waits a step is asked.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    pub backoff: Backoff,
    /// Attempts to do a step before the saga turns around.
    pub run_attempts: u32,
    /// Attempts to undo a step before the saga is stuck.
    pub undo_attempts: u32,
}

impl Patience {
    /// Returns the place after the step was asked at `now`, of so many steps.
    pub fn after(
        &self,
        place: &Place,
        asked: Result<(), Fault>,
        steps: usize,
        now: Timestamp,
        random: f64,
    ) -> Place {
        let made = place.attempts + 1;
        match (place.phase, asked) {
            (Phase::Running, Ok(())) if place.step + 1 >= steps => at(Phase::Done, place.step, now, None),
            (Phase::Running, Ok(())) => at(Phase::Running, place.step + 1, now, None),
            (Phase::Running, Err(fault)) if fault.is_retryable() && made < self.run_attempts => {
                self.again(place, made, fault, now, random)
            }
            // The step itself may have had its effect: it is the first that is undone.
            (Phase::Running, Err(fault)) => at(Phase::Undoing, place.step, now, Some(fault)),
            (Phase::Undoing, Ok(())) if place.step == 0 => at(Phase::Undone, 0, now, place.fault.clone()),
            (Phase::Undoing, Ok(())) => at(Phase::Undoing, place.step - 1, now, place.fault.clone()),
            (Phase::Undoing, Err(fault)) if fault.is_retryable() && made < self.undo_attempts => {
                // Why it turned around is kept; what is in the way now is in the log.
                let cause = place.fault.clone().unwrap_or_else(|| fault.clone());
                Place { fault: Some(cause), ..self.again(place, made, fault, now, random) }
            }
            (Phase::Undoing, Err(fault)) => {
                Place { attempts: made, ..at(Phase::Stuck, place.step, now, Some(fault)) }
            }
            (Phase::Done | Phase::Undone | Phase::Stuck, _) => place.clone(),
        }
    }

    fn again(&self, place: &Place, made: u32, fault: Fault, now: Timestamp, random: f64) -> Place {
        let wait = self.backoff.delay(made, random).max(fault.retry_after.unwrap_or(Duration::ZERO));
        Place { attempts: made, due: now + wait, fault: Some(fault), ..place.clone() }
    }
}

fn at(phase: Phase, step: usize, due: Timestamp, fault: Option<Fault>) -> Place {
    Place { phase, step, attempts: 0, due, fault }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEPS: usize = 3;

    fn patience() -> Patience {
        Patience { backoff: Backoff::default(), run_attempts: 3, undo_attempts: 4 }
    }

    fn begin() -> Place {
        at(Phase::Running, 0, Timestamp::default(), None)
    }

    fn refused() -> Fault {
        Fault::failed_precondition("quota.exceeded", "adding a device")
    }

    /// Asks step by step; `answer` says what each is answered. Returns what was asked and the last place.
    fn walk(answer: impl Fn(Phase, usize, u32) -> Result<(), Fault>) -> (Vec<(Phase, usize)>, Place) {
        let (mut place, mut asked) = (begin(), Vec::new());
        while !place.phase.is_over() {
            asked.push((place.phase, place.step));
            assert!(asked.len() < 100, "it ends");
            let answer = answer(place.phase, place.step, place.attempts);
            place = patience().after(&place, answer, STEPS, place.due, 0.5);
        }
        (asked, place)
    }

    #[test]
    fn steps_that_are_done_lead_to_the_end_in_order() {
        let (asked, place) = walk(|_, _, _| Ok(()));
        assert_eq!(asked, [0, 1, 2].map(|step| (Phase::Running, step)));
        assert_eq!((place.phase, place.fault), (Phase::Done, None));
    }

    #[test]
    fn a_refused_step_and_all_before_it_are_undone_in_reverse() {
        let (asked, place) = walk(|phase, step, _| match (phase, step) {
            (Phase::Running, 1) => Err(refused()),
            _ => Ok(()),
        });
        let back = [(Phase::Undoing, 1), (Phase::Undoing, 0)];
        assert_eq!(asked, [[(Phase::Running, 0), (Phase::Running, 1)], back].concat());
        assert_eq!((place.phase, place.fault), (Phase::Undone, Some(refused())));
    }

    #[test]
    fn what_may_pass_is_asked_again_and_then_turns_around() {
        let busy =
            || Fault::unavailable("registry.busy", "registering").with_retry_after(Duration::from_secs(9));
        let later = patience().after(&begin(), Err(busy()), STEPS, Timestamp::default(), 0.5);
        assert_eq!((later.phase, later.step, later.attempts), (Phase::Running, 0, 1));
        assert!(
            later.due >= Timestamp::default() + Duration::from_secs(9),
            "the answer's own wait is a floor"
        );
        let (asked, place) = walk(|phase, _, _| if phase == Phase::Running { Err(busy()) } else { Ok(()) });
        assert_eq!(asked.len(), 3 + 1);
        assert_eq!(place.phase, Phase::Undone);
    }

    #[test]
    fn what_cannot_be_undone_is_left_for_a_person_and_nothing_before_it_is_touched() {
        let (asked, place) = walk(|phase, step, _| match (phase, step) {
            (Phase::Running, 2) | (Phase::Undoing, 1) => Err(refused()),
            _ => Ok(()),
        });
        assert_eq!(asked.last(), Some(&(Phase::Undoing, 1)));
        assert_eq!((place.phase, place.step), (Phase::Stuck, 1));
    }

    #[test]
    fn an_undo_is_tried_more_than_once_and_the_cause_of_the_turn_stays() {
        let down = || Fault::unavailable("billing.down", "crediting");
        let (asked, place) = walk(|phase, _, attempts| match phase {
            Phase::Running => Err(refused()),
            _ if attempts < 2 => Err(down()),
            _ => Ok(()),
        });
        assert_eq!(asked.len(), 1 + 3);
        assert_eq!((place.phase, place.fault), (Phase::Undone, Some(refused())));
    }
}
