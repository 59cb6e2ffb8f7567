//! Who is near whom, found once a picture for all rules that ask.

use super::ground::Ground;
use super::people::People;

/// People compared with each other at most.
const MOST_PEOPLE: usize = 1_024;

/// Pairs of people up to the largest distance that a rule asks for.
#[derive(Default)]
pub struct Neighbours {
    /// Body heights; zero where no rule asks.
    reach: f64,
    /// Place across the picture (or the ground) in body heights of the highest box, and index.
    order: Vec<(f64, usize)>,
    pairs: Vec<Pair>,
    overflow: u64,
}

/// Two people near each other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pair {
    /// Index into [`People::all`].
    pub a: usize,
    /// The same, larger.
    pub b: usize,
    /// Body heights on the ground.
    pub distance: f64,
}

impl Neighbours {
    /// A rule will ask for pairs within `radius` body heights.
    pub fn ask(&mut self, radius: f64) {
        self.reach = self.reach.max(radius);
    }

    /// Takes the people of a picture. Sorted across the picture, each is compared only with those who follow within reach.
    pub fn observe(&mut self, people: &People, ground: &Ground) {
        self.pairs.clear();
        if self.reach <= 0.0 {
            return;
        }
        let all = people.all();
        let taken = &all[..all.len().min(MOST_PEOPLE)];
        self.overflow += (all.len() - taken.len()) as u64;
        // Between two people the mean of their box heights is the measure: the highest box reaches farthest.
        let highest = taken.iter().map(|p| p.height).fold(0.0, f64::max);
        self.order.clear();
        let place = |height, feet| ground.flat(feet, height).map(|(p, body)| p.x / body);
        // Whoever has no place on the plane comes first and is compared with everybody.
        let nowhere = f64::NAN.copysign(-1.0);
        self.order.extend(taken.iter().enumerate().map(|(i, p)| (place(highest, p.feet).unwrap_or(nowhere), i)));
        self.order.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        for (k, &(x, i)) in self.order.iter().enumerate() {
            for &(other, j) in &self.order[k + 1..] {
                if other - x > self.reach {
                    break;
                }
                let (a, b) = (&taken[i.min(j)], &taken[i.max(j)]);
                let distance = ground.body_heights(a.feet, a.height, b.feet, b.height);
                if distance <= self.reach {
                    self.pairs.push(Pair { a: i.min(j), b: i.max(j), distance });
                }
            }
        }
    }

    /// Pairs within `radius` body heights, in no order that means anything.
    pub fn within(&self, radius: f64) -> impl Iterator<Item = &Pair> {
        self.pairs.iter().filter(move |p| p.distance <= radius)
    }

    /// People who were not compared because there were too many.
    pub fn overflow(&self) -> u64 {
        self.overflow
    }
}
