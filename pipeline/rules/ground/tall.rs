//! How high people appear on a plane that is known: its scale says how far away they are, they say how high that is.

use std::collections::VecDeque;

use super::sampler::Sampler;
use crate::rules::people::{Person, median};
use crate::types::{MediaTime, Plane, Point, Size, TrackId};

/// Samples kept, the latest.
const KEPT: usize = 64;
/// The ratio is known from so many samples of so many people.
const SAMPLES: usize = 12;
const PEOPLE: usize = 5;

/// The ratio of a box height (a fraction of the picture's) to the plane's scale where its feet are.
pub struct Tall {
    sampler: Sampler,
    samples: VecDeque<(TrackId, f64)>,
    ratio: Option<f64>,
    scratch: Vec<f64>,
}

impl Tall {
    /// Nobody was seen yet.
    pub fn new() -> Self {
        let samples = VecDeque::with_capacity(KEPT + 1);
        Self { sampler: Sampler::new(), samples, ratio: None, scratch: Vec::with_capacity(KEPT) }
    }

    /// Takes the people of a picture.
    pub fn observe(&mut self, time: MediaTime, size: Size, people: &[Person], plane: &Plane) {
        let samples = &mut self.samples;
        let mut fresh = false;
        self.sampler.observe(time, size, people, None, |sample| {
            let Some(scale) = plane.scale(Point { x: sample.x, y: sample.y }) else { return };
            fresh = true;
            samples.push_back((TrackId(sample.who), sample.log_height - scale.ln()));
            if samples.len() > KEPT {
                samples.pop_front();
            }
        });
        if !fresh || self.samples.len() < SAMPLES {
            return;
        }
        let first_of = |i: usize| !self.samples.range(..i).any(|(who, _)| *who == self.samples[i].0);
        if (0..self.samples.len()).filter(|i| first_of(*i)).count() >= PEOPLE {
            self.scratch.clear();
            self.scratch.extend(self.samples.iter().map(|sample| sample.1));
            self.ratio = median(&mut self.scratch).map(f64::exp);
        }
    }

    /// Height (a fraction of the picture's) at which a person with feet at this place (a fraction) appears.
    pub fn expected_height(&self, feet: Point, plane: &Plane) -> Option<f64> {
        Some(self.ratio? * plane.scale(feet)?)
    }
}
