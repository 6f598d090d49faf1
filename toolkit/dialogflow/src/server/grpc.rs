//! The gRPC side: Google's services, answered by the same calls as REST.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::middleware::{Next, from_fn};
use futures::stream::BoxStream;
use tonic::{Request, Response, Status, Streaming};

use super::{Inner, routed};
use crate::proto::v2;
use crate::proto::v2::contexts_server::{Contexts, ContextsServer};
use crate::proto::v2::entity_types_server::{EntityTypes, EntityTypesServer};
use crate::proto::v2::intents_server::{Intents, IntentsServer};
use crate::proto::v2::sessions_server::{Sessions, SessionsServer};
use crate::status::{context_of, not_written, status_of};

/// What a message holds beside sound, in bytes.
const MARGIN: usize = 256 << 10;
/// The status of a method that no service has.
const UNIMPLEMENTED: &str = "12";

#[derive(Clone)]
struct Answerer(Arc<Inner>);

/// Returns the routes of all four services.
pub fn router(inner: &Arc<Inner>) -> Router {
    let answerer = Answerer(Arc::clone(inner));
    let most = inner.options.most_sound + MARGIN;
    let router = routed(Router::new(), SessionsServer::new(answerer.clone()).max_decoding_message_size(most));
    let router = routed(router, ContextsServer::new(answerer.clone()).max_decoding_message_size(most));
    let read = routed(Router::new(), IntentsServer::new(answerer.clone()));
    let read = routed(read, EntityTypesServer::new(answerer)).route_layer(from_fn(refuse_writing));
    router.merge(read)
}

/// Says why a method that the two services of what an agent knows lack is refused: only reading ones are there.
async fn refuse_writing(request: http::Request<Body>, next: Next) -> http::Response<Body> {
    let path = request.uri().path().to_owned();
    let response = next.run(request).await;
    let headers = response.headers();
    let is_unknown = headers.get(Status::GRPC_STATUS).is_some_and(|code| code == UNIMPLEMENTED)
        && !headers.contains_key(Status::GRPC_MESSAGE);
    if is_unknown { status_of(&not_written(&path)).into_http() } else { response }
}

#[tonic::async_trait]
impl Sessions for Answerer {
    type StreamingDetectIntentStream = BoxStream<'static, Result<v2::StreamingDetectIntentResponse, Status>>;

    async fn detect_intent(
        &self,
        request: Request<v2::DetectIntentRequest>,
    ) -> Result<Response<v2::DetectIntentResponse>, Status> {
        let cx = context_of(&self.0.clock, &request);
        let answer = self.0.detect(&cx, request.into_inner()).await;
        answer.map(Response::new).map_err(|fault| status_of(&fault))
    }

    async fn streaming_detect_intent(
        &self,
        request: Request<Streaming<v2::StreamingDetectIntentRequest>>,
    ) -> Result<Response<Self::StreamingDetectIntentStream>, Status> {
        let cx = context_of(&self.0.clock, &request);
        Ok(Response::new(Inner::stream(&self.0, cx, request.into_inner())))
    }
}

/// Writes a service whose methods hand their requests to the calls of the same names, with a context where one is
/// named.
macro_rules! handed {
    ($service:ident { $($name:ident($request:ident $(, $cx:ident)?) -> $response:ty;)* }) => {
        #[tonic::async_trait]
        impl $service for Answerer {
            $(async fn $name(&self, request: Request<v2::$request>) -> Result<Response<$response>, Status> {
                $(let $cx = context_of(&self.0.clock, &request);)?
                let answer = self.0.$name($(&$cx,)? request.into_inner()).await;
                answer.map(Response::new).map_err(|fault| status_of(&fault))
            })*
        }
    };
}

handed!(Contexts {
    list_contexts(ListContextsRequest) -> v2::ListContextsResponse;
    get_context(GetContextRequest) -> v2::Context;
    create_context(CreateContextRequest) -> v2::Context;
    update_context(UpdateContextRequest) -> v2::Context;
    delete_context(DeleteContextRequest) -> ();
    delete_all_contexts(DeleteAllContextsRequest) -> ();
});

handed!(Intents {
    list_intents(ListIntentsRequest, cx) -> v2::ListIntentsResponse;
    get_intent(GetIntentRequest, cx) -> v2::Intent;
});

handed!(EntityTypes {
    list_entity_types(ListEntityTypesRequest, cx) -> v2::ListEntityTypesResponse;
    get_entity_type(GetEntityTypeRequest, cx) -> v2::EntityType;
});
