//! How a camera that is carried about moves: corners of the background, followed from a key picture to each later one
//! (pyramidal Lucas and Kanade 1981, Bouguet 2001), and the shift, turn and zoom that most of them agree on (RANSAC,
//! Fischler and Bolles 1981). Corners on people are left out.
//!
//! Motion is measured against the key picture as long as enough of it is in view, so that a camera that shakes in place
//! drifts by nothing; each new key adds its own error. The ground that zones were drawn on has a key of its own, which
//! takes that error out whenever it is in view again.

use opencv::core::{
    self, CV_8UC1, Mat, Point as CvPoint, Point2f, Rect as CvRect, Scalar, Size as CvSize, TermCriteria, ToInputArray,
    Vector,
};
use opencv::prelude::*;
use opencv::{calib3d, imgproc, video};

use crate::types::{Aim, CameraMotion, Frame, MediaTime, PixelFormat, Point, Polygon, Rect, Size, Span, Target};

/// Longer side of the grey picture, pixels.
const LONGER: u32 = 320;
/// Corners of a key, at most; how far they lie from each other, pixels; and how weak against the best.
const CORNERS: i32 = 100;
const APART: f64 = 8.0;
const QUALITY: f64 = 0.01;
/// Fewer that agree say nothing.
const FEWEST: usize = 12;
/// Share of the corners found again that must agree: the rest is people, cars, leaves.
const AGREE: f64 = 0.4;
/// Pixels by which one that agrees may be off.
const OFF: f64 = 1.0;
/// Side of the window that is compared, pixels, and halvings of the picture: a motion may be a sixth of it more or less
/// than expected.
const WINDOW: i32 = 15;
const LEVELS: i32 = 3;
/// A key is replaced when fewer of its corners than this share agree, or less of its picture is in view.
const WORN: f64 = 0.6;
/// People are padded by this share of their box, each way.
const PADDING: f32 = 0.1;
/// A motion that cannot be measured may be bridged for so long.
const PATIENCE: Span = Span::from_secs(1);
/// Between looks for the ground that zones were drawn on.
const RETURNS: Span = Span::from_secs(1);
/// Share of that picture that must be in view to look for it, and of its corners that must agree.
const SHARED: f64 = 0.4;
/// What was measured from key to key is off by less than this, a share of the picture.
const DRIFT: f64 = 0.06;

/// Measures the motion of one camera.
#[derive(Default)]
pub struct Carried {
    size: Size,
    grey: Vec<u8>,
    people: Vec<Rect>,
    /// Parts of the picture that do not move with what is behind them, fractions: masks, the bonnet of a car.
    still: Vec<Polygon>,
    pyramid: Vector<Mat>,
    key: Option<Key>,
    /// From the key to the last picture that could be compared with it, and when that was.
    last: CameraMotion,
    seen: MediaTime,
    /// How that picture moved against the one before it: where to look next.
    step: CameraMotion,
    /// What zones were drawn on.
    ground: Option<Key>,
    /// From there to the key; `None`: lost.
    drawn: Option<CameraMotion>,
    returned: Option<MediaTime>,
    accepts: bool,
    found: Found,
}

/// A picture that later ones are compared with.
struct Key {
    pyramid: Vector<Mat>,
    corners: Vector<Point2f>,
}

/// Buffers of a comparison.
#[derive(Default)]
struct Found {
    there: Vector<Point2f>,
    status: Vector<u8>,
    error: Vector<f32>,
    from: Vector<Point2f>,
    to: Vector<Point2f>,
    agree: Mat,
}

/// A comparison of two pictures.
#[derive(Clone, Copy, Debug)]
struct Matched {
    /// Pixels of the grey picture.
    motion: CameraMotion,
    /// Corners that agree, of those that the key has.
    share: f64,
}

impl Carried {
    /// Nothing seen yet; nobody knows where the ground is before [`Self::accept`]. `still` are parts of the picture that
    /// do not move with what is behind them, fractions.
    pub fn new(still: Vec<Polygon>) -> Self {
        // Results are the same with more; other cameras want the other cores.
        if let Err(error) = core::set_num_threads(1) {
            tracing::debug!(%error, "OpenCV keeps its threads");
        }
        Self { still, ..Self::default() }
    }

    /// What is tied to the ground lies where the next picture shows it.
    pub fn accept(&mut self) {
        self.accepts = true;
    }

    /// Other parts do not move with what is behind them, fractions.
    pub fn replan(&mut self, still: Vec<Polygon>) {
        self.still = still;
    }

    /// Where the camera looks now. `people` in pixels of the picture.
    pub fn look(&mut self, frame: &Frame, people: impl Iterator<Item = Rect>) -> Aim {
        let source = frame.picture.size();
        let size = fitted(source);
        let (sx, sy) =
            (size.width as f32 / source.width.max(1) as f32, size.height as f32 / source.height.max(1) as f32);
        self.people.clear();
        self.people.extend(people.map(|p| p.padded(PADDING).scaled(sx, sy)));
        let mut grey = std::mem::take(&mut self.grey);
        let aim = match frame.picture.convert(Target { size, format: PixelFormat::Gray8 }, &mut grey) {
            Ok(()) => self.measure(frame.time, &grey, size).unwrap_or_else(|error| {
                tracing::warn!(%error, "the motion of a camera could not be measured");
                self.lose();
                Aim::Carried { step: None, ground: None }
            }),
            // Whoever shows pictures says why; the next one may do.
            Err(_) => Aim::Carried { step: None, ground: self.carried_ground() },
        };
        self.grey = grey;
        aim
    }

    fn measure(&mut self, now: MediaTime, grey: &[u8], size: Size) -> opencv::Result<Aim> {
        if self.size != size {
            // Another shape of picture is another view.
            self.lose();
            (self.size, self.ground) = (size, None);
        }
        let pixels = Mat::new_rows_cols_with_data(size.height as i32, size.width as i32, grey)?;
        pyramid(&pixels, false, &mut self.pyramid)?;
        let matched = match &self.key {
            Some(key) => key.find(&self.pyramid, &self.last.then(&self.step), size, &mut self.found)?,
            None => None,
        };
        let step = matched.and_then(|m| Some(self.last.inverse()?.then(&m.motion)));
        match (matched, step) {
            (Some(matched), Some(step)) => (self.last, self.step, self.seen) = (matched.motion, step, now),
            _ => self.step = CameraMotion::NONE,
        }
        let measured = step.is_some();
        if self.key.is_some() && !measured && now - self.seen >= PATIENCE {
            self.lose();
        }
        let worn = matched.is_some_and(|m| m.share < WORN || overlap(&m.motion, size) < WORN);
        if self.key.is_none() || worn {
            self.renew(&pixels, now)?;
        }
        if self.accepts {
            self.draw(&pixels, now)?;
        } else if (measured || self.drawn.is_none()) && self.returned.is_none_or(|last| now - last >= RETURNS) {
            self.returned = Some(now);
            self.find_ground()?;
        }
        Ok(Aim::Carried { step: step.map(|step| step.in_fractions(size)), ground: self.carried_ground() })
    }

    /// From the picture that zones were drawn on to the last one, fractions.
    fn carried_ground(&self) -> Option<CameraMotion> {
        let ground = self.drawn?.then(&self.last).in_fractions(self.size);
        ground.is_usable().then_some(ground)
    }

    /// Nothing that was measured holds any more.
    fn lose(&mut self) {
        (self.key, self.drawn) = (None, None);
        (self.last, self.step) = (CameraMotion::NONE, CameraMotion::NONE);
    }

    /// This picture becomes the key, if it shows enough to be one.
    fn renew(&mut self, pixels: &impl ToInputArray, now: MediaTime) -> opencv::Result<()> {
        let Some(key) = self.key_of(pixels)? else { return Ok(()) };
        self.drawn = self.drawn.map(|drawn| drawn.then(&self.last));
        (self.key, self.last, self.seen) = (Some(key), CameraMotion::NONE, now);
        Ok(())
    }

    /// This picture is the one that zones are drawn on, if it shows enough.
    fn draw(&mut self, pixels: &impl ToInputArray, now: MediaTime) -> opencv::Result<()> {
        self.ground = self.key_of(pixels)?;
        self.accepts = self.ground.is_none();
        self.drawn = self.ground.as_ref().and_then(|_| self.last.inverse());
        self.returned = Some(now);
        Ok(())
    }

    /// Measures the ground itself where it is in view: what all keys since have added is taken out, and what was lost is
    /// found again.
    fn find_ground(&mut self) -> opencv::Result<()> {
        let (Some(ground), Some(back), true) = (&self.ground, self.last.inverse(), self.key.is_some()) else {
            return Ok(());
        };
        let expected = self.drawn.map(|drawn| drawn.then(&self.last));
        let guess = expected.unwrap_or(CameraMotion::NONE);
        if overlap(&guess, self.size) < SHARED {
            return Ok(());
        }
        let found = ground.find(&self.pyramid, &guess, self.size, &mut self.found)?;
        let believed = |m: &Matched| {
            m.share >= SHARED && expected.is_none_or(|expected| farthest(&expected, &m.motion, self.size) < DRIFT)
        };
        if let Some(matched) = found.filter(believed) {
            self.drawn = Some(matched.motion.then(&back));
        }
        Ok(())
    }

    /// `None` where too little is to be seen.
    fn key_of(&self, pixels: &impl ToInputArray) -> opencv::Result<Option<Key>> {
        let Size { width, height } = self.size;
        let mut background = Mat::new_rows_cols_with_default(height as i32, width as i32, CV_8UC1, Scalar::all(255.0))?;
        for person in self.people.iter().filter_map(|p| p.clipped(self.size)) {
            let covered = CvRect::new(
                person.left as i32,
                person.top as i32,
                person.width.ceil() as i32 + 1,
                person.height.ceil() as i32 + 1,
            );
            imgproc::rectangle(&mut background, covered, Scalar::all(0.0), imgproc::FILLED, imgproc::LINE_8, 0)?;
        }
        for polygon in &self.still {
            let corners = polygon.points().iter().map(|p| self.size.to_pixels(*p));
            let corners: Vector<CvPoint> = corners.map(|p| CvPoint::new(p.x as i32, p.y as i32)).collect();
            let corners: Vector<Vector<CvPoint>> = [corners].into_iter().collect();
            imgproc::fill_poly_def(&mut background, &corners, Scalar::all(0.0))?;
            imgproc::polylines(&mut background, &corners, true, Scalar::all(0.0), WINDOW, imgproc::LINE_8, 0)?;
        }
        let mut corners = Vector::<Point2f>::new();
        imgproc::good_features_to_track(pixels, &mut corners, CORNERS, QUALITY, APART, &background, 3, false, 0.04)?;
        if corners.len() < FEWEST {
            return Ok(None);
        }
        let mut own = Vector::new();
        pyramid(pixels, true, &mut own)?;
        Ok(Some(Key { pyramid: own, corners }))
    }
}

impl Key {
    /// How this picture has moved to another, near to a guess. `None` where too little agrees.
    fn find(
        &self,
        there: &Vector<Mat>,
        guess: &CameraMotion,
        size: Size,
        found: &mut Found,
    ) -> opencv::Result<Option<Matched>> {
        found.there.clear();
        for corner in &self.corners {
            let p = guess.point(Point { x: f64::from(corner.x), y: f64::from(corner.y) });
            found.there.push(Point2f::new(p.x as f32, p.y as f32));
        }
        let window = CvSize::new(WINDOW, WINDOW);
        let enough = TermCriteria::new(core::TermCriteria_COUNT | core::TermCriteria_EPS, 10, 0.03)?;
        video::calc_optical_flow_pyr_lk(
            &self.pyramid,
            there,
            &self.corners,
            &mut found.there,
            &mut found.status,
            &mut found.error,
            window,
            LEVELS,
            enough,
            video::OPTFLOW_USE_INITIAL_FLOW,
            1e-3,
        )?;
        found.from.clear();
        found.to.clear();
        let (width, height) = (size.width as f32, size.height as f32);
        for ((from, to), status) in self.corners.iter().zip(found.there.iter()).zip(found.status.iter()) {
            if status == 1 && (0.0..width).contains(&to.x) && (0.0..height).contains(&to.y) {
                found.from.push(from);
                found.to.push(to);
            }
        }
        if found.from.len() < FEWEST {
            return Ok(None);
        }
        let matrix = calib3d::estimate_affine_partial_2d(
            &found.from,
            &found.to,
            &mut found.agree,
            calib3d::RANSAC,
            OFF,
            500,
            0.99,
            10,
        )?;
        if matrix.rows() != 2 || matrix.cols() != 3 {
            return Ok(None);
        }
        let mut motion = CameraMotion::NONE;
        for (r, row) in motion.matrix.iter_mut().enumerate() {
            for (c, cell) in row.iter_mut().enumerate() {
                *cell = *matrix.at_2d::<f64>(r as i32, c as i32)?;
            }
        }
        let agree = usize::try_from(core::count_non_zero(&found.agree)?).unwrap_or(0);
        let enough = agree >= FEWEST && agree as f64 >= AGREE * found.from.len() as f64;
        let share = agree as f64 / self.corners.len() as f64;
        Ok((enough && motion.is_usable()).then_some(Matched { motion, share }))
    }
}

fn pyramid(pixels: &impl ToInputArray, derivatives: bool, out: &mut Vector<Mat>) -> opencv::Result<()> {
    let window = CvSize::new(WINDOW, WINDOW);
    let (border, flat) = (core::BORDER_REFLECT_101, core::BORDER_CONSTANT);
    video::build_optical_flow_pyramid(pixels, out, window, LEVELS, derivatives, border, flat, false)?;
    Ok(())
}

/// The size in which pictures of `source` are compared: the same shape, never enlarged.
fn fitted(source: Size) -> Size {
    let longer = f64::from(source.width.max(source.height).max(1));
    let scale = (f64::from(LONGER) / longer).min(1.0);
    let scaled = |side: u32| ((f64::from(side) * scale).round() as u32).max(1);
    Size::new(scaled(source.width), scaled(source.height))
}

/// The share of a picture that is still in view after a motion, pixels.
fn overlap(motion: &CameraMotion, size: Size) -> f64 {
    const STEPS: u32 = 8;
    let at = |k: u32, side: u32| (f64::from(k) + 0.5) / f64::from(STEPS) * f64::from(side);
    let places = (0..STEPS).flat_map(|i| (0..STEPS).map(move |j| (i, j)));
    let seen = places.filter(|&(i, j)| {
        let p = motion.point(Point { x: at(i, size.width), y: at(j, size.height) });
        (0.0..f64::from(size.width)).contains(&p.x) && (0.0..f64::from(size.height)).contains(&p.y)
    });
    seen.count() as f64 / f64::from(STEPS * STEPS)
}

/// How far two motions take a corner of the picture apart, a share of its width.
fn farthest(a: &CameraMotion, b: &CameraMotion, size: Size) -> f64 {
    let (w, h) = (f64::from(size.width), f64::from(size.height));
    let corners = [(0.0, 0.0), (w, 0.0), (0.0, h), (w, h)];
    let apart = corners.map(|(x, y)| {
        let (p, q) = (a.point(Point { x, y }), b.point(Point { x, y }));
        (p.x - q.x).hypot(p.y - q.y) / w.max(1.0)
    });
    apart.into_iter().fold(0.0, f64::max)
}

#[cfg(test)]
mod tests;
