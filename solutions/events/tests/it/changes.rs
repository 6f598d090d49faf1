//! A random list of what happens to two systems at once, the same for the same seed.

use std::fmt;

use crate::child::spread;

/// One thing that happens. Numbers choose among whatever there is by then.
#[derive(Clone, Copy, Debug)]
pub enum Change {
    /// An order is sold, on trial or for good.
    Sell { tickets: u64, is_trial: bool },
    /// A ticket is scanned so many seconds ago at one of two lists.
    Scan { ticket: u64, list: usize, is_exit: bool, seconds_ago: u64 },
    /// A ticket is scanned and the scan taken back.
    Reverse { ticket: u64, list: usize },
    /// An order is cancelled.
    CancelOrder { order: u64 },
    /// One ticket of an order is cancelled.
    CancelTicket { order: u64 },
    /// A trial order is deleted without a word.
    DeleteOrder { order: u64 },
    /// A talk is proposed and placed.
    AddTalk { place: Place },
    /// A talk is moved.
    MoveTalk { talk: u64, place: Place },
    /// A talk is cancelled.
    CancelTalk { talk: u64 },
    /// A talk is deleted.
    DeleteTalk { talk: u64 },
}

/// Where and when a talk is.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// Which of two rooms.
    pub room: usize,
    /// Whether people are scanned around it, or it is on the programme's own day.
    pub is_today: bool,
    /// When, in steps of five minutes.
    pub step: u64,
    /// How long, minutes.
    pub minutes: u64,
}

/// How many of each.
#[derive(Debug, Default)]
pub struct Counts {
    pub sold: u64,
    pub entries: u64,
    pub exits: u64,
    pub reversed: u64,
    pub orders_cancelled: u64,
    pub tickets_cancelled: u64,
    pub orders_deleted: u64,
    pub talks_added: u64,
    pub talks_moved: u64,
    pub talks_cancelled: u64,
    pub talks_deleted: u64,
    pub refused: u64,
}

/// The hours that scans reach back, and in which today's talks are.
pub const HOURS: u64 = 4;

impl Change {
    /// Draws the next change.
    pub fn draw(seed: &mut u64) -> Self {
        let kind = spread(seed, 100);
        let (which, list) = (spread(seed, 1 << 20), spread(seed, 2) as usize);
        match kind {
            0..12 => Self::Sell { tickets: 1 + which % 3, is_trial: kind < 5 },
            12..74 => Self::Scan {
                ticket: which,
                list,
                is_exit: kind < 30,
                seconds_ago: spread(seed, HOURS * 3_600),
            },
            74..80 => Self::Reverse { ticket: which, list },
            80..84 => Self::CancelOrder { order: which },
            84..87 => Self::CancelTicket { order: which },
            87..90 => Self::DeleteOrder { order: which },
            90..93 => Self::AddTalk { place: Place::draw(seed) },
            93..98 => Self::MoveTalk { talk: which, place: Place::draw(seed) },
            98 => Self::CancelTalk { talk: which },
            _ => Self::DeleteTalk { talk: which },
        }
    }

    /// Tells whether it happens to the programme.
    pub fn is_of_programme(self) -> bool {
        matches!(
            self,
            Self::AddTalk { .. } | Self::MoveTalk { .. } | Self::CancelTalk { .. } | Self::DeleteTalk { .. }
        )
    }
}

impl Place {
    /// Draws a place.
    pub fn draw(seed: &mut u64) -> Self {
        Self {
            room: spread(seed, 2) as usize,
            is_today: spread(seed, 2) == 0,
            step: spread(seed, HOURS * 12),
            minutes: 20 + 5 * spread(seed, 8),
        }
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "{} tickets sold, {} entries, {} exits, {} scans reversed, {} refused, {} orders and {} tickets \
             cancelled, {} orders deleted; {} talks added, {} moved, {} cancelled, {} deleted",
            self.sold,
            self.entries,
            self.exits,
            self.reversed,
            self.refused,
            self.orders_cancelled,
            self.tickets_cancelled,
            self.orders_deleted,
            self.talks_added,
            self.talks_moved,
            self.talks_cancelled,
            self.talks_deleted
        )
    }
}
