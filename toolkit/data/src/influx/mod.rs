//! InfluxDB 1 and VictoriaMetrics over HTTP: written in line protocol, each read in its own way.

mod influxql;
mod line;
mod victoria;

use std::time::Duration;

use async_trait::async_trait;
use reqwest::{Client, RequestBuilder, Response};
use url::Url;

use crate::point::check_points;
use crate::range::arrange;
use crate::{Capabilities, Point, Range, SeriesError, TimeSeries};

pub use line::to_line;

/// Time series behind InfluxDB's HTTP interface.
#[derive(Clone)]
pub struct InfluxSeries {
    server: Server,
    flavour: Flavour,
}

/// Where the server is and how to talk to it.
#[derive(Clone)]
pub(crate) struct Server {
    client: Client,
    base: Url,
    user: Option<(String, String)>,
    database: String,
    shown: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Flavour {
    InfluxDb,
    VictoriaMetrics,
}

/// How long to wait for a connection.
const CONNECT: Duration = Duration::from_secs(3);
/// How long to wait for an answer.
const ANSWER: Duration = Duration::from_secs(30);
/// How many points go in one request, as InfluxDB's guide advises.
const POINTS_PER_WRITE: usize = 5_000;
/// The most of an answer that goes into an error.
const SHOWN_ANSWER: usize = 300;

impl InfluxSeries {
    /// Connects to `influxdb[+https]://[user:password@]host[:port]/database`, finds out which server it is,
    /// and makes the database where InfluxDB lacks it. The port is 8086 unless told.
    ///
    /// # Errors
    /// A URL that cannot be read, or a server that does not answer.
    pub async fn open(url: &str) -> Result<Self, SeriesError> {
        let server = Server::from_url(url)?;
        let flavour = server.flavour().await?;
        if flavour == Flavour::InfluxDb {
            influxql::make_database(&server).await?;
        }
        Ok(Self { server, flavour })
    }
}

impl Server {
    fn from_url(url: &str) -> Result<Self, SeriesError> {
        let shown = ieum_core::redact_url(url);
        let wrong = |problem: &str| SeriesError::Url { url: shown.clone(), problem: problem.to_owned() };
        let parsed = Url::parse(url).map_err(|error| wrong(&error.to_string()))?;
        let scheme = if parsed.scheme() == "influxdb+https" { "https" } else { "http" };
        let host =
            parsed.host_str().filter(|host| !host.is_empty()).ok_or_else(|| wrong("it names no host"))?;
        let database = parsed.path().trim_matches('/').to_owned();
        if database.is_empty() || database.contains('/') {
            return Err(wrong("it names no database; expected influxdb://host/database"));
        }
        let port = parsed.port().unwrap_or(8086);
        let base =
            Url::parse(&format!("{scheme}://{host}:{port}/")).map_err(|error| wrong(&error.to_string()))?;
        let user = (!parsed.username().is_empty())
            .then(|| (parsed.username().to_owned(), parsed.password().unwrap_or_default().to_owned()));
        // Somebody may have chosen a provider for the process already; then that one serves.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .connect_timeout(CONNECT)
            .timeout(ANSWER)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| wrong(&error.to_string()))?;
        Ok(Self { client, base, user, database, shown })
    }

    /// VictoriaMetrics answers `OK` to `/health`; InfluxDB answers 404 (before 1.8) or JSON.
    async fn flavour(&self) -> Result<Flavour, SeriesError> {
        let response = self.send(self.client.get(self.at("health"))).await?;
        let answer = self.text(response).await?;
        Ok(if answer.trim() == "OK" { Flavour::VictoriaMetrics } else { Flavour::InfluxDb })
    }

    pub(crate) fn at(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(path);
        url
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, SeriesError> {
        let request = match &self.user {
            Some((name, password)) => request.basic_auth(name, Some(password)),
            None => request,
        };
        request.send().await.map_err(|source| self.unreachable(source))
    }

    async fn text(&self, response: Response) -> Result<String, SeriesError> {
        response.text().await.map_err(|source| self.unreachable(source))
    }

    fn unreachable(&self, source: reqwest::Error) -> SeriesError {
        SeriesError::Unreachable { url: self.shown.clone(), source: source.without_url() }
    }

    /// Sends the request and returns the body of an answer that is no failure.
    pub(crate) async fn ask(
        &self,
        step: &'static str,
        request: RequestBuilder,
    ) -> Result<String, SeriesError> {
        let response = self.send(request).await?;
        let status = response.status();
        let answer = self.text(response).await?;
        if status.is_success() {
            return Ok(answer);
        }
        let answer = answer.trim().chars().take(SHOWN_ANSWER).collect();
        Err(SeriesError::Refused { step, url: self.shown.clone(), status: status.as_u16(), answer })
    }

    pub(crate) fn odd(&self, step: &'static str, problem: impl Into<String>) -> SeriesError {
        SeriesError::Answer { step, url: self.shown.clone(), problem: problem.into() }
    }
}

#[async_trait]
impl TimeSeries for InfluxSeries {
    fn capabilities(&self) -> Capabilities {
        let is_influx = self.flavour == Flavour::InfluxDb;
        Capabilities {
            resolution: if is_influx { Duration::from_micros(1) } else { Duration::from_millis(1) },
            text_fields: is_influx,
            whole_numbers: false,
            reads_own_writes: is_influx,
            atomic_batches: false,
        }
    }

    async fn ping(&self) -> Result<(), SeriesError> {
        let server = &self.server;
        server.ask("asking for an answer", server.client.get(server.at("ping"))).await.map(drop)
    }

    async fn write(&self, points: &[Point]) -> Result<(), SeriesError> {
        check_points(points)?;
        let server = &self.server;
        for some in points.chunks(POINTS_PER_WRITE) {
            let lines: Vec<String> = some
                .iter()
                .filter_map(|point| match self.flavour {
                    Flavour::InfluxDb => Some(to_line(point)),
                    Flavour::VictoriaMetrics => victoria::marked(point).as_ref().map(to_line),
                })
                .collect();
            let request = server
                .client
                .post(server.at("write"))
                .query(&[("db", server.database.as_str()), ("precision", "u")])
                .body(lines.join("\n"));
            server.ask("writing points", request).await?;
        }
        Ok(())
    }

    async fn query(&self, range: &Range) -> Result<Vec<Point>, SeriesError> {
        range.check()?;
        let points = match self.flavour {
            Flavour::InfluxDb => influxql::query(&self.server, range).await?,
            Flavour::VictoriaMetrics => victoria::query(&self.server, range).await?,
        };
        Ok(arrange(points, range.limit))
    }
}
