//! Exports traces to a collector over OTLP/HTTP with protobuf bodies.

use std::time::Duration;

use opentelemetry::trace::{Link, SpanKind, TraceContextExt, TraceId};
use opentelemetry::{Context, KeyValue};
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_otlp::{ExporterBuildError, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SamplingDecision, SamplingResult, SdkTracerProvider, ShouldSample};
use tokio::runtime::Handle;
use url::Url;

/// How long one export may take.
const EXPORT_LIMIT: Duration = Duration::from_secs(10);

/// Sends a batch from the exporter's own thread by way of the runtime, where the client lives.
#[derive(Debug)]
struct RuntimeClient {
    client: reqwest::Client,
    runtime: Handle,
}

/// Takes the same share of traces in every process, and none that somebody upstream left out.
#[derive(Clone, Debug)]
struct ByTrace {
    share: Sampler,
}

/// Makes a provider that sends batches of spans to the collector at `base`.
pub(crate) fn provider(
    base: &Url,
    service: &str,
    share: f64,
    runtime: Handle,
) -> Result<SdkTracerProvider, ExporterBuildError> {
    // Somebody else may have chosen the process's TLS provider already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder()
        .timeout(EXPORT_LIMIT)
        .build()
        .map_err(|error| ExporterBuildError::InternalFailure(error.to_string()))?;
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(RuntimeClient { client, runtime })
        .with_endpoint(traces_url(base))
        .with_timeout(EXPORT_LIMIT)
        .build()?;
    let resource = Resource::builder_empty().with_service_name(service.to_owned()).build();
    Ok(SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_sampler(ByTrace { share: Sampler::TraceIdRatioBased(share) })
        .with_resource(resource)
        .build())
}

/// Appends the path of the traces signal (OTLP specification, "OTLP/HTTP Request").
fn traces_url(base: &Url) -> String {
    let text = base.as_str().trim_end_matches('/');
    if text.ends_with("/v1/traces") { text.to_owned() } else { format!("{text}/v1/traces") }
}

#[async_trait::async_trait]
impl HttpClient for RuntimeClient {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let request = reqwest::Request::try_from(request)?;
        let client = self.client.clone();
        let answer = self.runtime.spawn(async move {
            let answer = client.execute(request).await?;
            let (status, headers) = (answer.status(), answer.headers().clone());
            Ok::<_, reqwest::Error>((status, headers, answer.bytes().await?))
        });
        let (status, headers, body) = answer.await??;
        let mut response = Response::builder().status(status).body(body)?;
        *response.headers_mut() = headers;
        Ok(response)
    }
}

impl ShouldSample for ByTrace {
    fn should_sample(
        &self,
        parent: Option<&Context>,
        trace_id: TraceId,
        name: &str,
        kind: &SpanKind,
        attributes: &[KeyValue],
        links: &[Link],
    ) -> SamplingResult {
        let result = self.share.should_sample(None, trace_id, name, kind, attributes, links);
        let parent = parent.filter(|context| context.has_active_span()).map(Context::span);
        match parent {
            Some(span) if span.span_context().is_valid() && !span.span_context().is_sampled() => {
                SamplingResult { decision: SamplingDecision::Drop, ..result }
            }
            _ => result,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signals_path_is_added_once() {
        for (base, full) in [
            ("http://collector:4318", "http://collector:4318/v1/traces"),
            ("http://collector/otlp/", "http://collector/otlp/v1/traces"),
            ("http://collector:4318/v1/traces", "http://collector:4318/v1/traces"),
        ] {
            assert_eq!(traces_url(&base.parse().expect("is a URL")), full);
        }
    }
}
