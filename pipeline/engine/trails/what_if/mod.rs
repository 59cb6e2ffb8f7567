//! What rules would have raised on what is kept, beside what today's rules would: both by the same judge that is live.
//!
//! | file | what is there |
//! |---|---|
//! | [`pass`] | one camera's rules over some blocks |
//! | [`incident`] | what they raise |
//! | [`cuts`] | where time can be cut so that parts may run beside each other |
//! | [`left_out`] | what trails cannot show |

pub mod cuts;
pub mod incident;
pub mod left_out;
pub mod pass;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use rayon::prelude::*;
use serde::Serialize;

use self::cuts::Cuts;
use self::incident::{Incident, Told};
use self::left_out::LeftOut;
use self::pass::{Part, Pass, Rules};
use super::read::{Covered, Stretch, TrailReader, outages};
use super::store::StoreError;
use crate::config::plan::{Camera, GroundPlane};
use crate::engine::ground::GroundMemory;
use crate::types::{LearntGround, Span};

/// Before the stretch that is asked about, rules see at least so much: what they know when it begins.
const LEAD: Span = Span::from_secs(180);
/// And at most so much.
const LONGEST_LEAD: Span = Span::from_secs(6 * 3600);
/// A longer stretch is judged by about two pictures a second, so that a day is answered at once, a shorter one by all.
pub const LONG: SignedDuration = SignedDuration::from_hours(6);
/// Incidents that an answer has of either side.
pub const MOST_INCIDENTS: usize = 10_000;

/// Answers what-if questions. Threads of its own, so that cameras keep theirs.
pub struct WhatIf {
    site: String,
    zone: TimeZone,
    reader: TrailReader,
    ground: GroundMemory,
    pool: rayon::ThreadPool,
}

/// A question about one camera.
#[derive(Clone, Debug)]
pub struct Question {
    /// With today's rules.
    pub now: Arc<Camera>,
    /// With changed rules; `None`: the same.
    pub then: Option<Arc<Camera>>,
    /// Which time.
    pub stretch: Stretch,
}

/// What was raised by either.
#[derive(Clone, Debug, Serialize)]
pub struct Answer {
    /// When there were pictures.
    pub covered: Vec<Stretch>,
    /// When there were none in between, for longer than the camera's `outage`.
    pub outages: Vec<Stretch>,
    /// By today's rules.
    pub now: Vec<Incident>,
    /// By the changed ones.
    pub then: Vec<Incident>,
    /// How many started, by day in the site's time zone.
    pub days: Vec<Day>,
    /// There were more incidents than an answer has; the days count them all.
    pub cut: bool,
    /// What stored trails cannot show.
    pub left_out: Vec<LeftOut>,
    /// How long it took.
    pub took_ms: u64,
}

/// Incidents that started on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Day {
    /// In the site's time zone.
    pub day: Date,
    /// By today's rules.
    pub now: u32,
    /// By the changed ones.
    pub then: u32,
}

/// A question that could not be answered.
#[derive(Debug, thiserror::Error)]
pub enum WhatIfError {
    /// The files of trails.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The system gives no threads.
    #[error("cannot start threads: {0}")]
    Threads(#[from] rayon::ThreadPoolBuildError),
}

impl WhatIf {
    /// Of the site with this id and data; days are those of `zone`. At most `threads` threads work.
    pub fn new(site: &str, zone: &TimeZone, data: &Path, threads: usize) -> Result<Self, WhatIfError> {
        let name = |i| format!("what-if-{i}");
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads.max(1)).thread_name(name).build()?;
        let (reader, ground) = (TrailReader::new(data), GroundMemory::new(data));
        Ok(Self { site: site.to_owned(), zone: zone.clone(), reader, ground, pool })
    }

    /// Runs both over what is kept.
    pub fn ask(&self, question: &Question) -> Result<Answer, WhatIfError> {
        let began = Instant::now();
        let then = question.then.as_ref().unwrap_or(&question.now);
        let learnt = self.learnt(&question.now);
        let sides = [&question.now, then].map(|camera| Rules::new(&self.site, camera, learnt.as_ref()));
        let lead = sides.iter().map(|rules| lead(&rules.camera)).max().unwrap_or(LEAD);
        let whole = Stretch::new(earlier(question.stretch.from, lead), question.stretch.until);

        let outage = sides[0].outage();
        let mut covered = Covered::new(question.stretch, outage);
        let mut cuts = [Cuts::new(&sides[0].camera), Cuts::new(&sides[1].camera)];
        let mut blocks = self.reader.blocks(&question.now.id, whole)?;
        while let Some(head) = blocks.next_head()? {
            covered.take(&head);
            cuts.iter_mut().for_each(|cuts| cuts.take(&head));
        }
        let differ = question.then.as_ref().is_some_and(|then| !Arc::ptr_eq(then, &question.now));
        let [now, then] = &cuts;
        let work = now.parts().into_iter().map(|part| (0, part));
        let work: Vec<(usize, Part)> =
            work.chain(then.parts().into_iter().filter(|_| differ).map(|part| (1, part))).collect();
        let passed: Vec<(usize, Told)> = self.pool.install(|| {
            let one = |(side, part): (usize, Part)| -> Result<(usize, Told), StoreError> {
                let blocks = self.reader.blocks(&question.now.id, whole)?;
                Ok((side, Pass::new(&sides[side], question.stretch, &self.zone).run(blocks, part)?))
            };
            work.into_par_iter().map(one).collect::<Result<_, StoreError>>()
        })?;
        let mut sums = [Told::default(), Told::default()];
        passed.into_iter().for_each(|(side, told)| sums[side].append(told));
        let [now, mut then] = sums;
        if !differ {
            then = now.clone();
        }
        let covered = covered.stretches();
        Ok(Answer {
            outages: outages(&covered),
            covered,
            days: days(&now, &then),
            cut: now.cut() || then.cut(),
            left_out: left_out::of(&sides[1].camera, &question.now, is_long(question.stretch)),
            now: now.incidents,
            then: then.incidents,
            took_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        })
    }

    /// What the camera has learnt of its ground so far.
    fn learnt(&self, camera: &Camera) -> Option<LearntGround> {
        if !matches!(camera.ground.as_ref()?.plane, GroundPlane::Learnt { .. }) {
            return None;
        }
        self.ground.load(&camera.id).unwrap_or_else(|error| {
            tracing::warn!(camera = camera.id, %error, "the learnt ground cannot be read: body heights measure");
            None
        })
    }
}

/// How much rules must have seen before they know what they would know.
fn lead(camera: &Camera) -> Span {
    let longest = camera.rules.iter().map(|r| r.incident.hold + r.incident.gap + r.incident.cooldown).max();
    (longest.unwrap_or(Span::ZERO) + LEAD).min(LONGEST_LEAD)
}

/// Whether not every picture of it is looked at.
fn is_long(stretch: Stretch) -> bool {
    stretch.until.duration_since(stretch.from) > LONG
}

fn earlier(at: Timestamp, by: Span) -> Timestamp {
    at.saturating_sub(SignedDuration::from_nanos(by.nanos())).unwrap_or(at)
}

fn days(now: &Told, then: &Told) -> Vec<Day> {
    let mut days: BTreeMap<Date, [u32; 2]> = BTreeMap::new();
    for (side, told) in [now, then].into_iter().enumerate() {
        told.days.iter().for_each(|(day, count)| days.entry(*day).or_default()[side] += count);
    }
    days.into_iter().map(|(day, [now, then])| Day { day, now, then }).collect()
}
