//! Files that are edited while a site runs.

use std::fs;

use crate::support::site::{Run, SiteFiles};

const CLIP: &str = "url = \"file:vtest.avi\"\nloop = true";

fn reloads(run: &Run, outcome: &str) -> f64 {
    run.metric(&format!("lookout_config_reloads_total{{outcome=\"{outcome}\"}}")).unwrap()
}

/// Events of a rule, as `camera state reason`.
fn of_rule(files: &SiteFiles, rule: &str) -> Vec<String> {
    let told = files.told();
    let own = told.iter().filter(|e| e["rule"] == rule && e["state"] != "updated" && e["state"] != "evidence");
    own.map(|e| format!("{} {} {}", e["camera"], e["state"], e["reason"]).replace('"', "")).collect()
}

#[test]
fn an_edited_file_is_in_force_and_other_cameras_notice_nothing() {
    let files = SiteFiles::new("");
    files.camera("yard", CLIP);
    files.camera("gate", CLIP);
    let mut run = files.start();
    run.until("alerts of both", |_| of_rule(&files, "anyone").len() == 2);
    let path = files.path("cameras/yard.toml");
    let good = fs::read_to_string(&path).unwrap();

    // A rule more; the others go on.
    let more =
        good.replace("[[line]]", "[[zone.rule]]\nid = \"more\"\nkind = \"crowd\"\npeople = 1\ngap = \"10s\"\n[[line]]");
    fs::write(&path, &more).unwrap();
    run.until("an alert of the new rule", |_| of_rule(&files, "more") == ["yard started null"]);
    assert_eq!((reloads(&run, "applied"), reloads(&run, "refused")), (1.0, 0.0));
    assert_eq!(of_rule(&files, "anyone").len(), 2);

    // A bad file: refused with its place, and everything goes on.
    fs::write(&path, more.replace("people = 1\n", "people = 0\n")).unwrap();
    run.until("it is refused", |run| reloads(run, "refused") == 1.0);
    let line = 1 + more.lines().position(|l| l == "people = 1").unwrap();
    assert!(run.log().contains(&format!("yard.toml:{line}:10: zone[0].rule[2].people:")), "{}", run.log());
    assert_eq!(run.metric("lookout_degraded{part=\"configuration\"}"), Some(1.0));
    let told = run.get("/readyz");
    let place = format!("yard.toml:{line}:10: zone[0].rule[2].people:");
    assert!(told.starts_with("HTTP/1.1 200") && told.contains(&place), "one camera's file is no reason: {told}");
    let analysed = run.analysed("yard");
    run.until("pictures go on", |run| run.analysed("yard") > analysed + 5.0);
    assert_eq!((of_rule(&files, "more").len(), of_rule(&files, "anyone").len()), (1, 2));

    // The zone gets another shape: what is open in it ends, and begins anew.
    fs::write(&path, good.replace("[1,1]", "[0.99,1]")).unwrap();
    run.until("nothing is wrong", |run| run.metric("lookout_degraded{part=\"configuration\"}") == Some(0.0));
    assert!(run.get("/readyz").contains("\"degraded\":[]"), "{}", run.get("/readyz"));
    run.until("all anew", |_| of_rule(&files, "anyone").len() == 4);
    let yard: Vec<String> = of_rule(&files, "anyone").into_iter().filter(|e| e.starts_with("yard")).collect();
    assert_eq!(yard, ["yard started null", "yard ended reconfigured", "yard started null"]);
    assert_eq!(of_rule(&files, "more"), ["yard started null", "yard ended reconfigured"]);
    assert_eq!(run.metric("lookout_camera_up{camera=\"gate\"}"), Some(1.0));
    assert_eq!(run.interrupt(), Some(0));
    let gate: Vec<String> = of_rule(&files, "anyone").into_iter().filter(|e| e.starts_with("gate")).collect();
    assert_eq!(gate, ["gate started null", "gate ended stopped"]);
}
