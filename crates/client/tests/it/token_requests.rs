//! Token requests, and the many forms of token responses.

use std::fs;

use axum::response::{IntoResponse as _, Response};
use prokura_client::{ClientCredentials, Error, HttpOptions, TokenSource, TokenSourceBuilder};
use serde_json::{Value, json};

use crate::server::{Asked, Server, answer, answer_with, ok};

fn builder(server: &Server, credentials: ClientCredentials) -> TokenSourceBuilder {
    TokenSource::builder(server.token_endpoint(), credentials)
        .http(HttpOptions::new().max_retries(0))
}

async fn answering(response: impl Fn() -> Response + Clone + Send + Sync + 'static) -> TokenSource {
    let server = Server::start(move |_| {
        let response = response();
        async move { response }
    })
    .await;
    builder(&server, ClientCredentials::new("client", "hunter2"))
        .build()
        .unwrap()
}

async fn refused(body: Value) -> Error {
    let tokens = answering(move || ok(&body)).await;
    tokens.token().await.unwrap_err()
}

#[tokio::test]
async fn a_client_authenticates_by_basic_and_sends_all_parameters() {
    let server = Server::with_tokens(async |_| ok(&json!({}))).await;
    let tokens = builder(&server, ClientCredentials::new("client", "p%/+"))
        .scope("a b")
        .resource("https://one.example.com")
        .resource("https://two.example.com")
        .audience("three")
        .parameter("tenant", "\u{e4}&=")
        .build()
        .unwrap();
    tokens.token().await.unwrap();
    let asked = &server.asked("/oauth2/token")[0];
    assert_eq!(asked.method, "POST");
    assert_eq!(
        asked.header("content-type"),
        "application/x-www-form-urlencoded"
    );
    assert_eq!(asked.header("accept"), "application/json");
    assert!(asked.header("user-agent").starts_with("prokura-client/"));
    // base64 of client:p%25%2F%2B
    assert_eq!(
        asked.header("authorization"),
        "Basic Y2xpZW50OnAlMjUlMkYlMkI="
    );
    assert_eq!(
        asked.body,
        "grant_type=client_credentials&scope=a+b&resource=https%3A%2F%2Fone.example.com\
         &resource=https%3A%2F%2Ftwo.example.com&audience=three&tenant=%C3%A4%26%3D"
    );
}

#[tokio::test]
async fn a_client_can_authenticate_in_the_body() {
    let server = Server::with_tokens(async |_| ok(&json!({}))).await;
    let credentials = ClientCredentials::new("client", "p%/+").in_body();
    let tokens = builder(&server, credentials).build().unwrap();
    tokens.token().await.unwrap();
    let asked = &server.asked("/oauth2/token")[0];
    assert_eq!(asked.header("authorization"), "");
    assert_eq!(
        asked.body,
        "grant_type=client_credentials&client_id=client&client_secret=p%25%2F%2B"
    );
}

#[tokio::test]
async fn a_secret_file_is_read_for_each_token_request() {
    let server = Server::start(async |asked: Asked| {
        let works = asked.body.ends_with("client_secret=new");
        let body = if works {
            json!({ "access_token": "t", "token_type": "Bearer" })
        } else {
            json!({ "error": "invalid_client" })
        };
        answer(if works { 200 } else { 401 }, &body)
    })
    .await;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("secret");
    fs::write(&path, "old\n").unwrap();
    let credentials = ClientCredentials::with_secret_file("client", &path).in_body();
    let tokens = builder(&server, credentials).build().unwrap();
    assert_eq!(
        tokens.token().await.unwrap_err().code(),
        Some("invalid_client")
    );
    fs::write(&path, "new\r\n").unwrap();
    assert_eq!(tokens.token().await.unwrap().expose(), "t");
    fs::remove_file(&path).unwrap();
    assert_eq!(tokens.token().await.unwrap().expose(), "t");
}

#[tokio::test]
async fn a_scope_that_the_response_leaves_out_is_the_requested_one() {
    let server = Server::start(async |asked: Asked| {
        let mut body = json!({ "access_token": "t", "token_type": "Bearer" });
        if asked.body.contains("less") {
            body["scope"] = "a".into();
        }
        ok(&body)
    })
    .await;
    let credentials = ClientCredentials::new("client", "hunter2");
    let scope_of = async |builder: TokenSourceBuilder| {
        let token = builder.build().unwrap().token().await.unwrap();
        token.scope().map(str::to_owned)
    };
    let plain = builder(&server, credentials);
    assert_eq!(scope_of(plain.clone()).await, None);
    assert_eq!(
        scope_of(plain.clone().scope("a b")).await.as_deref(),
        Some("a b")
    );
    let less = plain.scope("a b").parameter("less", "1");
    assert_eq!(scope_of(less).await.as_deref(), Some("a"));
}

#[tokio::test]
async fn a_token_without_a_type_is_a_bearer_token() {
    for kind in [json!(null), json!("bearer"), json!("BEARER")] {
        let tokens =
            answering(move || ok(&json!({ "access_token": "t", "token_type": kind }))).await;
        assert_eq!(tokens.token().await.unwrap().expose(), "t");
    }
}

#[tokio::test]
async fn the_error_for_an_unusable_token_does_not_show_it() {
    for (body, says) in [
        (
            json!({ "access_token": "hunter3", "token_type": "DPoP" }),
            "DPoP",
        ),
        (
            json!({ "access_token": "hunter3\n", "token_type": "Bearer" }),
            "header",
        ),
        (
            json!({ "access_token": ["hunter3"], "token_type": "Bearer" }),
            "not the expected JSON",
        ),
        (json!({ "token": "hunter3" }), "not the expected JSON"),
        (json!("hunter3"), "not the expected JSON"),
    ] {
        let error = refused(body).await;
        assert!(
            matches!(error, Error::UnexpectedResponse { .. }),
            "{error:?}"
        );
        assert!(error.to_string().contains(says), "{error}");
        assert!(
            !format!("{error} {error:?}").contains("hunter3"),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn an_oauth_error_has_everything_that_the_server_sent() {
    let tokens = answering(|| {
        let body = json!({ "error": "invalid_scope", "error_description": "no such scope", "error_uri": "x" });
        answer_with(400, ("x-request-id", "r-7"), &body)
    })
    .await;
    let error = tokens.token().await.unwrap_err();
    assert_eq!(error.status(), Some(400));
    assert_eq!(error.code(), Some("invalid_scope"));
    assert_eq!(error.request_id(), Some("r-7"));
    assert_eq!(error.to_string(), "no such scope (400 invalid_scope)");
}

#[tokio::test]
async fn an_error_with_status_200_is_an_error() {
    let error = refused(json!({ "error": "incorrect_client_credentials" })).await;
    assert_eq!(error.code(), Some("incorrect_client_credentials"));
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_the_error_names_its_target() {
    let server = Server::with_tokens(async |_| {
        answer_with(
            307,
            ("location", "https://elsewhere.example.com/token"),
            &json!({}),
        )
    })
    .await;
    let credentials = ClientCredentials::new("client", "hunter2");
    let tokens = TokenSource::builder(format!("{}/token", server.url), credentials);
    let error = tokens.build().unwrap().token().await.unwrap_err();
    assert_eq!(error.status(), Some(307));
    assert!(
        error
            .to_string()
            .contains("https://elsewhere.example.com/token"),
        "{error}"
    );
    assert!(error.hint().unwrap().contains("redirect"));
    assert_eq!(server.asked("/token").len(), 1);
}

#[tokio::test]
async fn an_error_page_of_a_proxy_is_described_by_its_status_and_type() {
    let tokens =
        answering(|| (axum::http::StatusCode::FORBIDDEN, "<html>blocked</html>").into_response());
    let error = tokens.await.token().await.unwrap_err();
    assert_eq!(error.status(), Some(403));
    assert!(error.to_string().contains("text/plain"), "{error}");
}

#[tokio::test]
async fn a_body_that_is_too_large_is_not_read() {
    let tokens = answering(|| vec![b'x'; 17 * 1024 * 1024].into_response()).await;
    let error = tokens.token().await.unwrap_err();
    assert!(error.to_string().contains("larger than 16 MiB"), "{error}");
}
