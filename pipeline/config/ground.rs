//! `ground` to its checked plan: the plane through known points is fitted here, once.

use std::ops::Range;

use super::camera::points;
use super::fault::Report;
use super::field::Field;
use super::homography::{FitError, Fitted, fit};
use super::plan::{BODY_HEIGHT_M, Camera, Ground, GroundPlane, KnownPlane, Length, RulePlace};
use super::raw::{GroundRaw, GroundTableRaw, LensRaw, Table};
use crate::types::{Lens, Point, Polygon};

/// An error of the plane that is worth a warning: metres, or this share of what the points span.
const LARGE_ERROR_M: f64 = 0.5;
const LARGE_ERROR: f64 = 0.05;
/// Square metres.
const LEAST_AREA: f64 = 4.0;
/// Steps in which the picture is looked through for places that a lens folds.
const LENS_STEPS: u32 = 16;

/// `None` only after a fault.
pub fn build(table: Table<GroundRaw>, report: &mut Report<'_>) -> Option<Ground> {
    let at = table.span();
    let raw = match table.into_inner() {
        GroundRaw::Word(word) if word == "learn" => {
            let plane = GroundPlane::Learnt { height: BODY_HEIGHT_M, freeze: false };
            return Some(Ground { lens: None, plane });
        }
        GroundRaw::Word(word) => {
            report.fault(&at, "ground", format!("`{word}` is not \"learn\"; known points are a table [ground]"));
            return None;
        }
        GroundRaw::Table(raw) => *raw,
    };
    let GroundTableRaw { points, metres, learn, freeze, height, lens: lens_raw } = raw;
    let before = report.faults();
    let lens = lens_raw.and_then(|raw| lens(raw, report));
    let sound = report.faults() == before;
    if learn.get(report, "ground.learn").unwrap_or(false) {
        for (field, name) in [(&points, "ground.points"), (&metres, "ground.metres")] {
            field.refuse(report, name, "does not go with `learn`: leave out one of them");
        }
        let freeze = freeze.get(report, "ground.freeze").unwrap_or(false);
        let height = height.checked(report, "ground.height", |length| match length.0 {
            Length::Metres(m) if (0.5..=2.5).contains(&m) => Ok(()),
            Length::Metres(m) => Err(format!("{m} m is not from 0.5 to 2.5 m")),
            Length::BodyHeights(_) => Err("a body height is what this says; write metres, such as \"1.7m\"".into()),
        });
        let height = height.map_or(BODY_HEIGHT_M, |length| length.0.metres());
        return Some(Ground { lens, plane: GroundPlane::Learnt { height, freeze } });
    }
    freeze.refuse(report, "ground.freeze", "only with `learn = true`");
    height.refuse(report, "ground.height", "only with `learn = true`: metres are known without");
    let known = known(points, metres, &at, lens, sound, report)?;
    Some(Ground { lens, plane: GroundPlane::Known(Box::new(known)) })
}

/// `sound`: the lens is as it should be; else no plane is fitted on top of its fault.
fn known(
    raw_points: Field<Vec<[f64; 2]>>,
    raw_metres: Field<Vec<[f64; 2]>>,
    at: &Range<usize>,
    lens: Option<Lens>,
    sound: bool,
    report: &mut Report<'_>,
) -> Option<KnownPlane> {
    let before = report.faults();
    let (points_at, metres_at) = (raw_points.span().clone(), raw_metres.span().clone());
    let points = points(raw_points, report, "ground.points", at, 4, "four or more places [x, y]");
    let metres = raw_metres.require(report, "ground.metres", at, "the same places in metres")?;
    let metres: Vec<Point> = metres.into_iter().map(Point::from).collect();
    if metres.len() != points.len() {
        let message = format!("{} places in metres for {} points", metres.len(), points.len());
        report.fault(&metres_at, "ground.metres", message);
    }
    if metres.iter().any(|p| !(p.x.abs() <= 1e6 && p.y.abs() <= 1e6)) {
        report.fault(&metres_at, "ground.metres", "not within 1000 km; the origin may be anywhere near");
    }
    if report.faults() > before || !sound {
        return None;
    }
    match fit(&points, &metres, lens) {
        Ok(Fitted { plane, errors }) => {
            let known = KnownPlane { points, metres, errors, plane };
            warn_of_error(&known, &metres_at, report);
            Some(known)
        }
        Err(error) => {
            let (span, field, message) = refusal(&error, &points_at, &metres_at);
            report.fault(span, field, message);
            None
        }
    }
}

fn refusal<'a>(
    error: &FitError,
    points: &'a Range<usize>,
    metres: &'a Range<usize>,
) -> (&'a Range<usize>, String, String) {
    let at = |i: usize| format!("ground.points[{i}]");
    match *error {
        FitError::Same(i, j) => (points, at(j), format!("the same place as the one with index {i}, here or in metres")),
        FitError::Collinear => {
            let message = "all places but at most one lie on one line, here or in metres; choose the corners of a wide \
                           quadrilateral";
            (points, "ground.points".into(), message.into())
        }
        FitError::Lens(i) => (points, at(i), "the lens sees nothing there: see `ground.lens`".into()),
        FitError::Crossed(i) => {
            let message = "lies beyond the horizon of the others: are points and metres in the same order, and is it on the \
                           ground?";
            (points, at(i), message.into())
        }
        FitError::Above(i) => {
            (points, at(i), "lies above the horizon; the ground would be upside down: are the metres right?".into())
        }
        FitError::Far(i) => {
            (metres, format!("ground.metres[{i}]"), "so far away that nobody is found there: are these metres?".into())
        }
    }
}

/// A slip in one of five or more points shows in what is left over.
fn warn_of_error(known: &KnownPlane, at: &Range<usize>, report: &mut Report<'_>) {
    let Some(error) = known.error() else { return };
    let across = |a: &Point| known.metres.iter().map(|b| (a.x - b.x).hypot(a.y - b.y)).fold(0.0, f64::max);
    let extent = known.metres.iter().map(across).fold(0.0, f64::max);
    if error > LARGE_ERROR_M || error > LARGE_ERROR * extent {
        let worst = (0..known.errors.len()).max_by(|&a, &b| known.errors[a].total_cmp(&known.errors[b])).unwrap_or(0);
        let message = format!(
            "the plane misses the places by {error:.2} m (root mean square), this one by {:.2} m; check it first",
            known.errors[worst]
        );
        report.warn(at, format!("ground.metres[{worst}]"), message);
    }
}

fn lens(table: Table<LensRaw>, report: &mut Report<'_>) -> Option<Lens> {
    let at = table.span();
    let raw = table.into_inner();
    let before = report.faults();
    let within = |low: f64, high: f64| {
        move |pair: &[f64; 2]| match pair.iter().find(|v| !(low..=high).contains(*v)) {
            None => Ok(()),
            Some(v) => Err(format!("{v} is not from {low} to {high}; a fraction of the picture's width or height")),
        }
    };
    if !raw.focal.is_set() {
        report.fault(&at, "ground.lens.focal", "missing: fx / width and fy / height");
    }
    let focal = raw.focal.checked(report, "ground.lens.focal", within(0.05, 50.0));
    let center = raw.center.checked(report, "ground.lens.center", within(-1.0, 2.0)).unwrap_or([0.5; 2]);
    let mut distortion = [0.0; 5];
    let given = raw.distortion.checked(report, "ground.lens.distortion", |list| {
        if list.len() <= distortion.len() && list.iter().all(|v| v.is_finite()) {
            Ok(())
        } else {
            Err("up to five numbers: k1, k2, p1, p2, k3".into())
        }
    });
    distortion.iter_mut().zip(given.unwrap_or_default()).for_each(|(own, k)| *own = k);
    let lens = Lens { focal: focal?, center, distortion };
    if report.faults() > before {
        return None;
    }
    let step = |i: u32| f64::from(i) / f64::from(LENS_STEPS);
    let mut places = (0..=LENS_STEPS).flat_map(|i| (0..=LENS_STEPS).map(move |j| Point { x: step(i), y: step(j) }));
    if let Some(p) = places.find(|p| lens.undistort(*p).is_none()) {
        let message = format!("folds the picture at [{}, {}]: check the coefficients and their order", p.x, p.y);
        report.fault(&at, "ground.lens.distortion", message);
        return None;
    }
    Some(lens)
}

/// A zone whose density is told needs ground, and enough of it: in a smaller one a single person is a crowd.
pub fn check_density(camera: &Camera, place: RulePlace, report: &mut Report<'_>, path: &str, at: &Range<usize>) {
    let (RulePlace::Zone(zone), field) = (place, format!("{path}.kind")) else { return };
    match &camera.ground {
        None => report.fault(
            at,
            field,
            "`density` is people a square metre: the camera needs `[ground]` or `ground = \"learn\"`",
        ),
        Some(Ground { plane: GroundPlane::Known(known), .. }) => {
            let area = known.plane.area(&camera.zones[zone].polygon);
            if area > 0.0 && area < LEAST_AREA {
                let message =
                    format!("the zone covers {area:.1} m2 of ground; `density` needs {LEAST_AREA} m2 or more");
                report.fault(at, field, message);
            }
        }
        Some(Ground { plane: GroundPlane::Learnt { .. }, .. }) => {}
    }
}

/// A zone that is to be measured must lie on the ground.
pub fn check_zone(ground: Option<&Ground>, polygon: &Polygon, report: &mut Report<'_>, path: &str, at: &Range<usize>) {
    let Some(Ground { plane: GroundPlane::Known(known), .. }) = ground else { return };
    if known.plane.area(polygon) <= 0.0 {
        report.fault(at, path, "lies above the horizon of [ground]: nobody can stand there");
    } else if polygon.points().iter().any(|p| known.plane.scale(*p).is_none()) {
        report.warn(
            at,
            path,
            "reaches above the horizon of [ground], or too far; only the part below counts as ground",
        );
    }
}

/// A line that people are to cross must lie on the ground.
pub fn check_line(ground: Option<&Ground>, points: &[Point], report: &mut Report<'_>, path: &str, at: &Range<usize>) {
    let Some(Ground { plane: GroundPlane::Known(known), .. }) = ground else { return };
    let beyond = points.iter().filter(|p| known.plane.scale(**p).is_none()).count();
    if beyond == points.len() && beyond > 0 {
        report.fault(at, path, "lies above the horizon of [ground]: nobody can cross it");
    } else if beyond > 0 {
        report.warn(at, path, "reaches above the horizon of [ground], or too far: nobody can cross it there");
    }
}
