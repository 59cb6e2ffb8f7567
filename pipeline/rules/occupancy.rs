//! `occupancy`: people on the whole site, by those who came in and went out at its gates.
//!
//! Every counter misses some people, and the error adds up over a day. Two things are known for sure: there are never fewer
//! people than none, and none when the day ends. A count that would fall below zero is lifted, and what is left over at the
//! daily reset is the error of that day: its share of each crossing is taken off from the next day on.

use super::SiteRule;
use crate::config::plan::Gate;
use crate::types::{Headcount, Signal, SiteCrossed, Subject};

/// Days with fewer crossings teach nothing.
const LEAST_CROSSINGS: u64 = 100;
/// Share of each new day in the drift.
const LEARNT: f64 = 0.5;
/// A larger drift than that of one person in twenty is a gate that does not count.
const LARGEST_DRIFT: f64 = 0.05;

/// Counts the people of a site.
pub struct Occupancy {
    rule: usize,
    gates: Vec<Gate>,
    count: Headcount,
}

impl Occupancy {
    /// For the site's rule with this index.
    pub fn new(rule: usize, gates: &[Gate]) -> Self {
        Self { rule, gates: gates.to_vec(), count: Headcount::default() }
    }

    /// People by all that is known; never below zero.
    fn people(&mut self) -> f64 {
        let count = &mut self.count;
        let (entered, left) = (count.entered as f64, count.left as f64);
        let people = entered - left - count.drift * (entered + left) + count.missed;
        if people < 0.0 {
            count.missed -= people;
        }
        people.max(0.0)
    }

    /// The day is over and nobody is there: what the crossings leave over is what they count too many.
    fn close(&mut self, day: i64) {
        let count = &mut self.count;
        let crossings = count.entered + count.left;
        if crossings >= LEAST_CROSSINGS {
            let over = (count.entered as f64 - count.left as f64) / crossings as f64;
            let drift = count.drift + LEARNT * (over - count.drift);
            count.drift = drift.clamp(-LARGEST_DRIFT, LARGEST_DRIFT);
        }
        *count = Headcount { day: Some(day), drift: count.drift, ..Headcount::default() };
    }
}

impl SiteRule for Occupancy {
    fn take(&mut self, day: i64, crossed: &SiteCrossed) {
        self.observe(day);
        for gate in self.gates.iter().filter(|g| *g.camera == *crossed.camera && *g.line == *crossed.line) {
            if gate.inward == crossed.direction {
                self.count.entered += 1;
            } else {
                self.count.left += 1;
            }
        }
        self.people();
    }

    fn observe(&mut self, day: i64) -> Signal {
        match self.count.day {
            None => self.count.day = Some(day),
            Some(last) if day > last => self.close(day),
            Some(_) => {}
        }
        let people = self.people().round();
        Signal { people: people as u32, ..Signal::new(self.rule, Subject::Site, people) }
    }

    fn count(&self) -> Headcount {
        self.count
    }

    fn restore(&mut self, count: Headcount) {
        self.count = count;
    }

    fn renumber(&mut self, rule: usize) {
        self.rule = rule;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::types::Direction;

    const IN: Direction = Direction::LeftToRight;
    const OUT: Direction = Direction::RightToLeft;

    /// Camera 0 has the way in at line 1 from left to right, camera 2 at line 0 from right to left.
    fn park() -> Occupancy {
        let gate = |camera: &str, line: &str, inward| Gate { camera: camera.into(), line: line.into(), inward };
        Occupancy::new(0, &[gate("c0", "l1", IN), gate("c2", "l0", OUT), gate("gone", "l0", IN)])
    }

    fn cross(park: &mut Occupancy, day: i64, camera: usize, line: usize, direction: Direction) {
        let (camera, line) = (format!("c{camera}").into(), format!("l{line}").into());
        park.take(day, &SiteCrossed { at: jiff::Timestamp::UNIX_EPOCH, camera, line, direction });
    }

    #[test]
    fn every_gate_counts_its_own_way() {
        let mut park = park();
        (0..3).for_each(|_| cross(&mut park, 5, 0, 1, IN));
        cross(&mut park, 5, 2, 0, OUT);
        cross(&mut park, 5, 2, 0, IN);
        for (camera, line) in [(0, 0), (1, 1), (2, 1)] {
            cross(&mut park, 5, camera, line, IN);
        }
        let signal = park.observe(5);
        assert_eq!((signal.value, signal.people, signal.subject), (3.0, 3, Subject::Site));
    }

    #[test]
    fn fewer_than_none_are_none() {
        let mut park = park();
        (0..4).for_each(|_| cross(&mut park, 5, 0, 1, OUT));
        assert_eq!(park.observe(5).value, 0.0);
        cross(&mut park, 5, 0, 1, IN);
        assert_eq!(park.observe(5).value, 1.0, "four whose coming was missed");
    }

    #[test]
    fn a_new_day_begins_with_nobody_and_knows_the_drift() {
        let mut park = park();
        // The way out loses one person in twenty.
        (0..200).for_each(|_| cross(&mut park, 5, 0, 1, IN));
        (0..190).for_each(|_| cross(&mut park, 5, 0, 1, OUT));
        assert_eq!(park.observe(5).value, 10.0);
        assert_eq!(park.observe(6).value, 0.0);
        let drift = park.count().drift;
        assert!((drift - 0.5 * 10.0 / 390.0).abs() < 1e-12, "{drift}");
        (0..200).for_each(|_| cross(&mut park, 6, 0, 1, IN));
        (0..190).for_each(|_| cross(&mut park, 6, 0, 1, OUT));
        assert_eq!(park.observe(6).value, 5.0, "half of the error is known");
        // A day with few crossings teaches nothing, and a gate that does not count does not spoil everything.
        assert_eq!(park.observe(7).value, 0.0);
        let drift = park.count().drift;
        (0..50).for_each(|_| cross(&mut park, 7, 0, 1, IN));
        park.observe(8);
        assert_eq!(park.count().drift, drift);
        (0..5_000).for_each(|_| cross(&mut park, 8, 0, 1, IN));
        park.observe(9);
        assert_eq!(park.count().drift, LARGEST_DRIFT);
    }

    #[test]
    fn a_restart_goes_on_where_it_stopped() {
        let mut before = park();
        (0..7).for_each(|_| cross(&mut before, 5, 0, 1, IN));
        let mut after = park();
        after.restore(before.count());
        assert_eq!(after.observe(5).value, 7.0);
        let mut later = park();
        later.restore(before.count());
        assert_eq!(later.observe(6).value, 0.0, "the reset fell into the pause");
    }

    proptest! {
        /// Against all crossings of the day at once: people now are those since the last time there were none.
        #[test]
        fn it_is_the_height_above_the_lowest_point(crossings in prop::collection::vec(any::<bool>(), 0..300)) {
            let mut park = park();
            crossings.iter().for_each(|inward| cross(&mut park, 5, 0, 1, if *inward { IN } else { OUT }));
            let height = |n: usize| crossings[..n].iter().map(|inward| if *inward { 1.0 } else { -1.0 }).sum::<f64>();
            let lowest = (0..=crossings.len()).map(height).fold(0.0, f64::min);
            prop_assert_eq!(park.observe(5).value, height(crossings.len()) - lowest);
        }
    }
}
