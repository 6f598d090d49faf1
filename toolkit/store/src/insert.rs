//! Inserts of many rows, cut into as few statements as the dialect's limits allow.

use crate::columns::{self, Column, columns_of};
use crate::{Dialect, Row, Store, StoreError, Transaction, Value};

/// SQL text with its values.
#[derive(Clone, PartialEq, Debug)]
pub struct Statement {
    /// SQL text with `?` placeholders.
    pub sql: String,
    /// One value per placeholder.
    pub values: Vec<Value>,
}

/// An insert of any number of rows.
///
/// ```
/// use ieum_store::{Dialect, Insert};
///
/// let statements = Insert::into("cups")
///     .columns(["id", "taste"])
///     .rows([vec![1_i64.into(), "sweet".into()], vec![2_i64.into(), "sour".into()]])
///     .statements(Dialect::Sqlite)?;
/// assert_eq!(statements[0].sql, r#"INSERT INTO "cups" ("id", "taste") VALUES (?, ?), (?, ?)"#);
/// # Ok::<(), ieum_store::StoreError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Insert {
    table: String,
    columns: Vec<String>,
    rows: Vec<Vec<Value>>,
    on_conflict: OnConflict,
}

/// One statement on its way to the database.
pub(crate) struct Step {
    pub(crate) sql: String,
    pub(crate) given: Given,
}

/// The parameters of a statement.
pub(crate) enum Given {
    /// One for each placeholder.
    Values(Vec<Value>),
    /// One for each column, on PostgreSQL alone.
    Columns(Vec<Column>),
}

#[derive(Clone, Debug)]
enum OnConflict {
    Fail,
    Ignore(Vec<String>),
    Update(Vec<String>),
}

/// The most rows in one statement: beyond a few hundred, longer statements gain nothing.
const MOST_ROWS: usize = 1_000;
/// The most bytes of text and binary values in one statement, below MySQL's smallest default
/// `max_allowed_packet` of 16 MiB.
const MOST_BYTES: usize = 8 * 1024 * 1024;

impl Insert {
    /// Begins an insert into `table`.
    pub fn into(table: &str) -> Self {
        Self { table: table.to_owned(), columns: Vec::new(), rows: Vec::new(), on_conflict: OnConflict::Fail }
    }

    /// Names the columns, in the order of the values in each row.
    #[must_use]
    pub fn columns<'a>(mut self, columns: impl IntoIterator<Item = &'a str>) -> Self {
        self.columns = columns.into_iter().map(str::to_owned).collect();
        self
    }

    /// Adds rows.
    #[must_use]
    pub fn rows(mut self, rows: impl IntoIterator<Item = Vec<Value>>) -> Self {
        self.rows.extend(rows);
        self
    }

    /// Leaves out rows whose `key_columns` are there already.
    #[must_use]
    pub fn or_ignore<'a>(mut self, key_columns: impl IntoIterator<Item = &'a str>) -> Self {
        self.on_conflict = OnConflict::Ignore(key_columns.into_iter().map(str::to_owned).collect());
        self
    }

    /// Changes rows whose `key_columns` are there already. A key may stand only once in the rows:
    /// PostgreSQL refuses to change a row twice in one statement.
    #[must_use]
    pub fn or_update<'a>(mut self, key_columns: impl IntoIterator<Item = &'a str>) -> Self {
        self.on_conflict = OnConflict::Update(key_columns.into_iter().map(str::to_owned).collect());
        self
    }

    /// Returns the statements for `dialect`, with a placeholder for each value; none where there are no rows.
    ///
    /// # Errors
    /// A table or column name that is no plain identifier, or a row of another length.
    pub fn statements(self, dialect: Dialect) -> Result<Vec<Statement>, StoreError> {
        self.check()?;
        let ends = self.ends(dialect);
        Ok(self.chunks(dialect).into_iter().map(|rows| ends.around_values(rows)).collect())
    }

    /// Runs the insert in `transaction` and returns how many rows were added or changed. (MySQL counts a
    /// changed row twice.)
    ///
    /// # Errors
    /// See [`Insert::statements`] and [`StoreError`].
    pub async fn run_in(self, transaction: &mut Transaction) -> Result<u64, StoreError> {
        let mut changed = 0;
        for step in self.steps(transaction.dialect(), "")? {
            changed += transaction.execute_step(step).await?;
        }
        Ok(changed)
    }

    /// Runs the insert in `transaction` and returns `columns` of the rows that were added or changed: of those
    /// left out by [`Insert::or_ignore`] nothing.
    ///
    /// # Errors
    /// See [`Insert::run_in`]; refused where [`Dialect::returns_inserted`] is false.
    pub async fn run_returning(
        self,
        transaction: &mut Transaction,
        columns: &[&str],
    ) -> Result<Vec<Row>, StoreError> {
        if !transaction.dialect().returns_inserted() {
            let problem = format!("{} cannot return what an insert added", transaction.dialect());
            return Err(StoreError::Value(problem.into()));
        }
        columns.iter().try_for_each(|name| check_identifier(name))?;
        let names: Vec<String> = columns.iter().map(|name| transaction.dialect().quote(name)).collect();
        let mut added = Vec::new();
        for step in self.steps(transaction.dialect(), &format!(" RETURNING {}", names.join(", ")))? {
            added.extend(transaction.fetch_step(step).await?);
        }
        Ok(added)
    }

    /// Runs the statements in one transaction of their own and returns how many rows were added or changed.
    ///
    /// # Errors
    /// See [`Insert::run_in`].
    pub async fn run(self, store: &Store) -> Result<u64, StoreError> {
        let mut transaction = store.begin().await?;
        let changed = self.run_in(&mut transaction).await?;
        transaction.commit().await?;
        Ok(changed)
    }

    /// Returns what runs: [`Insert::statements`], or on PostgreSQL the same with a parameter for each column.
    fn steps(self, dialect: Dialect, last: &str) -> Result<Vec<Step>, StoreError> {
        self.check()?;
        let mut ends = self.ends(dialect);
        ends.tail.push_str(last);
        let step = |rows| {
            let rows = if dialect == Dialect::Postgres { columns_of(rows) } else { Err(rows) };
            match rows {
                Ok(columns) => ends.around_columns(columns),
                Err(rows) => {
                    let Statement { sql, values } = ends.around_values(rows);
                    Step { sql, given: Given::Values(values) }
                }
            }
        };
        Ok(self.chunks(dialect).into_iter().map(step).collect())
    }

    fn ends(&self, dialect: Dialect) -> Ends {
        let names: Vec<String> = self.columns.iter().map(|column| dialect.quote(column)).collect();
        let head = format!("INSERT INTO {} ({}) ", dialect.quote(&self.table), names.join(", "));
        let holes = format!("({})", vec!["?"; self.columns.len()].join(", "));
        Ends { head, holes, tail: self.tail(dialect) }
    }

    fn chunks(self, dialect: Dialect) -> Vec<Vec<Vec<Value>>> {
        let most_rows = (dialect.most_parameters() / self.columns.len()).clamp(1, MOST_ROWS);
        chunks(self.rows, most_rows)
    }

    fn tail(&self, dialect: Dialect) -> String {
        let (keys, others): (&Vec<String>, Vec<&str>) = match &self.on_conflict {
            OnConflict::Fail => return String::new(),
            OnConflict::Ignore(keys) => (keys, Vec::new()),
            OnConflict::Update(keys) => (
                keys,
                self.columns.iter().filter(|column| !keys.contains(column)).map(String::as_str).collect(),
            ),
        };
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        dialect.conflict_clause(&keys, &others)
    }

    fn check(&self) -> Result<(), StoreError> {
        let keys: &[String] = match &self.on_conflict {
            OnConflict::Fail => &[],
            OnConflict::Ignore(keys) | OnConflict::Update(keys) => keys,
        };
        for name in std::iter::once(&self.table).chain(&self.columns).chain(keys) {
            check_identifier(name)?;
        }
        let columns = self.columns.len();
        let wrong = self.rows.iter().enumerate().find(|(_, row)| row.len() != columns || columns == 0);
        match wrong {
            Some((row, values)) => Err(StoreError::RowLength { row, values: values.len(), columns }),
            None if columns == 0 => Err(StoreError::RowLength { row: 0, values: 0, columns }),
            None => Ok(()),
        }
    }
}

/// What stands before and after the rows of a statement.
struct Ends {
    head: String,
    /// The placeholders of one row.
    holes: String,
    tail: String,
}

impl Ends {
    fn around_values(&self, rows: Vec<Vec<Value>>) -> Statement {
        let holes = vec![self.holes.as_str(); rows.len()].join(", ");
        let sql = format!("{}VALUES {holes}{}", self.head, self.tail);
        Statement { sql, values: rows.into_iter().flatten().collect() }
    }

    fn around_columns(&self, columns: Vec<Column>) -> Step {
        let sql = format!("{}{}{}", self.head, columns::source(&columns), self.tail);
        Step { sql, given: Given::Columns(columns) }
    }
}

fn chunks(rows: Vec<Vec<Value>>, most_rows: usize) -> Vec<Vec<Vec<Value>>> {
    let mut chunks: Vec<Vec<Vec<Value>>> = Vec::new();
    let mut bytes = 0;
    for row in rows {
        let size: usize = row.iter().map(size_of_value).sum();
        match chunks.last_mut() {
            Some(chunk) if chunk.len() < most_rows && bytes + size <= MOST_BYTES => chunk.push(row),
            _ => {
                chunks.push(vec![row]);
                bytes = 0;
            }
        }
        bytes += size;
    }
    chunks
}

fn size_of_value(value: &Value) -> usize {
    match value {
        Value::Text(text) => text.len(),
        Value::Bytes(bytes) => bytes.len(),
        _ => 8,
    }
}

/// Refuses what is no plain identifier: a letter or `_`, then letters, digits or `_`, at most 63 (the limit of
/// PostgreSQL).
pub(crate) fn check_identifier(name: &str) -> Result<(), StoreError> {
    let mut bytes = name.bytes();
    let first = bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    if first && name.len() <= 63 && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return Ok(());
    }
    Err(StoreError::Identifier { name: name.chars().take(80).collect() })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rows_are_cut_at_the_limits_and_none_is_lost() {
        let rows = (0..2_500_i64).map(|number| vec![number.into(), "x".into()]);
        let statements = Insert::into("t")
            .columns(["a", "b"])
            .rows(rows)
            .or_ignore(["a"])
            .statements(Dialect::Postgres)
            .expect("is right");
        assert_eq!(
            statements.iter().map(|statement| statement.values.len()).collect::<Vec<_>>(),
            [2000, 2000, 1000]
        );
        assert!(statements[0].sql.ends_with(r#"ON CONFLICT ("a") DO NOTHING"#));
        let wide: Vec<String> = (0..1_000).map(|i| format!("c{i}")).collect();
        let statements = Insert::into("t")
            .columns(wide.iter().map(String::as_str))
            .rows((0..100).map(|_| vec![Value::Null; 1_000]))
            .statements(Dialect::Sqlite)
            .expect("is right");
        assert!(statements.iter().all(|statement| statement.values.len() <= 32_766));
        let big = Insert::into("t").columns(["a"]).rows((0..3).map(|_| vec![vec![0_u8; 5 << 20].into()]));
        assert_eq!(big.statements(Dialect::MySql).expect("is right").len(), 3);
    }

    #[test]
    fn a_row_of_another_length_is_named() {
        let error =
            Insert::into("t").columns(["a"]).rows([vec![1_i64.into()], vec![]]).statements(Dialect::Sqlite);
        assert_eq!(error.expect_err("is short").to_string(), "row 1 has 0 values for 1 columns");
    }

    proptest! {
        #[test]
        fn only_plain_identifiers_reach_the_statement(name in "\\PC{0,70}") {
            let plain = !name.is_empty()
                && name.len() <= 63
                && !name.starts_with(|letter: char| letter.is_ascii_digit())
                && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
            prop_assert_eq!(check_identifier(&name).is_ok(), plain);
        }
    }
}
