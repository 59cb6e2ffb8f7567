//! Cameras that move, in a site that runs: somebody says by the API what they show.

use lookout::config::plan::Role;
use reqwest::Method;
use serde_json::json;

use crate::support::clips::Clips;
use crate::support::command::write;
use crate::support::login::{Browser, PASSWORD, user};
use crate::support::site::{Run, SiteFiles};

/// A site that may play this folder's clips, with one camera.
fn site(clips: &Clips, camera: &str) -> SiteFiles {
    let files = SiteFiles::new("");
    let text = std::fs::read_to_string(files.path("site.toml")).unwrap();
    let dirs = format!("media_dirs = [{:?}, ", clips.path("."));
    write(&files.path("site.toml"), &text.replace("media_dirs = [", &dirs));
    write(&files.path("cameras/dome.toml"), camera);
    files
}

async fn analyst(files: &SiteFiles, run: &Run) -> Browser {
    user(&files.path("data"), "li", Role::Analyst);
    Browser::login(run.address, "li", PASSWORD).await
}

/// `rule state`, and why where it ended.
fn told(files: &SiteFiles) -> Vec<String> {
    let word = |e: &serde_json::Value, field: &str| e[field].as_str().unwrap_or_default().to_owned();
    let all = files.told();
    let own = all.iter().filter(|e| e["state"] == "started" || e["state"] == "ended");
    own.map(|e| format!("{} {} {}", word(e, "rule"), word(e, "state"), word(e, "reason")).trim().to_owned()).collect()
}

fn rests(run: &Run, reason: &str) -> bool {
    run.metric(&format!("lookout_rules_suspended{{camera=\"dome\",reason=\"{reason}\"}}")) == Some(1.0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_preset_is_taken_where_the_camera_stands_and_its_rules_are_in_force_there_alone() {
    let clips = Clips::new();
    // At one view, two seconds to turn, at another, and back.
    let way = |from: u32, to: u32| {
        let (far, step) = (i64::from(to) - i64::from(from), (i64::from(to) - i64::from(from)) / 2);
        format!(
            "if(lt(t,14),{from},if(lt(t,16),{from}+{step}*(t-14),if(lt(t,34),{to},if(lt(t,36),{to}-{step}*(t-34),{to}-{far}))))"
        )
    };
    let crop = format!("crop=560:420:'{}':'{}':exact=1", way(20, 190), way(40, 120));
    clips.walkers_by("dome.avi", "", &format!("-t 48 -vf fps=5,{crop} -c:v mpeg4 -q:v 2"));
    let zone = |preset: &str| {
        format!(
            "[[zone]]\nid = \"{preset}\"\npreset = \"{preset}\"\npolygon = [[0, 0], [1, 0], [1, 1], [0, 1]]\n\
             [[zone.rule]]\nid = \"{preset}-any\"\nkind = \"intrusion\"\ngap = \"10s\"\n"
        )
    };
    let camera = format!(
        "id = \"dome\"\nmotion = \"ptz\"\n[source]\nurl = \"file:dome.avi\"\nloop = true\n[detect]\ninput = [320, 256]\n\
         [[preset]]\nid = \"yard\"\n[[preset]]\nid = \"road\"\n{}{}",
        zone("yard"),
        zone("road")
    );
    let files = site(&clips, &camera);
    let mut run = files.start();
    let li = analyst(&files, &run).await;
    run.until("the first view is that of the first preset", |_| told(&files) == ["yard-any started"]);
    run.until("the camera turns", |run| rests(run, "turning"));
    run.until("it stands where nobody knows", |run| rests(run, "no_preset") || rests(run, "other_preset"));
    let path = |preset: &str| format!("/api/v1/cameras/dome/presets/{preset}/reference");
    assert_eq!(li.send(Method::POST, &path("roof"), json!({})).await.0, 404);
    assert_eq!(li.send(Method::POST, "/api/v1/cameras/dome/reference", json!({})).await.0, 409);
    assert_eq!(li.send(Method::POST, &path("road"), json!({})).await.0, 202);
    run.until("its view is known", |_| told(&files).contains(&"road-any started".to_owned()));
    run.until("it is back", |_| told(&files).iter().filter(|e| *e == "yard-any started").count() == 2);
    let wanted = [
        "yard-any started",
        "yard-any ended signal_lost",
        "road-any started",
        "road-any ended signal_lost",
        "yard-any started",
    ];
    assert_eq!(told(&files), wanted);
    assert_eq!(run.interrupt(), Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_zone_on_the_ground_rests_until_somebody_says_where_it_is() {
    let clips = Clips::new();
    let crop = "crop=560:420:'104+40*sin(0.5*t)':'78+30*sin(0.31*t)':exact=1";
    clips.walkers_by("drone.avi", "", &format!("-t 40 -vf {crop} -c:v mpeg4 -q:v 2"));
    let camera = "id = \"dome\"\nmotion = \"moving\"\n[source]\nurl = \"file:drone.avi\"\nloop = true\n[detect]\ninput = [320, 256]\n\
         [[zone]]\nid = \"yard\"\ntied = \"ground\"\npolygon = [[0.17, 0.34], [0.83, 0.34], [0.83, 0.84], [0.17, 0.84]]\n\
         [[zone.rule]]\nid = \"any\"\nkind = \"intrusion\"\ngap = \"5s\"\n";
    let files = site(&clips, camera);
    let mut run = files.start();
    let li = analyst(&files, &run).await;
    run.until("it waits for the ground", |run| rests(run, "lost") && run.analysed("dome") > 10.0);
    assert_eq!(told(&files), [""; 0]);
    assert_eq!(li.send(Method::POST, "/api/v1/cameras/dome/reference", json!({})).await.0, 202);
    run.until("somebody is in it", |_| told(&files) == ["any started"]);
    assert!(!rests(&run, "lost"));
    assert_eq!(run.interrupt(), Some(0));
}
