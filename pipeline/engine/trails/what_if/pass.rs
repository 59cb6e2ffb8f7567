//! The rules of one camera over blocks, one picture after the other: the judge that is live, on what is kept.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::incident::Told;
use super::is_long;
use crate::alerts::IncidentConfig;
use crate::config::plan::{Anchor, Camera, Condition, GroundPlane, MaskKind, RulePlace};
use crate::engine::stages::Judge;
use crate::engine::trails::block::Block;
use crate::engine::trails::read::{Blocks, Stretch};
use crate::engine::trails::scenes::Scenes;
use crate::engine::trails::store::StoreError;
use crate::types::{EndReason, Event, LearntGround, Point, Polygon, Rect, Size, Span, Track, TrackId};

/// Whom nobody has seen for so long is not remembered, milliseconds.
const FORGET: i64 = 3_600_000;
/// Boxes of events are rounded; so near is the same, fractions.
const SAME: f64 = 2e-3;

/// What a pass judges by.
pub struct Rules<'a> {
    site: &'a str,
    /// With the ground that lengths are measured by.
    pub camera: Arc<Camera>,
    learnt: Option<&'a LearntGround>,
    ignored: Vec<&'a Polygon>,
}

/// Blocks that begin from one time to before another, Unix milliseconds; the last part of all has no end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// From this time on.
    pub from: i64,
    /// Before this one.
    pub until: i64,
}

/// One pass.
pub struct Pass<'a> {
    rules: &'a Rules<'a>,
    asked: Stretch,
    zone: &'a TimeZone,
    judge: Judge,
    run: Option<u64>,
    zero: i64,
    last: i64,
    events: Vec<Event>,
    kept: Vec<Track>,
    /// When and where everybody was seen last, and who that was, where a rule asks.
    lost: Option<BTreeMap<TrackId, (i64, Rect, u64)>>,
    /// Not all pictures are looked at.
    coarse: bool,
    told: Told,
}

impl<'a> Rules<'a> {
    /// Of a camera of the site with this id. `learnt` is the ground that the camera has learnt: it is taken as it is now.
    pub fn new(site: &'a str, camera: &'a Arc<Camera>, learnt: Option<&'a LearntGround>) -> Self {
        let learns = matches!(camera.ground.as_ref().map(|g| &g.plane), Some(GroundPlane::Learnt { .. }));
        let learnt = learnt.filter(|state| learns && state.published.is_some());
        let ignored = camera.masks.iter().filter(|m| m.kind == MaskKind::Ignore).map(|m| &m.polygon).collect();
        // A ground that is not learnt yet measures nothing; it is not learnt here either.
        let camera = if learns && learnt.is_none() {
            Arc::new(Camera { ground: None, ..(**camera).clone() })
        } else {
            Arc::clone(camera)
        };
        Self { site, camera, learnt, ignored }
    }

    /// Time without pictures after which incidents end.
    pub fn outage(&self) -> Span {
        self.camera.source.as_ref().map_or(Span::from_secs(10), |source| source.outage)
    }

    fn judge(&self) -> Judge {
        let (camera, outage) = (Arc::clone(&self.camera), self.outage());
        let mut judge = Judge::new(IncidentConfig { site: self.site.to_owned(), camera, outage }, false);
        judge.unread();
        if let Some(state) = self.learnt {
            judge.ground_mut().restore(state.clone());
            judge.ground_mut().set_freeze(true);
        }
        judge
    }
}

impl<'a> Pass<'a> {
    /// Before the first block; counts starts of the stretch that is `asked` for by days in `zone`.
    pub fn new(rules: &'a Rules<'a>, asked: Stretch, zone: &'a TimeZone) -> Self {
        let missed = rules.camera.rules.iter().any(|rule| rule.condition == Condition::Vanished);
        Self {
            rules,
            asked,
            zone,
            judge: rules.judge(),
            run: None,
            zero: 0,
            last: i64::MIN,
            events: Vec::new(),
            kept: Vec::new(),
            lost: missed.then(BTreeMap::new),
            coarse: is_long(asked),
            told: Told::default(),
        }
    }

    /// Runs over the blocks of a part.
    pub fn run(mut self, mut blocks: Blocks, part: Part) -> Result<Told, StoreError> {
        while let Some(block) = blocks.next()? {
            if (part.from..part.until).contains(&block.begin()) {
                self.block(&block);
            }
        }
        if part.until == i64::MAX {
            self.told.leave_open();
        } else {
            self.stop();
        }
        self.told.since(self.asked.from);
        Ok(self.told)
    }

    fn block(&mut self, block: &Block) {
        // Nobody goes on from one run to another, and time never runs backwards within one.
        if self.run != Some(block.run) || block.begin() <= self.last {
            self.stop();
            self.judge = self.rules.judge();
            (self.run, self.zero) = (Some(block.run), block.begin());
        }
        if let Some(lost) = &mut self.lost {
            lost.retain(|_, (seen, ..)| block.begin() - *seen <= FORGET);
        }
        let until = self.asked.until.as_millisecond();
        let mut scenes = if self.coarse { Scenes::coarse(block, self.zero) } else { Scenes::new(block, self.zero) };
        while let Some(scene) = scenes.next() {
            if scene.at >= until {
                break;
            }
            let Self { rules, judge, events, kept, lost, told, asked, zone, .. } = self;
            let tracks: &[Track] = if rules.ignored.is_empty() {
                scene.tracks
            } else {
                kept.clear();
                kept.extend(scene.tracks.iter().filter(|t| !rules.ignores(&t.bbox, block.size)));
                kept
            };
            let utc = Timestamp::from_millisecond(scene.at).unwrap_or_default();
            judge.observe(scene.time, utc, block.size, tracks, events);
            for event in events.drain(..) {
                told.take(&event, |e| day(e, asked, zone), |e| rules.whom(e, tracks, lost.as_ref(), block));
            }
            if let Some(lost) = lost {
                lost.extend(tracks.iter().map(|t| (t.id, (scene.at, t.bbox, person(block, t.id)))));
            }
            self.last = scene.at;
        }
    }

    /// The run is over: what is open ends.
    fn stop(&mut self) {
        self.judge.stop(EndReason::Stopped, &mut self.events);
        self.events.drain(..).for_each(|event| self.told.take(&event, |_| None, |_| Vec::new()));
    }
}

/// The day on which an incident of the stretch started.
fn day(event: &Event, asked: &Stretch, zone: &TimeZone) -> Option<Date> {
    let started = event.started_at?;
    (asked.from <= started && started < asked.until).then(|| zone.to_datetime(started).date())
}

impl Rules<'_> {
    fn ignores(&self, bbox: &Rect, size: Size) -> bool {
        let feet = anchor(bbox, Anchor::Feet, size);
        self.ignored.iter().any(|polygon| polygon.contains(feet))
    }

    /// Whom an event is about, by the ids of persons: the one with its box, or those of the zone who are nearest to its place.
    fn whom(
        &self,
        event: &Event,
        tracks: &[Track],
        lost: Option<&BTreeMap<TrackId, (i64, Rect, u64)>>,
        block: &Block,
    ) -> Vec<u64> {
        let size = block.size;
        if let Some(bbox) = event.bbox {
            let lost = lost.into_iter().flatten().map(|(_, (_, bbox, person))| (*person, *bbox));
            let mut all = tracks.iter().map(|t| (person(block, t.id), t.bbox)).chain(lost);
            return all.find(|(_, own)| is_same(own, bbox, size)).map(|(id, _)| id).into_iter().collect();
        }
        let Some(rule) = self.camera.rules.iter().find(|rule| Some(&rule.id) == event.rule.as_ref()) else {
            return Vec::new();
        };
        let RulePlace::Zone(zone) = rule.place else { return Vec::new() };
        let (polygon, middle) = (&self.camera.zones[zone].polygon, event.place_in_picture);
        let inside = tracks.iter().map(|t| (anchor(&t.bbox, rule.filter.anchor, size), person(block, t.id)));
        let inside = inside.filter(|(place, _)| polygon.contains(*place));
        let away = |p: Point| middle.map_or(0.0, |m| p.distance(m));
        let mut near: Vec<(f64, u64)> = inside.map(|(place, id)| (away(place), id)).collect();
        near.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let mut ids: Vec<u64> = near.into_iter().take(event.people as usize).map(|(_, id)| id).collect();
        ids.sort_unstable();
        ids
    }
}

/// The person whose track it is.
fn person(block: &Block, track: TrackId) -> u64 {
    block.trails.binary_search_by_key(&track.0, |t| t.id).map_or(track.0, |at| block.trails[at].person)
}

/// The point that stands for somebody, a fraction within the picture.
fn anchor(bbox: &Rect, anchor: Anchor, size: Size) -> Point {
    let p = size.to_fraction(match anchor {
        Anchor::Feet => bbox.feet(),
        Anchor::Center => bbox.center(),
    });
    let inside = 1.0 - 1e-9;
    Point { x: p.x.clamp(0.0, inside), y: p.y.clamp(0.0, inside) }
}

fn is_same(bbox: &Rect, [left, top, width, height]: [f64; 4], size: Size) -> bool {
    let (w, h) = (f64::from(size.width.max(1)), f64::from(size.height.max(1)));
    let own = [bbox.left, bbox.top, bbox.width, bbox.height].map(f64::from);
    [(own[0] / w, left), (own[1] / h, top), (own[2] / w, width), (own[3] / h, height)]
        .iter()
        .all(|(a, b)| (a - b).abs() < SAME)
}
