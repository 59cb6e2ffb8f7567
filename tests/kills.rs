//! `kill -9` at any moment, under load: nothing is lost, and what comes twice has the same number and the same words.
//!
//! Ten kills by default; `scripts/kills` sets more, at other moments. What the receiver has got is compared with the
//! journal itself.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use axum::response::IntoResponse;
use lookout::alerts::journal::FILE;
use lookout::types::Event;
use rusqlite::{Connection, OpenFlags};
use sha2::{Digest, Sha256};

use crate::sample::Receiver;
use crate::support::command::write;
use crate::support::site::SiteFiles;

/// A kill may catch so many deliveries that the receiver has taken and the outbox does not know of: those under way, and
/// those whose results wait to be written down together.
const UNSETTLED: usize = 16 + 128;

/// Every picture moves somebody from one of these cells to another; a camera file may have so many zones.
const CELLS: (usize, usize) = (10, 10);
/// Of each cell, all of which see the same.
const RULES: usize = 10;

/// What the receiver has got.
#[derive(Default)]
struct Taken {
    /// Each event by its key, and how often it came.
    events: BTreeMap<String, (Event, usize)>,
    /// Keys under which another event came again.
    differs: Vec<String>,
    /// Keys that came after a later one of the same alert.
    late: Vec<String>,
}

impl Taken {
    fn take(&mut self, key: String, event: Event) {
        assert_eq!(Some(&key), event.key().as_ref());
        if let Some((first, times)) = self.events.get_mut(&key) {
            *times += 1;
            if *first != event {
                self.differs.push(key);
            }
            return;
        }
        let alert = event.alert.unwrap().to_string();
        let of_alert = self.events.range(format!("{alert}.")..format!("{alert}/"));
        if of_alert.into_iter().any(|(_, (other, _))| other.seq > event.seq) {
            self.late.push(key.clone());
        }
        self.events.insert(key, (event, 1));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kills_under_load_lose_nothing_and_repeat_only_what_was_under_way() {
    let number = |name: &str, usual: u32| std::env::var(name).map_or(usual, |n| n.parse().unwrap());
    let (rounds, seed) = (number("LOOKOUT_KILLS", 10), number("LOOKOUT_KILLS_SEED", 0));
    let taken: Arc<Mutex<Taken>> = Arc::default();
    let stumbles = Arc::new(AtomicBool::new(true));
    let (note, may_stumble) = (taken.clone(), stumbles.clone());
    let receiver = Receiver::start(move |n, got| {
        // It takes a moment before it answers: a run that dies meanwhile does not hear that an event was taken.
        if n % 11 == 3 && may_stumble.load(Ordering::SeqCst) {
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
        let mut body: serde_json::Value = serde_json::from_slice(&got.body).unwrap();
        note.lock().unwrap().take(got.key(), serde_json::from_value(body["data"].take()).unwrap());
        std::thread::sleep(Duration::from_millis(4));
        StatusCode::NO_CONTENT.into_response()
    })
    .await;
    let sink = format!(
        "[[sink]]\nid = \"hook\"\nkind = \"webhook\"\nurl = \"http://{}/in\"\nallow_private = true\n\
         [evidence]\npicture = false\nclip = false\n",
        receiver.address
    );
    let files = SiteFiles::new(&sink);
    write(&files.path("cameras/yard.toml"), &busy_camera());

    tokio::task::block_in_place(|| {
        let count = || taken.lock().unwrap().events.len();
        let mut loaded = Duration::ZERO;
        for round in 0..rounds {
            let Moment { events, pause } = Moment::of(seed, round);
            // Every fourth dies wherever it is on its way up, the others in the midst of alerts.
            if round % 4 == 3 {
                files.start_and_kill(pause * 8);
                continue;
            }
            let (before, begin) = (count(), Instant::now());
            let mut run = files.start();
            run.until("there is a load", |_| count() >= before + events);
            std::thread::sleep(pause);
            run.kill();
            loaded += begin.elapsed();
        }
        // A last run in which nothing new happens; what failed in an earlier one need not wait for its time.
        stumbles.store(false, Ordering::SeqCst);
        write(&files.path("cameras/yard.toml"), "id = \"yard\"\n[source]\nurl = \"file:vtest.avi\"\n");
        let mut run = files.start();
        run.until("nothing waits any more", |run| {
            let gauge = |sink| run.metric(&format!("lookout_outbox_pending{{sink=\"{sink}\"}}"));
            let rows = |sink| Tally::new(&files, sink).waiting;
            ["hook", "record"].iter().all(|sink| gauge(sink) == Some(0.0) && rows(sink) == 0)
        });
        assert_eq!(run.interrupt(), Some(0));

        let taken = taken.lock().unwrap();
        let Tally { alerts, events, waiting, skipped, delivered } = Tally::new(&files, "hook");
        let lost: Vec<&String> = delivered.iter().filter(|key| !taken.events.contains_key(*key)).collect();
        let repeats: usize = taken.events.values().map(|(_, times)| times - 1).sum();
        println!(
            "{rounds} kills (seed {seed}): {alerts} alerts, {events} events in {:.0} s of runs, {skipped} overtaken \
             updates, {} lost, {repeats} repeats",
            loaded.as_secs_f64(),
            lost.len()
        );
        assert_eq!(lost, [""; 0]);
        // The very last end may be written when the receiver's time is over.
        assert_eq!(delivered.len() + skipped + waiting, events, "each event went one of these ways");
        assert!(events > rounds as usize * 10, "there was a load");
        assert_eq!(taken.events.len(), delivered.len(), "and nothing came that was not written down before");
        assert_eq!((&taken.differs, &taken.late), (&Vec::new(), &Vec::new()));
        assert!(repeats <= rounds as usize * UNSETTLED, "{repeats} repeats");
        let mut lines: Vec<String> = files.told().iter().map(key).collect();
        lines.sort_unstable();
        lines.dedup();
        assert_eq!(lines.len(), Tally::new(&files, "record").delivered.len(), "the file has them too");
    });
}

fn key(event: &serde_json::Value) -> String {
    format!("{}.{}", event["alert"].as_str().unwrap(), event["seq"])
}

/// What the journal says of all events and of their way to a sink.
#[derive(Default)]
struct Tally {
    alerts: usize,
    events: usize,
    waiting: usize,
    skipped: usize,
    delivered: Vec<String>,
}

impl Tally {
    /// Reads the database as it is; fails where an alert's numbers have a hole, or an event has no row for the sink.
    fn new(files: &SiteFiles, sink: &str) -> Self {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let journal = Connection::open_with_flags(files.path("data").join(FILE), flags).unwrap();
        let mut statement = journal
            .prepare(
                "SELECT lower(hex(e.alert)), e.seq, o.state FROM event e
                   LEFT JOIN outbox o ON o.event = e.id AND o.sink = ?1 ORDER BY e.alert, e.seq",
            )
            .unwrap();
        let mut rows = statement.query([sink]).unwrap();
        let (mut tally, mut before) = (Self::default(), (String::new(), 0));
        while let Some(row) = rows.next().unwrap() {
            let (alert, seq): (String, u32) = (row.get(0).unwrap(), row.get(1).unwrap());
            if alert != before.0 {
                tally.alerts += 1;
                before = (alert.clone(), 0);
            }
            assert_eq!(seq, before.1, "alert {alert}");
            before.1 += 1;
            tally.events += 1;
            match row.get::<_, Option<i64>>(2).unwrap() {
                Some(0) => tally.waiting += 1,
                Some(1) => tally.delivered.push(format!("{alert}.{seq}")),
                Some(3) => tally.skipped += 1,
                other => panic!("{alert}.{seq} is neither delivered nor overtaken: {other:?}"),
            }
        }
        tally
    }
}

/// When a run is killed; the same in every run of the test with the same seed.
struct Moment {
    /// After so many further events have come.
    events: usize,
    /// And so long.
    pause: Duration,
}

impl Moment {
    fn of(seed: u32, round: u32) -> Self {
        let digest = Sha256::digest([seed.to_le_bytes(), round.to_le_bytes()].concat());
        let pause = Duration::from_micros(u64::from(u16::from_le_bytes([digest[0], digest[1]])) * 3);
        Self { events: usize::from(u16::from_le_bytes([digest[2], digest[3]])) % 200, pause }
    }
}

/// Rules for small cells all over the picture: alerts start and end with every step that anybody makes.
fn busy_camera() -> String {
    let mut text = "id = \"yard\"\n[source]\nurl = \"file:vtest.avi\"\nloop = true\nrate = 10\n\
                    [detect]\ninput = [320, 256]\n"
        .to_owned();
    let (columns, rows) = CELLS;
    let at = |i: usize, n: usize| i as f64 / n as f64;
    for (x, y) in (0..columns).flat_map(|x| (0..rows).map(move |y| (x, y))) {
        let (left, right, top, bottom) = (at(x, columns), at(x + 1, columns), at(y, rows), at(y + 1, rows));
        writeln!(text, "[[zone]]\nid = \"c{x}-{y}\"").unwrap();
        writeln!(text, "polygon = [[{left},{top}],[{right},{top}],[{right},{bottom}],[{left},{bottom}]]").unwrap();
        for i in 0..RULES {
            let rule = format!("id = \"in-{x}-{y}-{i}\"\nkind = \"intrusion\"\ngap = \"0s\"");
            writeln!(text, "[[zone.rule]]\n{rule}").unwrap();
        }
    }
    text
}
