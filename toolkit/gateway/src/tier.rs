//! What a door does with a request: key, limit, body limit.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, header};
use ieum_core::{Caller, Cx, Fault};
use ieum_policy::Decision;

use crate::gateway::{Door, Inner};
use crate::limit::Limit;
use crate::{ApiError, ClientAddress, KeyRefusal, Partner, Tier, VerifiedKey, body};

/// Lets a request through the door or answers why not.
pub(crate) async fn pass(State(door): State<Door>, request: Request, next: Next) -> Response {
    let (limit, decision, request) = match admit(&door, request).await {
        Ok(admitted) => admitted,
        Err(error) => return error.into_response(),
    };
    let mut response = match body::guard(request, door.inner.body) {
        Ok((request, verdict)) => {
            let response = next.run(request).await;
            let refused = verdict.and_then(|verdict| verdict.get().cloned());
            match refused
                .filter(|_| response.status().is_client_error() || response.status().is_server_error())
            {
                Some(refused) => ApiError::from(refused).into_response(),
                None => response,
            }
        }
        Err(error) => error.into_response(),
    };
    limit.write_headers(&decision, response.headers_mut());
    response
}

async fn admit(door: &Door, mut request: Request) -> Result<(Limit, Decision, Request), ApiError> {
    let inner = &door.inner;
    let key_text = key_text(request.headers(), door.tier)?.map(ToOwned::to_owned);
    let (limit, counted) = match key_text {
        Some(text) => {
            let address =
                ClientAddress::find(request.extensions(), request.headers(), &inner.trusted_proxies);
            let key = verify(inner, &text, address).await?;
            if key.tier < door.tier {
                let message = format!("this needs a {} key and this one is {}", door.tier, key.tier);
                return Err(Fault::permission_denied("gateway.tier_too_low", message).into());
            }
            let limit = key.limit.clone().unwrap_or_else(|| inner.limits[key.tier as usize].clone());
            let counted = format!("gateway:key:{}", key.id);
            let extensions = request.extensions_mut();
            if let Some(cx) = extensions.get_mut::<Cx>() {
                *cx = cx.with_caller(Caller::new(&key.id));
            }
            extensions.insert(Partner::new(key));
            (limit, counted)
        }
        None if door.tier == Tier::Public => {
            let address =
                ClientAddress::find(request.extensions(), request.headers(), &inner.trusted_proxies);
            (inner.limits[Tier::Public as usize].clone(), format!("gateway:address:{address}"))
        }
        None => {
            let message = "this needs an API key in the header X-API-Key";
            return Err(Fault::unauthenticated("gateway.key_missing", message).into());
        }
    };
    let decision = decide(inner, &counted, &limit).await;
    if decision.allowed {
        return Ok((limit, decision, request));
    }
    let mut headers = HeaderMap::new();
    limit.write_headers(&decision, &mut headers);
    let message = format!("more than {} requests in {:?}", limit.gcra.rate(), limit.gcra.per());
    let fault =
        Fault::resource_exhausted("gateway.rate_limited", message).with_retry_after(decision.retry_after);
    Err(ApiError::from(fault).with_headers(headers))
}

/// Returns the text of the request's key: `X-API-Key`, or `Authorization: Bearer` (RFC 6750). On public
/// routes an `Authorization` header of somebody else's is left alone. Two keys are refused, since it would
/// be open which one counts.
fn key_text(headers: &HeaderMap, tier: Tier) -> Result<Option<&str>, ApiError> {
    let own = headers.get_all("x-api-key").iter().map(|value| value.to_str().unwrap_or_default());
    let bearer = headers.get_all(header::AUTHORIZATION).iter().filter_map(|value| {
        let (scheme, text) = value.to_str().ok()?.split_once(' ')?;
        let ours = tier != Tier::Public || text.trim().starts_with("ieum_");
        (scheme.eq_ignore_ascii_case("bearer") && ours).then_some(text.trim())
    });
    let mut texts = own.chain(bearer);
    match (texts.next(), texts.next()) {
        (_, Some(_)) => {
            let message = "the request carries more than one API key";
            Err(Fault::invalid_argument("gateway.key_ambiguous", message).into())
        }
        (text, None) => Ok(text),
    }
}

async fn verify(inner: &Inner, text: &str, address: ClientAddress) -> Result<Arc<VerifiedKey>, ApiError> {
    let counted = format!("wrong:{address}");
    let now = inner.clock.now();
    // A key in use is never held back by others behind the same address that try wrong ones.
    if !inner.keys.is_remembered(text) {
        let decision = inner.local.look(&counted, &inner.wrong_keys, now);
        if !decision.allowed {
            return Err(too_many_wrong(decision));
        }
    }
    let refusal = match inner.keys.verify(text).await {
        Ok(key) => return Ok(key),
        Err(refusal) => refusal,
    };
    if let KeyRefusal::Store(cause) = &refusal {
        tracing::error!(error = cause as &dyn std::error::Error, "checking an API key");
        return Err(Fault::from(refusal).into());
    }
    let decision = inner.local.check(&counted, &inner.wrong_keys, now);
    Err(if decision.allowed { Fault::from(refusal).into() } else { too_many_wrong(decision) })
}

fn too_many_wrong(decision: Decision) -> ApiError {
    let message = "too many wrong API keys came from this address";
    Fault::resource_exhausted("gateway.too_many_wrong_keys", message)
        .with_retry_after(decision.retry_after)
        .into()
}

/// Counts one request in the shared cache; while that cannot be reached, in this process.
async fn decide(inner: &Inner, counted: &str, limit: &Limit) -> Decision {
    let now = inner.clock.now();
    match inner.cache.gcra(counted, &limit.gcra, now).await {
        Ok(decision) => decision,
        Err(error) => {
            metrics::counter!("ieum_gateway_local_limits_total").increment(1);
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "counting a rate limit; counted locally"
            );
            inner.local.check(counted, &limit.gcra, now)
        }
    }
}
