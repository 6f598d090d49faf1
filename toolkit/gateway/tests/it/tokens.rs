//! Tokens: what opens a door, and every trick that must not.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use http::{Method, Request, StatusCode};
use ieum_core::{Secret, Timestamp};
use ieum_gateway::{
    Algorithm, EventAccess, GatewayOptions, IssuerOptions, KeyOrigin, Rate, RevokeError, Revoked, Tier,
    Tokens,
};
use serde_json::{Value, json};

use crate::mint::{AUDIENCE, ISSUER, Signer, Source, encode};
use crate::stage::{Answer, Stage, ask, request};

const NOW: i64 = 1_777_629_600;

fn issuer(algorithm: Algorithm) -> IssuerOptions {
    let url = "https://id.example.org/jwks.json".parse().expect("is a URL");
    IssuerOptions::new(ISSUER, AUDIENCE, algorithm, KeyOrigin::Url(url))
}

fn claims() -> Value {
    json!({"iss": ISSUER, "aud": AUDIENCE, "sub": "seoul-fair", "exp": NOW + 600, "iat": NOW, "jti": "t1",
        "scope": "attendance:read orders:write", "tier": "premium"})
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

fn without(name: &str) -> Value {
    let mut claims = claims();
    claims.as_object_mut().expect("is an object").remove(name);
    claims
}

fn one_token(id: &str) -> Revoked {
    Revoked::Token { issuer: ISSUER.to_owned(), id: id.to_owned() }
}

fn all_tokens(subject: &str, before: i64) -> Revoked {
    let issued_before = Timestamp::from_seconds(before);
    Revoked::Subject { issuer: ISSUER.to_owned(), subject: subject.to_owned(), issued_before }
}

async fn stage(options: IssuerOptions, source: Arc<Source>) -> Stage {
    let limits = GatewayOptions { wrong_keys: Rate::per_minute(10_000), ..GatewayOptions::default() };
    let stage = Stage::issuing(limits, vec![options], source).await;
    assert_eq!(stage.clock_seconds(), NOW);
    stage
}

fn bearing(token: &str) -> Request<Body> {
    let mut asked = request(Method::GET, "/api/partner/whoami");
    asked.headers_mut().insert("authorization", format!("Bearer {token}").parse().expect("fits a header"));
    asked
}

async fn show(stage: &Stage, token: &str) -> Answer {
    ask(&stage.site(), bearing(token)).await
}

/// Asserts that a token is refused for `reason`, in a problem that repeats nothing of it.
async fn refused(stage: &Stage, token: &str, reason: &str) {
    let answer = show(stage, token).await;
    assert_eq!(answer.reason(), reason, "{}", answer.body);
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{}", answer.body);
    for part in token.split('.').filter(|part| part.len() > 3) {
        assert!(!answer.body.contains(part), "repeats the token: {}", answer.body);
    }
    for secret in ["jwks", ISSUER, AUDIENCE, "seoul-fair", "RS256", "passwd", "DROP"] {
        let body = answer.body.replace("urn:ieum:problem", "");
        assert!(!body.contains(&format!("\"{secret}")), "tells {secret}: {}", answer.body);
        assert!(secret == AUDIENCE || !body.contains(secret), "tells {secret}: {}", answer.body);
    }
}

#[tokio::test]
async fn every_algorithm_opens_the_door_of_an_issuer_that_uses_it() {
    for (signer, algorithm) in [
        (Signer::first(), Algorithm::Rs256),
        (Signer::curve(), Algorithm::Es256),
        (Signer::edwards(), Algorithm::EdDsa),
    ] {
        let stage = stage(issuer(algorithm), Source::of(&[signer.jwk("k1")])).await;
        let answer = show(&stage, &signer.token("k1", &claims())).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        assert_eq!(answer.body, format!("seoul-fair premium {ISSUER}#seoul-fair"));
    }
    let secret = "a secret of two that is long enough";
    let keys = KeyOrigin::Secret(Secret::new(secret.to_owned()));
    let stage = stage(IssuerOptions { keys, ..issuer(Algorithm::Hs256) }, Source::of(&[])).await;
    let signer = Signer::Secret(secret.into());
    assert_eq!(show(&stage, &signer.token("any", &claims())).await.status, StatusCode::OK);
    refused(&stage, &Signer::Secret(vec![7; 40]).token("any", &claims()), "gateway.token_signature").await;
}

#[tokio::test]
async fn a_token_of_no_or_another_algorithm_opens_nothing() {
    let signer = Signer::first();
    let stage =
        stage(issuer(Algorithm::Rs256), Source::of(&[signer.jwk("k1"), Signer::curve().jwk("k2")])).await;
    let body = claims().to_string();
    for name in ["none", "None", "NONE", "nOnE", "", "RS512", "HS256", "ES256", "rs256", "RS256 "] {
        let header = json!({"alg": name, "kid": "k1"}).to_string();
        refused(&stage, &signer.seal(&header, &body), "gateway.token_algorithm").await;
        let unsigned = format!("{}.{}.", encode(&header), encode(&body));
        refused(&stage, &unsigned, "gateway.token_algorithm").await;
    }
    // What an attacker knows of the public key, used as if it were a shared secret.
    let jwk = signer.jwk("k1");
    let texts = [jwk.to_string(), jwk["n"].as_str().expect("is a text").to_owned()];
    for text in texts {
        let forged = Signer::Secret(text.into_bytes()).token("k1", &claims());
        refused(&stage, &forged, "gateway.token_algorithm").await;
    }
    let relabelled =
        Signer::Secret(vec![1; 32]).seal(&json!({"alg": "RS256", "kid": "k1"}).to_string(), &body);
    refused(&stage, &relabelled, "gateway.token_signature").await;
    // The key of another algorithm is no key for this one.
    refused(&stage, &signer.token("k2", &claims()), "gateway.token_key").await;
}

#[tokio::test]
async fn a_key_named_by_a_trick_is_no_key() {
    let signer = Signer::first();
    let source = Source::of(&[signer.jwk("k1")]);
    let stage = stage(issuer(Algorithm::Rs256), source.clone()).await;
    for kid in
        ["../../etc/passwd", "k1' OR '1'='1", "x'; DROP TABLE api_keys; --", "k1\u{0}", "K1", "", "한글"]
    {
        refused(&stage, &signer.token(kid, &claims()), "gateway.token_key").await;
    }
    refused(&stage, &signer.token(&"k".repeat(5_000), &claims()), "gateway.token_key").await;
    for header in [
        json!({"alg": "RS256", "kid": ["k1"]}),
        json!({"alg": "RS256", "kid": null}),
        json!({"alg": "RS256", "kid": 1}),
    ] {
        refused(&stage, &signer.seal(&header.to_string(), &claims().to_string()), "gateway.token_key").await;
    }
    let own = Signer::second();
    // A token that brings its own key, or says where to fetch one.
    let header =
        json!({"alg": "RS256", "kid": "k1", "jwk": own.jwk("k1"), "jku": "https://evil.example/jwks"});
    refused(&stage, &own.seal(&header.to_string(), &claims().to_string()), "gateway.token_signature").await;
    assert!(stage.store.fetch_all("SELECT * FROM api_keys", &[]).await.is_ok());
}

#[tokio::test]
async fn times_audience_and_issuer_are_kept_to_the_second() {
    let signer = Signer::first();
    let stage = stage(issuer(Algorithm::Rs256), Source::of(&[signer.jwk("k1")])).await;
    let token = |claims: &Value| signer.token("k1", claims);
    let fine = async |claims: Value| {
        assert_eq!(show(&stage, &token(&claims)).await.status, StatusCode::OK, "{claims}");
    };
    fine(with("exp", json!(NOW - 29))).await;
    refused(&stage, &token(&with("exp", json!(NOW - 30))), "gateway.token_expired").await;
    fine(with("nbf", json!(NOW + 30))).await;
    refused(&stage, &token(&with("nbf", json!(NOW + 31))), "gateway.token_early").await;
    refused(&stage, &token(&with("iat", json!(NOW + 31))), "gateway.token_early").await;
    fine(with("exp", json!(NOW as f64 + 0.5))).await;
    for wrong in [json!("1777999999"), json!(null), json!(-1), json!(1e300), json!([NOW + 60]), json!(true)] {
        refused(&stage, &token(&with("exp", wrong.clone())), "gateway.token_claim").await;
        refused(&stage, &token(&with("nbf", wrong)), "gateway.token_claim").await;
    }
    refused(&stage, &token(&without("exp")), "gateway.token_claim").await;
    refused(&stage, &token(&without("sub")), "gateway.token_claim").await;
    refused(&stage, &token(&with("sub", json!("a\r\nieum-caller: root"))), "gateway.token_claim").await;
    fine(with("aud", json!(["other", AUDIENCE]))).await;
    for wrong in
        [json!("other"), json!(["other"]), json!("ieum other"), json!("IEUM"), json!(null), json!({})]
    {
        refused(&stage, &token(&with("aud", wrong)), "gateway.token_audience").await;
    }
    refused(&stage, &token(&without("aud")), "gateway.token_audience").await;
    for wrong in [json!("https://id.example.org/"), json!("https://ID.example.org"), json!("evil")] {
        refused(&stage, &token(&with("iss", wrong)), "gateway.token_issuer").await;
    }
    refused(&stage, &token(&without("iss")), "gateway.token_claim").await;
}

#[tokio::test]
async fn a_token_ends_at_its_time_although_it_is_remembered() {
    let signer = Signer::first();
    let stage = stage(issuer(Algorithm::Rs256), Source::of(&[signer.jwk("k1")])).await;
    let token = signer.token("k1", &with("exp", json!(NOW)));
    stage.clock.advance(Duration::from_millis(29_900));
    assert_eq!(show(&stage, &token).await.status, StatusCode::OK);
    stage.clock.advance(Duration::from_millis(99));
    assert_eq!(show(&stage, &token).await.status, StatusCode::OK);
    stage.clock.advance(Duration::from_millis(1));
    refused(&stage, &token, "gateway.token_expired").await;
}

#[tokio::test]
async fn a_token_that_is_not_well_formed_opens_nothing() {
    let signer = Signer::first();
    let stage = stage(issuer(Algorithm::Rs256), Source::of(&[signer.jwk("k1")])).await;
    let (header, body) = (json!({"alg": "RS256", "kid": "k1"}).to_string(), claims().to_string());
    let right = signer.seal(&header, &body);
    let [first, second, third] = right.split('.').collect::<Vec<_>>()[..] else { panic!("has three parts") };
    for wrong in [
        "x".to_owned(),
        "..".to_owned(),
        format!("{first}.{second}"),
        format!("{first}..{third}"),
        format!("{first}.{second}.{third}.{third}"),
        format!("{first}=.{second}.{third}"),
        format!("{first}.{second}.{third}="),
        format!("{first}.{second}.+/"),
        signer.seal("{}", &body),
        signer.seal("[]", &body),
        signer.seal(&header, "[]"),
        signer.seal(&header, "{\"iss\":"),
        signer.seal(&json!({"alg": "RS256", "kid": "k1", "crit": ["b64"], "b64": false}).to_string(), &body),
        signer.seal("{\"alg\":\"none\",\"alg\":\"RS256\",\"kid\":\"k1\"}", &body),
        signer.seal(&header, &body.replacen('{', "{\"sub\":\"root\",", 1)),
        signer.seal(&header, &body.replacen('{', "{\"tier\":\"premium\",", 1)),
    ] {
        refused(&stage, &wrong, "gateway.token_malformed").await;
    }
    refused(&stage, &signer.token("k1", &with("pad", json!("p".repeat(9_000)))), "gateway.token_too_long")
        .await;
    let altered = format!("{first}.{}.{third}", encode(body.replace("seoul-fair", "busan-fair")));
    refused(&stage, &altered, "gateway.token_signature").await;
    refused(&stage, &Signer::second().token("k1", &claims()), "gateway.token_signature").await;
    refused(&stage, &format!("{first}.{second}."), "gateway.token_signature").await;
}

#[tokio::test]
async fn a_rotated_key_counts_and_the_one_taken_away_ends_within_a_second() {
    let (old, new) = (Signer::first(), Signer::second());
    let source = Source::of(&[old.jwk("k1")]);
    let stage = stage(issuer(Algorithm::Rs256), source.clone()).await;
    let before = old.token("k1", &claims());
    assert_eq!(show(&stage, &before).await.status, StatusCode::OK);
    source.put(&[new.jwk("k2")]);
    stage.clock.advance(Duration::from_secs(10));
    assert_eq!(show(&stage, &before).await.status, StatusCode::OK, "nobody knows of the change yet");
    assert_eq!(
        show(&stage, &new.token("k2", &claims())).await.status,
        StatusCode::OK,
        "an unknown key is looked for"
    );
    refused(&stage, &before, "gateway.token_key").await;
    assert_eq!(source.asked(), 2);
}

#[tokio::test]
async fn a_file_of_keys_that_changes_counts_within_a_second() {
    let (old, new) = (Signer::first(), Signer::second());
    let folder = tempfile::tempdir().expect("makes a folder");
    let path = folder.path().join("keys.json");
    let write = |signer: &Signer| {
        std::fs::write(&path, json!({"keys": [signer.jwk("k1")]}).to_string()).expect("is written");
    };
    write(&old);
    let options = IssuerOptions { keys: KeyOrigin::File(path.clone()), ..issuer(Algorithm::Rs256) };
    let stage = stage(options, Source::of(&[])).await;
    let before = old.token("k1", &claims());
    assert_eq!(show(&stage, &before).await.status, StatusCode::OK);
    stage.clock.advance(Duration::from_millis(390));
    assert_eq!(show(&stage, &before).await.status, StatusCode::OK);
    write(&new);
    stage.clock.advance(Duration::from_millis(500));
    assert_eq!(show(&stage, &new.token("k1", &claims())).await.status, StatusCode::OK);
    refused(&stage, &before, "gateway.token_signature").await;
}

#[tokio::test]
async fn a_flood_of_unknown_keys_asks_the_issuer_once_an_interval() {
    let signer = Signer::first();
    let source = Source::of(&[signer.jwk("k1")]);
    let stage = stage(issuer(Algorithm::Rs256), source.clone()).await;
    assert_eq!(show(&stage, &signer.token("k1", &claims())).await.status, StatusCode::OK);
    for round in 1..4 {
        stage.clock.advance(Duration::from_secs(10));
        let site = stage.site();
        let flood = (0..50).map(|i| ask(&site, bearing(&signer.token(&format!("k{round}-{i}"), &claims()))));
        for answer in futures::future::join_all(flood).await {
            assert_eq!(answer.reason(), "gateway.token_key");
        }
        assert_eq!(source.asked(), 1 + round, "one fetch per interval");
    }
}

#[tokio::test]
async fn an_issuer_that_is_away_ends_nobodys_tokens_at_once_and_is_our_fault_before() {
    let signer = Signer::first();
    let source = Arc::new(Source::default());
    let stage = stage(issuer(Algorithm::Rs256), source.clone()).await;
    let token = signer.token("k1", &with("exp", json!(NOW + 90_000)));
    let answer = show(&stage, &token).await;
    assert_eq!(
        (answer.status, answer.reason().as_str()),
        (StatusCode::SERVICE_UNAVAILABLE, "gateway.tokens_unavailable")
    );
    source.put(&[signer.jwk("k1")]);
    stage.clock.advance(Duration::from_secs(10));
    assert_eq!(show(&stage, &token).await.status, StatusCode::OK);
    *source.set.lock() = None;
    stage.clock.advance(Duration::from_secs(3_500));
    assert_eq!(show(&stage, &token).await.status, StatusCode::OK, "the last keys count for an hour");
    stage.clock.advance(Duration::from_secs(200));
    assert_eq!(show(&stage, &token).await.reason(), "gateway.tokens_unavailable");
}

#[tokio::test]
async fn a_revoked_token_ends_here_at_once_and_elsewhere_within_a_second() {
    let signer = Signer::first();
    let source = Source::of(&[signer.jwk("k1")]);
    let stage = stage(issuer(Algorithm::Rs256), source.clone()).await;
    let tokens = stage.tokens.clone().expect("takes tokens");
    let elsewhere =
        Tokens::new(vec![issuer(Algorithm::Rs256)], source, stage.store.clone(), stage.clock.shared())
            .expect("is right");
    let token = signer.token("k1", &claims());
    assert_eq!(show(&stage, &token).await.status, StatusCode::OK);
    elsewhere.verify(&token).await.expect("is right");
    let until = Timestamp::from_seconds(NOW + 600);
    tokens.revoke(one_token("t1"), until, "lost").await.expect("is revoked");
    tokens.revoke(one_token("t1"), until, "lost").await.expect("changes nothing");
    refused(&stage, &token, "gateway.token_revoked").await;
    stage.clock.advance(Duration::from_millis(999));
    assert!(elsewhere.verify(&token).await.is_err());
    let other = signer.token("k1", &with("jti", json!("t2")));
    assert_eq!(show(&stage, &other).await.status, StatusCode::OK);
}

#[tokio::test]
async fn what_a_subject_was_given_before_ends_and_what_it_is_given_after_counts() {
    let signer = Signer::first();
    let stage = stage(issuer(Algorithm::Rs256), Source::of(&[signer.jwk("k1")])).await;
    let tokens = stage.tokens.clone().expect("takes tokens");
    let early = signer.token("k1", &claims());
    let undated = signer.token("k1", &without("iat"));
    let late = signer.token("k1", &with("iat", json!(NOW + 10)));
    let nameless = signer.token("k1", &without("jti"));
    let other = signer.token("k1", &with("sub", json!("busan-fair")));
    for token in [&early, &undated, &late, &nameless, &other] {
        assert_eq!(show(&stage, token).await.status, StatusCode::OK);
    }
    let until = Timestamp::from_seconds(NOW + 600);
    tokens
        .revoke(all_tokens("seoul-fair", NOW + 10), until, "a laptop was stolen")
        .await
        .expect("is revoked");
    for token in [&early, &undated, &nameless] {
        refused(&stage, token, "gateway.token_revoked").await;
    }
    for token in [&late, &other] {
        assert_eq!(show(&stage, token).await.status, StatusCode::OK);
    }
    tokens.revoke(one_token("t9"), until, "").await.expect("is revoked");
    let kept = tokens.revocations().await.expect("reads");
    let told: Vec<_> = kept.iter().map(|one| (&one.what, &*one.reason, one.until)).collect();
    let (whole, single) = (all_tokens("seoul-fair", NOW + 10), one_token("t9"));
    for one in [(&whole, "a laptop was stolen", until), (&single, "", until)] {
        assert!(told.contains(&one), "{told:?}");
    }
}

#[tokio::test]
async fn a_token_revoked_before_revocations_were_described_stays_revoked() {
    let signer = Signer::first();
    let stage = stage(issuer(Algorithm::Rs256), Source::of(&[signer.jwk("k1")])).await;
    let id = ring::digest::digest(&ring::digest::SHA256, format!("{ISSUER}\nt1").as_bytes());
    let until = Timestamp::from_seconds(NOW + 600);
    let sql = "INSERT INTO api_revoked_tokens (id, until) VALUES (?, ?)";
    stage.store.execute(sql, &[hex::encode(id).into(), until.into()]).await.expect("is written");
    refused(&stage, &signer.token("k1", &claims()), "gateway.token_revoked").await;
    let tokens = stage.tokens.clone().expect("takes tokens");
    assert_eq!(tokens.revocations().await.expect("reads"), [], "nothing is known of it to tell");
}

#[tokio::test]
async fn what_cannot_be_revoked_is_told_by_its_field() {
    let signer = Signer::first();
    let stage = stage(issuer(Algorithm::Rs256), Source::of(&[signer.jwk("k1")])).await;
    let tokens = stage.tokens.clone().expect("takes tokens");
    let (over, until) = (Timestamp::from_seconds(NOW), Timestamp::from_seconds(NOW + 600));
    let foreign = Revoked::Token { issuer: "https://elsewhere.example".to_owned(), id: "t1".to_owned() };
    for (what, until, told) in [
        (
            foreign,
            until,
            format!("\"https://elsewhere.example\": no such issuer is trusted here; there are {ISSUER}"),
        ),
        (one_token(""), until, "id is empty".to_owned()),
        (all_tokens("", NOW), until, "subject is empty".to_owned()),
        (one_token("t1"), over, "until is over, so nothing would be revoked".to_owned()),
    ] {
        let error: RevokeError = tokens.revoke(what, until, "").await.expect_err("cannot be");
        assert!(error.to_string().contains(&told), "{error}");
    }
    assert_eq!(tokens.revocations().await.expect("reads"), []);
}

/// The part of revoking that the store does.
pub async fn a_revoked_token_ends_at_every_door(stage: &Stage) {
    let signer = Signer::first();
    let source = Source::of(&[signer.jwk("k1")]);
    let door = || {
        let issuers = vec![issuer(Algorithm::Rs256)];
        Tokens::new(issuers, source.clone(), stage.store.clone(), stage.clock.shared()).expect("is right")
    };
    let (here, elsewhere, token) = (door(), door(), signer.token("k1", &claims()));
    here.verify(&token).await.expect("is right");
    elsewhere.verify(&token).await.expect("is right");
    let until = Timestamp::from_seconds(NOW + 600);
    here.revoke(one_token("t1"), until, "lost").await.expect("is revoked");
    here.revoke(one_token("t1"), until, "lost").await.expect("changes nothing");
    assert!(here.verify(&token).await.is_err());
    stage.clock.advance(Duration::from_millis(999));
    assert!(elsewhere.verify(&token).await.is_err());
    stage.clock.advance(Duration::from_secs(700));
    here.revoke(one_token("t2"), until + Duration::from_secs(700), "lost").await.expect("is revoked");
    let kept = stage.store.fetch_all("SELECT id FROM api_revoked_tokens", &[]).await.expect("reads");
    assert_eq!(kept.len(), 1, "what has ended by itself is not kept");
}

#[tokio::test]
async fn a_busy_token_is_verified_once_while_it_is_remembered() {
    let signer = Signer::first();
    let stage = stage(issuer(Algorithm::Rs256), Source::of(&[signer.jwk("k1")])).await;
    let tokens = stage.tokens.clone().expect("takes tokens");
    let token = signer.token("k1", &claims());
    tokens.verify(&token).await.expect("is right");
    let asked = stage.store.statistics().statements;
    for _ in 0..100 {
        tokens.verify(&token).await.expect("is right");
    }
    assert_eq!(stage.store.statistics().statements, asked);
    stage.clock.advance(Duration::from_millis(400));
    tokens.verify(&token).await.expect("is right");
    assert_eq!(stage.store.statistics().statements, asked + 1, "is looked at again");
}

#[tokio::test]
async fn claims_give_tier_scopes_and_events() {
    let signer = Signer::first();
    let options = IssuerOptions {
        tier: Tier::Public,
        tier_claim: "plan".to_owned(),
        tiers: [("gold".to_owned(), Tier::Premium), ("basic".to_owned(), Tier::Partner)].into(),
        scope_claim: "scp".to_owned(),
        events_claim: Some("events".to_owned()),
        events: EventAccess::None,
        ..issuer(Algorithm::Rs256)
    };
    let stage = stage(options, Source::of(&[signer.jwk("k1")])).await;
    let tokens = stage.tokens.clone().expect("takes tokens");
    let holder = async |claims: Value| tokens.verify(&signer.token("k1", &claims)).await.expect("is right");
    assert_eq!(holder(with("plan", json!("gold"))).await.tier, Tier::Premium);
    assert_eq!(
        holder(with("plan", json!(["basic", "gold"]))).await.tier,
        Tier::Premium,
        "the highest counts"
    );
    assert_eq!(holder(with("plan", json!("premium"))).await.tier, Tier::Public, "no word of the map");
    assert_eq!(holder(claims()).await.tier, Tier::Public);
    let scoped = holder(with("scp", json!(["a:read", "b:*"]))).await;
    assert_eq!(scoped.scopes, ["a:read".to_owned(), "b:*".to_owned()].into());
    assert!(scoped.events == EventAccess::None);
    assert_eq!(
        holder(with("events", json!(["e1"]))).await.events,
        EventAccess::Only(["e1".to_owned()].into())
    );
    let answer = show(&stage, &signer.token("k1", &claims())).await;
    assert_eq!(answer.reason(), "gateway.tier_too_low");
}

#[tokio::test]
async fn who_tries_wrong_tokens_is_held_back_and_known_ones_behind_the_same_address_are_not() {
    let signer = Signer::first();
    let limits = GatewayOptions { wrong_keys: Rate::per_minute(4), ..GatewayOptions::default() };
    let stage = Stage::issuing(limits, vec![issuer(Algorithm::Rs256)], Source::of(&[signer.jwk("k1")])).await;
    let token = signer.token("k1", &claims());
    assert_eq!(show(&stage, &token).await.status, StatusCode::OK);
    for _ in 0..4 {
        refused(&stage, &Signer::second().token("k1", &claims()), "gateway.token_signature").await;
    }
    let answer = show(&stage, &Signer::second().token("k1", &claims())).await;
    assert_eq!(answer.reason(), "gateway.too_many_wrong_keys");
    assert_eq!(show(&stage, &token).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_public_door_leaves_foreign_tokens_alone_and_refuses_broken_ones_of_ours() {
    let signer = Signer::first();
    let stage = stage(issuer(Algorithm::Rs256), Source::of(&[signer.jwk("k1")])).await;
    let ask_public = async |token: &str| {
        let mut asked = bearing(token);
        *asked.uri_mut() = "/api/public/hello".parse().expect("is a path");
        ask(&stage.site(), asked).await
    };
    assert_eq!(ask_public("eyJhbGciOi").await.status, StatusCode::OK);
    assert_eq!(ask_public(&signer.token("k1", &with("iss", json!("other")))).await.status, StatusCode::OK);
    let expired = ask_public(&signer.token("k1", &with("exp", json!(1)))).await;
    assert_eq!(expired.reason(), "gateway.token_expired");
}

#[test]
fn an_issuer_that_would_open_the_door_too_wide_is_refused_with_its_field() {
    let secret = |text: &str| KeyOrigin::Secret(Secret::new(text.to_owned()));
    let long = "a secret of two that is long enough";
    let base = || issuer(Algorithm::Rs256);
    for (field, options) in [
        ("issuer", IssuerOptions { issuer: String::new(), ..base() }),
        ("audience", IssuerOptions { audience: vec![], ..base() }),
        ("algorithms", IssuerOptions { algorithms: vec![], ..base() }),
        ("algorithms", IssuerOptions { algorithms: vec![Algorithm::Rs256, Algorithm::Hs256], ..base() }),
        ("algorithms", IssuerOptions { keys: secret(long), ..base() }),
        ("secret", IssuerOptions { keys: secret("short"), ..issuer(Algorithm::Hs256) }),
        ("leeway", IssuerOptions { leeway: Duration::from_secs(301), ..base() }),
    ] {
        let found = options.mistakes();
        assert!(found.iter().any(|(name, _)| *name == field), "{field}: {found:?}");
    }
    assert!(base().mistakes().is_empty());
    assert!("none".parse::<Algorithm>().is_err());
}
