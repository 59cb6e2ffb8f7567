//! Analysed pictures as people may see them: redacted, then drawn on. Live pictures and annotated video come from here
//! and from nowhere else.

use std::fmt::Write;
use std::sync::Arc;

use super::draw::{self, Canvas};
use super::raised::{Raised, Shown};
use super::redact::{REACH, RedactError, Redacted, Redactor};
use super::text;
use crate::config::plan::{Camera, Line};
use crate::types::{
    Detection, Frame, MediaTime, PictureError, PixelFormat, Point, Polygon, Rect, Shape, Shift, Size, Target, Track,
    TrackId,
};

/// Widest picture that leaves, pixels.
pub const WIDEST: u32 = 640;

/// The last place inside the picture, as a fraction.
const INSIDE: f64 = 1.0 - 1e-9;

/// What was found in one analysed picture.
#[derive(Clone, Copy)]
pub struct Seen<'a> {
    /// The picture, masked.
    pub frame: &'a Frame,
    /// From score 0.1 up.
    pub detections: &'a [Detection],
    /// All live tracks, coasting ones too.
    pub tracks: &'a [Track],
    /// People in each zone, in the order of the plan.
    pub zone_people: &'a [u32],
    /// Crossings of each line so far, left to right and right to left, in the order of the plan.
    pub line_counts: &'a [[u64; 2]],
    /// Where zones and lines lie in it, of a camera that moves; empty: as they are drawn.
    pub shapes: &'a [Vec<Shape>; 2],
    /// How it lies against the one before it.
    pub shift: Shift,
}

/// A picture that may leave.
pub struct Annotated<'a> {
    /// Packed BGR.
    pub bgr: &'a [u8],
    /// Size in pixels.
    pub size: Size,
    /// Its presentation time.
    pub time: MediaTime,
}

/// A redacted picture before anything is drawn on it.
pub struct Undrawn<'a> {
    picture: Redacted<'a>,
    pen: &'a mut Pen,
    camera: &'a Camera,
    note: &'a Note,
    raised: &'a Raised,
}

/// A picture that cannot be redacted and therefore does not leave. What follows it needs a new [`Overlay`]: the people
/// of the lost picture cover its neighbours too. Never worth a retry.
#[derive(Debug, thiserror::Error)]
pub enum OverlayError {
    /// The pixels.
    #[error(transparent)]
    Convert(#[from] PictureError),
    /// Their number.
    #[error(transparent)]
    Redact(#[from] RedactError),
}

/// Redacts the pictures of one camera and draws what was found on them; two analysed pictures late, since the people of
/// those cover a picture too. Buffers are reused.
pub struct Overlay {
    camera: Arc<Camera>,
    redactor: Redactor,
    bgr: Vec<u8>,
    boxes: Vec<Rect>,
    /// A ring; picture number n is in slot n % (REACH + 1).
    notes: [Note; REACH + 1],
    taken: u64,
    pen: Pen,
}

/// What is drawn on one picture.
#[derive(Default)]
struct Note {
    marks: Vec<Mark>,
    zone_people: Vec<u32>,
    line_counts: Vec<[u64; 2]>,
    shapes: [Vec<Shape>; 2],
}

#[derive(Clone, Copy)]
struct Mark {
    id: TrackId,
    /// Fractions.
    bbox: Rect,
    counts: bool,
}

/// How it is drawn.
struct Pen {
    clock: bool,
    text: String,
}

/// The size in which a picture of `source` leaves: at most [`WIDEST`], and even, for chroma at half the resolution.
pub fn fitted(source: Size) -> Size {
    let width = source.width.clamp(2, WIDEST);
    let height = u64::from(source.height) * u64::from(width) / u64::from(source.width.max(1));
    Size::new(width & !1, u32::try_from(height.max(2) & !1).unwrap_or(2))
}

impl Overlay {
    /// Nothing seen yet.
    pub fn new(camera: Arc<Camera>) -> Self {
        let pen = Pen { clock: false, text: String::new() };
        Self {
            camera,
            redactor: Redactor::new(),
            bgr: Vec::new(),
            boxes: Vec::new(),
            notes: std::array::from_fn(|_| Note::default()),
            taken: 0,
            pen,
        }
    }

    /// From now on this plan is drawn, also on the pictures that are held: without their counts, which are of another one.
    pub fn replan(&mut self, camera: Arc<Camera>) {
        self.camera = camera;
        for note in &mut self.notes {
            note.zone_people.clear();
            note.line_counts.clear();
            note.shapes.iter_mut().for_each(Vec::clear);
        }
    }

    /// Pictures that were covered as a whole because they had too many boxes.
    pub fn covered(&self) -> u64 {
        self.redactor.covered()
    }

    /// Writes the media time and the number of people on each picture too.
    pub fn with_clock(mut self) -> Self {
        self.pen.clock = true;
        self
    }

    /// Takes an analysed picture, scaled to `size`, and gives the one of two pictures ago; `None` while there is none.
    /// Without a size the picture itself is not wanted, only its people: they cover its neighbours too.
    pub fn push<'a>(
        &'a mut self,
        seen: &Seen<'_>,
        size: Option<Size>,
        raised: &'a Raised,
    ) -> Result<Option<Annotated<'a>>, OverlayError> {
        Ok(self.redact(seen, size, raised)?.map(Undrawn::draw))
    }

    /// The same picture, not drawn on yet.
    pub fn redact<'a>(
        &'a mut self,
        seen: &Seen<'_>,
        size: Option<Size>,
        raised: &'a Raised,
    ) -> Result<Option<Undrawn<'a>>, OverlayError> {
        let source = seen.frame.picture.size();
        if let Some(size) = size {
            seen.frame.picture.convert(Target { size, format: PixelFormat::Bgr24 }, &mut self.bgr)?;
        }
        self.boxes.clear();
        self.boxes.extend(seen.detections.iter().map(|d| d.bbox).chain(seen.tracks.iter().map(|t| t.bbox)));
        self.notes[slot_of(self.taken)].take(seen, source);
        self.taken += 1;
        let (index, time) = (seen.frame.index, seen.frame.time);
        self.redactor.shift(seen.shift);
        let released = match size {
            Some(size) => self.redactor.push(&mut self.bgr, size, Some(&self.boxes), source, index, time)?,
            None => self.redactor.pass(Some(&self.boxes), source),
        };
        let Some(picture) = released else { return Ok(None) };
        let note = &self.notes[slot_of(picture.number)];
        Ok(Some(Undrawn { picture, pen: &mut self.pen, camera: &self.camera, note, raised }))
    }

    /// At the end of a stream: the next of the pictures that are still held, oldest first; `None` when none is.
    pub fn flush(&mut self, raised: &Raised) -> Option<Annotated<'_>> {
        let picture = self.redactor.flush()?;
        let note = &self.notes[slot_of(picture.number)];
        Some(self.pen.draw(picture, &self.camera, note, raised))
    }
}

impl<'a> Undrawn<'a> {
    /// Packed BGR and the size in pixels.
    pub fn pixels(&self) -> (&[u8], Size) {
        (self.picture.bgr, self.picture.size)
    }

    /// Draws what was found.
    pub fn draw(self) -> Annotated<'a> {
        self.pen.draw(self.picture, self.camera, self.note, self.raised)
    }
}

const fn slot_of(number: u64) -> usize {
    (number % (REACH as u64 + 1)) as usize
}

impl Note {
    fn take(&mut self, seen: &Seen<'_>, source: Size) {
        let (w, h) = (1.0 / source.width.max(1) as f32, 1.0 / source.height.max(1) as f32);
        let mark = |t: &Track| Mark { id: t.id, bbox: t.bbox.scaled(w, h), counts: t.counts() };
        self.marks.clear();
        self.marks.extend(seen.tracks.iter().filter(|t| t.matched).map(mark));
        self.zone_people.clear();
        self.zone_people.extend_from_slice(seen.zone_people);
        self.line_counts.clear();
        self.line_counts.extend_from_slice(seen.line_counts);
        for (own, shapes) in self.shapes.iter_mut().zip(seen.shapes) {
            own.clone_from(shapes);
        }
    }

    /// The corners of a zone of the plan in this picture; `None` while it rests.
    fn zone<'a>(&'a self, camera: &'a Camera, zone: usize) -> Option<&'a [Point]> {
        placed(&self.shapes[0], zone, camera.zones.get(zone)?.polygon.points())
    }

    /// The points of a line.
    fn line<'a>(&'a self, camera: &'a Camera, line: usize) -> Option<&'a [Point]> {
        placed(&self.shapes[1], line, &camera.lines.get(line)?.points)
    }
}

fn placed<'a>(shapes: &'a [Shape], index: usize, drawn: &'a [Point]) -> Option<&'a [Point]> {
    match shapes.get(index) {
        None => Some(drawn),
        Some(shape) => (!shape.rests).then_some(shape.points.as_slice()),
    }
}

impl Pen {
    fn draw<'a>(&mut self, picture: Redacted<'a>, camera: &Camera, note: &Note, raised: &Raised) -> Annotated<'a> {
        let Redacted { bgr, size, time, .. } = picture;
        if let Some(mut canvas) = Canvas::new(bgr, size) {
            self.shapes(&mut canvas, camera, note, raised, time);
            self.labels(&mut canvas, camera, note, raised, time);
        }
        Annotated { bgr, size, time }
    }

    fn shapes(&self, canvas: &mut Canvas<'_>, camera: &Camera, note: &Note, raised: &Raised, time: MediaTime) {
        for i in 0..camera.zones.len() {
            let Some(points) = note.zone(camera, i) else { continue };
            let alert = raised.at(time).filter(|s| s.zone == Some(i)).max_by_key(|s| s.severity);
            canvas.outline(points, alert.map_or(draw::ZONE, |s| s.colour()));
        }
        for i in 0..camera.lines.len() {
            let Some(points) = note.line(camera, i) else { continue };
            let alert = raised.at(time).filter(|s| s.line == Some(i)).max_by_key(|s| s.severity);
            canvas.path(points, alert.map_or(draw::LINE, |s| s.colour()));
        }
        for mark in &note.marks {
            // As the rules do: whoever stands below the picture's edge stands on it.
            let Point { x, y } = mark.bbox.feet();
            let feet = Point { x: x.clamp(0.0, INSIDE), y: y.clamp(0.0, INSIDE) };
            let contains = |i: usize| match note.shapes[0].get(i) {
                None => camera.zones.get(i).is_some_and(|zone| zone.polygon.contains(feet)),
                Some(shape) => !shape.rests && Polygon::new(shape.points.clone()).contains(feet),
            };
            let here = |zone: Option<usize>| zone.is_some_and(contains);
            let about = |s: &&Shown| s.track == Some(mark.id) || (s.whoever && mark.counts && here(s.zone));
            let alert = raised.at(time).filter(about).max_by_key(|s| s.severity);
            let plain = if mark.counts { draw::PERSON } else { draw::UNSURE };
            canvas.frame(mark.bbox, alert.map_or(plain, |s| s.colour()));
        }
    }

    fn labels(&mut self, canvas: &mut Canvas<'_>, camera: &Camera, note: &Note, raised: &Raised, time: MediaTime) {
        if self.clock {
            let tenths = time.nanos() / 100_000_000;
            let (minutes, seconds) = (tenths / 600, tenths / 10 % 60);
            let people = note.marks.iter().filter(|m| m.counts).count();
            let unit = if text::is_chinese(&camera.name) { "人" } else { " people" };
            self.write(format_args!("{people}{unit}  {minutes}:{seconds:02}.{}", tenths % 10));
            canvas.label(Point { x: 1.0, y: 0.0 }, &self.text, draw::PLAIN);
        }
        for shown in raised.at(time) {
            shown.say(time, &mut self.text);
            canvas.label(Point { x: 0.0, y: 0.0 }, &self.text, shown.colour());
        }
        // What stays in its place comes first.
        for (i, (zone, people)) in camera.zones.iter().zip(&note.zone_people).enumerate() {
            let Some(points) = note.zone(camera, i) else { continue };
            self.write(format_args!("{}: {people}", zone.name));
            canvas.label(highest(points), &self.text, draw::ZONE);
        }
        for (i, (line, [right, left])) in camera.lines.iter().zip(&note.line_counts).enumerate() {
            let Some(points) = note.line(camera, i) else { continue };
            let (l, r) = sides(line);
            self.write(format_args!("{}: {l}→{r} {right}, {r}→{l} {left}", line.name));
            canvas.label(highest(points), &self.text, draw::LINE);
        }
        for mark in &note.marks {
            if let Some(shown) = raised.at(time).find(|s| s.track == Some(mark.id)) {
                let unit = if shown.chinese { "秒" } else { " s" };
                self.write(format_args!("{:.0}{unit}", shown.seconds(time)));
                let corner = Point { x: f64::from(mark.bbox.left), y: f64::from(mark.bbox.top) };
                canvas.label(corner, &self.text, shown.colour());
            }
        }
    }

    fn write(&mut self, text: std::fmt::Arguments<'_>) {
        self.text.clear();
        // Writing to a string cannot fail.
        self.text.write_fmt(text).unwrap_or_default();
    }
}

fn sides(line: &Line) -> (&str, &str) {
    (line.left.as_deref().unwrap_or("left"), line.right.as_deref().unwrap_or("right"))
}

/// The highest of the points, of these the leftmost.
fn highest(points: &[Point]) -> Point {
    let order = |a: &&Point, b: &&Point| a.y.total_cmp(&b.y).then(a.x.total_cmp(&b.x));
    points.iter().min_by(order).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests;
