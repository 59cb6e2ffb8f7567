//! Which pictures of a block are looked at where a long time is asked about: about two a second.
//!
//! Of every half second the last picture, the one with the most people, and as many more as it takes that everybody who
//! was seen in it is seen. Where somebody comes or goes, or is not seen for more than half a second, the pictures on both
//! sides: how long that was remains exact, and with it what a rule's `gap` bridges.

use std::ops::Range;

use super::block::{Block, GRAIN};

/// For each picture whether it is looked at.
pub fn coarse(block: &Block) -> Vec<bool> {
    let times = &block.times;
    let mut looked_at = vec![false; times.len()];
    let mut people = vec![0_u32; times.len()];
    for trail in &block.trails {
        let runs = || trail.seen.iter().map(|run| run.start as usize..run.end as usize);
        runs().flatten().for_each(|k| people[k] += 1);
        for (before, after) in runs().zip(runs().skip(1)) {
            let (last, next) = (before.end - 1, after.start);
            if times[next] - times[last] > GRAIN {
                (looked_at[last], looked_at[next]) = (true, true);
            }
        }
        let ends = [trail.seen.first().map(|run| run.start), trail.seen.last().map(|run| run.end - 1)];
        ends.into_iter().flatten().for_each(|k| looked_at[k as usize] = true);
    }
    let windows = windows(times);
    for window in &windows {
        looked_at[window.end - 1] = true;
        let most = window.clone().filter(|k| looked_at[*k]).map(|k| people[k]).max().unwrap_or(0);
        // The earliest of those with the most.
        if let Some(fullest) = window.clone().rev().max_by_key(|k| people[*k]).filter(|k| people[*k] > most) {
            looked_at[fullest] = true;
        }
    }
    for trail in &block.trails {
        let mut seen = trail.seen.iter().flat_map(|run| run.start as usize..run.end as usize).peekable();
        for window in &windows {
            let (mut last, mut is_seen) = (None, false);
            while let Some(k) = seen.next_if(|k| *k < window.end) {
                last = Some(k);
                is_seen |= looked_at[k];
            }
            if let (Some(last), false) = (last, is_seen) {
                looked_at[last] = true;
            }
        }
    }
    looked_at
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
