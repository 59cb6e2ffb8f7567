//! Privacy masks: blacked out before anything else sees the picture.

use std::sync::Arc;

use crate::types::{Frame, Picture, PictureError, Point, Polygon, Size, Target};

/// Puts the privacy masks of a camera over each of its pictures.
#[derive(Clone, Debug, Default)]
pub struct PrivacyMask {
    polygons: Arc<[Polygon]>,
}

struct MaskedPicture {
    inner: Arc<dyn Picture>,
    polygons: Arc<[Polygon]>,
}

impl PrivacyMask {
    /// For these polygons, fractions of the picture.
    pub fn new(polygons: impl IntoIterator<Item = Polygon>) -> Self {
        Self { polygons: polygons.into_iter().collect() }
    }

    /// The frame with its masked parts black in whatever it is converted to.
    pub fn apply(&self, frame: Frame) -> Frame {
        if self.polygons.is_empty() {
            return frame;
        }
        let picture = Arc::new(MaskedPicture { inner: frame.picture, polygons: Arc::clone(&self.polygons) });
        Frame { picture, ..frame }
    }
}

impl Picture for MaskedPicture {
    fn size(&self) -> Size {
        self.inner.size()
    }

    fn convert(&self, target: Target, out: &mut Vec<u8>) -> Result<(), PictureError> {
        self.inner.convert(target, out)?;
        for polygon in self.polygons.iter() {
            black_out(polygon, target, out);
        }
        Ok(())
    }
}

/// Fills every pixel of which the polygon may cover a part: scaling mixes neighbours, so the edge grows by a pixel.
fn black_out(polygon: &Polygon, target: Target, pixels: &mut [u8]) {
    let Size { width, height } = target.size;
    let channels = target.format.channels();
    let corners = polygon.points();
    for y in 0..height {
        // Sides are looked at over the height of three rows.
        let (top, bottom) = ((f64::from(y) - 1.0) / f64::from(height), (f64::from(y) + 2.0) / f64::from(height));
        let covered = covered_spans(corners, top, bottom);
        for (from, to) in covered {
            // A pixel that is only touched counts as covered, to the sides as above and below.
            let first = ((from * f64::from(width)).ceil() - 2.0).clamp(0.0, f64::from(width)) as usize;
            let last = ((to * f64::from(width)).floor() + 2.0).clamp(0.0, f64::from(width)) as usize;
            let row = y as usize * width as usize;
            if first < last {
                pixels[(row + first) * channels..(row + last) * channels].fill(0);
            }
        }
    }
}

/// Spans of x that the polygon covers somewhere between two heights: those at both heights and at every corner between
/// them, and the extent of each side within them.
fn covered_spans(corners: &[Point], top: f64, bottom: f64) -> Vec<(f64, f64)> {
    let mut heights = vec![top, bottom];
    heights.extend(corners.iter().map(|c| c.y).filter(|y| *y > top && *y < bottom));
    let mut spans = Vec::new();
    for y in heights {
        let mut crossings: Vec<f64> = sides(corners)
            .filter(|(a, b)| (a.y > y) != (b.y > y))
            .map(|(a, b)| a.x + (y - a.y) * (b.x - a.x) / (b.y - a.y))
            .collect();
        crossings.sort_by(f64::total_cmp);
        spans.extend(crossings.chunks_exact(2).map(|pair| (pair[0], pair[1])));
    }
    for (a, b) in sides(corners) {
        let (low, high) = if a.y <= b.y { (a, b) } else { (b, a) };
        if high.y < top || low.y > bottom {
            continue;
        }
        let at = |y: f64| {
            if high.y > low.y {
                low.x + (y.clamp(low.y, high.y) - low.y) * (high.x - low.x) / (high.y - low.y)
            } else {
                low.x
            }
        };
        let ends = if high.y > low.y { (at(top), at(bottom)) } else { (low.x, high.x) };
        spans.push((ends.0.min(ends.1), ends.0.max(ends.1)));
    }
    spans
}

fn sides(corners: &[Point]) -> impl Iterator<Item = (Point, Point)> + '_ {
    corners.iter().zip(corners.iter().cycle().skip(1)).map(|(a, b)| (*a, *b))
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use proptest::prelude::*;

    use super::*;
    use crate::types::{MediaTime, PixelFormat};

    struct White(Size);

    impl Picture for White {
        fn size(&self) -> Size {
            self.0
        }
        fn convert(&self, target: Target, out: &mut Vec<u8>) -> Result<(), PictureError> {
            out.clear();
            out.resize(target.len(), 255);
            Ok(())
        }
    }

    fn masked(polygon: &Polygon, size: Size) -> Vec<u8> {
        let frame = Frame {
            index: 0,
            time: MediaTime::ZERO,
            utc: jiff::Timestamp::UNIX_EPOCH,
            arrived: Instant::now(),
            picture: Arc::new(White(size)),
        };
        let mut out = Vec::new();
        let frame = PrivacyMask::new([polygon.clone()]).apply(frame);
        frame.picture.convert(Target { size, format: PixelFormat::Bgr24 }, &mut out).unwrap();
        out
    }

    proptest! {
        /// On the bytes: no pixel that has any sampled point inside the polygon keeps anything.
        #[test]
        fn no_covered_pixel_keeps_anything(corners in prop::collection::vec((0.0..1.0f64, 0.0..1.0f64), 3..8), w in 16..90u32, h in 16..90u32) {
            let polygon = Polygon::new(corners.into_iter().map(|(x, y)| Point { x, y }).collect());
            let pixels = masked(&polygon, Size::new(w, h));
            for y in 0..h {
                for x in 0..w {
                    let covered = (0..25).any(|i| {
                        let (dx, dy) = (f64::from(i % 5) / 4.0, f64::from(i / 5) / 4.0);
                        polygon.contains(Point { x: (f64::from(x) + dx) / f64::from(w), y: (f64::from(y) + dy) / f64::from(h) })
                    });
                    let at = (y * w + x) as usize * 3;
                    prop_assert!(!covered || pixels[at..at + 3] == [0, 0, 0], "{x} {y}");
                }
            }
        }
    }

    #[test]
    fn the_rest_stays() {
        let polygon = Polygon::new([[0.0, 0.0], [0.5, 0.0], [0.5, 0.5], [0.0, 0.5]].map(Point::from).to_vec());
        let pixels = masked(&polygon, Size::new(100, 100));
        assert_eq!(pixels[(99 * 100 + 99) * 3], 255);
        assert_eq!(pixels.iter().filter(|v| **v == 255).count() / 3, 100 * 100 - 52 * 52);
    }
}
