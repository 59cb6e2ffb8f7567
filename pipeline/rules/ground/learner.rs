//! A ground plane from the people themselves: how high they appear where they stand.

use std::fmt;

use super::pose::{self, Fit, Scratch, View};
use super::sampler::{CELLS, Sampler, cell};
use crate::rules::people::Person;
use crate::types::{HeightSample, LearntGround, Lens, MediaTime, Plane, Point, Pose, Size, Span};

/// Samples kept of each cell, the latest.
const CELL_SAMPLES: usize = 6;
/// Samples kept.
const MOST_SAMPLES: usize = CELLS[0] * CELLS[1] * CELL_SAMPLES;
/// Between two fits.
const EVERY: Span = Span::from_secs(5);
/// A plane is ready from so many people, in so many cells of the picture.
const PEOPLE: usize = 10;
const PLACES: usize = 12;
/// And where lengths are that sure (standard error), and heights scatter no more about it.
const ERROR: f64 = 0.15;
const SCATTER: f64 = 0.15;
/// A plane replaces an earlier one where its error is that much smaller, where it is surer and lengths differ by so much,
/// or where it differs by twice that one's error.
const BETTER: f64 = 0.75;
const DIFFERENT: f64 = 0.04;
/// Another shape of the picture is another view.
const SHAPE: f64 = 0.02;

/// Why a plane is not ready.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum NotReady {
    /// So few people stood free.
    People {
        /// So far.
        seen: usize,
    },
    /// They were in so few parts of the picture.
    Places {
        /// So far.
        seen: usize,
    },
    /// They do not appear higher towards the lower edge.
    NoHorizon,
    /// Their heights scatter too much: not one level ground, or not people.
    Scatter {
        /// Robust standard deviation, a fraction.
        scatter: f64,
    },
    /// The heights fit many planes.
    Uncertain {
        /// Standard error of lengths, a fraction.
        error: f64,
    },
}

/// Learns the plane of one camera.
pub struct Learner {
    lens: Option<Lens>,
    /// Height of a person, metres.
    body: f64,
    freeze: bool,
    sampler: Sampler,
    state: LearntGround,
    /// Added to tracks, so that those of an earlier run are other people.
    base: u64,
    /// Samples since the last fit.
    fresh: usize,
    next_fit: MediaTime,
    verdict: Result<(), NotReady>,
    scatter: Option<f64>,
    scratch: Scratch,
    people: Vec<u64>,
}

impl Learner {
    /// Goes on from an earlier state, if there is one. With `freeze` a plane that is ready stays as it is.
    pub fn new(lens: Option<Lens>, body: f64, freeze: bool) -> Self {
        Self {
            lens,
            body,
            freeze,
            sampler: Sampler::new(),
            state: LearntGround { samples: Vec::with_capacity(MOST_SAMPLES + 1), ..LearntGround::default() },
            base: 0,
            fresh: 0,
            next_fit: MediaTime::ZERO,
            verdict: Err(NotReady::People { seen: 0 }),
            scatter: None,
            scratch: Scratch::default(),
            people: Vec::with_capacity(MOST_SAMPLES),
        }
    }

    /// What was learnt so far.
    pub fn state(&self) -> &LearntGround {
        &self.state
    }

    /// Goes on from an earlier state, of which only what makes sense is taken. Gives the plane that it had published.
    pub fn restore(&mut self, state: LearntGround) -> Option<Plane> {
        let sound = |s: &HeightSample| {
            [s.x, s.y].iter().all(|v| (-1.0..=2.0).contains(v)) && (-8.0..1.0).contains(&s.log_height)
        };
        let samples = &mut self.state.samples;
        samples.clear();
        samples.extend(state.samples.into_iter().filter(sound).take(MOST_SAMPLES));
        self.base = samples.iter().map(|s| s.who).max().map_or(0, |most| most.saturating_add(1));
        let usable = |pose: &Pose| self.view(state.aspect).is_some_and(|view| self.plane(pose, &view).is_some());
        let (pose, published) = (state.pose.filter(usable), state.published.filter(usable));
        (self.state.aspect, self.state.pose, self.state.published) = (state.aspect, pose, published);
        self.fresh = self.state.samples.len();
        self.published()
    }

    /// Forgets everything.
    pub fn relearn(&mut self) {
        let mut samples = std::mem::take(&mut self.state.samples);
        samples.clear();
        self.state = LearntGround { samples, ..LearntGround::default() };
        (self.fresh, self.scatter) = (0, None);
        self.verdict = Err(NotReady::People { seen: 0 });
        self.sampler = Sampler::new();
    }

    /// From now on a plane that is ready stays as it is, or not.
    pub fn set_freeze(&mut self, freeze: bool) {
        self.freeze = freeze;
    }

    /// The pose that rules measure by; else why there is none.
    pub fn published_pose(&self) -> Result<&Pose, NotReady> {
        self.state.published.as_ref().ok_or(self.verdict.err().unwrap_or(NotReady::People { seen: 0 }))
    }

    /// Height of a person, metres.
    pub fn body(&self) -> f64 {
        self.body
    }

    /// Samples kept, and people they are of.
    pub fn counts(&self) -> (usize, usize) {
        (self.state.samples.len(), self.people.len())
    }

    /// Robust standard deviation of the heights about the last fit, a fraction.
    pub fn scatter(&self) -> Option<f64> {
        self.scatter
    }

    /// Height (a fraction of the picture's) at which a person with feet at this place (a fraction) appears; `None` until
    /// a plane is published.
    pub fn expected_height(&self, feet: Point) -> Option<f64> {
        let straight = self.lens.map_or(Some(feet), |lens| lens.undistort(feet))?;
        let view = self.view(self.state.aspect)?;
        pose::expected_height(self.state.published.as_ref()?, &view, straight.x, straight.y)
    }

    /// Takes the people of a picture. A plane: from now on this one is in force.
    pub fn observe(&mut self, time: MediaTime, size: Size, people: &[Person]) -> Option<Plane> {
        let aspect = f64::from(size.width) / f64::from(size.height.max(1));
        let lens = self.lens;
        if (aspect / self.state.aspect).ln().abs() > SHAPE {
            self.relearn();
        }
        self.state.aspect = aspect;
        let (samples, fresh, base) = (&mut self.state.samples, &mut self.fresh, self.base);
        self.sampler.observe(time, size, people, lens.as_ref(), |sample| {
            *fresh += 1;
            keep(samples, HeightSample { who: sample.who.saturating_add(base), ..sample });
        });
        if self.fresh == 0 || time < self.next_fit || (self.freeze && self.state.published.is_some()) {
            return None;
        }
        self.next_fit = time + EVERY;
        self.fresh = 0;
        self.fit()
    }

    /// The last picture is over: whoever is in view counts too. Gives a plane as [`Self::observe`] does.
    pub fn finish(&mut self) -> Option<Plane> {
        let (samples, base) = (&mut self.state.samples, self.base);
        let end = MediaTime::from_nanos(i64::MAX);
        self.sampler.observe(end, Size::new(1, 1), &[], None, |sample| {
            keep(samples, HeightSample { who: sample.who.saturating_add(base), ..sample });
        });
        if self.freeze && self.state.published.is_some() { None } else { self.fit() }
    }

    fn fit(&mut self) -> Option<Plane> {
        let view = self.view(self.state.aspect)?;
        let samples = &self.state.samples;
        self.people.clear();
        self.people.extend(samples.iter().map(|s| s.who));
        self.people.sort_unstable();
        self.people.dedup();
        let mut places = [false; CELLS[0] * CELLS[1]];
        samples.iter().for_each(|s| places[cell(Point { x: s.x, y: s.y })] = true);
        let (people, places) = (self.people.len(), places.iter().filter(|seen| **seen).count());
        self.verdict = if people < PEOPLE {
            Err(NotReady::People { seen: people })
        } else if places < PLACES {
            Err(NotReady::Places { seen: places })
        } else {
            let again = self.state.pose.and_then(|pose| pose::fit(samples, &view, Some(&pose), &mut self.scratch));
            match again.or_else(|| pose::fit(samples, &view, None, &mut self.scratch)) {
                None => {
                    self.state.pose = None;
                    Err(NotReady::NoHorizon)
                }
                Some(Fit { pose, scatter }) => {
                    (self.state.pose, self.scatter) = (Some(pose), Some(scatter));
                    if scatter > SCATTER {
                        Err(NotReady::Scatter { scatter })
                    } else if pose.error > ERROR {
                        Err(NotReady::Uncertain { error: pose.error })
                    } else {
                        Ok(())
                    }
                }
            }
        };
        let pose = self.state.pose.filter(|_| self.verdict.is_ok())?;
        if self.state.published.is_some_and(|old| !self.is_news(&old, &pose, &view)) {
            return None;
        }
        let plane = self.plane(&pose, &view)?;
        self.state.published = Some(pose);
        Some(plane)
    }

    /// Whether a pose is worth that everything measured so far is measured anew.
    fn is_news(&self, old: &Pose, new: &Pose, view: &View) -> bool {
        let mean = pose::difference(&self.state.samples, view, old, new);
        let surer = new.error < old.error && mean > DIFFERENT;
        new.error < BETTER * old.error || surer || mean > 2.0 * old.error
    }

    fn published(&self) -> Option<Plane> {
        self.plane(self.state.published.as_ref()?, &self.view(self.state.aspect)?)
    }

    fn plane(&self, pose: &Pose, view: &View) -> Option<Plane> {
        pose::plane(pose, view, self.body)
    }

    fn view(&self, aspect: f64) -> Option<View> {
        (aspect.is_finite() && aspect > 0.0).then_some(View { aspect, lens: self.lens })
    }
}

/// The oldest sample of a full cell makes room.
fn keep(samples: &mut Vec<HeightSample>, sample: HeightSample) {
    let place = |s: &HeightSample| cell(Point { x: s.x, y: s.y });
    let own = place(&sample);
    if samples.iter().filter(|s| place(s) == own).count() >= CELL_SAMPLES
        && let Some(oldest) = samples.iter().position(|s| place(s) == own)
    {
        samples.remove(oldest);
    }
    samples.push(sample);
}

impl fmt::Display for NotReady {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::People { seen } => write!(f, "{seen} people stood free so far; {PEOPLE} are needed"),
            Self::Places { seen } => {
                write!(f, "people stood in {seen} of {} parts of the picture; {PLACES} are needed", CELLS[0] * CELLS[1])
            }
            Self::NoHorizon => f.write_str("people do not appear higher towards the lower edge of the picture"),
            Self::Scatter { scatter } => {
                write!(f, "heights scatter by {:.0} %; at most {:.0} %", scatter * 100.0, SCATTER * 100.0)
            }
            Self::Uncertain { error } => {
                write!(f, "lengths are uncertain by {:.0} %; at most {:.0} %", error * 100.0, ERROR * 100.0)
            }
        }
    }
}
