//! The mistakes that are planted to see that the world notices them.

use ieum_bus::sim;

/// A planted mistake, and where it sits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Plant {
    /// No mistake.
    Nothing,
    /// The owner answers before it commits.
    AnswersEarly,
    /// A commit does not reach the platter.
    DroppedSync,
    /// The inbox does not know what it has handled.
    NoDedupe,
    /// An event enters the lane without a time.
    LostTimer,
    /// The front repeats a command that has no idempotency key.
    RepeatsUnkeyed,
    /// The owner writes the idempotency record in a transaction of its own, after the row's.
    RecordApart,
    /// The wire takes a lost answer for a good one.
    SwallowsLoss,
    /// The position moves before the commit of what it stands for.
    PositionFirst,
    /// The front begins a context of its own instead of passing the caller's on.
    ForgetsContext,
    /// A process repeats whatever failed, without asking the budget.
    NoBudget,
    /// Whoever lost a slot while it stood still goes on as if it were its own.
    NoFence,
}

impl Plant {
    /// Every mistake.
    pub const ALL: [Self; 11] = [
        Self::AnswersEarly,
        Self::DroppedSync,
        Self::NoDedupe,
        Self::LostTimer,
        Self::RepeatsUnkeyed,
        Self::RecordApart,
        Self::SwallowsLoss,
        Self::PositionFirst,
        Self::ForgetsContext,
        Self::NoBudget,
        Self::NoFence,
    ];

    /// Returns what of it sits in the storage.
    pub const fn in_storage(self) -> sim::Plant {
        match self {
            Self::DroppedSync => sim::Plant::DroppedSync,
            Self::NoDedupe => sim::Plant::NoDedupe,
            Self::LostTimer => sim::Plant::LostTimer,
            Self::PositionFirst => sim::Plant::PositionFirst,
            Self::NoFence => sim::Plant::NoFence,
            _ => sim::Plant::Nothing,
        }
    }
}
