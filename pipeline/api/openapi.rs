//! The description of the API: `GET /api/v1/openapi.json`. Each handler says what it takes and gives; what all have in
//! common, above all how they refuse, is added here.

use axum::body::Bytes;
use axum::http::{Method, StatusCode, header};
use axum::response::IntoResponse;
use utoipa::OpenApi as _;
use utoipa::openapi::path::{Operation, ParameterIn, PathItem};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, RefOr, Response, ResponseBuilder};

use super::Problem;
use super::access::COOKIE;

/// Where the description is.
pub(super) const PATH: &str = "/api/v1/openapi.json";
/// How problems are sent.
const PROBLEM: &str = "application/problem+json";

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Lookout",
        description = "Cameras, alerts, answers and users of one site. Whoever is not logged in gets 401; times are RFC 3339 in \
            UTC; places on the picture are fractions, y down. What changes something by a session's cookie carries \
            `X-Lookout-CSRF` with the value that the session gave."
    ),
    components(schemas(Problem))
)]
struct Base;

/// What holds for all addresses.
pub(super) fn base() -> OpenApi {
    let mut api = Base::openapi();
    let components = api.components.get_or_insert_default();
    let cookie = SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new(COOKIE)));
    components.add_security_scheme("session", cookie);
    components.add_security_scheme("token", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)));
    for status in REFUSALS {
        components.responses.insert(name(status), RefOr::T(refusal(status)));
    }
    let none: [&str; 0] = [];
    api.security = Some(["session", "token"].map(|name| SecurityRequirement::new(name, none)).into());
    api
}

/// How requests are refused, whatever they ask for.
const REFUSALS: [StatusCode; 9] = [
    StatusCode::BAD_REQUEST,
    StatusCode::UNAUTHORIZED,
    StatusCode::FORBIDDEN,
    StatusCode::NOT_FOUND,
    StatusCode::PAYLOAD_TOO_LARGE,
    StatusCode::UNSUPPORTED_MEDIA_TYPE,
    StatusCode::UNPROCESSABLE_ENTITY,
    StatusCode::MISDIRECTED_REQUEST,
    StatusCode::SERVICE_UNAVAILABLE,
];

/// Adds the refusals to every operation and writes the description as JSON.
pub(super) fn complete(mut api: OpenApi) -> Bytes {
    for (path, item) in &mut api.paths.paths {
        for (method, operation) in operations(item) {
            operation.operation_id = Some(id(&method, path));
            add_refusals(operation, path.contains('{'), method != Method::GET);
        }
    }
    // A description that cannot be written is empty: nothing depends on it, and a test reads it.
    Bytes::from(serde_json::to_vec(&api).unwrap_or_default())
}

/// The description.
pub(super) async fn show(description: Bytes) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], description)
}

/// What an address can be asked.
fn operations(item: &mut PathItem) -> impl Iterator<Item = (Method, &mut Operation)> {
    let PathItem { get, put, post, delete, patch, .. } = item;
    let all = [
        (Method::GET, get),
        (Method::PUT, put),
        (Method::POST, post),
        (Method::DELETE, delete),
        (Method::PATCH, patch),
    ];
    all.into_iter().filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

/// A name that no other operation has: `get_cameras_id_live`.
fn id(method: &Method, path: &str) -> String {
    let parts = path.trim_start_matches("/api/v1").split(['/', '{', '}', '.', '-']).filter(|part| !part.is_empty());
    let words: Vec<&str> = parts.collect();
    format!("{}_{}", method.as_str().to_ascii_lowercase(), words.join("_"))
}

fn add_refusals(operation: &mut Operation, is_nested: bool, changes: bool) {
    let has_query = operation
        .parameters
        .iter()
        .flatten()
        .any(|parameter| matches!(parameter, RefOr::T(parameter) if parameter.parameter_in == ParameterIn::Query));
    let has_body = operation.request_body.is_some();
    let is_guarded = operation.security.is_none();
    for status in REFUSALS {
        let applies = match status {
            StatusCode::BAD_REQUEST => is_nested || has_query || has_body,
            StatusCode::UNAUTHORIZED => is_guarded,
            StatusCode::FORBIDDEN => is_guarded || changes,
            StatusCode::NOT_FOUND => is_nested,
            StatusCode::PAYLOAD_TOO_LARGE | StatusCode::UNSUPPORTED_MEDIA_TYPE | StatusCode::UNPROCESSABLE_ENTITY => {
                has_body
            }
            _ => true,
        };
        if applies {
            let refused = RefOr::Ref(Ref::from_response_name(name(status)));
            operation.responses.responses.entry(status.as_str().to_owned()).or_insert(refused);
        }
    }
}

fn name(status: StatusCode) -> String {
    status.canonical_reason().unwrap_or("Refused").replace(' ', "")
}

fn refusal(status: StatusCode) -> Response {
    let problem = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    let description = status.canonical_reason().unwrap_or("refused");
    ResponseBuilder::new().description(description).content(PROBLEM, problem).build()
}
