//! What every request must satisfy and every answer carries.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::{LONGEST_BODY, Problem};

/// On every answer; a handler's own value stays.
const HEADERS: [(HeaderName, &str); 6] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
];

/// Of these the answer is the same for everybody who may reach it at all, under whatever name.
const PROBES: [&str; 3] = ["/healthz", "/readyz", "/metrics"];

/// The names that this server answers to.
#[derive(Clone)]
pub(super) struct Names {
    port: u16,
    public: Option<Arc<str>>,
    is_reachable: bool,
}

impl Names {
    /// Loopback with this port; and the host of `public`, the address in links, for signed links and answers alone. Where
    /// other machines reach it, by TLS or a proxy, that host or a plain address for everything, or any without `public`.
    pub(super) fn new(port: u16, public: Option<&str>, is_reachable: bool) -> Self {
        let host = public.and_then(|url| url.split_once("://")).and_then(|(_, rest)| rest.split('/').next());
        Self { port, public: host.map(Arc::from), is_reachable }
    }

    fn admit(&self, host: &str, method: &Method, uri: &Uri) -> bool {
        is_ours(host, self.port) || self.is_open(host, method, uri) || self.is_reachable && self.is_known(host, uri)
    }

    /// A page of another site can point a name of its own at this machine, but not an address.
    fn is_known(&self, host: &str, uri: &Uri) -> bool {
        let Some(public) = self.public.as_deref() else { return true };
        let is_address = host.parse::<SocketAddr>().is_ok() || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
        public.eq_ignore_ascii_case(host) || is_address || PROBES.contains(&uri.path())
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
    let is_admitted = host.is_some_and(|host| names.admit(host, request.method(), request.uri()));
    let mut answer = if !is_admitted {
        let what = match &names.public {
            Some(public) if names.is_reachable => format!("this server answers to {public}"),
            _ => "this server answers to 127.0.0.1, [::1] and localhost only".into(),
        };
        Problem::new(StatusCode::MISDIRECTED_REQUEST, what).into_response()
    } else if length(&request) > LONGEST_BODY {
        let what = format!("a body has at most {LONGEST_BODY} bytes");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, what).into_response()
    } else {
        next.run(request).await
    };
    for (name, value) in HEADERS {
        answer.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    answer
}

/// What the request says of its body; one that says nothing is cut off while it is read.
fn length(request: &Request) -> usize {
    let value = request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    value.and_then(|text| text.parse().ok()).unwrap_or(0)
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
        let names = Names::new(8787, Some("https://lookout.example/base"), false);
        let is_link = |host: &str, uri: &str| names.is_link(host, &uri.parse().unwrap());
        let file = "/api/v1/alerts/00/evidence/start.jpg";
        assert!(is_link("lookout.example", &format!("{file}?expires=1&signature=x")));
        assert!(!is_link("lookout.example", file));
        assert!(!is_link("lookout.example", "/api/v1/alerts?signature=x"));
        assert!(!is_link("lookout.example", "/metrics?signature=x"));
        assert!(!is_link("evil.example", &format!("{file}?expires=1&signature=x")));
        assert!(
            !Names::new(8787, None, false).is_link("lookout.example", &format!("{file}?signature=x").parse().unwrap())
        );
    }

    #[test]
    fn the_public_name_takes_answers() {
        let names = Names::new(8787, Some("https://lookout.example"), false);
        let is_open = |host: &str, method, uri: &str| names.is_open(host, &method, &uri.parse().unwrap());
        assert!(is_open("lookout.example", Method::POST, "/api/v1/alerts/00/status"));
        assert!(!is_open("evil.example", Method::POST, "/api/v1/alerts/00/status"));
        assert!(!is_open("lookout.example", Method::GET, "/api/v1/alerts/00/status"));
        assert!(!is_open("lookout.example", Method::POST, "/api/v1/quiet"));
        assert!(!Names::new(8787, None, false).is_open(
            "lookout.example",
            &Method::POST,
            &"/api/v1/alerts/0/status".parse().unwrap()
        ));
    }

    #[test]
    fn where_others_reach_it_the_public_name_or_a_plain_address_is_right() {
        let names = Names::new(8787, Some("https://lookout.example"), true);
        let admit = |names: &Names, host: &str, uri: &str| names.admit(host, &Method::GET, &uri.parse().unwrap());
        for host in
            ["lookout.example", "LOOKOUT.example", "10.0.0.8:8787", "10.0.0.8", "[fd00::8]:8787", "localhost:8787"]
        {
            assert!(admit(&names, host, "/api/v1/alerts"), "{host}");
        }
        for host in ["evil.example", "lookout.example.evil.example", "evil.example:8787", ""] {
            assert!(!admit(&names, host, "/api/v1/alerts"), "{host}");
        }
        assert!(admit(&names, "lookout.internal:8787", "/metrics"), "Prometheus has names of its own");
        assert!(admit(&Names::new(8787, None, true), "anything.example", "/api/v1/alerts"));
        assert!(!admit(&Names::new(8787, None, false), "10.0.0.8:8787", "/api/v1/alerts"), "loopback only");
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
