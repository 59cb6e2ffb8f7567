//! `lookout check`: every fault of a site or a camera file, one a line; opens no source.

use std::path::PathBuf;

use jiff::tz::TimeZone;
use lookout::config::plan::{Ground, GroundPlane, Secret, Site};
use lookout::config::{load_camera, load_site, looks_like_site};

use super::common::{print, say, warn};

/// Check a site file with its cameras, or one camera file, without opening any source.
///
/// Faults come one a line on stdout as `file:line:column: field: what is wrong`; exit code 2 if there is any.
///
/// Example: lookout check --config configs/site.toml
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// Site or camera file
    #[arg(long, value_name = "FILE", default_value = "configs/site.toml")]
    config: PathBuf,
}

pub fn run(args: &Args) -> anyhow::Result<()> {
    let checked = looks_like_site(&args.config).and_then(|site| {
        if site {
            let site = load_site(&args.config)?;
            warn_of_secrets(&site.plan);
            let (cameras, rules) =
                (site.plan.cameras.len(), site.plan.cameras.iter().map(|c| c.own_rules().count()).sum::<usize>());
            Ok((site.warnings, format!("good: {cameras} cameras, {rules} rules, {} sinks", site.plan.sinks.len())))
        } else {
            let camera = load_camera(&args.config, &TimeZone::UTC)?;
            let plan = &camera.plan;
            let mut text = format!(
                "good: {} zones, {} lines, {} rules",
                plan.zones.len(),
                plan.lines.len(),
                plan.own_rules().count()
            );
            if let Some(ground) = &plan.ground {
                text += &format!(", {}", ground_in_words(ground));
            }
            Ok((camera.warnings, text))
        }
    });
    match checked {
        Ok((warnings, text)) => {
            warn(&warnings);
            print(&format!("{}: {text}", args.config.display()))
        }
        Err(error) => {
            print(&error.to_string())?;
            let n = error.faults.len();
            Err(super::Invalid(format!("{}: {n} fault{}", args.config.display(), if n == 1 { "" } else { "s" })).into())
        }
    }
}

fn ground_in_words(ground: &Ground) -> String {
    match &ground.plane {
        GroundPlane::Learnt { .. } => "the ground is learnt from the people".into(),
        GroundPlane::Known(known) => match known.error() {
            Some(error) => format!("a ground by {} points with an error of {error:.2} m", known.points.len()),
            None => "a ground by four points (a fifth would show its error)".into(),
        },
    }
}

/// A missing secret stops `run`, not `check`: files are often checked elsewhere than they run.
fn warn_of_secrets(site: &Site) {
    for sink in &site.sinks {
        for secret in sink.secrets() {
            let missing = match secret {
                Secret::Env(name) => std::env::var_os(name).is_none().then(|| format!("the environment has no {name}")),
                Secret::File(path) => (!path.exists()).then(|| format!("there is no file {}", path.display())),
            };
            if let Some(missing) = missing {
                say(&format!("warning: sink `{}`: {missing}; `run` will need it", sink.id));
            }
        }
    }
}
