//! Where a camera that can move looks, and what that does to its rules.

use super::{Point, Rect, Size};

/// Affine motion of the background from one picture to a later one: `p' = m * [x, y, 1]`. Of places in fractions of the
/// picture unless a name says pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CameraMotion {
    /// Rows of the 2x3 matrix.
    pub matrix: [[f64; 3]; 2],
}

/// Where a camera looks at one picture, as far as its pictures tell.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Aim {
    /// Where it always looks. Also of a camera that moves where there are no pictures to tell: everything is taken to lie
    /// where it was drawn.
    #[default]
    Fixed,
    /// At the preset with this index in the plan.
    Preset(usize),
    /// Its view moves.
    Turning,
    /// It stands, at no preset that is known.
    Elsewhere,
    /// It is carried about, on a vehicle or a drone.
    Carried {
        /// Since the last picture; `None`: not known.
        step: Option<CameraMotion>,
        /// Since the picture that ground-tied zones were drawn on; `None`: lost.
        ground: Option<CameraMotion>,
    },
}

/// How what a picture shows lies against the one before it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Shift {
    /// In the same place, but for what moves by itself.
    #[default]
    Stays,
    /// There, fractions.
    Moved(CameraMotion),
    /// Nobody knows.
    Unknown,
}

/// Where a zone or a line lies in one picture.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Shape {
    /// Nobody looks at it.
    pub rests: bool,
    /// Fractions; perhaps outside the picture.
    pub points: Vec<Point>,
}

/// Why rules of zones and lines rest while pictures come; the `reason` of `lookout_rules_suspended`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    /// A fixed camera looks elsewhere than its zones were drawn for.
    Moved,
    /// The view of a ptz camera moves.
    Turning,
    /// A ptz camera stands at no preset that is known.
    NoPreset,
    /// A ptz camera is at a preset; the zones of its others rest.
    OtherPreset,
    /// Nobody knows where the ground is that a zone is tied to.
    Lost,
    /// The ground that a zone is tied to is not in the picture.
    OutOfView,
    /// A zone whose density is told has no ground that is known.
    NoGround,
}

/// Why rules of one camera rest, and whether all of them do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rests {
    why: [bool; Rest::ALL.len()],
    whole: bool,
}

impl Aim {
    /// How the picture lies against the one before it.
    pub const fn shift(&self) -> Shift {
        match self {
            Self::Fixed | Self::Preset(_) | Self::Elsewhere => Shift::Stays,
            Self::Carried { step: Some(step), .. } => Shift::Moved(*step),
            Self::Turning | Self::Carried { step: None, .. } => Shift::Unknown,
        }
    }
}

impl Default for CameraMotion {
    fn default() -> Self {
        Self::NONE
    }
}

impl CameraMotion {
    /// A camera that stands still.
    pub const NONE: Self = Self { matrix: [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]] };

    /// This motion and then the next one.
    pub fn then(&self, next: &Self) -> Self {
        let [[a, b, tx], [c, d, ty]] = self.matrix;
        let [[na, nb, ntx], [nc, nd, nty]] = next.matrix;
        Self {
            matrix: [
                [na * a + nb * c, na * b + nb * d, na * tx + nb * ty + ntx],
                [nc * a + nd * c, nc * b + nd * d, nc * tx + nd * ty + nty],
            ],
        }
    }

    /// The way back; `None` of a motion that collapses the picture.
    pub fn inverse(&self) -> Option<Self> {
        let [[a, b, tx], [c, d, ty]] = self.matrix;
        let scale = 1.0 / (a * d - b * c);
        let (ia, ib, ic, id) = (d * scale, -b * scale, -c * scale, a * scale);
        let back = Self { matrix: [[ia, ib, -(ia * tx + ib * ty)], [ic, id, -(ic * tx + id * ty)]] };
        back.matrix.iter().flatten().all(|v| v.is_finite()).then_some(back)
    }

    /// Where a place of the earlier picture is in the later one.
    pub fn point(&self, p: Point) -> Point {
        let [[a, b, tx], [c, d, ty]] = self.matrix;
        Point { x: a * p.x + b * p.y + tx, y: c * p.x + d * p.y + ty }
    }

    /// What becomes of a velocity, or of the way between two places.
    pub fn way(&self, v: Point) -> Point {
        let [[a, b, _], [c, d, _]] = self.matrix;
        Point { x: a * v.x + b * v.y, y: c * v.x + d * v.y }
    }

    /// What becomes of a box: an upright one around the same middle, as much larger as the picture's content.
    pub fn rect(&self, bbox: &Rect) -> Rect {
        let middle = self.point(bbox.center());
        let zoom = self.zoom() as f32;
        let (w, h) = (bbox.width * zoom, bbox.height * zoom);
        Rect::new(middle.x as f32 - w / 2.0, middle.y as f32 - h / 2.0, w, h)
    }

    /// How much larger things became.
    pub fn zoom(&self) -> f64 {
        let [[a, b, _], [c, d, _]] = self.matrix;
        (a * d - b * c).abs().sqrt()
    }

    /// How far the content was turned, radians, clockwise (y down); of a motion in pixels.
    pub fn turn(&self) -> f64 {
        let [[a, b, _], [c, d, _]] = self.matrix;
        (c - b).atan2(a + d)
    }

    /// Finite, and neither a collapse nor an explosion of the picture.
    pub fn is_usable(&self) -> bool {
        self.matrix.iter().flatten().all(|v| v.is_finite()) && (0.1..=10.0).contains(&self.zoom())
    }

    /// The same motion of pixels, of one in fractions of a picture of this size.
    pub fn in_pixels(&self, size: Size) -> Self {
        self.scaled(f64::from(size.width.max(1)), f64::from(size.height.max(1)))
    }

    /// The same motion of fractions, of one in pixels of a picture of this size.
    pub fn in_fractions(&self, size: Size) -> Self {
        self.scaled(1.0 / f64::from(size.width.max(1)), 1.0 / f64::from(size.height.max(1)))
    }

    fn scaled(&self, sx: f64, sy: f64) -> Self {
        let [[a, b, tx], [c, d, ty]] = self.matrix;
        Self { matrix: [[a, b * sx / sy, tx * sx], [c * sy / sx, d, ty * sy]] }
    }
}

impl Rest {
    /// Each of them.
    pub const ALL: [Self; 7] =
        [Self::Moved, Self::Turning, Self::NoPreset, Self::OtherPreset, Self::Lost, Self::OutOfView, Self::NoGround];

    /// The word in metrics.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Moved => "moved",
            Self::Turning => "turning",
            Self::NoPreset => "no_preset",
            Self::OtherPreset => "other_preset",
            Self::Lost => "lost",
            Self::OutOfView => "out_of_view",
            Self::NoGround => "no_ground",
        }
    }
}

impl Rests {
    /// All rules rest, for this reason.
    pub fn whole(why: Rest) -> Self {
        let mut rests = Self { whole: true, ..Self::default() };
        rests.note(why);
        rests
    }

    /// Some rule rests for this reason.
    pub fn note(&mut self, why: Rest) {
        self.why[why as usize] = true;
    }

    /// From here on all of them are taken to rest, or not.
    pub fn set_whole(&mut self, whole: bool) {
        self.whole = whole;
    }

    /// Whether some rule rests for this reason.
    pub fn has(&self, why: Rest) -> bool {
        self.why[why as usize]
    }

    /// Why all rules rest, if they do: the first reason.
    pub fn of_all(&self) -> Option<Rest> {
        Rest::ALL.into_iter().find(|why| self.whole && self.has(*why))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOTION: CameraMotion = CameraMotion { matrix: [[0.9, -0.3, 12.0], [0.3, 0.9, -5.0]] };

    #[test]
    fn there_and_back_is_nowhere() {
        let back = MOTION.then(&MOTION.inverse().unwrap());
        let p = back.point(Point { x: 100.0, y: 40.0 });
        assert!((p.x - 100.0).hypot(p.y - 40.0) < 1e-9, "{p:?}");
        assert!((MOTION.zoom() - 0.9_f64.hypot(0.3)).abs() < 1e-12);
        assert!((MOTION.turn() - 0.3_f64.atan2(0.9)).abs() < 1e-12);
        assert_eq!(CameraMotion { matrix: [[0.0; 3]; 2] }.inverse(), None);
    }

    #[test]
    fn pixels_and_fractions_tell_the_same() {
        let size = Size::new(640, 360);
        let fractions = MOTION.in_fractions(size);
        let p = Point { x: 200.0, y: 50.0 };
        let (a, b) = (MOTION.point(p), size.to_pixels(fractions.point(size.to_fraction(p))));
        assert!((a.x - b.x).hypot(a.y - b.y) < 1e-9, "{a:?} {b:?}");
        assert!((fractions.zoom() - MOTION.zoom()).abs() < 1e-12);
        let again = fractions.in_pixels(size);
        assert!(again.matrix.iter().flatten().zip(MOTION.matrix.iter().flatten()).all(|(a, b)| (a - b).abs() < 1e-12));
    }

    #[test]
    fn why_all_rest_is_told_only_when_all_do() {
        assert_eq!(Rests::whole(Rest::Turning).of_all(), Some(Rest::Turning));
        let mut some = Rests::default();
        some.note(Rest::OutOfView);
        assert!(some.has(Rest::OutOfView) && !some.has(Rest::Lost) && some.of_all().is_none());
        for (i, rest) in Rest::ALL.into_iter().enumerate() {
            assert_eq!(rest as usize, i);
        }
    }
}
