//! What is tried again, when, and for how long.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use prokura_client::{Client, ClientCredentials, Error, HttpOptions, TokenSource};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use crate::{
    clock::Clock,
    server::{Asked, Server, answer, answer_with, ok, refusal, token},
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

/// How long the second request came after the first, if the first is answered with `first`.
async fn second_after(first: fn() -> axum::response::Response) -> Duration {
    let server = Server::start(move |asked: Asked| async move {
        match asked.number {
            0 => first(),
            number => token(number),
        }
    })
    .await;
    let clock = Clock::stop();
    let tokens = source(&server);
    let (token, _) = clock.run(async move { tokens.token().await }).await;
    token.unwrap();
    let asked = server.asked("/oauth2/token");
    assert_eq!(asked.len(), 2);
    asked[1].at - asked[0].at
}

fn is_between(elapsed: Duration, least: f64, most: f64) {
    let elapsed = elapsed.as_secs_f64();
    assert!((least..=most).contains(&elapsed), "{elapsed} s");
}

#[tokio::test]
async fn an_overloaded_server_is_asked_again_after_a_moment() {
    let unavailable = || answer(503, &json!({ "error": "temporarily_unavailable" }));
    is_between(second_after(unavailable).await, 0.125, 0.6);
}

#[tokio::test]
async fn a_server_is_not_asked_again_before_it_wants_to_be() {
    let seconds = || answer_with(429, ("retry-after", "7"), &json!({ "error": "slow_down" }));
    is_between(second_after(seconds).await, 7.0, 8.0);
}

#[tokio::test]
async fn a_date_to_try_again_is_compared_with_the_servers_clock_and_not_with_ours() {
    let date = || {
        let body = json!({ "error": "temporarily_unavailable" });
        let mut answer = answer_with(503, ("retry-after", "Sun, 06 Nov 1994 08:49:42 GMT"), &body);
        let date = "Sun, 06 Nov 1994 08:49:37 GMT".parse().unwrap();
        answer.headers_mut().insert("date", date);
        answer
    };
    is_between(second_after(date).await, 5.0, 6.0);
}

#[tokio::test]
async fn who_is_to_wait_past_the_deadline_is_told_at_once() {
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
async fn there_is_no_number_that_is_too_large() {
    let server = Server::start(async |_| {
        let body = json!({ "error": "temporarily_unavailable" });
        answer_with(503, ("retry-after", "18446744073709551615"), &body)
    })
    .await;
    let tokens = TokenSource::builder(server.token_endpoint(), credentials())
        .http(
            HttpOptions::new()
                .deadline(Duration::MAX)
                .attempt_timeout(Duration::MAX),
        )
        .build()
        .unwrap();
    let _clock = Clock::stop();
    let error = tokens.token().await.unwrap_err();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(u64::MAX)));
}

#[tokio::test]
async fn pauses_double_and_in_the_end_the_last_answer_is_told() {
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
    let asked = server.asked("/oauth2/token");
    let pauses = asked.windows(2).map(|pair| pair[1].at - pair[0].at);
    for (pause, longest) in pauses.zip([0.25, 0.5, 1.0]) {
        is_between(pause, longest / 2.0, longest + 0.3);
    }
    assert_eq!(asked.len(), 4);
}

#[tokio::test]
async fn a_refusal_is_not_asked_again() {
    for status in [400, 401, 403, 500] {
        let server =
            Server::start(move |_| async move { answer(status, &json!({ "error": "no" })) }).await;
        let error = source(&server).token().await.unwrap_err();
        assert_eq!(error.status(), Some(status));
        assert_eq!(server.token_requests(), 1);
    }
}

#[tokio::test]
async fn a_server_that_never_answers_is_given_up_at_the_deadline() {
    let server = Server::start(async |_| std::future::pending().await).await;
    let clock = Clock::stop();
    let tokens = source(&server);
    let (token, elapsed) = clock.run(async move { tokens.token().await }).await;
    let error = token.unwrap_err();
    assert!(matches!(error, Error::TimedOut { .. }), "{error:?}");
    assert!(
        error.to_string().contains(&server.token_endpoint()),
        "{error}"
    );
    // Three attempts of ten seconds each.
    is_between(elapsed, 29.9, 30.5);
    assert_eq!(server.token_requests(), 3);
}

#[tokio::test]
async fn a_call_may_have_a_deadline_of_its_own() {
    let server = Server::with_tokens(async |_| std::future::pending().await).await;
    let clock = Clock::stop();
    let call = client(&server)
        .get_service_account(ID)
        .deadline(Duration::from_secs(2));
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
async fn waiting_for_the_token_counts_towards_the_deadline_of_a_call() {
    let server = Server::start(async |_| std::future::pending().await).await;
    let clock = Clock::stop();
    let call = client(&server)
        .get_service_account(ID)
        .deadline(Duration::from_secs(2));
    let (found, elapsed) = clock.run(call.into_future()).await;
    let error = found.unwrap_err();
    assert!(
        error.to_string().contains("/oauth2/token did not answer"),
        "{error}"
    );
    is_between(elapsed, 1.9, 2.5);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named() {
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
    assert_eq!(error.to_string(), format!("{url}/token cannot be reached"));
}

/// A server that gives a token on the first connection, reads a request on the second and cuts it, and answers with the
/// account on the others; and how many connections there have been.
async fn cutting() -> (Client, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let connections = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&connections);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = vec![0; 64 * 1024];
            let read = stream.read(&mut request).await.unwrap();
            assert!(read > 0);
            let body = match counter.fetch_add(1, Ordering::SeqCst) {
                0 => json!({ "access_token": "t", "token_type": "Bearer" }),
                1 => continue,
                _ => json!({ "serviceAccount": account() }),
            };
            let body = body.to_string();
            let length = body.len();
            let head =
                format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n");
            stream.write_all((head + &body).as_bytes()).await.unwrap();
        }
    });
    (Client::new(url, credentials()).unwrap(), connections)
}

#[tokio::test]
async fn a_connection_that_breaks_is_no_reason_to_give_up_where_trying_again_is_harmless() {
    let (client, connections) = cutting().await;
    let clock = Clock::stop();
    let (found, _) = clock
        .run(client.get_service_account(ID).into_future())
        .await;
    assert_eq!(found.unwrap().service_account.name, "CI");
    assert_eq!(connections.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_change_that_may_have_happened_is_not_made_again() {
    let (client, connections) = cutting().await;
    let error = client
        .update_service_account(ID)
        .name("CD")
        .await
        .unwrap_err();
    let Error::Unreachable {
        may_have_arrived, ..
    } = error
    else {
        panic!("{error:?}");
    };
    assert!(may_have_arrived);
    assert_eq!(connections.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn an_overloaded_server_is_not_asked_again_to_change_what_it_may_have_changed() {
    let server = Server::with_tokens(async |asked: Asked| match asked.number {
        0 => answer(503, &refusal(503, "temporarily_unavailable")),
        _ => ok(&json!({ "serviceAccount": account() })),
    })
    .await;
    let client = client(&server);
    let errors = [
        client
            .update_service_account(ID)
            .name("CD")
            .await
            .unwrap_err(),
        client.cancel_rotation(ID).await.unwrap_err(),
        client.revoke_tokens(ID).await.unwrap_err(),
    ];
    assert!(
        errors.iter().all(|error| error.status() == Some(503)),
        "{errors:?}"
    );
    for path in [path(""), path("/cancel-rotation"), path("/revoke-tokens")] {
        assert_eq!(server.asked(&path).len(), 1, "{path}");
    }
}

#[tokio::test]
async fn a_deletion_that_finds_nothing_is_a_success_if_it_may_have_happened_before() {
    let clock = Clock::stop();
    for (first, is_success) in [(503, true), (429, false)] {
        let server = Server::with_tokens(move |asked: Asked| async move {
            match asked.number {
                0 => answer(first, &refusal(first, "try_again")),
                _ => answer(404, &refusal(404, "service_account_not_found")),
            }
        })
        .await;
        let client = client(&server);
        let delete = client.delete_service_account(ID).into_future();
        let (deleted, _) = clock.run(delete).await;
        assert_eq!(deleted.is_ok(), is_success, "{deleted:?}");
        // Asked anew it is gone.
        let error = client.delete_service_account(ID).await.unwrap_err();
        assert_eq!(error.status(), Some(404));
    }
}

#[tokio::test]
async fn a_server_that_did_not_look_is_asked_again_for_any_change() {
    let server = Server::with_tokens(async |asked: Asked| match asked.number {
        0 => answer_with(
            429,
            ("retry-after", "0"),
            &refusal(429, "too_many_requests"),
        ),
        _ => ok(&json!({ "serviceAccount": account() })),
    })
    .await;
    let (clock, client) = (Clock::stop(), client(&server));
    let changes = async move {
        client.update_service_account(ID).name("CD").await.unwrap();
        client.cancel_rotation(ID).await.unwrap();
        client.revoke_tokens(ID).await.unwrap();
    };
    clock.run(changes).await;
    for path in [path(""), path("/cancel-rotation"), path("/revoke-tokens")] {
        assert_eq!(server.asked(&path).len(), 2, "{path}");
    }
}

#[tokio::test]
async fn whatever_makes_a_secret_is_tried_again_under_one_key() {
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
