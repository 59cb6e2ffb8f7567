//! `cargo bench --bench stages`: each stage alone, one file a stage.

#[path = "stages/capture.rs"]
mod capture;
#[path = "stages/detect.rs"]
mod detect;
#[path = "stages/dispatch.rs"]
mod dispatch;
#[path = "stages/inspect.rs"]
mod inspect;
#[path = "stages/pipeline.rs"]
mod pipeline;
#[path = "stages/redact.rs"]
mod redact;
#[path = "stages/rules.rs"]
mod rules;
#[path = "stages/track.rs"]
mod track;

/// Counts what each bench allocates.
#[global_allocator]
static ALLOCATIONS: divan::AllocProfiler = divan::AllocProfiler::system();

fn main() {
    divan::main();
    // Not one of divan's: it runs when no filter leaves it out, shortly when benches are only tried.
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let filters = || arguments.iter().filter(|a| !a.starts_with('-'));
    if filters().next().is_none() || filters().any(|f| "dispatch".contains(f.as_str())) {
        dispatch::run(arguments.iter().any(|a| a == "--test"));
    }
}
