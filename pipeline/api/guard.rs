//! What every request must satisfy and every answer carries.

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::Problem;

/// On every answer; a handler's own value stays.
const HEADERS: [(HeaderName, &str); 6] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
];

/// Refuses a Host that is not this listener on loopback (DNS rebinding), adds the headers.
pub(super) async fn guard(State(port): State<u16>, request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|h| h.to_str().ok());
    // HTTP/1.0 and absolute targets carry the name in the address.
    let host = host.or_else(|| request.uri().authority().map(|a| a.as_str()));
    let mut answer = if host.is_some_and(|host| is_ours(host, port)) {
        next.run(request).await
    } else {
        Problem::new(StatusCode::MISDIRECTED_REQUEST, "this server answers to 127.0.0.1, [::1] and localhost only")
            .into_response()
    };
    for (name, value) in HEADERS {
        answer.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    answer
}

fn is_ours(host: &str, port: u16) -> bool {
    let (name, given) = match host.rsplit_once(':') {
        Some((name, given)) if !given.ends_with(']') => (name, given.parse().ok()),
        _ => (host, Some(80)),
    };
    given == Some(port) && ["127.0.0.1", "[::1]"].contains(&name)
        || given == Some(port) && name.eq_ignore_ascii_case("localhost")
}

#[cfg(test)]
mod tests {
    use super::is_ours;

    #[test]
    fn only_loopback_names_with_the_port() {
        for host in ["127.0.0.1:8787", "localhost:8787", "LOCALHOST:8787", "[::1]:8787"] {
            assert!(is_ours(host, 8787), "{host}");
        }
        for host in [
            "evil.example:8787",
            "127.0.0.1:80",
            "127.0.0.1",
            "localhost.evil.example:8787",
            "[::1]",
            "",
            ":8787",
            "127.0.0.1:8787:1",
        ] {
            assert!(!is_ours(host, 8787), "{host}");
        }
        assert!(is_ours("localhost", 80) && is_ours("[::1]", 80));
    }
}
