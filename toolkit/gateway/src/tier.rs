//! What a door does with a request: key, limit, body limit.

use std::error::Error;
use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, header};
use ieum_core::{Cx, Fault};
use ieum_policy::Decision;

use crate::gateway::{Door, Inner, Others};
use crate::keys::DayLeft;
use crate::limit::Limit;
use crate::passwords::{Given, SignedIn};
use crate::{ApiError, ClientAddress, Holder, KeyRefusal, Partner, Tier, TokenRefusal, body};

/// Lets a request through the door or answers why not.
pub(crate) async fn pass(State(door): State<Door>, request: Request, next: Next) -> Response {
    let (leave, request) = match admit(&door, request).await {
        Ok(admitted) => admitted,
        Err(error) => return error.into_response(),
    };
    let mut response = match body::guard(request, door.body) {
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
    leave.finish(&door.inner, &mut response);
    response
}

/// The leave that a door gave: what the answer tells of it, and where the request is counted.
pub(crate) struct Leave {
    limit: Limit,
    decision: Decision,
    day: Option<DayLeft>,
    used: Option<Used>,
}

/// Whose request it was, at which endpoint.
struct Used {
    holder: Arc<Holder>,
    endpoint: String,
}

impl Used {
    /// Notes a request of a key; tokens are not counted.
    fn of(holder: &Arc<Holder>, request: &Request) -> Option<Self> {
        let route = request.extensions().get::<MatchedPath>().map_or("unknown", MatchedPath::as_str);
        let endpoint = || format!("{} {route}", request.method());
        holder.is_key.then(|| Self { holder: holder.clone(), endpoint: endpoint() })
    }

    fn count(&self, inner: &Inner, refused: bool) {
        inner.keys.count(&self.holder.id, &self.endpoint, refused);
    }
}

impl Leave {
    /// Tells in the answer what is left, and counts the request.
    pub fn finish(&self, inner: &Inner, response: &mut Response) {
        self.limit.write_headers(&self.decision, self.day.as_ref(), response.headers_mut());
        if let Some(used) = &self.used {
            used.count(inner, matches!(response.status().as_u16(), 401 | 403 | 429));
        }
    }
}

/// Says who asks and counts the request. Fails where it may not pass.
pub(crate) async fn admit(door: &Door, mut request: Request) -> Result<(Leave, Request), ApiError> {
    let inner = &door.inner;
    let (mut holder, mut signed_in) = (None, None);
    if let Some(found) = credential(request.headers(), door)? {
        let from = RemoteAddress { inner, address: address(inner, &request) };
        match found.kind {
            Kind::Password | Kind::Unknown => {
                // Boxed for the same reason as the judging of tokens.
                let known = Box::pin(from.sign_in(door, &found)).await?;
                let limit = inner.limits[Tier::Partner as usize].clone();
                holder = Some(Arc::new(Holder::signed_in(known.name(), limit)));
                signed_in = Some(known);
            }
            Kind::Key | Kind::Token => holder = identify(from, found, door.leaves_alone()).await?,
        }
    }
    let used = holder.as_ref().and_then(|holder| Used::of(holder, &request));
    let refuse = |error: ApiError| {
        used.iter().for_each(|used| used.count(inner, true));
        error
    };
    let opens_nothing = signed_in.is_some() && door.others != Others::SignedIn;
    let found;
    let (limit, counted) = match &holder {
        Some(holder) => {
            if holder.tier < door.tier {
                let message = format!("this needs a {} key and this one is {}", door.tier, holder.tier);
                return Err(refuse(Fault::permission_denied("gateway.tier_too_low", message).into()));
            }
            let extensions = request.extensions_mut();
            if let Some(cx) = extensions.get_mut::<Cx>() {
                *cx = cx.with_caller(holder.caller.clone());
            }
            match signed_in {
                Some(signed_in) => drop(extensions.insert(signed_in)),
                None => drop(extensions.insert(Partner::new(holder.clone()))),
            }
            (holder.limit.as_ref().unwrap_or(&inner.limits[holder.tier as usize]), &holder.counted)
        }
        None if door.tier == Tier::Public => {
            found = format!("gateway:address:{}", address(inner, &request));
            (&inner.limits[Tier::Public as usize], &found)
        }
        None => {
            let message = "this needs an API key in the header X-API-Key";
            return Err(Fault::unauthenticated("gateway.key_missing", message).into());
        }
    };
    let (limit, decision) = match &door.own {
        Some(own) => (&own.limit, decide(inner, &format!("{counted}@{}", own.name), &own.limit).await),
        None => (limit, decide(inner, counted, limit).await),
    };
    let mut headers = HeaderMap::new();
    if !decision.allowed {
        limit.write_headers(&decision, None, &mut headers);
        let message = format!("more than {} requests in {:?}", limit.gcra.rate(), limit.gcra.per());
        let fault =
            Fault::resource_exhausted("gateway.rate_limited", message).with_retry_after(decision.retry_after);
        return Err(refuse(ApiError::from(fault).with_headers(headers)));
    }
    // Counted before it is refused: each costs a look at the store.
    if opens_nothing {
        limit.write_headers(&decision, None, &mut headers);
        let message = "a name and a password, such as a device's id and secret, do not open this; show an API key in the \
                       header X-API-Key";
        let fault = Fault::permission_denied("gateway.password_opens_nothing", message);
        return Err(refuse(ApiError::from(fault).with_headers(headers)));
    }
    let quota = holder.as_ref().and_then(|holder| Some((holder, holder.day_quota?)));
    let day = match quota {
        Some((holder, quota)) => Some(Box::pin(day(inner, holder, quota)).await?),
        None => None,
    };
    if let Some(day) = day.as_ref().filter(|day| !day.allowed) {
        limit.write_headers(&decision, Some(day), &mut headers);
        let message = format!("more than {} requests a day; the next day begins at 00:00 UTC", day.quota);
        let fault =
            Fault::resource_exhausted("gateway.day_quota_used_up", message).with_retry_after(day.resets_in);
        return Err(refuse(ApiError::from(fault).with_headers(headers)));
    }
    Ok((Leave { limit: limit.clone(), decision, day, used }, request))
}

/// Takes one request from the key's day. What cannot be counted is refused: a quota is kept exactly.
async fn day(inner: &Inner, holder: &Holder, quota: u32) -> Result<DayLeft, ApiError> {
    inner.keys.take_of_day(&holder.id, quota).await.map_err(|error| {
        tracing::error!(error = &error as &dyn Error, "counting a key's day");
        let message = "the key's requests of the day cannot be counted now";
        Fault::unavailable("gateway.quota_unavailable", message).into()
    })
}

/// What a request shows to be let in; the header's value, of which a clone copies no bytes.
struct Credential {
    value: HeaderValue,
    /// Where in the value the text begins.
    begin: usize,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Key,
    Token,
    Password,
    /// Nothing that anybody here knows how to read.
    Unknown,
}

impl Door {
    /// Tells whether what shows no key of ours may be somebody else's.
    fn leaves_alone(&self) -> bool {
        self.tier == Tier::Public && self.others == Others::LeftAlone
    }
}

impl Credential {
    fn text(&self) -> &str {
        self.value.to_str().ok().and_then(|text| text.get(self.begin..)).unwrap_or_default().trim()
    }
}

fn address(inner: &Inner, request: &Request) -> ClientAddress {
    ClientAddress::find(request.extensions(), request.headers(), &inner.trusted_proxies)
}

/// Returns what the request shows: a key in `X-API-Key`, or a key or token as `Authorization: Bearer`
/// (RFC 6750); a name and password (RFC 7617) where the door judges such. On public routes an `Authorization` header
/// of somebody else's is left alone; where a door judges, whatever stands in one without a key is shown. Two are refused,
/// since it would be open which one counts.
fn credential(headers: &HeaderMap, door: &Door) -> Result<Option<Credential>, ApiError> {
    // Beside a key, which is judged, what is none of ours is somebody else's everywhere, such as a proxy's.
    let judges = door.others != Others::LeftAlone && !headers.contains_key("x-api-key");
    let own = headers.get_all("x-api-key").iter();
    let own = own.map(|value| Credential { value: value.clone(), begin: 0, kind: Kind::Key });
    let authorization = headers.get_all(header::AUTHORIZATION).iter().filter_map(|value| {
        let (scheme, text) = value.to_str().unwrap_or_default().split_once(' ').unwrap_or_default();
        let kind = match scheme.to_ascii_lowercase().as_str() {
            "basic" if judges || door.others == Others::SignedIn => Kind::Password,
            "bearer" if text.trim().starts_with("ieum_") => Kind::Key,
            "bearer" if door.inner.tokens.is_some() => Kind::Token,
            "bearer" if judges || door.tier != Tier::Public => Kind::Key,
            _ if judges => Kind::Unknown,
            _ => return None,
        };
        Some(Credential { value: value.clone(), begin: scheme.len() + 1, kind })
    });
    let mut all = own.chain(authorization);
    match (all.next(), all.next()) {
        (_, Some(_)) => {
            let message = "the request shows more than one of X-API-Key and Authorization; show one and leave the \
                           other out, an empty one too";
            Err(Fault::invalid_argument("gateway.key_ambiguous", message).into())
        }
        (found, None) => Ok(found),
    }
}

/// Says who holds a credential; `None` for somebody else's token at a door that leaves such alone.
async fn identify(
    from: RemoteAddress<'_>,
    found: Credential,
    leaves_alone: bool,
) -> Result<Option<Arc<Holder>>, ApiError> {
    let inner = from.inner;
    let refusal: Refusal = match (&inner.tokens, found.kind) {
        (Some(tokens), Kind::Token) => {
            let recalled = tokens.recall(found.text());
            if let Some(holder) = recalled.holder {
                return Ok(Some(holder));
            }
            from.look()?;
            // Seldom taken; unboxed, it would make the future of every request several times as large.
            match Box::pin(tokens.judge(found.text(), &recalled)).await {
                Ok(holder) => return Ok(Some(holder)),
                Err(TokenRefusal::Issuer | TokenRefusal::Malformed) if leaves_alone => {
                    return Ok(None);
                }
                Err(refusal) => Refusal::of(refusal.is_ours(), refusal),
            }
        }
        _ => {
            // A key in use is never held back by others behind the same address that try wrong ones.
            if !inner.keys.is_remembered(found.text()) {
                from.look()?;
            }
            match inner.keys.verify(found.text()).await {
                Ok(key) => return Ok(Some(key.holder.clone())),
                Err(refusal) => Refusal::of(matches!(refusal, KeyRefusal::Store(_)), refusal),
            }
        }
    };
    if !refusal.ours {
        from.count_wrong()?;
    }
    Err(refusal.fault.into())
}

struct Refusal {
    /// Whether it is our fault, so that it is not counted against the address.
    ours: bool,
    fault: Fault,
}

impl Refusal {
    fn of<E: Error + Into<Fault> + 'static>(ours: bool, error: E) -> Self {
        if ours {
            tracing::error!(error = &error as &dyn Error, "checking an API key or token");
        }
        Self { ours, fault: error.into() }
    }
}

/// An address that tries keys or tokens.
struct RemoteAddress<'a> {
    inner: &'a Inner,
    address: ClientAddress,
}

impl RemoteAddress<'_> {
    fn counted(&self) -> String {
        format!("wrong:{}", self.address)
    }

    /// Fails where too many wrong ones came.
    fn look(&self) -> Result<(), ApiError> {
        let inner = self.inner;
        let decision = inner.local.look(&self.counted(), &inner.wrong_keys, inner.clock.now());
        if decision.allowed { Ok(()) } else { Err(too_many_wrong(decision)) }
    }

    /// Says who comes with a name and a password. Fails with `gateway.password_wrong`.
    async fn sign_in(&self, door: &Door, found: &Credential) -> Result<SignedIn, ApiError> {
        let now = self.inner.clock.moment();
        let given = Some(found).filter(|found| found.kind == Kind::Password);
        let given = door.signing.as_ref().zip(given.and_then(|found| Given::read(found.text())));
        // Who is in is never held back by others behind the same address that try wrong ones.
        if !given.as_ref().is_some_and(|(signing, given)| signing.is_remembered(given, now)) {
            self.look()?;
        }
        let signed_in = match &given {
            Some((signing, given)) => signing.sign_in(given, now).await?,
            None => None,
        };
        let Some(signed_in) = signed_in else {
            self.count_wrong()?;
            let message = match found.kind {
                Kind::Unknown => {
                    "the header Authorization shows nothing that is known here; leave it out, or show a key or token \
                     (`Bearer`) or a name and password (`Basic`)"
                }
                _ => "the name or the password is wrong, or the password has ended",
            };
            return Err(Fault::unauthenticated("gateway.password_wrong", message).into());
        };
        Ok(signed_in)
    }

    fn count_wrong(&self) -> Result<(), ApiError> {
        let inner = self.inner;
        let decision = inner.local.check(&self.counted(), &inner.wrong_keys, inner.clock.now());
        if decision.allowed { Ok(()) } else { Err(too_many_wrong(decision)) }
    }
}

fn too_many_wrong(decision: Decision) -> ApiError {
    let message = "too many wrong API keys, tokens or passwords came from this address";
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
