//! A site in a temporary folder with a real `lookout run`.

use std::cell::OnceCell;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, prlimit};
use serde_json::Value;
use tempfile::TempDir;

use super::command::{cramped, lookout, ran, root, write};
use super::login::viewer;

/// Long enough for a busy machine; every wait ends by what it waits for.
const LONG: Duration = Duration::from_secs(120);

/// A site's files.
pub struct SiteFiles {
    folder: TempDir,
    /// Reads the API of its runs; made by the first.
    token: OnceCell<String>,
}

impl SiteFiles {
    /// With a file sink, `record`, and further sinks and routes as text. Its data are in `data`.
    pub fn new(more: &str) -> Self {
        let files = Self { folder: tempfile::tempdir().unwrap(), token: OnceCell::new() };
        files.site("site.toml", SocketAddr::from(([127, 0, 0, 1], 0)), more);
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
        text.push_str("[[zone.rule]]\nid = \"anyone\"\nkind = \"intrusion\"\ngap = \"10s\"\n");
        text.push_str("[[zone.rule]]\nid = \"three\"\nkind = \"crowd\"\npeople = 3\ngap = \"0s\"\n");
        write!(text, "[[line]]\nid = \"path\"\npoints = [[0.3, 0.98], [0.62, 0.22]]\n").unwrap();
        write(&self.path(&format!("cameras/{id}.toml")), &text);
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Starts a run; returns when it is ready.
    pub fn start(&self) -> Run {
        self.start_among(&[])
    }

    /// The same with environment variables.
    pub fn start_among(&self, variables: &[(&str, &str)]) -> Run {
        let mut command = lookout();
        command.arg("run").arg("--config").arg(self.path("site.toml")).envs(variables.iter().copied());
        self.spawn(command)
    }

    /// The same where no file may grow beyond so many KiB; see [`cramped`].
    pub fn start_cramped(&self, kib: u32) -> Run {
        let mut command = lookout();
        command.arg("run").arg("--config").arg(self.path("site.toml"));
        self.spawn(cramped(&command, kib))
    }

    /// Starts a run and kills it so long afterwards with -9, whether it is ready by then or not.
    pub fn start_and_kill(&self, after: Duration) {
        let log = std::fs::File::options().create(true).append(true).open(self.path("log")).unwrap();
        let mut command = lookout();
        command.arg("run").arg("--config").arg(self.path("site.toml")).stdout(Stdio::null()).stderr(log);
        let mut child = command.spawn().unwrap();
        std::thread::sleep(after);
        child.kill().unwrap();
        assert_eq!(child.wait().unwrap().code(), None, "it was killed, not refused: {}", read(&self.path("log")));
    }

    fn spawn(&self, mut command: Command) -> Run {
        let log = std::fs::File::options().create(true).append(true).open(self.path("log")).unwrap();
        let token = self.token.get_or_init(|| viewer(&self.path("data"))).clone();
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().rsplit_once("http://").and_then(|(_, rest)| rest.strip_suffix('/')?.parse().ok());
        let log = self.path("log");
        let Some(address) = address else { panic!("`{line}` names no address\n{}", read(&log)) };
        let mut run = Run { child, address, token, log };
        run.until("it is ready", |run| run.get("/readyz").starts_with("HTTP/1.1 200"));
        run
    }

    /// What the file sink has, in order.
    pub fn told(&self) -> Vec<Value> {
        self.lines("alerts.jsonl")
    }

    /// What another file sink has, in order.
    pub fn lines(&self, name: &str) -> Vec<Value> {
        let text = std::fs::read_to_string(self.path(name)).unwrap_or_default();
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
    pub address: SocketAddr,
    /// Of a viewer.
    pub token: String,
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
            let (address, token) = (self.address, &self.token);
            write!(
                stream,
                "GET {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
            )
            .unwrap();
            stream.read_to_string(&mut answer).unwrap();
        }
        answer
    }

    /// Posts JSON with a token; the whole answer.
    pub fn post(&self, path: &str, token: &str, body: &str) -> String {
        let mut answer = String::new();
        let mut stream = TcpStream::connect(self.address).unwrap();
        write!(
            stream,
            "POST {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            self.address,
            body.len()
        )
        .unwrap();
        stream.read_to_string(&mut answer).unwrap();
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

    /// What it logged.
    pub fn log(&self) -> String {
        read(&self.log)
    }

    /// Lets files grow again.
    pub fn uncramp(&self) {
        self.limit(Resource::Fsize, None);
    }

    /// Sets the soft limit of a resource; `None`: as much as this process may have.
    pub fn limit(&self, resource: Resource, current: Option<u64>) {
        let maximum = getrlimit(resource).maximum;
        let limit = Rlimit { current: current.or(maximum), maximum };
        prlimit(Some(Pid::from_child(&self.child)), resource, limit).unwrap();
    }

    /// Descriptors that it has open.
    pub fn descriptors(&self) -> u64 {
        std::fs::read_dir(format!("/proc/{}/fd", self.child.id())).unwrap().count() as u64
    }

    /// What its environment was when it began, `NAME=value` each.
    pub fn variables(&self) -> Vec<String> {
        let bytes = std::fs::read(format!("/proc/{}/environ", self.child.id())).unwrap();
        bytes.split(|b| *b == 0).map(|one| String::from_utf8_lossy(one).into_owned()).collect()
    }

    /// Waits for an end that nobody asked for and gives the exit code.
    pub fn ended(mut self) -> Option<i32> {
        self.wait()
    }

    /// Ctrl-C; waits for the end and gives the exit code.
    pub fn interrupt(self) -> Option<i32> {
        self.end(Signal::INT)
    }

    /// What a supervisor such as systemd does; waits for the end and gives the exit code.
    pub fn terminate(self) -> Option<i32> {
        self.end(Signal::TERM)
    }

    fn end(mut self, signal: Signal) -> Option<i32> {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
        self.wait()
    }

    fn wait(&mut self) -> Option<i32> {
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

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}
