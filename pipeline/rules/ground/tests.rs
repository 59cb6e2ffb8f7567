use super::pose::{self, View};
use super::*;
use crate::rules::People;
use crate::rules::tests::camera;
use crate::types::{Rect, Track, TrackId, TrackState};

const SIZE: Size = Size::new(800, 600);
const VIEW: View = View { aspect: 4.0 / 3.0, lens: None };
const POSE: Pose = Pose { pitch: 0.35, roll: 0.02, focal: 1.2, height: 3.5, error: 0.0 };

/// A person with feet at this place (fractions) whose box is `tall` times the expected height.
fn person(id: u64, x: f64, y: f64, tall: f64) -> Track {
    let height = 600.0 * tall * pose::expected_height(&POSE, &VIEW, x, y).unwrap();
    let (left, top) = (800.0 * x - 0.2 * height, 600.0 * y - height);
    let bbox = Rect::new(left as f32, top as f32, (0.4 * height) as f32, height as f32);
    Track {
        id: TrackId(id),
        state: TrackState::Confirmed,
        bbox,
        velocity: [0.0; 2],
        score: 0.9,
        matched: true,
        born: MediaTime::ZERO,
        birth: bbox.feet(),
        seen: MediaTime::ZERO,
    }
}

/// A camera that looks at pictures, as the rules stage does.
struct Watch {
    ground: Ground,
    people: People,
    seconds: f64,
}

impl Watch {
    fn new(text: &str) -> Self {
        let mut ground = Ground::new(&camera(&format!("id = \"c\"\n{text}")));
        ground.set_size(SIZE);
        Self { ground, people: People::default(), seconds: 0.0 }
    }

    fn picture(&mut self, tracks: &[Track]) {
        let time = MediaTime::from_secs_f64(self.seconds);
        self.seconds += 0.5;
        self.people.observe(time, SIZE, tracks, &self.ground);
        self.ground.learn(time, self.people.all());
    }

    /// Walkers `from` to `to` cross the picture one after another, each as tall as a person is.
    fn walk(&mut self, from: u64, to: u64) {
        for id in from..to {
            let tall = [0.93, 1.0, 1.06, 0.97, 1.04][id as usize % 5];
            let row = 0.3 + 0.65 * ((id * 7) % 11) as f64 / 11.0;
            for step in 0..30 {
                let along = 0.06 + 0.88 * f64::from(step) / 29.0;
                let y = (row + 0.2 * (along - 0.5) * if id % 2 == 0 { 1.0 } else { -1.0 }).clamp(0.25, 0.97);
                self.picture(&[person(id, along, y, tall)]);
            }
        }
        // Time to leave, and for the fit that is due.
        (0..12).for_each(|_| self.picture(&[]));
    }
}

/// The same camera by four points.
fn known() -> String {
    let plane = pose::plane(&POSE, &VIEW, 1.7).unwrap();
    let points = [[0.1, 0.4], [0.9, 0.4], [0.9, 0.95], [0.1, 0.95]];
    let metres = points.map(|[x, y]| plane.metres(Point { x, y }).map(|m| [m.x, m.y]).unwrap());
    format!("[ground]\npoints = {points:?}\nmetres = {metres:?}\n")
}

/// A length on the ground around this place.
fn length(ground: &Ground, x: f64, y: f64) -> f64 {
    let pixels = |x: f64, y: f64| Point { x: 800.0 * x, y: 600.0 * y };
    ground.body_heights(pixels(x, y), 50.0, pixels(x + 0.05, y + 0.05), 50.0)
}

#[test]
fn a_plane_is_learnt_from_who_walks_by_and_not_before_there_are_enough() {
    let truth = Watch::new(&known()).ground;
    let mut watch = Watch::new("ground = \"learn\"\n");
    watch.walk(1, 6);
    let Yardstick::NotReady(NotReady::People { seen }) = watch.ground.yardstick() else { panic!("ready too soon") };
    assert!((1..=5).contains(&seen) && !watch.ground.is_known());
    watch.walk(6, 40);
    let Yardstick::Ready(pose) = watch.ground.yardstick() else { panic!("{:?}", watch.ground.yardstick()) };
    assert!(watch.ground.is_known());
    for (x, y) in [(0.2, 0.4), (0.6, 0.5), (0.4, 0.8)] {
        let off = (length(&watch.ground, x, y) / length(&truth, x, y)).ln().abs();
        assert!(off < 0.15 && off < 3.0 * pose.error, "{x} {y}: {off} {pose:?}");
    }
}

#[test]
fn what_was_learnt_outlives_a_restart_and_is_forgotten_when_asked() {
    let mut watch = Watch::new("ground = \"learn\"\n");
    watch.walk(1, 40);
    let state = watch.ground.learnt().unwrap().clone();
    let mut next = Watch::new("ground = \"learn\"\n");
    let before = next.ground.version();
    next.ground.restore(state.clone());
    assert!(next.ground.version() > before && next.ground.plane() == watch.ground.plane());
    next.ground.relearn();
    assert_eq!(next.ground.yardstick(), Yardstick::NotReady(NotReady::People { seen: 0 }));
    assert!(next.ground.plane().is_none());
    // A state with nonsense in it is taken as far as it makes sense.
    let mut broken = state;
    broken.samples[0].x = f64::NAN;
    broken.published = broken.published.map(|pose| Pose { focal: f64::NAN, ..pose });
    next.ground.restore(broken.clone());
    assert!(next.ground.plane().is_none());
    assert_eq!(next.ground.learnt().unwrap().samples.len(), broken.samples.len() - 1);
}

#[test]
fn a_frozen_plane_stays_and_another_shape_of_picture_begins_anew() {
    let mut watch = Watch::new("[ground]\nlearn = true\nfreeze = true\n");
    watch.walk(1, 40);
    let plane = watch.ground.plane().cloned().unwrap();
    watch.walk(41, 80);
    assert_eq!(watch.ground.plane(), Some(&plane));
    watch.ground.set_size(Size::new(1600, 900));
    watch.ground.learn(MediaTime::from_secs_f64(9e5), &[]);
    assert!(watch.ground.plane().is_none());
}

#[test]
fn boxes_of_one_size_everywhere_are_no_ground() {
    let mut watch = Watch::new("ground = \"learn\"\n");
    for id in 1..40 {
        for step in 0..20 {
            let y = 0.95 - 0.03 * f64::from(step);
            let tall = 0.1 / pose::expected_height(&POSE, &VIEW, 0.5, y).unwrap();
            watch.picture(&[person(id, 0.1 + 0.8 * (id % 9) as f64 / 9.0, y, tall)]);
        }
    }
    (0..12).for_each(|_| watch.picture(&[]));
    assert!(matches!(watch.ground.yardstick(), Yardstick::NotReady(_)), "{:?}", watch.ground.yardstick());
}

#[test]
fn hidden_feet_are_where_the_expected_height_puts_them() {
    for text in [known(), "ground = \"learn\"\n".into()] {
        let mut watch = Watch::new(&text);
        let feet = |watch: &Watch, i: usize| watch.people.all()[i].feet_fraction.y;
        let cut = |y: f64, seen: f32| {
            let mut track = person(100, 0.5, y, 1.0);
            track.bbox.height *= seen;
            track
        };
        // Nobody was seen: nothing is known of heights.
        watch.picture(&[person(99, 0.5, 0.7, 1.0), cut(0.65, 0.5)]);
        let bottom = f64::from(cut(0.65, 0.5).bbox.bottom()) / 600.0;
        assert!((feet(&watch, 1) - bottom).abs() < 1e-6);
        watch.walk(1, 40);
        // Behind somebody nearer.
        watch.picture(&[person(99, 0.5, 0.7, 1.0), cut(0.65, 0.5)]);
        assert!((feet(&watch, 1) - 0.65).abs() < 0.02, "{}", feet(&watch, 1));
        assert!((feet(&watch, 0) - 0.7).abs() < 1e-6, "who stands in front is seen whole");
        // Beside somebody: what is short is short.
        watch.picture(&[person(99, 0.8, 0.7, 1.0), cut(0.65, 0.5)]);
        assert!((feet(&watch, 1) - bottom).abs() < 1e-6);
        // Cut by the lower edge.
        let mut low = person(100, 0.5, 1.06, 1.0);
        low.bbox.height = 600.0 - low.bbox.top;
        watch.picture(&[low]);
        assert!((feet(&watch, 0) - 1.06).abs() < 0.05, "{}", feet(&watch, 0));
        let there = watch.ground.metres(watch.people.all()[0].feet).unwrap();
        let truth = pose::plane(&POSE, &VIEW, 1.7).unwrap().metres(Point { x: 0.5, y: 1.06 }).unwrap();
        assert!((there.x - truth.x).hypot(there.y - truth.y) < 0.15 * truth.y, "{there:?} {truth:?}");
    }
}

const COURT: &str = "id = \"c\"\n[ground]\npoints = [[0.11, 0.62], [0.54, 0.60], [0.93, 0.88], [0.05, 0.95]]\n\
    metres = [[0.0, 0.0], [12.0, 0.0], [12.0, 9.0], [0.0, 9.0]]\n\
    [[zone]]\nid = \"court\"\npolygon = [[0.11, 0.62], [0.54, 0.60], [0.93, 0.88], [0.05, 0.95]]\n";

fn court(text: &str) -> Ground {
    let mut ground = Ground::new(&camera(text));
    ground.set_size(Size::new(1000, 500));
    ground
}

#[test]
fn on_a_plane_metres_count_and_heights_do_not() {
    let ground = court(COURT);
    let [a, b, c] = [(110.0, 310.0), (540.0, 300.0), (930.0, 440.0)].map(|(x, y)| Point { x, y });
    assert!((ground.body_heights(a, 30.0, b, 90.0) * BODY_HEIGHT_M - 12.0).abs() < 1e-9);
    assert!((ground.body_heights(b, 1.0, c, 1.0) * BODY_HEIGHT_M - 9.0).abs() < 1e-9);
    let way = ground.bearing(a, b).unwrap();
    assert!((way.x - 1.0).abs() < 1e-9 && way.y.abs() < 1e-9, "{way:?}");
    assert!((ground.area(0).unwrap() - 108.0).abs() < 1e-6);
    assert_eq!((ground.area(1), ground.is_known(), ground.yardstick()), (None, true, Yardstick::Known));
    assert!(ground.scale(a).unwrap() > 10.0 && ground.scale(c) > ground.scale(a));
}

#[test]
fn without_a_plane_box_heights_measure_and_depth_counts_double() {
    let ground = court("id = \"c\"\n");
    let a = Point { x: 100.0, y: 100.0 };
    assert_eq!(ground.body_heights(a, 80.0, Point { x: 180.0, y: 100.0 }, 80.0), 1.0);
    assert_eq!(ground.body_heights(a, 80.0, Point { x: 100.0, y: 140.0 }, 80.0), 1.0);
    assert_eq!((ground.area(0), ground.scale(a), ground.yardstick()), (None, None, Yardstick::BodyHeights));
}
