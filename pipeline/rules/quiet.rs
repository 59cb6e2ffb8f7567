//! Quiet spots: what an operator said is no person counts for no rule, as long as it stays where it was.

use crate::types::{Rect, Size, Track, TrackId};

/// Leaves out whatever has never been seen outside a quiet spot. Somebody who comes from elsewhere counts, also at the
/// spot: only what was always there is a statue.
#[derive(Debug, Default)]
pub struct Quiet {
    /// Fractions of the picture.
    spots: Vec<Rect>,
    /// Live tracks that were seen elsewhere, sorted.
    awake: Vec<TrackId>,
    still_awake: Vec<TrackId>,
    kept: Vec<Track>,
}

impl Quiet {
    /// Takes other spots, as fractions of the picture. Whatever stands in one of them now is quiet until it leaves.
    pub fn set(&mut self, spots: &[Rect]) {
        self.spots.clear();
        self.spots.extend_from_slice(spots);
        self.awake.clear();
    }

    /// The tracks that count, in their order. `tracks` are ordered by id, in pixels of a picture of `size`.
    pub fn filter<'a>(&'a mut self, size: Size, tracks: &'a [Track]) -> &'a [Track] {
        if self.spots.is_empty() {
            return tracks;
        }
        self.kept.clear();
        self.still_awake.clear();
        for track in tracks {
            let feet = size.to_fraction(track.bbox.feet());
            let within = |spot: &Rect| {
                (f64::from(spot.left)..=f64::from(spot.right())).contains(&feet.x)
                    && (f64::from(spot.top)..=f64::from(spot.bottom())).contains(&feet.y)
            };
            if self.awake.binary_search(&track.id).is_ok() || !self.spots.iter().any(within) {
                self.still_awake.push(track.id);
                self.kept.push(*track);
            }
        }
        // Tracks that are gone are forgotten.
        std::mem::swap(&mut self.awake, &mut self.still_awake);
        &self.kept
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::types::{MediaTime, Point, TrackState};

    const SIZE: Size = Size::new(1000, 500);

    fn track(id: u64, x: f64, y: f64) -> Track {
        let bbox = Rect::new((x * 1000.0) as f32 - 10.0, (y * 500.0) as f32 - 60.0, 20.0, 60.0);
        let (state, seen) = (TrackState::Confirmed, MediaTime::ZERO);
        let birth = Point { x, y };
        Track { id: TrackId(id), state, bbox, velocity: [0.0; 2], score: 0.9, matched: true, born: seen, birth, seen }
    }

    proptest! {
        /// Against the definition: a track counts at a picture when it is or was outside all spots since they were set.
        #[test]
        fn what_was_never_seen_elsewhere_does_not_count(
            spots in prop::collection::vec((0.0..0.9_f64, 0.0..0.9_f64, 0.05..0.3_f64, 0.05..0.3_f64), 0..4),
            paths in prop::collection::vec((0_usize..30, prop::collection::vec((0.0..1.0_f64, 0.0..1.0_f64), 1..30)), 0..6),
            changed_at in 0_usize..30,
        ) {
            let rects: Vec<Rect> =
                spots.iter().map(|(x, y, w, h)| Rect::new(*x as f32, *y as f32, *w as f32, *h as f32)).collect();
            let mut quiet = Quiet::default();
            quiet.set(&rects[..rects.len() / 2]);
            let mut elsewhere = [false; 6];
            for step in 0..60 {
                if step == changed_at {
                    quiet.set(&rects);
                    elsewhere = [false; 6];
                }
                let in_force = if step < changed_at { &rects[..rects.len() / 2] } else { &rects[..] };
                let tracks: Vec<Track> = paths
                    .iter()
                    .enumerate()
                    .filter_map(|(i, (from, path))| {
                        let (x, y) = *path.get(step.checked_sub(*from)?)?;
                        Some(track(i as u64 + 1, x, y))
                    })
                    .collect();
                let mut expected = Vec::new();
                for track in &tracks {
                    let feet = SIZE.to_fraction(track.bbox.feet());
                    let (x, y) = (feet.x as f32, feet.y as f32);
                    let outside = |r: &Rect| x < r.left || x > r.right() || y < r.top || y > r.bottom();
                    let i = track.id.0 as usize - 1;
                    elsewhere[i] |= in_force.iter().all(outside);
                    if elsewhere[i] {
                        expected.push(track.id);
                    }
                }
                let counted: Vec<TrackId> = quiet.filter(SIZE, &tracks).iter().map(|t| t.id).collect();
                prop_assert_eq!(counted, expected, "step {}", step);
            }
        }
    }
}
