use std::path::Path;

use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;
use crate::config::plan::RulePlace;
use crate::config::{Surroundings, camera_text};

/// What a plan is written from.
#[derive(Clone, Debug, PartialEq)]
struct Zone {
    id: usize,
    corner: u8,
    name: u8,
    rules: Vec<Watch>,
}

#[derive(Clone, Debug, PartialEq)]
struct Watch {
    id: usize,
    people: u8,
    severity: bool,
    hold: u8,
}

fn plan(zones: &[Zone]) -> Camera {
    let mut text = "id = \"c\"\n".to_owned();
    for Zone { id, corner, name, rules } in zones {
        let x = 0.5 + f64::from(*corner) * 0.1;
        text += &format!("[[zone]]\nid = \"z{id}\"\nname = \"n{name}\"\npolygon = [[0, 0], [{x}, 0], [0, 1]]\n");
        for Watch { id, people, severity, hold } in rules {
            let severity = if *severity { "severe" } else { "minor" };
            text += &format!("[[zone.rule]]\nid = \"r{id}\"\nkind = \"crowd\"\npeople = {}\n", people + 1);
            text += &format!("severity = \"{severity}\"\nhold = \"{hold}s\"\n");
        }
    }
    let around = Surroundings { time_zone: &TimeZone::UTC, media_dirs: None, grids: None };
    camera_text(Path::new("c.toml"), &text, &around).unwrap_or_else(|e| panic!("{e}\n{text}")).plan
}

/// Up to five zones of the ids 0 to 4 in any order, each with up to two rules of its own.
fn zones() -> impl Strategy<Value = Vec<Zone>> {
    let watch = (any::<bool>(), 0..3_u8, any::<bool>(), 0..2_u8);
    let zone = (0..3_u8, 0..2_u8, prop::collection::vec(watch, 0..3));
    let ids = Just((0..5_usize).collect::<Vec<_>>()).prop_shuffle();
    (ids, prop::collection::vec(zone, 0..6)).prop_map(|(ids, parts)| {
        let mut taken = std::collections::BTreeSet::new();
        let made = ids.into_iter().zip(parts).map(|(id, (corner, name, watches))| {
            let rules = watches.into_iter().enumerate().map(|(i, (other, people, severity, hold))| {
                // A rule is found in one of two zones.
                let home = if other { (id + 1) % 5 } else { id };
                Watch { id: 10 * home + i, people, severity, hold }
            });
            Zone { id, corner, name, rules: rules.filter(|rule| taken.insert(rule.id)).collect() }
        });
        made.collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Against the definition, written out on what the plans were made from.
    #[test]
    fn a_rule_goes_on_where_nothing_but_names_and_severity_changed(a in zones(), b in zones()) {
        let (old, new) = (plan(&a), plan(&b));
        let diff = CameraDiff::between(&old, &new);
        let of = |zones: &[Zone]| -> Vec<(Zone, Watch)> {
            zones.iter().flat_map(|z| z.rules.iter().map(|r| (z.clone(), r.clone()))).collect()
        };
        let (before, after) = (of(&a), of(&b));
        let drawn = old.rules.iter().filter(|rule| rule.place != RulePlace::Camera).count();
        prop_assert_eq!((diff.rules.len(), drawn), (old.rules.len(), before.len()));
        for ((zone, watch), to) in before.iter().zip(&diff.rules) {
            let same = after.iter().position(|(z, w)| {
                (z.id, z.corner) == (zone.id, zone.corner)
                    && (w.id, w.people, w.hold) == (watch.id, watch.people, watch.hold)
            });
            prop_assert_eq!(*to, same);
        }
        for (zone, to) in a.iter().zip(&diff.zones) {
            prop_assert_eq!(*to, b.iter().position(|z| (z.id, z.corner) == (zone.id, zone.corner)));
        }
        // Nobody is taken for two.
        let mut taken: Vec<usize> = diff.rules.iter().flatten().copied().collect();
        taken.sort_unstable();
        taken.dedup();
        prop_assert_eq!(taken.len(), diff.rules.iter().flatten().count());
        prop_assert_eq!(diff.any, a != b);
    }

    /// From a plan to itself everything goes on, and back again is back again.
    #[test]
    fn nothing_differs_from_itself(a in zones(), b in zones()) {
        let (old, new) = (plan(&a), plan(&b));
        let none = CameraDiff::between(&old, &old);
        prop_assert_eq!(&none.rules, &(0..old.rules.len()).map(Some).collect::<Vec<_>>());
        prop_assert_eq!(&none.zones, &(0..old.zones.len()).map(Some).collect::<Vec<_>>());
        prop_assert!(!none.any && !none.ground && !none.privacy && !none.captures_otherwise());
        let (there, back) = (CameraDiff::between(&old, &new), CameraDiff::between(&new, &old));
        for (from, to) in there.rules.iter().enumerate().filter_map(|(from, to)| Some((from, (*to)?))) {
            prop_assert_eq!(back.rules[to], Some(from));
        }
    }
}

#[test]
fn each_part_says_that_it_differs() {
    let text = |extra: &str| {
        let around = Surroundings { time_zone: &TimeZone::UTC, media_dirs: None, grids: None };
        camera_text(Path::new("c.toml"), &format!("id = \"c\"\n{extra}"), &around).unwrap().plan
    };
    let diff = |extra: &str| CameraDiff::between(&text(""), &text(extra));
    let mask = |kind: &str| format!("[[mask]]\nkind = \"{kind}\"\npolygon = [[0, 0], [1, 0], [0, 1]]\n");
    let (privacy, ignore) = (diff(&mask("privacy")), diff(&mask("ignore")));
    assert!(privacy.privacy && privacy.any && !ignore.privacy && ignore.any);
    assert!(diff("ground = \"learn\"\n").ground && !diff("name = \"x\"\n").ground);
    assert!(diff("[detect]\ngate = true\n").captures_otherwise());
    let score = diff("[detect]\nscore = 0.5\n");
    assert!(score.detect && !score.captures_otherwise());
    assert!(diff("[source]\nurl = \"rtsp://10.0.0.8/1\"\n").captures_otherwise() && !privacy.captures_otherwise());
}
