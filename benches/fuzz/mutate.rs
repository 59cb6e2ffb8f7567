//! Fuzzing by mutation on a stable toolchain. Without instrumentation of the code under test, what stands in for coverage is
//! what the target says came of an input: an outcome that was not seen before (another error message, another shape of
//! result) keeps its input as a parent of later ones. That steers by behaviour the target tells apart, not by branches: it
//! finds less than libFuzzer with the same executions, and needs neither a nightly compiler nor a tool to be installed.
//!
//! A panic is caught, its input kept in a file. An input that takes longer than [`HANG`] ends the process with its file. One
//! that kills the process (a fault inside a C library) is found as `<target>.last`, which is written before each execution
//! where the target asks for it.

#![allow(clippy::print_stderr)] // What hangs is said before the end.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// No input may take longer.
pub const HANG: Duration = Duration::from_secs(20);
/// Inputs kept at most.
const MOST: usize = 2_000;
/// Longest input that is made.
const LONGEST: usize = 256 << 10;

/// When to stop: by the clock, or after so many executions.
#[derive(Clone, Copy, Default)]
pub struct Budget {
    pub until: Option<Instant>,
    pub executions: Option<u64>,
}

/// What came of it.
pub struct Done {
    pub executions: u64,
    pub outcomes: usize,
    pub given: usize,
    pub kept: usize,
    pub slowest: Duration,
    /// Its message, and where the input is.
    pub panic: Option<String>,
}

/// What is done with an input: a text that says what came of it.
pub type Target<'a> = dyn FnMut(&[u8]) -> String + 'a;

/// One target's run.
pub struct Fuzzer {
    name: String,
    corpus: Vec<Vec<u8>>,
    given: usize,
    random: Random,
    folder: Option<PathBuf>,
}

/// SplitMix64: as good as is needed, the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below `n`; 0 for 0.
    fn below(&mut self, n: usize) -> usize {
        if n == 0 { 0 } else { (self.next() % n as u64) as usize }
    }
}

/// What breaks parsers of text: numbers at their ends, quotes, signs of several bytes, nesting.
const TOKENS: [&[u8]; 34] = [
    b"0",
    b"-1",
    b"1e400",
    b"-1e-400",
    b"nan",
    b"inf",
    b"9223372036854775808",
    b"18446744073709551616",
    b"2147483648",
    b"0.1",
    b"\"",
    b"'",
    b"\\",
    b"\"\"\"",
    b"[",
    b"]",
    b"[[",
    b"]]",
    b"{",
    b"}",
    b"=",
    b",",
    b":",
    b";",
    b"\n",
    b"\r\n",
    b"\r\n\r\n",
    b"\0",
    b"\xff\xfe",
    "\u{4e00}\u{202e}\u{1f600}".as_bytes(),
    b"<",
    b"&#x0;",
    b"%00",
    b" ",
];

impl Fuzzer {
    /// Starts from a corpus, which must not be empty. The same seed and corpus make the same inputs as long as the outcomes are
    /// the same. Findings go into `folder`.
    pub fn new(name: &str, corpus: Vec<Vec<u8>>, seed: u64, folder: Option<&Path>) -> Self {
        assert!(!corpus.is_empty(), "{name}: nothing to begin with");
        let given = corpus.len();
        Self { name: name.to_owned(), corpus, given, random: Random(seed), folder: folder.map(Path::to_owned) }
    }

    /// Runs the corpus as it is, then what is made of it.
    pub fn run(mut self, target: &mut Target<'_>, budget: Budget) -> Done {
        let mut done =
            Done { executions: 0, outcomes: 0, given: self.given, kept: 0, slowest: Duration::ZERO, panic: None };
        let mut seen: BTreeSet<u64> = BTreeSet::new();
        let watch = Watch::start(&self.name, self.folder.as_deref());
        loop {
            let over = budget.until.is_some_and(|deadline| Instant::now() >= deadline)
                || budget.executions.is_some_and(|most| done.executions >= most);
            let as_given = usize::try_from(done.executions).ok().filter(|n| *n < self.given);
            // What was given is always tried.
            if over && as_given.is_none() {
                break;
            }
            let input = match as_given {
                Some(n) => self.corpus[n].clone(),
                None => self.mutated(),
            };
            watch.begin(&input);
            let started = Instant::now();
            let outcome = catch_unwind(AssertUnwindSafe(|| target(&input)));
            done.slowest = done.slowest.max(started.elapsed());
            watch.end();
            done.executions += 1;
            match outcome {
                Ok(outcome) => {
                    if seen.insert(kind(&outcome)) && as_given.is_none() && self.corpus.len() < MOST {
                        self.corpus.push(input);
                        done.kept += 1;
                    }
                }
                Err(panic) => {
                    let message = panic.downcast_ref::<String>().cloned();
                    let message = message.or_else(|| panic.downcast_ref::<&str>().map(|s| (*s).to_owned()));
                    let file = keep(&self.name, self.folder.as_deref(), "panic", &input);
                    done.panic = Some(format!("{} ({file})", message.unwrap_or_default()));
                    break;
                }
            }
        }
        done.outcomes = seen.len();
        done
    }

    fn mutated(&mut self) -> Vec<u8> {
        let r = &mut self.random;
        let mut input = self.corpus[r.below(self.corpus.len())].clone();
        for _ in 0..=r.below(6) {
            let at = r.below(input.len() + 1);
            let span = 1 + r.below(32.min(input.len() + 1));
            let end = (at + span).min(input.len());
            match r.below(10) {
                0 if !input.is_empty() => input[at.min(end.saturating_sub(1))] ^= 1 << r.below(8),
                1 if !input.is_empty() => input[at.min(end.saturating_sub(1))] = r.next() as u8,
                2 => drop(input.drain(at..end)),
                3 => {
                    let part = input[at..end].to_vec();
                    let times = 1 + r.below(64);
                    input.splice(at..at, part.repeat(times));
                }
                4 | 5 => {
                    let token = TOKENS[r.below(TOKENS.len())];
                    // Over what is there, or between.
                    let end = if r.below(2) == 0 { at } else { end };
                    input.splice(at..end, token.iter().copied());
                }
                6 => input.truncate(at),
                7 => {
                    // The beginning of one, the end of another.
                    let other = &self.corpus[r.below(self.corpus.len())];
                    let from = r.below(other.len() + 1);
                    input.truncate(at);
                    input.extend_from_slice(&other[from..]);
                }
                8 => swap_lines(&mut input, r),
                _ => number(&mut input, r),
            }
            input.truncate(LONGEST);
        }
        input
    }
}

/// Two lines change places, or one comes twice.
fn swap_lines(input: &mut Vec<u8>, r: &mut Random) {
    let mut lines: Vec<Vec<u8>> = input.split_inclusive(|b| *b == b'\n').map(<[u8]>::to_vec).collect();
    let (one, other) = (r.below(lines.len()), r.below(lines.len()));
    if lines.len() < 2 {
        return;
    }
    if r.below(2) == 0 {
        lines.swap(one, other)
    } else {
        lines.insert(one, lines[other].clone())
    }
    *input = lines.concat();
}

/// Another number where one is.
fn number(input: &mut Vec<u8>, r: &mut Random) {
    let digits: Vec<usize> = (0..input.len()).filter(|i| input[*i].is_ascii_digit()).collect();
    if digits.is_empty() {
        return;
    }
    let at = digits[r.below(digits.len())];
    let end = (at..input.len()).find(|i| !input[*i].is_ascii_digit()).unwrap_or(input.len());
    let token = TOKENS[r.below(10)];
    input.splice(at..end, token.iter().copied());
}

/// Outcomes that differ in numbers alone are one kind.
fn kind(outcome: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    let mut was_digit = false;
    for c in outcome.chars().take(2_000) {
        let is_digit = c.is_ascii_digit();
        if !(is_digit && was_digit) {
            (if is_digit { '0' } else { c }).hash(&mut hasher);
        }
        was_digit = is_digit;
    }
    hasher.finish()
}

fn keep(name: &str, folder: Option<&Path>, what: &str, input: &[u8]) -> String {
    let Some(folder) = folder else { return format!("{:?}", String::from_utf8_lossy(input)) };
    let mut hasher = DefaultHasher::new();
    input.hash(&mut hasher);
    let file = folder.join(format!("{name}.{what}-{:016x}", hasher.finish()));
    let kept = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&file, input));
    kept.map_or_else(|e| format!("not kept: {e}"), |()| file.display().to_string())
}

/// Sees when an input takes too long.
struct Watch {
    epoch: Instant,
    /// Milliseconds since `epoch` + 1 while an input is run; else 0.
    since: Arc<AtomicU64>,
    input: Arc<Mutex<Vec<u8>>>,
    over: Arc<AtomicBool>,
}

impl Watch {
    fn start(name: &str, folder: Option<&Path>) -> Self {
        let watch = Self { epoch: Instant::now(), since: Arc::default(), input: Arc::default(), over: Arc::default() };
        let (epoch, since, input, over) = (watch.epoch, watch.since.clone(), watch.input.clone(), watch.over.clone());
        let (name, folder) = (name.to_owned(), folder.map(Path::to_owned));
        std::thread::spawn(move || {
            while !over.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(200));
                let began = since.load(Ordering::Relaxed);
                if began > 0 && epoch.elapsed().as_millis() as u64 + 1 - began > HANG.as_millis() as u64 {
                    let input = input.lock().map(|input| input.clone()).unwrap_or_default();
                    eprintln!("{name}: HANG: {}", keep(&name, folder.as_deref(), "hang", &input));
                    std::process::exit(1);
                }
            }
        });
        watch
    }

    fn begin(&self, input: &[u8]) {
        if let Ok(mut kept) = self.input.lock() {
            kept.clear();
            kept.extend_from_slice(input);
        }
        self.since.store(self.epoch.elapsed().as_millis() as u64 + 1, Ordering::Relaxed);
    }

    fn end(&self) {
        self.since.store(0, Ordering::Relaxed);
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}
