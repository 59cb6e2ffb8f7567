//! Whether people can be made out in a picture, by the detail that it keeps of another.

use lookout::types::{Rect, Size};

/// How much of the detail of one picture another one shows at some pixels, 1 for all and 0 for none: of what each pixel
/// has beyond the mean of its neighbours, the part that comes back in proportion (a regression). What is drawn over
/// a person is no detail of the person.
#[derive(Default)]
pub struct Detail {
    both: f64,
    /// Of the original alone.
    pub original: f64,
    pub pixels: usize,
}

impl Detail {
    pub fn add(&mut self, original: &[u8], published: &[u8], size: Size, x: u32, y: u32) {
        if x == 0 || y == 0 || x + 1 >= size.width || y + 1 >= size.height {
            return;
        }
        let beyond = |p: &[u8]| {
            let at = |dx: u32, dy: u32| f64::from(p[((y + dy - 1) * size.width + x + dx - 1) as usize]);
            at(1, 1) - (at(0, 1) + at(2, 1) + at(1, 0) + at(1, 2)) / 4.0
        };
        let (a, b) = (beyond(original), beyond(published));
        self.both += a * b;
        self.original += a * a;
        self.pixels += 1;
    }

    pub fn share(&self) -> f64 {
        self.both / self.original.max(1e-9)
    }
}

pub fn inside(b: &Rect, margin: f32, x: u32, y: u32) -> bool {
    let (x, y) = (x as f32 + 0.5, y as f32 + 0.5);
    x > b.left - margin && x < b.right() + margin && y > b.top - margin && y < b.bottom() + margin
}

/// The boxes of `tracks.txt` at video picture `index`, in pixels of `size`.
pub fn boxes(tracks: &str, index: u64, from: Size, size: Size) -> Vec<Rect> {
    let (sx, sy) = (size.width as f32 / from.width as f32, size.height as f32 / from.height as f32);
    let rows = tracks.lines().map(|line| line.split(',').map(|v| v.parse::<f32>().unwrap()).collect::<Vec<_>>());
    rows.filter(|row| row[0] as u64 == index + 1)
        .map(|row| Rect::new(row[2], row[3], row[4], row[5]).scaled(sx, sy))
        .collect()
}
