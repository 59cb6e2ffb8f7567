//! A site file with its camera files to the checked plan.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::ops::Range;
use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;

use super::access::{self, AccessKeys};
use super::camera::check_id;
use super::evidence;
use super::fault::Report;
use super::field::Field;
use super::journal;
use super::plan::{self, Grid, Inference, Provider, Route, Sink};
use super::raw::{GridRaw, InferenceRaw, SiteRaw, Table};
use super::route::{self, Known, Mention, Named};
use super::sink;
use super::site_rule::{self, GateMention};
use super::trails;

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
    /// Gates of site rules, likewise.
    pub gates: Vec<GateMention>,
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
    let listen_at = raw.listen.span().clone();
    let listen = raw.listen.checked(report, "listen", |text| match text.parse::<SocketAddr>() {
        Ok(_) => Ok(()),
        Err(_) => Err(format!("`{text}` is not an address with a port such as 127.0.0.1:8787")),
    });
    let listen = listen.and_then(|text| text.parse().ok()).unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8787)));
    let public_url = raw.public_url.checked(report, "public_url", |text| http_url(text));
    let media_dirs = raw.media_dirs.get(report, "media_dirs").unwrap_or_default();
    let inference = inference(raw.inference, report);
    let evidence = evidence::build(raw.evidence, report);
    let journal = journal::build(raw.journal, &evidence, report);
    let keys = AccessKeys {
        tls: raw.tls,
        behind_proxy: raw.behind_proxy,
        metrics_from: raw.metrics_from,
        privacy: raw.privacy,
    };
    let access = access::build(keys, &base, report);
    if !listen.ip().is_loopback() && access.tls.is_none() && access.behind_proxy.0.is_empty() {
        let what = "without `[tls]` or `behind_proxy` Lookout listens on loopback only, such as 127.0.0.1 or [::1]";
        report.fault(&listen_at, "listen", what);
    }
    let trails = trails::build(raw.trails, report);
    let grids: Vec<Grid> = raw.grid.into_iter().enumerate().map(|(i, t)| grid(t, i, report)).collect();
    unique(grids.iter().map(|g| g.id.as_str()), "grid", report);
    let of = sink::Of { site: &id, base: &base, zone: &time_zone };
    let sinks: Vec<Sink> =
        raw.sink.into_iter().enumerate().filter_map(|(i, t)| sink::build(t, i, of, report)).collect();
    unique(sinks.iter().map(|s| s.id.as_str()), "sink", report);
    let mut named = Named::default();
    let known = Known { sinks: &sinks, grids: &grids, zone: &time_zone };
    let mut routes: Vec<Route> =
        raw.route.into_iter().enumerate().map(|(i, t)| route::build(t, i, &known, &mut named, report)).collect();
    route::link(&mut routes, &named.escalations, report);
    unique(routes.iter().map(|r| r.id.as_str()), "route", report);
    let mut gates = Vec::new();
    let rules = raw.rule.into_iter().enumerate();
    let rules: Vec<plan::Rule> =
        rules.filter_map(|(i, t)| site_rule::build(t, i, &time_zone, &mut gates, report)).collect();
    unique(rules.iter().map(|r| r.id.as_str()), "rule", report);
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
        rules,
        grids,
        sinks,
        routes,
        evidence,
        journal,
        access,
        trails,
    };
    SiteParts { site, cameras, cameras_at, mentions: named.mentions, gates }
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

/// The id of a table that must have one.
pub fn id(field: Field<String>, report: &mut Report<'_>, path: &str, owner: &Range<usize>) -> String {
    if !field.is_set() {
        report.fault(owner, path, "missing: an id");
        return String::new();
    }
    field.checked(report, path, |id| check_id(id)).unwrap_or_default()
}

/// Whether this is an address of HTTP.
pub fn http_url(text: &str) -> Result<(), String> {
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
