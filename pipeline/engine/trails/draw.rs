//! Trails for drawing.

use std::collections::BTreeMap;

use serde::Serialize;

use super::block::STEPS;
use super::read::{Stretch, TrailReader};
use super::store::StoreError;
use crate::types::geometry::round4;

/// Places of a drawing at most.
const MOST_PLACES: usize = 200_000;

/// Where people walked.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Drawing {
    /// By id, one for each person.
    pub tracks: Vec<Drawn>,
    /// There were more.
    pub cut: bool,
}

/// Where somebody walked.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Drawn {
    /// Of the camera.
    pub id: u64,
    /// Seconds since the beginning of the stretch, feet across and down, height of the box; fractions of the picture, y
    /// down.
    pub points: Vec<[f64; 4]>,
}

/// The first `limit` people of a stretch.
pub fn draw(reader: &TrailReader, camera: &str, stretch: Stretch, limit: usize) -> Result<Drawing, StoreError> {
    let (from, until) = (stretch.from.as_millisecond(), stretch.until.as_millisecond());
    let mut found: BTreeMap<u64, Vec<[f64; 4]>> = BTreeMap::new();
    let (mut places, mut cut) = (0, false);
    let mut blocks = reader.blocks(camera, stretch)?;
    while let Some(block) = blocks.next()? {
        for trail in &block.trails {
            let spots = trail.spots.iter().map(|spot| (block.times[spot.picture as usize], spot.place));
            let mut inside = spots.filter(|(at, _)| (from..=until).contains(at)).peekable();
            if inside.peek().is_none() {
                continue;
            }
            if places >= MOST_PLACES || (found.len() >= limit && !found.contains_key(&trail.person)) {
                cut = true;
                continue;
            }
            let points = found.entry(trail.person).or_default();
            let before = points.len();
            points.extend(inside.map(|(at, [x, y, _, high])| {
                let [x, y, high] = [x, y, high].map(|v| round4(f64::from(v) / STEPS));
                [(at - from) as f64 / 1e3, x, y, high]
            }));
            places += points.len() - before;
        }
    }
    let drawn = |(id, mut points): (u64, Vec<[f64; 4]>)| {
        // Somebody was lost, followed anew, and found again.
        points.sort_by(|a, b| a[0].total_cmp(&b[0]));
        points.dedup_by_key(|point| point[0]);
        Drawn { id, points }
    };
    Ok(Drawing { tracks: found.into_iter().map(drawn).collect(), cut })
}
