//! `lookout token create|list|revoke`: machines that answer alerts or read from outside.

use std::fmt::Write;
use std::path::PathBuf;

use clap::Subcommand;
use lookout::alerts::journal::{NewToken, TokenRow, Tokens};
use lookout::config::load_site;
use lookout::config::plan::{Role, Site};

use super::common::{Invalid, print, say, warn};

/// Tokens with which dispatch answers alerts over HTTP, or a machine reads. The database keeps only a hash of each.
///
/// Example: lookout token create --name platform --sink platform --days 365
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    #[command(subcommand)]
    command: TokenCommand,
    /// Site file; its data directory holds the tokens
    #[arg(long, global = true, value_name = "FILE", default_value = "configs/site.toml")]
    config: PathBuf,
}

#[derive(Subcommand)]
enum TokenCommand {
    /// Make a token and print its secret, once
    #[command(after_help = "Example: lookout token create --name platform --sink platform --days 365")]
    Create(CreateArgs),
    /// List tokens
    #[command(after_help = "Example: lookout token list --json")]
    List {
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Withdraw a token
    #[command(after_help = "Example: lookout token revoke platform")]
    Revoke {
        /// Its name
        name: String,
    },
}

#[derive(clap::Args)]
struct CreateArgs {
    /// Name that stands beside each answer given with it
    #[arg(long)]
    name: String,
    /// It answers alerts that were sent to this sink; may be given several times
    #[arg(long = "sink", value_name = "ID")]
    sinks: Vec<String>,
    /// It answers alerts of this grid; may be given several times
    #[arg(long = "grid", value_name = "ID")]
    grids: Vec<String>,
    /// It sees what somebody of this role sees; only viewer
    #[arg(long, value_parser = viewer)]
    role: Option<Role>,
    /// Good for so many days; until it is withdrawn if left out
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=36_500))]
    days: Option<u32>,
}

/// Longest name of a token, characters.
const LONGEST_NAME: usize = 64;

pub fn run(args: &Args) -> anyhow::Result<()> {
    let site = load_site(&args.config)?;
    warn(&site.warnings);
    let site = site.plan;
    match &args.command {
        TokenCommand::Create(create) => make(create, &site),
        TokenCommand::List { json } => list(*json, &Tokens::open(&site.data)?.list()?, &site),
        TokenCommand::Revoke { name } => {
            if Tokens::open(&site.data)?.revoke(name)? {
                print(&format!("token `{name}` is withdrawn"))
            } else {
                Err(Invalid(format!("there is no token `{name}` to withdraw; `lookout token list` shows them")).into())
            }
        }
    }
}

/// Machines only read: whatever changes something is done by somebody.
fn viewer(text: &str) -> Result<Role, String> {
    match text.parse()? {
        Role::Viewer => Ok(Role::Viewer),
        _ => Err("a token is a viewer or has no role".into()),
    }
}

fn make(args: &CreateArgs, site: &Site) -> anyhow::Result<()> {
    let good = |c: char| c.is_alphanumeric() || "-_.".contains(c);
    if args.name.is_empty() || args.name.chars().count() > LONGEST_NAME || !args.name.chars().all(good) {
        let what = format!("--name: letters, digits, - _ and . only, at most {LONGEST_NAME}");
        return Err(Invalid(what).into());
    }
    if args.sinks.is_empty() && args.grids.is_empty() && args.role.is_none() {
        let what = "a token answers alerts of some --sink or --grid, or reads by --role viewer; name at least one";
        return Err(Invalid(what.into()).into());
    }
    if let Some(sink) = args.sinks.iter().find(|id| !site.sinks.iter().any(|s| s.id == **id)) {
        return Err(Invalid(format!("--sink: there is no sink `{sink}`")).into());
    }
    if let Some(grid) = args.grids.iter().find(|id| !site.grids.iter().any(|g| g.id == **id)) {
        return Err(Invalid(format!("--grid: there is no grid `{grid}`")).into());
    }
    let day = |days: u32| jiff::SignedDuration::from_hours(24 * i64::from(days));
    let token = NewToken {
        name: args.name.clone(),
        sinks: args.sinks.clone(),
        grids: args.grids.clone(),
        role: args.role,
        expires: args.days.map(|days| jiff::Timestamp::now().saturating_add(day(days))).transpose()?,
    };
    let Some(secret) = Tokens::open(&site.data)?.create(&token)? else {
        return Err(Invalid(format!("there is a token `{}` already", token.name)).into());
    };
    say("Keep this secret; it is shown only now:");
    print(&secret)
}

fn list(json: bool, tokens: &[TokenRow], site: &Site) -> anyhow::Result<()> {
    let mut out = String::new();
    if json {
        for token in tokens {
            writeln!(out, "{}", serde_json::to_string(token)?)?;
        }
    } else {
        let now = jiff::Timestamp::now();
        writeln!(out, "{:16}  {:9}  {:10}  {:7}  answers alerts of", "name", "state", "until", "role")?;
        for TokenRow { name, sinks, grids, expires, revoked_at, role, .. } in tokens {
            let state = match (revoked_at, expires) {
                (Some(_), _) => "withdrawn",
                (None, Some(end)) if *end <= now => "expired",
                (None, _) => "good",
            };
            let until = expires.map(|end| site.time_zone.to_datetime(end).date().to_string()).unwrap_or_default();
            let sinks = sinks.iter().map(|id| format!("sink {id}"));
            let whose: Vec<String> = sinks.chain(grids.iter().map(|id| format!("grid {id}"))).collect();
            let role = role.map(Role::word).unwrap_or_default();
            let line = format!("{name:16}  {state:9}  {until:10}  {role:7}  {}", whose.join(", "));
            writeln!(out, "{}", line.trim_end())?;
        }
    }
    if out.is_empty() { Ok(()) } else { print(out.trim_end_matches('\n')) }
}
