//! Every call of the API but streams, as both gRPC and REST answer it.

use ieum_core::{Cx, Fault};
use prost_types::FieldMask;

use super::Inner;
use super::pages::page;
use crate::contexts::rules;
use crate::convert::{context_message, context_of, entity_message, intent_message, query_of, wrong};
use crate::proto::v2;
use crate::{AgentName, Context, Kept, NameError, SessionName};

impl Inner {
    pub async fn detect(
        &self,
        cx: &Cx,
        request: v2::DetectIntentRequest,
    ) -> Result<v2::DetectIntentResponse, Fault> {
        let query = query_of(request)?;
        let cx = cx.with_timeout(self.clock.moment(), self.options.longest_turn);
        Ok(self.within(&cx, self.turn(&cx, query)).await?.into_response())
    }

    pub async fn list_contexts(
        &self,
        request: v2::ListContextsRequest,
    ) -> Result<v2::ListContextsResponse, Fault> {
        let session = session(&request.parent)?;
        let kept = rules::alive(self.contexts.load(&session).await?, self.clock.now());
        let (kept, next_page_token) = page(kept, request.page_size, &request.page_token)?;
        let contexts = kept.iter().map(|kept| context_message(&session, &kept.context)).collect();
        Ok(v2::ListContextsResponse { contexts, next_page_token })
    }

    pub async fn get_context(&self, request: v2::GetContextRequest) -> Result<v2::Context, Fault> {
        let (session, id) = context_name(&request.name)?;
        let context = self.kept(&session, &id).await?;
        Ok(context_message(&session, &context))
    }

    /// A context that is there already is overwritten, as Dialogflow does it.
    pub async fn create_context(&self, request: v2::CreateContextRequest) -> Result<v2::Context, Fault> {
        let session = session(&request.parent)?;
        let message = request.context.ok_or_else(|| wrong("context", "is missing"))?;
        let context = named_context(&session, message)?;
        self.put(&session, &context).await?;
        Ok(context_message(&session, &context))
    }

    pub async fn update_context(&self, request: v2::UpdateContextRequest) -> Result<v2::Context, Fault> {
        let message = request.context.ok_or_else(|| wrong("context", "is missing"))?;
        let (session, id) = context_name(&message.name)?;
        let old = self.kept(&session, &id).await?;
        let context = masked(old, named_context(&session, message)?, request.update_mask.as_ref())?;
        self.put(&session, &context).await?;
        Ok(context_message(&session, &context))
    }

    pub async fn delete_context(&self, request: v2::DeleteContextRequest) -> Result<(), Fault> {
        let (session, id) = context_name(&request.name)?;
        self.kept(&session, &id).await?;
        let without = |kept: Vec<Kept>| kept.into_iter().filter(|kept| kept.context.id != id).collect();
        self.contexts.change(&session, &without).await?;
        Ok(())
    }

    pub async fn delete_all_contexts(&self, request: v2::DeleteAllContextsRequest) -> Result<(), Fault> {
        self.contexts.change(&session(&request.parent)?, &|_| Vec::new()).await?;
        Ok(())
    }

    pub async fn list_intents(
        &self,
        cx: &Cx,
        request: v2::ListIntentsRequest,
    ) -> Result<v2::ListIntentsResponse, Fault> {
        let agent = agent(&request.parent)?;
        let language = self.language(&request.language_code)?;
        let intents = self.agent.intents(cx, &language).await?;
        let (intents, next_page_token) = page(intents, request.page_size, &request.page_token)?;
        let full = request.intent_view == v2::IntentView::Full as i32;
        let intents = intents.iter().map(|intent| intent_message(&agent, intent, full)).collect();
        Ok(v2::ListIntentsResponse { intents, next_page_token })
    }

    pub async fn get_intent(&self, cx: &Cx, request: v2::GetIntentRequest) -> Result<v2::Intent, Fault> {
        let (agent, id) = part_of(&request.name, "/intents/")?;
        let language = self.language(&request.language_code)?;
        let intents = self.agent.intents(cx, &language).await?;
        let found = intents.iter().find(|intent| intent.reference.id == id);
        let full = request.intent_view == v2::IntentView::Full as i32;
        found
            .map(|intent| intent_message(&agent, intent, full))
            .ok_or_else(|| missing("intent", &request.name))
    }

    pub async fn list_entity_types(
        &self,
        cx: &Cx,
        request: v2::ListEntityTypesRequest,
    ) -> Result<v2::ListEntityTypesResponse, Fault> {
        let agent = agent(&request.parent)?;
        let language = self.language(&request.language_code)?;
        let kinds = self.agent.entity_types(cx, &language).await?;
        let (kinds, next_page_token) = page(kinds, request.page_size, &request.page_token)?;
        let entity_types = kinds.iter().map(|kind| entity_message(&agent, kind)).collect();
        Ok(v2::ListEntityTypesResponse { entity_types, next_page_token })
    }

    pub async fn get_entity_type(
        &self,
        cx: &Cx,
        request: v2::GetEntityTypeRequest,
    ) -> Result<v2::EntityType, Fault> {
        let (agent, id) = part_of(&request.name, "/entityTypes/")?;
        let language = self.language(&request.language_code)?;
        let kinds = self.agent.entity_types(cx, &language).await?;
        let found = kinds.iter().find(|kind| kind.id == id);
        found.map(|kind| entity_message(&agent, kind)).ok_or_else(|| missing("entity type", &request.name))
    }

    async fn kept(&self, session: &SessionName, id: &str) -> Result<Context, Fault> {
        let kept = rules::alive(self.contexts.load(session).await?, self.clock.now());
        let found = kept.into_iter().map(|kept| kept.context).find(|context| context.id == id);
        found.ok_or_else(|| missing("context", &session.context(id)))
    }

    async fn put(&self, session: &SessionName, context: &Context) -> Result<(), Fault> {
        let now = self.clock.now();
        let set = |kept| rules::set(kept, std::slice::from_ref(context), now);
        self.contexts.change(session, &set).await?;
        Ok(())
    }
}

/// Returns the old context with those fields of the new one that the mask names; all without a mask.
fn masked(old: Context, new: Context, mask: Option<&FieldMask>) -> Result<Context, Fault> {
    let Some(mask) = mask.filter(|mask| !mask.paths.is_empty()) else { return Ok(new) };
    let mut context = old;
    for path in &mask.paths {
        match path.as_str() {
            "lifespan_count" | "lifespanCount" => context.lifespan = new.lifespan,
            "parameters" => context.parameters = new.parameters.clone(),
            "name" => {}
            other => {
                let other: String = other.chars().take(80).collect();
                return Err(wrong("update_mask", format!("{other:?} is no field of a context")));
            }
        }
    }
    Ok(context)
}

/// Reads a context that must be one of `session`.
fn named_context(session: &SessionName, message: v2::Context) -> Result<Context, Fault> {
    let (named, _) = context_name(&message.name)?;
    if named != *session {
        return Err(wrong("context.name", format!("is not in {session}")));
    }
    context_of(message)
}

fn session(text: &str) -> Result<SessionName, Fault> {
    SessionName::parse(text).map_err(|error| wrong("parent", error.to_string()))
}

fn context_name(text: &str) -> Result<(SessionName, String), Fault> {
    SessionName::parse_context(text).map_err(|error| wrong("name", error.to_string()))
}

fn agent(text: &str) -> Result<AgentName, Fault> {
    AgentName::parse(text).map_err(|error| wrong("parent", error.to_string()))
}

/// Splits the name of a part of an agent into the agent's and the part's id.
fn part_of<'a>(name: &'a str, between: &str) -> Result<(AgentName, &'a str), Fault> {
    let (parent, id) = name.split_once(between).unwrap_or((name, ""));
    let agent = AgentName::parse(parent).map_err(|error: NameError| wrong("name", error.to_string()))?;
    Ok((agent, id))
}

fn missing(what: &str, name: &str) -> Fault {
    let name: String = name.chars().take(300).collect();
    Fault::not_found("dialogflow.missing", format!("there is no {what} {name}"))
}
