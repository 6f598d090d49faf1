//! A network in a file, and the threads it is run on.

use std::path::Path;
use std::sync::Arc;

use rten::{Model, ModelOptions, NodeId, RunOptions, ThreadPool, Value, ValueOrView};

use super::LocalOptions;
use crate::SpeechError;

/// A network that is ready to run.
pub struct Network {
    engine: String,
    model: Model,
    threads: Arc<ThreadPool>,
}

/// Makes the threads that the networks of one engine share.
pub fn threads(options: LocalOptions) -> Arc<ThreadPool> {
    let cores = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let count = if options.threads == 0 { cores() } else { options.threads };
    Arc::new(ThreadPool::with_num_threads(count))
}

/// Refuses a folder that is not there, with what to do.
pub fn check_folder(folder: &Path) -> Result<(), SpeechError> {
    if folder.is_dir() {
        return Ok(());
    }
    let problem = "there is no such folder; run `cargo xtask models` and name one it prints".to_owned();
    Err(SpeechError::Model { folder: folder.to_owned(), problem })
}

// === Network ===

impl Network {
    /// Reads the network `file` of `folder`.
    ///
    /// # Errors
    /// [`SpeechError::Model`] when it is not there or cannot be run.
    pub fn open(
        folder: &Path,
        file: &str,
        engine: &str,
        threads: &Arc<ThreadPool>,
    ) -> Result<Self, SpeechError> {
        let wrong = |problem: String| SpeechError::Model { folder: folder.to_owned(), problem };
        let bytes =
            std::fs::read(folder.join(file)).map_err(|error| wrong(format!("reading {file}: {error}")))?;
        let model = ModelOptions::with_all_ops().prepack_weights(true).load(bytes);
        let model = model.map_err(|error| wrong(format!("reading {file}: {error}")))?;
        Ok(Self { engine: engine.to_owned(), model, threads: Arc::clone(threads) })
    }

    /// Returns the place called `name`, if there is one.
    pub fn find(&self, name: &str) -> Option<NodeId> {
        self.model.find_node(name)
    }

    /// Returns the place called `name`.
    ///
    /// # Errors
    /// [`SpeechError::Model`] when the network has none, which another kind of model has.
    pub fn place(&self, folder: &Path, name: &str) -> Result<NodeId, SpeechError> {
        self.find(name).ok_or_else(|| SpeechError::Model {
            folder: folder.to_owned(),
            problem: format!("the network has no {name}; it is a model of another kind"),
        })
    }

    /// Returns the names and places of what goes in.
    pub fn inputs(&self) -> Vec<(String, NodeId)> {
        let name = |id: &NodeId| Some((self.model.node_info(*id)?.name()?.to_owned(), *id));
        self.model.input_ids().iter().filter_map(name).collect()
    }

    /// Returns the sizes of what goes in at `place`, 0 for those that vary.
    pub fn sizes(&self, place: NodeId) -> Vec<usize> {
        let shape = self.model.node_info(place).and_then(|node| node.shape()).unwrap_or_default();
        let size = |dimension: rten::Dimension| match dimension {
            rten::Dimension::Fixed(size) => size,
            rten::Dimension::Symbolic(_) => 0,
        };
        shape.into_iter().map(size).collect()
    }

    /// Runs it.
    ///
    /// # Errors
    /// [`SpeechError::Engine`] when a step of it fails.
    pub fn run(
        &self,
        step: &'static str,
        inputs: Vec<(NodeId, ValueOrView<'_>)>,
        outputs: &[NodeId],
    ) -> Result<Vec<Value>, SpeechError> {
        let options = RunOptions::default().with_thread_pool(Some(Arc::clone(&self.threads)));
        self.model.run(inputs, outputs, Some(options)).map_err(|error| self.failed(step, error.to_string()))
    }

    /// Makes the error of a step.
    pub fn failed(&self, step: &'static str, problem: String) -> SpeechError {
        SpeechError::Engine { engine: self.engine.clone(), step, problem }
    }

    /// Returns the engine's name.
    pub fn engine(&self) -> &str {
        &self.engine
    }
}
