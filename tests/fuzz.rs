//! A short run of the fuzz targets, the same each time: `scripts/fuzz` runs them longer.

#[path = "../benches/fuzz/mutate.rs"]
mod mutate;
#[path = "../benches/fuzz/targets.rs"]
mod targets;

use std::cell::Cell;

use mutate::{Budget, Fuzzer};
use targets::{NAMES, corpus, target};

#[test]
fn nothing_that_reads_what_others_wrote_panics_or_hangs() {
    for name in NAMES {
        let mut kept = Vec::new();
        let mut run = target(name, &mut kept);
        let executions = if name == "video" { 150 } else { 4_000 };
        let fuzzer = Fuzzer::new(name, corpus(name, &mut kept), 1, None);
        let done = fuzzer.run(&mut *run, Budget { executions: Some(executions), ..Budget::default() });
        assert_eq!(done.panic, None, "{name}");
        assert!(done.executions >= executions && done.given > 1, "{name}");
        // What is damaged is told apart, so the mutations do something.
        assert!(done.outcomes >= 3 && done.kept > 0, "{name}: {} outcomes, {} kept", done.outcomes, done.kept);
    }
}

#[test]
fn a_panic_behind_two_outcomes_is_found() {
    let calls = Cell::new(0_u64);
    let mut run = |input: &[u8]| {
        calls.set(calls.get() + 1);
        let [a, b] = ["-1", "<"].map(|word| input.windows(word.len()).any(|w| w == word.as_bytes()));
        assert!(!(a && b), "both");
        format!("{a} {b}")
    };
    let done = Fuzzer::new("planted", vec![b"n = 5".to_vec()], 1, None)
        .run(&mut run, Budget { executions: Some(20_000), ..Budget::default() });
    assert!(done.panic.as_ref().is_some_and(|panic| panic.starts_with("both")), "{:?}", done.panic);
    assert_eq!(done.executions, calls.get());
}
