//! Spans that continue the trace of a context, over every wire.

use ieum_core::{Caller, Cx, SpanId, TraceContext, TraceId};
use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, TraceContextExt, TraceFlags, TraceState};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// Opens a span named `name` as child of where `cx` stands (W3C Trace Context), and shows trace, caller
/// and tenant in every log line within.
pub fn span_for(cx: &Cx, name: &str) -> Span {
    let trace = cx.trace();
    let span = tracing::info_span!(
        "work",
        otel.name = name,
        trace_id = %trace.trace_id,
        caller = cx.caller().map(Caller::name),
        tenant = cx.tenant(),
    );
    let flags = if trace.sampled { TraceFlags::SAMPLED } else { TraceFlags::default() };
    let parent = SpanContext::new(
        trace.trace_id.as_u128().into(),
        trace.span_id.as_u64().into(),
        flags,
        true,
        TraceState::default(),
    );
    // Fails only where no trace is exported; then there is nobody to tell the parent to.
    let _ = span.set_parent(Context::new().with_remote_span_context(parent));
    span
}

/// Returns `cx` as what is sent from within `span`: the same trace with the span as parent. Where no
/// trace is exported it is `cx` itself.
pub fn cx_within(span: &Span, cx: &Cx) -> Cx {
    let context = span.context();
    let own = context.span().span_context().clone();
    let trace_id = TraceId::from_u128(u128::from_be_bytes(own.trace_id().to_bytes()));
    let span_id = SpanId::from_u64(u64::from_be_bytes(own.span_id().to_bytes()));
    match (trace_id, span_id) {
        (Some(trace_id), Some(span_id)) => {
            cx.in_trace(TraceContext { trace_id, span_id, sampled: own.is_sampled() })
        }
        _ => cx.clone(),
    }
}
