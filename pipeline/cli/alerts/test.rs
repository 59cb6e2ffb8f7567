//! `lookout alerts test`: a marked test alert on each route, from the journal to the receiver, hop by hop.

use std::fmt::Write;
use std::time::{Duration, Instant};

use anyhow::Context;
use lookout::alerts::journal::{DeliveryRow, Errands, Journal, JournalError, Reader, Story, TestAsked};
use lookout::config::plan::Site;
use lookout::dispatch::{Dispatcher, Router};
use lookout::engine::trials::Trials;
use lookout::telemetry::Metrics;
use lookout::types::AlertId;
use tokio::sync::watch;

use super::super::common::{Invalid, print};

#[derive(clap::Args)]
pub(super) struct TestArgs {
    /// One route; all if left out
    #[arg(long, value_name = "ID")]
    route: Option<String>,
    /// Seconds to wait for the receivers
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3600))]
    wait: u64,
}

/// Between looks at the journal.
const LOOK: Duration = Duration::from_millis(20);
/// What an answer in the receiver's own answer may take beyond the delivery.
const MOMENT: Duration = Duration::from_millis(200);

/// Where a test stands.
struct Hops {
    asked: TestAsked,
    alert: AlertId,
    story: Option<Story>,
}

impl Hops {
    /// Deliveries of the first event; the second only says that the test is over.
    fn deliveries(&self) -> impl Iterator<Item = &DeliveryRow> {
        self.story.iter().flat_map(|story| &story.deliveries).filter(|row| row.seq == 0)
    }

    fn settled(&self) -> bool {
        self.story.is_some() && self.deliveries().all(|row| row.outcome != "waiting")
    }

    fn good(&self) -> bool {
        self.settled() && self.deliveries().all(|row| row.outcome == "delivered")
    }
}

pub(super) fn run(args: &TestArgs, json: bool, site: &Site) -> anyhow::Result<()> {
    let metrics = Metrics::new().context("cannot set up metrics")?;
    let router = Router::new(site);
    // As the database keeps it: the alert's id is made from it.
    let now = jiff::Timestamp::from_millisecond(jiff::Timestamp::now().as_millisecond())?;
    let mut trials = Trials::new(site, &router, &metrics, now);
    let wanted = |route: &&str| args.route.as_ref().is_none_or(|id| id == route);
    let asked: Vec<TestAsked> =
        trials.routes().filter(wanted).map(|route| TestAsked { route: route.to_owned(), at: now }).collect();
    if asked.is_empty() {
        let id = args.route.as_deref().unwrap_or_default();
        let known: Vec<&str> = trials.routes().collect();
        return Err(Invalid(format!("there is no route `{id}`; there are: {}", known.join(", "))).into());
    }
    let mut tests: Vec<Hops> =
        asked.into_iter().filter_map(|asked| Some(Hops { alert: trials.alert(&asked)?, asked, story: None })).collect();
    let sinks: Vec<String> = site.sinks.iter().map(|s| s.id.clone()).collect();
    match Journal::open(&site.data, &sinks) {
        // No run has the journal: this process goes the same way.
        Ok(mut journal) => {
            let dispatcher = Dispatcher::new(&site.sinks, &journal, &metrics)?;
            let asked: Vec<TestAsked> = tests.iter().map(|test| test.asked.clone()).collect();
            journal.append(&trials.due(&asked, jiff::Timestamp::now()))?;
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
            let (stop, stopped) = watch::channel(false);
            let deliveries = runtime.spawn(dispatcher.run(stopped));
            let waited = wait(args, &journal.reader()?, &mut tests);
            stop.send_replace(true);
            runtime.block_on(deliveries)?.map_err(anyhow::Error::msg)?;
            waited?;
        }
        Err(JournalError::InUse { .. }) => {
            let errands = Errands::open(&site.data)?;
            for test in &tests {
                errands.test(&test.asked)?;
            }
            wait(args, &Reader::open(&site.data)?, &mut tests)?;
        }
        Err(error) => return Err(error.into()),
    }
    let mut out = String::new();
    for test in &tests {
        tell(test, json, &mut out)?;
    }
    print(out.trim_end_matches('\n'))?;
    let failed: Vec<&str> = tests.iter().filter(|t| !t.good()).map(|t| t.asked.route.as_str()).collect();
    if failed.is_empty() {
        return Ok(());
    }
    anyhow::bail!("the test alert did not arrive on {}", failed.join(", "))
}

/// Waits until all receivers have taken or refused their test, or the time is over.
fn wait(args: &TestArgs, reader: &Reader, tests: &mut [Hops]) -> anyhow::Result<()> {
    let deadline = Instant::now() + Duration::from_secs(args.wait);
    loop {
        for test in tests.iter_mut().filter(|test| !test.settled()) {
            test.story = reader.show(test.alert)?;
        }
        let settled = tests.iter().all(Hops::settled);
        if settled {
            std::thread::sleep(MOMENT);
            for test in tests.iter_mut() {
                test.story = reader.show(test.alert)?;
            }
        }
        if settled || Instant::now() >= deadline {
            return Ok(());
        }
        std::thread::sleep(LOOK);
    }
}

fn tell(test: &Hops, json: bool, out: &mut String) -> anyhow::Result<()> {
    let TestAsked { route, at } = &test.asked;
    if json {
        let value = serde_json::json!({
            "route": route, "asked_at": at, "alert": test.alert, "good": test.good(), "story": test.story,
        });
        writeln!(out, "{value}")?;
        return Ok(());
    }
    let after = |time: jiff::Timestamp| format!("{:+.3} s", time.duration_since(*at).as_secs_f64());
    writeln!(out, "route {route}: {}, alert {}", if test.good() { "good" } else { "FAILED" }, test.alert)?;
    let Some(story) = &test.story else {
        writeln!(out, "  {:12}  not taken up by the run", "journal")?;
        return Ok(());
    };
    if let Some(event) = story.events.first() {
        writeln!(out, "  {:12}  {}", "taken up", after(event.at))?;
    }
    for row in test.deliveries() {
        writeln!(out, "  {:12}  {}  on disk, in the outbox of {}", "journal", after(row.queued_at), row.sink)?;
        let when = row.settled_at.map_or_else(|| "-".to_owned(), after);
        let why = row.error.as_ref().map(|error| format!(": {error}")).unwrap_or_default();
        let attempts = if row.attempts == 1 { String::new() } else { format!(" after {} attempts", row.attempts) };
        writeln!(out, "  {:12}  {when}  {}{attempts}{why}", row.sink, row.outcome)?;
    }
    for answer in &story.answers {
        writeln!(out, "  {:12}  {}  {} by {}", "answer", after(answer.at), answer.answer.word(), answer.by)?;
    }
    Ok(())
}
