//! Edges of two pictures compared tile by tile, in place and shifted.

use crate::types::Size;

/// Side of a tile, pixels.
const TILE: usize = 10;
/// A tile with less variation of its edges says nothing, levels.
const TEXTURE: f32 = 3.0;
/// Correlation from which a tile is alike.
const CORRELATED: f32 = 0.5;
/// Farthest shift that is searched, a share of each side.
const REACH: f64 = 0.3;
/// Share of the picture that must still be shared at a shift.
const OVERLAP: f64 = 0.35;

/// How strongly luma changes at each pixel, and where that is known.
#[derive(Default)]
pub(super) struct Edges {
    size: Size,
    strength: Vec<f32>,
    known: Vec<bool>,
    half: Option<Box<Edges>>,
}

/// How much two pictures are alike.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Likeness {
    /// Tiles that can be compared.
    pub tiles: usize,
    /// Share of them that are alike.
    pub alike: f64,
    /// Mean correlation of all.
    pub mean: f64,
    /// Share of them that have edges in the other picture too.
    pub textured: f64,
}

/// Sums of a correlation.
#[derive(Clone, Copy, Default)]
struct Sums {
    n: f32,
    a: f32,
    b: f32,
    aa: f32,
    bb: f32,
    ab: f32,
}

impl Sums {
    fn add(&mut self, a: f32, b: f32) {
        self.n += 1.0;
        self.a += a;
        self.b += b;
        self.aa += a * a;
        self.bb += b * b;
        self.ab += a * b;
    }

    /// Variances of both and their covariance.
    fn moments(&self) -> (f32, f32, f32) {
        let (a, b) = (self.a / self.n, self.b / self.n);
        (self.aa / self.n - a * a, self.bb / self.n - b * b, self.ab / self.n - a * b)
    }
}

impl Edges {
    /// Of a picture of which some pixels are known.
    pub fn find(&mut self, luma: &[f32], size: Size, known: impl Fn(usize) -> bool) {
        let (width, height) = (size.width as usize, size.height as usize);
        self.size = size;
        self.strength.clear();
        self.strength.resize(size.area(), 0.0);
        self.known.clear();
        self.known.resize(size.area(), false);
        for y in 1..height.saturating_sub(1) {
            for x in 1..width.saturating_sub(1) {
                let i = y * width + x;
                self.strength[i] = (luma[i + 1] - luma[i - 1]).abs() + (luma[i + width] - luma[i - width]).abs();
                self.known[i] = known(i) && known(i - 1) && known(i + 1) && known(i - width) && known(i + width);
            }
        }
    }

    /// How much the tiles of this picture are alike those of another of the same size that shows everything so many
    /// pixels further right and down.
    pub fn likeness(&self, other: &Self, dx: i32, dy: i32) -> Likeness {
        let (width, height) = (self.size.width as usize, self.size.height as usize);
        let (columns, rows) = ((width / TILE).max(1), (height / TILE).max(1));
        let (mut tiles, mut alike, mut textured, mut sum) = (0_usize, 0_usize, 0_usize, 0.0);
        for row in 0..rows {
            let ys = row * height / rows..(row + 1) * height / rows;
            for column in 0..columns {
                let xs = column * width / columns..(column + 1) * width / columns;
                let area = (xs.len() * ys.len()) as f32;
                let sums = self.sums(other, xs, ys.clone(), (dx, dy));
                if sums.n < 0.5 * area {
                    continue;
                }
                let (mine, its, both) = sums.moments();
                if mine < TEXTURE * TEXTURE {
                    continue;
                }
                tiles += 1;
                if its < 0.25 * TEXTURE * TEXTURE {
                    continue;
                }
                textured += 1;
                let correlation = both / (mine * its).sqrt();
                alike += usize::from(correlation >= CORRELATED);
                sum += f64::from(correlation);
            }
        }
        let n = tiles.max(1) as f64;
        Likeness { tiles, alike: alike as f64 / n, mean: sum / n, textured: textured as f64 / n }
    }

    fn sums(&self, other: &Self, xs: std::ops::Range<usize>, ys: std::ops::Range<usize>, (dx, dy): (i32, i32)) -> Sums {
        let (width, height) = (self.size.width as i32, self.size.height as i32);
        let mut sums = Sums::default();
        let (first, last) = ((xs.start as i32).max(-dx), (xs.end as i32).min(width - dx));
        for y in ys {
            let there = y as i32 + dy;
            if !(0..height).contains(&there) || first >= last {
                continue;
            }
            let mine = y * width as usize;
            let its = there as usize * width as usize;
            for x in first..last {
                let (i, j) = (mine + x as usize, its + (x + dx) as usize);
                if self.known[i] && other.known[j] {
                    sums.add(self.strength[i], other.strength[j]);
                }
            }
        }
        sums
    }

    /// The shift at which this picture is most like another, and how much: coarsely by the correlation of the whole,
    /// then by tiles.
    pub fn search(&mut self, other: &mut Self) -> ((i32, i32), Likeness) {
        let mine = self.halved();
        let its = other.halved();
        let (width, height) = (mine.size.width as usize, mine.size.height as usize);
        let reach = |side: usize| (side as f64 * REACH) as i32;
        let least = (OVERLAP * mine.size.area() as f64) as f32;
        let mut best = (f32::MIN, (0, 0));
        for dy in -reach(height)..=reach(height) {
            for dx in -reach(width)..=reach(width) {
                let sums = mine.sums(its, 0..width, 0..height, (dx, dy));
                let (a, b, both) = if sums.n >= least { sums.moments() } else { continue };
                let correlation = if a > 0.0 && b > 0.0 { both / (a * b).sqrt() } else { continue };
                if correlation > best.0 {
                    best = (correlation, (dx, dy));
                }
            }
        }
        let (x, y) = (2 * best.1.0, 2 * best.1.1);
        let near = (-2..=2).flat_map(|dy| (-2..=2).map(move |dx| (x + dx, y + dy)));
        let rated = near.map(|(dx, dy)| ((dx, dy), self.likeness(other, dx, dy)));
        let better = |a: &((i32, i32), Likeness), b: &((i32, i32), Likeness)| {
            (a.1.alike, a.1.mean).partial_cmp(&(b.1.alike, b.1.mean)).unwrap_or(std::cmp::Ordering::Equal)
        };
        rated.max_by(better).unwrap_or(((0, 0), self.likeness(other, 0, 0)))
    }

    /// Half the size each way, means of four.
    fn halved(&mut self) -> &Self {
        let mut half = self.half.take().unwrap_or_default();
        let (width, wide) = (self.size.width as usize / 2, self.size.width as usize);
        half.size = Size::new(self.size.width / 2, self.size.height / 2);
        half.strength.clear();
        half.known.clear();
        for y in 0..half.size.height as usize {
            for x in 0..width {
                let i = 2 * y * wide + 2 * x;
                let four = [i, i + 1, i + wide, i + wide + 1];
                half.strength.push(four.iter().map(|&k| self.strength[k]).sum::<f32>() / 4.0);
                half.known.push(four.iter().all(|&k| self.known[k]));
            }
        }
        self.half.insert(half)
    }
}
