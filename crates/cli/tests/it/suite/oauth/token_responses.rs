//! Token responses (section R).

use std::collections::HashSet;

use futures_util::{StreamExt as _, stream};
use prokura_server::domain::{SigningAlgorithm, TokenFormat};
use reqwest::Method;
use serde_json::json;

use super::{scopes::claims, start, start_with, start_with_token};
use crate::harness::{Options, jwt_resource, opaque_resource};

const ORDERS: &str = "https://orders.example";
const ALGORITHMS: [SigningAlgorithm; 3] = [
    SigningAlgorithm::Es256,
    SigningAlgorithm::EdDsa,
    SigningAlgorithm::Rs256,
];

/// R1, R2, R4, R8, H7. RFC 6749 §5.1, each member and each header.
#[tokio::test]
async fn a_token_response_has_exactly_the_expected_members_and_headers() {
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

    // A CORS preflight is not allowed.
    let preflight = prokura
        .request(Method::OPTIONS, "/oauth2/token")
        .header("origin", "https://evil.example")
        .header("access-control-request-method", "POST");
    let reply = prokura.send(preflight).await;
    assert!(reply.headers.get("access-control-allow-origin").is_none());
}

/// R2. Responses with a secret or about a token must not be cached.
#[tokio::test]
async fn responses_with_secrets_or_about_tokens_are_not_cacheable() {
    let (prokura, token) = start_with_token().await;
    let created = prokura
        .try_create(&token, json!({ "name": "CI" }))
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

/// R5. RFC 6750 §2.1: the token fits a Bearer header. An opaque token cannot be guessed: it has 122 random bits and a
/// seal of 128 bits (`keys/opaque.rs`).
#[tokio::test]
async fn a_token_fits_a_bearer_header() {
    for format in [TokenFormat::Opaque]
        .into_iter()
        .chain(ALGORITHMS.map(TokenFormat::Jwt))
    {
        let prokura = start_with(Options::with_format(format)).await;
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

/// R6. No two tokens are equal, not even two of one client in the same instant.
#[tokio::test]
async fn a_thousand_concurrent_requests_get_a_thousand_different_tokens() {
    let prokura = start_with(Options::with_format(TokenFormat::Jwt(
        SigningAlgorithm::EdDsa,
    )))
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

    // The contents of opaque tokens cannot be compared, but the tokens can.
    let (prokura, first) = start_with_token().await;
    assert_ne!(first, prokura.access_token(&prokura.root).await);
}

/// R7. A token is shorter than 4 KiB, even with as many scopes as an account can have and the longest signature.
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
        let prokura = start_with(Options::with_resources(vec![resource])).await;
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
