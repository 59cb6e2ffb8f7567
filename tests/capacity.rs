//! `lookout bench`: a short try, whose numbers belong together whatever the machine; and cameras with priority in overload.

use serde_json::Value;

use crate::support::command::{lookout, ran, root};
use crate::support::site::SiteFiles;

#[test]
fn a_bench_says_how_many_where_and_what_first() {
    let mut bench = lookout();
    bench.arg("bench").arg(root().join("media/vtest.avi")).args(["--seconds", "3", "--most", "2", "--json"]);
    let said = ran(&mut bench);
    assert_eq!(said.code, 0, "{}", said.err);
    let report: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!((report["width"].as_u64(), report["height"].as_u64()), (Some(768), Some(576)));
    let number = |value: &Value, key: &str| value[key].as_f64().unwrap_or_else(|| panic!("{key} in {value}"));
    let first = &report["trials"][0];
    let stages: Vec<f64> = first["stages"].as_array().unwrap().iter().map(|s| s.as_f64().unwrap()).collect();
    assert!(stages.len() == 5 && stages.iter().all(|s| *s > 0.0), "{first}");
    assert!(number(first, "cpu") > 0.0 && number(first, "memory") > 1e7 && number(first, "infer") > 0.0, "{first}");
    assert!(number(first, "analysed") <= number(first, "decoded") + 0.5, "{first}");
    let changes = report["changes"].as_array().unwrap();
    assert!(
        changes.len() == 5 && changes.is_sorted_by(|a, b| number(a, "cameras") >= number(b, "cameras")),
        "{report}"
    );
    let told = ran(lookout().arg("bench").arg(root().join("media/none.avi")));
    told.refused(2, &["there is no such file"]);
}

#[test]
fn in_overload_a_camera_with_priority_keeps_its_pictures_and_nobody_starves() {
    let files = SiteFiles::new("");
    // Together far more pictures of a large input than one worker analyses.
    let source = "url = \"file:vtest.avi\"\nloop = true\nfps = 60";
    for id in ["a", "b", "c", "d"] {
        files.camera(id, source);
        let path = files.path(&format!("cameras/{id}.toml"));
        let text = std::fs::read_to_string(&path).unwrap();
        let priority = if id == "d" { "priority = true\n" } else { "" };
        let text = text.replace("rate = 5", "rate = 60").replace("[detect]\n", &format!("[detect]\n{priority}"));
        std::fs::write(&path, text.replace("[320, 256]", "[640, 480]")).unwrap();
    }
    let mut run = files.start();
    run.until("many pictures", |run| run.analysed("d") > 60.0);
    let [a, b, c, d] = ["a", "b", "c", "d"].map(|id| run.analysed(id));
    assert!(d > 2.0 * a.max(b).max(c), "{a} {b} {c} {d}");
    assert!(a.min(b).min(c) > 1.0, "{a} {b} {c} {d}");
    assert_eq!(run.interrupt(), Some(0));
}
