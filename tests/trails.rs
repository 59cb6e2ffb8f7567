//! Stored trails against what was live: the clip is analysed once, and what its rules told then is held against what they
//! tell on what was kept.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use lookout::alerts::IncidentConfig;
use lookout::capture::{Clip, ClipOptions, Stop};
use lookout::config::plan::{Camera, Inference, Provider, Trails};
use lookout::config::{Surroundings, camera_text};
use lookout::detect::{Catalog, OnnxDetector};
use lookout::engine::analyze::{Analysed, Analysis, Findings};
use lookout::engine::keeper::{Keeper, queue};
use lookout::engine::numbers::store::NumbersReader;
use lookout::engine::trails::FOLDER;
use lookout::engine::trails::draw::draw;
use lookout::engine::trails::read::{Stretch, TrailReader};
use lookout::engine::trails::recorder::TrailRecorder;
use lookout::engine::trails::store::files;
use lookout::engine::trails::what_if::{Answer, Question, WhatIf};
use lookout::telemetry::Metrics;
use lookout::types::{Event, Kind, MediaTime, Size, Span, State, Track};

use crate::support::site::SiteFiles;

/// Every kind of rule that a camera can have, where something happens on the clip.
const CAMERA: &str = r#"
id = "junction"
[ground]
points = [[0.0206, 0.3518], [0.9321, 0.2682], [0.9324, 0.9981], [0.2548, 0.9877]]
metres = [[-6.54, 7.65], [7.22, -8.77], [-17.08, -16.25], [-19.87, -10.90]]

[[zone]]
id = "view"
polygon = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]
[[zone.rule]]
id = "crowd"
kind = "crowd"
people = 6
hold = "3s"
gap = "2s"
[[zone.rule]]
id = "gathering"
kind = "gathering"
people = 3
radius = "2m"
hold = "3s"
gap = "2s"
[[zone.rule]]
id = "linger"
kind = "loitering"
mode = "linger"
dwell = "12s"
radius = "2m"
[[zone.rule]]
id = "wrong-way"
kind = "wrong_way"
along = [[0.1, 0.4], [0.9, 0.7]]
distance = "3m"
[[zone.rule]]
id = "counter-flow"
kind = "counter_flow"
along = [[0.1, 0.4], [0.9, 0.7]]
people = 3
hold = "2s"
gap = "2s"
[[zone.rule]]
id = "rush"
kind = "rush"
people = 3
factor = 1.05
speed = "0.8m/s"
[[zone.rule]]
id = "proximity"
kind = "proximity"
distance = "1.5m"
hold = "2s"
[[zone.rule]]
id = "queue"
kind = "proximity"
distance = "2m"
people = 3
hold = "2s"
gap = "2s"

[[zone]]
id = "middle"
polygon = [[0.43, 0.38], [0.66, 0.38], [0.66, 0.56], [0.43, 0.56]]
[[zone.rule]]
id = "dwell"
kind = "loitering"
dwell = "8s"
[[zone.rule]]
id = "density"
kind = "density"
density = 0.05
hold = "2s"
gap = "2s"
[[zone.rule]]
id = "vanished"
kind = "vanished"
after = "8s"

[[zone]]
id = "lawn"
polygon = [[0.25, 0.78], [0.60, 0.70], [0.85, 1.0], [0.30, 1.0]]
[[zone.rule]]
id = "intrusion"
kind = "intrusion"
hold = "1s"

[[line]]
id = "path"
points = [[0.30, 0.98], [0.62, 0.22]]
[[line.rule]]
id = "crossing"
kind = "crossing"
"#;

const START: &str = "2026-11-24T15:59:30Z";

mod starts;

fn camera(text: &str) -> Arc<Camera> {
    let around = Surroundings { time_zone: &TimeZone::UTC, media_dirs: None, grids: None };
    camera_text(Path::new("junction.toml"), text, &around).unwrap_or_else(|e| panic!("{e}")).plan.into()
}

/// What was live.
struct Live {
    folder: tempfile::TempDir,
    start: Timestamp,
    seconds: f64,
    /// Mean number of people.
    people: f64,
    /// By rule.
    starts: Starts,
    /// What rules saw.
    pictures: Vec<Seen>,
}

/// Starts by rule, seconds since the first picture, rising.
type Starts = BTreeMap<String, Vec<f64>>;

/// One picture as rules saw it.
struct Seen {
    time: MediaTime,
    utc: Timestamp,
    size: Size,
    people: Vec<Track>,
}

/// The clip, analysed and kept once for all tests.
static LIVE: LazyLock<Live> = LazyLock::new(|| {
    let video = Path::new(env!("CARGO_MANIFEST_DIR")).join("media/vtest.avi");
    assert!(video.exists(), "media/vtest.avi is needed: run scripts/setup");
    let start: Timestamp = START.parse().unwrap();
    let camera = camera(CAMERA);
    let options = ClipOptions { fps: Some(7.0), rate: None, start: Some(start) };
    let clip = Clip::open(&video, &options, &Stop::new()).unwrap();
    let inference = Inference { providers: vec![Provider::Cpu], workers: 1, threads: 1, batch: 1 };
    let catalog = Catalog::find().unwrap();
    let entry = catalog.resolve(None).unwrap();
    let detector = OnnxDetector::new(&entry, Size::new(320, 256), &[], &inference).unwrap();
    let config = IncidentConfig { site: "t".into(), camera, outage: Span::from_secs(10) };
    let folder = tempfile::tempdir().unwrap();
    let metrics = Metrics::new().unwrap();
    let (out, blocks) = queue();
    let recorder = TrailRecorder::new("junction", 1, out, metrics.overflow("trails"));
    let mut watched = Watched { recorder, starts: Starts::new(), people: 0, pictures: Vec::new(), last: 0.0 };
    Analysis::new(config, clip, Box::new(detector), entry.score).run(&mut watched, |_| ()).unwrap();
    watched.recorder.flush();
    let Watched { recorder, starts, people, pictures, last, .. } = watched;
    drop(recorder);
    assert_eq!(metrics.overflow("trails").get(), 0);
    Keeper::new(folder.path(), Trails::DEFAULT, metrics.overflow("trails")).unwrap().run(&blocks).unwrap();
    assert_eq!(metrics.overflow("trails").get(), 0);
    Live { folder, start, seconds: last, people: people as f64 / pictures.len() as f64, starts, pictures }
});

struct Watched {
    recorder: TrailRecorder,
    starts: Starts,
    people: usize,
    pictures: Vec<Seen>,
    last: f64,
}

impl Findings for Watched {
    type Error = Infallible;

    fn picture(&mut self, seen: &Analysed<'_>) -> Result<(), Infallible> {
        let frame = seen.frame;
        self.recorder.observe(frame.time, frame.utc, seen.size, seen.people, &seen.measured.persons);
        self.people += seen.measured.persons.len();
        let (time, utc, size, people) = (frame.time, frame.utc, seen.size, seen.people.to_vec());
        self.pictures.push(Seen { time, utc, size, people });
        self.last = frame.time.secs_f64();
        Ok(())
    }

    fn event(&mut self, event: &Event) -> Result<(), Infallible> {
        note(&mut self.starts, event);
        Ok(())
    }
}

fn note(starts: &mut Starts, event: &Event) {
    if let (State::Started, Some(rule)) = (event.state, &event.rule) {
        starts.entry(rule.clone()).or_default().push(event.media_time);
    }
}

fn ask(live: &Live, then: Option<Arc<Camera>>) -> Answer {
    ask_for(live, then, SignedDuration::from_hours(1))
}

fn ask_for(live: &Live, then: Option<Arc<Camera>>, long: SignedDuration) -> Answer {
    let site = WhatIf::new("t", &TimeZone::get("Asia/Shanghai").unwrap(), live.folder.path(), 2).unwrap();
    let stretch = Stretch::new(live.start, live.start + long);
    site.ask(&Question { now: camera(CAMERA), then, stretch }).unwrap()
}

/// For a day of one camera with ten people in view.
const MOST_BYTES: f64 = 30e6;

#[test]
fn a_day_of_ten_people_is_small_and_has_at_most_two_places_a_second() {
    let live = &*LIVE;
    let bytes: u64 = files(&live.folder.path().join(FOLDER)).unwrap().iter().map(|f| f.bytes).sum();
    let day = bytes as f64 / live.seconds * 86_400.0 / live.people * 10.0;
    println!(
        "{bytes} bytes for {:.0} s of {:.1} people: {:.1} MB for a day of ten",
        live.seconds,
        live.people,
        day / 1e6
    );
    assert!(day <= MOST_BYTES, "{day}");

    let stretch = Stretch::new(live.start, live.start + SignedDuration::from_hours(1));
    let drawing = draw(&TrailReader::new(live.folder.path()), "junction", stretch, 1_000).unwrap();
    assert!(!drawing.cut && drawing.tracks.len() > 10, "{}", drawing.tracks.len());
    for track in &drawing.tracks {
        assert!(track.points.is_sorted_by(|a, b| a[0] < b[0]));
        assert!(track.points.iter().flat_map(|p| &p[1..]).all(|v| (-0.5..=1.5).contains(v)));
    }
    let mut blocks = TrailReader::new(live.folder.path()).blocks("junction", stretch).unwrap();
    while let Some(block) = blocks.next().unwrap() {
        for trail in &block.trails {
            let times: Vec<i64> = trail.spots.iter().map(|spot| block.times[spot.picture as usize]).collect();
            // Besides the ends of stretches.
            let stretches = 1 + times.windows(2).filter(|t| t[1] - t[0] > 500).count();
            let seconds = (times[times.len() - 1] - times[0]) as f64 / 1e3;
            assert!(times.len() as f64 <= 2.0 * seconds + 2.0 * stretches as f64, "{trail:?}");
        }
    }
    let few = draw(&TrailReader::new(live.folder.path()), "junction", stretch, 3).unwrap();
    assert!(few.cut && few.tracks == drawing.tracks[..3]);
}

#[test]
fn changed_rules_stand_beside_todays() {
    let live = &*LIVE;
    let text = CAMERA
        .replace("id = \"crowd\"\nkind = \"crowd\"\npeople = 6", "id = \"crowd\"\nkind = \"crowd\"\npeople = 100")
        + "[[mask]]\nkind = \"ignore\"\npolygon = [[0.0, 0.0], [1.0, 0.0], [1.0, 0.6], [0.0, 0.6]]\n";
    let answer = ask(live, Some(camera(&text)));
    let count = |list: &[lookout::engine::trails::what_if::incident::Incident], rule: &str| {
        list.iter().filter(|i| i.rule == rule).count()
    };
    assert!(count(&answer.now, "crowd") > 0 && count(&answer.then, "crowd") == 0);
    assert!(count(&answer.then, "crossing") < count(&answer.now, "crossing"), "half of the picture is ignored");
    assert_eq!(answer.now, ask(live, None).now, "today's rules say the same beside whatever rules");
    // The clip spans midnight in Shanghai.
    let days: Vec<String> = answer.days.iter().map(|d| d.day.to_string()).collect();
    assert_eq!(days, ["2026-11-24", "2026-11-25"]);
    let sum = |side: fn(&lookout::engine::trails::what_if::Day) -> u32| answer.days.iter().map(side).sum::<u32>();
    assert_eq!((sum(|d| d.now), sum(|d| d.then)), (answer.now.len() as u32, answer.then.len() as u32));
    assert_eq!((answer.covered.len(), answer.outages.len(), answer.cut), (1, 0, false));
    let seconds = answer.covered[0].until.duration_since(answer.covered[0].from).as_secs_f64();
    // One picture is missing, and it is not known why.
    assert!((seconds - live.seconds).abs() < 0.15, "{seconds} of {}", live.seconds);
    // Whom it is about is drawn.
    let stretch = Stretch::new(live.start, live.start + SignedDuration::from_hours(1));
    let drawing = draw(&TrailReader::new(live.folder.path()), "junction", stretch, 1_000).unwrap();
    for incident in &answer.now {
        assert!(!incident.tracks.is_empty(), "{incident:?}");
        assert!(incident.tracks.iter().all(|id| drawing.tracks.iter().any(|t| t.id == *id)), "{incident:?}");
        if incident.kind == Kind::Proximity || incident.kind == Kind::Gathering {
            assert_eq!(incident.tracks.len(), incident.people as usize, "{incident:?}");
        }
    }
    assert!(answer.left_out.iter().all(|note| !note.why.zh.is_empty() && !note.why.en.is_empty()));
}

#[test]
fn a_run_leaves_trails_and_numbers_behind() {
    let files = SiteFiles::new("");
    files.camera("yard", "url = \"file:vtest.avi\"\nloop = true");
    let began = Timestamp::now();
    for _ in 0..2 {
        let mut run = files.start();
        let crossed = |run: &crate::support::site::Run| {
            let count =
                |way: &str| format!("lookout_crossings_total{{camera=\"yard\",direction=\"{way}\",line=\"path\"}}");
            run.metric(&count("left_to_right")).unwrap() + run.metric(&count("right_to_left")).unwrap()
        };
        run.until("somebody crosses the path", |run| crossed(run) > 0.0);
        assert_eq!(run.interrupt(), Some(0));
    }
    let data = files.path("data");
    let now = Timestamp::now();
    let blocks = TrailReader::new(&data).blocks("yard", Stretch::new(began, now));
    let mut blocks = blocks.unwrap();
    let (mut runs, mut ids) = (Vec::new(), Vec::new());
    while let Some(block) = blocks.next().unwrap() {
        runs.push(block.run);
        ids.push(block.trails.iter().map(|t| t.id).collect::<Vec<_>>());
    }
    runs.dedup();
    assert_eq!(runs.len(), 2, "each run is one of its own");
    let (first, second) = (ids.first().unwrap(), ids.last().unwrap());
    assert!(first.iter().max() < second.iter().min(), "no id is given twice: {ids:?}");
    let numbers = NumbersReader::open(&data).unwrap().unwrap();
    let counted = numbers.counted("yard", began.as_second() - 900, now.as_second() + 1).unwrap();
    let crossed: u64 = counted.iter().flat_map(|c| &c.lines).map(|l| l.left_to_right + l.right_to_left).sum();
    assert!(crossed >= 2 && counted.iter().flat_map(|c| &c.zones).any(|z| z.most > 0), "{counted:?}");
}
