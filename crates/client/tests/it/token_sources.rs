//! Token sources: how tokens are reused, renewed, shared and replaced.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use prokura_client::{ClientCredentials, Error, HttpOptions, TokenSource, reqwest};
use serde_json::json;
use tokio::{sync::Semaphore, task::JoinSet};

use crate::{
    clock::{Clock, settle, until},
    server::{Asked, Server, answer, ok, token, token_text},
};

fn credentials() -> ClientCredentials {
    ClientCredentials::new("client", "hunter2")
}

fn source(server: &Server) -> TokenSource {
    TokenSource::builder(server.token_endpoint(), credentials())
        .http(HttpOptions::new().max_retries(0))
        .build()
        .unwrap()
}

/// A server that answers one token request for each permit.
async fn gated() -> (Server, Arc<Semaphore>) {
    let gate = Arc::new(Semaphore::new(0));
    let held = Arc::clone(&gate);
    let server = Server::start(move |asked: Asked| {
        let held = Arc::clone(&held);
        async move {
            held.acquire().await.unwrap().forget();
            token(asked.number)
        }
    })
    .await;
    (server, gate)
}

/// A server that issues tokens while the switch is on, and refuses otherwise.
async fn switched() -> (Server, Arc<AtomicBool>) {
    let works = Arc::new(AtomicBool::new(true));
    let switch = Arc::clone(&works);
    let server = Server::start(move |asked: Asked| {
        let works = switch.load(Ordering::SeqCst);
        async move {
            if works {
                token(asked.number)
            } else {
                answer(401, &json!({ "error": "invalid_client" }))
            }
        }
    })
    .await;
    (server, works)
}

/// Whether the current token is the `number`th.
async fn gives(tokens: &TokenSource, number: usize) -> bool {
    tokens.token().await.unwrap().expose() == token_text(number)
}

#[tokio::test]
async fn a_hundred_waiting_callers_cause_one_request() {
    let (server, gate) = gated().await;
    let tokens = source(&server);
    let mut waiting = JoinSet::new();
    for _ in 0..100 {
        let tokens = tokens.clone();
        waiting.spawn(async move { tokens.token().await.unwrap().expose().to_owned() });
    }
    settle().await;
    gate.add_permits(100);
    let texts = waiting.join_all().await;
    assert_eq!(texts, vec![token_text(0); 100]);
    assert_eq!(server.token_requests(), 1);
}

#[tokio::test]
async fn a_renewal_does_not_make_callers_wait() {
    let (server, gate) = gated().await;
    let clock = Clock::stop();
    let tokens = source(&server);
    gate.add_permits(1);
    let first = tokens.token().await.unwrap();
    assert_eq!(first.expires_in(), Some(Duration::from_secs(100)));

    clock.advance(79.0).await;
    assert!(gives(&tokens, 0).await);
    settle().await;
    assert_eq!(server.token_requests(), 1);

    clock.advance(7.0).await;
    assert!(gives(&tokens, 0).await);
    until(async || server.token_requests() == 2).await;
    assert!(gives(&tokens, 0).await);
    assert_eq!(first.expires_in(), Some(Duration::from_secs(14)));

    gate.add_permits(1);
    until(async || gives(&tokens, 1).await).await;
    assert_eq!(server.token_requests(), 2);
}

#[tokio::test]
async fn a_failed_renewal_leaves_the_old_token() {
    let (server, works) = switched().await;
    let clock = Clock::stop();
    let tokens = source(&server);
    tokens.token().await.unwrap();
    works.store(false, Ordering::SeqCst);

    clock.advance(86.0).await;
    assert!(gives(&tokens, 0).await);
    until(async || server.token_requests() == 2).await;
    assert!(gives(&tokens, 0).await);

    // The old token has expired, so callers get the failure.
    clock.advance(5.0).await;
    let error = tokens.token().await.unwrap_err();
    assert_eq!(error.code(), Some("invalid_client"));

    works.store(true, Ordering::SeqCst);
    let next = tokens.token().await.unwrap();
    assert!(next.expires_in() > Some(Duration::from_secs(99)));
}

#[tokio::test]
async fn a_failed_renewal_is_not_repeated_for_ten_seconds() {
    let server = Server::start(async |asked: Asked| match asked.number {
        1 => answer(400, &json!({ "error": "no" })),
        number => {
            let text = token_text(number);
            ok(&json!({ "access_token": text, "token_type": "Bearer", "expires_in": 1000 }))
        }
    })
    .await;
    let clock = Clock::stop();
    let tokens = source(&server);
    tokens.token().await.unwrap();
    clock.advance(850.0).await;
    assert!(gives(&tokens, 0).await);
    until(async || server.token_requests() == 2).await;
    settle().await;
    for seconds in [0.0, 9.0, 0.9] {
        clock.advance(seconds).await;
        assert!(gives(&tokens, 0).await);
        settle().await;
        assert_eq!(server.token_requests(), 2);
    }
    until(async || {
        clock.advance(0.2).await;
        gives(&tokens, 2).await
    })
    .await;
    assert_eq!(server.token_requests(), 3);
}

#[tokio::test]
async fn an_expired_token_is_not_used() {
    let (server, _) = switched().await;
    let clock = Clock::stop();
    let tokens = source(&server);
    let first = tokens.token().await.unwrap();
    clock.advance(91.0).await;
    let second = tokens.token().await.unwrap();
    assert_ne!(second.expose(), first.expose());
    assert_eq!(first.expires_in(), Some(Duration::from_secs(9)));
    clock.advance(60.0).await;
    assert_eq!(first.expires_in(), Some(Duration::ZERO));
}

#[tokio::test]
async fn a_token_of_unknown_lifetime_is_used_for_five_minutes() {
    let server = Server::start(async |asked: Asked| {
        ok(&json!({ "access_token": token_text(asked.number), "token_type": "bearer" }))
    })
    .await;
    let clock = Clock::stop();
    let tokens = source(&server);
    let first = tokens.token().await.unwrap();
    assert_eq!(first.expires_in(), None);
    clock.advance(239.0).await;
    assert_eq!(tokens.token().await.unwrap().expose(), first.expose());
    settle().await;
    assert_eq!(server.token_requests(), 1);
    clock.advance(60.0).await;
    assert_ne!(tokens.token().await.unwrap().expose(), first.expose());
}

#[tokio::test]
async fn a_token_with_a_lifetime_of_zero_is_used_once_and_not_kept() {
    let server = Server::start(async |asked: Asked| {
        ok(&json!({ "access_token": token_text(asked.number), "token_type": "Bearer", "expires_in": 0 }))
    })
    .await;
    let tokens = source(&server);
    assert_eq!(tokens.token().await.unwrap().expose(), token_text(0));
    assert_eq!(tokens.token().await.unwrap().expose(), token_text(1));
}

#[tokio::test]
async fn a_failure_goes_to_all_waiting_callers_and_is_not_cached() {
    let (server, works) = switched().await;
    works.store(false, Ordering::SeqCst);
    let tokens = source(&server);
    let mut waiting = JoinSet::new();
    for _ in 0..10 {
        let tokens = tokens.clone();
        waiting.spawn(async move { tokens.token().await.unwrap_err() });
    }
    for error in waiting.join_all().await {
        assert_eq!(error.status(), Some(401));
        assert_eq!(error.code(), Some("invalid_client"));
    }
    assert_eq!(server.token_requests(), 1);

    works.store(true, Ordering::SeqCst);
    assert_eq!(tokens.token().await.unwrap().expose(), token_text(1));
}

#[tokio::test]
async fn a_caller_that_stops_waiting_does_not_end_the_request() {
    let (server, gate) = gated().await;
    let tokens = source(&server);
    let first = tokio::spawn({
        let tokens = tokens.clone();
        async move { tokens.token().await }
    });
    settle().await;
    let second = tokio::spawn({
        let tokens = tokens.clone();
        async move { tokens.token().await }
    });
    settle().await;
    // The caller that started the request stops waiting.
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    gate.add_permits(1);
    assert_eq!(second.await.unwrap().unwrap().expose(), token_text(0));
    assert_eq!(server.token_requests(), 1);
}

#[tokio::test]
async fn a_token_is_kept_even_if_no_caller_waits_any_more() {
    let (server, gate) = gated().await;
    let tokens = source(&server);
    let impatient = tokio::time::timeout(Duration::ZERO, tokens.token());
    impatient.await.unwrap_err();
    settle().await;
    gate.add_permits(1);
    settle().await;
    assert_eq!(tokens.token().await.unwrap().expose(), token_text(0));
    assert_eq!(server.token_requests(), 1);
}

#[test]
fn a_token_source_outlives_the_runtime_of_its_request() {
    let runtime = || {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(1).enable_all().build().unwrap()
    };
    let home = runtime();
    let (server, gate) = home.block_on(gated());
    let tokens = source(&server);

    let doomed = runtime();
    let begun = tokens.clone();
    doomed.block_on(async {
        tokio::time::timeout(Duration::ZERO, begun.token())
            .await
            .unwrap_err();
    });
    drop(doomed);

    gate.add_permits(10);
    let text = home.block_on(async { tokens.token().await.unwrap().expose().to_owned() });
    assert!(text.starts_with("token-"), "{text}");
}

#[tokio::test]
async fn a_token_that_an_api_rejects_is_replaced_once() {
    let server = Server::with_tokens(async |asked: Asked| {
        if asked.header("authorization") == format!("Bearer {}", token_text(0)) {
            answer(401, &json!({}))
        } else {
            ok(&json!([asked.body]))
        }
    })
    .await;
    let tokens = source(&server);
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let response = tokens
        .send(http.post(format!("{}/orders", server.url)).body("17"))
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.text().await.unwrap(), r#"["17"]"#);
    assert_eq!(server.token_requests(), 2);
    assert_eq!(server.asked("/orders").len(), 2);
}

#[tokio::test]
async fn an_api_that_rejects_every_token_gets_two_requests() {
    let server = Server::with_tokens(async |_| answer(401, &json!({ "no": true }))).await;
    let tokens = source(&server);
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let response = tokens
        .send(http.get(format!("{}/orders", server.url)))
        .await
        .unwrap();
    assert_eq!(response.status(), 401);
    assert_eq!(server.asked("/orders").len(), 2);
    assert_eq!(server.token_requests(), 2);
}

#[tokio::test]
async fn a_hundred_rejected_calls_cause_one_token_request() {
    let server = Server::with_tokens(async |asked: Asked| {
        if asked.header("authorization").ends_with("token-0") {
            answer(401, &json!({}))
        } else {
            ok(&json!({}))
        }
    })
    .await;
    let tokens = source(&server);
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let mut calls = JoinSet::new();
    for _ in 0..100 {
        let (tokens, request) = (tokens.clone(), http.get(format!("{}/orders", server.url)));
        calls.spawn(async move { tokens.send(request).await.unwrap().status() });
    }
    assert!(calls.join_all().await.iter().all(|status| *status == 200));
    assert_eq!(server.token_requests(), 2);
}

#[tokio::test]
async fn rejecting_a_token_that_has_been_replaced_changes_nothing() {
    let (server, _) = switched().await;
    let tokens = source(&server);
    let first = tokens.token().await.unwrap();
    tokens.reject(&first);
    let second = tokens.token().await.unwrap();
    tokens.reject(&first);
    assert_eq!(tokens.token().await.unwrap().expose(), second.expose());
    assert_eq!(server.token_requests(), 2);
}

#[tokio::test]
async fn debug_shows_neither_secrets_nor_tokens() {
    let (server, _) = switched().await;
    let builder = TokenSource::builder(server.token_endpoint(), credentials());
    let tokens = source(&server);
    let token = tokens.token().await.unwrap();
    let printed = format!(
        "{builder:?} {tokens:?} {token:?} {:?}",
        token.authorization()
    );
    assert!(!printed.contains("hunter2"), "{printed}");
    assert!(!printed.contains(token.expose()), "{printed}");
    assert!(printed.contains("client"), "{printed}");
}

#[test]
fn a_url_that_would_expose_secrets_is_refused() {
    let build = |url: &str| TokenSource::builder(url, credentials()).build();
    for (url, says) in [
        ("http://prokura.example.com/token", "https"),
        (
            "https://id:hunter2@prokura.example.com/token",
            "credentials",
        ),
        ("https://prokura.example.com/token#there", "fragment"),
        ("ftp://prokura.example.com/token", "https://"),
        ("/oauth2/token", "URL"),
    ] {
        let error = build(url).unwrap_err();
        assert!(matches!(error, Error::Invalid { .. }), "{url}: {error:?}");
        assert!(error.to_string().contains(says), "{url}: {error}");
        assert!(!error.to_string().contains("hunter2"), "{url}: {error}");
    }
    for url in [
        "https://prokura.example.com/token",
        "http://127.0.0.1:1/token",
        "http://[::1]:1/token",
        "http://localhost/token",
    ] {
        build(url).unwrap();
    }
    TokenSource::builder("http://prokura.internal/token", credentials())
        .http(HttpOptions::new().allow_plain_http())
        .build()
        .unwrap();
}
