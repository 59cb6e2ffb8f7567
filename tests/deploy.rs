//! The files with which Lookout is run for good, as far as they can be looked at without running them.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::command::{lookout, ran, root, write};

fn deploy(name: &str) -> String {
    std::fs::read_to_string(root().join("configs/deploy").join(name)).unwrap()
}

fn systemd_analyze(words: &[&str], unit: &Path) -> String {
    let done = Command::new("systemd-analyze").args(words).arg(unit).output();
    let done = done.expect("the command `systemd-analyze` is missing: run scripts/setup");
    let said = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success(), "{words:?}: {said}");
    said
}

#[test]
fn the_unit_is_what_systemd_understands_and_exposes_little() {
    let folder = tempfile::tempdir().unwrap();
    // It looks for the command.
    let text = deploy("lookout.service").replace("/opt/lookout/lookout", env!("CARGO_BIN_EXE_lookout"));
    let unit = write(&folder.path().join("lookout.service"), &text);
    assert_eq!(systemd_analyze(&["verify"], &unit), "");
    // From 0 to 10; 2.0 is what systemd calls OK. It fails above.
    systemd_analyze(&["security", "--offline=true", "--threshold=20"], &unit);
    let line = |key: &str| text.lines().find_map(|line| line.strip_prefix(key)).unwrap_or_default().to_owned();
    assert_eq!((line("Type=").as_str(), line("WatchdogSec=").as_str()), ("notify", "60"));
}

/// Libraries that the binary names itself.
fn needed() -> BTreeSet<String> {
    let done = Command::new("readelf").args(["-d", env!("CARGO_BIN_EXE_lookout")]).output().unwrap();
    let said = String::from_utf8(done.stdout).unwrap();
    let name = |line: &str| line.split_once("Shared library: [").map(|(_, rest)| rest.trim_end_matches(']').to_owned());
    said.lines().filter_map(name).collect()
}

#[test]
fn the_image_has_the_libraries_that_the_binary_names() {
    let file = deploy("Containerfile");
    let words: BTreeSet<&str> = file.split_whitespace().collect();
    let mut checked = 0;
    for library in needed().iter().filter(|name| !name.starts_with("ld-")) {
        let (stem, version) = library.split_once(".so.").unwrap();
        // In Debian's words; C's and C++'s own are there with any of these.
        let package = format!("{}{version}", stem.replace('_', "-"));
        if ["libav", "libsw", "libopencv"].iter().any(|own| library.starts_with(own)) {
            assert!(
                words.contains(package.as_str()),
                "{library} comes with {package}, which the image does not install"
            );
            checked += 1;
        }
    }
    assert!(checked >= 4, "{:?}", needed());
    for copied in file.split_whitespace().filter_map(|word| word.strip_prefix("/src/")) {
        let name = copied.trim_end_matches('*');
        let folder = root().join(name);
        let is_there = folder.exists()
            || std::fs::read_dir(folder.parent().unwrap())
                .is_ok_and(|files| files.flatten().any(|f| f.path().to_string_lossy().contains(name)));
        assert!(copied.starts_with("target/") || is_there, "{copied} is not there to be copied");
    }
}

/// The documents of the manifest.
fn manifest() -> Vec<Value> {
    let script = "import json, sys, yaml; print(json.dumps(list(yaml.safe_load_all(sys.stdin))))";
    let python = root().join(".venv/bin/python");
    let file = std::fs::File::open(root().join("configs/deploy/kubernetes.yaml")).unwrap();
    let done = Command::new(python).args(["-c", script]).stdin(file).output();
    let done = done.expect(".venv is missing: run scripts/setup");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    serde_json::from_slice(&done.stdout).unwrap()
}

#[test]
fn the_manifest_belongs_together_and_its_site_is_a_good_one() {
    let documents = manifest();
    let of_kind = |kind: &str| documents.iter().find(|d| d["kind"] == kind).unwrap_or_else(|| panic!("no {kind}"));
    let set = of_kind("StatefulSet");
    assert_eq!(set["spec"]["replicas"], 1, "one writer of a journal");
    let template = &set["spec"]["template"];
    for selector in [&set["spec"]["selector"]["matchLabels"], &of_kind("Service")["spec"]["selector"]] {
        assert_eq!(*selector, template["metadata"]["labels"]);
    }
    let pod = &template["spec"];
    let container = &pod["containers"][0];
    for (probe, path) in [("livenessProbe", "/healthz"), ("readinessProbe", "/readyz"), ("startupProbe", "/readyz")] {
        assert_eq!(container[probe]["httpGet"]["path"], path);
    }
    assert_eq!(container["securityContext"]["readOnlyRootFilesystem"], true);
    let names = |list: &Value| -> BTreeSet<String> {
        list.as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&container["volumeMounts"]), names(&pod["volumes"]));
    assert_eq!(of_kind("PersistentVolumeClaim")["metadata"]["name"], "lookout-data");

    // Its site file, with a camera where it looks for them.
    let folder = tempfile::tempdir().unwrap();
    let site = of_kind("ConfigMap")["data"]["site.toml"].as_str().unwrap();
    let cameras = folder.path().join("cameras");
    let source = "[source]\nurl = \"rtsp://10.0.0.8/stream1\"\n";
    write(&cameras.join("yard.toml"), &format!("{}{source}", crate::commands::CAMERA));
    let site =
        write(&folder.path().join("site.toml"), &site.replace("/etc/lookout/cameras", cameras.to_str().unwrap()));
    let check = ran(lookout().arg("check").arg("--config").arg(site));
    assert_eq!(check.code, 0, "{}{}", check.out, check.err);
    let listens = site_port(of_kind("ConfigMap"));
    assert_eq!(container["ports"][0]["containerPort"].as_u64(), Some(listens));
    assert_eq!(of_kind("Service")["spec"]["ports"][0]["port"].as_u64(), Some(listens));
}

/// The port of `listen` in a site file.
fn site_port(map: &Value) -> u64 {
    let text = map["data"]["site.toml"].as_str().unwrap();
    let listen = text.lines().find_map(|line| line.strip_prefix("listen = \"0.0.0.0:")).unwrap();
    listen.trim_end_matches('"').parse().unwrap()
}
