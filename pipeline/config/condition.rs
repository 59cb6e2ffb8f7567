//! What a rule watches: each kind asks for its own parameters and refuses those of others.

use std::ops::Range;

use super::camera::points;
use super::fault::Report;
use super::field::Field;
use super::plan::{Condition, Escalation, Length, Stay};
use super::raw::{RuleRaw, StayRaw};
use super::units::Distance;
use crate::types::{Kind, Point, Severity, Span, Unit};

/// What a kind sets in the shared machine.
pub struct Start {
    pub threshold: f64,
    pub unit: Unit,
    pub hold: Time,
    pub gap: Time,
    /// Unless the rule says otherwise.
    pub severity: Severity,
    /// Unless the rule says otherwise.
    pub escalate: Vec<Escalation>,
    /// How far below the threshold it is released, unless the rule says otherwise.
    pub hysteresis: f64,
    /// It holds from the threshold down.
    pub falling: bool,
}

/// A time of the shared machine.
pub enum Time {
    /// Unless the rule says otherwise.
    Usual(Span),
    /// The kind's own; a rule that gives one is refused.
    Own(Span),
}

const GAP: Span = Span::from_secs(1);
const LOITERING_GAP: Span = Span::from_secs(2);
/// Against the way: 1 body height of 1.70 m is about this much.
const AGAINST: Length = Length::Metres(1.5);
/// People a square metre: at 2 walkers slow down, at 3.5 they touch against their will, above 4 to 5 it is dangerous
/// (EPJ Data Science 10.1140/epjds17, table 1; G. K. Still). For so long, and released so far below.
const DENSE: f64 = 2.0;
const DENSITY_HOLD: Span = Span::from_secs(10);
const DENSITY_RELEASE: f64 = 0.5;
/// Share of people against the main flow.
const COUNTER_SHARE: f64 = 0.3;
/// Running, m/s, and how many times as fast as usual.
const RUNNING: f64 = 2.5;
const RUSH_FACTOR: f64 = 2.0;
const RUSH_HOLD: Span = Span::from_secs(2);
/// Two who pass each other are near for a moment.
const PROXIMITY_HOLD: Span = Span::from_secs(3);
/// A track is often lost for less.
const SHORTEST_ABSENCE: Span = Span::from_secs(3);
/// Fewer people who move are no flow and no group.
const GROUP: u32 = 5;

impl Start {
    pub fn of(threshold: f64, unit: Unit) -> Self {
        Self {
            threshold,
            unit,
            hold: Time::Usual(Span::ZERO),
            gap: Time::Usual(GAP),
            severity: Severity::default(),
            escalate: Vec::new(),
            hysteresis: 0.0,
            falling: false,
        }
    }

    /// Without a known number, `release` and `escalate` are checked against one that anything passes.
    fn of_people(threshold: Option<u32>) -> Self {
        Self::of(threshold.map_or(f64::INFINITY, f64::from), Unit::People)
    }
}

/// A parameter, where it stands if it does, and the kinds that take it.
type Owned<'a> = (&'a str, Option<Range<usize>>, &'a [Kind]);

/// A rule table on its way to a condition.
pub struct Reading<'a, 'b> {
    pub raw: &'a mut RuleRaw,
    /// Of the rule.
    pub path: &'a str,
    /// Where the rule stands.
    pub at: &'a Range<usize>,
    /// Where its kind stands.
    pub kind_at: &'a Range<usize>,
    pub report: &'a mut Report<'b>,
}

impl Reading<'_, '_> {
    /// The condition is `None` only after a fault; the rest of the rule is checked all the same.
    pub fn condition(&mut self, kind: Kind) -> (Option<Condition>, Start) {
        // A kind that is no rule of a camera has no parameters here: that it is none says enough.
        if kind != Kind::Occupancy && !kind.is_health() {
            self.refuse_foreign(kind);
        }
        match kind {
            Kind::Crowd => {
                let people = self.people(1, None);
                (people.map(|people| Condition::Crowd { people }), Start::of_people(people))
            }
            Kind::Gathering => self.gathering(),
            Kind::Loitering => self.loitering(),
            Kind::Intrusion => (Some(Condition::Intrusion), Start::of_people(Some(1))),
            Kind::Crossing => {
                let direction =
                    std::mem::take(&mut self.raw.direction).get(self.report, &under(self.path, "direction"));
                let start = Start { hold: Time::Own(Span::ZERO), ..Start::of_people(Some(1)) };
                (Some(Condition::Crossing { direction }), start)
            }
            Kind::WrongWay => self.wrong_way(),
            Kind::CounterFlow => self.counter_flow(),
            Kind::Rush => self.rush(),
            Kind::Proximity => self.proximity(),
            Kind::Vanished => self.vanished(),
            Kind::Offline | Kind::Frozen | Kind::Dark | Kind::Blurred | Kind::Moved => {
                let message = format!("`{kind}` is watched for every camera; write [health.{kind}] to change how");
                self.report.fault(self.kind_at, under(self.path, "kind"), message);
                (None, Start::of_people(None))
            }
            Kind::Occupancy => {
                let message = "`occupancy` is about the whole site: write it as a [[rule]] of the site file";
                self.report.fault(self.kind_at, under(self.path, "kind"), message);
                (None, Start::of_people(None))
            }
            Kind::Density => self.density(),
        }
    }

    fn density(&mut self) -> (Option<Condition>, Start) {
        let field = std::mem::take(&mut self.raw.density);
        let density = field.checked(self.report, &under(self.path, "density"), |density| {
            if *density > 0.0 && *density <= 20.0 {
                Ok(())
            } else {
                Err(format!("{density} is not above 0 and at most 20"))
            }
        });
        let density = density.unwrap_or(DENSE);
        let worse = [(3.5, Severity::Severe), (4.5, Severity::Extreme)];
        let worse = worse.into_iter().filter(|(value, _)| *value > density);
        let start = Start {
            hold: Time::Usual(DENSITY_HOLD),
            severity: Severity::Minor,
            escalate: worse.map(|(value, severity)| Escalation { value, severity }).collect(),
            hysteresis: DENSITY_RELEASE.min(0.25 * density),
            ..Start::of(density, Unit::PeoplePerSquareMetre)
        };
        (Some(Condition::Density), start)
    }

    fn gathering(&mut self) -> (Option<Condition>, Start) {
        let people = self.people(2, None);
        let radius = std::mem::take(&mut self.raw.radius);
        let radius = self.required(radius, "radius", "how near each other, such as \"2m\"");
        let standing = std::mem::take(&mut self.raw.standing).get(self.report, &under(self.path, "standing"));
        let condition = people.zip(radius).map(|(people, radius)| Condition::Gathering {
            people,
            radius: radius.0,
            standing: standing.unwrap_or(false),
        });
        (condition, Start::of_people(people))
    }

    fn loitering(&mut self) -> (Option<Condition>, Start) {
        let mode = self.stay();
        let at = self.raw.dwell.span().clone();
        let dwell = std::mem::take(&mut self.raw.dwell);
        let dwell = self.required(dwell, "dwell", "how long one may stay, such as \"120s\"").map(|d| d.0);
        if dwell == Some(Span::ZERO) {
            self.report.fault(&at, under(self.path, "dwell"), "a dwell of 0s is `intrusion`");
        }
        let dwell = dwell.unwrap_or_default();
        let start = Start {
            hold: Time::Own(dwell),
            gap: Time::Usual(LOITERING_GAP),
            ..Start::of(dwell.secs_f64(), Unit::Seconds)
        };
        (mode.map(|mode| Condition::Loitering { mode }), start)
    }

    fn stay(&mut self) -> Option<Stay> {
        let radius = std::mem::take(&mut self.raw.radius);
        match std::mem::take(&mut self.raw.mode).get(self.report, &under(self.path, "mode")).unwrap_or(StayRaw::Dwell) {
            StayRaw::Dwell => {
                radius.refuse(self.report, &under(self.path, "radius"), "only with mode = \"linger\"");
                Some(Stay::Dwell)
            }
            StayRaw::Linger => {
                let radius = self.required(radius, "radius", "how far one may move, such as \"2m\"");
                radius.map(|r| Stay::Linger { radius: r.0 })
            }
        }
    }

    fn wrong_way(&mut self) -> (Option<Condition>, Start) {
        let along = if self.raw.along.is_set() {
            self.along()
        } else {
            let message = "missing: the allowed way, two or more points [x, y] from its beginning to its end";
            self.report.fault(self.at, under(self.path, "along"), message);
            None
        };
        let distance = std::mem::take(&mut self.raw.distance).get(self.report, &under(self.path, "distance"));
        let distance = distance.map_or(AGAINST, |Distance(length)| length);
        let start = Start { gap: Time::Usual(LOITERING_GAP), ..Start::of(distance.metres(), Unit::Metres) };
        (along.map(|along| Condition::WrongWay { along, distance }), start)
    }

    fn counter_flow(&mut self) -> (Option<Condition>, Start) {
        let wants_way = self.raw.along.is_set();
        let along = if wants_way { self.along() } else { None };
        let people = self.people(2, Some(GROUP));
        let share = std::mem::take(&mut self.raw.share).checked(self.report, &under(self.path, "share"), |share| {
            if *share > 0.0 && *share <= 1.0 { Ok(()) } else { Err(format!("{share} is not above 0 and at most 1")) }
        });
        let good = along.is_some() || !wants_way;
        let condition = people.filter(|_| good).map(|people| Condition::CounterFlow { along, people });
        (condition, Start::of(share.unwrap_or(COUNTER_SHARE), Unit::Share))
    }

    fn rush(&mut self) -> (Option<Condition>, Start) {
        let people = self.people(2, Some(GROUP));
        let speed = std::mem::take(&mut self.raw.speed).get(self.report, &under(self.path, "speed"));
        let factor = std::mem::take(&mut self.raw.factor).checked(self.report, &under(self.path, "factor"), |factor| {
            if (1.0..=100.0).contains(factor) { Ok(()) } else { Err(format!("{factor} is not from 1 to 100")) }
        });
        let speed = speed.map_or(RUNNING, |speed| speed.0.metres());
        let start = Start { hold: Time::Usual(RUSH_HOLD), ..Start::of(speed, Unit::MetresPerSecond) };
        (people.map(|people| Condition::Rush { people, factor: factor.unwrap_or(RUSH_FACTOR) }), start)
    }

    fn proximity(&mut self) -> (Option<Condition>, Start) {
        let distance = std::mem::take(&mut self.raw.distance);
        let distance = self.required(distance, "distance", "how near is too near, such as \"1.5m\"").map(|d| d.0);
        let people = self.people(2, Some(2));
        let exempt = std::mem::take(&mut self.raw.exempt_together);
        if people.is_some_and(|people| people > 2) {
            let why = "only for pairs: a queue does not move together";
            exempt.refuse(self.report, &under(self.path, "exempt_together"), why);
        }
        let exempt_together = exempt.get(self.report, &under(self.path, "exempt_together")).unwrap_or(false);
        let start = Start {
            hold: Time::Usual(PROXIMITY_HOLD),
            falling: true,
            ..Start::of(distance.map_or(0.0, Length::metres), Unit::Metres)
        };
        let both = distance.zip(people);
        (both.map(|(distance, people)| Condition::Proximity { distance, people, exempt_together }), start)
    }

    fn vanished(&mut self) -> (Option<Condition>, Start) {
        let at = self.raw.after.span().clone();
        let after = std::mem::take(&mut self.raw.after);
        let after = self.required(after, "after", "how long not seen, such as \"20s\"").map(|d| d.0);
        if after.is_some_and(|after| after < SHORTEST_ABSENCE) {
            let message = "less than 3s: a track is often lost for so long";
            self.report.fault(&at, under(self.path, "after"), message);
        }
        let hold = after.unwrap_or_default();
        let start = Start {
            hold: Time::Own(hold),
            gap: Time::Own(Span::ZERO),
            severity: Severity::Minor,
            ..Start::of(hold.secs_f64(), Unit::Seconds)
        };
        (after.map(|_| Condition::Vanished), start)
    }

    /// A way on the picture; `None` after a fault.
    fn along(&mut self) -> Option<Vec<Point>> {
        let field = std::mem::take(&mut self.raw.along);
        let (at, path) = (field.span().clone(), under(self.path, "along"));
        let way = points(field, self.report, &path, self.at, 2, "two or more points [x, y]");
        if way.windows(2).any(|pair| pair[0] == pair[1]) {
            self.report.fault(&at, path, "two points in a row are the same");
            return None;
        }
        (way.len() >= 2).then_some(way)
    }

    fn required<T>(&mut self, field: Field<T>, name: &str, meaning: &str) -> Option<T> {
        let path = under(self.path, name);
        field.require(self.report, &path, self.at, meaning)
    }

    /// So many people or more; `usual` where the rule does not say.
    fn people(&mut self, least: u32, usual: Option<u32>) -> Option<u32> {
        let field = std::mem::take(&mut self.raw.people);
        let path = under(self.path, "people");
        if !field.is_set() {
            if usual.is_none() {
                self.report.fault(self.at, path, "missing: so many people or more");
            }
            return usual;
        }
        field.checked(self.report, &path, |n| {
            if (least..=10_000).contains(n) { Ok(()) } else { Err(format!("{n} is not from {least} to 10000")) }
        })
    }

    /// Parameters that belong to other kinds: most likely a typing error with consequences.
    fn refuse_foreign(&mut self, kind: Kind) {
        use Kind::{CounterFlow, Crossing, Crowd, Density, Gathering, Loitering, Proximity, Rush, Vanished, WrongWay};
        let raw = &*self.raw;
        let owned: [Owned<'_>; 15] = [
            ("people", raw.people.place(), &[Crowd, Gathering, CounterFlow, Rush, Proximity]),
            ("density", raw.density.place(), &[Density]),
            ("release", raw.release.place(), &[Crowd, Density, Gathering, CounterFlow, Rush]),
            ("radius", raw.radius.place(), &[Gathering, Loitering]),
            ("standing", raw.standing.place(), &[Gathering]),
            ("dwell", raw.dwell.place(), &[Loitering]),
            ("mode", raw.mode.place(), &[Loitering]),
            ("direction", raw.direction.place(), &[Crossing]),
            ("along", raw.along.place(), &[WrongWay, CounterFlow]),
            ("distance", raw.distance.place(), &[WrongWay, Proximity]),
            ("share", raw.share.place(), &[CounterFlow]),
            ("speed", raw.speed.place(), &[Rush]),
            ("factor", raw.factor.place(), &[Rush]),
            ("exempt_together", raw.exempt_together.place(), &[Proximity]),
            ("after", raw.after.place(), &[Vanished]),
        ];
        for (name, place, kinds) in owned {
            if let Some(at) = place.filter(|_| !kinds.contains(&kind)) {
                self.report.fault(&at, under(self.path, name), format!("does not belong to `{kind}`"));
            }
        }
        let fixed: [(&str, Option<Range<usize>>, Kind, &str); 4] = [
            ("hold", raw.hold.place(), Loitering, "loitering holds for `dwell`; leave `hold` out"),
            ("hold", raw.hold.place(), Crossing, "a crossing is an instant; leave `hold` out"),
            ("hold", raw.hold.place(), Vanished, "`after` is how long; leave `hold` out"),
            ("gap", raw.gap.place(), Vanished, "whoever is seen again has not vanished; leave `gap` out"),
        ];
        for (name, place, owner, why) in fixed {
            if let Some(at) = place.filter(|_| owner == kind) {
                self.report.fault(&at, under(self.path, name), why);
            }
        }
    }
}

fn under(path: &str, name: &str) -> String {
    format!("{path}.{name}")
}
