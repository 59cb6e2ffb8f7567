//! A copy of the data that is taken while a site runs, and a site that goes on from it.

use std::fs;

use crate::support::command::{lookout, ran};
use crate::support::site::SiteFiles;

#[test]
fn a_site_goes_on_from_a_copy_that_was_taken_while_it_ran() {
    let files = SiteFiles::new("");
    files.camera("yard", "url = \"file:vtest.avi\"\nloop = true");
    let mut run = files.start();
    run.until("an alert", |_| files.told().iter().any(|e| e["state"] == "started"));
    let to = files.path("copy");
    let mut backup = lookout();
    backup.arg("backup").arg("--config").arg(files.path("site.toml")).arg("--to").arg(&to);
    let known = files.alerts(&["list", "--limit", "1000"]);
    let said = ran(&mut backup);
    said.went_well();
    assert!(said.out.contains(": 3 databases and "), "{}", said.out);
    // Nothing is disturbed.
    let analysed = run.analysed("yard");
    run.until("pictures go on", |run| run.analysed("yard") > analysed + 5.0);
    ran(&mut backup).refused(2, &["is there already"]);
    assert_eq!(run.interrupt(), Some(0));

    // All is lost but the copy and the configuration; the token of before still opens the API.
    fs::remove_dir_all(files.path("data")).unwrap();
    fs::rename(&to, files.path("data")).unwrap();
    let mut run = files.start();
    let now = files.alerts(&["list", "--limit", "1000"]);
    for alert in &known {
        let kept = now.iter().find(|other| other["alert"] == alert["alert"]);
        assert!(kept.is_some_and(|kept| !kept["ended_at"].is_null()), "{alert}: what was open has ended: {kept:?}");
    }
    let told = files.told().len();
    run.until("alerts go on", |_| files.told().len() > told + 1);
    assert!(run.get("/api/v1/cameras").starts_with("HTTP/1.1 200"));
    assert_eq!(run.interrupt(), Some(0));
}
