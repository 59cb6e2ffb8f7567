use std::path::Path;

use jiff::tz::TimeZone;

use super::*;
use crate::alerts::IncidentConfig;
use crate::capture::picture::VideoPicture;
use crate::config::load_camera;
use crate::config::plan::{Access, Camera, Evidence, Inference, Provider, Retention, Site, Trails};
use crate::detect::{Catalog, Key};
use crate::engine::archive;
use crate::engine::ground::Watched;
use crate::engine::hub::LiveHub;
use crate::engine::lane::LaneState;
use crate::engine::painter::Painter;
use crate::engine::recorder::queue;
use crate::engine::stages::CameraStages;
use crate::track::{SortTracker, TrackerConfig};
use crate::types::{MediaTime, Picture, Size, Span, Target};

/// A picture that no scaler takes.
struct Broken;

impl Picture for Broken {
    fn size(&self) -> Size {
        Size::new(640, 480)
    }

    fn convert(&self, target: Target, _: &mut Vec<u8>) -> Result<(), PictureError> {
        Err(PictureError::Convert { from: self.size(), to: target.size, reason: "swscale does not take NV16".into() })
    }
}

fn frame(index: u64, picture: Arc<dyn Picture>) -> Frame {
    let time = MediaTime::ZERO + Span::from_millis(index as i64 * 100);
    Frame { index, time, utc: jiff::Timestamp::UNIX_EPOCH, arrived: Instant::now(), picture }
}

#[test]
fn a_camera_whose_pictures_cannot_be_converted_ends_nothing_and_says_why() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/stages/crowded.toml");
    let good = load_camera(&file, &TimeZone::UTC).unwrap().plan;
    let cameras =
        [Arc::new(Camera { id: "broken".into(), ..good.clone() }), Arc::new(Camera { id: "good".into(), ..good })];
    let inference = Inference { providers: vec![Provider::Cpu], workers: 1, threads: 1, batch: 1 };
    let site = Site {
        id: "test".into(),
        time_zone: TimeZone::UTC,
        data: "data".into(),
        listen: ([127, 0, 0, 1], 0).into(),
        public_url: None,
        media_dirs: Vec::new(),
        inference,
        cameras: cameras.to_vec(),
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
    let ((sender, _events), (jobs, _waiting)) = (queue(), archive::queue());
    let (mut lanes, board, hubs) = (Vec::new(), Arc::new(Board::default()), hub.cameras());
    for (camera, hub) in cameras.iter().zip(hubs.iter()) {
        let lane = Arc::new(Lane::new(Arc::clone(hub), &metrics));
        let config = IncidentConfig { site: "test".into(), camera: Arc::clone(camera), outage: Span::from_secs(10) };
        let stages = CameraStages::new(config, Box::new(SortTracker::new(TrackerConfig { start_score: 0.4 })));
        let lost = metrics.overflow("evidence");
        let painter = Painter::new(Arc::clone(camera), Arc::clone(hub), site.evidence, jobs.clone(), lost);
        let state = LaneState::new(Arc::clone(camera), stages, painter, sender.clone(), &metrics);
        lanes.push(Arc::clone(&lane));
        board.enter(Box::new(Seat { lane, state, ground: Watched::default() }), 0, false);
    }
    let catalog = Catalog::find().unwrap();
    let key = Key::of(&cameras[0].detect, &catalog).unwrap();
    let entry = catalog.resolve(Some(&key.model)).unwrap();
    let detector = OnnxDetector::new(&entry, key.input(), &key.extra(), &site.inference).unwrap();
    let worker = Worker::new(0, Arc::clone(&board), Arc::from([]), Arc::default(), vec![detector], &metrics);
    let works = std::thread::spawn(move || worker.run());
    let show = |camera: usize, picture: Frame| {
        let counts = || lanes[camera].metrics.dropped.get() + lanes[camera].metrics.analysed.get();
        let before = counts();
        assert!(lanes[camera].slot.put(picture).is_none());
        board.ready(camera);
        while counts() == before && !works.is_finished() {
            std::thread::sleep(Duration::from_millis(1));
        }
    };
    // More than a worker bears of a model that fails.
    for k in 0..u64::from(MOST_FAILURES) + 5 {
        show(0, frame(k, Arc::new(Broken)));
    }
    let grey = || Arc::new(VideoPicture::grey(Size::new(640, 480), 90));
    show(1, frame(0, grey()));
    let analysed = |camera: usize| lanes[camera].metrics.analysed.get();
    assert_eq!((lanes[0].metrics.dropped.get(), analysed(0), analysed(1)), (25, 0, 1));
    assert!(hubs[0].snapshot().message.unwrap().contains("swscale does not take NV16"));
    assert_eq!(hubs[1].snapshot().message, None);
    show(0, frame(99, grey()));
    assert_eq!((analysed(0), hubs[0].snapshot().message), (1, None), "it is well again");
    board.close();
    assert_eq!(works.join().unwrap(), Ok(()));
}
