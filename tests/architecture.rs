//! The direction rule of `pipeline/lib.rs`, checked on every path that the sources name.

mod paths;
mod tests;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use paths::{Mention, Paths};

/// Each stage with the stages it may see besides itself.
const STAGES: [(&str, &[&str]); 13] = [
    ("types", &[]),
    ("config", &["types"]),
    ("telemetry", &["config", "types"]),
    ("capture", &["telemetry", "config", "types"]),
    ("detect", &["telemetry", "config", "types"]),
    // Of the configuration only the checked plan.
    ("track", &["types", "config"]),
    ("rules", &["types", "config"]),
    ("alerts", &["telemetry", "config", "types"]),
    ("dispatch", &["alerts", "telemetry", "config", "types"]),
    ("engine", &["capture", "detect", "track", "rules", "alerts", "dispatch", "telemetry", "config", "types"]),
    ("api", &["engine", "capture", "detect", "track", "rules", "alerts", "dispatch", "telemetry", "config", "types"]),
    (
        "cli",
        &["api", "engine", "capture", "detect", "track", "rules", "alerts", "dispatch", "telemetry", "config", "types"],
    ),
    ("main", &["cli"]),
];

/// Crates besides std that stages without side effects may use.
const CRATES: [(&str, &[&str]); 3] = [
    ("types", &["hex", "jiff", "schemars", "serde", "serde_json", "thiserror", "utoipa"]),
    ("track", &[]),
    ("rules", &[]),
];

/// No clock, no thread, no file, no network.
const OUTSIDE: [&str; 10] = [
    "std::env",
    "std::fs",
    "std::net",
    "std::os",
    "std::process",
    "std::thread",
    "std::time::SystemTime",
    "std::time::UNIX_EPOCH",
    "std::io::stdin",
    "std::io::stdout",
];
/// What only `track` and `rules` may not do besides: `types` reads text and holds an instant that others took.
const PURE: [&str; 2] = ["std::io", "std::time::Instant"];
/// What `types` may not do with what it has.
const CLOCKS: [&str; 3] = ["std::time::Instant::now", "jiff::Timestamp::now", "jiff::Zoned::now"];
/// What starts threads.
const THREADS: [&str; 6] = [
    "std::thread::spawn",
    "std::thread::Builder",
    "std::thread::scope",
    "crossbeam::thread",
    "crossbeam::scope",
    "rayon",
];

/// One source file.
struct Source {
    /// From the repository's root.
    file: PathBuf,
    module: Vec<String>,
    /// Part of the command rather than the library.
    command: bool,
    paths: Paths,
}

/// What a path leads to.
enum Target {
    /// A place in the library or the command, from the crate's root.
    Inside(Vec<String>),
    /// Another crate's, or std's.
    Outside(Vec<String>),
    /// Something of the same module, or a type's.
    Unknown,
}

impl Source {
    fn new(file: &str, text: &str) -> Self {
        let inner = file.strip_prefix("pipeline/").expect("a file of pipeline/").strip_suffix(".rs").expect("Rust");
        let mut module: Vec<String> = inner.split('/').map(str::to_owned).collect();
        let command = module[0] == "cli" || module == ["main"];
        if module.last().is_some_and(|name| name == "mod") || module == ["lib"] || module == ["main"] {
            module.pop();
        }
        let paths = paths::read(text, &module);
        Self { file: file.into(), module, command, paths }
    }

    fn stage(&self) -> &str {
        match self.module.first() {
            Some(stage) => stage,
            None if self.command => "main",
            None => "lib",
        }
    }

    /// Follows a path, also through names that the file imports.
    fn resolve(&self, mention: &Mention, depth: usize) -> Target {
        let first = mention.segments[0].as_str();
        let rest = &mention.segments[1..];
        let inside = |base: &[String]| Target::Inside([base, rest].concat());
        match first {
            "crate" => inside(&[]),
            "lookout" if self.command => inside(&[]),
            "self" => inside(&mention.module),
            "super" => {
                let ups = mention.segments.iter().take_while(|s| *s == "super").count();
                let base = &mention.module[..mention.module.len().saturating_sub(ups)];
                Target::Inside([base, &mention.segments[ups..]].concat())
            }
            "std" | "core" | "alloc" => Target::Outside([&["std".to_owned()], rest].concat()),
            _ => match self.paths.names.get(first).filter(|named| depth > 0 && named.segments[0] != first) {
                Some(named) => {
                    let segments = [&named.segments, rest].concat();
                    self.resolve(&Mention { segments, ..named.clone() }, depth - 1)
                }
                None if crates().contains(first) => Target::Outside(mention.segments.clone()),
                None => Target::Unknown,
            },
        }
    }

    /// What is wrong with this path, if anything.
    fn fault(&self, mention: &Mention, test: bool) -> Option<String> {
        let stage = self.stage();
        match self.resolve(mention, 4) {
            Target::Inside(to) => {
                let Some(other) = to.first() else { return Some("the whole crate under another name".into()) };
                let Some((_, sees)) = STAGES.iter().find(|(name, _)| *name == stage) else {
                    return Some(format!("`{stage}` is no stage of the design"));
                };
                if !STAGES.iter().any(|(name, _)| name == other) {
                    return Some(format!("`{other}` is no stage of the design"));
                }
                if other != stage && !sees.contains(&other.as_str()) {
                    return Some(format!("{stage} may not see {other}"));
                }
                let plan_only = ["track", "rules"].contains(&stage) && other == "config" && !test;
                (plan_only && to.get(1).is_none_or(|part| part != "plan"))
                    .then(|| format!("{stage} may see the plan only, not all of config"))
            }
            Target::Outside(to) if !test => {
                let banned = |list: &[&str]| list.iter().any(|item| reaches(&to, item));
                let pure = ["track", "rules"].contains(&stage);
                let allowed = CRATES.iter().find(|(name, _)| *name == stage).map(|(_, crates)| *crates);
                if allowed.is_some_and(|crates| to[0] != "std" && !crates.contains(&to[0].as_str())) {
                    return Some(format!("{stage} may not use {}", to[0]));
                }
                if allowed.is_some() && (banned(&OUTSIDE) || banned(&CLOCKS)) || pure && banned(&PURE) {
                    return Some(format!("{stage} may not touch the world outside"));
                }
                (stage != "engine" && banned(&THREADS)).then(|| "only engine starts threads".into())
            }
            Target::Outside(_) | Target::Unknown => None,
        }
    }
}

/// Whether a path is `item`, within it, or a glob around it.
fn reaches(path: &[String], item: &str) -> bool {
    let item: Vec<&str> = item.split("::").collect();
    match path.split_last() {
        Some((star, around)) if star == "*" && around.len() < item.len() => {
            item.iter().zip(around).all(|(a, b)| a == b)
        }
        _ => path.len() >= item.len() && item.iter().zip(path).all(|(a, b)| a == b),
    }
}

/// The packages of Cargo.toml as crates.
fn crates() -> &'static BTreeSet<String> {
    static CRATES: std::sync::LazyLock<BTreeSet<String>> = std::sync::LazyLock::new(|| {
        let manifest: toml::Table = include_str!("../Cargo.toml").parse().unwrap();
        let tables = ["dependencies", "dev-dependencies"].map(|name| manifest[name].as_table().unwrap());
        tables.into_iter().flat_map(|table| table.keys()).map(|name| name.replace('-', "_")).collect()
    });
    &CRATES
}

/// Every fault of these files, one a line with its place.
fn faults(sources: &[Source]) -> Vec<String> {
    let tests: Vec<&[String]> = sources.iter().flat_map(|s| &s.paths.test_modules).map(Vec::as_slice).collect();
    let mut found = Vec::new();
    for source in sources {
        let test_file = tests.iter().any(|module| source.module.starts_with(module));
        for mention in &source.paths.mentions {
            if let Some(what) = source.fault(mention, mention.test || test_file) {
                let path = mention.segments.join("::");
                found.push(format!("{}:{}: {what}: `{path}`", source.file.display(), mention.line));
            }
        }
    }
    found
}

/// All sources under `pipeline/`.
fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut folders, mut found) = (vec![root.join("pipeline")], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let file = path.strip_prefix(root).unwrap().to_str().unwrap();
                found.push(Source::new(file, &std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    found.sort_by(|a, b| a.file.cmp(&b.file));
    found
}
