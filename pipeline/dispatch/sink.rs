//! The closed set of receivers and what each of them promises to its worker.

use std::time::Duration;

use crate::alerts::journal::Delivery;
use crate::config::plan::{self, SinkKind};

use super::answer::Reply;
use super::file::FileSink;
use super::webhook::WebhookSink;

/// A receiver of alerts.
pub enum Sink {
    /// JSON lines.
    File(FileSink),
    /// CloudEvents by HTTP.
    Webhook(WebhookSink),
}

/// Why a receiver did not take a delivery.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SinkError {
    /// Not now: unreachable, overloaded, or it refused. To be repeated.
    #[error("{reason}")]
    Later {
        /// What happened.
        reason: String,
        /// When the receiver wants to be asked again.
        wish: Option<Duration>,
    },
    /// The receiver wants nothing any more.
    #[error("{reason}")]
    Gone {
        /// What it said.
        reason: String,
    },
}

impl SinkError {
    /// Whether to repeat the delivery.
    pub const fn retry(&self) -> bool {
        matches!(self, Self::Later { .. })
    }

    pub(super) fn later(reason: impl Into<String>) -> Self {
        Self::Later { reason: reason.into(), wish: None }
    }
}

impl Sink {
    /// From the plan: reads secrets, prepares clients, reaches nobody yet. The error is a sentence.
    pub fn build(plan: &plan::Sink) -> Result<Self, String> {
        Ok(match &plan.kind {
            SinkKind::File { path } => Self::File(FileSink::new(plan.id.clone(), path.clone())),
            SinkKind::Webhook { url, secrets, timeout } => {
                Self::Webhook(WebhookSink::new(plan.id.clone(), url, secrets, *timeout)?)
            }
        })
    }

    /// Sink id.
    pub fn id(&self) -> &str {
        match self {
            Self::File(sink) => sink.id(),
            Self::Webhook(sink) => sink.id(),
        }
    }

    /// Events that one `deliver` may take together.
    pub const fn batch(&self) -> usize {
        match self {
            Self::File(_) => FileSink::BATCH,
            Self::Webhook(_) => 1,
        }
    }

    /// Calls of `deliver` that may be under way at once, of different alerts.
    pub const fn in_flight(&self) -> usize {
        match self {
            Self::File(_) => 1,
            Self::Webhook(_) => WebhookSink::IN_FLIGHT,
        }
    }

    /// Hands over a batch: all of it is accepted and, as far as the receiver can promise, kept; or none is known to be.
    /// Gives what the receiver answered to the alerts themselves, if it is one that can.
    pub async fn deliver(&self, batch: &[Delivery]) -> Result<Vec<Reply>, SinkError> {
        match self {
            Self::File(sink) => sink.deliver(batch).await?,
            Self::Webhook(sink) => {
                let mut replies = Vec::new();
                for delivery in batch {
                    let answer = sink.deliver(&delivery.event).await?;
                    replies.extend(delivery.event.alert.zip(answer).map(|(alert, answer)| Reply { alert, answer }));
                }
                return Ok(replies);
            }
        }
        Ok(Vec::new())
    }
}
