//! The rules about the whole site: crossings of all cameras in, events out, counts kept across restarts.
//!
//! Cameras tell of a crossing when they have analysed it, some later than others. The stage waits a little and takes them in
//! the order of their pictures, so that what it counts does not depend on which thread was first.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crossbeam::channel::{Receiver, RecvTimeoutError, Sender, bounded};
use jiff::{SignedDuration, Timestamp};

use super::keeper::Record;
use super::latest::Latest;
use super::next_site::NextSite;
use super::numbers::{Occupied, quarter};
use crate::alerts::Incidents;
use crate::alerts::numbering::Entry;
use crate::config::plan::{Condition, Gate, Reset, Rule, Site, lasting_rules};
use crate::rules::SiteRule;
use crate::rules::occupancy::Occupancy;
use crate::telemetry::{Metrics, SiteMetrics};
use crate::types::{EndReason, Event, Headcount, MediaTime, SiteCrossed, Size, State};

/// Crossings between the cameras and the stage.
const QUEUE: usize = 4_096;
/// How much later than its picture a crossing may come and still be taken in order.
const LATENESS: SignedDuration = SignedDuration::from_secs(2);
/// Crossings that wait for their turn at most.
const MOST_WAITING: usize = 65_536;
/// Between looks at the clock.
const TICK: Duration = Duration::from_millis(500);
/// Between two notes of how many people there are.
const NUMBER: SignedDuration = SignedDuration::from_secs(60);
/// Below the site's data.
const FILE: &str = "site.json";

/// Gates that some rule asks for; cameras tell of no others.
pub type Asked = Latest<Arc<[Gate]>>;

/// Those of a site, each once.
pub fn asked(site: &Site) -> Arc<[Gate]> {
    let mut gates: Vec<Gate> = Vec::new();
    for gate in site.rules.iter().flat_map(|rule| rule.condition.gates()) {
        if !gates.iter().any(|known| known.camera == gate.camera && known.line == gate.line) {
            gates.push(gate.clone());
        }
    }
    gates.into()
}

/// A rule at work: when its days begin, and its id.
type Own = (Box<dyn SiteRule>, Reset, String);

/// Rules and incidents of the whole site; no thread, no clock.
pub struct SiteStage {
    /// The plan in force.
    plan: Vec<Rule>,
    rules: Vec<Own>,
    incidents: Incidents,
    waiting: Vec<SiteCrossed>,
    began: Option<Timestamp>,
    /// What the rules measured last.
    people: Vec<f64>,
    overflow: u64,
}

impl SiteStage {
    /// Of a site, which may have no such rule yet.
    pub fn new(site: &Site) -> Self {
        let rules: Vec<Own> = site.rules.iter().enumerate().filter_map(|(i, rule)| own(i, rule)).collect();
        let people = vec![0.0; rules.len()];
        let incidents = Incidents::of_site(site);
        Self { plan: site.rules.clone(), rules, incidents, waiting: Vec::new(), began: None, people, overflow: 0 }
    }

    /// Puts other rules in force: those that are the same go on with their incidents. Incidents of all others end; a rule
    /// with the id of one that was there goes on from its count, as it does over a restart.
    pub fn replan(&mut self, site: &Site, events: &mut Vec<Event>) {
        let lasting = lasting_rules(&self.plan, &site.rules);
        let (counts, plan) = (self.counts(), std::mem::replace(&mut self.plan, site.rules.clone()));
        let mut old = std::mem::take(&mut self.rules);
        for (i, rule) in site.rules.iter().enumerate() {
            let from = lasting.iter().position(|to| *to == Some(i)).and_then(|from| plan.get(from));
            let same = from.and_then(|from| old.iter().position(|(_, _, id)| *id == from.id));
            let next = match same.map(|at| old.swap_remove(at)) {
                Some((mut goes_on, reset, id)) => {
                    goes_on.renumber(i);
                    Some((goes_on, reset, id))
                }
                None => own(i, rule),
            };
            let Some((mut own, reset, id)) = next else { continue };
            if let Some(count) = counts.get(&id) {
                own.restore(*count);
            }
            self.rules.push((own, reset, id));
        }
        self.incidents.replan_site(site, &lasting, events);
        // Known again at the next look.
        self.people.clear();
    }

    /// Takes a crossing, in whatever order.
    pub fn put(&mut self, crossed: SiteCrossed) {
        if self.waiting.len() < MOST_WAITING {
            self.waiting.push(crossed);
        } else {
            self.overflow += 1;
        }
    }

    /// Crossings that were not counted because too many waited.
    pub fn overflow(&self) -> u64 {
        self.overflow
    }

    /// Takes all crossings up to `now` in the order of time, then measures, and appends the events that this causes.
    pub fn advance(&mut self, now: Timestamp, events: &mut Vec<Event>) {
        let order = |c: &SiteCrossed| (c.at, Arc::clone(&c.camera), Arc::clone(&c.line), c.direction.word());
        self.waiting.sort_by_cached_key(order);
        let due = self.waiting.partition_point(|c| c.at <= now);
        let mut signals = Vec::new();
        for crossed in self.waiting.drain(..due) {
            self.rules.iter_mut().for_each(|(rule, reset, _)| rule.take(reset.day(crossed.at), &crossed));
        }
        signals.extend(self.rules.iter_mut().map(|(rule, reset, _)| rule.observe(reset.day(now))));
        self.people.clear();
        self.people.extend(signals.iter().map(|signal| signal.value));
        let began = *self.began.get_or_insert(now);
        let media = i64::try_from(now.duration_since(began).as_nanos()).unwrap_or(i64::MAX);
        self.incidents.observe(MediaTime::from_nanos(media), now, Size::default(), &signals, &[], events);
    }

    /// Ends what is open.
    pub fn stop(&mut self, events: &mut Vec<Event>) {
        self.incidents.stop(EndReason::Stopped, events);
    }

    /// Ids of the rules, in the order of the site's.
    pub fn rules(&self) -> impl Iterator<Item = &str> {
        self.rules.iter().map(|(_, _, id)| id.as_str())
    }

    /// What the rules measured last, in the order of the site's rules.
    pub fn people(&self) -> &[f64] {
        &self.people
    }

    /// What must survive a restart, by rule.
    pub fn counts(&self) -> BTreeMap<String, Headcount> {
        self.rules.iter().map(|(rule, _, id)| (id.clone(), rule.count())).collect()
    }

    /// Goes on with what an earlier run knew.
    pub fn restore(&mut self, counts: &BTreeMap<String, Headcount>) {
        for (rule, _, id) in &mut self.rules {
            if let Some(count) = counts.get(id) {
                rule.restore(*count);
            }
        }
    }
}

fn own(index: usize, rule: &Rule) -> Option<Own> {
    let Condition::Occupancy { gates, reset, .. } = &rule.condition else { return None };
    Some((Box::new(Occupancy::new(index, gates)), reset.clone(), rule.id.clone()))
}

/// The stage on its thread.
pub struct SiteWorker {
    stage: SiteStage,
    next: Arc<NextSite>,
    asked: Arc<Asked>,
    file: PathBuf,
    saved: BTreeMap<String, Headcount>,
    out: Sender<Entry>,
    metrics: Arc<Metrics>,
    series: SiteMetrics,
    numbers: Option<Numbers>,
}

/// How many people were on the site lately.
struct Numbers {
    out: Sender<Record>,
    told: Timestamp,
    /// Since it was told, by rule.
    most: Vec<f64>,
}

impl SiteWorker {
    /// Goes on with the counts in the site's data. `out` leads to the journal.
    pub fn new(site: &Site, out: Sender<Entry>, metrics: Arc<Metrics>) -> Self {
        let (mut stage, file) = (SiteStage::new(site), site.data.join(FILE));
        let saved = read(&file).unwrap_or_else(|reason| {
            tracing::error!(file = %file.display(), reason, "the counts of the site begin anew");
            BTreeMap::new()
        });
        stage.restore(&saved);
        let (next, asked) = (Arc::default(), Arc::new(Asked::new(asked(site))));
        Self { stage, next, asked, file, saved, out, series: metrics.for_site(site), metrics, numbers: None }
    }

    /// Goes on with whatever rules are given there.
    pub fn following(self, next: Arc<NextSite>) -> Self {
        Self { next, ..self }
    }

    /// Gates of the rules in force.
    pub fn asked(&self) -> Arc<Asked> {
        Arc::clone(&self.asked)
    }

    /// How many people were on the site is kept.
    pub fn with_numbers(mut self, out: Sender<Record>) -> Self {
        self.numbers = Some(Numbers { out, told: Timestamp::now(), most: Vec::new() });
        self
    }

    /// Works until all cameras are gone.
    pub fn run(mut self, crossings: &Receiver<SiteCrossed>) -> Result<(), String> {
        let mut events = Vec::new();
        loop {
            let ended = match crossings.recv_timeout(TICK) {
                Ok(crossed) => {
                    self.stage.put(crossed);
                    crossings.try_iter().take(QUEUE).for_each(|crossed| self.stage.put(crossed));
                    false
                }
                Err(RecvTimeoutError::Timeout) => false,
                Err(RecvTimeoutError::Disconnected) => true,
            };
            let now = Timestamp::now();
            let until = if ended { now } else { now.checked_sub(LATENESS).unwrap_or(now) };
            self.stage.advance(until, &mut events);
            if ended {
                self.stage.stop(&mut events);
            }
            self.series.note(self.stage.people(), self.stage.overflow());
            self.tell(&mut events);
            self.number(now, ended);
            if !ended {
                self.adopt(now, &mut events);
            }
            self.save();
            if ended {
                return Ok(());
            }
        }
    }

    /// Takes other rules, if there are any.
    fn adopt(&mut self, now: Timestamp, events: &mut Vec<Event>) {
        let Some(site) = self.next.take() else { return };
        if site.rules == self.stage.plan {
            return;
        }
        self.number(now, true);
        self.numbers.iter_mut().for_each(|numbers| numbers.most.clear());
        let old = self.stage.plan.clone();
        self.stage.replan(&site, events);
        // What ends by it is told as one with the rules that it began in.
        self.tell(events);
        self.series = self.metrics.replan_site(&self.series, &old, &site);
        self.asked.set(asked(&site));
        let kept = lasting_rules(&old, &site.rules).iter().flatten().count();
        tracing::info!(rules = site.rules.len(), kept, "other rules of the site are in force");
    }

    fn tell(&self, events: &mut Vec<Event>) {
        for event in events.drain(..) {
            if let (State::Started, Some(severity)) = (event.state, event.severity) {
                self.series.alert(event.kind, severity);
            }
            if self.out.send(Entry::Event(Box::new(event))).is_err() {
                tracing::error!("the journal is gone: an event of the site was lost");
            }
        }
    }

    /// Once a minute, and where a quarter of an hour or the run ends. A keeper that is busy misses some.
    fn number(&mut self, now: Timestamp, ended: bool) {
        let Some(numbers) = &mut self.numbers else { return };
        let people = self.stage.people();
        numbers.most.resize(people.len(), 0.0);
        numbers.most.iter_mut().zip(people).for_each(|(most, people)| *most = most.max(*people));
        if !ended && now.duration_since(numbers.told) < NUMBER && quarter(now) == quarter(numbers.told) {
            return;
        }
        numbers.told = now;
        for ((rule, last), most) in self.stage.rules().zip(people).zip(&mut numbers.most) {
            let occupied = Occupied { rule: rule.to_owned(), quarter: quarter(now), last: *last, most: *most };
            numbers.out.try_send(Record::Occupied(occupied)).ok();
            *most = 0.0;
        }
    }

    /// The file is whole or the old one: a crash costs at most what was counted since.
    fn save(&mut self) {
        let counts = self.stage.counts();
        if counts == self.saved {
            return;
        }
        match write(&self.file, &counts) {
            Ok(()) => self.saved = counts,
            Err(error) => tracing::error!(%error, file = %self.file.display(), "the counts of the site are not kept"),
        }
    }
}

fn read(file: &Path) -> Result<BTreeMap<String, Headcount>, String> {
    match std::fs::read(file) {
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(|e| e.to_string()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(error) => Err(error.to_string()),
    }
}

fn write(file: &Path, counts: &BTreeMap<String, Headcount>) -> std::io::Result<()> {
    let new = file.with_extension("json.new");
    let bytes = serde_json::to_vec(counts)?;
    let mut out = std::fs::File::create(&new)?;
    std::io::Write::write_all(&mut out, &bytes)?;
    out.sync_all()?;
    std::fs::rename(&new, file)
}

/// The bounded way from the cameras to the stage.
pub fn queue() -> (Sender<SiteCrossed>, Receiver<SiteCrossed>) {
    bounded(QUEUE)
}

#[cfg(test)]
mod tests;
