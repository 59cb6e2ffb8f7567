use super::super::scenery::{SIZE, View, frame, place};
use super::*;

struct Camera {
    carried: Carried,
    pictures: u64,
}

impl Camera {
    fn new() -> Self {
        let mut carried = Carried::new(Vec::new());
        carried.accept();
        Self { carried, pictures: 0 }
    }

    /// A tenth of a second later.
    fn look(&mut self, luma: &[u8], people: &[Rect]) -> (Option<CameraMotion>, Option<CameraMotion>) {
        let frame = frame(self.pictures, 10.0, luma);
        self.pictures += 1;
        match self.carried.look(&frame, people.iter().copied()) {
            Aim::Carried { step, ground } => (step, ground),
            other => panic!("{other:?}"),
        }
    }
}

/// The farthest that two motions take a corner of the picture apart, pixels of it.
fn apart(wanted: &CameraMotion, found: Option<CameraMotion>) -> f64 {
    let found = found.expect("a motion").in_pixels(SIZE);
    farthest(wanted, &found, SIZE) * f64::from(SIZE.width)
}

#[test]
fn known_shifts_turns_and_zooms_are_found() {
    let place = place();
    let first = View::at(800.0, 500.0);
    for next in [
        View::at(800.0, 500.0),
        View::at(823.0, 491.0),
        View::at(740.5, 530.25),
        View { angle: 0.06, ..first },
        View { zoom: 1.08, ..first },
        View { middle: Point { x: 790.0, y: 515.0 }, angle: -0.04, zoom: 0.94 },
    ] {
        let mut camera = Camera::new();
        assert_eq!(camera.look(&first.of(&place), &[]).0, None, "there was no picture before");
        let (step, ground) = camera.look(&next.of(&place), &[]);
        let wanted = first.to(next);
        assert!(apart(&wanted, step) < 1.0, "{}", apart(&wanted, step));
        assert!(apart(&wanted, ground) < 1.0);
    }
}

#[test]
fn a_camera_that_shakes_in_place_does_not_drift() {
    let place = place();
    let first = View::at(800.0, 500.0);
    let mut camera = Camera::new();
    let mut ground = None;
    let mut last = first;
    for k in 0..120 {
        let (x, y) = (f64::from(k) * 1.3, f64::from(k) * 0.9);
        last = View { angle: 0.01 * x.cos(), ..View::at(800.0 + 12.0 * x.sin(), 500.0 + 9.0 * y.sin()) };
        ground = camera.look(&last.of(&place), &[]).1;
    }
    // The ground was accepted in the first of them.
    let begin = View { angle: 0.01, ..first };
    assert!(apart(&begin.to(last), ground) < 1.5, "{}", apart(&begin.to(last), ground));
}

#[test]
fn a_pan_there_and_back_ends_where_it_began() {
    let place = place();
    let mut camera = Camera::new();
    let view = |k: i32| View::at(400.0 + 8.0 * f64::from(k.min(200 - k)), 450.0);
    let mut worst: f64 = 0.0;
    for k in 0..=200 {
        let (_, ground) = camera.look(&view(k).of(&place), &[]);
        worst = worst.max(apart(&view(0).to(view(k)), ground));
        if k == 200 {
            assert!(apart(&view(0).to(view(k)), ground) < 1.5, "its own picture takes the error out");
        }
    }
    // More than a picture's width away, by steps alone.
    assert!(worst < 8.0, "{worst}");
}

#[test]
fn people_who_walk_are_not_the_background() {
    let place = place();
    // Two thirds of the picture is a crowd that walks to the right.
    let people: Vec<Rect> = (0..3)
        .flat_map(|i| (0..2).map(move |j| (i, j)))
        .map(|(i, j)| Rect::new(20.0 + 140.0 * i as f32, 20.0 + 165.0 * j as f32, 125.0, 150.0))
        .collect();
    let crowd = View::at(500.0, 700.0);
    let mix = |back: View, front: View| {
        let (mut luma, front) = (back.of(&place), front.of(&place));
        for person in &people {
            for y in person.top as usize..person.bottom() as usize {
                let row = y * SIZE.width as usize;
                let (from, to) = (row + person.left as usize, row + person.right() as usize);
                luma[from..to].copy_from_slice(&front[from..to]);
            }
        }
        luma
    };
    let (still, mut camera) = (View::at(800.0, 500.0), Camera::new());
    camera.look(&mix(still, crowd), &people);
    for k in 1..6 {
        let walked = View::at(500.0 - 4.0 * f64::from(k), 700.0);
        let (step, _) = camera.look(&mix(still, walked), &people);
        assert!(apart(&CameraMotion::NONE, step) < 0.5, "{k}: {step:?}");
    }
}

#[test]
fn what_is_lost_is_said_and_found_again() {
    let place = place();
    let (here, elsewhere) = (View::at(400.0, 300.0), View::at(1200.0, 750.0));
    let mut camera = Camera::new();
    for _ in 0..5 {
        assert!(camera.look(&here.of(&place), &[]).1.is_some());
    }
    // A cut: the motion is not known, and after a while nor is the ground.
    assert_eq!(camera.look(&elsewhere.of(&place), &[]).0, None);
    let told: Vec<bool> = (0..20).map(|_| camera.look(&elsewhere.of(&place), &[]).1.is_some()).collect();
    assert!(!told[15..].contains(&true), "{told:?}");
    let (step, ground) = camera.look(&elsewhere.of(&place), &[]);
    assert!(apart(&CameraMotion::NONE, step) < 0.5 && ground.is_none(), "steps go on");
    // Back to what zones were drawn on.
    let nudged = View::at(408.0, 296.0);
    let told: Vec<Option<CameraMotion>> = (0..30).map(|_| camera.look(&nudged.of(&place), &[]).1).collect();
    assert!(apart(&here.to(nudged), told[29]) < 1.5, "{:?}", told[29]);
    // Nothing to hold on to.
    let grey = vec![90; SIZE.area()];
    let told: Vec<_> = (0..20).map(|_| camera.look(&grey, &[])).collect();
    assert!(told[0].0.is_none() && told[19] == (None, None));
}

#[test]
fn what_does_not_move_with_the_ground_is_left_out() {
    let place = place();
    let mut camera = Camera::new();
    // The lower half is the bonnet of the car.
    camera
        .carried
        .replan(vec![Polygon::new([[0.0, 0.5], [1.0, 0.5], [1.0, 1.0], [0.0, 1.0]].map(Point::from).to_vec())]);
    let bonnet = View::at(500.0, 750.0).of(&place);
    let half = SIZE.area() / 2;
    let see = |view: View| [&view.of(&place)[..half], &bonnet[half..]].concat();
    let view = |k: i32| View::at(700.0 + 6.0 * f64::from(k), 400.0);
    camera.look(&see(view(0)), &[]);
    for k in 1..8 {
        let (step, _) = camera.look(&see(view(k)), &[]);
        assert!(apart(&view(k - 1).to(view(k)), step) < 1.0, "{k}");
    }
}
