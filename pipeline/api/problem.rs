//! Errors as problem details (RFC 9457).

use axum::Json;
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::store::StoreError;
use crate::config::{ConfigError, Fault};

/// An error that a client can read.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Problem {
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'static str,
    #[serde(serialize_with = "code")]
    #[schema(value_type = u16)]
    status: StatusCode,
    detail: String,
    /// Seconds after which the same may succeed, as a header.
    #[serde(skip)]
    retry_after: Option<u64>,
    /// Of a refused configuration.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    faults: Vec<FaultRow>,
}

/// One thing that is wrong in a configuration.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Fault)]
pub(super) struct FaultRow {
    /// Name of the file.
    file: String,
    line: usize,
    column: usize,
    field: String,
    message: String,
}

/// Where they are is told by the files' names: where those lie is nobody's matter.
pub(super) fn rows(faults: Vec<Fault>) -> Vec<FaultRow> {
    let row = |fault: Fault| FaultRow {
        file: fault.file.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        line: fault.line,
        column: fault.column,
        field: fault.field,
        message: fault.message,
    };
    faults.into_iter().map(row).collect()
}

fn code<S: serde::Serializer>(status: &StatusCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u16(status.as_u16())
}

impl Problem {
    /// With a sentence that says what is wrong.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        let title = status.canonical_reason().unwrap_or("Error");
        Self { kind: "about:blank", title, status, detail: detail.into(), retry_after: None, faults: Vec::new() }
    }

    /// Of a kind that clients know by this address.
    pub(super) fn of_kind(self, kind: &'static str) -> Self {
        Self { kind, ..self }
    }

    /// Says after how many seconds the same may succeed.
    pub(super) fn retry_after(self, seconds: u64) -> Self {
        Self { retry_after: Some(seconds), ..self }
    }

    /// The console's database cannot be read or written; why goes into the log alone.
    pub(super) fn store(error: &StoreError) -> Self {
        tracing::error!(%error, "the console's database does not do its work");
        Self::unavailable("the console's database cannot be read or written now")
    }

    pub(super) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// A configuration with all that is wrong in it.
    pub(super) fn refused(error: ConfigError) -> Self {
        let faults = rows(error.faults);
        let many = if faults.len() == 1 { "one fault".into() } else { format!("{} faults", faults.len()) };
        Self { faults, ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, format!("the configuration has {many}")) }
    }

    pub(super) fn missing(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, detail)
    }

    pub(super) fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, detail)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let unauthorized = self.status == StatusCode::UNAUTHORIZED;
        let retry_after = self.retry_after;
        let mut answer = (self.status, Json(self)).into_response();
        if let Some(seconds) = retry_after {
            answer.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        if unauthorized {
            let scheme = HeaderValue::from_static("Bearer realm=\"lookout\"");
            answer.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
        }
        let kind = HeaderValue::from_static("application/problem+json");
        answer.headers_mut().insert(header::CONTENT_TYPE, kind);
        answer
    }
}

pub(super) async fn not_found(uri: Uri) -> Problem {
    Problem::missing(format!("there is nothing at {}", uri.path()))
}

pub(super) async fn wrong_method() -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "this address does not take that method; most can only be read (GET)")
}
