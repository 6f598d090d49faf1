//! A folder of Parquet files: one folder per dataset, one file per partition, each replaced as a whole.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::columns::{Misfit, batch_of, schema_of};
use crate::{Cell, Column, LakeError};

/// How files end that engines read.
const ENDING: &str = "parquet";
/// The partition that tells a dataset's columns while it has no rows.
const NO_ROWS: &str = "empty";
/// The longest name of a dataset or partition.
const LONGEST: usize = 64;

/// A folder of datasets. Cheap to clone.
///
/// A partition is written beside its place, synced, and moved there, so that a reader sees the one before or the one
/// after, and a crash leaves one of both. Writing the same partition again changes nothing.
#[derive(Clone, Debug)]
pub struct Lake {
    folder: PathBuf,
}

impl Lake {
    /// Opens the folder; makes it where it is missing.
    ///
    /// # Errors
    /// [`LakeError::File`] where that fails.
    pub fn open(folder: &Path) -> Result<Self, LakeError> {
        fs::create_dir_all(folder).map_err(file("making the folder", folder))?;
        // A cluster needs to find the files from wherever it runs.
        let folder = fs::canonicalize(folder).map_err(file("opening the folder", folder))?;
        Ok(Self { folder })
    }

    /// Returns the dataset's folder.
    pub fn folder_of(&self, dataset: &str) -> PathBuf {
        self.folder.join(dataset)
    }

    /// Returns the names of the datasets, in order.
    ///
    /// # Errors
    /// [`LakeError::File`] where the folder cannot be read.
    pub fn datasets(&self) -> Result<Vec<String>, LakeError> {
        let failed = || file("listing the folder", &self.folder);
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(failed())? {
            let entry = entry.map_err(failed())?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if entry.file_type().map_err(failed())?.is_dir() && is_name(&name) {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }

    /// Returns the names of the dataset's partitions that hold rows, in order; none where it is not there.
    ///
    /// # Errors
    /// [`LakeError::File`] where the folder cannot be read.
    pub fn partitions(&self, dataset: &str) -> Result<Vec<String>, LakeError> {
        let mut names = self.files(dataset)?;
        names.retain(|name| name != NO_ROWS);
        Ok(names)
    }

    /// Makes the dataset with these columns, so that it can be asked before it has rows.
    ///
    /// # Errors
    /// [`LakeError::Rows`] where it is there with others, [`LakeError::File`].
    pub async fn declare(&self, dataset: &str, columns: &[Column]) -> Result<(), LakeError> {
        self.write(dataset, NO_ROWS, columns, Vec::new()).await
    }

    /// Makes the rows the partition's, in place of those it had. Names are 1 to 64 lower-case letters, digits and
    /// `_`, partitions also `-`. All is checked before anything is written.
    ///
    /// # Errors
    /// [`LakeError::Rows`] for a name, a cell or columns that do not fit; [`LakeError::File`] where writing fails, of
    /// which nothing is seen then.
    pub async fn write(
        &self,
        dataset: &str,
        partition: &str,
        columns: &[Column],
        rows: Vec<Vec<Cell>>,
    ) -> Result<(), LakeError> {
        check_name("dataset", dataset)?;
        check_name("partition", &partition.replace('-', "_"))?;
        let batch = batch_of(columns, &rows).map_err(|Misfit { row, column }| match column {
            Some(column) => LakeError::Rows {
                what: format!("dataset {dataset}, row {row}, column {column}"),
                problem: "the cell is of another kind than the column".to_owned(),
            },
            None => LakeError::Rows {
                what: format!("dataset {dataset}, row {row}"),
                problem: "it has not one cell per column".to_owned(),
            },
        })?;
        let (lake, dataset, partition) = (self.clone(), dataset.to_owned(), partition.to_owned());
        let schema = schema_of(columns);
        let written = tokio::task::spawn_blocking(move || {
            lake.check_schema(&dataset, &schema)?;
            lake.put(&dataset, &partition, |out| {
                let mut writer = ArrowWriter::try_new(out, schema, None).map_err(io::Error::other)?;
                writer.write(&batch).map_err(io::Error::other)?;
                writer.into_inner().map_err(io::Error::other)
            })
        });
        written.await.map_err(|error| LakeError::File {
            step: "writing below",
            path: self.folder.clone(),
            source: io::Error::other(error),
        })?
    }

    fn files(&self, dataset: &str) -> Result<Vec<String>, LakeError> {
        let folder = self.folder_of(dataset);
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(file("listing the folder", &folder)(error)),
        };
        let mut names = Vec::new();
        for entry in entries {
            let path = entry.map_err(file("listing the folder", &folder))?.path();
            if path.extension().is_some_and(|ending| ending == ENDING) {
                names.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
            }
        }
        names.sort();
        Ok(names)
    }

    /// All files of a dataset have the same columns: what one engine would merge, another takes from any of them.
    fn check_schema(&self, dataset: &str, schema: &SchemaRef) -> Result<(), LakeError> {
        let Some(one) = self.files(dataset)?.into_iter().next() else { return Ok(()) };
        let path = self.folder_of(dataset).join(one).with_extension(ENDING);
        let open = File::open(&path).map_err(file("reading", &path))?;
        let found = ParquetRecordBatchReaderBuilder::try_new(open).map_err(|error| LakeError::Damaged {
            step: "reading the columns of",
            path: path.clone(),
            problem: error.to_string(),
        })?;
        if found.schema().fields() == schema.fields() {
            return Ok(());
        }
        let names = |schema: &SchemaRef| {
            let shown = schema.fields().iter().map(|field| format!("{} {}", field.name(), field.data_type()));
            shown.collect::<Vec<_>>().join(", ")
        };
        let (has, told) = (names(found.schema()), names(schema));
        let problem = format!("it has the columns ({has}) and not ({told}); give other columns another name");
        Err(LakeError::Rows { what: format!("dataset {dataset}"), problem })
    }

    fn put(
        &self,
        dataset: &str,
        partition: &str,
        write: impl FnOnce(File) -> io::Result<File>,
    ) -> Result<(), LakeError> {
        let folder = self.folder_of(dataset);
        if !folder.is_dir() {
            fs::create_dir_all(&folder).map_err(file("making the folder", &folder))?;
            sync(&self.folder)?;
        }
        let path = folder.join(partition).with_extension(ENDING);
        // A name with a dot before it is nobody's to read, and goes with its value where anything fails.
        let beside = tempfile::Builder::new().prefix(".").suffix(".new").tempfile_in(&folder);
        let (out, beside) = beside.map_err(file("writing beside", &path))?.into_parts();
        let out = write(out).map_err(file("writing", &path))?;
        out.sync_all().map_err(file("syncing", &path))?;
        beside.persist(&path).map_err(|error| file("putting in place", &path)(error.error))?;
        sync(&folder)
    }
}

fn sync(folder: &Path) -> Result<(), LakeError> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(file("syncing the folder", folder))
}

fn file(step: &'static str, path: &Path) -> impl FnOnce(io::Error) -> LakeError + use<> {
    let path = path.to_owned();
    move |source| LakeError::File { step, path, source }
}

fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    (1..=LONGEST).contains(&name.len()) && name.bytes().all(plain) && !name.starts_with('_')
}

fn check_name(what: &str, name: &str) -> Result<(), LakeError> {
    if is_name(name) {
        return Ok(());
    }
    let shown: String = name.chars().take(LONGEST).collect();
    let problem = format!("a name is 1 to {LONGEST} lower-case letters, digits and _, not first");
    Err(LakeError::Rows { what: format!("{what} {shown:?}"), problem })
}
