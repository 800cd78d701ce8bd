//! Retries, timeouts and idempotency keys. The rules themselves are checked row by row in `behaviour.rs`.

use std::time::Duration;

use prokura_client::{Client, ClientCredentials, Error, HttpOptions, TokenSource};
use serde_json::json;
use tokio::net::TcpListener;

use crate::{
    clock::Clock,
    server::{Asked, Server, answer, answer_with, ok, refusal},
};

const ACCOUNTS: &str = "/api/v1/service-accounts";
const ID: &str = "019ab0f4-5d2e-7c11-9a52-3b1f6b0d2c47";

fn credentials() -> ClientCredentials {
    ClientCredentials::new("client", "hunter2")
}

fn source(server: &Server) -> TokenSource {
    TokenSource::builder(server.token_endpoint(), credentials())
        .build()
        .unwrap()
}

fn client(server: &Server) -> Client {
    Client::new(&server.url, credentials()).unwrap()
}

fn path(rest: &str) -> String {
    format!("{ACCOUNTS}/{ID}{rest}")
}

fn account() -> serde_json::Value {
    json!({
        "id": ID, "clientId": "sa", "name": "CI", "description": null, "scopes": [], "createdAt": "", "updatedAt": "",
        "createdBy": null, "lastUsedAt": null, "owner": null, "labels": {}, "disabled": false, "tokenLifetimeSeconds": null,
        "expiresAt": null,
    })
}

fn is_between(elapsed: Duration, least: f64, most: f64) {
    let elapsed = elapsed.as_secs_f64();
    assert!((least..=most).contains(&elapsed), "{elapsed} s");
}

#[tokio::test]
async fn a_pause_that_would_pass_the_timeout_fails_the_call_at_once() {
    let server = Server::start(async |_| {
        answer_with(
            503,
            ("retry-after", "3600"),
            &json!({ "error": "temporarily_unavailable" }),
        )
    })
    .await;
    let _clock = Clock::stop();
    let error = source(&server).token().await.unwrap_err();
    assert_eq!(error.code(), Some("temporarily_unavailable"));
    assert_eq!(error.retry_after(), Some(Duration::from_secs(3600)));
    assert_eq!(server.token_requests(), 1);
}

#[tokio::test]
async fn the_longest_timeouts_and_pauses_do_not_overflow() {
    let server = Server::start(async |_| {
        let body = json!({ "error": "temporarily_unavailable" });
        answer_with(503, ("retry-after", "18446744073709551615"), &body)
    })
    .await;
    let tokens = TokenSource::builder(server.token_endpoint(), credentials())
        .http(
            HttpOptions::new()
                .timeout(Duration::MAX)
                .attempt_timeout(Duration::MAX),
        )
        .build()
        .unwrap();
    let _clock = Clock::stop();
    let error = tokens.token().await.unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(u64::MAX)));
}

#[tokio::test]
async fn the_error_after_the_last_retry_is_the_servers_last_answer() {
    let server = Server::start(async |asked: Asked| {
        let body = json!({ "error": "temporarily_unavailable", "error_description": asked.number.to_string() });
        answer(503, &body)
    })
    .await;
    let clock = Clock::stop();
    let tokens = source(&server);
    let (token, _) = clock.run(async move { tokens.token().await }).await;
    let error = token.unwrap_err();
    assert_eq!(error.to_string(), "3 (503 temporarily_unavailable)");
    assert_eq!(server.token_requests(), 4);
}

#[tokio::test]
async fn a_call_can_have_its_own_timeout() {
    let server = Server::with_tokens(async |_| std::future::pending().await).await;
    let clock = Clock::stop();
    let call = client(&server)
        .get_service_account(ID)
        .timeout(Duration::from_secs(2));
    let (found, elapsed) = clock.run(call.into_future()).await;
    let error = found.unwrap_err();
    assert!(matches!(error, Error::TimedOut { .. }), "{error:?}");
    assert!(
        error.to_string().ends_with("did not answer within 2 s"),
        "{error}"
    );
    is_between(elapsed, 1.9, 2.5);
}

#[tokio::test]
async fn the_timeout_of_a_call_includes_the_token_request() {
    let server = Server::start(async |_| std::future::pending().await).await;
    let clock = Clock::stop();
    let call = client(&server)
        .get_service_account(ID)
        .timeout(Duration::from_secs(2));
    let (found, elapsed) = clock.run(call.into_future()).await;
    let error = found.unwrap_err();
    assert!(
        error.to_string().contains("/oauth2/token did not answer"),
        "{error}"
    );
    is_between(elapsed, 1.9, 2.5);
}

#[tokio::test]
async fn a_server_that_does_not_listen_is_named_in_the_error() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let tokens = TokenSource::builder(format!("{url}/token"), credentials())
        .http(HttpOptions::new().max_retries(0))
        .build()
        .unwrap();
    let error = tokens.token().await.unwrap_err();
    let Error::Unreachable {
        may_have_arrived, ..
    } = &error
    else {
        panic!("{error:?}");
    };
    assert!(!may_have_arrived);
    assert_eq!(error.to_string(), format!("cannot connect to {url}/token"));
}

#[tokio::test]
async fn a_call_that_creates_a_secret_keeps_its_idempotency_key_in_retries() {
    let server = Server::with_tokens(async |asked: Asked| match asked.number % 2 {
        0 => answer(503, &refusal(503, "temporarily_unavailable")),
        _ => ok(&json!({
            "serviceAccount": account(),
            "secret": {
                "id": ID, "hint": "41wP", "createdAt": "", "createdBy": null, "expiresAt": null, "lastUsedAt": null,
                "state": "active", "safeToRevoke": false,
            },
            "credentials": { "clientId": "sa", "clientSecret": "hunter3" },
        })),
    })
    .await;
    let (clock, client) = (Clock::stop(), client(&server));
    let calls = async move {
        for _ in 0..2 {
            client.create_service_account("CI").await.unwrap();
            client.rotate_secret(ID).await.unwrap();
            client.add_secret(ID).await.unwrap();
        }
        let own = client
            .rotate_secret(ID)
            .idempotency_key("my \"own\" \\ key");
        own.await.unwrap();
    };
    clock.run(calls).await;
    let own = r#""my \"own\" \\ key""#;

    for path in [
        ACCOUNTS.to_owned(),
        path("/rotate-secret"),
        path("/secrets"),
    ] {
        let keys = server
            .asked(&path)
            .iter()
            .map(|asked| asked.header("idempotency-key").to_owned())
            .collect::<Vec<_>>();
        assert_eq!(keys[0], keys[1], "{path}");
        assert_eq!(keys[2], keys[3], "{path}");
        assert_ne!(keys[0], keys[2], "{path}");
        let is_quoted = keys[0].len() == 38 && keys[0].starts_with('"') && keys[0].ends_with('"');
        assert!(is_quoted, "{path}: {}", keys[0]);
        assert!(keys[4..].iter().all(|key| key == own), "{keys:?}");
    }
    assert_eq!(server.asked(&path("/rotate-secret")).len(), 6);
}
