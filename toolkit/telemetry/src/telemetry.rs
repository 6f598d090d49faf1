//! Switches logs, traces and metrics on, and off again with nothing lost.

use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Duration;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tokio::runtime::Handle;
use tokio::task::AbortHandle;
use tracing::Dispatch;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{EnvFilter, Layer};

use crate::gather::{Gather, Gatherers};
use crate::labels::{Bounded, Labels};
use crate::{LogFormat, TelemetryConfig, otlp};

/// What was switched on. Keep it until the end, then call [`Telemetry::shutdown`].
pub struct Telemetry {
    metrics: Metrics,
    recorder: Arc<Bounded<PrometheusRecorder>>,
    traces: Option<SdkTracerProvider>,
    upkeep: Option<AbortHandle>,
}

/// The metrics as Prometheus reads them. Clones show the same metrics.
#[derive(Clone)]
pub struct Metrics {
    handle: PrometheusHandle,
    gatherers: Gatherers,
}

/// Says which step of switching on or off failed.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The log filter is not understood.
    #[error("reading the log filter {filter:?}")]
    Filter {
        /// The filter.
        filter: String,
        /// What is wrong with it.
        #[source]
        source: tracing_subscriber::filter::ParseError,
    },
    /// The buckets of histograms are not understood.
    #[error("setting up metrics")]
    Metrics {
        /// What is wrong.
        #[source]
        source: metrics_exporter_prometheus::BuildError,
    },
    /// Traces cannot be exported.
    #[error("setting up the export of traces to {url}")]
    Export {
        /// The collector.
        url: String,
        /// What is wrong.
        #[source]
        source: opentelemetry_otlp::ExporterBuildError,
    },
    /// Traces are exported by a runtime, and there is none here.
    #[error("setting up the export of traces outside of a tokio runtime")]
    NoRuntime,
    /// The process has logs or metrics already.
    #[error("switching on {what}, which this process has switched on already")]
    Twice {
        /// Logs or metrics.
        what: &'static str,
    },
    /// The last traces could not be sent.
    #[error("sending the last traces: {reason}")]
    Flush {
        /// What the exporter said.
        reason: String,
    },
}

/// Bounds of histogram buckets in seconds: a loopback call to a slow report.
const BUCKETS: [f64; 14] =
    [0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// How often histograms are folded together, so that they hold no more than this long of samples.
const UPKEEP: Duration = Duration::from_secs(5);

/// Switches on logs (to standard error), traces and metrics for the whole process.
///
/// Fails where the settings are wrong, where traces are exported outside of a tokio runtime, and where the
/// process has logs or metrics already.
pub fn init(config: &TelemetryConfig) -> Result<Telemetry, TelemetryError> {
    let (telemetry, logs) = Telemetry::build(config)?;
    tracing::dispatcher::set_global_default(logs).map_err(|_| TelemetryError::Twice { what: "logs" })?;
    metrics::set_global_recorder(telemetry.recorder.clone())
        .map_err(|_| TelemetryError::Twice { what: "metrics" })?;
    Ok(telemetry)
}

// === Telemetry ===

impl Telemetry {
    /// Makes what [`init`] switches on, without switching it on: for tests and for embedding.
    pub fn build(config: &TelemetryConfig) -> Result<(Self, Dispatch), TelemetryError> {
        let filter = EnvFilter::try_new(&config.log)
            .map_err(|source| TelemetryError::Filter { filter: config.log.clone(), source })?;
        let runtime = Handle::try_current().ok();
        let traces = match (&config.otlp, &runtime) {
            (None, _) => None,
            (Some(_), None) => return Err(TelemetryError::NoRuntime),
            (Some(url), Some(runtime)) => {
                let provider = otlp::provider(url, &config.service, config.sample, runtime.clone());
                let failed = |source| TelemetryError::Export { url: url.to_string(), source };
                Some(provider.map_err(failed)?)
            }
        };
        let export = traces.as_ref().map(|traces| {
            tracing_opentelemetry::layer().with_tracer(traces.tracer("ieum")).with_location(false)
        });
        let logs = tracing_subscriber::registry().with(filter).with(export).with(lines(config.format));
        let recorder = PrometheusBuilder::new()
            .set_buckets(&BUCKETS)
            .map_err(|source| TelemetryError::Metrics { source })?
            .build_recorder();
        let metrics = Metrics { handle: recorder.handle(), gatherers: Gatherers::default() };
        let upkeep = runtime.map(|runtime| runtime.spawn(keep_up(metrics.clone())).abort_handle());
        let recorder = Arc::new(Bounded::new(recorder, Labels::bounded(config.label_values)));
        Ok((Self { metrics, recorder, traces, upkeep }, Dispatch::new(logs)))
    }

    /// Returns the metrics, for the route that shows them.
    pub fn metrics(&self) -> Metrics {
        self.metrics.clone()
    }

    /// Returns the recorder behind the metrics; [`init`] makes it the process's own.
    pub fn recorder(&self) -> &(dyn metrics::Recorder + Send + Sync) {
        &*self.recorder
    }

    /// Returns all metrics in Prometheus' text format 0.0.4.
    pub fn render_metrics(&self) -> String {
        self.metrics.render()
    }

    /// Sends the spans that ended so far.
    pub async fn flush(&self) -> Result<(), TelemetryError> {
        let Some(traces) = self.traces.clone() else { return Ok(()) };
        // The exporter blocks its caller while this very runtime sends.
        let flushed = tokio::task::spawn_blocking(move || traces.force_flush()).await;
        outcome(flushed)
    }

    /// Sends the last spans and stops exporting.
    pub async fn shutdown(self) -> Result<(), TelemetryError> {
        let Some(traces) = self.traces.clone() else { return Ok(()) };
        let stopped = tokio::task::spawn_blocking(move || traces.shutdown()).await;
        outcome(stopped)
    }
}

impl Drop for Telemetry {
    fn drop(&mut self) {
        if let Some(upkeep) = &self.upkeep {
            upkeep.abort();
        }
    }
}

fn outcome<E: std::fmt::Display>(
    result: Result<Result<(), E>, tokio::task::JoinError>,
) -> Result<(), TelemetryError> {
    let reason = match result {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(error)) => error.to_string(),
        Err(error) => error.to_string(),
    };
    Err(TelemetryError::Flush { reason })
}

fn lines<S>(format: LogFormat) -> Box<dyn Layer<S> + Send + Sync>
where
    S: tracing::Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
{
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    match format {
        LogFormat::Text => layer.with_ansi(std::io::stderr().is_terminal()).boxed(),
        LogFormat::Json => layer.json().flatten_event(true).with_current_span(true).boxed(),
    }
}

async fn keep_up(metrics: Metrics) {
    let mut ticks = tokio::time::interval(UPKEEP);
    loop {
        ticks.tick().await;
        metrics.handle.run_upkeep();
    }
}

// === Metrics ===

impl Metrics {
    /// Returns all metrics in Prometheus' text format 0.0.4.
    pub fn render(&self) -> String {
        let mut text = self.handle.render();
        self.gatherers.render(&mut text);
        text
    }

    /// Asks `gather` at each scrape from now on. No two may tell families of one name.
    pub fn ask(&self, gather: Arc<dyn Gather>) {
        self.gatherers.add(gather);
    }
}
