//! The page of a running `lookout run`, in a real browser.

use std::convert::Infallible;
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use reqwest::Client;

use crate::support::login::viewer;

/// A run that is killed at the end of the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// Passes requests on with a viewer's token: somebody who is logged in. Streams stay streams.
async fn logged_in(server: SocketAddr, token: String) -> SocketAddr {
    let client = Client::new();
    let app = axum::Router::new().fallback(move |request: Request| {
        let target = request.uri().path_and_query().map_or("/", |p| p.as_str()).to_owned();
        let asked = client.get(format!("http://{server}{target}")).bearer_auth(&token);
        async move {
            let answer = asked.send().await.unwrap();
            let (status, headers) = (answer.status(), answer.headers().clone());
            let chunks = futures_util::stream::unfold(answer, |mut answer| async move {
                Some((Ok::<_, Infallible>(answer.chunk().await.ok()??), answer))
            });
            let mut passed = Response::new(Body::from_stream(chunks));
            (*passed.status_mut(), *passed.headers_mut()) = (status, headers);
            passed
        }
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    address
}

/// The page as a person would find it after some seconds: Chromium's DOM once scripts have run.
fn dom(url: &str, profile: &std::path::Path) -> String {
    let output = Command::new("chromium")
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .arg(format!("--user-data-dir={}", profile.display()))
        .args(["--timeout=6000", "--dump-dom", url])
        .stderr(Stdio::null())
        .output()
        .expect("Chromium is needed: run scripts/setup");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_shows_camera_counts_and_alerts_in_a_browser() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let clip = root.join("media/vtest.avi");
    assert!(clip.exists(), "media/vtest.avi is needed: run scripts/setup");
    let dir = tempfile::tempdir().unwrap();
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    std::fs::create_dir(dir.path().join("cameras")).unwrap();
    let site = format!(
        "id = \"t\"\nlisten = \"{address}\"\ndata = \"data\"\nmedia_dirs = [\"{}\"]\n",
        root.join("media").display()
    );
    std::fs::write(dir.path().join("site.toml"), site).unwrap();
    // A name with markup must come out as text.
    let camera = "id = \"yard\"\nname = \"Yard <b>1</b>\"\n[source]\nurl = \"file:vtest.avi\"\nloop = true\n[detect]\ninput = [320, 256]\n\
        [[zone]]\nid = \"all\"\nname = \"全景\"\npolygon = [[0,0],[1,0],[1,1],[0,1]]\n[[zone.rule]]\nid = \"anyone\"\nkind = \"intrusion\"\n";
    std::fs::write(dir.path().join("cameras/yard.toml"), camera).unwrap();
    let token = viewer(&dir.path().join("data"));
    let run = Command::new(env!("CARGO_BIN_EXE_lookout"))
        .args(["run", "--config"])
        .arg(dir.path().join("site.toml"))
        .current_dir(root)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let _run = Running(run);
    rustls::crypto::ring::default_provider().install_default().ok();
    let url = format!("http://{}/", logged_in(address, token).await);
    let deadline = Instant::now() + Duration::from_secs(90);
    let found = loop {
        let page = tokio::task::block_in_place(|| dom(&url, &dir.path().join("profile")));
        if page.contains("people in a closed zone")
            || page.contains("a person in a closed zone")
            || page.contains("1 person in a closed zone")
        {
            break page;
        }
        assert!(Instant::now() < deadline, "no alert on the page:\n{page}");
    };
    assert!(found.contains("Yard &lt;b&gt;1&lt;/b&gt;"), "{found}");
    assert!(found.contains("全景") && found.contains("进入禁入区域"), "both languages:\n{found}");
    assert!(!found.contains("<b>1</b>"));
}
