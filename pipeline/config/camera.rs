//! A camera file to its checked plan.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;

use super::fault::Report;
use super::field::Field;
use super::motion::{Belongs, Moves};
use super::plan::{self, Camera};
use super::raw::{CameraRaw, DetectRaw, LineRaw, MaskRaw, PlaceRaw, SourceRaw, Table, ZoneRaw};
use super::{ground, health, rule};
use crate::types::{Place, Point, Polygon, Size, Span};

/// What a camera file depends on outside of itself.
pub struct Surroundings<'a> {
    /// Of schedules.
    pub time_zone: &'a TimeZone,
    /// Where files may be sources; `None`: anywhere (a camera file on its own, whose source is not opened).
    pub media_dirs: Option<&'a [PathBuf]>,
    /// Known grids; `None`: any.
    pub grids: Option<&'a BTreeSet<String>>,
}

/// Longest id; it becomes a metric label and a file name.
const LONGEST_ID: usize = 64;
/// Most zones, lines and masks of each sort in one camera; rules in one place.
const MOST_PARTS: usize = 100;

/// Converts a whole file. Where a fault was reported the value is a stand-in and the plan is never handed out.
pub fn build(raw: CameraRaw, report: &mut Report<'_>, around: &Surroundings<'_>) -> Camera {
    let whole = 0..0;
    let id = identifier(raw.id, report, "id", &whole, "a camera has an id");
    let name = name(raw.name, report, "name", &id);
    let grid = grid(raw.grid, report, "grid", around);
    let place = raw.place.and_then(|p| place(p, report));
    let source = raw.source.map(|s| source(s, report, around));
    let detect = raw.detect.map_or_else(plan::Detect::default, |d| detect(d, report));
    let moves = Moves::build(raw.motion, raw.preset, report);
    if let Some(table) = &raw.ground {
        moves.check_ground(&table.span(), report);
    }
    let ground = raw.ground.and_then(|g| ground::build(g, report));
    let mut camera = Camera {
        id,
        name,
        grid,
        place,
        source,
        detect,
        ground,
        motion: moves.motion,
        presets: moves.presets.clone(),
        zones: Vec::new(),
        lines: Vec::new(),
        masks: Vec::new(),
        rules: Vec::new(),
    };
    let mut ids = Ids::default();
    for (i, table) in raw.zone.into_iter().enumerate() {
        zone(table, i, &mut camera, &mut ids, report, (around, &moves));
    }
    for (i, table) in raw.line.into_iter().enumerate() {
        line(table, i, &mut camera, &mut ids, report, (around, &moves));
    }
    for (i, table) in raw.mask.into_iter().enumerate() {
        mask(table, i, &mut camera, report, &moves);
    }
    let outage = camera.source.as_ref().map(|source| source.outage);
    camera.rules.extend(health::build(raw.health, (outage, camera.motion), report, around.time_zone));
    camera
}

/// Ids that are taken within a camera.
#[derive(Default)]
pub struct Ids {
    places: BTreeSet<String>,
    rules: BTreeSet<String>,
}

fn zone(
    table: Table<ZoneRaw>,
    index: usize,
    camera: &mut Camera,
    ids: &mut Ids,
    report: &mut Report<'_>,
    (around, moves): (&Surroundings<'_>, &Moves),
) {
    let (at, path) = (table.span(), format!("zone[{index}]"));
    let raw = table.into_inner();
    too_many(index, &at, &path, report);
    let id = unique(raw.id, report, &path, &at, &mut ids.places, "a zone has an id");
    let name = name(raw.name, report, &format!("{path}.name"), &id);
    let grid = grid(raw.grid, report, &format!("{path}.grid"), around);
    let (corners, corners_at) = (format!("{path}.polygon"), raw.polygon.span().clone());
    let polygon = polygon(raw.polygon, report, &corners, &at);
    ground::check_zone(camera.ground.as_ref(), &polygon, report, &corners, &corners_at);
    let Belongs { preset, tied } = moves.place(raw.preset, raw.tied, report, &path, &at);
    camera.zones.push(plan::Zone { id, name, grid, polygon, preset, tied });
    let place = plan::RulePlace::Zone(camera.zones.len() - 1);
    rules(raw.rule, &path, place, camera, ids, report, around);
}

fn line(
    table: Table<LineRaw>,
    index: usize,
    camera: &mut Camera,
    ids: &mut Ids,
    report: &mut Report<'_>,
    (around, moves): (&Surroundings<'_>, &Moves),
) {
    let (at, path) = (table.span(), format!("line[{index}]"));
    let raw = table.into_inner();
    too_many(index, &at, &path, report);
    let id = unique(raw.id, report, &path, &at, &mut ids.places, "a line has an id");
    let name = name(raw.name, report, &format!("{path}.name"), &id);
    let grid = grid(raw.grid, report, &format!("{path}.grid"), around);
    let field = format!("{path}.points");
    let span = raw.points.span().clone();
    let points = points(raw.points, report, &field, &at, 2, "two or more points [x, y]");
    if points.windows(2).any(|pair| pair[0] == pair[1]) {
        report.fault(&span, field.as_str(), "two points in a row are the same");
    }
    for (i, p) in points.iter().enumerate() {
        if near_edge(*p) {
            report.warn(
                &span,
                format!("{field}[{i}]"),
                "near the picture's edge, where people are cut off and seldom counted",
            );
        }
    }
    ground::check_line(camera.ground.as_ref(), &points, report, &field, &span);
    let left = raw.left.checked(report, &format!("{path}.left"), |t| named(t));
    let right = raw.right.checked(report, &format!("{path}.right"), |t| named(t));
    let Belongs { preset, tied } = moves.place(raw.preset, raw.tied, report, &path, &at);
    camera.lines.push(plan::Line { id, name, grid, points, left, right, preset, tied });
    let place = plan::RulePlace::Line(camera.lines.len() - 1);
    rules(raw.rule, &path, place, camera, ids, report, around);
}

fn rules(
    tables: Vec<Table<super::raw::RuleRaw>>,
    path: &str,
    place: plan::RulePlace,
    camera: &mut Camera,
    ids: &mut Ids,
    report: &mut Report<'_>,
    around: &Surroundings<'_>,
) {
    for (i, table) in tables.into_iter().enumerate() {
        let (at, path) = (table.span(), format!("{path}.rule[{i}]"));
        too_many(i, &at, &path, report);
        let mut raw = table.into_inner();
        let id = unique(std::mem::take(&mut raw.id), report, &path, &at, &mut ids.rules, "a rule has an id");
        if let Some(rule) = rule::build(raw, id, &path, &at, place, report, around.time_zone) {
            if rule.condition == plan::Condition::Density {
                ground::check_density(camera, place, report, &path, &at);
            }
            camera.rules.push(rule);
        }
    }
}

fn mask(table: Table<MaskRaw>, index: usize, camera: &mut Camera, report: &mut Report<'_>, moves: &Moves) {
    let (at, path) = (table.span(), format!("mask[{index}]"));
    let raw = table.into_inner();
    too_many(index, &at, &path, report);
    let kind = raw.kind.require(report, &format!("{path}.kind"), &at, "`privacy` or `ignore`");
    let polygon = polygon(raw.polygon, report, &format!("{path}.polygon"), &at);
    if kind == Some(plan::MaskKind::Privacy) {
        let why = "what is private is blacked out wherever the camera looks; the camera's own masks turn with it";
        raw.preset.refuse(report, &format!("{path}.preset"), why);
    }
    let preset = moves.preset(raw.preset, report, &path);
    camera.masks.push(plan::Mask { kind: kind.unwrap_or(plan::MaskKind::Privacy), polygon, preset });
}

fn too_many(index: usize, at: &Range<usize>, path: &str, report: &mut Report<'_>) {
    if index == MOST_PARTS {
        report.fault(at, path, format!("more than {MOST_PARTS}; split the picture between camera files"));
    }
}

fn place(table: Table<PlaceRaw>, report: &mut Report<'_>) -> Option<Place> {
    let at = table.span();
    let raw = table.into_inner();
    let within = |field: Field<f64>, report: &mut Report<'_>, path: &str, limit: f64| {
        let span = if field.is_set() { field.span().clone() } else { at.clone() };
        let value = field.require(report, path, &at, "degrees, WGS 84")?;
        if value.abs() <= limit {
            return Some(value);
        }
        report.fault(&span, path, format!("{value} is outside -{limit} to {limit} degrees"));
        None
    };
    let lat = within(raw.lat, report, "place.lat", 90.0);
    let lon = within(raw.lon, report, "place.lon", 180.0);
    Some(Place { lat: lat?, lon: lon? })
}

fn source(table: Table<SourceRaw>, report: &mut Report<'_>, around: &Surroundings<'_>) -> plan::Source {
    let at = table.span();
    let raw = table.into_inner();
    let mut address = |field: Field<String>, path: &str, needed: bool| {
        let span = field.span().clone();
        let text = if needed {
            field.require(report, path, &at, "where pictures come from")?
        } else {
            field.get(report, path)?
        };
        source_url(&text, around.media_dirs).map_err(|message| report.fault(&span, path, message)).ok()
    };
    let url = address(raw.url, "source.url", true);
    let sub = address(raw.sub, "source.sub", false);
    let positive = |limit: f64| {
        move |v: &f64| {
            if *v > 0.0 && *v <= limit { Ok(()) } else { Err(format!("{v} is not above 0 and at most {limit}")) }
        }
    };
    let least = |least: Span| {
        move |v: &super::units::Duration| {
            if v.0 >= least { Ok(()) } else { Err(format!("less than {} s", least.secs_f64())) }
        }
    };
    let rate = raw.rate.checked(report, "source.rate", positive(240.0));
    let fps = raw.fps.checked(report, "source.fps", positive(240.0));
    let repeat_at = raw.repeat.span().clone();
    let repeat = raw.repeat.get(report, "source.loop").unwrap_or(false);
    if repeat && !matches!(url, Some(plan::SourceUrl::File(_)) | None) {
        report.fault(&repeat_at, "source.loop", "only a file can be played again");
    }
    let seconds = Span::from_secs;
    let outage = raw.outage.checked(report, "source.outage", least(seconds(1)));
    let connect = raw.connect_timeout.checked(report, "source.connect_timeout", least(seconds(1)));
    let stall = raw.stall_timeout.checked(report, "source.stall_timeout", least(seconds(1)));
    plan::Source {
        url: url.unwrap_or_else(|| plan::SourceUrl::File(PathBuf::new())),
        sub,
        rate,
        fps,
        repeat,
        outage: outage.map_or(seconds(10), |d| d.0),
        connect_timeout: connect.map_or(seconds(10), |d| d.0),
        stall_timeout: stall.map_or(seconds(5), |d| d.0),
        transport: raw.transport.get(report, "source.transport").unwrap_or_default(),
    }
}

/// An allow-listed address; relative files are looked for in the media folders.
fn source_url(text: &str, media_dirs: Option<&[PathBuf]>) -> Result<plan::SourceUrl, String> {
    if let Some(path) = text.strip_prefix("v4l2:") {
        let path = PathBuf::from(path);
        return if path.starts_with("/dev") && !climbs(&path) {
            Ok(plan::SourceUrl::Device(path))
        } else {
            Err("a V4L2 device lies under /dev".into())
        };
    }
    if let Some(path) = text.strip_prefix("file:") {
        return source_file(Path::new(path), media_dirs).map(plan::SourceUrl::File);
    }
    let Some((scheme, rest)) = text.split_once("://") else {
        return Err(format!(
            "`{text}` is not an address; write rtsp://, rtsps://, http://, https://, file:PATH or v4l2:/dev/video0"
        ));
    };
    if !["rtsp", "rtsps", "http", "https"].contains(&scheme) {
        return Err(format!("`{scheme}` is not allowed; only rtsp, rtsps, http, https, v4l2 and file are"));
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or("");
    // In brackets: an address of IPv6. Where a password has a slash its beginning looks like a port.
    let behind = authority.rsplit_once(']').map_or(authority, |(_, behind)| behind);
    let is_port = |port: &str| port.is_empty() || port.parse::<u16>().is_ok();
    if authority.contains('@') || behind.rsplit_once(':').is_some_and(|(_, port)| !is_port(port)) {
        return Err("credentials do not belong in a file; set LOOKOUT_CAMERA_<ID>_USER and LOOKOUT_CAMERA_<ID>_PASSWORD in the environment. Behind the host there may be a port, a number up to 65535".into());
    }
    if authority.is_empty() || text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(format!("`{text}` names no host"));
    }
    Ok(plan::SourceUrl::Network(text.to_owned()))
}

fn source_file(path: &Path, media_dirs: Option<&[PathBuf]>) -> Result<PathBuf, String> {
    let Some(dirs) = media_dirs else { return Ok(path.to_owned()) };
    if dirs.is_empty() {
        return Err("a file may be a source only under `media_dirs`, and the site names none".into());
    }
    if climbs(path) {
        return Err("`..` does not belong in a source".into());
    }
    let candidates: Vec<PathBuf> = dirs.iter().map(|dir| dir.join(path)).collect();
    // A link may lead out of the folder: what counts is where the file really is.
    let real = |p: &PathBuf| p.canonicalize().ok();
    match candidates.iter().find(|p| p.exists()) {
        Some(found) => {
            let inside = real(found).is_some_and(|f| dirs.iter().filter_map(real).any(|dir| f.starts_with(dir)));
            if inside {
                Ok(found.clone())
            } else {
                Err(format!("`{}` is not under one of `media_dirs`", path.display()))
            }
        }
        None if path.is_absolute() && !dirs.iter().any(|dir| path.starts_with(dir)) => {
            Err(format!("`{}` is not under one of `media_dirs`", path.display()))
        }
        None => Ok(candidates.into_iter().next().unwrap_or_default()),
    }
}

fn climbs(path: &Path) -> bool {
    path.components().any(|part| matches!(part, std::path::Component::ParentDir))
}

fn detect(table: Table<DetectRaw>, report: &mut Report<'_>) -> plan::Detect {
    let raw = table.into_inner();
    let input = raw.input.checked(report, "detect.input", input_size);
    let extra = raw.extra.checked(report, "detect.extra", |sizes| sizes.iter().try_for_each(input_size));
    let score = raw.score.checked(report, "detect.score", |s| {
        if (0.1..1.0).contains(s) { Ok(()) } else { Err(format!("{s} is not from 0.1 up and below 1")) }
    });
    let size = |[width, height]: [u32; 2]| Size::new(width, height);
    plan::Detect {
        model: raw.model.get(report, "detect.model"),
        input: input.map(size),
        extra: extra.unwrap_or_default().into_iter().map(size).collect(),
        score,
        gate: raw.gate.get(report, "detect.gate").unwrap_or(false),
        priority: raw.priority.get(report, "detect.priority").unwrap_or(false),
    }
}

fn input_size(&[width, height]: &[u32; 2]) -> Result<(), String> {
    let good = |v: u32| (32..=4096).contains(&v) && v.is_multiple_of(32);
    if good(width) && good(height) {
        Ok(())
    } else {
        Err(format!("{width}x{height}: both must be multiples of 32 from 32 to 4096"))
    }
}

fn polygon(field: Field<Vec<[f64; 2]>>, report: &mut Report<'_>, path: &str, owner: &Range<usize>) -> Polygon {
    let span = field.span().clone();
    let corners = points(field, report, path, owner, 3, "three or more corners [x, y]");
    if corners.len() < 3 {
        return Polygon::new(vec![Point::default(); 3]);
    }
    let polygon = Polygon::new(corners);
    if polygon.crosses_itself() {
        report.fault(&span, path, "the polygon crosses itself; give its corners in order around it");
    } else if polygon.area() < 1e-6 {
        report.fault(&span, path, "the polygon has no area");
    }
    polygon
}

/// Places in the picture.
pub fn points(
    field: Field<Vec<[f64; 2]>>,
    report: &mut Report<'_>,
    path: &str,
    owner: &Range<usize>,
    least: usize,
    meaning: &str,
) -> Vec<Point> {
    let span = field.span().clone();
    let Some(list) = field.require(report, path, owner, meaning) else { return Vec::new() };
    if list.len() < least || list.len() > 256 {
        report.fault(&span, path, format!("{} points; needs {meaning}, at most 256", list.len()));
    }
    for (i, [x, y]) in list.iter().enumerate() {
        if !((0.0..=1.0).contains(x) && (0.0..=1.0).contains(y)) {
            report.fault(
                &span,
                format!("{path}[{i}]"),
                format!("[{x}, {y}] is outside the picture; both are fractions from 0 to 1"),
            );
        }
    }
    list.into_iter().map(Point::from).collect()
}

fn near_edge(p: Point) -> bool {
    p.y > 0.98
}

fn identifier(
    field: Field<String>,
    report: &mut Report<'_>,
    path: &str,
    owner: &Range<usize>,
    meaning: &str,
) -> String {
    let span = field.span().clone();
    let Some(id) = field.require(report, path, owner, meaning) else { return String::new() };
    if let Err(message) = check_id(&id) {
        report.fault(&span, path, message);
    }
    id
}

/// Ids are metric labels, parts of file names and of addresses.
pub fn check_id(id: &str) -> Result<(), String> {
    let good = id.len() <= LONGEST_ID
        && id.starts_with(|c: char| c.is_ascii_alphanumeric())
        && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if good {
        Ok(())
    } else {
        Err(format!(
            "`{id}` is not an id; use up to {LONGEST_ID} letters, digits, - and _, beginning with a letter or digit"
        ))
    }
}

/// An id that nothing else of its sort has.
pub fn unique(
    field: Field<String>,
    report: &mut Report<'_>,
    path: &str,
    owner: &Range<usize>,
    taken: &mut BTreeSet<String>,
    meaning: &str,
) -> String {
    let path = format!("{path}.id");
    let span = field.span().clone();
    let id = identifier(field, report, &path, owner, meaning);
    if !id.is_empty() && !taken.insert(id.clone()) {
        report.fault(&span, path, format!("`{id}` is used twice"));
    }
    id
}

/// A name for people, or else the id.
pub fn name(field: Field<String>, report: &mut Report<'_>, path: &str, id: &str) -> String {
    field.checked(report, path, |t| named(t)).unwrap_or_else(|| id.to_owned())
}

fn named(text: &str) -> Result<(), String> {
    let good = !text.trim().is_empty() && text.chars().count() <= 200 && !text.chars().any(char::is_control);
    if good { Ok(()) } else { Err("a name is one line of 1 to 200 characters".into()) }
}

fn grid(field: Field<String>, report: &mut Report<'_>, path: &str, around: &Surroundings<'_>) -> Option<String> {
    field.checked(report, path, |id| match around.grids {
        Some(known) if !known.contains(id) => Err(format!("the site has no grid `{id}`")),
        _ => check_id(id),
    })
}
