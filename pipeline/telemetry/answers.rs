//! What is counted of answers, route by route.

use prometheus::{Gauge, GaugeVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec};

use super::metrics::Builder;
use crate::types::answer::ANSWERS;

/// Why an answer was not taken; the `reason` of `lookout_answers_refused_total`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Without a token, or with one that is not good.
    Unauthorized,
    /// With a token that does not answer this alert, or by a receiver that may not answer.
    Forbidden,
    /// There is no such alert.
    Unknown,
    /// It is not an answer.
    Malformed,
    /// The alert has too many.
    TooMany,
}

/// Counts answers; cheap to clone.
#[derive(Clone)]
pub struct AnswerMetrics {
    taken: IntCounterVec,
    refused: IntCounterVec,
    unanswered: IntGaugeVec,
    overdue: IntCounterVec,
    tested: GaugeVec,
    of_grid: IntGaugeVec,
    of_kind: IntGaugeVec,
    minutes_of_grid: GaugeVec,
    minutes_of_kind: GaugeVec,
    false_of_grid: GaugeVec,
    false_of_kind: GaugeVec,
}

/// Today's figures of one grid or kind.
pub struct FigureMetrics {
    alerts: [IntGauge; FIGURES.len()],
    minutes: Gauge,
    false_alarm_share: Gauge,
}

/// What is counted of a day's alerts; the `figure` of `lookout_grid_alerts_today` and `lookout_kind_alerts_today`.
pub const FIGURES: [&str; 6] = ["received", "answered", "resolved", "false_alarm", "due", "in_time"];

/// Handles of one route.
pub struct RouteMetrics {
    /// Alerts that must be answered and are not.
    pub unanswered: IntGauge,
    /// Alerts whose deadline passed without an answer.
    pub overdue: IntCounter,
    /// Unix time at which a test alert was last delivered to all its sinks; 0: never.
    pub tested: Gauge,
}

impl Refusal {
    const ALL: [Self; 5] = [Self::Unauthorized, Self::Forbidden, Self::Unknown, Self::Malformed, Self::TooMany];

    const fn word(self) -> &'static str {
        match self {
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::Unknown => "unknown",
            Self::Malformed => "malformed",
            Self::TooMany => "too_many",
        }
    }
}

impl AnswerMetrics {
    pub(super) fn new(b: &Builder) -> Result<Self, prometheus::Error> {
        let metrics = Self {
            taken: b.counters("lookout_answers_total", "Answers of dispatch to alerts.", &["route", "outcome"])?,
            refused: b.counters("lookout_answers_refused_total", "Answers that were not taken.", &["reason"])?,
            unanswered: b.gauges(
                "lookout_alerts_unanswered",
                "Alerts that must be answered and are not.",
                &["route"],
            )?,
            overdue: b.counters("lookout_alerts_overdue_total", "Alerts that nobody answered in time.", &["route"])?,
            tested: b.float_gauges(
                "lookout_alert_test_success_timestamp_seconds",
                "Unix time at which a test alert was last delivered to all sinks of a route.",
                &["route"],
            )?,
            of_grid: b.gauges(
                "lookout_grid_alerts_today",
                "Today's alerts of a grid by how they were answered.",
                &["grid", "figure"],
            )?,
            of_kind: b.gauges(
                "lookout_kind_alerts_today",
                "Today's alerts of a kind by how they were answered.",
                &["kind", "figure"],
            )?,
            minutes_of_grid: b.float_gauges(
                "lookout_grid_answer_minutes_today",
                "Median minutes to the first answer today; 0 without answers.",
                &["grid"],
            )?,
            minutes_of_kind: b.float_gauges(
                "lookout_kind_answer_minutes_today",
                "Median minutes to the first answer today; 0 without answers.",
                &["kind"],
            )?,
            false_of_grid: b.float_gauges(
                "lookout_grid_false_alarm_share_today",
                "False alarms as a share of today's answered alerts, 0 to 1; 0 without answers.",
                &["grid"],
            )?,
            false_of_kind: b.float_gauges(
                "lookout_kind_false_alarm_share_today",
                "False alarms as a share of today's answered alerts, 0 to 1; 0 without answers.",
                &["kind"],
            )?,
        };
        for reason in Refusal::ALL {
            metrics.refused.with_label_values(&[reason.word()]);
        }
        Ok(metrics)
    }

    pub(super) fn for_route(&self, route: &str) -> RouteMetrics {
        for answer in ANSWERS {
            self.taken.with_label_values(&[route, answer]);
        }
        RouteMetrics {
            unanswered: self.unanswered.with_label_values(&[route]),
            overdue: self.overdue.with_label_values(&[route]),
            tested: self.tested.with_label_values(&[route]),
        }
    }

    pub(super) fn for_grid(&self, grid: &str) -> FigureMetrics {
        FigureMetrics {
            alerts: FIGURES.map(|figure| self.of_grid.with_label_values(&[grid, figure])),
            minutes: self.minutes_of_grid.with_label_values(&[grid]),
            false_alarm_share: self.false_of_grid.with_label_values(&[grid]),
        }
    }

    pub(super) fn for_kind(&self, kind: &str) -> FigureMetrics {
        FigureMetrics {
            alerts: FIGURES.map(|figure| self.of_kind.with_label_values(&[kind, figure])),
            minutes: self.minutes_of_kind.with_label_values(&[kind]),
            false_alarm_share: self.false_of_kind.with_label_values(&[kind]),
        }
    }

    /// Counts an answer to an alert that this route announced; `answer` is an index into [`ANSWERS`].
    pub fn taken(&self, route: &str, answer: usize) {
        if let Some(word) = ANSWERS.get(answer) {
            self.taken.with_label_values(&[route, *word]).inc();
        }
    }

    /// Counts an answer that was not taken.
    pub fn refused(&self, why: Refusal) {
        self.refused.with_label_values(&[why.word()]).inc();
    }
}

impl FigureMetrics {
    /// Shows today's figures, in the order of [`FIGURES`], with the median minutes to the first answer and the share of
    /// false alarms among the answered.
    pub fn show(&self, alerts: [u32; FIGURES.len()], median_minutes: Option<f64>, false_alarm_share: Option<f64>) {
        self.alerts.iter().zip(alerts).for_each(|(gauge, n)| gauge.set(i64::from(n)));
        self.minutes.set(median_minutes.unwrap_or(0.0));
        self.false_alarm_share.set(false_alarm_share.unwrap_or(0.0));
    }
}
