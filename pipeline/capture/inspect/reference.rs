//! The reference picture: what a camera looks at when nobody is there and nothing has moved it.
//!
//! Edges are compared, not luma, tile by tile: a lamp that is switched on changes how bright things are, not where they
//! end. Tiles without edges and whatever is covered by people say nothing.

mod tiles;

use tiles::{Edges, Likeness};

use crate::types::{Rect, Size, Span, View};

/// The reference is so many times smaller than the luma picture, each way.
const SCALE: usize = 4;
/// Looks until there is a reference: ten seconds.
const READY: u32 = 20;
/// Time in which the reference follows the light, seconds.
const FOLLOW: f64 = 300.0;
/// People are padded by this share of their box, each way.
const PADDING: f32 = 0.1;

/// Share of the tiles that must be alike where nothing moved.
const ALIKE: f64 = 0.5;
/// A shift explains the picture if it makes this much larger a share of the tiles alike.
const BETTER: f64 = 0.2;
/// Tiles with edges that are needed to tell anything.
const LEAST_TILES: usize = 6;
/// Another scene: hardly a tile is alike, on average not even a little, and no shift helps.
const OTHER: Likeness = Likeness { tiles: 8, alike: 0.1, mean: 0.1, textured: 0.5 };
const OTHER_SHIFTED: f64 = 0.3;

/// The running reference of one camera.
#[derive(Default)]
pub struct Reference {
    size: Size,
    /// Running mean, levels.
    luma: Vec<f32>,
    /// Looks at which each pixel was free of people, at most `u16::MAX`.
    seen: Vec<u16>,
    looks: u32,
    now: Vec<f32>,
    free: Vec<bool>,
    edges: Edges,
    edges_now: Edges,
}

impl Reference {
    /// Compares a luma picture, then learns from it unless the camera seems to have moved. `people` in fractions;
    /// `passed` since the last look.
    pub(super) fn compare(
        &mut self,
        luma: &[u8],
        size: Size,
        people: impl Iterator<Item = Rect>,
        passed: Span,
    ) -> View {
        let small = Size::new(size.width / SCALE as u32, size.height / SCALE as u32);
        if self.size != small {
            *self = Self { size: small, ..Self::default() };
            self.luma.resize(small.area(), 0.0);
            self.seen.resize(small.area(), 0);
        }
        self.reduce(luma, size);
        self.free_of(people);
        let view = if self.looks < READY { View::Unknown } else { self.view() };
        if matches!(view, View::Same | View::Unknown) {
            self.learn(passed);
        }
        view
    }

    /// Its luma at a pixel, if that was ever free of people; levels.
    #[cfg(test)]
    pub(super) fn of(&self, x: usize, y: usize) -> Option<f32> {
        let i = y * self.size.width as usize + x;
        (self.seen[i] > 0).then(|| self.luma[i])
    }

    /// Means of blocks.
    fn reduce(&mut self, luma: &[u8], size: Size) {
        let (width, wide) = (self.size.width as usize, size.width as usize);
        self.now.clear();
        self.now.resize(self.size.area(), 0.0);
        for (y, row) in luma.chunks_exact(wide).enumerate().take(self.size.height as usize * SCALE) {
            let sums = &mut self.now[y / SCALE * width..][..width];
            for (sum, block) in sums.iter_mut().zip(row.chunks_exact(SCALE)) {
                *sum += block.iter().map(|&p| f32::from(p)).sum::<f32>() / (SCALE * SCALE) as f32;
            }
        }
    }

    /// Marks the pixels that no person covers; those around one neither, for an edge needs its neighbours.
    fn free_of(&mut self, people: impl Iterator<Item = Rect>) {
        let (width, height) = (self.size.width as usize, self.size.height as usize);
        self.free.clear();
        self.free.resize(self.size.area(), true);
        for person in people {
            let covered = person.padded(PADDING).scaled(width as f32, height as f32);
            let from = |v: f32| (v.floor() - 1.0).max(0.0) as usize;
            let to = |v: f32, most: usize| ((v.ceil() + 1.0).max(0.0) as usize).min(most);
            let (left, right) = (from(covered.left), to(covered.right(), width));
            for y in from(covered.top)..to(covered.bottom(), height) {
                if left < right {
                    self.free[y * width + left..y * width + right].fill(false);
                }
            }
        }
    }

    fn view(&mut self) -> View {
        let seen = &self.seen;
        self.edges.find(&self.luma, self.size, |i| seen[i] > 0);
        let free = &self.free;
        self.edges_now.find(&self.now, self.size, |i| free[i]);
        let here = self.edges.likeness(&self.edges_now, 0, 0);
        if here.tiles < LEAST_TILES {
            return View::Unknown;
        }
        if here.alike >= ALIKE {
            return View::Same;
        }
        let ((dx, dy), there) = self.edges.search(&mut self.edges_now);
        let explained = there.tiles >= LEAST_TILES && there.alike >= ALIKE && there.alike >= here.alike + BETTER;
        if explained && (dx, dy) != (0, 0) {
            let width = f64::from(self.size.width);
            return View::Shifted([f64::from(dx) / width, f64::from(dy) / width]);
        }
        let other = here.tiles >= OTHER.tiles
            && here.alike < OTHER.alike
            && here.mean < OTHER.mean
            && here.textured >= OTHER.textured
            && there.alike < OTHER_SHIFTED;
        if other { View::Other } else { View::Unknown }
    }

    fn learn(&mut self, passed: Span) {
        let follow = (passed.secs_f64() / FOLLOW).min(1.0) as f32;
        let pixels = self.luma.iter_mut().zip(&mut self.seen).zip(self.now.iter().zip(&self.free));
        for ((reference, seen), (now, free)) in pixels {
            if *free {
                // A plain mean at first.
                let share = follow.max(1.0 / (f32::from(*seen) + 1.0));
                *reference += share * (now - *reference);
                *seen = seen.saturating_add(1);
            }
        }
        self.looks = self.looks.saturating_add(1);
    }
}
