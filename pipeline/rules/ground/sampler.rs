//! Heights worth learning from: of people who stand free, one mean for each cell of the picture that somebody crosses.

use crate::rules::people::Person;
use crate::types::{HeightSample, Lens, MediaTime, Point, Size, Span, TrackId};

/// Cells across and down.
pub const CELLS: [usize; 2] = [16, 12];
/// Somebody not seen free for so long has left the cell.
const LEFT: Span = Span::from_secs(2);
/// People followed at the same time at most; more are not learnt from.
const MOST_VISITS: usize = 256;
/// A box so near the picture's edge, a fraction of its size, may be cut.
const MARGIN: f64 = 0.01;

/// Follows people through the cells of the picture.
#[derive(Default)]
pub struct Sampler {
    /// By track.
    visits: Vec<Visit>,
}

struct Visit {
    who: TrackId,
    cell: usize,
    seen: MediaTime,
    count: f64,
    sum: [f64; 3],
}

impl Sampler {
    /// Room for everybody.
    pub fn new() -> Self {
        Self { visits: Vec::with_capacity(MOST_VISITS) }
    }

    /// Takes the people of a picture and gives a sample for each cell that somebody has left, in the order of tracks.
    pub fn observe(
        &mut self,
        time: MediaTime,
        size: Size,
        people: &[Person],
        lens: Option<&Lens>,
        mut take: impl FnMut(HeightSample),
    ) {
        self.visits.retain(|visit| {
            let stays = time - visit.seen <= LEFT;
            if !stays {
                take(visit.sample());
            }
            stays
        });
        for person in people.iter().filter(|p| p.is_free && inside(p, size)) {
            let straight = |p: Point| lens.map_or(Some(p), |lens| lens.undistort(p));
            let (feet, head) = (person.feet_fraction, size.to_fraction(person.head()));
            let (Some(foot), Some(head)) = (straight(feet), straight(head)) else { continue };
            let height = foot.y - head.y;
            if height.is_nan() || height <= 0.0 {
                continue;
            }
            let cell = cell(feet);
            let here = Visit { who: person.id, cell, seen: time, count: 1.0, sum: [foot.x, foot.y, height.ln()] };
            match self.visits.binary_search_by_key(&person.id, |v| v.who) {
                Ok(i) if self.visits[i].cell == cell => self.visits[i].add(&here),
                Ok(i) => take(std::mem::replace(&mut self.visits[i], here).sample()),
                Err(i) if self.visits.len() < MOST_VISITS => self.visits.insert(i, here),
                Err(_) => {}
            }
        }
    }
}

impl Visit {
    fn add(&mut self, more: &Self) {
        (self.seen, self.count) = (more.seen, self.count + more.count);
        self.sum.iter_mut().zip(more.sum).for_each(|(own, more)| *own += more);
    }

    fn sample(&self) -> HeightSample {
        let [x, y, log_height] = self.sum.map(|v| v / self.count);
        HeightSample { who: self.who.0, x, y, log_height }
    }
}

/// The cell of a place, a fraction of the picture.
pub fn cell(p: Point) -> usize {
    let index = |v: f64, n: usize| ((v * n as f64).max(0.0) as usize).min(n - 1);
    index(p.y, CELLS[1]) * CELLS[0] + index(p.x, CELLS[0])
}

fn inside(person: &Person, size: Size) -> bool {
    let (w, h) = (f64::from(size.width), f64::from(size.height));
    let b = &person.bbox;
    let [left, top, right, bottom] = [b.left, b.top, b.right(), b.bottom()].map(f64::from);
    left > MARGIN * w && right < (1.0 - MARGIN) * w && top > MARGIN * h && bottom < (1.0 - MARGIN) * h
}
