//! `lookout ground`, and what is learnt across restarts.

use std::fmt::Write;
use std::path::Path;
use std::process::Command;

use crate::support::command::{lookout, ran, root, write};

const KNOWN: &str = "id = \"court\"\n[ground]\npoints = [[0.11, 0.62], [0.54, 0.60], [0.93, 0.88], [0.05, 0.95], [0.40, 0.70]]\n\
    metres = [[0.0, 0.0], [12.0, 0.0], [12.0, 9.0], [0.0, 9.0], [6.9, 3.8]]\n\
    [[zone]]\nid = \"half\"\npolygon = [[0.11, 0.62], [0.54, 0.60], [0.93, 0.88]]\n";
const LEARN: &str = "id = \"yard\"\nground = \"learn\"\n";
/// Where the lens is known a few people are enough.
const LEARN_BY_LENS: &str = "id = \"yard\"\n[ground]\nlearn = true\n[ground.lens]\nfocal = [0.9, 1.2]\n";

fn ground(camera: &Path, more: &str) -> Command {
    let mut command = lookout();
    command.arg("ground").arg(camera).args(more.split_whitespace());
    command.current_dir(camera.parent().unwrap()).env("LOOKOUT_HOME", root());
    command
}

/// People who walk across a picture of 640x480 before a level camera at four times their height, one after another.
fn walkers(people: u32) -> String {
    let mut rows = String::new();
    for id in 0..people {
        let feet = 250.0 + 210.0 * f64::from((id * 5) % 13) / 13.0;
        let height = (feet - 120.0) / 4.0 * [0.94, 1.0, 1.05][id as usize % 3];
        for step in 0..40 {
            let left = 20.0 + 14.5 * f64::from(step);
            writeln!(rows, "{},{id},{left},{},{},{height},1", id * 40 + step + 1, feet - height, 0.4 * height).unwrap();
        }
    }
    rows
}

#[test]
fn known_points_are_told_with_their_error_the_area_of_zones_and_a_picture() {
    let folder = tempfile::tempdir().unwrap();
    let camera = write(&folder.path().join("court.toml"), KNOWN);
    let done = ran(&mut ground(&camera, "--size 640x480 --out grid.png"));
    done.went_well();
    assert!(done.out.starts_with("a plane through 5 points, error 0."), "{}", done.out);
    let area = done.out.lines().find_map(|l| l.strip_prefix("half")).unwrap().trim().strip_suffix(" m2").unwrap();
    assert!((area.parse::<f64>().unwrap() - 54.0).abs() < 3.0, "{area}");
    let picture = image::open(folder.path().join("grid.png")).unwrap().to_rgb8();
    assert_eq!(picture.dimensions(), (640, 480));
    // The sky stays empty, the ground has lines.
    let colours = |rows: std::ops::Range<u32>| {
        let pixels = rows.flat_map(|y| (0..640).map(move |x| (x, y)));
        pixels.map(|(x, y)| picture.get_pixel(x, y).0).collect::<std::collections::BTreeSet<_>>().len()
    };
    assert_eq!(colours(0..20), 1);
    assert!(colours(300..470) >= 3);
}

#[test]
fn a_learnt_plane_is_told_with_its_error_and_can_be_kept_as_points() {
    let folder = tempfile::tempdir().unwrap();
    let camera = write(&folder.path().join("yard.toml"), LEARN_BY_LENS);
    write(&folder.path().join("tracks.txt"), &walkers(30));
    let arguments = "--tracks tracks.txt --fps 5 --size 640x480";
    let done = ran(&mut ground(&camera, arguments));
    done.went_well();
    let height: f64 = done.out.split("camera ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
    assert!((height - 4.0 * 1.7).abs() < 1.0, "{}", done.out);
    // As known points it is the same plane.
    let table = &done.out[done.out.find("[ground]").unwrap()..];
    let kept = write(&folder.path().join("kept.toml"), &format!("id = \"kept\"\n{table}"));
    let homography = |camera: &Path, more: &str| -> Vec<f64> {
        let told = ran(&mut ground(camera, &format!("{more} --json")));
        told.went_well();
        let value: serde_json::Value = serde_json::from_str(&told.out).unwrap();
        let rows = value["homography"].as_array().unwrap().iter();
        rows.flat_map(|row| row.as_array().unwrap().iter().map(|v| v.as_f64().unwrap())).collect()
    };
    let (learnt, known) = (homography(&camera, arguments), homography(&kept, ""));
    let place = |h: &[f64]| {
        let [x, y, w] = [0, 3, 6].map(|i| h[i] * 0.3 + h[i + 1] * 0.8 + h[i + 2]);
        [x / w, y / w]
    };
    let (a, b) = (place(&learnt), place(&known));
    assert!((a[0] - b[0]).hypot(a[1] - b[1]) < 0.1, "{a:?} {b:?}");
}

#[test]
fn too_few_people_are_no_ground_and_body_heights_need_none() {
    let folder = tempfile::tempdir().unwrap();
    let camera = write(&folder.path().join("yard.toml"), LEARN);
    write(&folder.path().join("tracks.txt"), &walkers(4));
    let arguments = "--tracks tracks.txt --fps 5 --size 640x480";
    let done = ran(&mut ground(&camera, arguments));
    assert_eq!(done.code, 1, "{}", done.out);
    assert!(done.err.contains("not ready: 4 people stood free so far; 10 are needed"), "{}", done.err);
    ran(&mut ground(&camera, "")).refused(2, &["--tracks"]);
    let bare = write(&folder.path().join("bare.toml"), "id = \"bare\"\n");
    ran(&mut ground(&bare, arguments)).refused(2, &["bare.toml", "body heights"]);
}

#[test]
fn people_in_a_background_are_pixelated() {
    let folder = tempfile::tempdir().unwrap();
    let camera = write(&folder.path().join("yard.toml"), LEARN);
    // A checkerboard of single pixels: nothing of it may be left within the box of the first frame. It is faint, since the
    // detector takes a strong one for people.
    let noise = image::RgbImage::from_fn(640, 480, |x, y| image::Rgb([if (x + y) % 2 == 0 { 160 } else { 100 }; 3]));
    noise.save(folder.path().join("noise.png")).unwrap();
    write(&folder.path().join("tracks.txt"), "1,1,200,100,120,240,1\n");
    let arguments = "--tracks tracks.txt --fps 5 --size 640x480 --background noise.png --out grid.png";
    let done = ran(&mut ground(&camera, arguments));
    assert_eq!(done.code, 1, "one person is no ground: {}", done.err);
    let picture = image::open(folder.path().join("grid.png")).unwrap().to_rgb8();
    // The dot at the feet is below; a cell is at least an eighth of the box wide.
    let changes = |y: u32, columns: std::ops::Range<u32>| {
        columns.filter(|x| picture.get_pixel(*x, y) != picture.get_pixel(x + 1, y)).count()
    };
    for y in 100..330 {
        assert!(changes(y, 200..319) <= 10, "row {y}: {}", changes(y, 200..319));
    }
    assert!(changes(30, 400..600) > 100, "where nobody is the background stays");
}

#[test]
fn a_camera_of_a_site_can_be_asked_to_begin_anew() {
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("site.toml"), "id = \"s\"\ndata = \"data\"\n");
    let source = "[source]\nurl = \"rtsp://h/1\"\n";
    let camera = write(&folder.path().join("cameras/yard.toml"), &format!("{LEARN}{source}"));
    let court = write(&folder.path().join("cameras/court.toml"), &format!("{KNOWN}{source}"));
    ran(&mut ground(&camera, "--site ../site.toml --relearn --freeze on")).went_well();
    let data = folder.path().join("data/ground");
    assert!(data.join("yard.relearn").exists() && data.join("yard.freeze").exists());
    ran(&mut ground(&camera, "--site ../site.toml --freeze off")).went_well();
    assert!(!data.join("yard.freeze").exists());
    ran(&mut ground(&court, "--site ../site.toml --relearn")).refused(2, &["known by points"]);
    assert_eq!(ran(&mut ground(&camera, "--relearn")).code, 2);
}
