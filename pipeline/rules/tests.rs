use std::path::Path;

use jiff::tz::TimeZone;

use super::*;
use crate::config::plan::Camera;
use crate::config::{Surroundings, camera_text};
use crate::types::{Direction, MediaTime, Point, Rect, Size, Subject, Track, TrackId, TrackState};

const SIZE: Size = Size::new(1000, 1000);
const HEIGHT: f32 = 100.0;

pub fn camera(text: &str) -> Camera {
    let around = Surroundings { time_zone: &TimeZone::UTC, media_dirs: None, grids: None };
    camera_text(Path::new("c.toml"), text, &around).unwrap_or_else(|e| panic!("{e}")).plan
}

/// A person of 100 pixels whose feet are at `x`, `y`.
fn person(id: u64, born: f64, birth: [f64; 2], x: f64, y: f64) -> Track {
    let bbox = Rect::new(x as f32 - 20.0, y as f32 - HEIGHT, 40.0, HEIGHT);
    Track {
        id: TrackId(id),
        state: TrackState::Confirmed,
        bbox,
        velocity: [0.0; 2],
        score: 0.9,
        matched: true,
        born: MediaTime::from_secs_f64(born),
        birth: Point { x: birth[0], y: birth[1] },
        seen: MediaTime::from_secs_f64(born),
    }
}

fn at(seconds: f64) -> MediaTime {
    MediaTime::from_secs_f64(seconds)
}

const LINE: &str = "id = \"c\"\n[[line]]\nid = \"l\"\npoints = [[0.3, 0.5], [0.7, 0.5]]\n";

/// Walks along `path` with one step each 0.1 s; gives the crossings.
fn walk(text: &str, path: &[[f64; 2]]) -> Vec<Direction> {
    let mut rules = RuleSet::new(&camera(text), false);
    let mut found = Vec::new();
    for (i, [x, y]) in path.iter().enumerate() {
        let measured = rules.observe(at(i as f64 * 0.1), SIZE, &[person(1, 0.0, path[0], *x, *y)]);
        found.extend(measured.crossed.iter().map(|c| c.direction));
    }
    found
}

#[test]
fn left_and_right_are_those_of_someone_walking_along_the_line() {
    // Walking from x = 0.3 to x = 0.7, upwards (smaller y) is on the left.
    assert_eq!(walk(LINE, &[[500.0, 400.0], [500.0, 480.0], [500.0, 600.0]]), [Direction::LeftToRight]);
    assert_eq!(walk(LINE, &[[500.0, 600.0], [500.0, 400.0]]), [Direction::RightToLeft]);
}

#[test]
fn touching_turning_back_and_walking_round_are_no_crossings() {
    assert_eq!(walk(LINE, &[[500.0, 400.0], [500.0, 502.0], [500.0, 400.0]]), []);
    assert_eq!(walk(LINE, &[[500.0, 400.0], [800.0, 400.0], [800.0, 600.0], [500.0, 600.0]]), []);
    let trembling: Vec<[f64; 2]> = (0..50).map(|i| [500.0, 498.0 + f64::from(i % 3) * 2.0]).collect();
    assert_eq!(walk(LINE, &trembling), []);
}

#[test]
fn a_way_walked_before_confirmation_counts() {
    let mut rules = RuleSet::new(&camera(LINE), false);
    let measured = rules.observe(at(1.0), SIZE, &[person(1, 0.5, [500.0, 420.0], 500.0, 580.0)]);
    assert_eq!(measured.crossed.len(), 1);
}

#[test]
fn somebody_first_seen_at_the_line_counts_on_the_far_side_only() {
    assert_eq!(walk(LINE, &[[500.0, 497.0], [500.0, 503.0], [500.0, 600.0]]), [Direction::LeftToRight]);
    assert_eq!(walk(LINE, &[[500.0, 503.0], [500.0, 600.0]]), []);
}

#[test]
fn a_crossing_rule_alerts_once_for_each_person() {
    let text = format!("{LINE}[[line.rule]]\nid = \"in\"\nkind = \"crossing\"\ndirection = \"left_to_right\"\n");
    let mut rules = RuleSet::new(&camera(&text), false);
    let mut alerts = Vec::new();
    for (i, y) in [400.0, 600.0, 400.0, 600.0].into_iter().enumerate() {
        let tracks = [person(1, 0.0, [500.0, 400.0], 500.0, y), person(2, 0.0, [600.0, 600.0], 600.0, 1000.0 - y)];
        let measured = rules.observe(at(i as f64), SIZE, &tracks);
        alerts.extend(measured.signals.iter().map(|s| (i, s.subject)));
    }
    assert_eq!(alerts, [(1, Subject::Crossing(TrackId(1))), (2, Subject::Crossing(TrackId(2)))]);
}

const LOITER: &str = "id = \"c\"\n[[zone]]\nid = \"z\"\npolygon = [[0,0],[1,0],[1,1],[0,1]]\n[[zone.rule]]\nid = \"r\"\nkind = \"loitering\"\ndwell = \"10s\"\ngap = \"2s\"\n";

fn subjects(measured: &Measured) -> Vec<Subject> {
    measured.signals.iter().map(|s| s.subject).collect()
}

#[test]
fn dwell_survives_an_identity_switch_nearby_and_soon() {
    for (delay, shift, inherits) in [(1.0, 50.0, true), (1.9, 90.0, true), (2.5, 10.0, false), (1.0, 150.0, false)] {
        let mut rules = RuleSet::new(&camera(LOITER), false);
        for i in 0..20 {
            rules.observe(at(f64::from(i) * 0.1), SIZE, &[person(1, 0.0, [300.0, 500.0], 300.0, 500.0)]);
        }
        let born = 1.9 + delay;
        let measured =
            rules.observe(at(born + 0.3), SIZE, &[person(2, born, [300.0 + shift, 500.0], 300.0 + shift, 500.0)]);
        let expected = Subject::Person(TrackId(if inherits { 1 } else { 2 }));
        assert_eq!(subjects(measured), [expected], "{delay} s, {shift} px");
    }
}

#[test]
fn one_heir_each_the_nearest_first_and_never_of_somebody_in_view() {
    let mut rules = RuleSet::new(&camera(LOITER), false);
    let old = [person(1, 0.0, [300.0, 500.0], 300.0, 500.0), person(2, 0.0, [700.0, 500.0], 700.0, 500.0)];
    rules.observe(at(0.0), SIZE, &old);
    rules.observe(at(1.0), SIZE, &old);
    let heirs = [
        person(2, 0.0, [700.0, 500.0], 700.0, 500.0),
        person(3, 1.5, [350.0, 500.0], 350.0, 500.0),
        person(4, 1.5, [310.0, 500.0], 310.0, 500.0),
        person(5, 1.5, [690.0, 500.0], 690.0, 500.0),
    ];
    let measured = rules.observe(at(1.8), SIZE, &heirs);
    let expected = [2, 3, 1, 5].map(|id| Subject::Person(TrackId(id)));
    assert_eq!(subjects(measured), expected);
}

#[test]
fn who_comes_back_beside_an_heir_is_another_person() {
    let mut rules = RuleSet::new(&camera(LOITER), false);
    let old = person(1, 0.0, [300.0, 500.0], 300.0, 500.0);
    let heir = person(2, 1.5, [350.0, 500.0], 350.0, 500.0);
    let persons = |list: &[u64]| list.iter().map(|id| Subject::Person(TrackId(*id))).collect::<Vec<_>>();
    assert_eq!(subjects(rules.observe(at(0.0), SIZE, &[old])), persons(&[1]));
    assert_eq!(subjects(rules.observe(at(1.0), SIZE, &[old])), persons(&[1]));
    assert_eq!(subjects(rules.observe(at(1.8), SIZE, &[heir])), persons(&[1]), "nobody knows better yet");
    for time in [2.0, 2.2, 2.4] {
        assert_eq!(subjects(rules.observe(at(time), SIZE, &[old, heir])), persons(&[1, 2]));
    }
    assert_eq!(subjects(rules.observe(at(2.6), SIZE, &[heir])), persons(&[2]), "for good");
}

#[test]
fn two_beside_a_line_who_were_taken_for_one_do_not_cross_it() {
    let mut rules = RuleSet::new(&camera(LINE), false);
    let mut crossed = 0;
    // The second is born where the first is lost, walks over the line, and then the first is found again.
    let first = person(1, 0.0, [500.0, 460.0], 500.0, 460.0);
    let second = |y: f64| person(2, 0.6, [500.0, 470.0], 500.0, y);
    let mut observe = |time: f64, people: &[Track]| {
        crossed += rules.observe(at(time), SIZE, people).crossed.len();
        crossed
    };
    assert_eq!(observe(0.0, &[first]), 0);
    assert_eq!(observe(0.4, &[first]), 0);
    assert_eq!(observe(0.8, &[second(470.0)]), 0);
    assert_eq!(observe(1.0, &[second(560.0)]), 1, "somebody has crossed");
    for k in 0..6 {
        let both: &[Track] = &[first, second(560.0)];
        let people = if k % 2 == 0 { both } else { &both[1..] };
        assert_eq!(observe(1.2 + 0.2 * f64::from(k), people), 1, "nobody else has");
    }
}

#[test]
fn trusted_identities_do_not_inherit() {
    let mut rules = RuleSet::new(&camera(LOITER), true);
    rules.observe(at(0.0), SIZE, &[person(1, 0.0, [300.0, 500.0], 300.0, 500.0)]);
    let measured = rules.observe(at(1.0), SIZE, &[person(2, 1.0, [300.0, 500.0], 300.0, 500.0)]);
    assert_eq!(subjects(measured), [Subject::Person(TrackId(2))]);
}

fn gathering(standing: bool) -> Camera {
    camera(&format!(
        "id = \"c\"\n[[zone]]\nid = \"z\"\npolygon = [[0,0],[1,0],[1,1],[0,1]]\n[[zone.rule]]\nid = \"r\"\nkind = \"gathering\"\npeople = 3\nradius = \"1bh\"\nstanding = {standing}\n"
    ))
}

fn group(at: [f64; 2], ids: [u64; 3]) -> [Track; 3] {
    let [x, y] = at;
    [(0.0, 0.0), (80.0, 0.0), (40.0, 20.0)].map(|(dx, dy)| [x + dx, y + dy]).zip_ids(ids)
}

trait ZipIds {
    fn zip_ids(self, ids: [u64; 3]) -> [Track; 3];
}

impl ZipIds for [[f64; 2]; 3] {
    fn zip_ids(self, ids: [u64; 3]) -> [Track; 3] {
        std::array::from_fn(|i| person(ids[i], 0.0, self[i], self[i][0], self[i][1]))
    }
}

#[test]
fn clusters_are_counted_apart_and_keep_their_identity_while_members_change() {
    let mut rules = RuleSet::new(&gathering(false), false);
    let both: Vec<Track> =
        group([200.0, 500.0], [1, 2, 3]).into_iter().chain(group([700.0, 500.0], [4, 5, 6])).collect();
    let measured = rules.observe(at(0.0), SIZE, &both);
    assert_eq!(subjects(measured), [Subject::Cluster(1), Subject::Cluster(2)]);
    assert!(measured.signals.iter().all(|s| s.value == 3.0));
    let moved = group([240.0, 500.0], [2, 3, 7]);
    assert_eq!(subjects(rules.observe(at(0.5), SIZE, &moved)), [Subject::Cluster(1)]);
    let others = group([250.0, 500.0], [8, 9, 10]);
    assert_eq!(subjects(rules.observe(at(1.0), SIZE, &others)), [Subject::Cluster(1)], "same place");
}

#[test]
fn people_side_by_side_are_near_and_depth_counts_double() {
    let mut rules = RuleSet::new(&gathering(false), false);
    let row = |dx: f64, dy: f64| -> Vec<Track> {
        (0..3u64).map(|i| person(i + 1, 0.0, [0.0, 0.0], 300.0 + dx * i as f64, 500.0 + dy * i as f64)).collect()
    };
    assert_eq!(rules.observe(at(0.0), SIZE, &row(95.0, 0.0)).signals.len(), 1);
    assert_eq!(rules.observe(at(0.1), SIZE, &row(105.0, 0.0)).signals.len(), 0);
    assert_eq!(rules.observe(at(0.2), SIZE, &row(0.0, 45.0)).signals.len(), 1);
    assert_eq!(rules.observe(at(0.3), SIZE, &row(0.0, 55.0)).signals.len(), 0);
}

#[test]
fn a_walking_group_does_not_stand() {
    for (speed, expected) in [(0.0, 3.0), (10.0, 3.0), (100.0, 0.0)] {
        let mut rules = RuleSet::new(&gathering(true), false);
        let mut value = f64::NAN;
        for i in 0..30 {
            let x = 100.0 + speed * f64::from(i) * 0.1;
            let measured = rules.observe(at(f64::from(i) * 0.1), SIZE, &group([x, 500.0], [1, 2, 3]));
            value = measured.signals[0].value;
        }
        assert_eq!(value, expected, "{speed} px/s at 100 px for 1.70 m");
    }
}

const LINGER: &str = "id = \"c\"\n[[zone]]\nid = \"z\"\npolygon = [[0,0],[1,0],[1,1],[0,1]]\n[[zone.rule]]\nid = \"r\"\nkind = \"loitering\"\nmode = \"linger\"\nradius = \"1bh\"\ndwell = \"5s\"\n";

#[test]
fn lingering_asks_for_the_whole_dwell_in_one_circle() {
    let mut rules = RuleSet::new(&camera(LINGER), false);
    let mut first = None;
    for i in 0..200 {
        let t = f64::from(i) * 0.1;
        // Walks 60 px/s for 5 s, then trembles on the spot.
        let x = if t < 5.0 { 100.0 + 60.0 * t } else { 400.0 + f64::from(i % 2) * 4.0 };
        let measured = rules.observe(at(t), SIZE, &[person(1, 0.0, [100.0, 500.0], x, 500.0)]);
        if first.is_none() && !measured.signals.is_empty() {
            first = Some((t, measured.signals[0].since.unwrap().secs_f64()));
        }
    }
    // The circle of 200 px reaches back to x = 204 or so, passed at 1.73 s.
    let (t, since) = first.unwrap();
    assert!((since - 1.75).abs() < 0.1 && (t - since - 5.0).abs() < 0.11, "{t} {since}");
}

#[test]
fn filters_and_anchors_choose_who_counts() {
    let rule = |extra: &str| {
        camera(&format!(
            "id = \"c\"\n[[zone]]\nid = \"z\"\npolygon = [[0,0],[1,0],[1,0.46],[0,0.46]]\n[[zone.rule]]\nid = \"r\"\nkind = \"crowd\"\npeople = 1\n{extra}\n"
        ))
    };
    let value = |camera: &Camera| {
        // Feet at 0.5, middle at 0.45 of the picture's height; 0.1 high.
        let mut rules = RuleSet::new(camera, false);
        rules.observe(at(0.0), SIZE, &[person(1, 0.0, [500.0, 500.0], 500.0, 500.0)]).signals[0].value
    };
    assert_eq!(value(&rule("")), 0.0);
    assert_eq!(value(&rule("anchor = \"center\"")), 1.0);
    assert_eq!(value(&rule("anchor = \"center\"\nmin_height = 0.2")), 0.0);
    assert_eq!(value(&rule("anchor = \"center\"\nmax_height = 0.05")), 0.0);
    assert_eq!(value(&rule("anchor = \"center\"\nmin_score = 0.95")), 0.0);
}

#[test]
fn tentative_and_coasting_tracks_do_not_count() {
    let mut rules = RuleSet::new(&camera(LOITER), false);
    let sure = person(1, 0.0, [300.0, 500.0], 300.0, 500.0);
    let tentative = Track { state: TrackState::Tentative, id: TrackId(2), ..sure };
    let coasting = Track { matched: false, id: TrackId(3), ..sure };
    let measured = rules.observe(at(0.0), SIZE, &[sure, tentative, coasting]);
    assert_eq!((measured.people, measured.zone_people[0]), (1, 1));
}

mod dense;
mod flow;
mod near;
/// A camera 6 m up that looks down by 30 degrees, 60 degrees wide, by four points; the second metre is away from it.
const PLANE: &str = "[ground]\npoints = [[0.238313555, 0.604338959], [0.761686445, 0.604338959], [0.654129898, 0.355947753], [0.345870102, 0.355947753]]\n\
    metres = [[-3, 8], [3, 8], [3, 16], [-3, 16]]\n";

#[test]
fn on_a_ground_plane_metres_decide_and_box_heights_do_not() {
    let text = |radius: &str| {
        format!(
            "id = \"c\"\n[[zone]]\nid = \"z\"\npolygon = [[0,0.4],[1,0.4],[1,1],[0,1]]\n[[zone.rule]]\nid = \"r\"\nkind = \"gathering\"\npeople = 3\nradius = \"{radius}\"\n{PLANE}"
        )
    };
    let plan = camera(&text("2m"));
    let ground = Ground::new(&plan);
    let Some(plane) = ground.plane() else { panic!("no plane") };
    let row = |gap: f64, height: f32| -> Vec<Track> {
        let place = |i: u64| plane.picture(Point { x: gap * i as f64 - 2.0, y: 10.0 }).unwrap();
        let tall = |track: Track| {
            let bbox = Rect::new(track.bbox.left, track.bbox.bottom() - height, track.bbox.width, height);
            Track { bbox, ..track }
        };
        (0..3).map(|i| tall(person(i + 1, 0.0, [0.0; 2], place(i).x * 1000.0, place(i).y * 1000.0))).collect()
    };
    for (radius, near, far) in [("2m", 1.95, 2.05), ("1bh", 1.65, 1.75)] {
        let mut rules = RuleSet::new(&camera(&text(radius)), false);
        for (i, height) in [20.0, 100.0, 300.0].into_iter().enumerate() {
            assert_eq!(rules.observe(at(i as f64), SIZE, &row(near, height)).signals.len(), 1, "{radius} {height}");
            assert_eq!(
                rules.observe(at(i as f64 + 0.5), SIZE, &row(far, height)).signals.len(),
                0,
                "{radius} {height}"
            );
        }
    }
}

#[test]
fn a_metre_is_a_metre_near_and_far_for_whoever_lingers_on_a_plane() {
    let plan = camera(&format!("{}{PLANE}", LINGER.replace("\"1bh\"", "\"1m\"")));
    let ground = Ground::new(&plan);
    let Some(plane) = ground.plane() else { panic!("no plane") };
    // To and fro over 1.8 m fits in a circle of 1 m, over 2.2 m does not.
    for y in [8.0, 24.0] {
        for (width, lingers) in [(1.8, true), (2.2, false)] {
            let mut rules = RuleSet::new(&plan, false);
            let mut seen = false;
            for i in 0..100_u32 {
                let x = width * (f64::from(i % 20) / 10.0 - 1.0).abs();
                let p = plane.picture(Point { x, y }).unwrap();
                let tracks = [person(1, 0.0, [0.0; 2], p.x * 1000.0, p.y * 1000.0)];
                seen |= !rules.observe(at(f64::from(i) * 0.1), SIZE, &tracks).signals.is_empty();
            }
            assert_eq!(seen, lingers, "{width} m at {y} m");
        }
    }
}
