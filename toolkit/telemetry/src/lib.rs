//! What a running process tells about itself: logs, traces (OTLP), metrics (Prometheus), health.

mod config;
mod gather;
mod health;
mod labels;
mod otlp;
mod routes;
mod span;
mod telemetry;

pub use config::{LogFormat, TelemetryConfig};
pub use gather::{Family, FamilyKind, Gather, LabelPairs};
pub use health::{CheckReport, Critical, Health, HealthCheck, HealthOptions, HealthReport, Status};
pub use labels::Labels;
pub use routes::{health_routes, metrics_routes};
pub use span::{cx_within, span_for};
pub use telemetry::{Metrics, Telemetry, TelemetryError, init};
