//! The tree keeps the rule, and the checker sees every way to break it.

use super::{STAGES, Source, Target, faults, sources};

#[test]
fn imports_run_one_way() {
    let sources = sources();
    let faults = faults(&sources);
    assert!(faults.is_empty(), "{}", faults.join("\n"));

    // An empty scan would find nothing either: every stage is there, and the one sideways edge is seen.
    for (stage, _) in STAGES {
        assert!(sources.iter().any(|source| source.stage() == stage), "no source of {stage} was read");
    }
    let sideways = sources.iter().filter(|source| source.stage() == "dispatch").any(|source| {
        let leads = |mention| matches!(source.resolve(mention, 4), Target::Inside(to) if to.first().is_some_and(|s| s == "alerts"));
        source.paths.mentions.iter().any(leads)
    });
    assert!(sideways, "dispatch uses alerts; the scan did not see it");
}

/// What the checker says of one file.
fn check(file: &str, text: &str) -> Vec<String> {
    faults(&[Source::new(file, text)])
}

#[test]
fn every_wrong_import_is_reported_with_its_place() {
    let wrong = [
        ("alerts/x.rs", "use crate::engine::hub::LiveHub;", "alerts may not see engine"),
        ("alerts/journal/x.rs", "use super::super::super::dispatch::Bell;", "alerts may not see dispatch"),
        ("alerts/mod.rs", "use super::dispatch;", "alerts may not see dispatch"),
        ("alerts/x.rs", "mod a { mod b { use super::super::super::super::rules; } }", "alerts may not see rules"),
        ("types/x.rs", "fn f() { crate::config::plan::Camera::default(); }", "types may not see config"),
        ("types/x.rs", "type A = Vec<crate::track::Track>;", "types may not see track"),
        ("detect/x.rs", "println!(\"{}\", crate::capture::RATE);", "detect may not see capture"),
        ("config/x.rs", "use crate::{types::Size, telemetry::{Metrics}};", "config may not see telemetry"),
        ("telemetry/x.rs", "#[cfg(test)] mod tests { use crate::engine::run; }", "telemetry may not see engine"),
        ("capture/x.rs", "macro_rules! m { () => { $crate::api::serve() } }", "capture may not see api"),
        ("dispatch/x.rs", "use crate as all;", "whole crate"),
        ("engine/x.rs", "use crate::api;", "engine may not see api"),
        ("engine/x.rs", "use crate::helpers::x;", "`helpers` is no stage"),
        ("helpers/x.rs", "use crate::types::Size;", "`helpers` is no stage"),
        ("lib.rs", "pub use self::engine::run;", "`lib` is no stage"),
        ("main.rs", "use lookout::api;", "main may not see api"),
        ("track/x.rs", "use crate::config::load_site;", "the plan only"),
        ("track/x.rs", "use crate::telemetry::Metrics;", "track may not see telemetry"),
        ("rules/x.rs", "use crate::config::{self, plan::Filter};", "the plan only"),
        ("rules/x.rs", "use std::time::{Duration, Instant};", "outside"),
        ("rules/x.rs", "use std::time::*;", "outside"),
        ("rules/x.rs", "use std::{thread as t};", "outside"),
        ("track/x.rs", "fn f() { std::fs::read(\"x\"); }", "outside"),
        ("track/x.rs", "use ::std::net::TcpStream;", "outside"),
        ("track/x.rs", "use core::time; fn f() { let _ = time::SystemTime::now(); }", "outside"),
        ("track/x.rs", "fn f() { let _ = jiff::Timestamp::now(); }", "track may not use jiff"),
        ("rules/x.rs", "use rayon::prelude::*;", "rules may not use rayon"),
        ("types/x.rs", "use jiff::Timestamp; fn f() { let _ = Timestamp::now(); }", "outside"),
        ("types/x.rs", "use std::fs::File;", "outside"),
        ("types/x.rs", "async fn f() { tokio::time::sleep(d).await }", "types may not use tokio"),
        ("capture/x.rs", "fn f() { std::thread::spawn(|| {}); }", "only engine starts threads"),
        ("capture/x.rs", "use std::thread; fn f() { thread::Builder::new(); }", "only engine starts threads"),
        ("dispatch/x.rs", "use std::thread::*;", "only engine starts threads"),
        ("api/x.rs", "use crossbeam::thread::scope;", "only engine starts threads"),
        ("cli/x.rs", "use rayon::prelude::*;", "only engine starts threads"),
        ("detect/x.rs", "#[cfg(test)] use a::b; fn f() { std::thread::scope(|_| {}); }", "only engine starts threads"),
    ];
    for (file, text, expected) in wrong {
        let found = check(&format!("pipeline/{file}"), &format!("//! crate::nothing\n\n{text}"));
        assert_eq!(found.len(), 1, "{file}: {text}: {found:?}");
        let place = format!("pipeline/{file}:3: ");
        assert!(found[0].starts_with(&place) && found[0].contains(expected), "{file}: {text}: {found:?}");
    }
}

#[test]
fn what_the_rule_allows_is_not_reported() {
    let right = [
        ("alerts/x.rs", "/// See [`crate::dispatch`].\nfn f() { let _ = \"crate::engine\"; /* crate::api */ }"),
        (
            "alerts/journal/mod.rs",
            "use super::super::types::Event; use crate::telemetry::Metrics; mod read; use read::Reader;",
        ),
        ("dispatch/x.rs", "use crate::alerts::journal::Delivery;"),
        ("engine/x.rs", "use std::thread; fn f() { thread::spawn(|| {}); rayon::join(a, b); }"),
        (
            "track/x.rs",
            "use crate::{config::plan::Filter, types::{Size, Track}}; use std::time::Duration; use super::kalman;",
        ),
        (
            "track/mod.rs",
            "#[cfg(test)]\nmod tests { use crate::config::load_site; use proptest::prelude::*; use std::fs; }",
        ),
        ("rules/x.rs", "fn after() {} #[cfg(test)] fn f() { std::thread::spawn(|| {}); }"),
        ("types/x.rs", "use std::io::BufRead; use std::time::Instant; use serde::Serialize;"),
        ("capture/x.rs", "#[cfg(test)] mod tests { #[test] fn f() { std::thread::spawn(|| {}); } }"),
        ("capture/x.rs", "use std::thread; fn f() { thread::sleep(d); } fn g(x: impl Fn() + use<'_>) {}"),
        ("cli/models/x.rs", "use super::super::Invalid; use lookout::{api, engine::run};"),
        ("main.rs", "mod cli; fn main() { cli::main() }"),
        ("lib.rs", "pub mod types;"),
    ];
    for (file, text) in right {
        assert_eq!(check(&format!("pipeline/{file}"), text), Vec::<String>::new(), "{file}: {text}");
    }
    // A test module in a file of its own.
    let sources = [
        Source::new("pipeline/track/mod.rs", "#[cfg(test)]\nmod tests;"),
        Source::new("pipeline/track/tests.rs", "fn f() { std::thread::spawn(|| {}); }"),
        Source::new("pipeline/track/tests/more.rs", "use std::time::Instant;"),
    ];
    assert_eq!(faults(&sources), Vec::<String>::new());
}
