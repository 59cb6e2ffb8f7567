//! The command line's entry: parses, runs, and turns an error into a sentence and an exit code.

fn main() {}
