//! Common Alerting Protocol 1.2 by HTTP POST: one message an event, its idempotency key the identifier; and one when
//! dispatch calls an alert a false alarm, which cancels the others.

pub mod message;
mod standing;

use reqwest::Client;
use reqwest::header::CONTENT_TYPE;

use crate::alerts::journal::Delivery;
use crate::config::plan::Cap;
use crate::types::Answer;

use super::{SinkError, answer, http, secret};

/// Posts messages to one address.
pub struct CapSink {
    id: String,
    url: reqwest::Url,
    client: Client,
    token: Option<String>,
    plan: Cap,
}

impl CapSink {
    /// Requests under way at once, of different alerts.
    pub const IN_FLIGHT: usize = 8;

    /// Reads the token and prepares a client; reaches nobody.
    pub fn new(id: String, plan: &Cap) -> Result<Self, String> {
        let url = reqwest::Url::parse(&plan.url).map_err(|e| format!("`{}` is not an address: {e}", plan.url))?;
        let client = http::client(plan.ca.as_deref(), plan.allow_private, plan.timeout, Self::IN_FLIGHT)?;
        let token = plan.token.as_ref().map(secret::resolve).transpose()?;
        Ok(Self { id, url, client, token, plan: plan.clone() })
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// Whether the receiver may answer alerts.
    pub(super) const fn may_answer(&self) -> bool {
        self.plan.answers
    }

    /// What the receiver answered to the alert itself, if it did.
    pub(super) async fn deliver(&self, delivery: &Delivery) -> Result<Option<Result<Answer, String>>, SinkError> {
        let Delivery { event, answer, before, .. } = delivery;
        let standing = standing::standing(before);
        let message = match answer {
            Some(answer) => message::false_alarm(event, answer, standing, &self.plan),
            None if standing::is_told(event, before) => message::message(event, standing, &self.plan),
            None => None,
        };
        let Some(message) = message else { return Ok(None) };
        let message = message.map_err(|e| SinkError::later(e.to_string()))?;
        let mut request = self.client.post(self.url.clone()).header(CONTENT_TYPE, message::CONTENT_TYPE);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        let response =
            request.body(message).send().await.map_err(|e| SinkError::later(http::chain(&e.without_url())))?;
        Ok(answer::parse(&http::judge(response).await?))
    }
}
