//! A site in a temporary folder with a real `lookout run`.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

use super::command::{lookout, ran, root, write};

/// Long enough for a busy machine; every wait ends by what it waits for.
const LONG: Duration = Duration::from_secs(60);

/// A site's files.
pub struct SiteFiles {
    folder: TempDir,
    pub address: SocketAddr,
}

impl SiteFiles {
    /// With a file sink, `record`, and further sinks and routes as text. Its data are in `data`.
    pub fn new(more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let files = Self { folder, address: free_address() };
        files.site("site.toml", files.address, more);
        files
    }

    /// Writes a site file for the same cameras and data.
    pub fn site(&self, name: &str, address: SocketAddr, more: &str) -> PathBuf {
        let media = root().join("media");
        let text = format!(
            "id = \"t\"\nlisten = \"{address}\"\ndata = \"data\"\nmedia_dirs = [{:?}]\n[inference]\nworkers = 1\n\
             [[sink]]\nid = \"record\"\nkind = \"file\"\npath = \"alerts.jsonl\"\n{more}",
            media.display()
        );
        write(&self.path(name), &text)
    }

    /// Writes a camera that watches the whole picture for anybody, and a line. `source` are the keys below `[source]`.
    pub fn camera(&self, id: &str, source: &str) {
        let mut text = format!("id = \"{id}\"\n[source]\n{source}\nrate = 5\n[detect]\ninput = [320, 256]\n");
        text.push_str("[[zone]]\nid = \"all\"\npolygon = [[0,0],[1,0],[1,1],[0,1]]\n");
        text.push_str("[[zone.rule]]\nid = \"anyone\"\nkind = \"intrusion\"\n");
        text.push_str("[[zone.rule]]\nid = \"three\"\nkind = \"crowd\"\npeople = 3\ngap = \"0s\"\n");
        write!(text, "[[line]]\nid = \"path\"\npoints = [[0.3, 0.98], [0.62, 0.22]]\n").unwrap();
        write(&self.path(&format!("cameras/{id}.toml")), &text);
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Starts a run; returns when it is ready.
    pub fn start(&self) -> Run {
        let log = std::fs::File::options().create(true).append(true).open(self.path("log")).unwrap();
        let mut command = lookout();
        command.arg("run").arg("--config").arg(self.path("site.toml"));
        let child = command.stdout(Stdio::null()).stderr(log).spawn().unwrap();
        let mut run = Run { child, address: self.address, log: self.path("log") };
        run.until("it is ready", |run| run.get("/readyz").starts_with("HTTP/1.1 200"));
        run
    }

    /// What the file sink has, in order.
    pub fn told(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.path("alerts.jsonl")).unwrap_or_default();
        // A last line may be on its way.
        text.split_inclusive('\n').filter(|l| l.ends_with('\n')).map(|l| serde_json::from_str(l).unwrap()).collect()
    }

    /// What `lookout alerts` says, one value a line.
    pub fn alerts(&self, words: &[&str]) -> Vec<Value> {
        let config = self.path("site.toml");
        let ran = ran(lookout().arg("alerts").args(words).arg("--json").arg("--config").arg(config));
        assert_eq!(ran.code, 0, "{}", ran.err);
        ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// A running `lookout run`; killed when dropped.
pub struct Run {
    child: Child,
    address: SocketAddr,
    log: PathBuf,
}

impl Run {
    /// Waits until something is true; fails when the run ends or nothing happens for long.
    pub fn until(&mut self, what: &str, mut is_true: impl FnMut(&Self) -> bool) {
        let deadline = Instant::now() + LONG;
        while !is_true(self) {
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none() && Instant::now() < deadline, "{what}: {ended:?}\n{}", read(&self.log));
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The whole answer; empty when nobody listens.
    pub fn get(&self, path: &str) -> String {
        let mut answer = String::new();
        if let Ok(mut stream) = TcpStream::connect(self.address) {
            write!(stream, "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", self.address).unwrap();
            stream.read_to_string(&mut answer).unwrap();
        }
        answer
    }

    /// The value of a series, if it is there.
    pub fn metric(&self, series: &str) -> Option<f64> {
        let page = self.get("/metrics");
        let value = page.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '))?;
        Some(value.parse().unwrap())
    }

    /// Pictures of this camera that were analysed.
    pub fn analysed(&self, camera: &str) -> f64 {
        self.metric(&format!("lookout_frames_total{{camera=\"{camera}\",outcome=\"analysed\"}}")).unwrap()
    }

    /// Ctrl-C; waits for the end and gives the exit code.
    pub fn interrupt(mut self) -> Option<i32> {
        kill_process(Pid::from_child(&self.child), Signal::INT).unwrap();
        let deadline = Instant::now() + LONG;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code();
            }
            assert!(Instant::now() < deadline, "it does not end\n{}", read(&self.log));
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// `kill -9`.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// A free port of this machine.
pub fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}
