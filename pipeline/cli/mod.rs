//! Arguments; one file per command. Exit codes: 0 done, 1 failed, 2 the arguments or configuration are wrong.

mod alerts;
mod analyze;
mod check;
mod common;
mod output;
mod replay;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use lookout::config::ConfigError;
use lookout::detect::DetectError;

pub use common::Invalid;

/// Real-time video analytics for public safety. Counts people; never tells who they are.
#[derive(Parser)]
#[command(name = "lookout", version, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    /// Log as JSON lines.
    #[arg(long, global = true)]
    log_json: bool,
}

#[derive(Subcommand)]
enum Command {
    Alerts(alerts::Args),
    Analyze(analyze::Args),
    Replay(replay::Args),
    Check(check::Args),
}

/// Runs the command line.
pub fn main() -> ExitCode {
    // Clap answers --help with 0 and wrong arguments with 2 by itself.
    let arguments = Arguments::parse();
    let done = match arguments.command {
        Command::Alerts(args) => alerts::run(&args),
        Command::Analyze(args) => analyze::run(&args),
        Command::Replay(args) => replay::run(&args),
        Command::Check(args) => check::run(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            common::say(&format!("error: {error:#}"));
            ExitCode::from(exit_code(&error))
        }
    }
}

fn exit_code(error: &anyhow::Error) -> u8 {
    let wrong = |cause: &(dyn std::error::Error + 'static)| {
        let installation = cause.downcast_ref::<DetectError>().is_some_and(|e| !e.retry());
        cause.is::<Invalid>() || cause.is::<ConfigError>() || installation
    };
    if error.chain().any(wrong) { 2 } else { 1 }
}
