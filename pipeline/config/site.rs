//! A site file with its camera files to the checked plan.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::ops::Range;
use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;

use super::camera::check_id;
use super::fault::Report;
use super::field::Field;
use super::plan::{self, Grid, Inference, Provider, Route, Secret, Sink, SinkKind};
use super::raw::{GridRaw, InferenceRaw, RouteRaw, SinkKindRaw, SinkRaw, SiteRaw, Table};
use super::schedule::Schedule;
use crate::types::{Severity, Span};

/// The site without its cameras, and where those are.
pub struct SiteParts {
    /// Cameras still empty.
    pub site: plan::Site,
    /// Folder of the camera files.
    pub cameras: PathBuf,
    /// Where `cameras` stands in the file.
    pub cameras_at: Range<usize>,
    /// Sites of camera and zone names in routes, to be checked once the cameras are known.
    pub mentions: Vec<Mention>,
}

/// A camera or zone that a route names.
pub struct Mention {
    /// Where.
    pub at: Range<usize>,
    /// Field path.
    pub path: String,
    /// The id.
    pub id: String,
    /// Whether it is a zone.
    pub zone: bool,
}

/// Converts the site file; camera files are read by the caller.
pub fn build(raw: SiteRaw, report: &mut Report<'_>) -> SiteParts {
    let whole = 0..0;
    let base = report.file().parent().map(Path::to_path_buf).unwrap_or_default();
    let base = std::path::absolute(&base).unwrap_or(base);
    let id = raw.id.require(report, "id", &whole, "a site has an id").unwrap_or_default();
    if !id.is_empty()
        && let Err(message) = check_id(&id)
    {
        report.fault(&whole, "id", message);
    }
    let zone_at = raw.time_zone.span().clone();
    let time_zone = raw.time_zone.get(report, "time_zone").map_or(TimeZone::UTC, |name| {
        TimeZone::get(&name).unwrap_or_else(|_| {
            report.fault(&zone_at, "time_zone", format!("`{name}` is not an IANA time zone such as \"Asia/Shanghai\""));
            TimeZone::UTC
        })
    });
    let listen = raw.listen.checked(report, "listen", |text| match text.parse::<SocketAddr>() {
        Ok(_) => Ok(()),
        Err(_) => Err(format!("`{text}` is not an address with a port such as 127.0.0.1:8787")),
    });
    let listen = listen.and_then(|text| text.parse().ok()).unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8787)));
    let public_url = raw.public_url.checked(report, "public_url", |text| http_url(text));
    let media_dirs = raw.media_dirs.get(report, "media_dirs").unwrap_or_default();
    let inference = inference(raw.inference, report);
    let grids: Vec<Grid> = raw.grid.into_iter().enumerate().map(|(i, t)| grid(t, i, report)).collect();
    unique(grids.iter().map(|g| g.id.as_str()), "grid", report);
    let sinks: Vec<Sink> = raw.sink.into_iter().enumerate().filter_map(|(i, t)| sink(t, i, &base, report)).collect();
    unique(sinks.iter().map(|s| s.id.as_str()), "sink", report);
    let mut mentions = Vec::new();
    let known = Known { sinks: &sinks, grids: &grids, zone: &time_zone };
    let routes: Vec<Route> =
        raw.route.into_iter().enumerate().map(|(i, t)| route(t, i, &known, &mut mentions, report)).collect();
    unique(routes.iter().map(|r| r.id.as_str()), "route", report);
    let cameras_at = raw.cameras.span().clone();
    let cameras = base.join(raw.cameras.get(report, "cameras").unwrap_or_else(|| "cameras".into()));
    let data = base.join(raw.data.get(report, "data").unwrap_or_else(|| "../data".into()));
    let media_dirs = media_dirs.into_iter().map(|dir| base.join(dir)).collect();
    let site = plan::Site {
        id,
        time_zone,
        data,
        listen,
        public_url,
        media_dirs,
        inference,
        cameras: Vec::new(),
        grids,
        sinks,
        routes,
    };
    SiteParts { site, cameras, cameras_at, mentions }
}

fn inference(table: Option<Table<InferenceRaw>>, report: &mut Report<'_>) -> Inference {
    let raw = table.map(toml::Spanned::into_inner).unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let mut count = |field: Field<usize>, path: &str, most: usize| {
        field.checked(report, path, |n| {
            if (1..=most).contains(n) { Ok(()) } else { Err(format!("{n} is not from 1 to {most}")) }
        })
    };
    let workers = count(raw.workers, "inference.workers", 256).unwrap_or(cores);
    let threads = count(raw.threads, "inference.threads", 256).unwrap_or(1);
    let batch = count(raw.batch, "inference.batch", 256).unwrap_or(8);
    let mut providers = raw.providers.get(report, "inference.providers").unwrap_or_default();
    if !providers.contains(&Provider::Cpu) {
        providers.push(Provider::Cpu);
    }
    Inference { providers, workers, threads, batch }
}

fn grid(table: Table<GridRaw>, index: usize, report: &mut Report<'_>) -> Grid {
    let at = table.span();
    let raw = table.into_inner();
    let id = id(raw.id, report, &format!("grid[{index}].id"), &at);
    let unit = raw.unit.require(report, &format!("grid[{index}].unit"), &at, "who is responsible").unwrap_or_default();
    Grid { id, unit }
}

fn sink(table: Table<SinkRaw>, index: usize, base: &Path, report: &mut Report<'_>) -> Option<Sink> {
    let (at, path) = (table.span(), format!("sink[{index}]"));
    let field = |name: &str| format!("{path}.{name}");
    let raw = table.into_inner();
    let id = id(raw.id, report, &field("id"), &at);
    let kind = raw.kind.require(report, &field("kind"), &at, "\"webhook\" or \"file\"");
    let kind = match kind? {
        SinkKindRaw::File => {
            let why = "does not belong to a file";
            raw.url.refuse(report, &field("url"), why);
            raw.secrets.refuse(report, &field("secrets"), why);
            raw.timeout.refuse(report, &field("timeout"), why);
            SinkKind::File {
                path: base.join(raw.path.require(report, &field("path"), &at, "where lines are appended")?),
            }
        }
        SinkKindRaw::Webhook => {
            raw.path.refuse(report, &field("path"), "does not belong to a webhook");
            let url_at = raw.url.span().clone();
            let url = raw.url.require(report, &field("url"), &at, "where to send")?;
            if let Err(message) = http_url(&url) {
                report.fault(&url_at, field("url"), message);
            }
            let secrets_at = raw.secrets.span().clone();
            let named = raw.secrets.get(report, &field("secrets")).unwrap_or_default();
            let mut secrets = Vec::new();
            for (i, text) in named.iter().enumerate() {
                match secret(text, base) {
                    Ok(secret) => secrets.push(secret),
                    Err(message) => report.fault(&secrets_at, format!("{}[{i}]", field("secrets")), message),
                }
            }
            let timeout = raw.timeout.get(report, &field("timeout")).map_or(Span::from_secs(15), |d| d.0);
            if !(Span::from_millis(100)..=Span::from_secs(300)).contains(&timeout) {
                report.fault(&at, field("timeout"), "not from 100ms to 300s");
            }
            SinkKind::Webhook { url, secrets, timeout }
        }
    };
    Some(Sink { id, kind })
}

fn secret(text: &str, base: &Path) -> Result<Secret, String> {
    match text.split_once(':') {
        Some(("env", name)) if !name.is_empty() => Ok(Secret::Env(name.to_owned())),
        Some(("file", path)) if !path.is_empty() => Ok(Secret::File(base.join(path))),
        // The text may be the secret itself: it is not repeated.
        _ => Err("a secret does not belong in this file; name its place as \"env:NAME\" or \"file:PATH\"".into()),
    }
}

struct Known<'a> {
    sinks: &'a [Sink],
    grids: &'a [Grid],
    zone: &'a TimeZone,
}

fn route(
    table: Table<RouteRaw>,
    index: usize,
    known: &Known<'_>,
    mentions: &mut Vec<Mention>,
    report: &mut Report<'_>,
) -> Route {
    let (at, path) = (table.span(), format!("route[{index}]"));
    let field = |name: &str| format!("{path}.{name}");
    let raw = table.into_inner();
    let id = id(raw.id, report, &field("id"), &at);
    let to_at = raw.to.span().clone();
    let names = raw.to.require(report, &field("to"), &at, "sink ids").unwrap_or_default();
    let mut to = Vec::new();
    for (i, name) in names.iter().enumerate() {
        match known.sinks.iter().position(|s| s.id == *name) {
            Some(sink) if !to.contains(&sink) => to.push(sink),
            Some(_) => report.fault(&to_at, format!("{}[{i}]", field("to")), format!("`{name}` is named twice")),
            None => report.fault(&to_at, format!("{}[{i}]", field("to")), format!("there is no sink `{name}`")),
        }
    }
    if names.is_empty() && to_at != (0..0) {
        report.fault(&to_at, field("to"), "names no sink");
    }
    let mut mention = |field: Field<Vec<String>>, path: String, zone: bool, report: &mut Report<'_>| {
        let at = field.span().clone();
        let ids = field.get(report, &path).unwrap_or_default();
        mentions.extend(ids.iter().map(|id| Mention { at: at.clone(), path: path.clone(), id: id.clone(), zone }));
        ids
    };
    let cameras = mention(raw.cameras, field("cameras"), false, report);
    let zones = mention(raw.zones, field("zones"), true, report);
    let grids = raw.grids.checked(report, &field("grids"), |ids| {
        match ids.iter().find(|id| !known.grids.iter().any(|g| g.id == **id)) {
            Some(id) => Err(format!("there is no grid `{id}`")),
            None => Ok(()),
        }
    });
    let schedule_at = raw.schedule.span().clone();
    let schedule = raw.schedule.get(report, &field("schedule")).and_then(|raw| {
        Schedule::build(raw, known.zone).map_err(|message| report.fault(&schedule_at, field("schedule"), message)).ok()
    });
    let not_yet = "is read, but not in force in this version";
    for (name, set, at) in [
        ("merge", raw.merge.is_set(), raw.merge.span().clone()),
        ("answer_within", raw.answer_within.is_set(), raw.answer_within.span().clone()),
        ("escalate_to", raw.escalate_to.is_set(), raw.escalate_to.span().clone()),
    ] {
        if set {
            report.warn(&at, field(name), not_yet);
        }
    }
    raw.merge.get(report, &field("merge"));
    raw.answer_within.get(report, &field("answer_within"));
    raw.escalate_to.get(report, &field("escalate_to"));
    Route {
        id,
        to,
        min_severity: raw.min_severity.get(report, &field("min_severity")).unwrap_or(Severity::Minor),
        kinds: raw.kinds.get(report, &field("kinds")).unwrap_or_default(),
        cameras,
        zones,
        grids: grids.unwrap_or_default(),
        schedule,
    }
}

fn id(field: Field<String>, report: &mut Report<'_>, path: &str, owner: &Range<usize>) -> String {
    if !field.is_set() {
        report.fault(owner, path, "missing: an id");
        return String::new();
    }
    field.checked(report, path, |id| check_id(id)).unwrap_or_default()
}

fn http_url(text: &str) -> Result<(), String> {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    match host {
        Some(rest) if !rest.is_empty() && !rest.starts_with('/') && !rest.contains(char::is_whitespace) => Ok(()),
        _ => Err(format!("`{text}` is not an http:// or https:// address")),
    }
}

fn unique<'a>(ids: impl Iterator<Item = &'a str>, what: &str, report: &mut Report<'_>) {
    let mut seen = BTreeSet::new();
    for (i, id) in ids.enumerate() {
        if !id.is_empty() && !seen.insert(id) {
            report.fault(&(0..0), format!("{what}[{i}].id"), format!("`{id}` is used twice"));
        }
    }
}
