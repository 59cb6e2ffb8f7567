use std::sync::Arc;
use std::time::Instant;

use super::super::picture::VideoPicture;
use super::*;
use crate::types::{Change, View};

const SIZE: Size = Size::new(640, 480);

/// Boxes of all sizes and levels, always the same for a seed: edges everywhere.
fn place(seed: u32) -> Vec<u8> {
    let mut state = seed;
    let mut random = |most: u32| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) % most
    };
    let (width, height) = (SIZE.width * 2, SIZE.height * 2);
    let mut luma = vec![100_u8; (width * height) as usize];
    for _ in 0..700 {
        let (x, y, w, h, level) = (random(width), random(height), 20 + random(80), 20 + random(80), random(200));
        for row in y..(y + h).min(height) {
            luma[(row * width + x) as usize..(row * width + (x + w).min(width)) as usize].fill(20 + level as u8);
        }
    }
    luma
}

/// The part of a place that the camera sees, after `light` has changed each level.
fn seen(place: &[u8], (x, y): (u32, u32), light: impl Fn(u32, u32, u8) -> u8) -> Vec<u8> {
    let mut luma = Vec::with_capacity(SIZE.area());
    for row in 0..SIZE.height {
        for column in 0..SIZE.width {
            luma.push(light(column, row, place[((row + y) * SIZE.width * 2 + column + x) as usize]));
        }
    }
    luma
}

struct Watch {
    inspector: Inspector,
    looks: u64,
}

impl Watch {
    fn new() -> Self {
        Self { inspector: Inspector::new(), looks: 0 }
    }

    /// Looks half a second after the last look.
    fn look_past(&mut self, luma: &[u8], people: &[Rect]) -> PictureStatistics {
        let bgr: Vec<u8> = luma.iter().flat_map(|l| [*l; 3]).collect();
        let frame = Frame {
            index: self.looks,
            time: MediaTime::of_frame(self.looks, 2.0),
            utc: jiff::Timestamp::UNIX_EPOCH,
            arrived: Instant::now(),
            picture: Arc::new(VideoPicture::from_bgr(SIZE, &bgr).unwrap()),
        };
        self.looks += 1;
        self.inspector.look(&frame, people.iter().copied()).unwrap()
    }

    fn look(&mut self, luma: &[u8]) -> PictureStatistics {
        self.look_past(luma, &[])
    }

    /// As after a while in front of this view.
    fn used_to(luma: &[u8]) -> Self {
        let mut watch = Self::new();
        (0..30).for_each(|_| {
            watch.look(luma);
        });
        watch
    }
}

fn plain(_: u32, _: u32, level: u8) -> u8 {
    level
}

#[test]
fn looks_come_twice_a_second_of_any_rate() {
    for (fps, looks) in [(25.0, 2.0), (8.0, 2.0), (30.0, 2.0), (2.0, 2.0), (1.0, 1.0)] {
        let mut inspector = Inspector::new();
        let looked = (0..(20.0 * fps) as u64).filter(|k| {
            let frame = Frame {
                index: *k,
                time: MediaTime::of_frame(*k, fps),
                utc: jiff::Timestamp::UNIX_EPOCH,
                arrived: Instant::now(),
                picture: Arc::new(VideoPicture::grey(Size::new(64, 48), 90)),
            };
            inspector.look(&frame, std::iter::empty()).is_some()
        });
        let rate = looked.count() as f64 / 20.0;
        assert!((rate - looks).abs() <= 0.1 * looks, "{fps}: {rate}");
    }
}

#[test]
fn any_size_of_picture_is_looked_at() {
    for (size, wanted) in [
        (Size::new(1920, 1080), Size::new(320, 176)),
        (Size::new(1080, 1920), Size::new(176, 320)),
        (Size::new(768, 576), Size::new(320, 240)),
        (Size::new(2, 2), Size::new(8, 8)),
        (Size::new(10_000, 10), Size::new(320, 8)),
    ] {
        assert_eq!(fitted(size), wanted);
    }
    let mut inspector = Inspector::new();
    for (k, size) in [(2, 2), (2, 900), (64, 2), (16, 16), (700, 500)].into_iter().enumerate() {
        let frame = Frame {
            index: 0,
            time: MediaTime::of_frame(k as u64, 1.0),
            utc: jiff::Timestamp::UNIX_EPOCH,
            arrived: Instant::now(),
            picture: Arc::new(VideoPicture::grey(Size::new(size.0, size.1), 90)),
        };
        let look = inspector.look(&frame, [Rect::new(-5.0, -5.0, 900.0, 900.0)].into_iter()).unwrap();
        assert_eq!((look.view, look.change), (View::Unknown, None));
    }
}

#[test]
fn a_view_that_shifts_is_found_with_its_way_and_comes_back() {
    let place = place(1);
    let mut watch = Watch::used_to(&seen(&place, (300, 200), plain));
    assert_eq!(watch.look(&seen(&place, (300, 200), plain)).view, View::Same);
    for (dx, dy) in [(48_i32, 0_i32), (-64, 32), (0, -40), (120, 72)] {
        let at = ((300 - dx) as u32, (200 - dy) as u32);
        let View::Shifted([x, y]) = watch.look(&seen(&place, at, plain)).view else { panic!("{dx} {dy}") };
        let width = f64::from(SIZE.width);
        assert!((x * width - f64::from(dx)).abs() < 9.0 && (y * width - f64::from(dy)).abs() < 9.0, "{x} {y}");
    }
    for _ in 0..600 {
        assert!(matches!(watch.look(&seen(&place, (200, 200), plain)).view, View::Shifted(_)), "it is not learnt");
    }
    assert_eq!(watch.look(&seen(&place, (300, 200), plain)).view, View::Same);
}

#[test]
fn another_scene_is_other_until_it_is_accepted() {
    let mut watch = Watch::used_to(&seen(&place(1), (0, 0), plain));
    let elsewhere = seen(&place(2), (0, 0), plain);
    (0..100).for_each(|_| assert_eq!(watch.look(&elsewhere).view, View::Other));
    watch.inspector.accept();
    (0..20).for_each(|_| assert_eq!(watch.look(&elsewhere).view, View::Unknown));
    assert_eq!(watch.look(&elsewhere).view, View::Same);
}

#[test]
fn light_is_not_motion() {
    let place = place(3);
    let dim = |_, _, level: u8| level / 3;
    let lamp = |x: u32, y: u32, level: u8| {
        let distance = (f64::from(x) - 500.0).hypot(f64::from(y) - 100.0);
        (f64::from(level) * (0.33 + 1.2 * (-distance / 150.0).exp())).min(255.0) as u8
    };
    let mut watch = Watch::used_to(&seen(&place, (100, 100), dim));
    for _ in 0..60 {
        let view = watch.look(&seen(&place, (100, 100), lamp)).view;
        assert!(matches!(view, View::Same | View::Unknown), "{view:?}");
    }
    let mut watch = Watch::used_to(&seen(&place, (100, 100), plain));
    // From day to night within ten minutes, then the lamp.
    for k in 0..1200_u32 {
        let share = 1.0 - 0.7 * f64::from(k) / 1200.0;
        let view = watch.look(&seen(&place, (100, 100), |_, _, level| (f64::from(level) * share) as u8)).view;
        assert_eq!(view, View::Same, "{k}");
    }
    assert!(matches!(watch.look(&seen(&place, (100, 100), lamp)).view, View::Same | View::Unknown));
    // A room without any light, then with one.
    let mut watch = Watch::used_to(&seen(&place, (100, 100), |_, _, _| 12));
    let view = watch.look(&seen(&place, (100, 100), plain)).view;
    assert_eq!(view, View::Unknown, "there was nothing to compare with");
}

#[test]
fn people_are_left_out_of_the_reference() {
    let place = place(4);
    let empty = seen(&place, (100, 100), plain);
    let person = Rect::new(200.0, 100.0, 120.0, 300.0);
    let stands = seen(&place, (100, 100), |x, y, level| {
        let inside = (200..320).contains(&x) && (100..400).contains(&y);
        if inside { ((x * 7 + y * 13) % 256) as u8 } else { level }
    });
    let mut watch = Watch::new();
    (0..30).for_each(|_| {
        watch.look_past(&stands, &[person]);
    });
    // Luma of the reference where the person stood: never seen.
    let reference = &watch.inspector.reference;
    let (x, y) = (250 * 320 / 640 / 4, 250 * 320 / 640 / 4);
    assert_eq!(reference.of(x, y), None);
    assert!(reference.of(5, 5).is_some());
    assert_eq!(watch.look_past(&empty, &[]).view, View::Same);
}

#[test]
fn statistics_say_what_is_in_the_picture() {
    let place = place(5);
    let sharp = seen(&place, (0, 0), plain);
    let mut watch = Watch::used_to(&sharp);
    let fine = watch.look(&sharp);
    assert_eq!(fine.change, Some(Change { changed: 0.0, largest: 0.0 }));
    let dark = watch.look(&vec![10; SIZE.area()]);
    assert!(dark.bright < 0.05 && dark.sharpness.is_none() && dark.view == View::Unknown, "{dark:?}");
    let blurred: Vec<u8> = (0..SIZE.area())
        .map(|i| {
            let (x, y) = (i % 640, i / 640);
            let near = |d: usize, at: usize, most: usize| (at + d).saturating_sub(8).min(most - 1);
            let sum: u32 = (0..289).map(|k| u32::from(sharp[near(k / 17, y, 480) * 640 + near(k % 17, x, 640)])).sum();
            (sum / 289) as u8
        })
        .collect();
    let blurred = watch.look(&blurred);
    let share = blurred.sharpness.unwrap() / fine.sharpness.unwrap();
    assert!(share < 0.15, "{share}");
    assert!(blurred.change.unwrap().largest > 0.1);
}
