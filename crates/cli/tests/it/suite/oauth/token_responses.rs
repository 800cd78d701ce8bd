//! The token endpoint, success side (section R).

use std::collections::HashSet;

use futures_util::{StreamExt as _, stream};
use prokura_server::domain::{SigningAlgorithm, TokenFormat};
use reqwest::Method;
use serde_json::json;

use super::{scopes::claims, start, start_with};
use crate::harness::{Options, jwt_resource, opaque_resource};

const ORDERS: &str = "https://orders.example";
const ALGORITHMS: [SigningAlgorithm; 3] = [
    SigningAlgorithm::Es256,
    SigningAlgorithm::EdDsa,
    SigningAlgorithm::Rs256,
];

/// R1, R2, R4, R8: RFC 6749 §5.1, member by member and header by header.
#[tokio::test]
async fn the_answer_has_what_it_should_and_nothing_else() {
    let prokura = start().await;
    let request = prokura
        .request(Method::POST, "/oauth2/token")
        .header("authorization", prokura.root.basic())
        .header("origin", "https://evil.example")
        .header("cookie", "session=1")
        .form(&[("grant_type", "client_credentials")]);
    let reply = prokura.send(request).await.expect(200);
    let body = reply.json();
    let members = body.as_object().unwrap();
    assert_eq!(
        members.keys().collect::<Vec<_>>(),
        ["access_token", "expires_in", "scope", "token_type"]
    );
    assert!(members.values().all(|value| !value.is_null()));
    assert_eq!(body["token_type"], "Bearer");
    assert_eq!(body["scope"], "management:all");

    assert_eq!(reply.header("cache-control"), "no-store");
    assert_eq!(reply.header("pragma"), "no-cache");
    assert_eq!(reply.header("x-content-type-options"), "nosniff");
    for absent in [
        "set-cookie",
        "access-control-allow-origin",
        "access-control-allow-credentials",
        "etag",
        "last-modified",
        "expires",
        "server",
    ] {
        assert!(reply.headers.get(absent).is_none(), "{absent}: {reply:?}");
    }

    // A browser that asks first is not told yes.
    let preflight = prokura
        .request(Method::OPTIONS, "/oauth2/token")
        .header("origin", "https://evil.example")
        .header("access-control-request-method", "POST");
    let reply = prokura.send(preflight).await;
    assert!(reply.headers.get("access-control-allow-origin").is_none());
}

/// R2: whatever carries a secret, or says what a token is, is not to be kept.
#[tokio::test]
async fn no_answer_with_a_secret_is_kept() {
    let prokura = start().await;
    let token = prokura.access_token(&prokura.root).await;
    let created = prokura
        .api(
            Method::POST,
            "/service-accounts",
            &token,
            Some(json!({ "name": "CI" })),
        )
        .await
        .expect(201);
    let id = created.json()["serviceAccount"]["id"].clone();
    let rotate = format!("/service-accounts/{}/rotate-secret", id.as_str().unwrap());
    let rotated = prokura
        .api(Method::POST, &rotate, &token, None)
        .await
        .expect(200);
    for reply in [created, rotated] {
        assert_eq!(reply.header("cache-control"), "no-store");
        assert_eq!(reply.header("x-content-type-options"), "nosniff");
        assert!(reply.headers.get("set-cookie").is_none());
    }
    for path in ["/oauth2/introspect", "/oauth2/revoke"] {
        for token in [&*token, "garbage"] {
            let reply = prokura
                .form(path, &prokura.root, &[("token", token)])
                .await
                .expect(200);
            assert_eq!(reply.header("cache-control"), "no-store", "{path}");
        }
    }
}

/// R3: `expires_in` is a positive integer of seconds, and the token lives no shorter than that, wherever within a second the
/// clock stands.
#[tokio::test]
async fn a_token_lives_as_long_as_the_answer_says() {
    let prokura = start_with(Options {
        resources: vec![
            jwt_resource(ORDERS, "orders:read", SigningAlgorithm::Es256),
            opaque_resource("https://billing.example", "billing:read"),
        ],
        ..Options::default()
    })
    .await;
    let token = prokura.access_token(&prokura.root).await;
    let scopes = json!(["management:all", "orders:read", "billing:read"]);
    let body = json!({ "name": "CI", "scopes": scopes });
    let (_, one) = prokura.create(&token, body).await;
    for (scope, lifetime) in [
        ("management:all", 3600),
        ("orders:read", 900),
        ("billing:read", 900),
    ] {
        for into_the_second in [0, 1, 499, 999] {
            prokura.advance(1000 - prokura.now() % 1000 + into_the_second);
            let reply = prokura.token(&one, &[("scope", scope)]).await.expect(200);
            let reply = reply.json();
            assert!(reply["expires_in"].is_u64(), "{reply}");
            assert_eq!(reply["expires_in"], lifetime);
            let token = reply["access_token"].as_str().unwrap();
            let seen = prokura.introspect(&prokura.root, token).await;
            let left = seen["exp"].as_i64().unwrap() * 1000 - prokura.now();
            assert!(
                (lifetime * 1000..lifetime * 1000 + 1000).contains(&left),
                "{scope}: {left} ms left"
            );
            assert_eq!(seen["iat"].as_i64().unwrap(), prokura.now() / 1000);
        }
    }
}

/// R3: a year at most, and that much works.
#[tokio::test]
async fn a_token_can_live_a_year() {
    let year = 31_536_000;
    let prokura = start_with(Options {
        lifetime_seconds: year,
        ..Options::default()
    })
    .await;
    let reply = prokura.token(&prokura.root, &[]).await.expect(200).json();
    assert_eq!(reply["expires_in"], year);
    let token = reply["access_token"].as_str().unwrap();
    prokura.advance(i64::from(year) * 1000 - 1);
    assert_eq!(
        prokura.introspect(&prokura.root, token).await["active"],
        true
    );
    prokura.advance(1);
    assert_eq!(
        prokura.introspect(&prokura.root, token).await["active"],
        false
    );
}

/// R5: RFC 6750 §2.1: it fits a Bearer header. That nobody guesses an opaque one is its seal's doing: 128 bits of tag over
/// 122 random bits (`keys/opaque.rs`).
#[tokio::test]
async fn a_token_fits_a_bearer_header() {
    for format in [TokenFormat::Opaque]
        .into_iter()
        .chain(ALGORITHMS.map(TokenFormat::Jwt))
    {
        let prokura = start_with(Options {
            management_format: format,
            ..Options::default()
        })
        .await;
        let token = prokura.access_token(&prokura.root).await;
        let body = token.trim_end_matches('=');
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._~+/-".contains(&byte);
        assert!(!body.is_empty() && body.bytes().all(allowed), "{token}");
        prokura
            .api(Method::GET, "/service-accounts", &token, None)
            .await
            .expect(200);
    }
}

/// R6: no two tokens are the same, not even those of one client in one instant.
#[tokio::test]
async fn a_thousand_tokens_asked_for_at_once_are_a_thousand() {
    let prokura = start_with(Options {
        management_format: TokenFormat::Jwt(SigningAlgorithm::EdDsa),
        ..Options::default()
    })
    .await;
    let tokens = stream::iter(0..1000)
        .map(|_| prokura.access_token(&prokura.root))
        .buffer_unordered(100)
        .collect::<Vec<_>>()
        .await;
    let ids = tokens
        .iter()
        .map(|token| claims(token)["jti"].as_str().unwrap().to_owned());
    assert_eq!(ids.collect::<HashSet<_>>().len(), 1000);

    // What an opaque one says cannot be seen; that it differs can.
    let prokura = start().await;
    let first = prokura.access_token(&prokura.root).await;
    assert_ne!(first, prokura.access_token(&prokura.root).await);
}

/// R7: with as many scopes as an account can have, a token is still below 4 KiB, in the format with the longest signature
/// as well.
#[tokio::test]
async fn the_longest_token_is_below_4_kib() {
    let scopes = (0..100)
        .map(|number| format!("orders:{number:012}"))
        .collect::<Vec<_>>();
    let all = scopes.join(" ");
    assert_eq!(all.len(), 1999);
    for resource in [
        opaque_resource(ORDERS, &all),
        jwt_resource(ORDERS, &all, SigningAlgorithm::Rs256),
    ] {
        let prokura = start_with(Options {
            resources: vec![resource],
            ..Options::default()
        })
        .await;
        let token = prokura.access_token(&prokura.root).await;
        let body = json!({ "name": "CI", "scopes": scopes });
        let (_, one) = prokura.create(&token, body).await;
        let reply = prokura.token(&one, &[("resource", ORDERS)]).await;
        let reply = reply.expect(200);
        assert_eq!(reply.json()["scope"], all);
        let token = reply.json()["access_token"].as_str().unwrap().to_owned();
        assert!(token.len() < 4096, "{}", token.len());
        assert_eq!(
            prokura.introspect(&prokura.root, &token).await["scope"],
            all
        );
    }
}
