//! `cargo bench --bench stages`: each stage alone, one file a stage.

#[path = "stages/capture.rs"]
mod capture;
#[path = "stages/detect.rs"]
mod detect;
#[path = "stages/dispatch.rs"]
mod dispatch;
#[path = "stages/redact.rs"]
mod redact;
#[path = "stages/track.rs"]
mod track;

fn main() {
    divan::main();
    dispatch::run();
}
