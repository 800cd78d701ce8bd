//! The requests that calls of the management API send.

use prokura_client::{Client, ClientCredentials, Error, HttpOptions};
use serde_json::{Value, json};

use crate::server::{Asked, Server, answer, answer_with, refusal};

const ID: &str = "019ab0f4-5d2e-7c11-9a52-3b1f6b0d2c47";

/// A server that refuses every request and records it.
async fn refusing() -> (Server, Client) {
    let server = Server::with_tokens(async |_| answer(409, &refusal(409, "no"))).await;
    let client = Client::new(&server.url, ClientCredentials::new("client", "hunter2")).unwrap();
    (server, client)
}

fn only(server: &Server, path: &str) -> Asked {
    let asked = server.asked(path);
    assert_eq!(asked.len(), 1);
    asked[0].clone()
}

fn body(asked: &Asked) -> Value {
    serde_json::from_str(&asked.body).unwrap()
}

#[tokio::test]
async fn an_update_sends_changed_members_and_null_for_cleared_ones() {
    let (server, client) = refusing().await;
    client
        .update_service_account(ID)
        .name("CD")
        .clear_description()
        .label("environment", "staging")
        .clear_label("tier")
        .clear_token_lifetime_seconds()
        .if_match("\"7\"")
        .await
        .unwrap_err();
    let asked = only(&server, &format!("/api/v1/service-accounts/{ID}"));
    assert_eq!(asked.method, "PATCH");
    assert_eq!(asked.header("content-type"), "application/merge-patch+json");
    assert_eq!(asked.header("if-match"), "\"7\"");
    assert_eq!(asked.header("idempotency-key"), "");
    assert_eq!(
        body(&asked),
        json!({
            "name": "CD",
            "description": null,
            "labels": { "environment": "staging", "tier": null },
            "tokenLifetimeSeconds": null,
        })
    );
}

#[tokio::test]
async fn options_that_are_not_set_are_not_sent() {
    let (server, client) = refusing().await;
    client.create_service_account("CI").await.unwrap_err();
    client.rotate_secret(ID).await.unwrap_err();
    let asked = only(&server, "/api/v1/service-accounts");
    assert_eq!(body(&asked), json!({ "name": "CI" }));
    assert_eq!(asked.header("content-type"), "application/json");
    let asked = only(
        &server,
        &format!("/api/v1/service-accounts/{ID}/rotate-secret"),
    );
    assert_eq!(
        (asked.body.as_str(), asked.header("content-type")),
        ("", "")
    );
}

#[tokio::test]
async fn an_id_that_would_change_the_path_is_not_sent() {
    let (server, client) = refusing().await;
    for id in ["", ".", "..", "a/b", "%2e%2e", "a?b", "a#b", "\u{e9}"] {
        let errors = [
            client.get_service_account(id).await.unwrap_err(),
            client.delete_service_account(id).await.unwrap_err(),
            client.delete_secret(ID, id).await.unwrap_err(),
        ];
        for error in errors {
            assert!(matches!(error, Error::Invalid { .. }), "{id:?}: {error:?}");
        }
    }
    assert_eq!(server.token_requests(), 0);
}

#[tokio::test]
async fn an_invalid_header_value_is_not_sent() {
    let (server, client) = refusing().await;
    for bad in ["a\nb", "\u{e9}"] {
        let error = client
            .rotate_secret(ID)
            .idempotency_key(bad)
            .await
            .unwrap_err();
        assert!(error.to_string().contains("idempotency key"), "{error}");
        let error = client
            .delete_service_account(ID)
            .if_match(bad)
            .await
            .unwrap_err();
        assert!(error.to_string().contains("ETag"), "{error}");
    }
    assert_eq!(server.token_requests(), 0);
}

#[tokio::test]
async fn a_public_url_may_have_a_path() {
    for slash in ["", "/"] {
        let server = Server::start(async |_| answer(400, &json!({ "error": "no" }))).await;
        let url = format!("{}/behind/proxy{slash}", server.url);
        let client = Client::new(url, ClientCredentials::new("client", "hunter2")).unwrap();
        client.get_service_account(ID).await.unwrap_err();
        client.introspect_token("t").await.unwrap_err();
        assert_eq!(server.asked("/behind/proxy/oauth2/token").len(), 1);
        assert_eq!(
            only(&server, "/behind/proxy/oauth2/introspect").body,
            "token=t"
        );
    }
}

#[tokio::test]
async fn a_client_can_request_fewer_scopes() {
    let (server, _) = refusing().await;
    let credentials = ClientCredentials::new("client", "hunter2");
    let client = Client::builder(&server.url, credentials)
        .scope("management:service-accounts:read")
        .http(HttpOptions::new().max_retries(0))
        .build()
        .unwrap();
    client.get_service_account(ID).await.unwrap_err();
    let asked = only(&server, "/oauth2/token");
    assert!(
        asked
            .body
            .ends_with("&scope=management%3Aservice-accounts%3Aread"),
        "{}",
        asked.body
    );
}

#[tokio::test]
async fn a_call_whose_token_is_rejected_is_sent_again_once() {
    let server = Server::with_tokens(async |_| {
        answer_with(
            401,
            ("www-authenticate", "Bearer"),
            &refusal(401, "invalid_token"),
        )
    })
    .await;
    let client = Client::new(&server.url, ClientCredentials::new("client", "hunter2")).unwrap();
    let error = client
        .update_service_account(ID)
        .name("CD")
        .await
        .unwrap_err();
    assert_eq!(error.code(), Some("invalid_token"));
    let asked = server.asked(&format!("/api/v1/service-accounts/{ID}"));
    let tokens = asked.iter().map(|asked| asked.header("authorization"));
    assert_eq!(
        tokens.collect::<Vec<_>>(),
        ["Bearer token-0", "Bearer token-1"]
    );
    assert_eq!(asked[0].body, asked[1].body);
}

#[tokio::test]
async fn a_client_does_not_print_its_secret() {
    let (_, client) = refusing().await;
    let call = client.rotate_secret(ID).idempotency_key("hunter3");
    let printed = format!("{client:?} {call:?}");
    assert!(!printed.contains("hunter"), "{printed}");
    assert!(printed.contains("/rotate-secret"), "{printed}");
}
