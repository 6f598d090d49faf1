//! Meets the contract `voice.context` over documents: a session is a document, and a turn an entry of it.

use std::sync::Arc;

use async_trait::async_trait;
use ieum_contracts::voice::{
    Context, ContextEngine, ContextEngineRoutes, ForgetPerson, GetContext, RecordTurn,
};
use ieum_core::{Cx, Fault};
use ieum_documents::{Collection, Document, Documents, Entry, Key};
use ieum_link::Routes;
use serde_json::Value;

/// Where sessions are kept.
pub const SESSIONS: Collection =
    Collection { name: "ieum_voice_context", owner: "user_id", id: "session_id", entry_id: "turnId" };

/// The longest name of a person or a session.
const LONGEST: usize = 120;

/// Contexts as documents, in whatever keeps these.
#[derive(Clone)]
pub struct Contexts {
    documents: Arc<dyn Documents>,
}

impl Contexts {
    /// Keeps contexts in `documents`. Where these are in the SQL store, it has the tables of
    /// [`VoicePart::migrations`](crate::VoicePart::migrations).
    pub fn new(documents: Arc<dyn Documents>) -> Self {
        Self { documents }
    }

    /// Returns the contract as it is answered here.
    pub fn routes(&self) -> Routes {
        ContextEngineRoutes::of(Arc::new(self.clone()) as Arc<dyn ContextEngine>)
    }
}

#[async_trait]
impl ContextEngine for Contexts {
    async fn get(&self, _cx: &Cx, ask: GetContext) -> Result<Context, Fault> {
        let found = self.documents.get(&SESSIONS, Key { owner: &ask.user_id, id: &ask.session_id }).await?;
        let empty = Context { user_id: ask.user_id, session_id: ask.session_id, ..Context::default() };
        match found {
            Some(document) => read(document, empty),
            None => Ok(empty),
        }
    }

    async fn record(&self, _cx: &Cx, record: RecordTurn) -> Result<Context, Fault> {
        check(&record)?;
        let RecordTurn { user_id, session_id, turn, state } = record;
        let body = match serde_json::to_value(&turn).map_err(unwritable)? {
            Value::Object(fields) => fields,
            _ => return Err(Fault::internal("voice.context.json", "a turn is no JSON object")),
        };
        let state = serde_json::to_value(&state).map_err(unwritable)?;
        let entry = Entry { id: turn.turn_id, body, state, at: turn.at };
        let document = self.documents.add(&SESSIONS, Key { owner: &user_id, id: &session_id }, entry).await?;
        read(document, Context { user_id, session_id, ..Context::default() })
    }

    async fn forget(&self, _cx: &Cx, ask: ForgetPerson) -> Result<ForgetPerson, Fault> {
        self.documents.forget(&SESSIONS, &ask.user_id).await?;
        Ok(ask)
    }
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

fn read(document: Document, empty: Context) -> Result<Context, Fault> {
    let lost = |error: serde_json::Error| {
        Fault::data_loss("voice.context", format!("reading the context of {:?}: {error}", empty.session_id))
    };
    Ok(Context {
        turn_count: document.count,
        state: serde_json::from_value(document.state).map_err(lost)?,
        conversation_history: serde_json::from_value(Value::Array(document.entries)).map_err(lost)?,
        last_updated: Some(document.updated_at),
        ..empty
    })
}
