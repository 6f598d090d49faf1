//! Meets the contract `voice.context` over the SQL store: a session is a row, and a turn one statement.

use std::sync::Arc;

use async_trait::async_trait;
use ieum_contracts::voice::{
    Context, ContextEngine, ContextEngineRoutes, ContextState, GetContext, PastTurn, RecordTurn,
};
use ieum_core::{Cx, Fault};
use ieum_link::Routes;
use ieum_store::{Dialect, Row, Store, Value};

/// What one half of a history may hold, in characters or bytes as the database counts: once the newer half does, it becomes the older one.
const HALF: usize = 16 * 1024;
/// The turns that a context shows.
const SHOWN: usize = 20;
/// The longest name of a person or a session.
const LONGEST: usize = 120;

/// Contexts in the SQL store.
#[derive(Clone)]
pub struct SqlContexts {
    store: Store,
}

impl SqlContexts {
    /// Keeps contexts in `store`, which has the tables of [`VoicePart::migrations`](crate::VoicePart::migrations).
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// Returns the contract as it is answered here.
    pub fn routes(&self) -> Routes {
        ContextEngineRoutes::of(Arc::new(self.clone()) as Arc<dyn ContextEngine>)
    }
}

#[async_trait]
impl ContextEngine for SqlContexts {
    async fn get(&self, _cx: &Cx, ask: GetContext) -> Result<Context, Fault> {
        let sql = "SELECT turn_count, state, older, history, updated_at FROM ieum_voice_context \
                   WHERE user_id = ? AND session_id = ?";
        let row = self
            .store
            .fetch_optional(sql, &[ask.user_id.as_str().into(), ask.session_id.as_str().into()])
            .await?;
        let empty = Context { user_id: ask.user_id, session_id: ask.session_id, ..Context::default() };
        match row {
            Some(row) => read(&row, empty),
            None => Ok(empty),
        }
    }

    async fn record(&self, cx: &Cx, turn: RecordTurn) -> Result<Context, Fault> {
        check(&turn)?;
        let state = serde_json::to_string(&turn.state).map_err(unwritable)?;
        let mut line = serde_json::to_string(&turn.turn).map_err(unwritable)?;
        // How the line says its turn: found among the last ones, it is not added again.
        let mark = serde_json::to_string(&turn.turn.turn_id).map_err(unwritable)?;
        let mark = format!("{{\"turnId\":{mark},");
        line.push('\n');
        let (line, mark) = (Value::from(line), Value::from(mark));
        let mut values: Vec<Value> =
            vec![turn.user_id.as_str().into(), turn.session_id.as_str().into(), state.into()];
        values.extend([line.clone(), turn.turn.at.into()]);
        // Four times it is asked whether the turn is known, each time in both halves.
        values.extend(std::iter::repeat_n(mark, 8));
        values.extend([line.clone(), line]);
        self.store.execute(&upsert(self.store.dialect()), &values).await?;
        self.get(cx, GetContext { user_id: turn.user_id, session_id: turn.session_id }).await
    }
}

/// Returns the statement that adds a turn. MySQL changes the columns one after the other and reads those that are
/// changed already as they are then, which their order allows for: `older` takes over what holds no known turn.
fn upsert(dialect: Dialect) -> String {
    let insert = "INSERT INTO ieum_voice_context (user_id, session_id, turn_count, state, older, history, updated_at) \
                  VALUES (?, ?, 1, ?, '', ?, ?)";
    let (own, clause) = match dialect {
        Dialect::MySql => ("", "ON DUPLICATE KEY UPDATE"),
        _ => ("ieum_voice_context.", "ON CONFLICT (user_id, session_id) DO UPDATE SET"),
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

fn check(turn: &RecordTurn) -> Result<(), Fault> {
    for (field, value) in
        [("userId", &turn.user_id), ("sessionId", &turn.session_id), ("turn.turnId", &turn.turn.turn_id)]
    {
        if value.is_empty() || value.chars().count() > LONGEST {
            let message = format!("field {field}: must have 1 to {LONGEST} characters");
            return Err(Fault::invalid_argument("voice.context.invalid", message));
        }
    }
    Ok(())
}

fn unwritable(error: serde_json::Error) -> Fault {
    Fault::internal("voice.context.json", format!("writing a context as JSON: {error}"))
}

fn read(row: &Row, empty: Context) -> Result<Context, Fault> {
    let lost = |error: serde_json::Error| {
        Fault::data_loss("voice.context", format!("reading the context of {:?}: {error}", empty.session_id))
    };
    let state: ContextState = serde_json::from_str(&row.text("state")?).map_err(lost)?;
    let text = format!("{}{}", row.text("older")?, row.text("history")?);
    let lines: Vec<&str> = text.lines().collect();
    let shown = lines[lines.len().saturating_sub(SHOWN)..].iter();
    let conversation_history =
        shown.map(|line| serde_json::from_str(line)).collect::<Result<Vec<PastTurn>, _>>().map_err(lost)?;
    Ok(Context {
        turn_count: u64::try_from(row.int("turn_count")?).unwrap_or_default(),
        state,
        conversation_history,
        last_updated: row.opt_timestamp("updated_at")?,
        ..empty
    })
}
