//! `kill -9` at any moment, under load: nothing is lost, and what comes twice has the same number and the same words.
//!
//! Ten kills by default; `scripts/kills` sets more.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::StatusCode;
use axum::response::IntoResponse;
use lookout::alerts::journal::{AlertFilter, Reader};
use lookout::types::Event;
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
const RULES: usize = 4;

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
    let rounds: u32 = std::env::var("LOOKOUT_KILLS").map_or(10, |n| n.parse().unwrap());
    let taken: Arc<Mutex<Taken>> = Arc::default();
    let note = taken.clone();
    let receiver = Receiver::start(move |n, got| {
        if n % 11 == 3 {
            return StatusCode::SERVICE_UNAVAILABLE.into_response();
        }
        let mut body: serde_json::Value = serde_json::from_slice(&got.body).unwrap();
        note.lock().unwrap().take(got.key(), serde_json::from_value(body["data"].take()).unwrap());
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
        for round in 0..rounds {
            let Moment { events, pause } = Moment::of(round);
            // Every fourth dies wherever it is on its way up, the others in the midst of alerts.
            if round % 4 == 3 {
                files.start_and_kill(pause * 8);
                continue;
            }
            let count = || taken.lock().unwrap().events.len();
            let before = count();
            let mut run = files.start();
            run.until("there is a load", |_| count() >= before + events);
            std::thread::sleep(pause);
            run.kill();
        }
        // A last run in which nothing new happens.
        write(&files.path("cameras/yard.toml"), "id = \"yard\"\n[source]\nurl = \"file:vtest.avi\"\n");
        let mut run = files.start();
        let reader = Reader::open(&files.path("data")).unwrap();
        run.until("nothing waits any more", |run| {
            let waits = |sink| run.metric(&format!("lookout_outbox_pending{{sink=\"{sink}\"}}")) != Some(0.0);
            !waits("hook") && !waits("record") && Tally::new(&reader, "hook").waiting == 0
        });
        assert_eq!(run.interrupt(), Some(0));

        let taken = taken.lock().unwrap();
        let Tally { events, skipped, delivered, .. } = Tally::new(&reader, "hook");
        let lost: Vec<&String> = delivered.iter().filter(|key| !taken.events.contains_key(*key)).collect();
        let repeats: usize = taken.events.values().map(|(_, times)| times - 1).sum();
        println!(
            "{rounds} kills: {events} events, {skipped} overtaken updates, {} lost, {repeats} repeats",
            lost.len()
        );
        assert_eq!(lost, [""; 0]);
        assert_eq!(delivered.len() + skipped, events, "each event went one of two ways");
        assert_eq!(taken.events.len(), delivered.len(), "and nothing came that was not written down before");
        assert_eq!((&taken.differs, &taken.late), (&Vec::new(), &Vec::new()));
        assert!(repeats <= rounds as usize * UNSETTLED, "{repeats} repeats");
        let told = files.told();
        let mut lines: Vec<(&str, u64)> =
            told.iter().map(|e| (e["alert"].as_str().unwrap(), e["seq"].as_u64().unwrap())).collect();
        lines.sort_unstable();
        lines.dedup();
        assert_eq!(lines.len(), Tally::new(&reader, "record").delivered.len(), "the file has them too");
    });
}

/// What the journal says of all events and of their way to a sink.
#[derive(Default)]
struct Tally {
    events: usize,
    waiting: usize,
    skipped: usize,
    delivered: Vec<String>,
}

impl Tally {
    fn new(reader: &Reader, sink: &str) -> Self {
        let mut tally = Self::default();
        let mut filter = AlertFilter { limit: 1000, ..AlertFilter::default() };
        loop {
            let page = reader.list(&filter).unwrap();
            let Some(last) = page.last() else { return tally };
            filter.after = Some(last.alert);
            for row in &page {
                let story = reader.show(row.alert).unwrap().unwrap();
                tally.events += story.events.len();
                for delivery in story.deliveries.iter().filter(|d| d.sink == sink) {
                    match delivery.outcome {
                        "waiting" => tally.waiting += 1,
                        "skipped" => tally.skipped += 1,
                        "delivered" => tally.delivered.push(format!("{}.{}", delivery.alert, delivery.seq)),
                        other => panic!("{other}: {delivery:?}"),
                    }
                }
            }
        }
    }
}

/// When a run is killed; the same in every run of this test.
struct Moment {
    /// After so many further events have come.
    events: usize,
    /// And so long.
    pause: Duration,
}

impl Moment {
    fn of(round: u32) -> Self {
        let digest = Sha256::digest(round.to_le_bytes());
        let pause = Duration::from_micros(u64::from(u16::from_le_bytes([digest[0], digest[1]])) * 3);
        Self { events: usize::from(digest[2]) % 60, pause }
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
