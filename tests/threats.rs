//! README's table of who can do what: the tests that it names exist; and what is left on the disk opens no door.

use std::path::{Path, PathBuf};

use lookout::config::plan::Role;

use crate::support::command::{lookout, ran, root};
use crate::support::login::{Browser, PASSWORD, user};
use crate::support::site::SiteFiles;

/// What the inference library asks the environment for.
const SWITCH: &str = "ORT_DISABLE_TELEMETRY";

/// `module::test` as the table has it, between backquotes.
fn named(section: &str) -> Vec<(&str, &str)> {
    let word = |text: &str| text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    let inside = section.split('`').skip(1).step_by(2);
    inside.filter_map(|name| name.split_once("::")).filter(|(module, test)| word(module) && word(test)).collect()
}

#[test]
fn every_row_names_tests_that_exist() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let section = readme.split("\n## ").find(|section| section.starts_with("Who can do what\n")).unwrap();
    let rows: Vec<&str> = section.lines().filter(|line| line.starts_with("| ")).skip(1).collect();
    assert!(rows.len() >= 10, "{rows:?}");
    for row in rows {
        let tests = named(row);
        assert!(!tests.is_empty() || row.contains("no protection"), "no test and no word about it: {row}");
        for (module, test) in tests {
            let file = |name: String| std::fs::read_to_string(root().join("tests").join(name));
            let text = file(format!("{module}.rs")).or_else(|_| file(format!("{module}/mod.rs")));
            let text = text.unwrap_or_else(|e| panic!("{module}: {e}"));
            let has = text.split("fn ").skip(1).any(|rest| rest.starts_with(&format!("{test}(")));
            assert!(has, "{module}::{test} is no test");
        }
    }
}

/// All files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() { found.extend(files(&entry)) } else { found.push(entry) }
    }
    found
}

fn holds(file: &Path, secret: &str) -> bool {
    // A file of a run may be gone by now.
    let bytes = std::fs::read(file).unwrap_or_default();
    bytes.windows(secret.len()).any(|window| window == secret.as_bytes())
}

#[test]
fn the_inference_library_collects_nothing_for_its_maker() {
    let home = tempfile::tempdir().unwrap();
    let mut bench = lookout();
    bench.args(["models", "bench", "nanodet-g-person-int8"]).env("HOME", home.path());
    assert_eq!(ran(bench.env_remove("XDG_CACHE_HOME").env_remove(SWITCH)).code, 0);
    assert_eq!(files(home.path()), Vec::<PathBuf>::new());
    // When and whether the library writes is its own affair: what it was told is in the environment of the process.
    let site = SiteFiles::new("");
    site.camera("yard", "url = \"file:vtest.avi\"\nloop = true");
    let run = site.start();
    assert!(run.variables().contains(&format!("{SWITCH}=1")), "{:?}", run.variables());
    assert_eq!(run.interrupt(), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_that_opens_a_door_is_on_the_disk_or_in_the_log() {
    const CAMERA: &str = "cam3ra-s3cret";
    // 24 bytes in base64, as the receiver asks for.
    const SIGNING: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    let files_of = SiteFiles::new(
        "[[sink]]\nid = \"hook\"\nkind = \"webhook\"\nurl = \"http://127.0.0.1:9/in\"\nallow_private = true\n\
         secrets = [\"env:LOOKOUT_TEST_SECRET\"]\n",
    );
    files_of.camera("yard", "url = \"file:vtest.avi\"\nloop = true");
    let mut run = files_of.start_among(&[
        ("LOOKOUT_CAMERA_YARD_USER", "admin"),
        ("LOOKOUT_CAMERA_YARD_PASSWORD", CAMERA),
        ("LOOKOUT_TEST_SECRET", SIGNING),
    ]);
    user(&files_of.path("data"), "wang", Role::Admin);
    let wang = Browser::login(run.address, "wang", PASSWORD).await;
    assert_eq!(wang.get("/api/v1/users").await.0, 200);
    run.until("a delivery has failed", |run| {
        run.metric("lookout_deliveries_total{outcome=\"failed\",sink=\"hook\"}") > Some(0.0)
    });
    let cookie = wang.cookie.split_once('=').unwrap().1.to_owned();
    let csrf = wang.session["csrf"].as_str().unwrap().to_owned();
    let first = std::fs::read_to_string(files_of.path("data/admin-password")).unwrap();
    let secrets = [PASSWORD, CAMERA, SIGNING, &SIGNING["whsec_".len()..], &cookie, &csrf, &run.token];
    let everything = files(&files_of.path("."));
    assert!(everything.iter().any(|file| file.ends_with("lookout.db")), "{everything:?}");
    for file in &everything {
        for secret in secrets {
            assert!(!holds(file, secret), "{} holds `{secret}`", file.display());
        }
        let is_first = file.ends_with("admin-password");
        assert!(is_first || !holds(file, first.trim()), "{} holds the first password", file.display());
    }
    for owned in ["admin-password", "evidence.key"] {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(files_of.path("data").join(owned)).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{owned}");
    }
    assert_eq!(run.interrupt(), Some(0));
}
