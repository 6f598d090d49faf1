//! Outlier ejection: an instance that fails in a row is left out for a while, never all of them.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

use ieum_core::Moment;

/// When an instance is left out, and for how long.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct OutlierRule {
    /// Failures in a row that eject an instance.
    pub consecutive: u32,
    /// How long the first ejection lasts; the n-th lasts n times as long.
    pub base: Duration,
    /// The longest ejection. After this long without a failure the count of ejections starts anew.
    pub most: Duration,
    /// The greatest share of instances that may be out at once, 0 to 1; rounded down.
    pub most_share: f64,
}

/// Which instances of a dependency are left out. Keys name instances, such as their addresses.
#[derive(Clone, Debug)]
pub struct OutlierEjection<K> {
    rule: OutlierRule,
    instances: HashMap<K, Instance>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Instance {
    consecutive: u32,
    ejections: u32,
    out_until: Option<Moment>,
}

impl Default for OutlierRule {
    fn default() -> Self {
        Self {
            consecutive: 5,
            base: Duration::from_secs(10),
            most: Duration::from_secs(300),
            most_share: 0.5,
        }
    }
}

impl<K: Eq + Hash + Clone> OutlierEjection<K> {
    /// Begins with no instance known.
    pub fn new(rule: OutlierRule) -> Self {
        Self { rule, instances: HashMap::new() }
    }

    /// Takes over the present instances: new ones begin well, gone ones are forgotten.
    pub fn set_instances(&mut self, keys: impl IntoIterator<Item = K>) {
        let mut kept = HashMap::new();
        for key in keys {
            let instance = self.instances.get(&key).copied().unwrap_or_default();
            kept.insert(key, instance);
        }
        self.instances = kept;
    }

    /// Counts one answer of the instance `key`. Returns whether this ejected it. An unknown key counts
    /// for nothing: the instance is gone.
    pub fn record(&mut self, key: &K, ok: bool, now: Moment) -> bool {
        let rule = self.rule;
        let Some(instance) = self.instances.get_mut(key) else { return false };
        if ok {
            instance.consecutive = 0;
            if instance.out_until.is_some_and(|until| now.since(until) >= rule.most) {
                instance.ejections = 0;
            }
            return false;
        }
        instance.consecutive = instance.consecutive.saturating_add(1);
        instance.consecutive >= rule.consecutive && self.eject(key, now)
    }

    /// Leaves the instance `key` out at once, as one that nobody listens at; returns whether it did. The last one left
    /// stays.
    pub fn eject(&mut self, key: &K, now: Moment) -> bool {
        let room = self.out(now) < self.most_out();
        let rule = self.rule;
        let Some(instance) = self.instances.get_mut(key).filter(|instance| room && !instance.is_out(now))
        else {
            return false;
        };
        instance.consecutive = 0;
        instance.ejections = instance.ejections.saturating_add(1);
        instance.out_until = Some(now + rule.base.saturating_mul(instance.ejections).min(rule.most));
        true
    }

    /// Tells whether the instance `key` is left out at `now`.
    pub fn is_ejected(&self, key: &K, now: Moment) -> bool {
        self.instances.get(key).is_some_and(|instance| instance.is_out(now))
    }

    /// Returns how many instances are left out at `now`.
    pub fn out(&self, now: Moment) -> usize {
        self.instances.values().filter(|instance| instance.is_out(now)).count()
    }

    /// One of several may always be left out, else a share below one would protect nobody from it.
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    fn most_out(&self) -> usize {
        let count = self.instances.len();
        let share = (count as f64 * self.rule.most_share.clamp(0.0, 1.0)) as usize;
        share.max(1).min(count.saturating_sub(1))
    }
}

impl Instance {
    fn is_out(&self, now: Moment) -> bool {
        self.out_until.is_some_and(|until| now < until)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: u64) -> Moment {
        Moment::from_start(Duration::from_secs(seconds))
    }

    #[test]
    fn an_instance_that_fails_in_a_row_is_out_for_a_while_and_longer_the_next_time() {
        let mut ejection = OutlierEjection::new(OutlierRule::default());
        ejection.set_instances(["a", "b"]);
        assert_eq!((0..5).filter(|_| ejection.record(&"a", false, at(0))).count(), 1);
        assert!(ejection.is_ejected(&"a", at(9)) && !ejection.is_ejected(&"a", at(10)));
        for _ in 0..5 {
            ejection.record(&"a", false, at(10));
        }
        assert!(ejection.is_ejected(&"a", at(29)) && !ejection.is_ejected(&"a", at(30)));
        ejection.set_instances(["b"]);
        assert!(!ejection.is_ejected(&"a", at(12)), "it is gone");
    }

    #[test]
    fn one_that_nobody_listens_at_is_out_at_once_and_the_last_one_never() {
        let mut ejection = OutlierEjection::new(OutlierRule::default());
        ejection.set_instances(["a", "b"]);
        assert!(ejection.eject(&"a", at(0)) && !ejection.eject(&"a", at(1)));
        assert!(!ejection.eject(&"b", at(1)), "it is the last one");
        assert!(ejection.is_ejected(&"a", at(9)) && !ejection.is_ejected(&"a", at(10)));
        assert!(!ejection.eject(&"c", at(1)), "nobody knows it");
    }

    proptest! {
        #[test]
        fn never_are_all_instances_out(
            count in 1_usize..8,
            share in 0.0_f64..=1.0,
            answers in prop::collection::vec((0_usize..8, any::<bool>(), 0_u64..5), 1..400),
        ) {
            let rule = OutlierRule { consecutive: 2, most_share: share, ..OutlierRule::default() };
            let mut ejection = OutlierEjection::new(rule);
            ejection.set_instances(0..count);
            let mut now = 0;
            for (which, ok, gap) in answers {
                now += gap;
                ejection.record(&which, ok, at(now));
                prop_assert!(ejection.out(at(now)) < count);
            }
        }
    }
}
