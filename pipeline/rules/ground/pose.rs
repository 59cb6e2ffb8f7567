//! A camera over level ground, from how high people appear where.
//!
//! With the unit vector n that points down, a focal length f and the image plane's coordinates q = (u, v, f), somebody of
//! 1/c camera heights whose feet are at (u, v) appears m = w a / (c f - w n_z) high, where w = n·q is the depth below
//! the horizon and a = f n_y - v n_z (an upright pole through a pinhole). Lengths are in picture heights; u and v count
//! from the principal point. For a distant camera this is the well-known plane h = a u + b v + c with the horizon at
//! h = 0, from which the search begins.

use crate::types::algebra::{invert, solve};
use crate::types::{HeightSample, Lens, Plane, Point, Pose};

/// Focal length in picture widths where no lens is known: 60 degrees across, within a factor of 1.4 for two of three.
const FOCAL: f64 = 0.866;
const FOCAL_SPREAD: f64 = 0.35;
/// A calibrated lens is that good.
const LENS_SPREAD: f64 = 0.01;
/// Cameras are hung level, within so many radians.
const ROLL_SPREAD: f64 = 0.07;
/// Pitch and log height of most cameras: hardly more than what keeps the search from running away.
const PITCH: (f64, f64) = (0.4, 0.5);
const LOG_HEIGHT: (f64, f64) = (1.1, 1.0);
/// How far boxes and bodies scatter about the expected height, in logarithms; twice that is doubtful (Cauchy's weights).
const SCATTER: f64 = 0.08;
const DOUBT: f64 = 2.0;
/// Steps from the linear plane, and from an earlier fit.
const FIRST_STEPS: usize = 40;
const FURTHER_STEPS: usize = 4;
/// Share of samples that may lie beyond the horizon.
const BEYOND: f64 = 0.1;

type Row = [f64; 4];
type Matrix = [Row; 4];

/// The picture that samples are from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct View {
    /// Width over height.
    pub aspect: f64,
    /// The lens, if it is known.
    pub lens: Option<Lens>,
}

/// A fit.
#[derive(Clone, Copy, Debug)]
pub struct Fit {
    /// The camera, with its error.
    pub pose: Pose,
    /// Robust standard deviation of the heights about it, a fraction.
    pub scatter: f64,
}

impl View {
    fn center(&self) -> [f64; 2] {
        self.lens.map_or([0.5; 2], |lens| lens.center)
    }

    /// Fractions of the width to picture heights.
    fn across(&self) -> f64 {
        self.lens.map_or(self.aspect, |lens| lens.focal[1] / lens.focal[0])
    }

    /// Mean and spread of the focal length's logarithm.
    fn focal(&self) -> (f64, f64) {
        match self.lens {
            Some(lens) => (lens.focal[1].ln(), LENS_SPREAD),
            None => ((FOCAL * self.aspect).ln(), FOCAL_SPREAD),
        }
    }

    /// A place (undistorted fractions) from the principal point, picture heights.
    fn place(&self, x: f64, y: f64) -> [f64; 2] {
        let [cx, cy] = self.center();
        [(x - cx) * self.across(), y - cy]
    }
}

/// Buffers of a fit.
#[derive(Default)]
pub struct Scratch {
    parts: Vec<(u64, Row)>,
    offs: Vec<f64>,
}

/// Pitch, roll, and the logarithms of focal length and height.
#[derive(Clone, Copy)]
struct Model(Row);

/// What the expected height at a place is made of.
struct Expected {
    log_height: f64,
    slope: Row,
    /// Depth below the horizon, and its derivatives by pitch, roll and log focal length.
    depth: f64,
    depth_slope: [f64; 3],
}

impl Model {
    fn of(pose: &Pose) -> Self {
        Self([pose.pitch, pose.roll, pose.focal.ln(), pose.height.ln()])
    }

    fn down(&self) -> [f64; 3] {
        let [pitch, roll, ..] = self.0;
        [roll.sin() * pitch.cos(), roll.cos() * pitch.cos(), pitch.sin()]
    }

    /// `None` beyond the horizon and where the head would be behind the camera.
    fn at(&self, [u, v]: [f64; 2]) -> Option<Expected> {
        let [pitch, roll, log_focal, log_camera] = self.0;
        let (f, c) = (log_focal.exp(), log_camera.exp());
        let [nx, ny, nz] = self.down();
        let by_pitch = [-roll.sin() * pitch.sin(), -roll.cos() * pitch.sin(), pitch.cos()];
        let by_roll = [roll.cos() * pitch.cos(), -roll.sin() * pitch.cos()];
        let w = nx * u + ny * v + nz * f;
        let a = f * ny - v * nz;
        let d = c * f - w * nz;
        if !(w > 1e-9 && a > 1e-9 && d > 1e-9) {
            return None;
        }
        let depth_slope =
            [by_pitch[0] * u + by_pitch[1] * v + by_pitch[2] * f, by_roll[0] * u + by_roll[1] * v, nz * f];
        let a_slope = [f * by_pitch[1] - v * by_pitch[2], f * by_roll[1], f * ny];
        let d_slope = [-depth_slope[0] * nz - w * by_pitch[2], -depth_slope[1] * nz, c * f - depth_slope[2] * nz];
        let log = |i: usize| depth_slope[i] / w + a_slope[i] / a - d_slope[i] / d;
        Some(Expected {
            log_height: (w * a / d).ln(),
            slope: [log(0), log(1), log(2), -c * f / d],
            depth: w,
            depth_slope,
        })
    }
}

/// The height (a fraction of the picture's) at which a person with feet at an undistorted place (fractions) appears.
pub fn expected_height(pose: &Pose, view: &View, x: f64, y: f64) -> Option<f64> {
    Some(Model::of(pose).at(view.place(x, y))?.log_height.exp())
}

/// The ground in metres, for people `body` metres high: the origin is below the camera, x to the right, y away from it.
pub fn plane(pose: &Pose, view: &View, body: f64) -> Option<Plane> {
    let down = Model::of(pose).down();
    let [nx, ny, nz] = down;
    let level = nx.hypot(ny);
    // Ahead along the ground, and to the right of it.
    let ahead = [-nz * nx / level, -nz * ny / level, level];
    let right = [ny * ahead[2] - nz * ahead[1], nz * ahead[0] - nx * ahead[2], nx * ahead[1] - ny * ahead[0]];
    let [cx, cy] = view.center();
    let across = view.across();
    let row = |e: [f64; 3], scale: f64| {
        let (x, y) = (e[0] * across, e[1]);
        [x, y, e[2] * pose.focal - x * cx - y * cy].map(|v| v * scale)
    };
    let height = pose.height * body;
    // A place below the horizon, however the camera is turned.
    let ground = Point { x: cx + nx * 10.0 / across, y: cy + ny * 10.0 };
    Plane::new([row(right, height), row(ahead, height), row(down, 1.0)], ground, view.lens)
}

/// Mean difference of lengths where the samples are, a fraction.
pub fn difference(samples: &[HeightSample], view: &View, a: &Pose, b: &Pose) -> f64 {
    let length = |pose: &Pose, s: &HeightSample| {
        let depth = Model::of(pose).at(view.place(s.x, s.y))?.depth;
        Some(pose.height.ln() + 0.5 * pose.focal.ln() - 1.5 * depth.ln())
    };
    let differs = |s: &HeightSample| length(a, s).zip(length(b, s)).map_or(1.0, |(a, b)| (a - b).abs());
    samples.iter().map(differs).sum::<f64>() / samples.len().max(1) as f64
}

/// Fits a camera to heights, from `start` if there was a fit before. `None` where heights do not say where the horizon
/// is: they do not grow towards the lower edge.
pub fn fit(samples: &[HeightSample], view: &View, start: Option<&Pose>, scratch: &mut Scratch) -> Option<Fit> {
    let (mut model, steps) = match start {
        Some(pose) => (Model::of(pose), FURTHER_STEPS),
        None => (begin(samples, view)?, FIRST_STEPS),
    };
    for _ in 0..steps {
        let (normal, right) = equations(samples, view, &model)?;
        let step = solve(normal, right)?;
        let largest = step.iter().fold(0.0_f64, |most, s| most.max(s.abs()));
        // Far from the answer the heights are not linear in anything.
        let share = (0.2 / largest).min(1.0);
        model.0.iter_mut().zip(step).for_each(|(own, s)| *own += share * s);
        if largest < 1e-7 {
            break;
        }
    }
    judge(samples, view, &model, scratch)
}

/// The linear plane, robustly, as a camera.
fn begin(samples: &[HeightSample], view: &View) -> Option<Model> {
    let mut linear = [0.0, 0.0, 0.0];
    for round in 0..10 {
        let mut normal = [[0.0; 3]; 3];
        let mut right = [0.0; 3];
        for sample in samples {
            let [u, v] = view.place(sample.x, sample.y);
            let (height, row) = (sample.log_height.exp(), [u, v, 1.0]);
            let off = (height - linear[0] * u - linear[1] * v - linear[2]) / (SCATTER * height);
            let weight = if round == 0 { 1.0 } else { cauchy(off) } / (height * height);
            for i in 0..3 {
                (0..3).for_each(|j| normal[i][j] += weight * row[i] * row[j]);
                right[i] += weight * row[i] * height;
            }
        }
        linear = solve(normal, right)?;
    }
    let [a, b, c] = linear;
    let n = samples.len() as f64;
    let middle =
        samples.iter().map(|s| view.place(s.x, s.y)).fold([0.0; 2], |sum, p| [sum[0] + p[0] / n, sum[1] + p[1] / n]);
    let height = a * middle[0] + b * middle[1] + c;
    if !(b > 0.0 && height > 0.0) {
        return None;
    }
    let log_focal = view.focal().0;
    let f = log_focal.exp();
    let (pitch, roll) = ((c / b / f).atan(), (a / b).atan().clamp(-0.3, 0.3));
    let model = Model([pitch, roll, log_focal, 0.0]);
    let [nx, ny, nz] = model.down();
    let w = nx * middle[0] + ny * middle[1] + nz * f;
    let over = w * (f * ny - middle[1] * nz + height * nz) / (height * f);
    (over > 0.0).then(|| Model([pitch, roll, log_focal, over.ln()]))
}

fn cauchy(off: f64) -> f64 {
    1.0 / (1.0 + (off / DOUBT).powi(2))
}

/// What is believed before any sample: mean and spread of each parameter.
fn prior(view: &View) -> [(f64, f64); 4] {
    [PITCH, (0.0, ROLL_SPREAD), view.focal(), LOG_HEIGHT]
}

/// Normal equations of a step. `None` where too many samples lie beyond the horizon.
fn equations(samples: &[HeightSample], view: &View, model: &Model) -> Option<(Matrix, Row)> {
    let mut normal = [[0.0; 4]; 4];
    let mut right = [0.0; 4];
    let mut beyond = 0;
    for sample in samples {
        let Some(expected) = model.at(view.place(sample.x, sample.y)) else {
            beyond += 1;
            continue;
        };
        let off = (sample.log_height - expected.log_height) / SCATTER;
        let weight = cauchy(off) / SCATTER;
        for i in 0..4 {
            let slope = weight * expected.slope[i];
            (0..4).for_each(|j| normal[i][j] += slope * expected.slope[j] / SCATTER);
            right[i] += slope * off;
        }
    }
    for (i, (mean, spread)) in prior(view).into_iter().enumerate() {
        normal[i][i] += spread.powi(-2);
        right[i] += (mean - model.0[i]) * spread.powi(-2);
    }
    (f64::from(beyond) <= BEYOND * samples.len() as f64).then_some((normal, right))
}

/// The pose with the standard error of lengths where the samples are: people differ in height, so that samples of one
/// person err together (a sandwich of the normal matrix about each person's part).
fn judge(samples: &[HeightSample], view: &View, model: &Model, scratch: &mut Scratch) -> Option<Fit> {
    let Scratch { parts, offs } = scratch;
    parts.clear();
    offs.clear();
    let (normal, _) = equations(samples, view, model)?;
    let inverse = invert(&normal)?;
    let mut middle = [[0.0; 4]; 4];
    for (i, (_, spread)) in prior(view).into_iter().enumerate() {
        middle[i][i] = spread.powi(-2);
    }
    for sample in samples {
        let Some(expected) = model.at(view.place(sample.x, sample.y)) else { continue };
        let off = (sample.log_height - expected.log_height) / SCATTER;
        offs.push(off.abs() * SCATTER);
        parts.push((sample.who, expected.slope.map(|s| cauchy(off) * off * s / SCATTER)));
    }
    parts.sort_unstable_by_key(|part| part.0);
    for person in parts.chunk_by(|a, b| a.0 == b.0) {
        let sum = person.iter().fold([0.0; 4], |sum, (_, part)| std::array::from_fn(|i| sum[i] + part[i]));
        middle.iter_mut().zip(sum).for_each(|(row, s)| row.iter_mut().zip(sum).for_each(|(cell, t)| *cell += s * t));
    }
    let mut variance = 0.0;
    for sample in samples {
        let Some(Expected { depth, depth_slope, .. }) = model.at(view.place(sample.x, sample.y)) else { continue };
        // A length is the square root of an area: height sqrt(focal / depth^3).
        let by = |i: usize| -1.5 * depth_slope[i] / depth;
        let slope = [by(0), by(1), 0.5 + by(2), 1.0];
        let through = inverse.map(|row| dot(&row, &slope));
        let own = dot(&through, &slope);
        let between = middle.iter().zip(through).map(|(row, t)| t * dot(row, &through)).sum::<f64>();
        variance += own.max(between) / samples.len() as f64;
    }
    offs.sort_unstable_by(f64::total_cmp);
    let scatter = 1.4826 * offs.get(offs.len() / 2)?;
    let [pitch, roll, log_focal, log_height] = model.0;
    let pose = Pose { pitch, roll, focal: log_focal.exp(), height: log_height.exp(), error: variance.sqrt() };
    let finite = [pitch, roll, pose.focal, pose.height, pose.error].iter().all(|v| v.is_finite());
    (finite && pitch.abs() < 1.5).then_some(Fit { pose, scatter })
}

fn dot(a: &Row, b: &Row) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const VIEW: View = View { aspect: 4.0 / 3.0, lens: None };
    const POSE: Pose = Pose { pitch: 0.35, roll: 0.03, focal: 1.2, height: 3.5, error: 0.0 };

    /// People all over the lower part of the picture, with heights that scatter by `noise`, some of them wrong.
    fn samples(noise: f64, wrong: u64) -> Vec<HeightSample> {
        let mut state = 5_u64;
        let mut random = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as f64 / (1_u64 << 31) as f64
        };
        (0..400_u64)
            .map(|i| {
                let (x, y) = (random(), 0.25 + 0.7 * random());
                let expected = expected_height(&POSE, &VIEW, x, y).unwrap();
                let off = noise * (random() + random() + random() + random() - 2.0) * 1.73;
                let height = if i % 100 < wrong { 0.3 * expected } else { expected * off.exp() };
                HeightSample { who: i / 10, x, y, log_height: height.ln() }
            })
            .collect()
    }

    fn found(samples: &[HeightSample], view: &View, start: Option<&Pose>) -> Option<Fit> {
        fit(samples, view, start, &mut Scratch::default())
    }

    /// Largest difference of lengths on the ground between two poses, fractions.
    fn differs(a: &Pose, b: &Pose) -> f64 {
        let (a, b) = (plane(a, &VIEW, 1.7).unwrap(), plane(b, &VIEW, 1.7).unwrap());
        let side = |plane: &Plane, x: f64, y: f64| {
            let [p, q] =
                [plane.metres(Point { x, y }).unwrap(), plane.metres(Point { x: x + 0.1, y: y + 0.1 }).unwrap()];
            (p.x - q.x).hypot(p.y - q.y)
        };
        let places = [(0.2, 0.4), (0.7, 0.4), (0.4, 0.6), (0.2, 0.8), (0.8, 0.85)];
        places.map(|(x, y)| (side(&a, x, y) / side(&b, x, y)).ln().abs()).into_iter().fold(0.0, f64::max)
    }

    #[test]
    fn a_pole_through_a_pinhole_appears_as_high_as_the_formula_says() {
        // Level camera: somebody c camera heights high at depth w appears w / c high.
        let level = Pose { pitch: 0.0, roll: 0.0, focal: 1.0, height: 4.0, error: 0.0 };
        let height = expected_height(&level, &VIEW, 0.5, 0.9).unwrap();
        assert!((height - 0.1).abs() < 1e-12, "{height}");
        // Looking straight ahead along the slope: feet and head by hand, one body height = 1.
        let (sin, cos) = POSE.pitch.sin_cos();
        let upright = Pose { roll: 0.0, ..POSE };
        let image = |away: f64, up: f64| {
            let (z, y) = (away * cos + (3.5 - up) * sin, (3.5 - up) * cos - away * sin);
            0.5 + 1.2 * y / z
        };
        let (feet, head) = (image(8.0, 0.0), image(8.0, 1.0));
        let height = expected_height(&upright, &VIEW, 0.5, feet).unwrap();
        assert!((height - (feet - head)).abs() < 1e-12, "{height} {feet} {head}");
        let there = plane(&upright, &VIEW, 1.7).unwrap().metres(Point { x: 0.5, y: feet }).unwrap();
        assert!(there.x.abs() < 1e-9 && (there.y - 8.0 * 1.7).abs() < 1e-9, "{there:?}");
    }

    #[test]
    fn derivatives_are_those_of_the_height() {
        let model = Model::of(&POSE);
        let place = [0.3, 0.25];
        let exact = model.at(place).unwrap();
        for i in 0..4 {
            let moved = |by: f64| {
                let mut other = model;
                other.0[i] += by;
                other.at(place).unwrap()
            };
            let (up, down) = (moved(1e-6), moved(-1e-6));
            let slope = (up.log_height - down.log_height) / 2e-6;
            assert!((slope - exact.slope[i]).abs() < 1e-6, "{i}: {slope} {:?}", exact.slope);
            if i < 3 {
                let depth = (up.depth - down.depth) / 2e-6;
                assert!((depth - exact.depth_slope[i]).abs() < 1e-6, "{i}: {depth} {:?}", exact.depth_slope);
            }
        }
    }

    #[test]
    fn exact_heights_and_a_known_lens_give_the_camera_back() {
        let lens = Lens { focal: [1.2 / VIEW.aspect, 1.2], center: [0.5; 2], distortion: [0.0; 5] };
        let view = View { lens: Some(lens), ..VIEW };
        let fitted = found(&samples(0.0, 0), &view, None).unwrap();
        assert!(differs(&fitted.pose, &POSE) < 0.02, "{fitted:?}");
        assert!(fitted.scatter < 0.01, "{fitted:?}");
    }

    #[test]
    fn people_of_all_heights_and_some_wrong_boxes_give_lengths_within_the_error() {
        let fitted = found(&samples(0.08, 10), &VIEW, None).unwrap();
        let off = differs(&fitted.pose, &POSE);
        assert!(off < 0.15 && fitted.pose.error < 0.15 && off < 2.5 * fitted.pose.error, "{fitted:?} {off}");
        // Going on from there changes nothing.
        let again = found(&samples(0.08, 10), &VIEW, Some(&fitted.pose)).unwrap();
        assert!(differs(&fitted.pose, &again.pose) < 1e-3, "{fitted:?} {again:?}");
    }

    #[test]
    fn few_people_in_one_place_leave_it_uncertain() {
        let all = samples(0.08, 0);
        let corner: Vec<HeightSample> = all.iter().filter(|s| s.x < 0.3 && s.y > 0.8).copied().collect();
        let few = found(&corner, &VIEW, None).map_or(f64::INFINITY, |few| few.pose.error);
        let many = found(&all, &VIEW, None).unwrap().pose.error;
        assert!(few > 1.5 * many, "{few} {many}");
    }

    #[test]
    fn heights_that_shrink_towards_the_lower_edge_have_no_horizon() {
        let mut samples = samples(0.0, 0);
        samples.iter_mut().for_each(|s| s.y = 1.0 - s.y);
        assert!(found(&samples, &VIEW, None).is_none());
    }
}
