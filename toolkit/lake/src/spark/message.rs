//! The few messages of Spark Connect that asking takes, with the numbers of its `base.proto`, `relations.proto` and
//! `commands.proto` (<https://github.com/apache/spark/tree/v4.0.0/sql/connect/common/src/main/protobuf/spark/connect>).
//! What they leave out is skipped when reading, as Protocol Buffers have it.

use prost::Message;

#[derive(Clone, PartialEq, Eq, Message)]
pub struct ExecutePlanRequest {
    /// A UUID.
    #[prost(string, tag = "1")]
    pub session_id: String,
    #[prost(message, optional, tag = "2")]
    pub user_context: Option<UserContext>,
    #[prost(message, optional, tag = "3")]
    pub plan: Option<Plan>,
    #[prost(string, optional, tag = "4")]
    pub client_type: Option<String>,
}

#[derive(Clone, PartialEq, Eq, Message)]
pub struct UserContext {
    #[prost(string, tag = "1")]
    pub user_id: String,
}

/// One of both; a oneof writes as a message does that has only the one field.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct Plan {
    #[prost(message, optional, tag = "1")]
    pub root: Option<Relation>,
    #[prost(message, optional, tag = "2")]
    pub command: Option<Command>,
}

#[derive(Clone, PartialEq, Eq, Message)]
pub struct Relation {
    #[prost(message, optional, tag = "10")]
    pub sql: Option<Sql>,
}

#[derive(Clone, PartialEq, Eq, Message)]
pub struct Sql {
    #[prost(string, tag = "1")]
    pub query: String,
}

#[derive(Clone, PartialEq, Eq, Message)]
pub struct Command {
    #[prost(message, optional, tag = "5")]
    pub sql_command: Option<SqlCommand>,
}

#[derive(Clone, PartialEq, Eq, Message)]
pub struct SqlCommand {
    #[prost(string, tag = "1")]
    pub sql: String,
}

#[derive(Clone, PartialEq, Eq, Message)]
pub struct ConfigRequest {
    #[prost(string, tag = "1")]
    pub session_id: String,
    #[prost(message, optional, tag = "2")]
    pub user_context: Option<UserContext>,
    #[prost(message, optional, tag = "3")]
    pub operation: Option<ConfigOperation>,
    #[prost(string, optional, tag = "4")]
    pub client_type: Option<String>,
}

#[derive(Clone, PartialEq, Eq, Message)]
pub struct ConfigOperation {
    #[prost(message, optional, tag = "1")]
    pub set: Option<ConfigSet>,
}

#[derive(Clone, PartialEq, Eq, Message)]
pub struct ConfigSet {
    #[prost(message, repeated, tag = "1")]
    pub pairs: Vec<KeyValue>,
}

#[derive(Clone, PartialEq, Eq, Message)]
pub struct KeyValue {
    #[prost(string, tag = "1")]
    pub key: String,
    #[prost(string, optional, tag = "2")]
    pub value: Option<String>,
}

/// What was set is not read back.
#[derive(Clone, PartialEq, Eq, Message)]
pub struct ConfigResponse {}

#[derive(Clone, PartialEq, Eq, Message)]
pub struct ExecutePlanResponse {
    #[prost(message, optional, tag = "2")]
    pub arrow_batch: Option<ArrowBatch>,
}

#[derive(Clone, PartialEq, Eq, Message)]
pub struct ArrowBatch {
    #[prost(int64, tag = "1")]
    pub row_count: i64,
    /// An Arrow IPC stream: schema and batches.
    #[prost(bytes = "vec", tag = "2")]
    pub data: Vec<u8>,
}
