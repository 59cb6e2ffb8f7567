//! What every request must satisfy and every answer carries.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, Uri, header};
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

/// The names that this server answers to.
#[derive(Clone)]
pub(super) struct Names {
    port: u16,
    public: Option<Arc<str>>,
}

impl Names {
    /// Loopback with this port; and the host of `public`, the address in links, for signed links and answers alone.
    pub(super) fn new(port: u16, public: Option<&str>) -> Self {
        let host = public.and_then(|url| url.split_once("://")).and_then(|(_, rest)| rest.split('/').next());
        Self { port, public: host.map(Arc::from) }
    }

    /// What another host may ask for: it carries its own proof.
    fn is_open(&self, host: &str, method: &Method, uri: &Uri) -> bool {
        let path = uri.path();
        let is_answer = *method == Method::POST && path.starts_with("/api/v1/alerts/") && path.ends_with("/status");
        self.public.as_deref().is_some_and(|public| public.eq_ignore_ascii_case(host)) && is_answer
            || self.is_link(host, uri)
    }

    fn is_link(&self, host: &str, uri: &Uri) -> bool {
        let signed = uri.query().is_some_and(|query| query.split('&').any(|part| part.starts_with("signature=")));
        let path = uri.path();
        signed
            && path.starts_with("/api/v1/alerts/")
            && path.contains("/evidence/")
            && self.public.as_deref().is_some_and(|public| public.eq_ignore_ascii_case(host))
    }
}

/// Refuses a Host that is not this listener on loopback (DNS rebinding), adds the headers.
pub(super) async fn guard(State(names): State<Names>, request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|h| h.to_str().ok());
    // HTTP/1.0 and absolute targets carry the name in the address.
    let host = host.or_else(|| request.uri().authority().map(|a| a.as_str()));
    let mut answer =
        if host.is_some_and(|host| is_ours(host, names.port) || names.is_open(host, request.method(), request.uri())) {
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
    use axum::http::Method;

    use super::{Names, is_ours};

    #[test]
    fn the_public_name_opens_signed_links_alone() {
        let names = Names::new(8787, Some("https://lookout.example/base"));
        let is_link = |host: &str, uri: &str| names.is_link(host, &uri.parse().unwrap());
        let file = "/api/v1/alerts/00/evidence/start.jpg";
        assert!(is_link("lookout.example", &format!("{file}?expires=1&signature=x")));
        assert!(!is_link("lookout.example", file));
        assert!(!is_link("lookout.example", "/api/v1/alerts?signature=x"));
        assert!(!is_link("lookout.example", "/metrics?signature=x"));
        assert!(!is_link("evil.example", &format!("{file}?expires=1&signature=x")));
        assert!(!Names::new(8787, None).is_link("lookout.example", &format!("{file}?signature=x").parse().unwrap()));
    }

    #[test]
    fn the_public_name_takes_answers() {
        let names = Names::new(8787, Some("https://lookout.example"));
        let is_open = |host: &str, method, uri: &str| names.is_open(host, &method, &uri.parse().unwrap());
        assert!(is_open("lookout.example", Method::POST, "/api/v1/alerts/00/status"));
        assert!(!is_open("evil.example", Method::POST, "/api/v1/alerts/00/status"));
        assert!(!is_open("lookout.example", Method::GET, "/api/v1/alerts/00/status"));
        assert!(!is_open("lookout.example", Method::POST, "/api/v1/quiet"));
        assert!(!Names::new(8787, None).is_open(
            "lookout.example",
            &Method::POST,
            &"/api/v1/alerts/0/status".parse().unwrap()
        ));
    }

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
