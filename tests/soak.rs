//! A short run of `scripts/soak`: it starts, is looked at, and ends as it should. What memory does takes longer to see.

use std::process::Command;

use serde_json::Value;

use crate::support::command::root;

#[test]
fn a_site_is_soaked_and_ends_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("soak.json");
    let done = Command::new(root().join("scripts/soak"))
        .args([
            "--minutes",
            "0.2",
            "--speed",
            "3",
            "--cameras",
            "2",
            "--lookout",
            env!("CARGO_BIN_EXE_lookout"),
            "--out",
        ])
        .arg(&out)
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let soak: Value = serde_json::from_slice(&std::fs::read(out).unwrap()).unwrap();
    let number = |key: &str| soak["report"][key].as_f64().unwrap();
    assert_eq!((number("exit_code"), number("events_lost")), (0.0, 0.0));
    assert!(number("alerts") > 0.0 && number("analysed") > 10.0 && number("memory_mb") > 10.0, "{soak}");
    assert!(soak["rows"].as_array().unwrap().len() >= 5, "{soak}");
}
