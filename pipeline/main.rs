//! The command line's entry: parses, runs, and turns an error into a sentence and an exit code.

mod cli;

fn main() -> std::process::ExitCode {
    cli::main()
}
