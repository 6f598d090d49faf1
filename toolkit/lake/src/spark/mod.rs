//! A Spark Connect cluster: Apache Spark, or Sail, which speaks the same protocol.

mod address;
mod message;

use std::io::Cursor;

use async_trait::async_trait;
use datafusion::arrow::ipc::reader::StreamReader;
use http::uri::PathAndQuery;
use ieum_core::{SharedClock, describe, new_id, within};
use tonic::client::Grpc;
use tonic::metadata::MetadataValue;
use tonic::transport::{Channel, ClientTlsConfig, Endpoint};
use tonic_prost::ProstCodec;

use crate::columns::read_batch;
use crate::engine::mentions;
use crate::{Cell, Column, EngineOptions, Lake, LakeError, Rows, SqlEngine};
use address::Address;
use message::{
    Command, ConfigOperation, ConfigRequest, ConfigResponse, ConfigSet, ExecutePlanRequest,
    ExecutePlanResponse, KeyValue, Plan, Relation, Sql, SqlCommand, UserContext,
};

const NAME: &str = "spark";
/// What this client calls itself.
const CLIENT: &str = "ieum";
/// How long connecting may take, seconds.
const CONNECT: u64 = 10;
/// The longest message of an answer, in bytes: a batch of rows.
const LONGEST: usize = 128 << 20;

/// A cluster, reached over gRPC. It must see the lake's folder under the same path.
pub struct Spark {
    grpc: Grpc<Channel>,
    address: Address,
    session_id: String,
    lake: Lake,
    options: EngineOptions,
    clock: SharedClock,
}

impl Spark {
    /// Connects to the cluster at `url`, in Spark's own form: `sc://host[:port]/;token=…;use_ssl=true;user_id=…`
    /// (<https://spark.apache.org/docs/latest/spark-connect-overview.html>).
    ///
    /// # Errors
    /// [`LakeError::Url`] for a URL of another form, [`LakeError::Unreachable`] where nothing answers.
    pub async fn open(
        url: &str,
        lake: Lake,
        options: EngineOptions,
        clock: SharedClock,
    ) -> Result<Self, LakeError> {
        let address = Address::read(url)?;
        let unreachable =
            |problem: String| LakeError::Unreachable { engine: NAME, url: address.shown(), problem };
        let endpoint =
            Endpoint::from_shared(address.uri()).map_err(|error| unreachable(error.to_string()))?;
        let mut endpoint = endpoint.connect_timeout(std::time::Duration::from_secs(CONNECT));
        if address.tls {
            let tls = ClientTlsConfig::new().with_webpki_roots();
            endpoint = endpoint.tls_config(tls).map_err(|error| unreachable(describe(&error)))?;
        }
        let channel = endpoint.connect().await.map_err(|error| unreachable(describe(&error)))?;
        let grpc = Grpc::new(channel).max_decoding_message_size(LONGEST);
        let session_id = new_id().to_string();
        let spark = Self { grpc, address, session_id, lake, options, clock };
        // Of the cluster's own zone, days and hours would be others than the embedded engine's.
        spark.set("spark.sql.session.timeZone", "UTC").await?;
        Ok(spark)
    }

    async fn set(&self, key: &str, value: &str) -> Result<(), LakeError> {
        let pair = KeyValue { key: key.to_owned(), value: Some(value.to_owned()) };
        let request = self.request(ConfigRequest {
            session_id: self.session_id.clone(),
            user_context: self.user(),
            operation: Some(ConfigOperation { set: Some(ConfigSet { pairs: vec![pair] }) }),
            client_type: Some(CLIENT.to_owned()),
        })?;
        let path = PathAndQuery::from_static("/spark.connect.SparkConnectService/Config");
        let codec = ProstCodec::<ConfigRequest, ConfigResponse>::default();
        let mut grpc = self.ready().await?;
        grpc.unary(request, path, codec).await.map(drop).map_err(|status| self.failed(&status))
    }

    async fn command(&self, sql: &str) -> Result<(), LakeError> {
        let command = Command { sql_command: Some(SqlCommand { sql: sql.to_owned() }) };
        self.run(Plan { root: None, command: Some(command) }).await.map(drop)
    }

    async fn run(&self, plan: Plan) -> Result<Rows, LakeError> {
        let request = self.request(ExecutePlanRequest {
            session_id: self.session_id.clone(),
            user_context: self.user(),
            plan: Some(plan),
            client_type: Some(CLIENT.to_owned()),
        })?;
        let mut grpc = self.ready().await?;
        let path = PathAndQuery::from_static("/spark.connect.SparkConnectService/ExecutePlan");
        let codec = ProstCodec::<ExecutePlanRequest, ExecutePlanResponse>::default();
        let answered = grpc.server_streaming(request, path, codec).await;
        let mut answers = answered.map_err(|status| self.failed(&status))?.into_inner();
        let mut rows = Rows::default();
        while let Some(answer) = answers.message().await.map_err(|status| self.failed(&status))? {
            let Some(batch) = answer.arrow_batch else { continue };
            let reader = StreamReader::try_new(Cursor::new(batch.data), None);
            for batch in reader.map_err(|error| self.refused(&error.to_string()))? {
                let batch = batch.map_err(|error| self.refused(&error.to_string()))?;
                read_batch(&batch, &mut rows).map_err(|problem| self.refused(&problem))?;
            }
            if rows.rows.len() > self.options.most_rows {
                return Err(LakeError::TooMuch { engine: NAME, limit: self.options.most_rows });
            }
        }
        Ok(rows)
    }

    fn user(&self) -> Option<UserContext> {
        Some(UserContext { user_id: self.address.user.clone() })
    }

    fn request<T>(&self, message: T) -> Result<tonic::Request<T>, LakeError> {
        let mut request = tonic::Request::new(message);
        if let Some(token) = &self.address.token {
            let value: Result<MetadataValue<_>, _> = format!("Bearer {}", token.expose()).parse();
            let mut value = value.map_err(|_| self.refused("the token fits no header"))?;
            value.set_sensitive(true);
            request.metadata_mut().insert("authorization", value);
        }
        Ok(request)
    }

    async fn ready(&self) -> Result<Grpc<Channel>, LakeError> {
        let mut grpc = self.grpc.clone();
        grpc.ready().await.map_err(|error| self.unreachable(describe(&error)))?;
        Ok(grpc)
    }

    async fn ask(&self, sql: &str) -> Result<Rows, LakeError> {
        for dataset in self.lake.datasets()?.into_iter().filter(|dataset| mentions(sql, dataset)) {
            let folder = self.lake.folder_of(&dataset).display().to_string().replace('\'', "\\'");
            let view = format!(
                "CREATE OR REPLACE TEMPORARY VIEW {dataset} USING parquet OPTIONS (path 'file://{folder}/*.parquet')"
            );
            self.command(&view).await?;
        }
        let root = Relation { sql: Some(Sql { query: sql.to_owned() }) };
        self.run(Plan { root: Some(root), command: None }).await
    }

    fn failed(&self, status: &tonic::Status) -> LakeError {
        match status.code() {
            tonic::Code::Unavailable => self.unreachable(status.message().to_owned()),
            tonic::Code::Unauthenticated | tonic::Code::PermissionDenied => {
                self.refused(&format!("the token was not accepted: {}", status.message()))
            }
            _ => self.refused(status.message()),
        }
    }

    fn refused(&self, problem: &str) -> LakeError {
        LakeError::Refused { engine: NAME, problem: problem.to_owned() }
    }

    fn unreachable(&self, problem: String) -> LakeError {
        LakeError::Unreachable { engine: NAME, url: self.address.shown(), problem }
    }
}

#[async_trait]
impl SqlEngine for Spark {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn ping(&self) -> Result<(), LakeError> {
        self.ask("SELECT 1 AS one").await.map(drop)
    }

    async fn declare(&self, dataset: &str, columns: &[Column]) -> Result<(), LakeError> {
        self.lake.declare(dataset, columns).await
    }

    async fn keep(
        &self,
        dataset: &str,
        partition: &str,
        columns: &[Column],
        rows: Vec<Vec<Cell>>,
    ) -> Result<(), LakeError> {
        self.lake.write(dataset, partition, columns, rows).await
    }

    fn partitions(&self, dataset: &str) -> Result<Vec<String>, LakeError> {
        self.lake.partitions(dataset)
    }

    async fn query(&self, sql: &str) -> Result<Rows, LakeError> {
        if !is_question(sql) {
            return Err(self.refused("only SELECT and WITH are answered here"));
        }
        let end = self.clock.moment() + self.options.timeout;
        let late = LakeError::Late { engine: NAME, after: self.options.timeout };
        within(&self.clock, end, self.ask(sql)).await.unwrap_or(Err(late))
    }
}

/// Checks the form of a URL.
pub(crate) fn check(url: &str) -> Result<(), LakeError> {
    Address::read(url).map(drop)
}

/// Tells whether the text begins as a question. The cluster's own rights are what keeps the rest away.
fn is_question(sql: &str) -> bool {
    let first = sql.split(|letter: char| !letter.is_ascii_alphabetic()).find(|word| !word.is_empty());
    first.is_some_and(|word| word.eq_ignore_ascii_case("select") || word.eq_ignore_ascii_case("with"))
}
