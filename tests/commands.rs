//! Wrong arguments, files and installations: one clear sentence and the right exit code, whatever the command.

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::support::clips::Clips;
use crate::support::command::{lookout, names, ran, root, write};

/// A camera that watches the whole picture for two people.
pub const CAMERA: &str = "id = \"yard\"\n[[zone]]\nid = \"all\"\npolygon = [[0,0],[1,0],[1,1],[0,1]]\n\
    [[zone.rule]]\nid = \"two\"\nkind = \"crowd\"\npeople = 2\n";

/// A folder with a camera file, `yard.toml`.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("yard.toml"), CAMERA);
    folder
}

/// `track`, with its results beside.
fn track(detections: &Path) -> Command {
    let mut command = lookout();
    command.args(["track", "--fps", "10", "--size", "640x480", "--detections"]).arg(detections);
    command.arg("--out").arg(detections.with_extension("out"));
    command
}

/// `replay` by the camera file beside.
fn replay(tracks: &Path) -> Command {
    let mut command = lookout();
    command.args(["replay", "--fps", "10", "--size", "640x480", "--tracks"]).arg(tracks);
    command.arg("--camera").arg(tracks.with_file_name("yard.toml")).arg("--out").arg(tracks.with_extension("out"));
    command
}

/// `analyze` by this camera file, results beside the camera file.
fn analyze(video: &Path, camera: &Path) -> Command {
    let mut command = lookout();
    command.arg("analyze").arg(video).arg("--camera").arg(camera).arg("--out").arg(camera.with_file_name("out"));
    command
}

#[test]
fn every_command_shows_an_example_in_its_help() {
    let all = "run|analyze|track|replay|check|ground|backup|bench|models|models list|models verify|models fetch|models bench|\
               alerts|alerts list|alerts show";
    for name in all.split('|') {
        let help = ran(lookout().args(name.split(' ')).arg("--help"));
        help.went_well();
        assert!(help.out.contains(&format!("Example: lookout {name}")), "{name}: {}", help.out);
    }
    let overview = ran(lookout().arg("--help"));
    for name in all.split('|').filter(|name| !name.contains(' ')) {
        assert!(overview.out.contains(&format!("\n  {name} ")), "{name}: {}", overview.out);
    }
}

#[test]
fn arguments_that_say_nothing_sensible_are_wrong() {
    for words in [
        "",
        "dance",
        "run --config",
        "track --detections a.txt --fps 0 --size 640x480 --out b",
        "track --detections a.txt --fps 10 --size 640 --out b",
        "track --detections a.txt --fps 10 --size 640x480 --out b --score 3",
        "replay --tracks a.txt --fps nan --size 640x480 --camera c.toml --out b",
        "replay --tracks a.txt --fps 10 --size 640x480 --camera c.toml --out b --start yesterday",
        "analyze a.avi",
        "analyze a.avi --camera c.toml --rate -1",
        "models bench",
        "ground c.toml --tracks a.txt",
        "ground c.toml --out grid.png",
        "backup",
        "bench",
        "alerts list --min-severity dreadful",
    ] {
        let ran = ran(lookout().args(words.split_whitespace()));
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{words}: {}", ran.err);
        assert!(ran.err.contains("Usage: lookout") || ran.err.starts_with("error: "), "{words}: {}", ran.err);
    }
}

#[test]
fn files_that_are_not_there_are_wrong_arguments() {
    let folder = folder();
    let (here, missing) = (folder.path().join("yard.toml"), folder.path().join("missing"));
    ran(&mut track(&missing)).refused(2, &["missing: cannot be read: No such file"]);
    ran(&mut replay(&missing)).refused(2, &["missing: cannot be read: No such file"]);
    ran(&mut analyze(&missing, &here)).refused(2, &["missing: there is no such file"]);
    ran(&mut analyze(folder.path(), &here)).refused(2, &["this is a directory"]);
    ran(&mut analyze(&missing, &missing)).refused(2, &["missing:1:1: ", "No such file"]);
    for command in ["run", "alerts list"] {
        let mut command = command.split(' ').fold(lookout(), |mut command, word| {
            command.arg(word);
            command
        });
        ran(command.arg("--config").arg(&missing)).refused(2, &["missing:1:1: ", "No such file"]);
    }
    let check = ran(lookout().arg("check").arg("--config").arg(&missing));
    assert!(check.code == 2 && check.out.contains("missing:1:1: "), "{check:?}");
    let rows = write(&folder.path().join("mot.txt"), "1,-1,10,20,30,80,0.9\n");
    std::fs::create_dir(folder.path().join("mot.out")).unwrap();
    for mut command in [track(&rows), replay(&rows)] {
        ran(&mut command).refused(2, &["mot.out is a folder, not a file"]);
    }
    ran(analyze(&missing, &here).args(["--time-zone", "Mars/Olympus"])).refused(2, &["--time-zone", "Mars/Olympus"]);
    ran(lookout().args(["models", "fetch", "none"])).refused(2, &["model `none`", "nanodet-g-person-int8"]);
    assert_eq!(names(folder.path()), ["mot.out", "mot.txt", "yard.toml"]);
}

#[test]
fn a_mot_file_is_refused_with_the_line() {
    let folder = folder();
    let good = "1,-1,10,20,30,80,0.9\n";
    for (row, what) in [
        ("2,-1,nan,20,30,80,0.9", "line 2: left is NaN"),
        ("2,-1,10,20,-30,80,0.9", "line 2: width is -30, not positive"),
        ("2,-1,10,20,30,0,0.9", "line 2: height is 0, not positive"),
        ("2,-1,10,20,30,80", "line 2: 6 columns, at least 7 are needed"),
        ("0,-1,10,20,30,80,0.9", "line 2: frame is 0"),
        ("2,-1,ten,20,30,80,0.9", "line 2: left is `ten`, not a number"),
        ("2,-1,inf,20,30,80,0.9", "line 2: left is inf, out of range"),
        ("900719925474099,-1,10,20,30,80,0.9", "frame 900719925474099 is out of range"),
    ] {
        let file = write(&folder.path().join("mot.txt"), &format!("{good}{row}\n"));
        ran(&mut track(&file)).refused(2, &["mot.txt: ", what]);
        ran(&mut replay(&file)).refused(2, &["mot.txt: ", what]);
    }
    assert_eq!(names(folder.path()), ["mot.txt", "yard.toml"], "nothing was written");
}

#[test]
fn an_empty_mot_file_is_no_people() {
    let folder = folder();
    let file = write(&folder.path().join("mot.txt"), "\n");
    for mut command in [track(&file), replay(&file)] {
        let ran = ran(&mut command);
        assert_eq!((ran.code, ran.out.as_str()), (0, ""), "{}", ran.err);
        assert!(
            ran.err.starts_with("warning: ") && ran.err.ends_with("mot.txt: no rows, so no people\n"),
            "{}",
            ran.err
        );
        assert_eq!(std::fs::read_to_string(folder.path().join("mot.out")).unwrap(), "");
    }
}

#[test]
fn what_is_no_video_fails() {
    let folder = folder();
    let camera = folder.path().join("yard.toml");
    let text = write(&folder.path().join("list.mp4"), &"this is a shopping list\n".repeat(200));
    ran(&mut analyze(&text, &camera)).refused(1, &["list.mp4: no video can be decoded: this is not a video file"]);
    let empty = write(&folder.path().join("empty.mp4"), "");
    ran(&mut analyze(&empty, &camera)).refused(1, &["empty.mp4: no video can be decoded: the file is empty"]);
    assert_eq!(names(folder.path()), ["empty.mp4", "list.mp4", "yard.toml"], "nothing was written");
}

const FAULTS: &str = "id = \"yard\"\nnmae = \"Yard\"\n[[zone]]\nid = \"all\"\npolygon = [[0,0],[1,0],[1,2]]\n\
    [[zone.rule]]\nid = \"two\"\nkind = \"crowd\"\n[[zone.rule]]\nid = \"two\"\nkind = \"loitering\"\ndwell = 10\n";

const PLACES: [&str; 5] = [
    "yard.toml:2:1: nmae: unknown key; did you mean `name`?",
    "yard.toml:5:11: zone[0].polygon[2]: [1, 2] is outside the picture",
    "yard.toml:6:1: zone[0].rule[0].people: missing",
    "yard.toml:10:6: zone[0].rule[1].id: `two` is used twice",
    "yard.toml:12:9: zone[0].rule[1].dwell: `10` is not a duration with its unit",
];

#[test]
fn five_faults_are_all_told_with_their_places() {
    let folder = tempfile::tempdir().unwrap();
    let camera = write(&folder.path().join("cameras/yard.toml"), FAULTS);
    let site = write(&folder.path().join("site.toml"), "id = \"t\"\ncameras = \"cameras\"\ndata = \"data\"\n");
    let mot = write(&folder.path().join("cameras/mot.txt"), "1,1,10,20,30,80,0.9\n");
    let told = |text: &str| {
        for place in PLACES {
            assert!(text.lines().any(|line| line.contains(place)), "no `{place}` in\n{text}");
        }
        assert_eq!(text.lines().filter(|line| line.contains("yard.toml:")).count(), PLACES.len(), "{text}");
    };
    for file in [&camera, &site] {
        let check = ran(lookout().arg("check").arg("--config").arg(file));
        assert_eq!(check.code, 2);
        told(&check.out);
        assert!(check.err.ends_with(": 5 faults\n"), "{}", check.err);
    }
    for mut command in [replay(&mot), analyze(&mot, &camera)] {
        let ran = ran(&mut command);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""));
        told(&ran.err);
    }
    for words in [["run"].as_slice(), &["alerts", "list"]] {
        let ran = ran(lookout().args(words).arg("--config").arg(&site));
        assert_eq!((ran.code, ran.out.as_str()), (2, ""));
        told(&ran.err);
    }
    assert_eq!(names(folder.path()), ["cameras", "site.toml"], "no data directory was made");
}

#[test]
fn check_opens_no_source_and_makes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let camera = TcpListener::bind("127.0.0.1:0").unwrap();
    camera.set_nonblocking(true).unwrap();
    let source = format!("{CAMERA}[source]\nurl = \"rtsp://{}/stream1\"\n", camera.local_addr().unwrap());
    write(&folder.path().join("cameras/yard.toml"), &source);
    let device = format!("{}[source]\nurl = \"v4l2:/dev/video99\"\n", CAMERA.replace("\"yard\"", "\"gate\""));
    write(&folder.path().join("cameras/gate.toml"), &device);
    let site = "id = \"t\"\ndata = \"data\"\n[[sink]]\nid = \"s\"\nkind = \"webhook\"\nurl = \"https://x.example/\"\n\
                secrets = [\"env:LOOKOUT_TEST_SECRET_THAT_IS_NOT_SET\"]\n";
    let site = write(&folder.path().join("site.toml"), site);
    let check = ran(lookout().arg("check").arg("--config").arg(&site));
    assert_eq!(check.code, 0, "{}", check.err);
    assert!(check.out.ends_with("site.toml: good: 2 cameras, 2 rules, 1 sinks\n"), "{}", check.out);
    assert!(check.err.starts_with("warning: sink `s`: the environment has no LOOKOUT_TEST_SECRET"), "{}", check.err);
    assert_eq!(camera.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock, "somebody connected");
    assert_eq!(names(folder.path()), ["cameras", "site.toml"]);
    // The same secret stops a run.
    ran(lookout().arg("run").arg("--config").arg(&site))
        .refused(2, &["sink `s`: environment variable LOOKOUT_TEST_SECRET"]);
}

/// An installation in a folder of its own: the catalog as shipped with some text replaced, and the library.
fn installation(change: impl Fn(&str) -> String) -> TempDir {
    let home = tempfile::tempdir().unwrap();
    let catalog = std::fs::read_to_string(root().join("models/catalog.toml")).unwrap();
    write(&home.path().join("models/catalog.toml"), &change(&catalog));
    std::os::unix::fs::symlink(root().join("runtime"), home.path().join("runtime")).unwrap();
    home
}

/// The shipped catalog's value of a key, with quotes.
fn value<'a>(catalog: &'a str, key: &str) -> &'a str {
    let line = catalog.lines().find(|line| line.starts_with(&format!("{key} = "))).unwrap();
    line.split_once(" = ").unwrap().1.split('#').next().unwrap().trim()
}

#[test]
fn a_model_that_is_not_what_the_catalog_says_is_refused() {
    let clips = Clips::new();
    let clip = clips.pattern("a.avi", "320x240", 10, 3, "-c:v mjpeg");
    let folder = folder();
    let camera = folder.path().join("yard.toml");
    let text = "this is no model\n";
    let hash = hex::encode(Sha256::digest(text));
    let not_onnx = installation(|catalog| catalog.replace(value(catalog, "sha256"), &format!("\"{hash}\"")));
    let other = installation(str::to_owned);
    for home in [&not_onnx, &other] {
        let catalog = std::fs::read_to_string(home.path().join("models/catalog.toml")).unwrap();
        write(&home.path().join("models").join(value(&catalog, "file").trim_matches('"')), text);
    }
    let elsewhere = write(&folder.path().join("mine.onnx"), "neither");
    let with = |home: &TempDir, model: &[&str]| {
        ran(analyze(&clip, &camera).current_dir(&folder).env("LOOKOUT_HOME", home.path()).args(model))
    };
    with(&not_onnx, &[]).refused(2, &["is not a model that ONNX Runtime can load"]);
    with(&other, &[]).refused(2, &["is not the file of the catalog: its sha256 is", &hash]);
    with(&other, &["--model", "nobody"]).refused(2, &["model `nobody` is neither a file nor in"]);
    with(&other, &["--model", elsewhere.to_str().unwrap()]).refused(2, &["mine.onnx has no entry in", "sha256 = "]);
    let verify = ran(lookout().current_dir(&folder).env("LOOKOUT_HOME", other.path()).args(["models", "verify"]));
    assert!(verify.code == 2 && verify.err.contains("is not the file of the catalog"), "{verify:?}");
    // A run refuses as well, before it watches anything.
    let site = write(&folder.path().join("site.toml"), "id = \"t\"\ndata = \"data\"\nlisten = \"127.0.0.1:0\"\n");
    let watched = format!("{CAMERA}[source]\nurl = \"rtsp://127.0.0.1:9/none\"\n");
    write(&folder.path().join("cameras/yard.toml"), &watched);
    ran(lookout().current_dir(&folder).env("LOOKOUT_HOME", other.path()).arg("run").arg("--config").arg(site))
        .refused(2, &["is not the file of the catalog"]);
    assert!(!folder.path().join("out").exists(), "nothing was written");
}

#[test]
fn a_library_that_is_missing_or_something_else_is_refused() {
    let clips = Clips::new();
    let clip = clips.pattern("a.avi", "320x240", 10, 3, "-c:v mjpeg");
    let folder = folder();
    std::os::unix::fs::symlink(root().join("models"), folder.path().join("models")).unwrap();
    let run = |variable: &str, value: &Path| {
        ran(analyze(&clip, &folder.path().join("yard.toml")).current_dir(&folder).env(variable, value))
    };
    run("LOOKOUT_HOME", Path::new("")).refused(2, &["the ONNX Runtime library was not found", "scripts/setup-runtime"]);
    run("ORT_DYLIB_PATH", Path::new("/nowhere/libonnxruntime.so"))
        .refused(2, &["/nowhere/libonnxruntime.so", "cannot"]);
    let text = write(&folder.path().join("home/runtime/libonnxruntime.so.9.9.9"), "a text");
    run("LOOKOUT_HOME", &folder.path().join("home"))
        .refused(2, &[text.to_str().unwrap(), "cannot serve as ONNX Runtime"]);
    // A real library, but another one: the C library of this very process.
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let libc = maps.split_whitespace().find(|word| word.contains("/libc.so") || word.contains("/libc-")).unwrap();
    run("ORT_DYLIB_PATH", Path::new(libc)).refused(2, &[libc, "cannot serve as ONNX Runtime: it is another library"]);
    assert!(!folder.path().join("out").exists(), "nothing was written");
}
