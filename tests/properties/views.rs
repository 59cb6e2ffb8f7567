//! The ways in which a scene may be looked at, and scenes that are held against all of them.

use std::ops::Range;

use super::*;

/// People who do something, and the rules that see it.
pub trait Story: std::fmt::Debug + Sized {
    /// How far the scene may be shifted and still be in the picture, fractions.
    const SHIFTS: [Range<f64>; 2];
    /// At least so many pictures in a row are seen, and at most so many are not.
    const BLIND: [usize; 2];

    /// Any of them.
    fn any() -> impl Strategy<Value = Self>;
    /// The camera as this view sees it.
    fn camera(view: &View) -> String;
    /// The people.
    fn rows(&self, view: &View) -> Vec<Row>;
    /// By how much a start may differ at another frame rate, seconds.
    fn late(rule: &str, fps: f64) -> f64;
    /// The same with pictures in which nobody is found.
    fn late_by_blindness(rule: &str) -> f64;
    /// How often each rule must start.
    fn wanted(&self) -> Vec<(&'static str, usize)>;

    /// When each rule starts.
    fn starts(&self, view: &View) -> Starts {
        view.replay(&Self::camera(view), &self.rows(view))
    }
}

/// Every rule as often as the story says, also in another view, at the same times give or take; each rule starts
/// somewhere.
pub fn told_alike<S: Story>(views: impl Strategy<Value = View>, tolerance: impl Fn(&str, &View) -> f64) {
    let seen: RefCell<BTreeMap<&str, usize>> = RefCell::default();
    run(&(S::any(), views), |(story, other)| {
        let starts = story.starts(&View::default());
        compare(&starts, &story.starts(&other), |rule| tolerance(rule, &other))?;
        for (rule, wanted) in story.wanted() {
            prop_assert_eq!(starts.get(rule).map_or(0, Vec::len), wanted, "{}: {:?}", rule, starts);
            *seen.borrow_mut().entry(rule).or_default() += wanted;
        }
        Ok(())
    });
    let seen = seen.into_inner();
    assert!(!seen.is_empty() && seen.values().all(|n| *n >= 10), "some rule hardly ever starts: {seen:?}");
}

/// The tests of one kind of story.
macro_rules! in_every_view {
    ($story:ty) => {
        #[test]
        fn elsewhere_in_the_picture() {
            let [x, y] = <$story>::SHIFTS;
            told_alike::<$story>(shifted(x, y), |_, _| 0.1);
        }

        #[test]
        fn in_a_mirror() {
            told_alike::<$story>(mirrored(), |_, _| 0.1);
        }

        #[test]
        fn in_a_larger_or_smaller_picture() {
            told_alike::<$story>(sized(), |_, _| 0.1);
        }

        #[test]
        fn at_any_frame_rate() {
            told_alike::<$story>(rated(), |rule, view| <$story>::late(rule, view.fps));
        }

        #[test]
        fn with_frames_in_which_nobody_is_found() {
            let [seen, blind] = <$story>::BLIND;
            told_alike::<$story>(blinded(seen, blind), |rule, _| <$story>::late_by_blindness(rule));
        }
    };
}
pub(super) use in_every_view;

pub fn shifted(x: Range<f64>, y: Range<f64>) -> impl Strategy<Value = View> {
    (x, y).prop_map(|(x, y)| View { shift: [x, y], ..View::default() })
}

pub fn mirrored() -> impl Strategy<Value = View> {
    Just(View { mirror: true, ..View::default() })
}

pub fn sized() -> impl Strategy<Value = View> {
    let sizes = prop::sample::select(vec![[160, 120], [320, 240], [640, 480], [1000, 750], [1920, 1440], [4000, 3000]]);
    sizes.prop_map(|[width, height]| View { size: Size::new(width, height), ..View::default() })
}

pub fn rated() -> impl Strategy<Value = View> {
    (2_u32..=30).prop_map(|fps| View { fps: f64::from(fps), ..View::default() })
}

/// At least `seen` pictures in a row with people, at most `blind` without.
pub fn blinded(seen: usize, blind: usize) -> impl Strategy<Value = View> {
    let runs = prop::collection::vec((seen..8, 0..=blind), 200);
    runs.prop_map(|runs| {
        let runs = runs.iter().flat_map(|&(seen, blind)| [vec![false; seen], vec![true; blind]].concat());
        View { blind: runs.collect(), ..View::default() }
    })
}
