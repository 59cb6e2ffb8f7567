//! Properties of the tracker as a whole, on simulated people.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::types::{CameraMotion, Detection, MediaTime, Point, Rect, Size, Span, TrackId, TrackState};

const SIZE: Size = Size::new(1280, 720);

/// A person who walks evenly; pixels, and pixels a second.
#[derive(Clone, Copy, Debug)]
struct Walker {
    from: Point,
    speed: Point,
    height: f64,
    score: f32,
}

impl Walker {
    fn at(&self, seconds: f64) -> Detection {
        let (x, y) = (self.from.x + self.speed.x * seconds, self.from.y + self.speed.y * seconds);
        let (w, h) = (0.4 * self.height, self.height);
        Detection { bbox: Rect::new((x - w / 2.0) as f32, (y - h) as f32, w as f32, h as f32), score: self.score }
    }
}

fn walker(x: f64, y: f64, vx: f64, vy: f64) -> Walker {
    Walker { from: Point { x, y }, speed: Point { x: vx, y: vy }, height: 100.0, score: 0.8 }
}

fn tracker() -> SortTracker {
    SortTracker::new(TrackerConfig { start_score: 0.4 })
}

fn see(tracker: &mut SortTracker, seconds: f64, detections: &[Detection]) -> Vec<Track> {
    let time = MediaTime::from_secs_f64(seconds);
    tracker.update(&Observation { time, size: SIZE, detections, motion: None }).to_vec()
}

/// Who is counted where: picture, id, box.
fn counted(pictures: &[Vec<Detection>], fps: f64) -> Vec<(usize, u64, Rect)> {
    let mut tracker = tracker();
    let mut out = Vec::new();
    for (k, detections) in pictures.iter().enumerate() {
        let tracks = see(&mut tracker, k as f64 / fps, detections);
        out.extend(tracks.iter().filter(|t| t.counts()).map(|t| (k, t.id.0, t.bbox)));
    }
    out
}

/// People who cross each other's ways, sometimes missed, with shaken boxes and some clutter.
fn scene() -> impl Strategy<Value = Vec<Vec<Detection>>> {
    let person = (100_i32..1180, 250_i32..680, -120_i32..120, -40_i32..40, 60_i32..160, 45_u8..95);
    let noise = proptest::collection::vec((0_u8..100, -3_i8..=3, -3_i8..=3), 8 * 30);
    let clutter = proptest::collection::vec((0_i32..1200, 0_i32..600, 30_i32..200, 10_u8..60), 40);
    (proptest::collection::vec(person, 1..8), noise, clutter).prop_map(|(people, noise, clutter)| {
        let mut pictures = vec![Vec::new(); 30];
        for (p, &(x, y, vx, vy, height, score)) in people.iter().enumerate() {
            for (k, picture) in pictures.iter_mut().enumerate() {
                let (luck, dx, dy) = noise[p * 30 + k];
                if luck >= 10 {
                    let (left, top) = (x + vx * k as i32 / 7 + i32::from(dx), y + vy * k as i32 / 7 + i32::from(dy));
                    // Scores differ from each other: equal ones are ordered by place, which a mirror turns round.
                    let score = f32::from(score) / 100.0 - p as f32 * 1e-3 - k as f32 * 1e-5;
                    let bbox = Rect::new(left as f32, top as f32 - height as f32, (height / 2) as f32, height as f32);
                    picture.push(Detection { bbox, score });
                }
            }
        }
        for (i, &(x, y, height, score)) in clutter.iter().enumerate() {
            let bbox = Rect::new(x as f32, y as f32, (height / 2) as f32, height as f32);
            pictures[i % 30].push(Detection { bbox, score: f32::from(score) / 100.0 - 5e-4 - i as f32 * 1e-5 });
        }
        pictures
    })
}

fn mapped(pictures: &[Vec<Detection>], f: impl Fn(&Rect) -> Rect) -> Vec<Vec<Detection>> {
    let one = |d: &Detection| Detection { bbox: f(&d.bbox), ..*d };
    pictures.iter().map(|picture| picture.iter().map(one).collect()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_order_of_detections_does_not_matter(scene in scene(), turn in 1_usize..7) {
        let mut shuffled = scene.clone();
        for picture in &mut shuffled {
            picture.reverse();
            let by = turn % picture.len().max(1);
            picture.rotate_left(by);
        }
        prop_assert_eq!(counted(&scene, 7.0), counted(&shuffled, 7.0));
    }

    #[test]
    fn only_differences_of_time_matter(scene in scene(), shift in 0_i64..10_000_000_000_000) {
        let (mut here, mut there) = (tracker(), tracker());
        for (k, detections) in scene.iter().enumerate() {
            let time = MediaTime::of_frame(k as u64, 7.0);
            let seen = Observation { time, size: SIZE, detections, motion: None };
            let later = Observation { time: time + Span::from_nanos(shift), ..seen };
            let expected: Vec<Track> = here.update(&seen).iter().map(|t| Track {
                born: t.born + Span::from_nanos(shift), seen: t.seen + Span::from_nanos(shift), ..*t
            }).collect();
            prop_assert_eq!(there.update(&later), &expected[..]);
        }
    }

    #[test]
    fn a_mirrored_scene_has_the_same_ids(scene in scene()) {
        let flip = |b: &Rect| Rect::new(SIZE.width as f32 - b.left - b.width, b.top, b.width, b.height);
        let expected: Vec<_> = counted(&scene, 7.0).iter().map(|(k, id, b)| (*k, *id, flip(b))).collect();
        prop_assert_eq!(counted(&mapped(&scene, flip), 7.0), expected);
    }

    #[test]
    fn a_scene_of_twice_the_size_has_the_same_ids(scene in scene()) {
        let twice = |b: &Rect| b.scaled(2.0, 2.0);
        let (mut small, mut large) = (tracker(), tracker());
        for (k, (a, b)) in scene.iter().zip(mapped(&scene, twice)).enumerate() {
            let time = MediaTime::of_frame(k as u64, 7.0);
            let seen = Observation { time, size: SIZE, detections: a, motion: None };
            let size = Size::new(SIZE.width * 2, SIZE.height * 2);
            let expected: Vec<_> = small.update(&seen).iter().map(|t| (t.id, t.matched, t.state)).collect();
            let tracks = large.update(&Observation { size, detections: &b, ..seen });
            prop_assert_eq!(tracks.iter().map(|t| (t.id, t.matched, t.state)).collect::<Vec<_>>(), expected);
        }
    }

    #[test]
    fn ids_are_unique_ordered_and_confirmed_for_good(scene in scene()) {
        let mut tracker = tracker();
        let mut states = BTreeMap::new();
        for (k, detections) in scene.iter().enumerate() {
            let tracks = see(&mut tracker, k as f64 / 7.0, detections);
            prop_assert!(tracks.windows(2).all(|pair| pair[0].id < pair[1].id));
            for track in &tracks {
                let before = states.insert(track.id, track.state);
                prop_assert!(before != Some(TrackState::Confirmed) || track.state == TrackState::Confirmed);
                prop_assert!(!track.matched || detections.iter().any(|d| d.bbox == track.bbox));
            }
        }
    }

    #[test]
    fn a_walk_keeps_its_ids_at_any_rate(fps in 2.0_f64..30.0, away in 0.0_f64..60.0) {
        let people = [walker(100.0, 300.0, 85.0, 0.0), walker(1150.0, 500.0, -85.0, 3.0), walker(600.0 + away, 690.0, 0.0, 0.0)];
        let pictures: Vec<Vec<Detection>> = (0..(12.0 * fps) as usize)
            .map(|k| people.iter().map(|p| p.at(k as f64 / fps)).collect())
            .collect();
        let seen = counted(&pictures, fps);
        for (p, person) in people.iter().enumerate() {
            let own: Vec<u64> = seen.iter().filter(|(k, _, b)| *b == pictures[*k][p].bbox).map(|(_, id, _)| *id).collect();
            prop_assert!(own.windows(2).all(|pair| pair[0] == pair[1]), "{person:?} at {fps}: {own:?}");
            prop_assert!(own.len() as f64 >= 10.5 * fps, "{person:?} at {fps}: {} of {}", own.len(), pictures.len());
        }
    }

    #[test]
    fn extreme_boxes_do_no_harm(
        boxes in proptest::collection::vec((any::<f32>(), any::<f32>(), any::<f32>(), any::<f32>(), 0_f32..1.0), 0..40)
    ) {
        let mut tracker = tracker();
        for k in 0..4 {
            let detections: Vec<Detection> =
                boxes.iter().map(|&(l, t, w, h, score)| Detection { bbox: Rect::new(l, t, w, h), score }).collect();
            let tracks = see(&mut tracker, f64::from(k) * 0.1, &detections);
            prop_assert!(tracks.iter().all(|t| t.bbox.is_valid()));
        }
    }
}

#[test]
fn tables_stay_bounded_under_ten_thousand_detections() {
    let mut tracker = tracker();
    let mut state = 1_u64;
    let mut random = |below: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    for k in 0..6 {
        let detections: Vec<Detection> = (0..10_000)
            .map(|_| {
                let bbox = Rect::new(random(1900) as f32, random(1000) as f32, 20.0 + random(60) as f32, 90.0);
                Detection { bbox, score: 0.1 + random(900) as f32 / 1000.0 }
            })
            .collect();
        assert!(see(&mut tracker, f64::from(k) * 0.1, &detections).len() <= MAX_TRACKS);
    }
    let overflow = tracker.overflow();
    assert_eq!(overflow.detections, 6 * (10_000 - MAX_DETECTIONS as u64));
}

#[test]
fn births_beyond_the_table_are_counted() {
    let mut tracker = tracker();
    let grid = |shift: f32| -> Vec<Detection> {
        (0..MAX_DETECTIONS)
            .map(|i| Detection {
                bbox: Rect::new((i % 32) as f32 * 40.0 + shift, (i / 32) as f32 * 45.0, 10.0, 25.0),
                score: 0.9,
            })
            .collect()
    };
    assert_eq!(see(&mut tracker, 0.0, &grid(0.0)).len(), MAX_TRACKS);
    assert_eq!(tracker.overflow(), Overflow::default());
    see(&mut tracker, 0.1, &grid(20.0));
    assert_eq!(tracker.overflow().tracks, MAX_DETECTIONS as u64);
}

#[test]
fn someone_hidden_for_two_seconds_keeps_the_id() {
    let person = walker(200.0, 400.0, 90.0, 0.0);
    let mut tracker = tracker();
    let mut ids = Vec::new();
    for k in 0..70 {
        let seconds = f64::from(k) / 7.0;
        let hidden = (3.0..5.0).contains(&seconds);
        let detections = if hidden { vec![] } else { vec![person.at(seconds)] };
        let tracks = see(&mut tracker, seconds, &detections);
        if hidden {
            assert!(tracks.iter().all(|t| !t.matched && !t.counts()), "a guess must not count");
            assert!(!tracks.is_empty(), "a hidden person is still followed");
        }
        ids.extend(tracks.iter().filter(|t| t.counts()).map(|t| t.id.0));
    }
    ids.dedup();
    assert_eq!(ids, [1]);
}

#[test]
fn someone_who_stops_while_hidden_is_found_where_last_seen() {
    let person = walker(200.0, 400.0, 90.0, 0.0);
    let mut tracker = tracker();
    let mut ids = Vec::new();
    for k in 0..84 {
        let seconds = f64::from(k) / 7.0;
        let detections = match seconds {
            s if s < 4.0 => vec![person.at(s)],
            s if s < 6.0 => vec![],
            _ => vec![person.at(4.1)],
        };
        ids.extend(see(&mut tracker, seconds, &detections).iter().filter(|t| t.counts()).map(|t| t.id.0));
    }
    ids.dedup();
    assert_eq!(ids, [1]);
}

#[test]
fn the_next_one_to_enter_is_not_the_one_who_left() {
    let leaves = walker(1130.0, 400.0, 90.0, 0.0);
    let enters = walker(1290.0, 400.0, -90.0, 0.0);
    let mut tracker = tracker();
    let mut ids = Vec::new();
    for k in 0..50 {
        let seconds = f64::from(k) / 7.0;
        let mut detections = vec![];
        if leaves.at(seconds).bbox.center().x < 1280.0 {
            detections.push(leaves.at(seconds));
        } else if seconds > 3.0 {
            detections.push(enters.at(seconds - 3.0));
        }
        ids.extend(see(&mut tracker, seconds, &detections).iter().filter(|t| t.counts()).map(|t| t.id));
    }
    ids.dedup();
    assert_eq!(ids.len(), 2, "{ids:?}");
}

#[test]
fn weak_and_single_detections_never_count() {
    let mut tracker = tracker();
    for k in 0..60 {
        let mut weak = walker(300.0, 400.0, 0.0, 0.0).at(0.0);
        weak.score = 0.39;
        let flash = walker(50.0 + 20.0 * f64::from(k), 700.0 - 90.0 * f64::from(k % 7), 0.0, 0.0).at(0.0);
        let detections = if k % 3 == 0 { vec![weak, flash] } else { vec![weak] };
        assert!(see(&mut tracker, f64::from(k) / 7.0, &detections).iter().all(|t| !t.counts()));
    }
}

#[test]
fn a_sure_person_counts_at_the_second_picture_and_weak_ones_continue() {
    let mut tracker = tracker();
    let person = walker(300.0, 400.0, 40.0, 0.0);
    assert!(!see(&mut tracker, 0.0, &[person.at(0.0)])[0].counts());
    assert!(see(&mut tracker, 1.0 / 7.0, &[person.at(1.0 / 7.0)])[0].counts());
    let weak = Detection { score: 0.15, ..person.at(2.0 / 7.0) };
    let tracks = see(&mut tracker, 2.0 / 7.0, &[weak]);
    assert!(tracks[0].counts());
    assert_eq!((tracks[0].id, tracks[0].bbox, tracks[0].score), (TrackId(1), weak.bbox, 0.15));
}

#[test]
fn a_part_seen_twice_is_one_person() {
    let mut tracker = tracker();
    for k in 0..40 {
        let whole = walker(300.0, 400.0, 30.0, 0.0).at(f64::from(k) / 7.0);
        let b = whole.bbox;
        let part = Detection { bbox: Rect::new(b.left + 2.0, b.top, b.width - 4.0, b.height * 0.5), score: 0.6 };
        assert_eq!(see(&mut tracker, f64::from(k) / 7.0, &[whole, part]).len(), 1);
    }
}

#[test]
fn a_change_of_picture_size_keeps_ids_and_places() {
    let mut tracker = tracker();
    let person = walker(300.0, 400.0, 60.0, 0.0);
    for k in 0..40 {
        let seconds = f64::from(k) / 7.0;
        let mut detection = person.at(seconds);
        let mut size = SIZE;
        if k >= 20 {
            detection.bbox = detection.bbox.scaled(0.5, 0.5);
            size = Size::new(SIZE.width / 2, SIZE.height / 2);
        }
        let time = MediaTime::from_secs_f64(seconds);
        let tracks = tracker.update(&Observation { time, size, detections: &[detection], motion: None });
        assert_eq!(tracks.iter().map(|t| t.id.0).collect::<Vec<_>>(), [1]);
        if k == 39 {
            assert!((tracks[0].velocity[0] - 30.0).abs() < 3.0, "{:?}", tracks[0].velocity);
            assert!((tracks[0].birth.x - 150.0).abs() < 1.0);
        }
    }
}

#[test]
fn camera_motion_is_taken_off() {
    let follow = |told: bool| {
        let mut tracker = tracker();
        let mut ids = Vec::new();
        for k in 0..40 {
            // A camera on a vehicle that swings by four body widths to and fro.
            let place = |k: i32| 160.0 * f64::from([0, 1, 3, 2, 0, 2, 3, 1][(k.max(7) - 7) as usize % 8]);
            let step = place(k) - place(k - 1);
            let detection = walker(300.0 + place(k), 400.0, 0.0, 0.0).at(0.0);
            let motion = told.then_some(CameraMotion { matrix: [[1.0, 0.0, step], [0.0, 1.0, 0.0]] });
            let time = MediaTime::of_frame(k as u64, 7.0);
            let tracks = tracker.update(&Observation { time, size: SIZE, detections: &[detection], motion });
            ids.extend(tracks.iter().filter(|t| t.counts()).map(|t| t.id.0));
        }
        ids
    };
    assert_eq!(follow(true), [1; 39]);
    assert!(follow(false).len() < 20);
}

#[test]
fn after_an_outage_everyone_is_new_and_time_may_stand_still() {
    let mut tracker = tracker();
    let person = walker(300.0, 400.0, 0.0, 0.0).at(0.0);
    for k in 0..5 {
        see(&mut tracker, f64::from(k) / 7.0, &[person]);
    }
    let again = see(&mut tracker, 4.0 / 7.0, &[person]);
    assert_eq!((again.len(), again[0].id, again[0].bbox), (1, TrackId(1), person.bbox));
    assert_eq!(see(&mut tracker, 60.0, &[person])[0].id, TrackId(2));
}
