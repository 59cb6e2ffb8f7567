use std::path::Path;

use jiff::tz::TimeZone;

use super::*;
use crate::alerts::IncidentConfig;
use crate::capture::picture::VideoPicture;
use crate::config::load_camera;
use crate::config::plan::{Access, Evidence, Inference, Retention, Site, Trails};
use crate::engine::archive;
use crate::engine::hub::{LiveHub, Look};
use crate::engine::recorder::queue;
use crate::track::{MAX_DETECTIONS, SortTracker, TrackerConfig};
use crate::types::{MediaTime, Rect, Size, Span};

fn value(metrics: &Metrics, series: &str) -> f64 {
    let text = metrics.encode().unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' ').map(str::to_owned));
    line.unwrap_or_else(|| panic!("{series} is not there")).parse().unwrap()
}

#[test]
fn a_picture_moves_every_series_of_its_stages() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/stages/crowded.toml");
    let camera = Arc::new(load_camera(&file, &TimeZone::UTC).unwrap().plan);
    let site = Site {
        id: "test".into(),
        time_zone: TimeZone::UTC,
        data: "data".into(),
        listen: ([127, 0, 0, 1], 0).into(),
        public_url: None,
        media_dirs: Vec::new(),
        inference: Inference { providers: Vec::new(), workers: 1, threads: 1, batch: 1 },
        cameras: vec![Arc::clone(&camera)],
        rules: Vec::new(),
        grids: Vec::new(),
        sinks: Vec::new(),
        routes: Vec::new(),
        evidence: Evidence::DEFAULT,
        access: Access::default(),
        journal: Retention::DEFAULT,
        trails: Trails::DEFAULT,
    };
    let (metrics, hub) = (Metrics::new().unwrap(), LiveHub::new(&site));
    let viewer = hub.camera(&camera.id).unwrap().watch(Look::Large).unwrap();
    let lane = Lane::new(hub.camera(&camera.id).unwrap(), &metrics);
    let config = IncidentConfig { site: "test".into(), camera: Arc::clone(&camera), outage: Span::from_secs(10) };
    let stages = CameraStages::new(config, Box::new(SortTracker::new(TrackerConfig { start_score: 0.4 })));
    let (sender, _events) = queue();
    let (jobs, _waiting) = archive::queue();
    let lost = metrics.overflow("evidence");
    let painter = Painter::new(Arc::clone(&camera), Arc::clone(&lane.hub), site.evidence, jobs, lost);
    let mut state = LaneState::new(camera, stages, painter, sender, &metrics);
    let every = [
        "lookout_frames_total{camera=\"crowded\",outcome=\"analysed\"}",
        "lookout_frame_age_seconds_count{camera=\"crowded\"}",
        "lookout_stage_seconds_count{stage=\"track\"}",
        "lookout_stage_seconds_count{stage=\"rules\"}",
        "lookout_stage_heartbeat_timestamp_seconds{stage=\"track\"}",
        "lookout_stage_heartbeat_timestamp_seconds{stage=\"rules\"}",
        "lookout_overflow_total{queue=\"tracks\"}",
        "lookout_overflow_total{queue=\"redaction\"}",
    ];
    every.iter().for_each(|series| assert_eq!(value(&metrics, series), 0.0, "{series}"));
    // More than any table holds.
    let many = 3 * MAX_DETECTIONS;
    let place = |i: usize| Rect::new((i % 60) as f32 * 20.0, (i / 60) as f32 * 25.0, 10.0, 20.0);
    let detections: Vec<Detection> = (0..many).map(|i| Detection { bbox: place(i), score: 0.9 }).collect();
    let frame = Frame {
        index: 0,
        time: MediaTime::ZERO,
        utc: jiff::Timestamp::UNIX_EPOCH,
        arrived: Instant::now(),
        picture: Arc::new(VideoPicture::grey(Size::new(1280, 720), 0)),
    };
    state.observe(&lane, &frame, &detections);
    every.iter().for_each(|series| assert!(value(&metrics, series) > 0.0, "{series}"));
    assert_eq!(value(&metrics, "lookout_overflow_total{queue=\"tracks\"}"), (many - MAX_DETECTIONS) as f64);
    assert_eq!(value(&metrics, "lookout_overflow_total{queue=\"redaction\"}"), 1.0);
    drop(viewer);
    // Quiet spots come by the hub: the whole picture is one.
    let people = |state: &mut LaneState, ms: i64| {
        let picture = Arc::new(VideoPicture::grey(Size::new(1280, 720), 0));
        state.observe(
            &lane,
            &Frame { time: MediaTime::from_nanos(ms * 1_000_000), picture, ..frame.clone() },
            &detections,
        );
        lane.hub.snapshot().people
    };
    let counted: Vec<u32> = (1..10).map(|k| people(&mut state, k * 100)).collect();
    assert!(counted.last() > Some(&0), "{counted:?}");
    lane.hub.quiet.set(Arc::from([Rect::new(0.0, 0.0, 1.0, 1.0)]));
    assert_eq!(people(&mut state, 1_000), 0);
    lane.hub.quiet.set(Arc::from([]));
    assert!(people(&mut state, 1_100) > 0);
    // Pictures of another address begin with a certain one, whether it is analysed or a later one is: known of once.
    lane.other_from.store(7, Ordering::Release);
    let mut show = |index: u64| {
        let time = MediaTime::from_nanos(2_000_000_000 + index as i64 * 100_000_000);
        state.observe(&lane, &Frame { index, time, ..frame.clone() }, &detections);
        lane.other_from.load(Ordering::Acquire)
    };
    assert_eq!((show(6), show(8), show(9)), (7, NO_OTHER, NO_OTHER));
}
