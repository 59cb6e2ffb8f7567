//! `scripts/fuzz`: everything that reads what others wrote, fed with damaged input, each target for a time. See
//! [`mutate`] for what kind of fuzzing this is.
//!
//!     cargo bench --bench fuzz -- [--seconds N] [--seed S] [TARGET ...]
//!     cargo bench --bench fuzz -- --replay TARGET FILE

#![allow(clippy::print_stdout, clippy::panic)] // Its result; wrong arguments.

#[path = "fuzz/mutate.rs"]
mod mutate;
#[path = "fuzz/targets.rs"]
mod targets;

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use mutate::{Budget, Fuzzer};
use targets::{NAMES, corpus, target};

/// Each target, unless `--seconds` says otherwise.
const SECONDS: u64 = 20;

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1).filter(|word| word != "--bench");
    let (mut seconds, mut seed, mut wanted, mut replay) = (SECONDS, None, Vec::new(), false);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--seconds" => seconds = words.next().and_then(|n| n.parse().ok()).unwrap_or(SECONDS),
            "--seed" => seed = words.next().and_then(|n| n.parse().ok()),
            "--replay" => replay = true,
            _ => wanted.push(word),
        }
    }
    if replay {
        let [name, file] = wanted.as_slice() else { panic!("--replay TARGET FILE") };
        let input = std::fs::read(file).unwrap_or_else(|e| panic!("{file}: {e}"));
        println!("{}", target(name, &mut Vec::new())(&input));
        return ExitCode::SUCCESS;
    }
    let seed = seed.unwrap_or_else(|| jiff::Timestamp::now().as_microsecond().unsigned_abs());
    let mut failed = false;
    for name in NAMES.iter().filter(|name| wanted.is_empty() || wanted.iter().any(|w| w == *name)) {
        let mut kept = Vec::new();
        let mut run = target(name, &mut kept);
        let fuzzer = Fuzzer::new(name, corpus(name, &mut kept), seed, Some(Path::new("out/fuzz")));
        let budget = Budget { until: Some(Instant::now() + Duration::from_secs(seconds)), ..Budget::default() };
        let done = fuzzer.run(&mut *run, budget);
        println!(
            "{name}: {} executions, {} kinds of outcome, {} inputs grown from {}, slowest {:.0} ms, seed {seed}",
            done.executions,
            done.outcomes,
            done.kept,
            done.given,
            done.slowest.as_secs_f64() * 1e3
        );
        if let Some(panic) = done.panic {
            println!("{name}: PANIC: {panic}");
            failed = true;
        }
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
