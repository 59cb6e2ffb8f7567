//! With the feature: spans are made when they are over, with the times at which things happened. What is not sampled costs one
//! comparison.

use std::borrow::Cow;
use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use opentelemetry::trace::{
    Span as _, SpanBuilder, SpanContext, SpanId, SpanKind, Status, TraceContextExt, TraceFlags, TraceId, TraceState,
    Tracer as _, TracerProvider as _,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator, Sampler, SdkTracer, SdkTracerProvider};
use tokio::runtime::Handle;

use super::{Stations, TraceError};
use crate::types::{AlertId, Event, State};

/// A collector has so long to answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// Of its answer so much is read.
const ANSWER: usize = 64 * 1024;
/// Pictures traced, unless somebody says otherwise.
const PICTURES: f64 = 0.001;

static ON: OnceLock<On> = OnceLock::new();

/// What a process traces with.
struct On {
    tracer: SdkTracer,
    alerts: Share,
    pictures: Share,
    seen: AtomicU64,
}

/// Sends what is left when dropped.
#[derive(Debug)]
pub struct Traces(Option<SdkTracerProvider>);

impl Traces {
    /// Sends what is left.
    pub fn end(self) {}
}

impl Drop for Traces {
    fn drop(&mut self) {
        if let Some(provider) = self.0.take()
            && let Err(error) = provider.shutdown_with_timeout(PATIENCE)
        {
            tracing::warn!(%error, "the last traces were not sent");
        }
    }
}

/// Of numbers that are evenly spread, those below are taken.
#[derive(Clone, Copy, Debug)]
struct Share(Option<u64>);

impl Share {
    fn read(name: &'static str, default: f64) -> Result<Self, TraceError> {
        let share = match std::env::var(name) {
            Ok(value) if !value.is_empty() => match value.trim().parse::<f64>() {
                Ok(share) if (0.0..=1.0).contains(&share) => share,
                _ => return Err(TraceError::Share { name, value }),
            },
            _ => default,
        };
        Ok(Self::of(share))
    }

    fn of(share: f64) -> Self {
        // Saturates at 1.
        Self((share > 0.0).then_some((share * u64::MAX as f64) as u64))
    }

    fn takes(self, number: u64) -> bool {
        self.0.is_some_and(|most| number <= most)
    }
}

/// Begins to trace if the environment names a collector; once a process. Answers of the collector are awaited on `runtime`.
pub fn start(runtime: &Handle) -> Result<Traces, TraceError> {
    let set = |name: &str| std::env::var(name).is_ok_and(|value| !value.is_empty());
    let named = set("OTEL_EXPORTER_OTLP_ENDPOINT") || set("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
    if !named || std::env::var("OTEL_SDK_DISABLED").is_ok_and(|value| value.eq_ignore_ascii_case("true")) {
        return Ok(Traces(None));
    }
    let (alerts, pictures) =
        (Share::read("OTEL_TRACES_SAMPLER_ARG", 1.0)?, Share::read("LOOKOUT_TRACE_PICTURES", PICTURES)?);
    let exporter = SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpJson)
        .with_http_client(Sender::new(runtime)?)
        .build()
        .map_err(|error| TraceError::Exporter(error.to_string()))?;
    // The variables of OpenTelemetry go before what is said here.
    let named = std::env::var("OTEL_SERVICE_NAME").unwrap_or_else(|_| "lookout".into());
    let resource = Resource::builder()
        .with_service_name(named)
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .build();
    // What is to be traced is decided before a span is made.
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_sampler(Sampler::AlwaysOn)
        .with_id_generator(Ids(RandomIdGenerator::default()))
        .with_resource(resource)
        .build();
    ON.get_or_init(|| On { tracer: provider.tracer("lookout"), alerts, pictures, seen: AtomicU64::new(0) });
    tracing::info!("traces are sent to a collector");
    Ok(Traces(Some(provider)))
}

/// Whether the next picture is one of those that are traced.
pub fn wants_picture() -> bool {
    // SplitMix64 (Steele, Lea, Flood 2014): every picture of every camera has the same chance, whatever their order.
    ON.get().is_some_and(|on| {
        let mut z = on.seen.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        on.pictures.takes(z ^ (z >> 31))
    })
}

/// A picture of `camera` that was asked for by [`wants_picture`].
pub fn picture(camera: &str, at: Stations) {
    let Some(on) = ON.get() else { return };
    let clock = Clock::now();
    let whole = SpanBuilder::from_name("picture")
        .with_start_time(clock.of(at.arrived))
        .with_attributes([KeyValue::new("lookout.camera", camera.to_owned())]);
    let mut whole = on.tracer.build_with_context(whole, &Context::new());
    let context = Context::new().with_remote_span_context(whole.span_context().clone());
    let converted = at.taken + at.convert;
    let rules = at.done.checked_sub(at.rules).unwrap_or(at.done);
    let track = rules.checked_sub(at.track).unwrap_or(rules);
    for (name, from, to) in [
        ("capture", at.arrived, at.taken),
        ("convert", at.taken, converted),
        ("infer", converted, converted + at.infer),
        ("track", track, rules),
        ("rules", rules, at.done),
    ] {
        on.span(SpanBuilder::from_name(name), (clock.of(from), clock.of(to)), &context, None);
    }
    whole.end_with_timestamp(clock.of(at.done));
}

/// An event is in the journal; writing it began at `began`.
pub fn journalled(event: &Event, began: Instant) {
    let Some((on, alert)) = traced(event) else { return };
    let (clock, end) = (Clock::now(), SystemTime::now());
    let from = clock.of(began);
    if event.state == State::Started {
        let attributes = [
            KeyValue::new("lookout.kind", event.kind.word()),
            KeyValue::new("lookout.camera", event.camera.clone().unwrap_or_default()),
            KeyValue::new("lookout.rule", event.rule.clone().unwrap_or_default()),
        ];
        let at = u64::try_from(event.at.as_millisecond()).map(Duration::from_millis);
        let caused = at.map_or(from, |at| SystemTime::UNIX_EPOCH + at).min(from);
        NEXT.set(Some(ids(alert)));
        on.span(SpanBuilder::from_name("alert").with_attributes(attributes), (caused, end), &Context::new(), None);
        NEXT.set(None);
    }
    let builder = SpanBuilder::from_name("journal").with_attributes(about(event));
    on.span(builder, (from, end), &below(alert), None);
}

/// An attempt to deliver an event to `sink`, the `attempt`-th, is over; `failed` says why it failed.
pub fn attempted(event: &Event, sink: &str, attempt: u32, began: Instant, failed: Option<&str>) {
    let Some((on, alert)) = traced(event) else { return };
    let mut attributes = about(event).to_vec();
    attributes.push(KeyValue::new("lookout.sink", sink.to_owned()));
    attributes.push(KeyValue::new("lookout.attempt", i64::from(attempt)));
    let builder = SpanBuilder::from_name("delivery").with_kind(SpanKind::Producer).with_attributes(attributes);
    on.span(builder, (Clock::now().of(began), SystemTime::now()), &below(alert), failed);
}

fn traced(event: &Event) -> Option<(&'static On, AlertId)> {
    let (on, alert) = (ON.get()?, event.alert?);
    // The id is a part of a SHA-256, so that any of its bytes are evenly spread.
    let [.., a, b, c, d, e, f, g, h] = alert.0;
    on.alerts.takes(u64::from_be_bytes([a, b, c, d, e, f, g, h])).then_some((on, alert))
}

fn about(event: &Event) -> [KeyValue; 2] {
    [KeyValue::new("lookout.seq", i64::from(event.seq)), KeyValue::new("lookout.state", event.state.word())]
}

/// The trace of an alert and its first span.
fn ids(alert: AlertId) -> (TraceId, SpanId) {
    let [a, b, c, d, e, f, g, h, ..] = alert.0;
    (TraceId::from_bytes(alert.0), SpanId::from_bytes([a, b, c, d, e, f, g, h]))
}

/// Within the trace of an alert, whoever made its first span, and when.
fn below(alert: AlertId) -> Context {
    let (trace, span) = ids(alert);
    let context = SpanContext::new(trace, span, TraceFlags::SAMPLED, true, TraceState::default());
    Context::new().with_remote_span_context(context)
}

impl On {
    /// A span that is over.
    fn span(&self, builder: SpanBuilder, (from, to): (SystemTime, SystemTime), within: &Context, failed: Option<&str>) {
        let mut span = self.tracer.build_with_context(builder.with_start_time(from), within);
        if let Some(why) = failed {
            span.set_status(Status::Error { description: Cow::Owned(why.to_owned()) });
        }
        span.end_with_timestamp(to.max(from));
    }
}

/// Instants as times of day.
struct Clock(Instant, SystemTime);

impl Clock {
    fn now() -> Self {
        Self(Instant::now(), SystemTime::now())
    }

    fn of(&self, at: Instant) -> SystemTime {
        match at.checked_duration_since(self.0) {
            Some(later) => self.1 + later,
            None => self.1.checked_sub(self.0 - at).unwrap_or(self.1),
        }
    }
}

thread_local! {
    /// Ids of the next span of this thread, if they are not to be random.
    static NEXT: Cell<Option<(TraceId, SpanId)>> = const { Cell::new(None) };
}

/// Random ids, but for those that are given.
#[derive(Debug)]
struct Ids(RandomIdGenerator);

impl IdGenerator for Ids {
    fn new_trace_id(&self) -> TraceId {
        NEXT.get().map_or_else(|| self.0.new_trace_id(), |(trace, _)| trace)
    }

    fn new_span_id(&self) -> SpanId {
        NEXT.get().map_or_else(|| self.0.new_span_id(), |(_, span)| span)
    }
}

/// Posts to the collector. The exporter's own thread has no runtime: it waits for one that has.
#[derive(Debug)]
struct Sender {
    client: reqwest::Client,
    runtime: Handle,
}

impl Sender {
    fn new(runtime: &Handle) -> Result<Self, TraceError> {
        // Whoever is first installs it.
        rustls::crypto::ring::default_provider().install_default().ok();
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).timeout(PATIENCE).build();
        let client = client.map_err(|error| TraceError::Exporter(error.to_string()))?;
        Ok(Self { client, runtime: runtime.clone() })
    }
}

async fn post(client: reqwest::Client, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
    let mut answer = client.execute(reqwest::Request::try_from(request)?).await?;
    let mut body = Vec::new();
    while let Some(piece) = answer.chunk().await? {
        if body.len() + piece.len() > ANSWER {
            return Err("the collector's answer is too long".into());
        }
        body.extend_from_slice(&piece);
    }
    Ok(Response::builder().status(answer.status()).body(Bytes::from(body))?)
}

impl HttpClient for Sender {
    fn send_bytes<'a, 'b>(
        &'a self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'b>>
    where
        'a: 'b,
        Self: 'b,
    {
        let sent = self.runtime.spawn(post(self.client.clone(), request));
        Box::pin(async move { sent.await? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_taken() {
        assert!(!Share::of(0.0).takes(0));
        assert!(Share::of(1.0).takes(u64::MAX));
        assert!(Share::of(0.5).takes(u64::MAX / 2 - 1024) && !Share::of(0.5).takes(u64::MAX / 2 + 4096));
    }
}
