//! The motion of a box: four independent Kalman filters (middle x, middle y, width, height) in real time steps.
//!
//! Each axis holds a value and its rate under white-noise acceleration (Bar-Shalom, Li and Kirubarajan, "Estimation with
//! Applications to Tracking and Navigation", 2001, section 6.2), so that the uncertainty depends on the time that passed,
//! not on the number of pictures. Rates decay slowly, as a person who is not seen for long has often stopped. All deviations are shares of the box height, so that nothing depends on the resolution.

use crate::types::{CameraMotion, Point, Rect};

/// How a box is expected to move and how well it is measured. Shares of the box height.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MotionModel {
    /// Acceleration of the middle: square root of its spectral density, heights / s^1.5.
    pub acceleration: f64,
    /// The same for width and height.
    pub growth: f64,
    /// Deviation of a measured middle.
    pub place_noise: f64,
    /// Deviation of a measured size.
    pub size_noise: f64,
    /// Deviation of the rate of a new box, heights / s.
    pub start_speed: f64,
    /// Time after which an unmeasured rate has fallen to 1/e, s.
    pub decay: f64,
    /// How much worse a detection of score 0 is measured than one of score 1 (deviation, NSA Kalman of GIAOTracker).
    pub doubt: f64,
}

/// A value and its rate with their covariance.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Axis {
    value: f64,
    rate: f64,
    value_variance: f64,
    covariance: f64,
    rate_variance: f64,
}

/// The filtered box.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct BoxFilter {
    x: Axis,
    y: Axis,
    width: Axis,
    height: Axis,
}

impl Axis {
    fn new(value: f64, value_variance: f64, rate_variance: f64) -> Self {
        Self { value, rate: 0.0, value_variance, covariance: 0.0, rate_variance }
    }

    fn predict(&mut self, dt: f64, density: f64, decay: f64) {
        let keep = (-dt / decay).exp();
        let reach = decay * (1.0 - keep);
        self.value += reach * self.rate;
        self.rate *= keep;
        self.value_variance +=
            reach * (2.0 * self.covariance + reach * self.rate_variance) + density * dt * dt * dt / 3.0;
        self.covariance = keep * (self.covariance + reach * self.rate_variance) + density * dt * dt / 2.0;
        self.rate_variance = keep * keep * self.rate_variance + density * dt;
    }

    fn correct(&mut self, measured: f64, variance: f64) {
        let total = self.value_variance + variance;
        let (gain, rate_gain) = (self.value_variance / total, self.covariance / total);
        let error = measured - self.value;
        self.value += gain * error;
        self.rate += rate_gain * error;
        self.rate_variance -= rate_gain * self.covariance;
        self.covariance *= 1.0 - gain;
        self.value_variance *= 1.0 - gain;
    }

    /// Uncertainty of `a` times this axis and `b` times another that knows nothing of it.
    fn mixed(&self, other: &Self, a: f64, b: f64) -> Self {
        let mix = |own: f64, its: f64| a * a * own + b * b * its;
        Self {
            value_variance: mix(self.value_variance, other.value_variance),
            covariance: mix(self.covariance, other.covariance),
            rate_variance: mix(self.rate_variance, other.rate_variance),
            ..*self
        }
    }

    fn scale(&mut self, s: f64) {
        self.value *= s;
        self.rate *= s;
        self.value_variance *= s * s;
        self.covariance *= s * s;
        self.rate_variance *= s * s;
    }
}

impl BoxFilter {
    /// A box at rest.
    pub fn new(seen: &Rect, score: f32, model: &MotionModel) -> Self {
        let (x, y, w, h) = parts(seen);
        let place = square(model.place_noise * h * blur(score, model));
        let size = square(model.size_noise * h * blur(score, model));
        let speed = square(model.start_speed * h);
        let growth = square(model.growth * h);
        Self {
            x: Axis::new(x, place, speed),
            y: Axis::new(y, place, speed),
            width: Axis::new(w, size, growth),
            height: Axis::new(h, size, growth),
        }
    }

    /// Moves the box `dt` seconds on.
    pub fn predict(&mut self, dt: f64, model: &MotionModel) {
        if dt <= 0.0 {
            return;
        }
        let h = self.height.value;
        let (place, size) = (square(model.acceleration * h), square(model.growth * h));
        self.x.predict(dt, place, model.decay);
        self.y.predict(dt, place, model.decay);
        self.width.predict(dt, size, model.decay);
        self.height.predict(dt, size, model.decay);
        self.keep_positive();
    }

    /// Takes a measured box.
    pub fn correct(&mut self, seen: &Rect, score: f32, model: &MotionModel) {
        let (x, y, w, h) = parts(seen);
        let place = square(model.place_noise * h * blur(score, model));
        let size = square(model.size_noise * h * blur(score, model));
        self.x.correct(x, place);
        self.y.correct(y, place);
        self.width.correct(w, size);
        self.height.correct(h, size);
        self.keep_positive();
    }

    /// Squared Mahalanobis distance of a measured middle (two degrees of freedom).
    pub fn distance2(&self, seen: &Rect, score: f32, model: &MotionModel) -> f64 {
        let (x, y, _, h) = parts(seen);
        let noise = square(model.place_noise * h * blur(score, model));
        square(x - self.x.value) / (self.x.value_variance + noise)
            + square(y - self.y.value) / (self.y.value_variance + noise)
    }

    /// The box, pixels.
    pub fn rect(&self) -> Rect {
        let (w, h) = (self.width.value, self.height.value);
        Rect::new((self.x.value - w / 2.0) as f32, (self.y.value - h / 2.0) as f32, w as f32, h as f32)
    }

    /// Velocity of the middle, pixels a second.
    pub fn velocity(&self) -> [f64; 2] {
        [self.x.rate, self.y.rate]
    }

    /// Moves the box with the background when the camera moved (pixels), its uncertainty too. That x and y depend on each
    /// other where the camera turned is left out: a picture seldom turns far between two looks.
    pub fn apply(&mut self, motion: &CameraMotion) {
        let [[a, b, _], [c, d, _]] = motion.matrix;
        let moved = motion.point(Point { x: self.x.value, y: self.y.value });
        let rate = motion.way(Point { x: self.x.rate, y: self.y.rate });
        let (x, y) = (self.x, self.y);
        self.x = Axis { value: moved.x, rate: rate.x, ..x.mixed(&y, a, b) };
        self.y = Axis { value: moved.y, rate: rate.y, ..x.mixed(&y, c, d) };
        self.width.scale(motion.zoom());
        self.height.scale(motion.zoom());
    }

    /// Follows a change of the picture's size.
    pub fn scale(&mut self, sx: f64, sy: f64) {
        self.x.scale(sx);
        self.width.scale(sx);
        self.y.scale(sy);
        self.height.scale(sy);
    }

    fn keep_positive(&mut self) {
        self.width.value = self.width.value.max(1.0);
        self.height.value = self.height.value.max(1.0);
    }
}

fn parts(seen: &Rect) -> (f64, f64, f64, f64) {
    let (w, h) = (f64::from(seen.width), f64::from(seen.height));
    (f64::from(seen.left) + w / 2.0, f64::from(seen.top) + h / 2.0, w, h)
}

fn blur(score: f32, model: &MotionModel) -> f64 {
    1.0 + model.doubt * (1.0 - f64::from(score.clamp(0.0, 1.0)))
}

fn square(v: f64) -> f64 {
    v * v
}

#[cfg(test)]
mod tests {
    use super::super::tuning::Tuning;
    use super::*;

    fn walk(fps: f64, seconds: f64) -> BoxFilter {
        let model = Tuning::default().motion;
        let at = |t: f64| Rect::new((100.0 + 80.0 * t) as f32, (200.0 - 20.0 * t) as f32, 40.0, 100.0);
        let mut filter = BoxFilter::new(&at(0.0), 0.8, &model);
        for k in 1..=(seconds * fps) as usize {
            filter.predict(1.0 / fps, &model);
            filter.correct(&at(k as f64 / fps), 0.8, &model);
        }
        filter
    }

    #[test]
    fn a_steady_walk_is_learned_at_any_rate() {
        for fps in [2.0, 7.0, 30.0] {
            let filter = walk(fps, 6.0);
            let [vx, vy] = filter.velocity();
            assert!((vx - 80.0).abs() < 8.0 && (vy + 20.0).abs() < 3.0, "{fps}: {vx} {vy}");
            let error = filter.rect().center().x - (120.0 + 480.0);
            assert!(error.abs() < 2.0, "{fps}: {error}");
        }
    }

    #[test]
    fn uncertainty_grows_with_time_not_with_steps() {
        let model = Tuning::default().motion;
        let (mut once, mut often) = (walk(7.0, 3.0), walk(7.0, 3.0));
        once.predict(1.0, &model);
        for _ in 0..30 {
            often.predict(1.0 / 30.0, &model);
        }
        let away = Rect::new(500.0, 100.0, 40.0, 100.0);
        let (a, b) = (once.distance2(&away, 0.8, &model), often.distance2(&away, 0.8, &model));
        assert!((a / b - 1.0).abs() < 0.1, "{a} {b}");
        assert!((once.rect().left - often.rect().left).abs() < 0.5);
    }

    #[test]
    fn the_cameras_motion_moves_the_box_and_what_is_not_known_of_it() {
        let model = Tuning::default().motion;
        let still = walk(7.0, 3.0);
        let (mut turned, mut near) = (still, still);
        // A quarter turn: what was to the right is below, and x is as uncertain as y was.
        turned.apply(&CameraMotion { matrix: [[0.0, -1.0, 700.0], [1.0, 0.0, 0.0]] });
        let ([vx, vy], [tx, ty]) = (still.velocity(), turned.velocity());
        assert!((tx + vy).abs() < 1e-9 && (ty - vx).abs() < 1e-9);
        near.apply(&CameraMotion { matrix: [[2.0, 0.0, 0.0], [0.0, 2.0, 0.0]] });
        let (rect, twice) = (still.rect(), near.rect());
        assert!((twice.width - 2.0 * rect.width).abs() < 1e-3 && (twice.left - 2.0 * rect.left).abs() < 1e-3);
        // Twice as large, as far from a box twice as large.
        let away = Rect::new(420.0, 140.0, 40.0, 100.0);
        let [one, two] = [still.distance2(&away, 0.8, &model), near.distance2(&away.scaled(2.0, 2.0), 0.8, &model)];
        assert!((one / two - 1.0).abs() < 1e-3, "{one} {two}");
    }

    #[test]
    fn sure_detections_pull_harder() {
        let model = Tuning::default().motion;
        let moved = Rect::new(420.0, 140.0, 40.0, 100.0);
        let [sure, doubtful] = [0.9, 0.1].map(|score| {
            let mut filter = walk(7.0, 3.0);
            filter.correct(&moved, score, &model);
            (filter.rect().left - moved.left).abs()
        });
        assert!(sure < doubtful);
    }
}
