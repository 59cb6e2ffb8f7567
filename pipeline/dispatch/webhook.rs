//! CloudEvents by HTTP POST, signed as Standard Webhooks 1.0 says.

use std::sync::Once;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::{Client, Response, StatusCode, redirect};

use crate::config::plan::Secret;
use crate::types::{Answer, Event, Span};

use super::SinkError;
use super::answer;
use super::cloudevent::{self, CloudEvent};
use super::secret;
use super::signature::Signer;

/// Of an answer, at most so much is read: enough to keep the connection for the next delivery.
const ANSWER: usize = 16 * 1024;
/// Longer than this the rest of an answer is not waited for: its status is known.
const ANSWER_TIME: Duration = Duration::from_secs(1);
/// Of a refusal, so much is kept to tell people.
const REASON: usize = 200;

/// Posts events to one address.
pub struct WebhookSink {
    id: String,
    url: reqwest::Url,
    client: Client,
    signer: Signer,
}

impl WebhookSink {
    /// Requests under way at once, of different alerts.
    pub const IN_FLIGHT: usize = 16;

    /// Reads the secrets and prepares a client; reaches nobody. No redirect is followed: it could lead a signed alert
    /// to another host.
    pub fn new(id: String, url: &str, secrets: &[Secret], timeout: Span) -> Result<Self, String> {
        let url = reqwest::Url::parse(url).map_err(|e| format!("`{url}` is not an address: {e}"))?;
        let secrets = secrets.iter().map(secret::resolve).collect::<Result<Vec<_>, _>>()?;
        let signer = Signer::new(secrets.iter().map(String::as_str))?;
        let timeout = Duration::from_secs_f64(timeout.secs_f64().max(0.001));
        install_tls();
        let client = Client::builder()
            .user_agent(concat!("lookout/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .timeout(timeout)
            .connect_timeout(timeout)
            .pool_max_idle_per_host(Self::IN_FLIGHT)
            .tcp_nodelay(true)
            .build()
            .map_err(|e| format!("cannot make an HTTP client: {}", chain(&e)))?;
        Ok(Self { id, url, client, signer })
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// What the receiver answered to the alert itself, if it did.
    pub(super) async fn deliver(&self, event: &Event) -> Result<Option<Result<Answer, String>>, SinkError> {
        let (Some(key), Some(envelope)) = (event.key(), CloudEvent::new(event)) else {
            return Ok(None);
        };
        let body = serde_json::to_vec(&envelope).map_err(|e| SinkError::later(e.to_string()))?;
        let timestamp = jiff::Timestamp::now().as_second();
        let mut request = self
            .client
            .post(self.url.clone())
            .header(CONTENT_TYPE, cloudevent::CONTENT_TYPE)
            .header("webhook-id", &key)
            .header("webhook-timestamp", timestamp.to_string());
        if let Some(signature) = self.signer.sign(&key, timestamp, &body) {
            request = request.header("webhook-signature", signature);
        }
        let answer = request.body(body).send().await.map_err(|e| SinkError::later(chain(&e.without_url())))?;
        judge(answer).await
    }
}

async fn judge(response: Response) -> Result<Option<Result<Answer, String>>, SinkError> {
    let status = response.status();
    let wish = retry_after(response.headers());
    let body = tokio::time::timeout(ANSWER_TIME, read(response)).await.unwrap_or_default();
    if status.is_success() {
        return Ok(answer::parse(&body));
    }
    let said = String::from_utf8_lossy(&body[..body.len().min(REASON)]).trim().replace(char::is_control, " ");
    let reason = if said.is_empty() { status.to_string() } else { format!("{status}: {said}") };
    if status == StatusCode::GONE {
        return Err(SinkError::Gone { reason });
    }
    Err(SinkError::Later { reason, wish })
}

/// The first part of the answer. The status decides: an answer that is too long or breaks off is no fault.
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
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}

/// reqwest without a built-in provider takes the process's. Installed once; somebody else's is as good.
fn install_tls() {
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
}
