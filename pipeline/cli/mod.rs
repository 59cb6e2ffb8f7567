//! Arguments; one file per command. Exit codes: 0 done, 1 failed, 2 the arguments or configuration are wrong.

mod alerts;
mod analyze;
mod backup;
mod bench;
mod check;
mod common;
mod discreet;
mod ground;
mod models;
mod notify;
mod output;
mod quiet;
mod replay;
mod report;
mod run;
mod signals;
mod token;
mod track;
mod user;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use lookout::capture::SourceError;
use lookout::config::ConfigError;
use lookout::detect::DetectError;
use lookout::engine::run::RunError;
use lookout::telemetry::logs::{LogFormat, init};

pub use common::Invalid;

/// Real-time video analytics for public safety. Counts people; never tells who they are.
#[derive(Parser)]
#[command(name = "lookout", version, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// Log as JSON lines.
    #[arg(long, global = true, env = "LOOKOUT_LOG_JSON")]
    log_json: bool,
}

#[derive(Subcommand)]
enum Command {
    Run(run::Args),
    Analyze(analyze::Args),
    Track(track::Args),
    Replay(replay::Args),
    Check(check::Args),
    Ground(ground::Args),
    Models(models::ModelsArgs),
    Alerts(alerts::Args),
    Token(token::Args),
    User(user::Args),
    Report(report::Args),
    Quiet(quiet::Args),
    Backup(backup::Args),
    Bench(bench::Args),
}

impl Command {
    /// Whether it may load the inference library.
    fn infers(&self) -> bool {
        match self {
            Self::Run(_) | Self::Analyze(_) | Self::Ground(_) | Self::Models(_) | Self::Bench(_) => true,
            Self::Track(_)
            | Self::Replay(_)
            | Self::Check(_)
            | Self::Alerts(_)
            | Self::Token(_)
            | Self::User(_)
            | Self::Report(_)
            | Self::Quiet(_)
            | Self::Backup(_) => false,
        }
    }
}

/// Runs the command line.
pub fn main() -> ExitCode {
    // Clap answers --help with 0 and wrong arguments with 2 by itself.
    let arguments = Arguments::parse();
    if arguments.command.infers() {
        discreet::begin();
    }
    let format = if arguments.log_json { LogFormat::Json } else { LogFormat::Text };
    let quiet = !matches!(arguments.command, Command::Run(_));
    if let Err(error) = init(format, quiet) {
        common::say(&format!("error: {error}"));
        return ExitCode::from(2);
    }
    let done = match arguments.command {
        Command::Run(args) => run::run(&args),
        Command::Analyze(args) => analyze::run(&args),
        Command::Track(args) => track::run(&args),
        Command::Replay(args) => replay::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Ground(args) => ground::run(&args),
        Command::Models(args) => models(&args),
        Command::Alerts(args) => alerts::run(&args),
        Command::Token(args) => token::run(&args),
        Command::User(args) => user::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Quiet(args) => quiet::run(&args),
        Command::Backup(args) => backup::run(&args),
        Command::Bench(args) => bench::run(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            common::say(&format!("error: {error:#}"));
            ExitCode::from(exit_code(&error))
        }
    }
}

fn models(args: &models::ModelsArgs) -> anyhow::Result<()> {
    models::run(args, &mut std::io::stdout().lock())
        .map_err(|error| if error.is_usage() { Invalid(error.to_string()).into() } else { error.into() })
}

fn exit_code(error: &anyhow::Error) -> u8 {
    let wrong = |cause: &(dyn std::error::Error + 'static)| {
        let installation = cause.downcast_ref::<DetectError>().is_some_and(|e| !e.retry());
        let site = cause.downcast_ref::<RunError>().is_some_and(RunError::is_usage);
        let no_file = matches!(cause.downcast_ref(), Some(SourceError::NotFound { .. } | SourceError::NotAFile { .. }));
        cause.is::<Invalid>() || cause.is::<ConfigError>() || installation || site || no_file
    };
    if error.chain().any(wrong) { 2 } else { 1 }
}
