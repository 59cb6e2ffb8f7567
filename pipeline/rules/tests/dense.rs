//! People a square metre.

use super::flow::zone;
use super::*;
use crate::types::{Rest, Severity, Span, Unit};

/// The whole picture is ten metres by ten.
const PLANE: &str =
    "[ground]\npoints = [[0, 0], [1, 0], [1, 1], [0, 1]]\nmetres = [[0, 0], [10, 0], [10, 10], [0, 10]]\n";

fn crowd(places: impl Iterator<Item = [f64; 2]>) -> Vec<Track> {
    places.enumerate().map(|(i, [x, y])| person(i as u64 + 1, 0.0, [x, y], x, y)).collect()
}

#[test]
fn people_are_counted_over_the_square_metres_of_the_zone() {
    let plan = zone(&format!("kind = \"density\"\n{PLANE}"));
    let rule = &plan.rules[0].incident;
    let steps: Vec<_> = rule.escalate.iter().map(|step| (step.value, step.severity)).collect();
    assert_eq!(
        (rule.threshold, rule.release, rule.hold, rule.unit),
        (2.0, 1.5, Span::from_secs(10), Unit::PeoplePerSquareMetre)
    );
    assert_eq!((rule.severity, steps), (Severity::Minor, vec![(3.5, Severity::Severe), (4.5, Severity::Extreme)]));
    let mut rules = RuleSet::new(&plan, false);
    let apart = crowd((0..20).map(|i| [100.0 + 200.0 * f64::from(i % 5), 200.0 + 200.0 * f64::from(i / 5)]));
    let signal = rules.observe(at(0.0), SIZE, &apart).signals[0].clone();
    assert_eq!((signal.value, signal.people, signal.saturated), (0.2, 20, false));
    assert_eq!(rules.observe(at(0.1), SIZE, &[]).signals[0].value, 0.0);
}

#[test]
fn people_who_hide_each_other_are_a_lower_bound() {
    let mut rules = RuleSet::new(&zone(&format!("kind = \"density\"\n{PLANE}")), false);
    // Boxes are 40 wide and 100 high: twenty pixels lower leave a fifth of the one behind in view.
    let column = |n: u32, step: f64| crowd((0..n).map(move |i| [500.0, 500.0 + step * f64::from(i)]));
    let saturated =
        |rules: &mut RuleSet, time: f64, tracks: &[Track]| rules.observe(at(time), SIZE, tracks).signals[0].saturated;
    assert!(saturated(&mut rules, 0.0, &column(6, 20.0)));
    assert!(!saturated(&mut rules, 0.1, &column(3, 20.0)), "three are no crowd");
    assert!(!saturated(&mut rules, 0.2, &column(6, 80.0)));
}

#[test]
fn a_zone_without_ground_says_nothing_until_it_is_learnt() {
    let mut rules = RuleSet::new(&zone("kind = \"density\"\n[ground]\nlearn = true\n"), false);
    let one = crowd([[500.0, 500.0]].into_iter());
    assert!(rules.observe(at(0.0), SIZE, &one).signals.is_empty());
    assert!(rules.rests().has(Rest::NoGround) && rules.rests().of_all().is_none(), "and it says why");
    let mut known = RuleSet::new(&zone(&format!("kind = \"density\"\n{PLANE}")), false);
    known.observe(at(0.0), SIZE, &one);
    assert!(!known.rests().has(Rest::NoGround));
}
