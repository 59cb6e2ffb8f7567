//! Receivers of alerts and which alerts go to them.

use std::path::PathBuf;

use crate::config::schedule::Schedule;
use crate::types::{Kind, Severity, Span};

/// A receiver of alerts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sink {
    /// Sink id, a metric label.
    pub id: String,
    /// What it is.
    pub kind: SinkKind,
}

/// The closed set of receivers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SinkKind {
    /// JSON lines appended to a file.
    File {
        /// Absolute.
        path: PathBuf,
    },
    /// CloudEvents by HTTP POST with Standard Webhooks signatures.
    Webhook {
        /// http or https.
        url: String,
        /// Where the signing secrets come from; the first signs first.
        secrets: Vec<Secret>,
        /// How long an answer may take.
        timeout: Span,
    },
}

/// A secret that is never written in a configuration file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Secret {
    /// Name of an environment variable.
    Env(String),
    /// Path of a file.
    File(PathBuf),
}

/// Which alerts go to which receivers.
#[derive(Clone, Debug)]
pub struct Route {
    /// Route id, a metric label.
    pub id: String,
    /// Indices into [`Site::sinks`].
    pub to: Vec<usize>,
    /// Least severity.
    pub min_severity: Severity,
    /// Empty: all.
    pub kinds: Vec<Kind>,
    /// Empty: all.
    pub cameras: Vec<String>,
    /// Empty: all.
    pub zones: Vec<String>,
    /// Empty: all.
    pub grids: Vec<String>,
    /// When the route is in force; `None`: always.
    pub schedule: Option<Schedule>,
}
