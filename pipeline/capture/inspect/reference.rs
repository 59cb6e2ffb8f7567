//! The reference picture: what a camera looks at when nobody is there and nothing has moved it.
//!
//! Edges are compared, not luma, tile by tile: a lamp that is switched on changes how bright things are, not where they
//! end. Tiles without edges and whatever is covered by people say nothing.

mod tiles;

use tiles::{Edges, Likeness};

use crate::types::{Rect, Size, Span, StoredView, View};

/// The reference is so many times smaller than the luma picture, each way.
const SCALE: usize = 4;
/// Looks until there is a reference: ten seconds.
const READY: u32 = 20;
/// Time in which the reference follows the light, seconds.
const FOLLOW: f64 = 300.0;
/// Longest side of a stored reference, pixels.
const LARGEST: u32 = 256;
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

/// One look, reduced to what is compared.
#[derive(Default)]
pub struct Glance {
    size: Size,
    /// Means of blocks, levels.
    luma: Vec<f32>,
    /// Pixels that no person covers.
    free: Vec<bool>,
    edges: Edges,
}

/// What one view shows when nobody is there.
#[derive(Default)]
pub struct Reference {
    size: Size,
    /// Running mean, levels.
    luma: Vec<f32>,
    /// Looks at which each pixel was free of people, at most `u16::MAX`.
    seen: Vec<u16>,
    looks: u32,
    edges: Edges,
}

impl Glance {
    /// Takes a luma picture of this size. `people` in fractions.
    pub fn take(&mut self, luma: &[u8], size: Size, people: impl Iterator<Item = Rect>) {
        self.size = Size::new(size.width / SCALE as u32, size.height / SCALE as u32);
        self.reduce(luma, size);
        self.free_of(people);
        let free = &self.free;
        self.edges.find(&self.luma, self.size, |i| free[i]);
    }

    /// Whether this is the view of an earlier look, whatever people cover; `None` where too little is to be seen.
    pub fn is_like(&mut self, earlier: &Self) -> Option<bool> {
        if self.size != earlier.size {
            return Some(false);
        }
        let likeness = earlier.edges.likeness(&self.edges, 0, 0);
        (likeness.tiles >= LEAST_TILES).then_some(likeness.alike >= ALIKE)
    }

    /// Means of blocks.
    fn reduce(&mut self, luma: &[u8], size: Size) {
        let (width, wide) = (self.size.width as usize, size.width as usize);
        self.luma.clear();
        self.luma.resize(self.size.area(), 0.0);
        for (y, row) in luma.chunks_exact(wide).enumerate().take(self.size.height as usize * SCALE) {
            let sums = &mut self.luma[y / SCALE * width..][..width];
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
}

impl Reference {
    /// Compares a look, then learns from it unless the camera seems to have moved. `passed` since the last look.
    pub(super) fn compare(&mut self, glance: &mut Glance, passed: Span) -> View {
        self.fit(glance);
        let view = if self.is_ready() { self.view(glance) } else { View::Unknown };
        if matches!(view, View::Same | View::Unknown) {
            self.learn(glance, passed);
        }
        view
    }

    /// Whether it has seen enough to be compared with.
    pub fn is_ready(&self) -> bool {
        self.looks >= READY
    }

    /// What a store keeps of it; `None` while it is not ready.
    pub fn stored(&self) -> Option<StoredView> {
        self.is_ready().then(|| StoredView {
            width: self.size.width,
            height: self.size.height,
            luma: self.luma.iter().map(|l| l.round().clamp(0.0, 255.0) as u8).collect(),
            seen: self.seen.iter().map(|seen| *seen > 0).collect(),
        })
    }

    /// From a store; `None` of what is no view.
    pub fn restored(stored: &StoredView) -> Option<Self> {
        let size = Size::new(stored.width, stored.height);
        let whole = stored.width <= LARGEST && stored.height <= LARGEST && size.area() > 0;
        (whole && stored.luma.len() == size.area() && stored.seen.len() == size.area()).then(|| Self {
            size,
            luma: stored.luma.iter().map(|l| f32::from(*l)).collect(),
            // As after a while: it follows the light as one that was never stored.
            seen: stored.seen.iter().map(|seen| if *seen { READY as u16 } else { 0 }).collect(),
            looks: READY,
            edges: Edges::default(),
        })
    }

    /// Its luma at a pixel, if that was ever free of people; levels.
    #[cfg(test)]
    pub(super) fn of(&self, x: usize, y: usize) -> Option<f32> {
        let i = y * self.size.width as usize + x;
        (self.seen[i] > 0).then(|| self.luma[i])
    }

    /// Pictures of another shape are another view.
    fn fit(&mut self, glance: &Glance) {
        if self.size != glance.size {
            *self = Self { size: glance.size, ..Self::default() };
            self.luma.resize(glance.size.area(), 0.0);
            self.seen.resize(glance.size.area(), 0);
        }
    }

    /// The share of tiles that are alike where they are, if enough of them tell anything.
    pub fn likeness(&mut self, glance: &Glance) -> Option<f64> {
        if self.size != glance.size {
            return None;
        }
        let here = self.here(glance);
        (here.tiles >= LEAST_TILES).then_some(here.alike)
    }

    /// Whether so large a share is the same view.
    pub fn is_same(alike: f64) -> bool {
        alike >= ALIKE
    }

    fn here(&mut self, glance: &Glance) -> Likeness {
        let seen = &self.seen;
        self.edges.find(&self.luma, self.size, |i| seen[i] > 0);
        self.edges.likeness(&glance.edges, 0, 0)
    }

    /// What a look shows of this view.
    pub fn view(&mut self, glance: &mut Glance) -> View {
        if self.size != glance.size {
            return View::Other;
        }
        let here = self.here(glance);
        if here.tiles < LEAST_TILES {
            return View::Unknown;
        }
        if here.alike >= ALIKE {
            return View::Same;
        }
        let ((dx, dy), there) = self.edges.search(&mut glance.edges);
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

    /// Takes a look in; `passed` since the last one.
    pub fn learn(&mut self, glance: &Glance, passed: Span) {
        self.fit(glance);
        let follow = (passed.secs_f64() / FOLLOW).min(1.0) as f32;
        let pixels = self.luma.iter_mut().zip(&mut self.seen).zip(glance.luma.iter().zip(&glance.free));
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
