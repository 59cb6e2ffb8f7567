//! `lookout report`: how a day's alerts were answered, for people.

use std::path::PathBuf;

use anyhow::Context;
use jiff::civil::Date;
use lookout::alerts::journal::Reader;
use lookout::alerts::report::{Language, csv, html};
use lookout::config::load_site;

use super::common::{print, warn};

/// Write how a day's alerts were answered, by grid and by kind: report-DAY.zh.html, .en.html, .zh.csv and .en.csv.
///
/// Example: lookout report --day 2026-11-24 --out reports
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    /// Day in the site's time zone; yesterday if left out
    #[arg(long, value_name = "YYYY-MM-DD")]
    day: Option<Date>,
    /// Folder, made if it is not there
    #[arg(long, value_name = "DIR", default_value = ".")]
    out: PathBuf,
    /// Site file; its data directory holds the journal
    #[arg(long, value_name = "FILE", default_value = "configs/site.toml")]
    config: PathBuf,
}

pub fn run(args: &Args) -> anyhow::Result<()> {
    let site = load_site(&args.config)?;
    warn(&site.warnings);
    let site = site.plan;
    let day = match args.day {
        Some(day) => day,
        None => site.time_zone.to_datetime(jiff::Timestamp::now()).date().yesterday()?,
    };
    let statistics = Reader::open(&site.data)?.statistics(day, &site.time_zone)?;
    std::fs::create_dir_all(&args.out).with_context(|| format!("{}: cannot be made", args.out.display()))?;
    for language in Language::ALL {
        for (kind, text) in [("html", html(&site, &statistics, language)), ("csv", csv(&site, &statistics, language))] {
            let path = args.out.join(format!("report-{day}.{}.{kind}", language.tag()));
            std::fs::write(&path, text).with_context(|| format!("{}: cannot be written", path.display()))?;
            print(&path.display().to_string())?;
        }
    }
    Ok(())
}
