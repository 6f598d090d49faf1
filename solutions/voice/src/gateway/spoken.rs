//! Words that were spoken and wait to be sent, with how far each device has them.

use std::collections::HashMap;

use crate::speech::Audio;

/// The words of one row, spoken.
pub struct Spoken {
    position: i64,
    /// Nothing where the engine fails.
    pub audio: Option<Audio>,
    /// How many parts each device took.
    pub taken: HashMap<String, usize>,
}

/// What is spoken by now: one row's words in a lane at most, for nothing overtakes there.
#[derive(Default)]
pub struct SpokenWords(HashMap<String, Spoken>);

impl SpokenWords {
    /// Notes the words of the row at `position` of a lane.
    pub fn put(&mut self, lane: &str, position: i64, audio: Option<Audio>) {
        self.put_back(lane, Spoken { position, audio, taken: HashMap::new() });
    }

    /// Notes words that went in part, or not at all.
    pub fn put_back(&mut self, lane: &str, spoken: Spoken) {
        self.0.insert(lane.to_owned(), spoken);
    }

    /// Takes the words of a row that is tried now. Those of another row of its lane are let go: it is gone.
    pub fn take(&mut self, lane: &str, position: i64) -> Option<Spoken> {
        self.0.remove(lane).filter(|spoken| spoken.position == position)
    }

    /// Nothing waits in a lane any more.
    pub fn let_go(&mut self, lane: &str) {
        self.0.remove(lane);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_kept_for_their_row_and_go_with_it_or_with_its_lane() {
        let mut words = SpokenWords::default();
        words.put("kitchen", 1, None);
        let mut spoken = words.take("kitchen", 1).expect("is spoken");
        spoken.taken.insert("kitchen".to_owned(), 2);
        words.put_back("kitchen", spoken);
        assert_eq!(words.take("kitchen", 1).map(|spoken| spoken.taken["kitchen"]), Some(2));
        words.put("kitchen", 1, None);
        assert!(words.take("kitchen", 2).is_none() && words.0.is_empty(), "the row before is gone");
        words.put("kitchen", 3, None);
        words.let_go("kitchen");
        assert!(words.0.is_empty());
    }
}
