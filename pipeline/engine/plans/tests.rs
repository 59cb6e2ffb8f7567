use std::fs;

use super::*;

const ZONE: &str = "[[zone]]\nid = \"steps\"\npolygon = [[0, 0], [1, 0], [0, 1]]\n";

fn camera(id: &str, more: &str) -> String {
    format!("id = \"{id}\"\nsource.url = \"rtsp://10.0.0.8/{id}\"\n{more}")
}

struct Site {
    folder: tempfile::TempDir,
    hub: Arc<LiveHub>,
    metrics: Arc<Metrics>,
    plans: Arc<LivePlans>,
}

impl Site {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("cameras")).unwrap();
        fs::write(folder.path().join("site.toml"), "id = \"s\"\n").unwrap();
        for id in ["north", "south"] {
            fs::write(folder.path().join(format!("cameras/{id}.toml")), camera(id, "")).unwrap();
        }
        let files = SiteFiles::load(&folder.path().join("site.toml")).unwrap().plan;
        let (hub, metrics) = (LiveHub::new(&files.site), Metrics::new().unwrap());
        let plans = LivePlans::new(files, Arc::clone(&hub), Arc::clone(&metrics));
        Self { folder, hub, metrics, plans }
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.folder.path().join(name), text).unwrap();
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join(name)).unwrap()
    }

    /// Applied, refused.
    fn reloads(&self) -> (u64, u64) {
        (self.metrics.reloads_applied.get(), self.metrics.reloads_refused.get())
    }
}

#[test]
fn an_edit_is_in_force_and_a_bad_one_leaves_the_last_good_one() {
    let site = Site::new();
    let (mut north, mut south) = (0, 0);
    let mut edits = site.plans.edits();
    site.plans.look(Instant::now());
    assert_eq!(site.reloads(), (0, 0), "nothing has changed");
    site.write("cameras/north.toml", &camera("north", ZONE));
    site.plans.look(Instant::now());
    let plan = site.hub.cameras()[0].plan.newer(&mut north).unwrap();
    assert_eq!((plan.zones[0].id.as_str(), site.reloads()), ("steps", (1, 0)));
    assert!(site.hub.cameras()[1].plan.newer(&mut south).is_none());
    let edit = edits.try_recv().unwrap();
    assert_eq!((edit.camera.as_str(), &*edit.text), ("north", camera("north", ZONE).as_str()));

    let bad = camera("north", &ZONE.replace("[0, 1]", "[0, 2]"));
    site.write("cameras/north.toml", &bad);
    site.plans.look(Instant::now());
    site.plans.look(Instant::now());
    assert_eq!(site.reloads(), (1, 1), "the same text is refused once");
    assert!(site.hub.cameras()[0].plan.newer(&mut north).is_none() && edits.try_recv().is_err());
    let faults = site.plans.faults();
    assert_eq!((faults.len(), faults[0].line, faults[0].field.as_str()), (1, 5, "zone[0].polygon[2]"));
    let read = site.plans.read("north").unwrap();
    assert_eq!((&*read.text, read.faults.len()), (bad.as_str(), 1));

    fs::remove_file(site.folder.path().join("cameras/north.toml")).unwrap();
    site.plans.look(Instant::now());
    site.plans.look(Instant::now());
    assert_eq!(site.reloads(), (1, 2));
    assert!(matches!(site.plans.read("north"), Err(EditError::Unreadable(_))));
    site.write("cameras/north.toml", &camera("north", ZONE));
    site.plans.look(Instant::now());
    assert_eq!((site.reloads(), site.plans.faults().len()), ((2, 2), 0));
    assert!(site.hub.cameras()[0].plan.newer(&mut north).is_none(), "it was in force all the time");
}

#[test]
fn what_only_a_restart_takes_is_said() {
    let site = Site::new();
    let mut version = 0;
    // Nobody has loaded a model yet, so that nobody can load another.
    let other = camera("south", &format!("{ZONE}[detect]\nscore = 0.5\ngate = true\n"));
    site.write("cameras/south.toml", &other);
    site.write("cameras/west.toml", &camera("west", ""));
    site.write("site.toml", "id = \"other\"\n");
    site.plans.look(Instant::now());
    let plan = site.hub.cameras()[1].plan.newer(&mut version).unwrap();
    assert_eq!((plan.zones.len(), plan.detect.score, plan.detect.gate), (1, None, true));
    let waiting = site.plans.restarts();
    assert_eq!(waiting.len(), 3, "{waiting:?}");
    assert!(
        waiting[0].contains("south.toml: detect")
            && waiting[1].contains("west.toml")
            && waiting[2].contains("site.toml: id")
    );
    site.write("cameras/south.toml", &camera("south", ""));
    fs::remove_file(site.folder.path().join("cameras/west.toml")).unwrap();
    site.write("site.toml", "id = \"s\"\n");
    site.plans.look(Instant::now());
    assert!(site.plans.restarts().is_empty());
    site.write("site.toml", "id = \"s\"\nlisten = \"nowhere\"\n");
    site.plans.look(Instant::now());
    assert_eq!(site.plans.faults()[0].field, "listen");
    assert_eq!(site.metrics.reloads_refused.get(), 1);
}

#[test]
fn another_source_begins_that_camera_s_capture_anew_and_no_other() {
    let site = Site::new();
    let (north, south) = (site.hub.cameras()[0].begin_capture(), site.hub.cameras()[1].begin_capture());
    // Zones are no business of capture.
    site.write("cameras/south.toml", &camera("south", ZONE));
    site.plans.look(Instant::now());
    assert!(!south.is_set());
    site.write("cameras/south.toml", &camera("south", ZONE).replace("10.0.0.8", "10.0.0.9"));
    site.plans.look(Instant::now());
    assert!(south.is_set() && !north.is_set());
    // Whoever begins anew finds it.
    let again = site.hub.cameras()[1].begin_capture();
    assert!(!again.is_set());
    assert!(format!("{:?}", site.hub.cameras()[1].plan.get().source).contains("10.0.0.9"));
    site.write("cameras/south.toml", &(camera("south", "[detect]\ngate = true\n").replace("10.0.0.8", "10.0.0.9")));
    site.plans.look(Instant::now());
    assert!(again.is_set() && site.hub.cameras()[1].plan.get().detect.gate);
    assert_eq!((site.plans.restarts(), site.reloads()), (Vec::new(), (3, 0)));
    assert!(Arc::ptr_eq(&site.plans.site().cameras[1], &site.plans.plan("south").unwrap()), "others see it too");
}

#[test]
fn a_save_is_whole_or_nothing() {
    let site = Site::new();
    let (old, new) = (camera("north", ""), camera("north", ZONE));
    let nothing = || Ok(());
    let saved = site.plans.save("north", &old, &new, nothing).unwrap();
    assert_eq!((&*saved.text, site.text("cameras/north.toml").as_str()), (new.as_str(), new.as_str()));
    assert!(site.hub.cameras()[0].plan.newer(&mut 0).is_some());
    site.plans.look(Instant::now());
    assert_eq!(site.reloads(), (1, 0), "the own save is no edit by hand");
    // Refused, stale, not noted down, unknown: the file stays.
    let never = || panic!("nothing is noted down");
    let bad = camera("north", "[[zone]]\n");
    assert!(matches!(site.plans.save("north", &new, &bad, never), Err(EditError::Refused(_))));
    assert!(matches!(site.plans.save("north", &old, &old, never), Err(EditError::Stale)));
    assert!(matches!(site.plans.save("../north", &new, &old, never), Err(EditError::Unknown(_))));
    let full = || Err("the disk is full".to_owned());
    assert!(matches!(site.plans.save("north", &new, &old, full), Err(EditError::Unrecorded(_))));
    assert_eq!(site.text("cameras/north.toml"), new);
    assert_eq!(site.plans.plan("north").unwrap().zones.len(), 1);
}
