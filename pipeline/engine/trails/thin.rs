//! Which places of a block are kept, so that rules start on them as they did live: of everybody one at the beginning and at
//! the end of each stretch in which they were seen, and in between one of every half second, at its last picture. It is not
//! where they were in that picture, but what brings the straight ways from place to place nearest to where they were in all
//! of them. Of pictures nothing is kept but their times and who was seen.

use std::ops::Range;

use jiff::SignedDuration;

use super::block::{Block, GRAIN, Spot, Trail, steps};
use super::fit::fitted;
use super::recorder::Gathered;
use crate::types::{Rect, Size, Track};

/// Somebody in a picture.
struct Sight<'a> {
    /// Index.
    picture: u32,
    /// Unix milliseconds.
    at: i64,
    /// The first or the last of a stretch in which the person was seen.
    edge: bool,
    track: &'a Track,
}

/// Thins a block; `offset` is added to the ids of its run.
pub fn thin(gathered: &Gathered, offset: u64) -> Block {
    let times = times(gathered);
    let tracks = tracks(gathered);
    let mut trails = Vec::with_capacity(tracks.len());
    for track in &tracks {
        let at = |n: usize| track.get(n).map(|(k, _)| times[*k]);
        let sight = |(n, (k, i)): (usize, &(usize, usize))| Sight {
            picture: *k as u32,
            at: times[*k],
            edge: is_apart(n.checked_sub(1).and_then(at), Some(times[*k])) || is_apart(Some(times[*k]), at(n + 1)),
            track: &gathered.seen[*i],
        };
        let sights: Vec<Sight<'_>> = track.iter().enumerate().map(sight).collect();
        let (Some((first, _)), Some((_, last)), Some(seen)) = (track.first(), track.last(), sights.first()) else {
            continue;
        };
        // Cut to milliseconds from the same time as that of the picture then: whether somebody was born before or after
        // somebody else was seen last stays the same.
        let picture = &gathered.pictures[*first];
        let age = SignedDuration::from_nanos((picture.time - seen.track.born).nanos().max(0));
        let born = picture.utc.checked_sub(age).unwrap_or(picture.utc).as_millisecond().min(seen.at);
        trails.push(Trail {
            id: seen.track.id.0.saturating_add(offset),
            person: gathered.persons[*last].0.saturating_add(offset),
            born,
            birth: steps(seen.track.birth, gathered.size),
            seen: runs(sights.iter().map(|s| s.picture)),
            spots: spots(&sights, gathered.size),
        });
    }
    let highest = trails.last().map_or(0, |t: &Trail| t.id);
    Block { run: gathered.run, highest, size: gathered.size, times, trails }
}

/// Whether somebody seen at these two times, and not in between, was away.
fn is_apart(before: Option<i64>, after: Option<i64>) -> bool {
    before.zip(after).is_none_or(|(before, after)| after - before > GRAIN)
}

/// Unix milliseconds of all pictures, rising.
fn times(gathered: &Gathered) -> Vec<i64> {
    let mut last = i64::MIN;
    let rising = gathered.pictures.iter().map(|picture| {
        last = picture.utc.as_millisecond().max(last.saturating_add(1));
        last
    });
    rising.collect()
}

/// For each track, by id, the pictures in which it was seen and where in `seen`.
fn tracks(gathered: &Gathered) -> Vec<Vec<(usize, usize)>> {
    let mut all: Vec<(u64, usize, usize)> = Vec::with_capacity(gathered.seen.len());
    for k in 0..gathered.pictures.len() {
        let first = gathered.pictures[k].first;
        all.extend(gathered.people(k).iter().enumerate().map(|(i, track)| (track.id.0, k, first + i)));
    }
    all.sort_unstable();
    all.chunk_by(|a, b| a.0 == b.0).map(|one| one.iter().map(|(_, k, i)| (*k, *i)).collect()).collect()
}

/// Indices that follow each other, as ranges.
fn runs(indices: impl Iterator<Item = u32>) -> Vec<Range<u32>> {
    let mut runs: Vec<Range<u32>> = Vec::new();
    for k in indices {
        match runs.last_mut() {
            Some(run) if run.end == k => run.end = k + 1,
            _ => runs.push(k..k + 1),
        }
    }
    runs
}

/// The places that are kept of a track: of every half second the ends of stretches in it, else that at the last picture.
fn spots(sights: &[Sight<'_>], size: Size) -> Vec<Spot> {
    let mut knots = Vec::new();
    let mut begin = 0;
    for slot in sights.chunk_by(|a, b| a.at.div_euclid(GRAIN) == b.at.div_euclid(GRAIN)) {
        let before = knots.len();
        knots.extend((begin..).zip(slot).filter(|(_, sight)| sight.edge).map(|(n, _)| n));
        if knots.len() == before {
            knots.push(begin + slot.len() - 1);
        }
        begin += slot.len();
    }
    let (mut spots, mut begin, mut rest) = (Vec::with_capacity(knots.len()), 0, &knots[..]);
    for stretch in sights.chunk_by(|a, b| !is_apart(Some(a.at), Some(b.at))) {
        let end = begin + stretch.len();
        let (here, later) = rest.split_at(rest.partition_point(|n| *n < end));
        let here: Vec<usize> = here.iter().map(|n| n - begin).collect();
        let at: Vec<i64> = stretch.iter().map(|sight| sight.at).collect();
        let places: Vec<[f64; 4]> = stretch.iter().map(|sight| place(&sight.track.bbox)).collect();
        for (n, place) in here.iter().zip(fitted(&at, &places, &here)) {
            let sight = &stretch[*n];
            spots.push(Spot::new(sight.picture, &bbox(place), sight.track.score, size));
        }
        (begin, rest) = (end, later);
    }
    spots
}

/// Pixels.
fn place(bbox: &Rect) -> [f64; 4] {
    let feet = bbox.feet();
    [feet.x, feet.y, f64::from(bbox.width), f64::from(bbox.height)]
}

fn bbox([x, y, width, height]: [f64; 4]) -> Rect {
    let (width, height) = (width.max(0.0), height.max(0.0));
    let [left, top, width, height] = [x - 0.5 * width, y - height, width, height].map(|v| v as f32);
    Rect::new(left, top, width, height)
}
