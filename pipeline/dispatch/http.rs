//! What all sinks that speak HTTP share: a client that goes nowhere but to its receiver, and what an answer means.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Once};
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Certificate, Client, Response, StatusCode, redirect};

use crate::config::reach::is_public;
use crate::types::Span;

use super::SinkError;

/// Of an answer, at most so much is read: enough to keep the connection for the next delivery.
const ANSWER: usize = 16 * 1024;
/// Longer than this the rest of an answer is not waited for: its status is known.
const ANSWER_TIME: Duration = Duration::from_secs(1);
/// Of a refusal, so much is kept to tell people.
const REASON: usize = 200;

/// A client for one receiver; reaches nobody yet.
///
/// It follows no redirect, which could lead a signed alert to another host, and takes no proxy from the environment.
/// Unless `allow_private`, it connects to public addresses only, whatever a name resolves to at that moment. `ca` is a
/// PEM file with the only authorities to trust. `idle` connections stay open.
pub fn client(ca: Option<&Path>, allow_private: bool, timeout: Span, idle: usize) -> Result<Client, String> {
    install_tls();
    let timeout = Duration::from_secs_f64(timeout.secs_f64().max(0.001));
    let mut builder = Client::builder()
        .user_agent(concat!("lookout/", env!("CARGO_PKG_VERSION")))
        .redirect(redirect::Policy::none())
        .no_proxy()
        .timeout(timeout)
        .connect_timeout(timeout)
        .pool_max_idle_per_host(idle)
        .tcp_nodelay(true);
    if !allow_private {
        builder = builder.dns_resolver(Arc::new(PublicOnly));
    }
    if let Some(path) = ca {
        builder = builder.tls_certs_only(authorities(path)?);
    }
    builder.build().map_err(|e| format!("cannot make an HTTP client: {}", chain(&e)))
}

fn authorities(path: &Path) -> Result<Vec<Certificate>, String> {
    let pem = std::fs::read(path).map_err(|e| format!("{}: {e}", path.display()))?;
    match Certificate::from_pem_bundle(&pem) {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) => Err(format!("{}: holds no certificate in PEM form", path.display())),
        Err(e) => Err(format!("{}: {}", path.display(), chain(&e))),
    }
}

/// Looks names up and gives public addresses only. Addresses that are written out never come here: the configuration
/// has judged them.
struct PublicOnly;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            Ok(Box::new(public(name.as_str(), found)?.into_iter()) as Addrs)
        })
    }
}

fn public(name: &str, mut found: Vec<SocketAddr>) -> io::Result<Vec<SocketAddr>> {
    let inside = found.iter().find(|address| !is_public(address.ip())).map(SocketAddr::ip);
    found.retain(|address| is_public(address.ip()));
    match inside {
        Some(inside) if found.is_empty() => Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            format!("`{name}` is at {inside}, which is not public; `allow_private = true` would allow it"),
        )),
        _ => Ok(found),
    }
}

/// The first part of what a receiver says that took it. The status decides whether it did.
pub async fn judge(answer: Response) -> Result<Vec<u8>, SinkError> {
    let status = answer.status();
    let wish = retry_after(answer.headers());
    let body = tokio::time::timeout(ANSWER_TIME, read(answer)).await.unwrap_or_default();
    if status.is_success() {
        return Ok(body);
    }
    let said = String::from_utf8_lossy(&body[..body.len().min(REASON)]).trim().replace(char::is_control, " ");
    let reason = if said.is_empty() { status.to_string() } else { format!("{status}: {said}") };
    Err(match status {
        StatusCode::GONE => SinkError::Gone { reason },
        StatusCode::BAD_REQUEST
        | StatusCode::PAYLOAD_TOO_LARGE
        | StatusCode::UNSUPPORTED_MEDIA_TYPE
        | StatusCode::UNPROCESSABLE_ENTITY
            if wish.is_none() =>
        {
            SinkError::Refused { reason }
        }
        _ => SinkError::Later { reason, wish },
    })
}

/// The first part of the answer: one that is too long or breaks off is no fault.
async fn read(mut answer: Response) -> Vec<u8> {
    let mut body = Vec::new();
    while body.len() < ANSWER
        && let Ok(Some(chunk)) = answer.chunk().await
    {
        body.extend_from_slice(&chunk[..chunk.len().min(ANSWER - body.len())]);
    }
    body
}

/// Seconds or an HTTP date (RFC 9110, 10.2.3).
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    Duration::try_from(at.duration_since(jiff::Timestamp::now())).ok()
}

/// An error with its causes, which reqwest leaves out.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}

/// reqwest without a built-in provider takes the process's. Installed once; somebody else's is as good.
pub fn install_tls() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        if rustls::crypto::ring::default_provider().install_default().is_err() {
            tracing::debug!("a TLS provider was installed before");
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_takes_seconds_and_dates() {
        let with = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, text.parse().unwrap());
            retry_after(&headers)
        };
        assert_eq!(with("120"), Some(Duration::from_secs(120)));
        let ahead = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(90);
        let date = ahead.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let wish = with(&date).unwrap();
        assert!((80..=90).contains(&wish.as_secs()), "{wish:?}");
        assert_eq!(with("Thu, 01 Jan 1970 00:00:00 GMT"), None);
        assert_eq!(with("soon"), None);
    }

    #[test]
    fn a_name_leads_to_its_public_addresses_only() {
        let at = |texts: &[&str]| texts.iter().map(|t| SocketAddr::new(t.parse().unwrap(), 0)).collect::<Vec<_>>();
        assert_eq!(public("h", at(&["10.0.0.1", "1.1.1.1"])).unwrap(), at(&["1.1.1.1"]));
        let refused = public("h", at(&["10.0.0.1", "::1"])).unwrap_err().to_string();
        assert!(refused.contains("`h` is at 10.0.0.1") && refused.contains("allow_private"), "{refused}");
        assert_eq!(public("h", Vec::new()).unwrap(), [], "the connector says that there is none");
    }

    #[test]
    fn a_file_without_authorities_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        assert!(authorities(&path).unwrap_err().contains("ca.pem"), "there is none");
        std::fs::write(&path, "no certificate").unwrap();
        assert!(authorities(&path).unwrap_err().contains("holds no certificate"));
    }
}
