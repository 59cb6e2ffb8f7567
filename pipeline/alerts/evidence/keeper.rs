//! One camera's last pictures and what its alerts want of them.

use std::collections::{BTreeMap, VecDeque};

use super::store::utc_day;
use super::{Job, Make, Shot, Still};
use crate::config::plan::Evidence;
use crate::types::{AlertId, Event, MediaTime, Severity, State};

/// Alerts of one camera whose files are still to be handed over, at most.
const MOST_ORDERS: usize = 256;
/// Bytes of pictures kept for one camera, at most.
const MOST_BYTES: usize = 16 << 20;
/// A picture may be this much early, so that a rate that divides the camera's is met by its uneven pictures.
const EARLY: f64 = 0.8;

/// Keeps redacted pictures for the time before an alert and collects those after it.
pub struct Keeper {
    plan: Evidence,
    shots: VecDeque<Shot>,
    bytes: usize,
    orders: Vec<Order>,
    /// Severity of each open alert; bounded by the incidents' own table.
    open: BTreeMap<AlertId, Severity>,
    /// Time of the last picture that was asked for.
    asked: Option<MediaTime>,
    overflow: u64,
}

/// What one alert still waits for.
struct Order {
    alert: AlertId,
    day: jiff::civil::Date,
    /// Stills by the time of their picture.
    stills: Vec<(MediaTime, Still)>,
    /// From, until.
    clip: Option<(MediaTime, MediaTime)>,
}

impl Keeper {
    /// Nothing seen yet.
    pub fn new(plan: Evidence) -> Self {
        Self {
            plan,
            shots: VecDeque::new(),
            bytes: 0,
            orders: Vec::new(),
            open: BTreeMap::new(),
            asked: None,
            overflow: 0,
        }
    }

    /// Alerts that got no evidence because too many waited for theirs.
    pub const fn overflow(&self) -> u64 {
        self.overflow
    }

    /// Takes an event of the picture at `time`; before [`Keeper::wants`] is asked about that picture.
    pub fn take(&mut self, event: &Event, time: MediaTime, out: &mut Vec<Job>) {
        let (Some(alert), Some(severity)) = (event.alert, event.severity) else { return };
        let day = utc_day(event.started_at.unwrap_or(event.at));
        match event.state {
            State::Started => {
                self.open.insert(alert, severity);
                if self.orders.len() == MOST_ORDERS {
                    self.overflow += 1;
                    if self.plan.picture {
                        out.push(Job { alert, day, make: Make::Still(Still::Start, None) });
                    }
                    if self.plan.clip {
                        out.push(Job { alert, day, make: Make::Clip(Vec::new()) });
                    }
                    return;
                }
                let stills = if self.plan.picture { vec![(time, Still::Start)] } else { Vec::new() };
                let clip = self.plan.clip.then(|| (time - self.plan.before, time + self.plan.after));
                self.orders.push(Order { alert, day, stills, clip });
            }
            State::Updated => {
                let escalated = self.open.insert(alert, severity).is_some_and(|before| before < severity);
                if !escalated || !self.plan.picture {
                    return;
                }
                let still = (time, Still::Escalated(severity));
                let many = self.orders.len() >= MOST_ORDERS;
                match self.orders.iter_mut().find(|o| o.alert == alert) {
                    Some(order) => order.stills.push(still),
                    None if !many => {
                        self.orders.push(Order { alert, day, stills: vec![still], clip: None });
                    }
                    None => self.overflow += 1,
                }
            }
            State::Ended => {
                self.open.remove(&alert);
            }
            _ => {}
        }
    }

    /// Whether the picture at `time` is to be made; each picture is asked about once, in order.
    pub fn wants(&mut self, time: MediaTime) -> bool {
        let still = self.orders.iter().any(|o| o.stills.iter().any(|s| s.0 == time));
        let due = self.plan.clip
            && self.asked.is_none_or(|asked| (time - asked).secs_f64() * self.plan.rate >= EARLY || time < asked);
        if due {
            self.asked = Some(time);
        }
        still || due
    }

    /// Takes a picture that was wanted and appends what is complete with it.
    pub fn shot(&mut self, shot: Shot, out: &mut Vec<Job>) {
        let time = shot.time;
        for order in &mut self.orders {
            // A picture that failed to be redacted never comes; the next one is taken for it.
            while let Some(k) = order.stills.iter().position(|s| s.0 <= time) {
                let (_, still) = order.stills.swap_remove(k);
                out.push(Job { alert: order.alert, day: order.day, make: Make::Still(still, Some(shot.clone())) });
            }
        }
        if self.plan.clip {
            self.keep(shot);
        }
        self.complete(|until| time >= until, out);
    }

    /// No more pictures for now: clips end with what there is.
    pub fn finish(&mut self, out: &mut Vec<Job>) {
        for order in &mut self.orders {
            for (_, still) in order.stills.drain(..) {
                out.push(Job { alert: order.alert, day: order.day, make: Make::Still(still, None) });
            }
        }
        self.complete(|_| true, out);
    }

    /// Forgets the pictures from before: what they show may no longer leave.
    pub fn forget(&mut self) {
        self.shots.clear();
        self.bytes = 0;
    }

    fn keep(&mut self, shot: Shot) {
        self.bytes += shot.jpeg.len();
        let newest = shot.time;
        self.shots.push_back(shot);
        // Orders that are open need the time before their start too.
        let needed = self.orders.iter().filter_map(|o| o.clip).map(|c| c.0).min();
        let oldest = needed.map_or(newest - self.plan.before, |n| n.min(newest - self.plan.before));
        while let Some(first) = self.shots.front()
            && (first.time < oldest || self.bytes > MOST_BYTES)
        {
            self.bytes -= first.jpeg.len();
            self.shots.pop_front();
        }
    }

    fn complete(&mut self, is_over: impl Fn(MediaTime) -> bool, out: &mut Vec<Job>) {
        let shots = &self.shots;
        self.orders.retain_mut(|order| {
            if let Some((from, until)) = order.clip
                && is_over(until)
            {
                order.clip = None;
                let clip = shots.iter().filter(|s| s.time >= from && s.time <= until).cloned().collect();
                out.push(Job { alert: order.alert, day: order.day, make: Make::Clip(clip) });
            }
            order.clip.is_some() || !order.stills.is_empty()
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alerts::journal::sample_event;
    use crate::types::{Size, Span};

    const PLAN: Evidence = Evidence {
        picture: true,
        clip: true,
        before: Span::from_secs(2),
        after: Span::from_secs(3),
        rate: 4.0,
        ..Evidence::DEFAULT
    };

    fn at(tenths: i64) -> MediaTime {
        MediaTime::from_nanos(tenths * 100_000_000)
    }

    fn event(n: u8, state: State, severity: Severity) -> Event {
        let mut event = sample_event(AlertId([n; 16]), 0, state);
        event.severity = Some(severity);
        event
    }

    fn shot(time: MediaTime) -> Shot {
        let utc = jiff::Timestamp::UNIX_EPOCH;
        Shot { time, utc, size: Size::new(64, 48), jpeg: vec![0; 1000].into() }
    }

    /// Ten pictures a second, each given two pictures late as the redactor does.
    fn run(keeper: &mut Keeper, from: i64, to: i64, events: &[(i64, Event)]) -> Vec<Job> {
        let (mut jobs, mut held) = (Vec::new(), VecDeque::new());
        for k in from..to {
            events.iter().filter(|e| e.0 == k).for_each(|e| keeper.take(&e.1, at(k), &mut jobs));
            held.push_back(keeper.wants(at(k)).then(|| shot(at(k))));
            if held.len() > 2
                && let Some(Some(shot)) = held.pop_front()
            {
                keeper.shot(shot, &mut jobs);
            }
        }
        jobs
    }

    fn stills(jobs: &[Job]) -> Vec<(&str, Option<MediaTime>)> {
        let still = |job: &Job| match &job.make {
            Make::Still(still, shot) => Some((still.name(), shot.as_ref().map(|s| s.time))),
            Make::Clip(_) => None,
        };
        jobs.iter().filter_map(still).collect()
    }

    #[test]
    fn an_alert_gets_its_own_picture_and_the_seconds_around_it() {
        let mut keeper = Keeper::new(PLAN);
        let jobs = run(&mut keeper, 0, 100, &[(51, event(1, State::Started, Severity::Moderate))]);
        assert_eq!(stills(&jobs), [("start.jpg", Some(at(51)))]);
        let clips: Vec<&Vec<Shot>> =
            jobs.iter().filter_map(|j| if let Make::Clip(shots) = &j.make { Some(shots) } else { None }).collect();
        assert_eq!(clips.len(), 1);
        let (first, last) = (clips[0].first().unwrap().time, clips[0].last().unwrap().time);
        assert!(first >= at(31) && first <= at(33), "{first}");
        assert!(last >= at(79) && last <= at(81), "{last}");
        assert!(clips[0].len() >= 20 && clips[0].len() <= 30, "about {} a second: {}", PLAN.rate, clips[0].len());
        assert!(keeper.orders.is_empty() && keeper.shots.len() < 15, "{} pictures kept", keeper.shots.len());
    }

    #[test]
    fn only_an_escalation_gets_a_further_picture() {
        let mut keeper = Keeper::new(PLAN);
        let events = [
            (10, event(1, State::Started, Severity::Moderate)),
            (13, event(1, State::Updated, Severity::Moderate)),
            (15, event(1, State::Updated, Severity::Severe)),
            (70, event(1, State::Updated, Severity::Extreme)),
            (75, event(1, State::Ended, Severity::Extreme)),
        ];
        let jobs = run(&mut keeper, 0, 100, &events);
        let wanted = [("start.jpg", Some(at(10))), ("severe.jpg", Some(at(15))), ("extreme.jpg", Some(at(70)))];
        assert_eq!(stills(&jobs), wanted);
        assert!(keeper.open.is_empty());
    }

    #[test]
    fn what_never_comes_is_said_to_fail_and_tables_are_bounded() {
        let mut keeper = Keeper::new(PLAN);
        let mut jobs = run(&mut keeper, 0, 11, &[(10, event(1, State::Started, Severity::Minor))]);
        keeper.finish(&mut jobs);
        assert_eq!(stills(&jobs), [("start.jpg", None)]);
        assert!(matches!(&jobs[1].make, Make::Clip(shots) if !shots.is_empty()), "what there is of the clip");
        let mut refused = Vec::new();
        for n in 0..=u8::MAX {
            keeper.take(&event(n, State::Started, Severity::Minor), at(20), &mut refused);
        }
        assert_eq!((keeper.overflow(), refused.len()), (0, 0));
        let mut one_more = event(0, State::Started, Severity::Minor);
        one_more.alert = Some(AlertId([9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0, 0, 0, 0, 0, 0]));
        keeper.take(&one_more, at(20), &mut refused);
        assert_eq!((keeper.overflow(), refused.len()), (1, 2));
    }
}
