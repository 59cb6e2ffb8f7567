//! Which pictures and places of a block are kept, so that rules start on them as they did live.
//!
//! Of every half second the last picture is kept, the one with the most people, and as many more as it takes that
//! everybody who was seen in it is seen. Where somebody comes or goes, or is not seen for more than half a second, the
//! pictures on both sides are kept: how long that was remains exact, and with it what a rule's `gap` bridges.
//!
//! Of everybody the first and the last place of each such stretch are kept, and in between one of every half second: the
//! last, which is where the picture is that is always kept.

use std::ops::Range;

use super::block::{Block, Spot, Trail, steps};
use super::recorder::Gathered;
use crate::types::{MediaTime, Size, Track};

/// Milliseconds. What is shorter does not matter; what is longer is kept.
pub const GRAIN: i64 = 500;

/// Somebody in a picture that is kept.
struct Sight<'a> {
    /// Index among those that are kept.
    picture: u32,
    /// Media time of the picture.
    time: MediaTime,
    /// Unix milliseconds.
    at: i64,
    /// The first or the last of a stretch in which the person was seen.
    edge: bool,
    track: &'a Track,
}

/// Thins a block; `offset` is added to the ids of its run.
pub fn thin(gathered: &Gathered, offset: u64) -> Block {
    let times = times(gathered);
    let people = people(gathered);
    let kept = kept(gathered, &times, &people);
    let mut index = Vec::with_capacity(times.len());
    let mut count = 0;
    for keep in &kept {
        index.push(count);
        count += u32::from(*keep);
    }
    let mut trails = Vec::with_capacity(people.len());
    for person in &people {
        let at = |n: usize| person.get(n).map(|(k, _)| times[*k]);
        let sight = |(n, (k, i)): (usize, &(usize, usize))| Sight {
            picture: index[*k],
            time: gathered.pictures[*k].time,
            at: times[*k],
            edge: is_apart(n.checked_sub(1).and_then(at), Some(times[*k])) || is_apart(Some(times[*k]), at(n + 1)),
            track: &gathered.seen[*i],
        };
        let sights: Vec<Sight<'_>> = person.iter().enumerate().filter(|(_, (k, _))| kept[*k]).map(sight).collect();
        let Some(first) = sights.first() else { continue };
        let age = (first.time - first.track.born).nanos() / 1_000_000;
        trails.push(Trail {
            id: first.track.id.0.saturating_add(offset),
            born: first.at - age.max(0),
            birth: steps(first.track.birth, gathered.size),
            seen: runs(sights.iter().map(|s| s.picture)),
            spots: spots(&sights, gathered.size),
        });
    }
    let times = times.iter().zip(&kept).filter(|(_, keep)| **keep).map(|(time, _)| *time).collect();
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

/// For each person, by id, the pictures in which they were seen and where in `seen`.
fn people(gathered: &Gathered) -> Vec<Vec<(usize, usize)>> {
    let mut all: Vec<(u64, usize, usize)> = Vec::with_capacity(gathered.seen.len());
    for k in 0..gathered.pictures.len() {
        let first = gathered.pictures[k].first;
        all.extend(gathered.people(k).iter().enumerate().map(|(i, track)| (track.id.0, k, first + i)));
    }
    all.sort_unstable();
    all.chunk_by(|a, b| a.0 == b.0).map(|one| one.iter().map(|(_, k, i)| (*k, *i)).collect()).collect()
}

/// For each picture whether it is kept.
fn kept(gathered: &Gathered, times: &[i64], people: &[Vec<(usize, usize)>]) -> Vec<bool> {
    let mut kept = vec![false; times.len()];
    for person in people {
        let ends = [person.first(), person.last()];
        ends.iter().flatten().for_each(|(k, _)| kept[*k] = true);
        for pair in person.windows(2) {
            let ((a, _), (b, _)) = (pair[0], pair[1]);
            if is_apart(Some(times[a]), Some(times[b])) {
                (kept[a], kept[b]) = (true, true);
            }
        }
    }
    let windows = windows(times);
    for window in &windows {
        kept[window.end - 1] = true;
        let count = |k: &usize| gathered.people(*k).len();
        let most = window.clone().filter(|k| kept[*k]).map(|k| count(&k)).max().unwrap_or(0);
        // The earliest of those with the most.
        if let Some(fullest) = window.clone().rev().max_by_key(count).filter(|k| count(k) > most) {
            kept[fullest] = true;
        }
    }
    for person in people {
        let mut rest = &person[..];
        for window in &windows {
            let inside = rest.partition_point(|(k, _)| *k < window.end);
            let (here, later) = rest.split_at(inside);
            rest = later;
            if let Some((last, _)) = here.last()
                && !here.iter().any(|(k, _)| kept[*k])
            {
                kept[*last] = true;
            }
        }
    }
    kept
}

/// Pictures by half seconds, by index.
fn windows(times: &[i64]) -> Vec<Range<usize>> {
    let mut windows: Vec<Range<usize>> = Vec::new();
    for (k, time) in times.iter().enumerate() {
        let number = time.div_euclid(GRAIN);
        match windows.last_mut() {
            Some(window) if times[window.start].div_euclid(GRAIN) == number => window.end = k + 1,
            _ => windows.push(k..k + 1),
        }
    }
    windows
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

/// The places that are kept of somebody: of every half second the ends of stretches in it, else the last.
fn spots(sights: &[Sight<'_>], size: Size) -> Vec<Spot> {
    let mut spots = Vec::new();
    for slot in sights.chunk_by(|a, b| a.at.div_euclid(GRAIN) == b.at.div_euclid(GRAIN)) {
        let has_edge = slot.iter().any(|sight| sight.edge);
        let kept = slot.iter().enumerate().filter(|(n, sight)| if has_edge { sight.edge } else { n + 1 == slot.len() });
        spots.extend(kept.map(|(_, s)| Spot::new(s.picture, &s.track.bbox, s.track.score, size)));
    }
    spots
}
