//! Where people stand, steadied: boxes of a detector tremble from picture to picture by more than people move, and rules
//! that look at lengths should not follow that.
//!
//! Everybody is where they were in the median of the last 0.4 s, coordinate by coordinate: a box that is cut for a
//! picture or two by what stands before it does not count. That is what rules see and what is stored: two places
//! a second are enough to draw it again, so that rules that are tried on what is stored start when they did live. It comes
//! late by half of that time at most; at two pictures a second or fewer nothing is changed.

use std::collections::{BTreeMap, VecDeque};

use super::bounded;
use crate::types::{CameraMotion, MediaTime, Point, Rect, Size, Span, Track, TrackId};

/// Pictures within this time are looked at. With half a second somebody who passes a zone's edge on Intel's *one by one
/// person detection* clip counts as inside; with this and less nobody does.
const WINDOW: Span = Span::from_millis(400);
/// Places of a person at most: more pictures a second than any camera gives here.
const MOST_PLACES: usize = 64;
/// People who are steadied at most; further ones are where they were seen.
const MOST_PEOPLE: usize = 4_096;

/// Steadies the tracks of one camera.
#[derive(Default)]
pub struct Steady {
    paths: BTreeMap<TrackId, VecDeque<Place>>,
    /// Emptied paths, for those to come.
    spare: Vec<VecDeque<Place>>,
    steadied: Vec<Track>,
    /// One coordinate of a path, sorted.
    scratch: Vec<f64>,
    size: Size,
}

/// Where somebody was measured.
#[derive(Clone, Copy)]
struct Place {
    time: MediaTime,
    /// Feet across and down, width and height, pixels.
    values: [f64; 4],
}

impl Place {
    fn new(time: MediaTime, bbox: &Rect) -> Self {
        let feet = bbox.feet();
        Self { time, values: [feet.x, feet.y, f64::from(bbox.width), f64::from(bbox.height)] }
    }
}

impl Steady {
    /// Takes the tracks of a picture of `size`, ordered by id, and gives them with steadied boxes. Who was not measured in it
    /// is where the tracker takes them to be.
    pub fn observe(&mut self, time: MediaTime, size: Size, tracks: &[Track]) -> &[Track] {
        if self.size != size {
            self.forget();
            self.size = size;
        }
        let alive = |id: &TrackId| tracks.binary_search_by_key(id, |t| t.id).is_ok();
        for (_, mut path) in self.paths.extract_if(.., |id, _| !alive(id)) {
            path.clear();
            self.spare.push(path);
        }
        self.steadied.clear();
        for track in tracks {
            let mut steadied = *track;
            let spare = &mut self.spare;
            let fresh = || spare.pop().unwrap_or_else(|| VecDeque::with_capacity(MOST_PLACES + 1));
            if track.matched
                && let Some(path) = bounded::entry(&mut self.paths, MOST_PEOPLE, track.id, fresh)
            {
                while path.front().is_some_and(|place| time - place.time >= WINDOW || place.time > time)
                    || path.len() >= MOST_PLACES
                {
                    path.pop_front();
                }
                path.push_back(Place::new(time, &track.bbox));
                steadied.bbox = median(path, &mut self.scratch);
            }
            self.steadied.push(steadied);
        }
        &self.steadied
    }

    /// The camera has moved (pixels): whoever stood still is where the ground below is now.
    pub fn carry(&mut self, motion: &CameraMotion) {
        let zoom = motion.zoom();
        for place in self.paths.values_mut().flatten() {
            let [x, y, width, height] = place.values;
            let feet = motion.point(Point { x, y });
            place.values = [feet.x, feet.y, width * zoom, height * zoom];
        }
    }

    /// What the last picture gave.
    pub fn last(&self) -> &[Track] {
        &self.steadied
    }

    /// Nobody is where they were: the camera looks elsewhere, or pictures have another size.
    pub fn forget(&mut self) {
        while let Some((_, mut path)) = self.paths.pop_first() {
            path.clear();
            self.spare.push(path);
        }
    }
}

fn median(path: &VecDeque<Place>, scratch: &mut Vec<f64>) -> Rect {
    let [x, y, width, height] = std::array::from_fn(|i| {
        scratch.clear();
        scratch.extend(path.iter().map(|place| place.values[i]));
        scratch.sort_unstable_by(f64::total_cmp);
        let n = scratch.len();
        (scratch[(n - 1) / 2] + scratch[n / 2]) / 2.0
    });
    Rect::new((x - width / 2.0) as f32, (y - height) as f32, width as f32, height as f32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::TrackState;

    const SIZE: Size = Size::new(640, 480);

    fn track(id: u64, left: f32, matched: bool) -> Track {
        Track {
            id: TrackId(id),
            state: TrackState::Confirmed,
            bbox: Rect::new(left, 100.0, 20.0, 50.0),
            velocity: [0.0; 2],
            score: 0.9,
            matched,
            born: MediaTime::ZERO,
            birth: Point::default(),
            seen: MediaTime::ZERO,
        }
    }

    fn lefts(steady: &mut Steady, seconds: f64, tracks: &[Track]) -> Vec<f32> {
        steady.observe(MediaTime::from_secs_f64(seconds), SIZE, tracks).iter().map(|t| t.bbox.left).collect()
    }

    #[test]
    fn who_trembles_stands_and_who_walks_is_a_fifth_of_a_second_behind_at_most() {
        let mut steady = Steady::default();
        let mut all = Vec::new();
        for k in 0..40_usize {
            let t = k as f64 * 0.1;
            let shaken = [100.0, 102.0, 140.0, 101.0][k % 4];
            all.push(lefts(&mut steady, t, &[track(1, shaken, true), track(2, 100.0 * t as f32, true)]));
        }
        for (k, both) in all.iter().enumerate().skip(5) {
            assert!((both[0] - 101.5).abs() < 1e-3, "{both:?}");
            assert!((both[1] - (10.0 * k as f32 - 15.0)).abs() < 0.01, "{both:?}");
        }
    }

    #[test]
    fn seldom_pictures_are_as_they_are_and_the_lost_are_where_they_should_be() {
        let mut steady = Steady::default();
        assert_eq!(lefts(&mut steady, 0.0, &[track(1, 10.0, true)]), [10.0]);
        assert_eq!(lefts(&mut steady, 0.5, &[track(1, 30.0, true)]), [30.0]);
        assert_eq!(lefts(&mut steady, 0.6, &[track(1, 99.0, false)]), [99.0]);
        assert_eq!(lefts(&mut steady, 0.7, &[track(1, 40.0, true)]), [35.0]);
        assert_eq!(lefts(&mut steady, 0.8, &[]), [0.0; 0]);
        assert_eq!(lefts(&mut steady, 0.9, &[track(1, 70.0, true)]), [70.0], "whoever was gone is new");
    }
}
