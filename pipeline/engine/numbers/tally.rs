//! What one camera counted since it was last handed over.

use std::sync::Arc;

use super::{Counted, LineCrossed, ZonePeople, quarter};
use crate::config::plan::Camera;
use crate::rules::Measured;
use crate::types::{Direction, MediaTime, Span};

/// A longer step between two pictures is not counted: nobody knows who was there.
const LONGEST_STEP: Span = Span::from_secs(2);
/// At the latest after so long it is handed over: what a crash costs.
const LONGEST: Span = Span::from_secs(60);

/// Counts by the plan in force.
pub struct Tally {
    camera: Arc<Camera>,
    quarter: i64,
    since: Option<MediaTime>,
    last: Option<MediaTime>,
    /// In the order of the plan.
    zones: Vec<(f64, f64, u32)>,
    lines: Vec<[u64; 2]>,
}

impl Tally {
    /// Nothing counted yet.
    pub fn new(camera: Arc<Camera>) -> Self {
        let (zones, lines) = (vec![(0.0, 0.0, 0); camera.zones.len()], vec![[0; 2]; camera.lines.len()]);
        Self { camera, quarter: i64::MIN, since: None, last: None, zones, lines }
    }

    /// Takes one picture, measured by this plan. Gives what was counted before where it is time.
    pub fn observe(
        &mut self,
        camera: &Arc<Camera>,
        time: MediaTime,
        utc: jiff::Timestamp,
        measured: &Measured,
    ) -> Option<Counted> {
        let now = quarter(utc);
        let other = !Arc::ptr_eq(&self.camera, camera);
        let due = other || now != self.quarter || self.since.is_some_and(|since| time - since >= LONGEST);
        let counted = if due { self.take() } else { None };
        if other {
            *self = Self::new(Arc::clone(camera));
        }
        self.quarter = now;
        self.since.get_or_insert(time);
        let step = self.last.replace(time).map(|last| time - last).filter(|s| (Span::ZERO..=LONGEST_STEP).contains(s));
        let step = step.map_or(0.0, Span::secs_f64);
        for ((seconds, person_seconds, most), people) in self.zones.iter_mut().zip(&measured.zone_people) {
            *seconds += step;
            *person_seconds += step * f64::from(*people);
            *most = (*most).max(*people);
        }
        for crossed in &measured.crossed {
            if let Some([right, left]) = self.lines.get_mut(crossed.line) {
                match crossed.direction {
                    Direction::LeftToRight => *right += 1,
                    Direction::RightToLeft => *left += 1,
                }
            }
        }
        counted
    }

    /// What was counted since it was last taken, if anything.
    pub fn take(&mut self) -> Option<Counted> {
        self.since.take()?;
        let zones = self.camera.zones.iter().zip(&mut self.zones).map(|(zone, counted)| {
            let (seconds, person_seconds, most) = std::mem::replace(counted, (0.0, 0.0, 0));
            ZonePeople { zone: zone.id.clone(), seconds, person_seconds, most }
        });
        let lines = self.camera.lines.iter().zip(&mut self.lines).map(|(line, counted)| {
            let [left_to_right, right_to_left] = std::mem::take(counted);
            LineCrossed { line: line.id.clone(), left_to_right, right_to_left }
        });
        let (zones, lines) = (zones.collect(), lines.collect());
        Some(Counted { camera: self.camera.id.clone(), quarter: self.quarter, zones, lines })
    }
}
