//! The beginning of a connection: its CONNECT read and decided about, its session attached, its CONNACK readied.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt, ReadHalf, WriteHalf};

use super::Connection;
use crate::admission::Admitted;
use crate::broker::Shared;
use crate::hub::Hello;
use crate::packet::{Connect, Greeting, Reason, Version, next_frame, read_connect, write_connack};
use crate::rules::Principal;
use crate::settings::Overflow;

/// Reads a CONNECT and decides about it. A refusal without a version is not answered.
pub(super) async fn greet<R: AsyncRead + Unpin>(
    shared: &Shared,
    reader: &mut R,
    inbound: &mut BytesMut,
) -> Result<(Connect, Admitted), Option<(Version, Reason)>> {
    let most = shared.limits.packet as usize;
    let frame = loop {
        match next_frame(inbound, most) {
            Ok(Some(frame)) => break frame,
            Ok(None) => {}
            Err(_) => return Err(None),
        }
        // A first byte of something else is not waited for.
        if inbound.first().is_some_and(|byte| *byte != 0x10) {
            return Err(None);
        }
        match reader.read_buf(inbound).await {
            Ok(0) | Err(_) => return Err(None),
            Ok(_) => {}
        }
    };
    let connect = read_connect(&frame).map_err(Some)?;
    let version = connect.version;
    let admitted = shared.admission.admit(&connect).await.map_err(|reason| Some((version, reason)))?;
    if let Some(will) = &connect.will {
        let permissions = shared.rules.permissions(&admitted.principal, &admitted.client);
        permissions.publish(&will.message.topic).map_err(|reason| Some((version, reason)))?;
    }
    Ok((connect, admitted))
}

/// Attaches the session and readies the answer to the CONNECT.
pub(super) fn begin<S>(
    shared: Arc<Shared>,
    reader: ReadHalf<S>,
    writer: WriteHalf<S>,
    inbound: BytesMut,
    connect: Connect,
    admitted: &Admitted,
) -> Connection<S> {
    let Connect { version, expiry, keep_alive: asked, .. } = connect;
    let limits = &shared.limits;
    let server_keep_alive =
        (version == Version::V5 && (asked == 0 || asked > limits.keep_alive)).then_some(limits.keep_alive);
    let keep_alive = server_keep_alive.unwrap_or(asked);
    let hello = hello(connect, admitted, limits.overflow == Overflow::Refuse);
    let now = shared.state.clock.now();
    let (attached, granted) = shared.state.with(|hub| {
        let granted = hub.expiry_within_limits(expiry);
        (hub.attach(hello, now), granted)
    });
    let greeting = Greeting {
        session_present: attached.present,
        assigned_client: admitted.assigned.then(|| admitted.client.to_string()),
        server_keep_alive,
        receive_maximum: limits.receive,
        packet_maximum: limits.packet,
        alias_maximum: limits.aliases,
        expiry: (granted != expiry).then_some(granted),
    };
    let mut outbound = BytesMut::new();
    write_connack(version, &greeting, &mut outbound);
    Connection {
        permissions: shared.rules.permissions(&admitted.principal, &admitted.client),
        reader,
        writer,
        inbound,
        outbound,
        version,
        aliases: HashMap::new(),
        attached,
        ends_with_connection: expiry == 0,
        silence: (keep_alive > 0).then(|| Duration::from_millis(u64::from(keep_alive) * 1_500)),
        heard_at: shared.state.clock.moment(),
        busy: false,
        unflushed: false,
        stalled: false,
        counted: false,
        shared,
    }
}

/// Returns what the hub is told of a client.
fn hello(connect: Connect, admitted: &Admitted, strict: bool) -> Hello {
    let owner: Arc<str> = match &admitted.principal {
        Principal::Device(device) => Arc::clone(device),
        Principal::Anonymous => "".into(),
    };
    Hello {
        owner,
        credential: admitted.credential.clone(),
        client: Arc::clone(&admitted.client),
        version: connect.version,
        clean_start: connect.clean_start,
        expiry: connect.expiry,
        receive_maximum: connect.receive_maximum,
        packet_maximum: connect.packet_maximum,
        alias_maximum: connect.alias_maximum,
        will: connect.will,
        strict,
        fair: false,
    }
}
