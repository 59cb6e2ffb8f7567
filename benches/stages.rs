//! `cargo bench --bench stages`: each stage alone, one file a stage.

#[path = "stages/capture.rs"]
mod capture;
#[path = "stages/detect.rs"]
mod detect;
#[path = "stages/dispatch.rs"]
mod dispatch;
#[path = "stages/inspect.rs"]
mod inspect;
#[path = "stages/motion.rs"]
mod motion;
#[path = "stages/pipeline.rs"]
mod pipeline;
#[path = "stages/redact.rs"]
mod redact;
#[path = "stages/rules.rs"]
mod rules;
#[path = "stages/track.rs"]
mod track;
#[path = "stages/what_if.rs"]
mod what_if;

/// Counts what each bench allocates.
#[global_allocator]
static ALLOCATIONS: divan::AllocProfiler = divan::AllocProfiler::system();

fn main() {
    divan::main();
    // None of divan's: they run when no filter leaves them out, shortly when benches are only tried.
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let filters = || arguments.iter().filter(|a| !a.starts_with('-'));
    let asked = |name: &str| filters().next().is_none() || filters().any(|f| name.contains(f.as_str()));
    let tried = arguments.iter().any(|a| a == "--test");
    if asked("dispatch") {
        dispatch::run(tried);
    }
    if asked("what_if") {
        what_if::run(if tried { 1 } else { 24 });
    }
}
