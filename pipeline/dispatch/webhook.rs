//! CloudEvents by HTTP POST, structured or binary, signed as Standard Webhooks 1.0 says.

use reqwest::Client;
use reqwest::header::CONTENT_TYPE;

use crate::config::plan::{self, Mode};
use crate::types::{Answer, Event};

use super::cloudevent::{self, CloudEvent};
use super::signature::Signer;
use super::{SinkError, answer, http, secret};

/// Posts events to one address.
pub struct WebhookSink {
    id: String,
    url: reqwest::Url,
    mode: Mode,
    client: Client,
    signer: Signer,
    answers: bool,
}

impl WebhookSink {
    /// Requests under way at once, of different alerts.
    pub const IN_FLIGHT: usize = 16;

    /// Reads the secrets and prepares a client; reaches nobody.
    pub fn new(id: String, plan: &plan::Webhook) -> Result<Self, String> {
        let plan::Webhook { url, mode, secrets, ca, allow_private, timeout, answers } = plan;
        let url = reqwest::Url::parse(url).map_err(|e| format!("`{url}` is not an address: {e}"))?;
        let secrets = secrets.iter().map(secret::resolve).collect::<Result<Vec<_>, _>>()?;
        let signer = Signer::new(secrets.iter().map(String::as_str))?;
        let client = http::client(ca.as_deref(), *allow_private, *timeout, Self::IN_FLIGHT)?;
        Ok(Self { id, url, mode: *mode, client, signer, answers: *answers })
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// Whether the receiver may answer alerts.
    pub(super) const fn may_answer(&self) -> bool {
        self.answers
    }

    /// What the receiver answered to the alert itself, if it did.
    pub(super) async fn deliver(&self, event: &Event) -> Result<Option<Result<Answer, String>>, SinkError> {
        let Some(envelope) = CloudEvent::new(event) else { return Ok(None) };
        let mut request = self.client.post(self.url.clone());
        let body = match self.mode {
            Mode::Structured => {
                request = request.header(CONTENT_TYPE, cloudevent::CONTENT_TYPE);
                serde_json::to_vec(&envelope)
            }
            Mode::Binary => {
                request = request.header(CONTENT_TYPE, cloudevent::DATA_CONTENT_TYPE);
                for (name, value) in envelope.attributes() {
                    request = request.header(format!("ce-{name}"), value);
                }
                serde_json::to_vec(event)
            }
        };
        let body = body.map_err(|e| SinkError::later(e.to_string()))?;
        let (key, timestamp) = (envelope.key(), jiff::Timestamp::now().as_second());
        request = request.header("webhook-id", key).header("webhook-timestamp", timestamp.to_string());
        if let Some(signature) = self.signer.sign(key, timestamp, &body) {
            request = request.header("webhook-signature", signature);
        }
        let response = request.body(body).send().await.map_err(|e| SinkError::later(http::chain(&e.without_url())))?;
        Ok(answer::parse(&http::judge(response).await?))
    }
}
