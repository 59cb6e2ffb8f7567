//! Where log lines go: standard error, as text for people or JSON for collectors. Nothing logs once a frame.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

/// How a log line is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// One readable line.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// What is logged unless `LOOKOUT_LOG` says otherwise: the HTTP stack only when something is wrong.
const DEFAULT_FILTER: &str = "info,ort=warn,hyper=warn,reqwest=warn,h2=warn";
/// The same for commands that answer and end.
const QUIET_FILTER: &str = "warn";

/// Logs could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// `LOOKOUT_LOG` is not a filter.
    #[error("LOOKOUT_LOG is not a log filter such as \"info,lookout=debug\": {0}")]
    Filter(#[from] tracing_subscriber::filter::ParseError),
    /// Called twice.
    #[error("logs are already set up: {0}")]
    Twice(#[from] tracing_subscriber::util::TryInitError),
}

/// Sets up logging for the process; to be called once. The filter is `LOOKOUT_LOG`, else `info`, or `warn` if `quiet`.
pub fn init(format: LogFormat, quiet: bool) -> Result<(), LogError> {
    let filter = match std::env::var("LOOKOUT_LOG") {
        Ok(text) if !text.is_empty() => EnvFilter::try_new(text)?,
        _ => EnvFilter::try_new(if quiet { QUIET_FILTER } else { DEFAULT_FILTER })?,
    };
    init_with(format, filter, std::io::stderr)
}

fn init_with<W>(format: LogFormat, filter: EnvFilter, writer: W) -> Result<(), LogError>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    use tracing_subscriber::util::SubscriberInitExt;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer).with_target(false);
    match format {
        LogFormat::Text => {
            builder.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).finish().try_init()?
        }
        LogFormat::Json => builder.json().flatten_event(true).finish().try_init()?,
    }
    Ok(())
}
