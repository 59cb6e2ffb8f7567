use super::*;

const SITE: &str = "id = \"s\"\n[[sink]]\nid = \"a\"\nkind = \"log\"\n[[route]]\nid = \"r\"\nto = [\"a\"]\nzones = [\"steps\"]\n\
    [[rule]]\nid = \"park\"\nkind = \"occupancy\"\npeople = 5\n\
    [[rule.gate]]\ncamera = \"north\"\nline = \"gate\"\ninward = \"left_to_right\"\n";
const STEPS: &str = "[[zone]]\nid = \"steps\"\npolygon = [[0, 0], [1, 0], [0, 1]]\n";
const GATE: &str = "[[line]]\nid = \"gate\"\npoints = [[0.1, 0.5], [0.9, 0.5]]\n";

fn camera(id: &str, more: &str) -> String {
    format!("id = \"{id}\"\nsource.url = \"rtsp://10.0.0.8/{id}\"\n{more}")
}

fn files() -> (tempfile::TempDir, SiteFiles) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("cameras")).unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("site.toml", SITE);
    write("cameras/north.toml", &camera("north", &format!("{STEPS}{GATE}")));
    write("cameras/south.toml", &camera("south", ""));
    let files = SiteFiles::load(&folder.path().join("site.toml")).unwrap_or_else(|e| panic!("{e}")).plan;
    (folder, files)
}

fn faults(files: &SiteFiles, index: usize, text: &str) -> Vec<String> {
    let said = files.check(index, text).unwrap_err().faults;
    said.iter().map(|f| format!("{}:{}: {}: {}", f.line, f.column, f.field, f.message)).collect()
}

#[test]
fn a_camera_keeps_what_the_site_names() {
    let (folder, files) = files();
    assert!(files.check(0, &camera("north", &format!("name = \"N\"\n{GATE}{STEPS}"))).is_ok());
    let named = |field: &str| format!("{}:{field} names it", folder.path().join("site.toml").display());
    let without_zone = faults(&files, 0, &camera("north", GATE));
    assert_eq!(without_zone, [format!("1:1: zone: zone `steps` is gone, but {}", named("8:9: route[0].zones"))]);
    let without_line = faults(&files, 0, &camera("north", STEPS));
    assert_eq!(without_line.len(), 1, "{without_line:?}");
    assert!(without_line[0].contains("line `gate` is gone, but") && without_line[0].contains("rule[0].gate[0]"));
}

#[test]
fn a_zone_may_move_to_another_camera_step_by_step() {
    let (_folder, mut files) = files();
    let south = camera("south", STEPS);
    let checked = files.check(1, &south).unwrap();
    files.put(1, &south, Arc::new(checked.plan));
    assert!(files.check(0, &camera("north", GATE)).is_ok());
    assert_eq!(&*files.cameras()[1].text, south);
}

#[test]
fn a_camera_comes_goes_and_succeeds_another_as_the_site_allows() {
    let (folder, mut files) = files();
    let path = folder.path().join("cameras/middle.toml");
    let (middle, other) = files.check_new(&path, &camera("middle", STEPS)).unwrap();
    assert_eq!((middle.plan.id.as_str(), other), ("middle", None));
    let (_, other) = files.check_new(&path, &camera("south", "")).unwrap();
    let taken = files.is_taken(other.unwrap(), &path, &camera("south", "")).to_string();
    assert!(taken.contains("middle.toml:1:1: id: `south` is already the camera of") && taken.contains("south.toml"));
    // What the site names has to stay somewhere.
    let south = |files: &SiteFiles, text: &str| files.check_successor(files.index("south").unwrap(), text);
    assert_eq!(south(&files, &camera("east", "")).unwrap().plan.id, "east");
    assert!(south(&files, &camera("north", "")).unwrap_err().to_string().contains("already the camera"));
    let north = files.check_successor(0, &camera("west", STEPS)).unwrap_err().to_string();
    assert!(north.contains("1:1: line: line `gate` is gone, but") && north.contains("rule[0].gate[0]"), "{north}");
    let gone = files.check_gone(0).unwrap_err().to_string();
    assert!(gone.contains("camera `north` cannot go:") && gone.contains("names zone `steps`"), "{gone}");
    // In the order of names.
    assert_eq!(files.insert(path, "".into(), Arc::new(middle.plan)), 0);
    assert_eq!(files.index("north"), Some(1));
    assert!(files.check_gone(1).unwrap_err().to_string().contains("line `gate`"), "another has the zone");
    assert!(files.check_gone(2).is_ok());
    files.remove(2);
    assert_eq!((files.cameras().len(), files.index("south")), (2, None));
}

#[test]
fn a_camera_that_a_route_names_and_the_only_one_cannot_go() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("cameras")).unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write(
        "site.toml",
        "id = \"s\"\n[[sink]]\nid = \"a\"\nkind = \"log\"\n[[route]]\nid = \"r\"\nto = [\"a\"]\ncameras = [\"north\"]\n",
    );
    write("cameras/north.toml", &camera("north", ""));
    let files = SiteFiles::load(&folder.path().join("site.toml")).unwrap().plan;
    let gone = files.check_gone(0).unwrap_err().faults;
    assert_eq!(gone.len(), 2, "{gone:?}");
    assert!(gone[0].message.contains("route[0].cameras names camera `north`"), "{gone:?}");
    assert!(gone[1].message.ends_with("it is the only one"), "{gone:?}");
    assert!(
        files.check_successor(0, &camera("south", "")).unwrap_err().to_string().contains("1:1: id: camera `north`")
    );
}

#[test]
fn a_camera_keeps_its_id_and_its_source() {
    let (_folder, files) = files();
    let renamed = faults(&files, 1, &camera("east", ""));
    assert_eq!(renamed, ["1:1: id: `south` cannot become `east`"]);
    assert!(faults(&files, 1, "id = \"south\"\n")[0].contains("source: missing"));
    // As a file of its own: every fault, with its place.
    let bad =
        faults(&files, 1, &camera("south", "[[zone]]\nid = \"a b\"\npolygon = [[0, 0], [1, 1], [1, 0], [0, 1]]\n"));
    assert_eq!(bad.len(), 2, "{bad:?}");
    assert!(bad[0].starts_with("4:6: zone[0].id") && bad[1].contains("crosses itself"), "{bad:?}");
}
