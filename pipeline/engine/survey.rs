//! The ground of one camera, looked at by itself: what a track file says of it, and a grid of metres on the picture.

use super::analyze::privacy_mask;
use super::grid;
use super::replay::{Row, Scenes};
use crate::alerts::draw::{Canvas, LINE, PERSON, ZONE};
use crate::alerts::overlay::fitted;
use crate::alerts::redact::{REACH, RedactError, Redacted, Redactor};
use crate::capture::{Clip, SourceError};
use crate::config::plan::Camera;
use crate::detect::{DetectError, Detector};
use crate::rules::{Ground, RuleSet};
use crate::types::{Batch, PictureError, PixelFormat, Plane, Point, Rect, Size, Target};

/// Every so many metres a line stands out.
const BOLD: i32 = 5;
/// Feet drawn at most.
const MOST_FEET: usize = 4_000;

/// Lets a camera without rules see the people of a file; `rows` must be sorted by frame, frame f is at (f-1)/fps. What is
/// learnt of the ground comes from all of them.
pub fn survey(camera: &Camera, rows: &[Row], fps: f64, size: Size) -> RuleSet {
    let mut camera = camera.clone();
    camera.rules.clear();
    let mut rules = RuleSet::new(&camera, true);
    let mut scenes = Scenes::new(rows, fps);
    while let Some((time, tracks)) = scenes.next() {
        rules.observe(time, size, tracks);
    }
    rules.ground_mut().finish();
    rules
}

/// A picture to draw on.
pub struct Background {
    /// Packed BGR.
    pub bgr: Vec<u8>,
    /// Size in pixels.
    pub size: Size,
}

/// A background that could not be made, so none is shown.
#[derive(Debug, thiserror::Error)]
pub enum BackgroundError {
    /// The file.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The model.
    #[error(transparent)]
    Detect(#[from] DetectError),
    /// The pixels.
    #[error(transparent)]
    Convert(#[from] PictureError),
    /// Their number.
    #[error(transparent)]
    Redact(#[from] RedactError),
}

impl Background {
    /// Nothing but ground, of a picture of `source`.
    pub fn plain(source: Size) -> Self {
        let size = fitted(source);
        Self { bgr: [62, 58, 54].repeat(size.area()), size }
    }

    /// The first picture of a video, or a picture file: privacy masks blacked out, people pixelated as in every picture
    /// that leaves. Those are whom the detector finds in the first pictures, and whom `rows` has there (pixels of
    /// `rows_in`). Without a detector the whole picture is pixelated.
    pub fn of(
        camera: &Camera,
        mut clip: Clip,
        mut detector: Option<Box<dyn Detector>>,
        rows: &[Row],
        rows_in: Size,
    ) -> Result<Option<Self>, BackgroundError> {
        let mask = privacy_mask(camera);
        let (mut redactor, mut found) = (Redactor::new(), Vec::new());
        let mut size = None;
        for _ in 0..=REACH {
            let Some(frame) = clip.next()? else { break };
            let frame = mask.apply(frame);
            let source = frame.picture.size();
            let boxes = match &mut detector {
                None => None,
                Some(detector) => {
                    detector.detect(&Batch { frames: std::slice::from_ref(&frame) }, &mut found)?;
                    let (sx, sy) = (
                        source.width as f32 / rows_in.width.max(1) as f32,
                        source.height as f32 / rows_in.height.max(1) as f32,
                    );
                    let known =
                        rows.iter().filter(|row| row.frame == frame.index + 1).map(|row| row.bbox.scaled(sx, sy));
                    let seen = found.iter().flat_map(|d| d.items.iter().map(|d| d.bbox));
                    Some(seen.chain(known).collect::<Vec<Rect>>())
                }
            };
            if size.is_some() {
                if let Some(picture) = redactor.pass(boxes.as_deref(), source) {
                    return Ok(Some(Self::from(&picture)));
                }
                continue;
            }
            let own = *size.insert(fitted(source));
            let mut bgr = Vec::new();
            frame.picture.convert(Target { size: own, format: PixelFormat::Bgr24 }, &mut bgr)?;
            redactor.push(&mut bgr, own, boxes.as_deref(), source, frame.index, frame.time)?;
        }
        // A file of a picture or two.
        Ok(redactor.flush().map(|picture| Self::from(&picture)))
    }
}

impl From<&Redacted<'_>> for Background {
    fn from(picture: &Redacted<'_>) -> Self {
        Self { bgr: picture.bgr.to_vec(), size: picture.size }
    }
}

/// Draws a grid of one metre, where people stood, and the zones.
pub fn draw(canvas: &mut Canvas<'_>, camera: &Camera, ground: &Ground, feet: &[Point]) {
    for zone in &camera.zones {
        canvas.outline(zone.polygon.points(), ZONE);
    }
    if let Some(plane) = ground.plane() {
        grid(canvas, plane);
    }
    let step = feet.len().div_ceil(MOST_FEET).max(1);
    for p in feet.iter().step_by(step) {
        canvas.path(&[*p, *p], PERSON);
    }
}

fn grid(canvas: &mut Canvas<'_>, plane: &Plane) {
    let lines = grid::lines(plane);
    for is_bold in [false, true] {
        for line in lines.iter().filter(|line| (line.at % BOLD == 0) == is_bold) {
            canvas.path(&line.points, if is_bold { LINE } else { [205, 205, 205] });
        }
    }
    // Two crossings of bold lines near the bottom say where the coordinates begin.
    let bold = |v: f64| (v / f64::from(BOLD)).round() * f64::from(BOLD);
    for place in [Point { x: 0.5, y: 0.9 }, Point { x: 0.5, y: 0.55 }] {
        let Some(metres) = plane.metres(place).map(|m| Point { x: bold(m.x), y: bold(m.y) }) else { continue };
        if let Some(p) = plane.picture(metres) {
            canvas.label(p, &format!("{:.0} m, {:.0} m", metres.x, metres.y), LINE);
        }
    }
}
