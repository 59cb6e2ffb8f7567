//! `lookout ground`: the ground of one camera, its fit and a picture of it.

use std::path::{Path, PathBuf};

use anyhow::Context;
use jiff::tz::TimeZone;
use lookout::alerts::draw::Canvas;
use lookout::capture::{Clip, ClipOptions, Stop};
use lookout::config::plan::{Camera, GroundPlane, Inference, KnownPlane, Provider};
use lookout::config::{load_camera, load_site};
use lookout::detect::{Catalog, DetectError, Detector, OnnxDetector};
use lookout::engine::ground::GroundMemory;
use lookout::engine::replay::Row;
use lookout::engine::survey::{self, Background};
use lookout::rules::{Ground, Yardstick};
use lookout::types::{Plane, Point, Pose, Size, mot};
use serde_json::json;

use super::Invalid;
use super::common::{parse_fps, print, read_mot, say, warn};
use super::output::Output;

/// Show the ground of a camera: how its plane was found, its error, and a picture of a grid of one metre.
///
/// With tracks (MOT format) a ground that is learnt is learnt from them, and the feet of people are drawn. With the
/// site's file, ask a camera that runs or will run to begin anew, or to keep its plane once it is ready.
///
/// Example: lookout ground forecourt.toml --tracks gt.txt --fps 7 --size 768x576 --out grid.png
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// Camera file
    camera: PathBuf,
    /// MOT file of tracks: frame,id,left,top,width,height,score,...
    #[arg(long, value_name = "FILE", requires = "fps", requires = "size")]
    tracks: Option<PathBuf>,
    /// Frames a second of the tracks: frame f is at (f-1)/fps
    #[arg(long, value_name = "F", value_parser = parse_fps)]
    fps: Option<f64>,
    /// Size of the picture that boxes are in
    #[arg(long, value_name = "WxH")]
    size: Option<Size>,
    /// Draw on the first picture of this video or picture file; people in it are pixelated
    #[arg(long, value_name = "FILE", requires = "out")]
    background: Option<PathBuf>,
    /// Where the picture goes, PNG
    #[arg(long, value_name = "FILE", requires = "size")]
    out: Option<PathBuf>,
    /// Print the plane as JSON
    #[arg(long)]
    json: bool,
    /// Site file, for what follows
    #[arg(long, value_name = "FILE")]
    site: Option<PathBuf>,
    /// Forget what this camera has learnt and begin anew
    #[arg(long, requires = "site")]
    relearn: bool,
    /// Keep the learnt plane as it is once it is ready: `on`, or `off` to go on learning
    #[arg(long, value_name = "on|off", requires = "site", value_parser = parse_switch)]
    freeze: Option<bool>,
}

fn parse_switch(text: &str) -> Result<bool, String> {
    match text {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err(format!("`{text}` is neither on nor off")),
    }
}

pub fn run(args: &Args) -> anyhow::Result<()> {
    let checked = load_camera(&args.camera, &TimeZone::UTC)?;
    warn(&checked.warnings);
    let camera = checked.plan;
    let Some(plan) = &camera.ground else {
        let message = format!("{}: there is no `ground`; lengths are in body heights", args.camera.display());
        return Err(Invalid(message).into());
    };
    let learns = matches!(plan.plane, GroundPlane::Learnt { .. });
    if let Some(site) = &args.site {
        ask(args, site, &camera, learns)?;
    }
    if learns && args.tracks.is_none() {
        return if args.site.is_some() {
            Ok(())
        } else {
            Err(Invalid("a ground that is learnt needs --tracks to be learnt from".into()).into())
        };
    }
    let rows = match &args.tracks {
        Some(path) => people(path)?,
        None => Vec::new(),
    };
    let size = args.size.unwrap_or(Size::new(640, 480));
    let rules = survey::survey(&camera, &rows, args.fps.unwrap_or(1.0), size);
    let ground = rules.ground();
    if args.json {
        print(&serde_json::to_string(&as_json(ground))?)?
    } else {
        tell(&camera, ground)?
    }
    if let Some(out) = &args.out {
        paint(args, &camera, ground, &rows, size, out)?;
    }
    match ground.yardstick() {
        Yardstick::NotReady(reason) => Err(anyhow::anyhow!("the ground is not ready: {reason}")),
        Yardstick::BodyHeights | Yardstick::Known | Yardstick::Ready(_) => Ok(()),
    }
}

fn people(path: &Path) -> anyhow::Result<Vec<Row>> {
    let rows = read_mot(path)?;
    let row =
        |r: &mot::MotRow| Row { frame: r.frame, id: u64::try_from(r.id).unwrap_or(0), bbox: r.bbox, score: r.score };
    Ok(mot::people(&rows).map(row).collect())
}

/// Leaves what is asked of a camera that runs.
fn ask(args: &Args, site: &Path, camera: &Camera, learns: bool) -> anyhow::Result<()> {
    let site = load_site(site)?.plan;
    if !site.cameras.iter().any(|c| c.id == camera.id) {
        return Err(Invalid(format!("the site `{}` has no camera `{}`", site.id, camera.id)).into());
    }
    if !learns {
        return Err(Invalid(format!("the ground of `{}` is known by points: nothing is learnt", camera.id)).into());
    }
    let memory = GroundMemory::new(&site.data);
    if args.relearn {
        memory.ask_to_relearn(&camera.id)?;
        print(&format!("{}: begins anew", camera.id))?;
    }
    if let Some(freeze) = args.freeze {
        memory.ask_to_freeze(&camera.id, freeze)?;
        let what = if freeze { "keeps its plane once it is ready" } else { "goes on learning" };
        print(&format!("{}: {what}", camera.id))?;
    }
    Ok(())
}

fn tell(camera: &Camera, ground: &Ground) -> anyhow::Result<()> {
    match camera.ground.as_ref().map(|g| &g.plane) {
        Some(GroundPlane::Known(known)) => tell_known(known)?,
        Some(GroundPlane::Learnt { .. }) => tell_learnt(camera, ground)?,
        None => {}
    }
    for (i, zone) in camera.zones.iter().enumerate() {
        if let Some(area) = ground.area(i) {
            print(&format!("{:<24} {area:>9.1} m2", zone.id))?;
        }
    }
    Ok(())
}

fn tell_known(known: &KnownPlane) -> anyhow::Result<()> {
    let n = known.points.len();
    match known.error() {
        Some(error) => print(&format!("a plane through {n} points, error {error:.3} m (root mean square)"))?,
        None => print("a plane through four points; a fifth would show its error")?,
    }
    print(&format!("{:<24} {:<24} {:>9}", "point", "metres", "off, m"))?;
    for ((p, m), error) in known.points.iter().zip(&known.metres).zip(&known.errors) {
        let (p, m) = (format!("{:.4}, {:.4}", p.x, p.y), format!("{:.2}, {:.2}", m.x, m.y));
        print(&format!("{p:<24} {m:<24} {error:>9.3}"))?;
    }
    Ok(())
}

fn tell_learnt(camera: &Camera, ground: &Ground) -> anyhow::Result<()> {
    let Some(learner) = ground.learner() else { return Ok(()) };
    let (samples, people) = learner.counts();
    print(&format!("learnt from {people} people, {samples} samples"))?;
    if let Some(scatter) = learner.scatter() {
        print(&format!("heights scatter by {:.1} % about the plane", 100.0 * scatter))?;
    }
    let Some(pose) = &learner.state().pose else { return Ok(()) };
    let body = learner.body();
    print(&format!(
        "camera {:.2} m above the ground, {:.1} degrees down, rolled {:.1}, {:.0} degrees wide",
        pose.height * body,
        pose.pitch.to_degrees(),
        pose.roll.to_degrees(),
        wide(pose, learner.state().aspect)
    ))?;
    print(&format!("standard error of lengths {:.1} %, for people {body:.2} m high", 100.0 * pose.error))?;
    if let Some(plane) = ground.plane() {
        print(&format!("to keep it, in {}:", camera.id))?;
        print(&as_points(plane))?;
    }
    Ok(())
}

/// Angle across, degrees.
fn wide(pose: &Pose, aspect: f64) -> f64 {
    2.0 * (0.5 * aspect / pose.focal).atan().to_degrees()
}

/// Four places of a plane as a `[ground]` table.
fn as_points(plane: &Plane) -> String {
    // The highest row that is ground, a little below: the far end of the picture.
    let rows = (1..20).map(|i| f64::from(i) / 20.0);
    let far = rows.into_iter().find(|y| [0.1, 0.9].iter().all(|x| plane.metres(Point { x: *x, y: *y }).is_some()));
    let far = (far.unwrap_or(0.5) + 0.1).min(0.8);
    let places = [[0.1, far], [0.9, far], [0.95, 0.98], [0.05, 0.98]].map(Point::from);
    let metres = places.map(|p| plane.metres(p).unwrap_or_default());
    let list = |points: [Point; 4]| points.map(|p| format!("[{:.3}, {:.3}]", p.x, p.y)).join(", ");
    format!("[ground]\npoints = [{}]\nmetres = [{}]", list(places), list(metres))
}

/// The homography takes undistorted fractions of the picture to metres.
fn as_json(ground: &Ground) -> serde_json::Value {
    let (state, error, reason) = match ground.yardstick() {
        Yardstick::BodyHeights => ("body_heights", None, None),
        Yardstick::Known => ("known", None, None),
        Yardstick::Ready(pose) => ("ready", Some(pose.error), None),
        Yardstick::NotReady(reason) => ("not_ready", None, Some(reason.to_string())),
    };
    let pose = ground.learner().and_then(|learner| learner.state().pose);
    json!({ "state": state, "homography": ground.plane().map(Plane::homography), "length_error": error, "reason": reason,
        "pose": pose })
}

fn paint(args: &Args, camera: &Camera, ground: &Ground, rows: &[Row], size: Size, out: &Path) -> anyhow::Result<()> {
    let mut background = match &args.background {
        None => Background::plain(size),
        Some(path) => {
            let clip = Clip::open(path, &ClipOptions::default(), &Stop::new())?;
            let detector = match detector(camera) {
                Ok(detector) => Some(detector),
                Err(error) => {
                    say(&format!("warning: no detector, so the whole background is pixelated: {error}"));
                    None
                }
            };
            let picture = Background::of(camera, clip, detector, rows, size)?;
            picture.with_context(|| format!("{}: has no picture", path.display()))?
        }
    };
    let feet: Vec<Point> = rows.iter().map(|row| size.to_fraction(row.bbox.feet())).collect();
    let drawn = background.size;
    let mut canvas = Canvas::new(&mut background.bgr, drawn).context("the background does not fit its size")?;
    survey::draw(&mut canvas, camera, ground, &feet);
    background.bgr.chunks_exact_mut(3).for_each(|pixel| pixel.swap(0, 2));
    let mut file = Output::create(out)?;
    let encoder = image::codecs::png::PngEncoder::new(&mut file);
    image::ImageEncoder::write_image(
        encoder,
        &background.bgr,
        drawn.width,
        drawn.height,
        image::ExtendedColorType::Rgb8,
    )
    .with_context(|| format!("cannot write {}", out.display()))?;
    file.finish()
}

fn detector(camera: &Camera) -> Result<Box<dyn Detector>, DetectError> {
    let entry = Catalog::find()?.resolve(camera.detect.model.as_deref())?;
    let input = camera.detect.input.unwrap_or_else(|| entry.default_size());
    let inference = Inference { providers: vec![Provider::Cpu], workers: 1, threads: 1, batch: 1 };
    Ok(Box::new(OnnxDetector::new(&entry, input, &camera.detect.extra, &inference)?))
}
