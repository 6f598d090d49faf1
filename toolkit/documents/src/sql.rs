//! Documents as rows of the SQL store: adding an entry is one statement.

use async_trait::async_trait;
use ieum_store::{Dialect, Row, Store, StoreError, Value};
use serde_json::Value as Json;

use crate::{Collection, Document, Documents, DocumentsError, Entry, Key, SHOWN};

/// What one half of a journal may hold, in characters or bytes as the database counts: once the newer half does, it
/// becomes the older one.
const HALF: usize = 16 * 1024;

/// Documents in the SQL store, each collection in a table of its own.
#[derive(Clone)]
pub struct SqlDocuments {
    store: Store,
}

impl SqlDocuments {
    /// Keeps documents in `store`, which has the [table](Self::table) of every collection that is asked for.
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// Returns the statement that makes a collection's table, for its owner's migrations.
    pub fn table(of: &Collection, dialect: Dialect) -> String {
        let types = dialect.types();
        let (key, text, int, time) = (types.key, types.text, types.int, types.timestamp);
        let Collection { name, owner, id, .. } = of;
        format!(
            "CREATE TABLE {name} ({owner} {key} NOT NULL, {id} {key} NOT NULL, \
             turn_count {int} NOT NULL, state {text} NOT NULL, older {text} NOT NULL, history {text} NOT NULL, \
             updated_at {time} NOT NULL, PRIMARY KEY ({owner}, {id}))"
        )
    }
}

#[async_trait]
impl Documents for SqlDocuments {
    async fn get(&self, of: &Collection, key: Key<'_>) -> Result<Option<Document>, DocumentsError> {
        let Collection { name, owner, id, .. } = of;
        let sql = format!(
            "SELECT turn_count, state, older, history, updated_at FROM {name} WHERE {owner} = ? AND {id} = ?"
        );
        let row = self.store.fetch_optional(&sql, &[key.owner.into(), key.id.into()]).await;
        row.map_err(failed("reading"))?.map(|row| read(&row)).transpose()
    }

    async fn add(&self, to: &Collection, key: Key<'_>, entry: Entry) -> Result<Document, DocumentsError> {
        let (mark, line) = written(to, &entry);
        let (mark, line) = (Value::from(mark), Value::from(line));
        let mut values: Vec<Value> = vec![key.owner.into(), key.id.into(), entry.state.to_string().into()];
        values.extend([line.clone(), entry.at.into()]);
        // Four times it is asked whether the entry is known, each time in both halves.
        values.extend(std::iter::repeat_n(mark, 8));
        values.extend([line.clone(), line]);
        let sql = upsert(self.store.dialect(), to);
        self.store.execute(&sql, &values).await.map_err(failed("adding to"))?;
        let gone = || shape("it is gone right after it was kept");
        self.get(to, key).await?.ok_or_else(gone)
    }

    async fn forget(&self, of: &Collection, owner: &str) -> Result<u64, DocumentsError> {
        let sql = format!("DELETE FROM {} WHERE {} = ?", of.name, of.owner);
        self.store.execute(&sql, &[owner.into()]).await.map_err(failed("forgetting"))
    }

    async fn ping(&self) -> Result<(), DocumentsError> {
        self.store.ping().await.map_err(failed("asking for"))
    }

    fn is_remote(&self) -> bool {
        false
    }

    fn sentences(&self) -> Vec<&'static str> {
        vec!["gives documents within the sql store: its backup holds them"]
    }
}

/// Returns how the line of an entry begins, by which it is known again, and the line.
fn written(to: &Collection, entry: &Entry) -> (String, String) {
    let mark = format!("{{\"{}\":{}", to.entry_id, Json::from(entry.id.as_str()));
    let mut body = entry.body.clone();
    body.remove(to.entry_id);
    let rest = Json::Object(body).to_string();
    let comma = if rest == "{}" { "" } else { "," };
    let line = format!("{mark}{comma}{}\n", &rest[1..]);
    (mark, line)
}

/// Returns the statement that adds an entry. MySQL changes the columns one after the other and reads those that are
/// changed already as they are then, which their order allows for: `older` takes over what holds no known entry.
fn upsert(dialect: Dialect, to: &Collection) -> String {
    let Collection { name, owner, id, .. } = to;
    let insert = format!(
        "INSERT INTO {name} ({owner}, {id}, turn_count, state, older, history, updated_at) \
         VALUES (?, ?, 1, ?, '', ?, ?)"
    );
    let (own, clause) = match dialect {
        Dialect::MySql => (String::new(), "ON DUPLICATE KEY UPDATE".to_owned()),
        _ => (format!("{name}."), format!("ON CONFLICT ({owner}, {id}) DO UPDATE SET")),
    };
    let fresh = |column: &str| match dialect {
        Dialect::MySql => format!("VALUES({column})"),
        _ => format!("excluded.{column}"),
    };
    let joined = match dialect {
        Dialect::MySql => "CONCAT(history, ?)".to_owned(),
        _ => format!("{own}history || ?"),
    };
    let finds = if dialect == Dialect::Postgres { "STRPOS" } else { "INSTR" };
    let known = format!("({finds}({own}history, ?) > 0 OR {finds}({own}older, ?) > 0)");
    let (state, updated) = (fresh("state"), fresh("updated_at"));
    format!(
        "{insert} {clause} \
         turn_count = CASE WHEN {known} THEN {own}turn_count ELSE {own}turn_count + 1 END, \
         state = CASE WHEN {known} THEN {own}state ELSE {state} END, \
         older = CASE WHEN {known} OR LENGTH({own}history) < {HALF} THEN {own}older ELSE {own}history END, \
         history = CASE WHEN {known} THEN {own}history WHEN LENGTH({own}history) >= {HALF} THEN ? ELSE {joined} END, \
         updated_at = {updated}"
    )
}

fn read(row: &Row) -> Result<Document, DocumentsError> {
    let text = |column| row.text(column).map_err(failed("reading"));
    let json = |text: &str| serde_json::from_str(text).map_err(|error| shape(&error.to_string()));
    let journal = format!("{}{}", text("older")?, text("history")?);
    let lines: Vec<&str> = journal.lines().collect();
    let shown = &lines[lines.len().saturating_sub(SHOWN)..];
    Ok(Document {
        count: u64::try_from(row.int("turn_count").map_err(failed("reading"))?).unwrap_or_default(),
        state: json(&text("state")?)?,
        entries: shown.iter().map(|line| json(line)).collect::<Result<_, _>>()?,
        updated_at: row.timestamp("updated_at").map_err(failed("reading"))?,
    })
}

fn failed(step: &'static str) -> impl Fn(StoreError) -> DocumentsError {
    move |source| DocumentsError::Store { step, source }
}

fn shape(problem: &str) -> DocumentsError {
    DocumentsError::Shape { step: "reading", problem: problem.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTES: Collection = Collection { name: "notes", owner: "person", id: "book", entry_id: "noteId" };

    #[test]
    fn a_table_of_an_earlier_release_is_still_the_table() {
        // Migrations are known by their text.
        let expected = "CREATE TABLE notes (person TEXT NOT NULL, book TEXT NOT NULL, turn_count INTEGER NOT NULL, \
                        state TEXT NOT NULL, older TEXT NOT NULL, history TEXT NOT NULL, updated_at INTEGER NOT NULL, \
                        PRIMARY KEY (person, book))";
        assert_eq!(SqlDocuments::table(&NOTES, Dialect::Sqlite), expected);
    }

    #[test]
    fn a_line_begins_with_its_id_whatever_else_it_holds() {
        let entry = |body: Json| Entry {
            id: "1\"0".into(),
            body: body.as_object().cloned().unwrap_or_default(),
            state: Json::Null,
            at: ieum_core::Timestamp::default(),
        };
        let full = serde_json::json!({ "all": "줄\n바꿈", "noteId": "other" });
        let line = "{\"noteId\":\"1\\\"0\",\"all\":\"줄\\n바꿈\"}\n";
        assert_eq!(written(&NOTES, &entry(full)), ("{\"noteId\":\"1\\\"0\"".into(), line.into()));
        assert_eq!(written(&NOTES, &entry(serde_json::json!({}))).1, "{\"noteId\":\"1\\\"0\"}\n");
    }
}
