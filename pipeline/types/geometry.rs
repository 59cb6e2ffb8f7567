//! Points, boxes and polygons. Unless a name says otherwise: pixels of the source picture, x right, y down.

use serde::{Deserialize, Serialize, Serializer};

/// A place on the picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(from = "[f64; 2]")]
pub struct Point {
    /// Rightwards.
    pub x: f64,
    /// Downwards.
    pub y: f64,
}

/// Width and height of a picture in pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Size {
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
}

/// A box by its left top corner and its size.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rect {
    /// Left edge.
    pub left: f32,
    /// Top edge.
    pub top: f32,
    /// Across; positive.
    pub width: f32,
    /// Down; positive.
    pub height: f32,
}

impl Point {
    /// Length of the way from the origin. Pixels, fractions and metres neither overflow nor vanish when squared, so that
    /// `hypot`, which costs several times as much, is not needed.
    pub fn length(self) -> f64 {
        self.length2().sqrt()
    }

    /// Its square.
    pub fn length2(self) -> f64 {
        self.x * self.x + self.y * self.y
    }

    /// How far away another place is.
    pub fn distance(self, other: Self) -> f64 {
        (self - other).length()
    }

    /// Its square.
    pub fn distance2(self, other: Self) -> f64 {
        (self - other).length2()
    }
}

/// The way to one place from another.
impl std::ops::Sub for Point {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self { x: self.x - other.x, y: self.y - other.y }
    }
}

impl From<[f64; 2]> for Point {
    fn from([x, y]: [f64; 2]) -> Self {
        Self { x, y }
    }
}

impl Serialize for Point {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        [round4(self.x), round4(self.y)].serialize(serializer)
    }
}

/// Fractions are written with four decimals: a tenth of a pixel at 1000 pixels.
pub fn round4(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}

impl Size {
    /// A size in pixels.
    pub const fn new(width: u32, height: u32) -> Self {
        Self { width, height }
    }

    /// Pixels in the picture.
    pub const fn area(self) -> usize {
        self.width as usize * self.height as usize
    }

    /// A pixel place as fractions of width and height.
    pub fn to_fraction(self, p: Point) -> Point {
        Point { x: p.x / f64::from(self.width.max(1)), y: p.y / f64::from(self.height.max(1)) }
    }

    /// A place in fractions as pixels.
    pub fn to_pixels(self, p: Point) -> Point {
        Point { x: p.x * f64::from(self.width), y: p.y * f64::from(self.height) }
    }
}

impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

impl std::str::FromStr for Size {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let parse = |part: &str| part.trim().parse::<u32>().ok().filter(|v| (1..=16_384).contains(v));
        let (w, h) = text.split_once(['x', 'X']).ok_or_else(|| format!("`{text}` is not WIDTHxHEIGHT"))?;
        match (parse(w), parse(h)) {
            (Some(width), Some(height)) => Ok(Self { width, height }),
            _ => Err(format!("`{text}` is not WIDTHxHEIGHT with both from 1 to 16384")),
        }
    }
}

impl Rect {
    /// A box by its left top corner and its size.
    pub const fn new(left: f32, top: f32, width: f32, height: f32) -> Self {
        Self { left, top, width, height }
    }

    /// Right edge.
    pub fn right(&self) -> f32 {
        self.left + self.width
    }

    /// Bottom edge.
    pub fn bottom(&self) -> f32 {
        self.top + self.height
    }

    /// Area, square pixels.
    pub fn area(&self) -> f32 {
        self.width.max(0.0) * self.height.max(0.0)
    }

    /// Middle of the box.
    pub fn center(&self) -> Point {
        Point { x: f64::from(self.left + self.width * 0.5), y: f64::from(self.top + self.height * 0.5) }
    }

    /// Bottom centre: where a standing person touches the ground.
    pub fn feet(&self) -> Point {
        Point { x: f64::from(self.left + self.width * 0.5), y: f64::from(self.bottom()) }
    }

    /// Shared area, square pixels.
    pub fn intersection(&self, other: &Self) -> f32 {
        let w = self.right().min(other.right()) - self.left.max(other.left);
        let h = self.bottom().min(other.bottom()) - self.top.max(other.top);
        w.max(0.0) * h.max(0.0)
    }

    /// Intersection over union, 0 to 1.
    pub fn iou(&self, other: &Self) -> f32 {
        let shared = self.intersection(other);
        let union = self.area() + other.area() - shared;
        if union > 0.0 { shared / union } else { 0.0 }
    }

    /// Grown by `share` of its size on every side.
    pub fn padded(&self, share: f32) -> Self {
        Self::new(
            self.left - self.width * share,
            self.top - self.height * share,
            self.width * (1.0 + 2.0 * share),
            self.height * (1.0 + 2.0 * share),
        )
    }

    /// Scaled about the origin, as when the picture changes size.
    pub fn scaled(&self, sx: f32, sy: f32) -> Self {
        Self::new(self.left * sx, self.top * sy, self.width * sx, self.height * sy)
    }

    /// The part inside a picture of `size`; `None` where nothing is.
    pub fn clipped(&self, size: Size) -> Option<Self> {
        let left = self.left.max(0.0);
        let top = self.top.max(0.0);
        let right = self.right().min(size.width as f32);
        let bottom = self.bottom().min(size.height as f32);
        (right > left && bottom > top).then(|| Self::new(left, top, right - left, bottom - top))
    }

    /// Finite with a positive size.
    pub fn is_valid(&self) -> bool {
        [self.left, self.top, self.width, self.height].iter().all(|v| v.is_finite())
            && self.width > 0.0
            && self.height > 0.0
    }
}

/// A closed polygon in fractions of the picture: at least three points, not crossing itself (the plan checks).
#[derive(Clone, Debug, PartialEq)]
pub struct Polygon {
    points: Vec<Point>,
    low: Point,
    high: Point,
}

impl Polygon {
    /// From its corners in order; the last joins the first.
    pub fn new(points: Vec<Point>) -> Self {
        let (low, high) = bounds(&points);
        Self { points, low, high }
    }

    /// The corners.
    pub fn points(&self) -> &[Point] {
        &self.points
    }

    /// Becomes another polygon with corners that are moved by `to`; keeps its allocation.
    pub fn moved_from(&mut self, other: &Self, to: impl Fn(Point) -> Point) {
        self.points.clear();
        self.points.extend(other.points.iter().map(|p| to(*p)));
        (self.low, self.high) = bounds(&self.points);
    }

    /// Even-odd rule; a point on the left or top edge is inside, on the right or bottom edge outside.
    pub fn contains(&self, p: Point) -> bool {
        if p.x < self.low.x || p.x > self.high.x || p.y < self.low.y || p.y > self.high.y {
            return false;
        }
        let mut inside = false;
        let mut previous = self.points[self.points.len() - 1];
        for &corner in &self.points {
            if (corner.y > p.y) != (previous.y > p.y) {
                let x = corner.x + (p.y - corner.y) * (previous.x - corner.x) / (previous.y - corner.y);
                if p.x < x {
                    inside = !inside;
                }
            }
            previous = corner;
        }
        inside
    }

    /// Area in the unit of the points squared.
    pub fn area(&self) -> f64 {
        let shifted = self.points.iter().cycle().skip(1);
        self.points.iter().zip(shifted).map(|(a, b)| a.x * b.y - b.x * a.y).sum::<f64>().abs() * 0.5
    }

    /// Whether two sides that are not neighbours meet, or neighbours fold back on each other.
    pub fn crosses_itself(&self) -> bool {
        let n = self.points.len();
        let side = |i: usize| (self.points[i], self.points[(i + 1) % n]);
        for i in 0..n {
            let (a, b) = side(i);
            if a == b {
                return true;
            }
            for j in i + 1..n {
                let (c, d) = side(j);
                let neighbours = j == i + 1 || (i == 0 && j == n - 1);
                if neighbours {
                    let (before, corner, after) = if j == i + 1 { (a, b, d) } else { (c, a, b) };
                    let folds = orient(before, corner, after) == 0.0
                        && (before.x - corner.x) * (after.x - corner.x) + (before.y - corner.y) * (after.y - corner.y)
                            > 0.0;
                    if folds {
                        return true;
                    }
                } else if segments_meet(a, b, c, d) {
                    return true;
                }
            }
        }
        false
    }
}

/// Lowest and highest coordinates.
fn bounds(points: &[Point]) -> (Point, Point) {
    let fold = |f: fn(f64, f64) -> f64, start: f64| {
        let x = points.iter().map(|p| p.x).fold(start, f);
        let y = points.iter().map(|p| p.y).fold(start, f);
        Point { x, y }
    };
    (fold(f64::min, f64::INFINITY), fold(f64::max, f64::NEG_INFINITY))
}

/// Twice the signed area of the triangle a, b, c: negative when c lies to the left for someone walking from a to b
/// (y down).
pub fn orient(a: Point, b: Point, c: Point) -> f64 {
    (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x)
}

/// Whether the segments a-b and c-d share a point, ends included.
pub fn segments_meet(a: Point, b: Point, c: Point, d: Point) -> bool {
    let (o1, o2, o3, o4) = (orient(a, b, c), orient(a, b, d), orient(c, d, a), orient(c, d, b));
    if ((o1 > 0.0 && o2 < 0.0) || (o1 < 0.0 && o2 > 0.0)) && ((o3 > 0.0 && o4 < 0.0) || (o3 < 0.0 && o4 > 0.0)) {
        return true;
    }
    let within = |p: Point, q: Point, r: Point| {
        r.x >= p.x.min(q.x) && r.x <= p.x.max(q.x) && r.y >= p.y.min(q.y) && r.y <= p.y.max(q.y)
    };
    (o1 == 0.0 && within(a, b, c))
        || (o2 == 0.0 && within(a, b, d))
        || (o3 == 0.0 && within(c, d, a))
        || (o4 == 0.0 && within(c, d, b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn polygon(points: &[[f64; 2]]) -> Polygon {
        Polygon::new(points.iter().map(|&p| p.into()).collect())
    }

    #[test]
    fn concave_polygon_contains_only_its_inside() {
        let l = polygon(&[[0.0, 0.0], [1.0, 0.0], [1.0, 0.5], [0.5, 0.5], [0.5, 1.0], [0.0, 1.0]]);
        assert!(l.contains([0.25, 0.75].into()));
        assert!(!l.contains([0.75, 0.75].into()));
        assert!((l.area() - 0.75).abs() < 1e-12);
        assert!(!l.crosses_itself());
    }

    #[test]
    fn crossing_and_folding_are_found() {
        assert!(polygon(&[[0.0, 0.0], [1.0, 1.0], [1.0, 0.0], [0.0, 1.0]]).crosses_itself());
        assert!(polygon(&[[0.0, 0.0], [1.0, 0.0], [0.5, 0.0]]).crosses_itself());
        assert!(!polygon(&[[0.0, 0.0], [1.0, 0.0], [0.5, 1.0]]).crosses_itself());
    }

    #[test]
    fn iou_of_half_shifted_box_is_a_third() {
        let a = Rect::new(0.0, 0.0, 2.0, 2.0);
        assert!((a.iou(&Rect::new(1.0, 0.0, 2.0, 2.0)) - 1.0 / 3.0).abs() < 1e-6);
        assert_eq!(a.iou(&Rect::new(5.0, 5.0, 1.0, 1.0)), 0.0);
    }

    #[test]
    fn left_of_an_upward_walk_is_smaller_x() {
        let (from, to) = (Point { x: 0.5, y: 1.0 }, Point { x: 0.5, y: 0.0 });
        assert!(orient(from, to, Point { x: 0.2, y: 0.5 }) < 0.0);
        assert!(orient(from, to, Point { x: 0.8, y: 0.5 }) > 0.0);
    }
}
