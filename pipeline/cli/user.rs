//! `lookout user add|passwd|list`: who may log in.

use std::fmt::Write;
use std::io::BufRead;
use std::path::PathBuf;

use anyhow::Context;
use clap::Subcommand;
use lookout::api::password::{check, generate, hash};
use lookout::api::store::audit::{self, Entry};
use lookout::api::store::user::{self, NewUser, User};
use lookout::api::store::{Store, StoreError};
use lookout::config::load_site;
use lookout::config::plan::{Role, Site};

use super::common::{Invalid, print, say, warn};

/// Users of page and API. The database keeps only a slow hash of each password.
///
/// Example: lookout user add wang --role operator
#[derive(clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Args {
    #[command(subcommand)]
    command: UserCommand,
    /// Site file; its data directory holds the users
    #[arg(long, global = true, value_name = "FILE", default_value = "configs/site.toml")]
    config: PathBuf,
}

#[derive(Subcommand)]
enum UserCommand {
    /// Add a user and print a password, to be changed at the first login
    #[command(after_help = "Example: lookout user add wang --role operator")]
    Add {
        /// Unique name
        name: String,
        /// viewer sees, analyst edits zones, operator answers alerts, admin manages users, sources and policy
        #[arg(long, value_name = "ROLE")]
        role: Role,
        #[command(flatten)]
        password: PasswordArgs,
    },
    /// Give a user another password; all their sessions end
    #[command(after_help = "Example: lookout user passwd wang")]
    Passwd {
        /// Whose
        name: String,
        #[command(flatten)]
        password: PasswordArgs,
    },
    /// List users
    #[command(after_help = "Example: lookout user list --json")]
    List {
        /// One JSON object a line
        #[arg(long)]
        json: bool,
    },
}

#[derive(clap::Args)]
struct PasswordArgs {
    /// Read the password, one line, from standard input instead; it need not be changed then
    #[arg(long)]
    stdin: bool,
}

pub fn run(args: &Args) -> anyhow::Result<()> {
    let site = load_site(&args.config)?;
    warn(&site.warnings);
    let site = site.plan;
    let store = Store::open(&site.data)?;
    match &args.command {
        UserCommand::Add { name, role, password } => add(&store, name, *role, password),
        UserCommand::Passwd { name, password } => passwd(&store, name, password),
        UserCommand::List { json } => list(&store.read(user::list)?, &site, *json),
    }
}

fn add(store: &Store, name: &str, role: Role, how: &PasswordArgs) -> anyhow::Result<()> {
    user::check_name(name).map_err(Invalid)?;
    let password = how.password(name)?;
    let new = NewUser { name: name.to_owned(), role, hash: hash(&password)?, must_change: !how.stdin };
    let added = store.write(|tx| {
        let now = jiff::Timestamp::now();
        let entry = Entry::new("command", "user.add").to(name).with(format!("role {}", role.word()));
        Ok(user::add(tx, &new, now)? && audit::insert(tx, &entry, now)? > 0)
    })?;
    if !added {
        return Err(Invalid(format!("there is a user `{name}` already")).into());
    }
    how.tell(&password)
}

fn passwd(store: &Store, name: &str, how: &PasswordArgs) -> anyhow::Result<()> {
    let unknown = || Invalid(format!("there is no user `{name}`; `lookout user list` shows them"));
    store.read(|c| user::find(c, name))?.ok_or_else(unknown)?;
    let password = how.password(name)?;
    let hash = hash(&password)?;
    let set = store.write(|tx| -> Result<bool, StoreError> {
        let now = jiff::Timestamp::now();
        let entry = Entry::new("command", "user.password").to(name);
        Ok(user::set_password(tx, name, &hash, !how.stdin, now)? && audit::insert(tx, &entry, now)? > 0)
    })?;
    if !set {
        return Err(unknown().into());
    }
    how.tell(&password)
}

impl PasswordArgs {
    fn password(&self, name: &str) -> anyhow::Result<String> {
        if !self.stdin {
            return Ok(generate()?);
        }
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line).context("cannot read standard input")?;
        let password = line.trim_end_matches(['\r', '\n']).to_owned();
        check(&password, name).map_err(Invalid)?;
        Ok(password)
    }

    fn tell(&self, password: &str) -> anyhow::Result<()> {
        if self.stdin {
            return Ok(());
        }
        say("The password, shown only now, to be changed at the next login:");
        print(password)
    }
}

fn list(users: &[User], site: &Site, json: bool) -> anyhow::Result<()> {
    let mut out = String::new();
    if json {
        for user in users {
            writeln!(out, "{}", serde_json::to_string(user)?)?;
        }
    } else {
        writeln!(out, "{:20}  {:8}  {:16}  last login", "name", "role", "state")?;
        for User { name, role, must_change, disabled, last_login, .. } in users {
            let state = match (disabled, must_change) {
                (true, _) => "disabled",
                (false, true) => "must change",
                (false, false) => "good",
            };
            let when = last_login.map(|at| site.time_zone.to_datetime(at).strftime("%F %R").to_string());
            let line = format!("{name:20}  {:8}  {state:16}  {}", role.word(), when.unwrap_or_default());
            writeln!(out, "{}", line.trim_end())?;
        }
    }
    if out.is_empty() { Ok(()) } else { print(out.trim_end_matches('\n')) }
}
