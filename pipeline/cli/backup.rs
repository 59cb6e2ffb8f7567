//! `lookout backup`: a copy of a site's data while it runs.

use std::path::PathBuf;

use lookout::config::load_site;
use lookout::engine::backup::backup;

use super::common::{Invalid, print, warn};

/// Copy the data of a site, also while it runs: journal, users, numbers, learnt ground, and unless left out evidence and
/// people's ways. The files of the configuration are yours to keep.
///
/// To restore: stop the site, put the copy where `data` was, start it.
///
/// Example: lookout backup --to /srv/backup/2026-11-24
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// Folder that is made; it must not be there
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    /// Leave out pictures, clips and people's ways
    #[arg(long)]
    without_media: bool,
    /// Site file; its data directory is copied
    #[arg(long, value_name = "FILE", default_value = "configs/site.toml")]
    config: PathBuf,
}

pub fn run(args: &Args) -> anyhow::Result<()> {
    let site = load_site(&args.config)?;
    warn(&site.warnings);
    let copied = backup(&site.plan.data, &args.to, !args.without_media)
        .map_err(|error| if error.retry() { error.into() } else { anyhow::Error::from(Invalid(error.to_string())) })?;
    print(&format!(
        "{}: {} databases and {} files, {:.1} MB",
        args.to.display(),
        copied.databases,
        copied.files,
        copied.bytes as f64 / 1e6
    ))
}
