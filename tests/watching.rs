//! Watching the watcher: Prometheus's rules, Grafana's dashboard, the service manager, the log.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use url::form_urlencoded::byte_serialize;

use crate::support::broker::{Daemon, free_port};
use crate::support::clips::Clips;
use crate::support::command::{root, write};
use crate::support::rtsp::{Behaviour, Camera};
use crate::support::site::{Run, SiteFiles};

const CLIP: &str = "url = \"file:vtest.avi\"\nloop = true";
const NOBODY: &str = "url = \"rtsp://127.0.0.1:9/none\"";
/// So that everything that can be shown is.
const MORE: &str = "[[rule]]\nid = \"park\"\nkind = \"occupancy\"\npeople = 1\n\
    [[rule.gate]]\ncamera = \"north\"\nline = \"path\"\ninward = \"left_to_right\"\n\
    [[grid]]\nid = \"g\"\nunit = \"u\"\n\
    [[route]]\nid = \"all\"\nto = [\"record\"]\nanswer_within = \"15m\"\ndefault = true\n";

fn configs(name: &str) -> String {
    std::fs::read_to_string(root().join("configs").join(name)).unwrap()
}

#[test]
fn promtool_finds_the_rules_right() {
    for words in
        [["check", "config", "prometheus.yml"], ["check", "rules", "alerts.yml"], ["test", "rules", "alerts_test.yml"]]
    {
        let folder = root().join("configs/prometheus");
        let done = Command::new("promtool").args(words).current_dir(folder).output();
        let done = done.expect("the command `promtool` is missing: run scripts/setup");
        let [out, err] = [&done.stdout, &done.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        assert!(done.status.success(), "promtool {words:?}\n{out}{err}");
    }
    // Every rule is tested.
    let (rules, tests) = (configs("prometheus/alerts.yml"), configs("prometheus/alerts_test.yml"));
    for name in rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")) {
        let tested = tests.lines().any(|line| line.trim() == format!("alertname: {name}"));
        assert!(tested, "{name} is expected to fire in no test");
    }
}

/// Names of metrics in a text.
fn metrics_in(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with("lookout_") || word.starts_with("process_")).map(str::to_owned).collect()
}

#[test]
fn rules_and_dashboard_name_what_a_site_shows() {
    let files = SiteFiles::new(MORE);
    files.camera("north", NOBODY);
    let run = files.start();
    let page = run.get("/metrics");
    let shown: BTreeSet<&str> =
        page.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' ')).map(|(name, _)| name).collect();
    let parts = ["_bucket", "_sum", "_count"];
    let mut named = 0;
    for file in ["prometheus/alerts.yml", "prometheus/alerts_test.yml", "grafana/lookout.json"] {
        for name in metrics_in(&configs(file)) {
            let family = parts.iter().find_map(|part| name.strip_suffix(part)).filter(|base| shown.contains(base));
            assert!(shown.contains(name.as_str()) || family.is_some(), "{file} names {name}, which is not in\n{page}");
            named += 1;
        }
    }
    assert!(named > 30, "{named}");
    assert_eq!(run.interrupt(), Some(0));
}

/// Debian's Prometheus with the rules of the repository, quickened.
struct Prometheus {
    daemon: Daemon,
}

impl Prometheus {
    /// Watches a site from `folder`. Waits and intervals of the files are replaced by a second: what is waited for in
    /// `for` is looked at by promtool.
    fn start(folder: &Path, site: SocketAddr) -> Self {
        let quick = |line: &str| match line.trim_start().split_once(": ") {
            Some((key @ ("for" | "scrape_interval" | "evaluation_interval"), _)) => {
                format!("{}{key}: 1s", &line[..line.len() - line.trim_start().len()])
            }
            _ => line.to_owned(),
        };
        let lines = |name: &str| configs(name).lines().map(|line| quick(line) + "\n").collect::<String>();
        let config = lines("prometheus/prometheus.yml").replace("127.0.0.1:8787", &site.to_string());
        let config = write(&folder.join("prometheus.yml"), &config);
        write(&folder.join("alerts.yml"), &lines("prometheus/alerts.yml"));
        let address = free_port();
        let words = [
            "prometheus".to_owned(),
            format!("--config.file={}", config.display()),
            format!("--storage.tsdb.path={}", folder.join("series").display()),
            format!("--web.listen-address={address}"),
            "--log.level=warn".to_owned(),
        ];
        Self { daemon: Daemon::new(words.to_vec(), folder.join("prometheus.log"), address) }
    }

    fn get(&self, path: &str) -> Value {
        let mut stream = TcpStream::connect(self.daemon.address).unwrap();
        // By version 1.0 the answer comes in one piece.
        write!(stream, "GET {path} HTTP/1.0\r\nHost: {}\r\n\r\n", self.daemon.address).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let body = answer.split_once("\r\n\r\n").unwrap().1;
        // Not ready in the first moment, and then no JSON.
        serde_json::from_str(body).unwrap_or_default()
    }

    /// What a query finds; `None` if it is wrong.
    fn query(&self, query: &str) -> Option<Vec<Value>> {
        let query: String = byte_serialize(query.as_bytes()).collect();
        let answer = self.get(&format!("/api/v1/query?query={query}"));
        (answer["status"] == "success").then(|| answer["data"]["result"].as_array().unwrap().clone())
    }

    /// Alerts that fire, as name and camera.
    fn firing(&self) -> BTreeSet<(String, String)> {
        let answer = self.get("/api/v1/alerts");
        let alerts = answer["data"]["alerts"].as_array().cloned().unwrap_or_default();
        let word = |alert: &Value, label: &str| alert["labels"][label].as_str().unwrap_or_default().to_owned();
        let firing = alerts.iter().filter(|alert| alert["state"] == "firing");
        firing.map(|alert| (word(alert, "alertname"), word(alert, "camera"))).collect()
    }

    fn fires(&self, name: &str, camera: &str) -> bool {
        self.firing().contains(&(name.to_owned(), camera.to_owned()))
    }
}

/// Every query of the dashboard, for all that it can be asked about.
fn dashboard_queries() -> Vec<String> {
    fn collect(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(object) => {
                found.extend(object.get("expr").and_then(Value::as_str).map(str::to_owned));
                object.values().for_each(|value| collect(value, found));
            }
            Value::Array(array) => array.iter().for_each(|value| collect(value, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    collect(&serde_json::from_str(&configs("grafana/lookout.json")).unwrap(), &mut found);
    let all = |query: &str| ["$instance", "$camera", "$sink"].iter().fold(query.to_owned(), |q, v| q.replace(v, ".*"));
    found.iter().map(|query| all(query)).collect()
}

#[test]
fn prometheus_sees_what_goes_wrong_and_that_it_is_right_again() {
    let clips = Clips::new();
    let options = "-c:v libx264 -preset ultrafast -tune zerolatency -g 12 -slices 1 -threads 1 -pix_fmt yuv420p -an";
    let clip = clips.walkers("walkers.h264", 60, options);
    let behaviour = Behaviour { pause: Duration::from_millis(100), ..Behaviour::default() };
    let camera = Camera::start(&clip, behaviour.clone());
    let address: SocketAddr = camera.url()["rtsp://".len()..].strip_suffix("/stream1").unwrap().parse().unwrap();
    let files = SiteFiles::new(MORE);
    files.camera("north", &format!("url = \"{}\"", camera.url()));
    files.camera("south", CLIP);
    let mut run = files.start();
    let prometheus = Prometheus::start(&files.path("prometheus"), run.address);
    let quiet = |_: &Run| {
        let up = prometheus.query("sum(lookout_camera_up)").unwrap_or_default();
        up.first().is_some_and(|up| up["value"][1] == "2")
            && !prometheus.firing().iter().any(|(name, _)| name == "LookoutCameraDown" || name == "LookoutDown")
    };
    run.until("both cameras are up for Prometheus", quiet);

    drop(camera);
    run.until("one of them is down", |_| prometheus.fires("LookoutCameraDown", "north"));
    assert!(!prometheus.fires("LookoutCameraDown", "south"), "{:?}", prometheus.firing());
    let _camera = Camera::start_at(address, &clip, behaviour);
    run.until("it is back", quiet);

    let path = files.path("cameras/south.toml");
    let good = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, good.replace("people = 3", "people = 0")).unwrap();
    run.until("a file is refused", |_| prometheus.fires("LookoutConfigRefused", ""));
    std::fs::write(&path, &good).unwrap();
    run.until("it is right", |_| !prometheus.fires("LookoutConfigRefused", ""));

    let queries = dashboard_queries();
    assert!(queries.len() > 40, "{}", queries.len());
    for query in queries {
        let found = prometheus.query(&query);
        // Nothing was tested yet, and whether anything was restarted is for another day.
        let may_be_empty = query.contains("> 0");
        assert!(found.as_ref().is_some_and(|found| may_be_empty || !found.is_empty()), "{query}: {found:?}");
    }

    run.kill();
    let mut patience = 600;
    while !prometheus.fires("LookoutDown", "") {
        patience -= 1;
        assert!(patience > 0, "{:?}", prometheus.firing());
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn the_service_manager_hears_when_it_is_ready_lives_and_stops() {
    let files = SiteFiles::new("");
    files.camera("gate", NOBODY);
    let path = files.path("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    manager.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let heard = || {
        let mut text = [0; 256];
        let length = manager.recv(&mut text).unwrap();
        String::from_utf8(text[..length].to_vec()).unwrap()
    };
    let run = files.start_among(&[("NOTIFY_SOCKET", path.to_str().unwrap()), ("WATCHDOG_USEC", "200000")]);
    assert_eq!(heard(), "READY=1\nSTATUS=watching");
    for _ in 0..5 {
        assert_eq!(heard(), "WATCHDOG=1", "without a single picture it lives");
    }
    assert_eq!(run.terminate(), Some(0));
    let last = std::iter::repeat_with(heard).find(|text| text != "WATCHDOG=1");
    assert_eq!(last.as_deref(), Some("STOPPING=1\nSTATUS=stopping"));
}

#[test]
fn the_log_has_a_line_for_each_event_and_none_for_pictures() {
    let files = SiteFiles::new("");
    files.camera("yard", CLIP);
    let mut run = files.start_among(&[("LOOKOUT_LOG_JSON", "true")]);
    run.until("an alert", |_| files.told().iter().any(|e| e["state"] == "started"));
    let lines = |run: &Run| -> Vec<Value> {
        let log = run.log();
        let whole = log.split_inclusive('\n').filter(|line| line.ends_with('\n'));
        whole.map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))).collect()
    };
    let others = |run: &Run| {
        let of_pictures = lines(run).into_iter().filter(|line| line["message"] != "alert");
        // A machine that is busy plays the clip late.
        of_pictures.filter(|line| line["message"] != "playing the file fell behind real time").collect::<Vec<_>>()
    };
    let (before, analysed) = (others(&run), run.analysed("yard"));
    run.until("many pictures", |run| run.analysed("yard") > analysed + 40.0);
    assert_eq!(others(&run), before);
    for line in lines(&run) {
        assert!(["level", "timestamp", "message"].iter().all(|key| line[key].is_string()), "{line}");
    }
    assert_eq!(run.interrupt(), Some(0));
    let log = std::fs::read_to_string(files.path("log")).unwrap();
    let said = |event: &Value| {
        let wanted =
            |line: &Value| line["message"] == "alert" && line["alert"] == event["alert"] && line["seq"] == event["seq"];
        log.lines().filter(|line| wanted(&serde_json::from_str(line).unwrap())).count()
    };
    for event in files.told() {
        assert_eq!(said(&event), 1, "{event}");
    }
}
