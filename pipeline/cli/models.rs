//! `lookout models`: which models there are, whether they are whole and fit, and how fast they are here.

mod bench;
mod fetch;

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde::Serialize;

use lookout::config::plan::{Inference, Provider};
use lookout::detect::{Catalog, DetectError, Entry, OnnxDetector};
use lookout::types::Size;

/// The detectors of the catalog: which there are, whether they are whole and fit, how fast they are here.
#[derive(Debug, Args)]
#[command(after_help = "Example: lookout models bench nanodet-g-person-int8 --input 640x480 --input 416x320")]
pub struct ModelsArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Lists the models of the catalog.
    #[command(after_help = "Example: lookout models list --json")]
    List {
        /// One JSON array instead of a table.
        #[arg(long)]
        json: bool,
    },
    /// Checks each file's SHA-256, loads it and checks that its outputs fit its head.
    #[command(after_help = "Example: lookout models verify")]
    Verify {
        /// Catalog ids; all if none is given.
        ids: Vec<String>,
        /// One JSON array instead of lines.
        #[arg(long)]
        json: bool,
    },
    /// Downloads a model's file from the address in its entry; it is put in place only if its SHA-256 is right.
    #[command(after_help = "Example: lookout models fetch my-yolo")]
    Fetch {
        /// Catalog id.
        id: String,
    },
    /// Measures how long an inference takes on this machine.
    #[command(after_help = "Example: lookout models bench nanodet-g-person-int8 --threads 2 --input 640x480")]
    Bench {
        /// Catalog id, or the path of a model that has an entry.
        id: String,
        /// Inputs as WIDTHxHEIGHT; those of the catalog if none is given.
        #[arg(long, value_name = "WxH")]
        input: Vec<Size>,
        /// Threads inside one inference.
        #[arg(long, default_value_t = 1)]
        threads: usize,
        /// Execution providers in the order in which they are tried.
        #[arg(long, value_delimiter = ',', default_value = "cpu", value_parser = provider)]
        providers: Vec<Provider>,
        /// Measured inferences of each input.
        #[arg(long, default_value_t = 30)]
        runs: usize,
        /// One JSON array instead of a table.
        #[arg(long)]
        json: bool,
    },
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum ModelsError {
    /// The catalog, a model or the library.
    #[error(transparent)]
    Detect(#[from] DetectError),
    /// A model without an address.
    #[error("model `{0}` has no `url` in the catalog")]
    NoAddress(String),
    /// The download broke.
    #[error("cannot fetch {url}: {reason}")]
    Fetch {
        /// From the catalog.
        url: String,
        /// Why.
        reason: String,
    },
    /// The download is another file.
    #[error("{url} is not the file of the catalog: its sha256 is {found}, not {wanted}")]
    OtherFile {
        /// From the catalog.
        url: String,
        /// Of the download.
        found: String,
        /// Of the catalog.
        wanted: String,
    },
    /// A file cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Standard output is gone.
    #[error("cannot write the result: {0}")]
    Output(#[from] std::io::Error),
}

impl ModelsError {
    /// Whether arguments, catalog or installation are wrong (exit code 2) rather than the attempt failed (1).
    pub fn is_usage(&self) -> bool {
        match self {
            Self::Detect(error) => !error.retry(),
            Self::NoAddress(_) => true,
            Self::Fetch { .. } | Self::OtherFile { .. } | Self::Write { .. } | Self::Output(_) => false,
        }
    }
}

#[derive(Serialize)]
struct Listed<'a> {
    id: &'a str,
    default: bool,
    head: lookout::detect::heads::Kind,
    sizes: Vec<String>,
    score: f32,
    licence: &'a str,
    origin: &'a str,
    file: String,
    present: bool,
    fetchable: bool,
}

#[derive(Serialize)]
struct Verified<'a> {
    id: &'a str,
    ok: bool,
    error: Option<String>,
}

/// Runs `lookout models …`; results go to `out`.
pub fn run(args: &ModelsArgs, out: &mut dyn Write) -> Result<(), ModelsError> {
    let catalog = Catalog::find()?;
    match &args.command {
        Command::List { json } => list(&catalog, *json, out),
        Command::Verify { ids, json } => verify(&catalog, ids, *json, out),
        Command::Fetch { id } => fetch::run(catalog.get(id)?, out),
        Command::Bench { id, input, threads, providers, runs, json } => {
            let entry = catalog.resolve(Some(id))?;
            let inference = Inference { providers: providers.clone(), workers: 1, threads: *threads, batch: 1 };
            bench::run(&entry, input, &inference, *runs, *json, out)
        }
    }
}

fn list(catalog: &Catalog, json: bool, out: &mut dyn Write) -> Result<(), ModelsError> {
    let default = &catalog.default_entry().id;
    let listed = |entry| listed(entry, default);
    let rows: Vec<Listed<'_>> = catalog.entries().iter().map(listed).collect();
    if json {
        return write_json(&rows, out);
    }
    for row in &rows {
        let default = if row.default { " (default)" } else { "" };
        let state = match (row.present, row.fetchable) {
            (true, _) => "",
            (false, true) => ", not here: `lookout models fetch` gets it",
            (false, false) => ", not here",
        };
        writeln!(out, "{}{default}: {} {}, {}{state}", row.id, row.head, row.sizes.join(" "), row.licence)?;
        writeln!(out, "    {}", row.origin)?;
    }
    Ok(())
}

fn listed<'a>(entry: &'a Entry, default: &str) -> Listed<'a> {
    Listed {
        id: &entry.id,
        default: entry.id == default,
        head: entry.head,
        sizes: entry.sizes.iter().map(Size::to_string).collect(),
        score: entry.score,
        licence: &entry.licence,
        origin: &entry.origin,
        file: entry.path.display().to_string(),
        present: entry.path.is_file(),
        fetchable: entry.url.is_some(),
    }
}

/// All models are checked; the first fault is the error.
fn verify(catalog: &Catalog, ids: &[String], json: bool, out: &mut dyn Write) -> Result<(), ModelsError> {
    let chosen: Vec<&Entry> = match ids {
        [] => catalog.entries().iter().collect(),
        ids => ids.iter().map(|id| catalog.get(id)).collect::<Result<_, _>>()?,
    };
    let inference = Inference { providers: vec![Provider::Cpu], workers: 1, threads: 1, batch: 1 };
    let (mut rows, mut first) = (Vec::new(), None);
    for entry in chosen {
        let result = OnnxDetector::new(entry, entry.default_size(), &[], &inference);
        let error = result.err();
        let text = error.as_ref().map(DetectError::to_string);
        if !json {
            writeln!(out, "{}: {}", entry.id, text.as_deref().unwrap_or("ok"))?;
        }
        rows.push(Verified { id: &entry.id, ok: text.is_none(), error: text });
        first = first.or(error);
    }
    if json {
        write_json(&rows, out)?;
    }
    first.map_or(Ok(()), |error| Err(error.into()))
}

fn write_json(rows: &impl Serialize, out: &mut dyn Write) -> Result<(), ModelsError> {
    let text = serde_json::to_string_pretty(rows).map_err(std::io::Error::from)?;
    Ok(writeln!(out, "{text}")?)
}

fn provider(word: &str) -> Result<Provider, String> {
    match word {
        "tensorrt" => Ok(Provider::Tensorrt),
        "cuda" => Ok(Provider::Cuda),
        "cpu" => Ok(Provider::Cpu),
        _ => Err("a provider is tensorrt, cuda or cpu".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        models: ModelsArgs,
    }

    fn output(words: &[&str]) -> Result<String, ModelsError> {
        let cli = Cli::try_parse_from([&["lookout"], words].concat()).unwrap();
        let mut out = Vec::new();
        run(&cli.models, &mut out)?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn data_is_json() {
        let array = |words: &[&str]| -> Vec<serde_json::Value> {
            serde_json::from_str(&output(&[words, &["--json"]].concat()).unwrap()).unwrap()
        };
        let default = "nanodet-g-person-int8";
        assert!(
            array(&["list"]).iter().any(|row| row["id"] == default && row["default"] == true && row["present"] == true)
        );
        assert!(array(&["verify", default]).iter().all(|row| row["ok"] == true && row["error"].is_null()));
        let rows = array(&["bench", default, "--input", "96x64", "--runs", "2"]);
        assert!(rows.len() == 1 && rows[0]["input"] == "96x64" && rows[0]["infer_ms"].as_f64().unwrap() > 0.0);
    }

    #[test]
    fn unknown_models_and_sizes_are_usage_errors() {
        for words in [
            &["verify", "nothing"][..],
            &["fetch", "nothing"],
            &["bench", "nanodet-g-person-int8", "--input", "100x64"],
        ] {
            assert!(output(words).unwrap_err().is_usage());
        }
        assert!(Cli::try_parse_from(["lookout", "bench", "x", "--providers", "cpu,abacus"]).is_err());
    }
}
