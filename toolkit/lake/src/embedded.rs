//! DataFusion within this process, on threads of its own.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::error::DataFusionError;
use datafusion::execution::context::{SQLOptions, SessionConfig, SessionContext};
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::prelude::ParquetReadOptions;
use futures::StreamExt;
use ieum_core::{SharedClock, within};
use tokio::runtime::{Builder, Runtime};

use crate::columns::read_batch;
use crate::engine::mentions;
use crate::{Cell, Column, EngineOptions, Lake, LakeError, Rows, SqlEngine};

const NAME: &str = "datafusion";

/// The embedded engine. Questions run on threads of their own, so that a heavy one holds up no other work.
pub struct Embedded {
    lake: Lake,
    options: EngineOptions,
    clock: SharedClock,
    /// There until the value goes.
    runtime: Option<Runtime>,
}

impl Embedded {
    /// Makes an engine over the lake.
    ///
    /// # Errors
    /// [`LakeError::File`] where its threads cannot be started.
    pub fn new(lake: Lake, options: EngineOptions, clock: SharedClock) -> Result<Self, LakeError> {
        let threads = std::thread::available_parallelism().map_or(2, usize::from);
        let runtime =
            Builder::new_multi_thread().worker_threads(threads).thread_name("lake").enable_all().build();
        let runtime = runtime.map_err(|source| LakeError::File {
            step: "starting threads for",
            path: lake.folder_of(""),
            source,
        })?;
        Ok(Self { lake, options, clock, runtime: Some(runtime) })
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

#[async_trait]
impl SqlEngine for Embedded {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn ping(&self) -> Result<(), LakeError> {
        self.lake.datasets().map(drop)
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
        let Some(runtime) = &self.runtime else { return Err(refused("the engine has stopped")) };
        let work = runtime.spawn(answer(self.lake.clone(), self.options, sql.to_owned()));
        let abort = work.abort_handle();
        match within(&self.clock, self.clock.moment() + self.options.timeout, work).await {
            Some(done) => done.map_err(|error| refused(&error.to_string()))?,
            None => {
                abort.abort();
                Err(LakeError::Late { engine: NAME, after: self.options.timeout })
            }
        }
    }
}

async fn answer(lake: Lake, options: EngineOptions, sql: String) -> Result<Rows, LakeError> {
    let failed = |error: DataFusionError| refused(&error.strip_backtrace());
    // Made anew for every question: files change between them, and what it remembers of them would not.
    let runtime =
        RuntimeEnvBuilder::new().with_memory_limit(options.memory, 1.0).build_arc().map_err(failed)?;
    let config = SessionConfig::new().set_str("datafusion.execution.time_zone", "UTC");
    let context = SessionContext::new_with_config_rt(config, runtime);
    for dataset in lake.datasets()?.into_iter().filter(|dataset| mentions(&sql, dataset)) {
        let folder = format!("{}/", lake.folder_of(&dataset).display());
        let reading = ParquetReadOptions::default();
        context.register_parquet(dataset.as_str(), folder, reading).await.map_err(failed)?;
    }
    let only_questions =
        SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
    let frame = context.sql_with_options(&sql, only_questions).await.map_err(failed)?;
    let schema = Arc::new(frame.schema().as_arrow().clone());
    let mut batches = frame.execute_stream().await.map_err(failed)?;
    let mut rows = Rows::default();
    let none = datafusion::arrow::record_batch::RecordBatch::new_empty(schema);
    read_batch(&none, &mut rows).map_err(|problem| refused(&problem))?;
    while let Some(batch) = batches.next().await {
        read_batch(&batch.map_err(failed)?, &mut rows).map_err(|problem| refused(&problem))?;
        if rows.rows.len() > options.most_rows {
            return Err(LakeError::TooMuch { engine: NAME, limit: options.most_rows });
        }
    }
    Ok(rows)
}

fn refused(problem: &str) -> LakeError {
    LakeError::Refused { engine: NAME, problem: problem.to_owned() }
}
