//! Scopes and resources at the token endpoint (section S, RFC 8707).

use std::time::{Duration, Instant};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use prokura_server::domain::{SigningAlgorithm, TokenFormat};
use serde_json::{Value, json};

use super::{start, start_with};
use crate::harness::{Credentials, Options, Prokura, jwt_resource, opaque_resource};

const READ: &str = "management:service-accounts:read";
const WRITE: &str = "management:service-accounts:write";
const ORDERS: &str = "https://orders.example";
const BILLING: &str = "https://billing.example";

/// A server with two resources beside the management API. Tokens for orders are JWTs, tokens for billing are opaque.
async fn start_with_resources() -> Prokura {
    start_with(Options::with_resources(vec![
        jwt_resource(ORDERS, "orders:read orders:write", SigningAlgorithm::Es256),
        opaque_resource(BILLING, "billing:read"),
    ]))
    .await
}

/// Creates an account with these scopes.
async fn account(prokura: &Prokura, scopes: &[&str]) -> Credentials {
    let token = prokura.access_token(&prokura.root).await;
    let body = json!({ "name": "CI", "scopes": scopes });
    prokura.create(&token, body).await.1
}

/// The claims of a JWT. The signature is not verified.
pub(super) fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

/// S1, S2. The response always says what was granted.
#[tokio::test]
async fn the_granted_scope_is_echoed_and_defaults_to_all() {
    let prokura = start_with_resources().await;
    let one = account(&prokura, &["management:all", "orders:read", "orders:write"]).await;
    for (form, granted) in [
        (&[("scope", "management:all")][..], "management:all"),
        (&[], "management:all"),
        (&[("scope", "")], "management:all"),
        (&[("resource", ORDERS)], "orders:read orders:write"),
        (
            &[("resource", ORDERS), ("scope", "")],
            "orders:read orders:write",
        ),
    ] {
        let reply = prokura.token(&one, form).await.expect(200);
        assert_eq!(reply.json()["scope"], granted, "{form:?}");
    }
}

/// S3, S7. A scope is a set: order and repetition do not matter (RFC 6749 §3.3), and the response always has the same
/// order.
#[tokio::test]
async fn the_order_and_repetition_of_scopes_do_not_matter() {
    let prokura = start().await;
    let one = account(&prokura, &[WRITE, READ]).await;
    for scope in [
        format!("{READ} {WRITE}"),
        format!("{WRITE} {READ}"),
        format!("{WRITE} {READ} {WRITE}"),
    ] {
        let reply = prokura.token(&one, &[("scope", &scope)]).await.expect(200);
        assert_eq!(reply.json()["scope"], format!("{READ} {WRITE}"), "{scope}");
    }
    let twice = format!("{READ} {READ}");
    let reply = prokura.token(&one, &[("scope", &twice)]).await.expect(200);
    assert_eq!(reply.json()["scope"], READ);
}

/// S4, S6, S7. A value that violates the grammar is `invalid_scope`, and the response does not repeat it.
#[tokio::test]
async fn a_scope_is_case_sensitive_and_its_grammar_is_strict() {
    let prokura = start().await;
    for scope in [
        "Management:All",
        "MANAGEMENT:ALL",
        "management:all ",
        " management:all",
        "management:all  management:all",
        " ",
        "management:all,tokens:introspect",
        "management:all;tokens:introspect",
        "management:all\ttokens:introspect",
        "management:all\n",
        "management:all\r\nX-Injected: 1",
        "management:\"all\"",
        "management\\all",
        "management:all\u{7f}",
        "management:all é",
        "management:all\u{a0}tokens:introspect",
        "management:al\u{2113}",
        "management:all 😀",
        "management:*",
        "*",
    ] {
        let reply = prokura.token(&prokura.root, &[("scope", scope)]).await;
        assert_eq!(
            reply.any_oauth_error(),
            (400, "invalid_scope".to_owned()),
            "{scope:?}"
        );
        assert!(!reply.mentions("management"), "{scope:?}: {reply:?}");
        assert!(reply.headers.get("x-injected").is_none());
    }
    // These are not text at all, so the form is malformed.
    prokura
        .token(&prokura.root, &[("scope", "management:all\0")])
        .await
        .expect_oauth_error(400, "invalid_request");
}

/// S5. One bad scope refuses the whole request. The response does not tell which scopes exist.
#[tokio::test]
async fn an_unknown_scope_and_a_scope_not_granted_get_the_same_error() {
    let prokura = start_with_resources().await;
    let one = account(&prokura, &[READ, "orders:read"]).await;
    let answer = |scope: &'static str| {
        let (prokura, one) = (&prokura, &one);
        async move {
            prokura
                .token(one, &[("scope", scope)])
                .await
                .expect_oauth_error(400, "invalid_scope")
                .fingerprint()
        }
    };
    let unknown = answer("nonsense").await;
    for scope in [
        "management:all",
        "management:service-accounts:write",
        "tokens:introspect",
        "orders:write",
        "orders:read orders:write",
        "orders:read nonsense",
        "nonsense orders:read",
        "billing:read",
        // The account has both scopes, but they belong to two resources.
        "orders:read management:service-accounts:read",
    ] {
        assert_eq!(answer(scope).await, unknown, "{scope}");
    }
}

/// RFC 8707 §2, with our choices: the resource is that of `resource` or `audience`, else that of the scopes, else the
/// management API. An unknown resource and a resource without any scope of this account get the same response.
#[tokio::test]
async fn a_token_is_for_one_resource() {
    let prokura = start_with_resources().await;
    let management = format!("{}/api/v1", prokura.issuer);
    let one = account(&prokura, &["management:all", "orders:read"]).await;
    for (form, audience) in [
        (&[][..], &*management),
        (&[("scope", READ)], &management),
        (&[("scope", "orders:read")], ORDERS),
        (&[("resource", ORDERS)], ORDERS),
        (&[("audience", ORDERS)], ORDERS),
        (&[("resource", ORDERS), ("scope", "orders:read")], ORDERS),
    ] {
        let token = prokura.access_token_with(&one, form).await;
        let seen = prokura.introspect(&prokura.root, &token).await;
        assert_eq!(seen["aud"], audience, "{form:?}");
    }
    let target = |form: &'static [(&'static str, &'static str)]| {
        let (prokura, one) = (&prokura, &one);
        async move {
            prokura
                .token(one, form)
                .await
                .expect_oauth_error(400, "invalid_target")
                .fingerprint()
        }
    };
    let unknown = target(&[("resource", "https://nowhere.example")]).await;
    for form in [
        &[("resource", BILLING)][..],
        &[("resource", BILLING), ("scope", "billing:read")],
        &[("audience", BILLING)],
        &[("resource", "https://orders.example/")],
        &[("resource", "https://orders.example#fragment")],
        &[("resource", "HTTPS://orders.example")],
        &[("resource", "orders")],
        &[("resource", ORDERS), ("resource", BILLING)],
        &[
            ("resource", ORDERS),
            ("audience", "https://nowhere.example"),
        ],
    ] {
        assert_eq!(target(form).await, unknown, "{form:?}");
    }
    prokura
        .token(&one, &[("resource", ORDERS), ("scope", "management:all")])
        .await
        .expect_oauth_error(400, "invalid_scope");
    // The account has no scope of the management API, so a request without scopes is refused too.
    let other = account(&prokura, &["orders:read"]).await;
    prokura
        .token(&other, &[])
        .await
        .expect_oauth_error(400, "invalid_target");
}

/// S8. An oversized scope is refused, and quickly.
#[tokio::test]
async fn a_flood_of_scopes_is_refused_quickly() {
    let prokura = start().await;
    let many = (0..10_000)
        .map(|number| format!("s{number}"))
        .collect::<Vec<_>>()
        .join(" ");
    let same = vec!["management:all"; 1_000].join(" ");
    for scope in [&*many, &*"s".repeat(100_000), &*format!("{same} nonsense")] {
        let began = Instant::now();
        prokura
            .token(&prokura.root, &[("scope", scope)])
            .await
            .expect_oauth_error(400, "invalid_scope");
        assert!(began.elapsed() < Duration::from_secs(5));
    }
}

/// S9, S11. A narrower request gets a narrower token. A scope is one string, never an array (RFC 8693 §4.2).
#[tokio::test]
async fn a_token_can_have_fewer_scopes_than_its_account() {
    let prokura = start_with(Options {
        management_format: TokenFormat::Jwt(SigningAlgorithm::Es256),
        resources: vec![opaque_resource(ORDERS, "orders:read orders:write")],
        ..Options::default()
    })
    .await;
    let one = account(&prokura, &[READ, WRITE, "orders:read", "orders:write"]).await;
    let both = format!("{READ} {WRITE}");
    for (scope, is_jwt) in [
        (READ, true),
        (&*both, true),
        ("orders:write", false),
        ("orders:read orders:write", false),
    ] {
        let reply = prokura.token(&one, &[("scope", scope)]).await.expect(200);
        let reply = reply.json();
        assert_eq!(reply["scope"], scope);
        let token = reply["access_token"].as_str().unwrap();
        if is_jwt {
            assert_eq!(claims(token)["scope"], scope);
        }
        let seen = prokura.introspect(&prokura.root, token).await;
        assert_eq!(seen["scope"], scope);
    }

    // The narrower token counts: the account may write, this token may not.
    let token = prokura.access_token_with(&one, &[("scope", READ)]).await;
    let body = Some(json!({ "name": "CI" }));
    prokura
        .api(reqwest::Method::GET, "/service-accounts", &token, None)
        .await
        .expect(200);
    prokura
        .api(reqwest::Method::POST, "/service-accounts", &token, body)
        .await
        .expect_api_error(403, "insufficient_scope");
}

/// S10. A removed scope is gone from the next token and from the tokens already issued. The test removes it in the
/// database; `accounts/updates.rs` removes it through the API.
#[tokio::test]
async fn a_removed_scope_is_gone_from_new_and_existing_tokens() {
    let prokura = start().await;
    let one = account(&prokura, &[READ, WRITE]).await;
    let old = prokura.access_token(&one).await;
    let prokura = prokura
        .alter(
            "UPDATE service_accounts SET scopes = 'management:service-accounts:read' WHERE id = $1",
            &one,
        )
        .await;
    let reply = prokura.token(&one, &[]).await.expect(200);
    assert_eq!(reply.json()["scope"], READ);
    prokura
        .token(&one, &[("scope", WRITE)])
        .await
        .expect_oauth_error(400, "invalid_scope");

    assert_eq!(prokura.introspect(&prokura.root, &old).await["scope"], READ);
    let body = Some(json!({ "name": "CI" }));
    prokura
        .api(reqwest::Method::POST, "/service-accounts", &old, body)
        .await
        .expect_api_error(403, "insufficient_scope");
}
