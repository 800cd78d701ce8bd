//! Retries with the same key.

use std::sync::atomic::Ordering;

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::{CREATE, DAY_MS, everything, operations, rotation_of, secrets_of, start_with_account};
use crate::harness::{Client, NO_ACCOUNT, Options, Reply};

/// Q3, Q4, G7. The retry gets the same bytes, a minute later and even if the account has changed meanwhile.
#[tokio::test]
async fn a_retry_gets_the_same_response_and_changes_nothing() {
    let (prokura, token, account) = start_with_account().await;
    for (number, (path, body, status)) in operations(&account).into_iter().enumerate() {
        let key = format!("repeat {number}");
        let send = || prokura.post_once(&path, &token, &key, body.as_ref());
        let first = send().await.expect(status);
        prokura.access_token(&first.credentials()).await;
        prokura.advance(60_000);
        let before = everything(&prokura).await;
        for _ in 0..3 {
            assert_eq!(send().await.fingerprint(), first.fingerprint());
        }
        assert_eq!(everything(&prokura).await, before);
        prokura.access_token(&first.credentials()).await;
    }
    // A later change does not show: the response is that of the first request.
    let path = rotation_of(&account);
    let rotate = || prokura.post_once(&path, &token, "again", None);
    let first = rotate().await.expect(200);
    let newer = prokura.rotate(&token, &account.id).await;
    assert_eq!(rotate().await.fingerprint(), first.fingerprint());
    prokura.access_token(&newer).await;
    prokura
        .token(&first.credentials(), &[])
        .await
        .expect_oauth_error(401, "invalid_client");
}

/// Q3. Without a key, or with another key, every request is done.
#[tokio::test]
async fn another_key_is_another_request() {
    let (prokura, token, _) = start_with_account().await;
    let body = json!({ "name": "New" });
    let mut secrets = Vec::new();
    for key in ["a", "b", "A", "a "] {
        let reply = prokura.post_once(CREATE, &token, key, Some(&body)).await;
        secrets.push(reply.expect(201).credentials().client_secret);
    }
    for _ in 0..2 {
        let (_, created) = prokura.create(&token, body.clone()).await;
        secrets.push(created.client_secret);
    }
    secrets.sort();
    secrets.dedup();
    assert_eq!(secrets.len(), 6);
    assert_eq!(prokura.count("idempotent_requests").await, 4);
}

async fn post_text(client: &Client, path: &str, token: &str, key: &str, body: &str) -> Reply {
    let request = client
        .request(Method::POST, &format!("/api/v1{path}"))
        .bearer_auth(token)
        .header("idempotency-key", format!("\"{key}\""))
        .header("content-type", "application/json")
        .body(body.to_owned());
    client.send(request).await
}

/// Q3. The server compares the JSON values, not the text.
#[tokio::test]
async fn the_payload_is_compared_as_json_values() {
    let (prokura, token, account) = start_with_account().await;
    let send = async |path: &str, body: &str| {
        let reply = post_text(&prokura, path, &token, "k", body).await;
        assert!(matches!(reply.status, 200 | 201), "{body} {reply:?}");
        reply.fingerprint()
    };
    let first = send(CREATE, r#"{"name":"A","description":"B","scopes":[]}"#).await;
    for same in [
        r#"{"scopes":[],"description":"B","name":"A"}"#,
        " {\r\n\t\"name\" : \"A\" , \"scopes\" : [ ] , \"description\" : \"B\" }\n",
        r#"{"n\u0061me":"\u0041","description":"\u0042","scopes":[]}"#,
    ] {
        assert_eq!(send(CREATE, same).await, first, "{same}");
    }
    // A missing body is the same as an empty object.
    for path in [rotation_of(&account), secrets_of(&account)] {
        let first = prokura.post_once(&path, &token, "k", None).await;
        assert_eq!(send(&path, "{}").await, first.fingerprint());
    }
}

/// Q3. The same key with another payload is a 422.
#[tokio::test]
async fn the_same_key_with_another_payload_is_refused() {
    let (prokura, token, account) = start_with_account().await;
    let others: [(String, Value, Vec<Value>); 3] = [
        (
            CREATE.to_owned(),
            json!({ "name": "A", "scopes": ["tokens:introspect"] }),
            vec![
                json!({ "name": "a", "scopes": ["tokens:introspect"] }),
                json!({ "name": "A", "scopes": [] }),
                json!({ "name": "A", "scopes": ["tokens:introspect"], "description": "" }),
                json!({ "name": "A" }),
            ],
        ),
        (
            rotation_of(&account),
            json!({ "gracePeriodSeconds": 60 }),
            vec![
                json!({ "gracePeriodSeconds": 61 }),
                json!({ "gracePeriodSeconds": 60, "revokeTokens": true }),
                json!({}),
            ],
        ),
        (
            secrets_of(&account),
            json!({ "expiresInSeconds": 60 }),
            vec![json!({ "expiresInSeconds": 61 }), json!({})],
        ),
    ];
    for (path, body, others) in others {
        let first = prokura.post_once(&path, &token, "k", Some(&body)).await;
        let before = everything(&prokura).await;
        for other in others {
            let reply = prokura.post_once(&path, &token, "k", Some(&other)).await;
            let reply = reply.expect_api_error(422, "idempotency_key_reused");
            assert!(!reply.mentions("prk_"), "{reply:?}");
        }
        assert_eq!(everything(&prokura).await, before);
        let again = prokura.post_once(&path, &token, "k", Some(&body)).await;
        assert_eq!(again.fingerprint(), first.fingerprint());
    }
}

/// Q3, G8, P6. A key belongs to one caller, one operation and one account.
#[tokio::test]
async fn the_same_key_of_another_caller_operation_or_account_is_independent() {
    let (prokura, ours, account) = start_with_account().await;
    let other_account = json!({ "name": "Other", "scopes": ["management:all"] });
    let (_, colleague) = prokura.create(&ours, other_account).await;
    let colleagues = prokura.access_token(&colleague).await;
    let stranger = prokura.bootstrap("Elsewhere").await;
    let strangers = prokura.access_token(&stranger).await;
    let requests = [
        (CREATE.to_owned(), &ours),
        (CREATE.to_owned(), &colleagues),
        (CREATE.to_owned(), &strangers),
        (rotation_of(&account), &ours),
        (rotation_of(&account), &colleagues),
        (rotation_of(&stranger), &strangers),
        (rotation_of(&colleague), &ours),
        (secrets_of(&account), &ours),
        (secrets_of(&account), &colleagues),
    ];
    let body = json!({ "name": "New", "scopes": [] });
    let send = async |(path, token): &(String, &String)| {
        let body = (path == CREATE).then_some(&body);
        let reply = prokura.post_once(path, token, "k", body).await;
        assert!(matches!(reply.status, 200 | 201), "{path} {reply:?}");
        reply.fingerprint()
    };
    let mut answers = Vec::new();
    for request in &requests {
        answers.push(send(request).await);
    }
    for (at, answer) in answers.iter().enumerate() {
        assert!(!answers[..at].contains(answer), "{:?}", requests[at].0);
    }
    for (request, answer) in requests.iter().zip(&answers) {
        assert_eq!(send(request).await, *answer, "{}", request.0);
    }
    // The account of another organization is a 404, with a key or without.
    let nobody = rotation_of(&account).replace(&account.id, NO_ACCOUNT);
    for path in [rotation_of(&account), nobody] {
        prokura
            .post_once(&path, &strangers, "k", None)
            .await
            .expect_api_error(404, "service_account_not_found");
    }
}

/// A stored response is kept for exactly 24 hours. It is deleted a minute later, when no node can need it any more.
#[tokio::test]
async fn a_key_is_free_again_after_24_hours() {
    let (prokura, _, account) = start_with_account().await;
    let send = async |path: &str, body: Option<&Value>| {
        let token = prokura.access_token(&prokura.root).await;
        let reply = prokura.post_once(path, &token, "k", body).await;
        assert!(matches!(reply.status, 200 | 201), "{path} {reply:?}");
        reply.fingerprint()
    };
    let body = json!({ "name": "New" });
    let first = send(CREATE, Some(&body)).await;
    let rotated = send(&rotation_of(&account), None).await;
    prokura.advance(DAY_MS - 1);
    prokura.authority.sweep().await.unwrap();
    assert_eq!(send(CREATE, Some(&body)).await, first);
    assert_eq!(send(&rotation_of(&account), None).await, rotated);
    prokura.advance(1);
    // The key can be used with another payload then.
    let other = json!({ "name": "Newer" });
    let second = send(CREATE, Some(&other)).await;
    assert_ne!(second, first);
    assert_eq!(send(CREATE, Some(&other)).await, second);
    assert_eq!(prokura.count("idempotent_requests").await, 2);
    // The clock of another node may be a minute behind.
    prokura.advance(59_999);
    prokura.authority.sweep().await.unwrap();
    assert_eq!(prokura.count("idempotent_requests").await, 2);
    prokura.advance(1);
    prokura.authority.sweep().await.unwrap();
    assert_eq!(prokura.count("idempotent_requests").await, 1);
    assert_ne!(send(&rotation_of(&account), None).await, rotated);
    assert_eq!(send(CREATE, Some(&other)).await, second);
}

#[tokio::test]
async fn a_stored_response_survives_a_restart() {
    let (prokura, token, account) = start_with_account().await;
    let mut answers = Vec::new();
    for (path, body, _) in operations(&account) {
        let key = format!("{body:?}").replace('"', "");
        let reply = prokura.post_once(&path, &token, &key, body.as_ref()).await;
        answers.push((path, key, body, reply));
    }
    let prokura = prokura.restart(Options::default()).await;
    let before = everything(&prokura).await;
    for (path, key, body, first) in answers {
        let again = prokura.post_once(&path, &token, &key, body.as_ref()).await;
        assert_eq!(again.fingerprint(), first.fingerprint());
    }
    assert_eq!(everything(&prokura).await, before);
}

/// A retry gets the stored response even if the account that it shows was deleted. The account stays deleted.
#[tokio::test]
async fn a_retry_does_not_restore_a_deleted_account() {
    let (prokura, token, _) = start_with_account().await;
    let body = json!({ "name": "New" });
    let first = prokura.post_once(CREATE, &token, "k", Some(&body)).await;
    let created = first.credentials();
    let path = format!("/service-accounts/{}", created.id);
    prokura
        .api(Method::DELETE, &path, &token, None)
        .await
        .expect(204);
    let again = prokura.post_once(CREATE, &token, "k", Some(&body)).await;
    assert_eq!(again.fingerprint(), first.fingerprint());
    prokura
        .token(&created, &[])
        .await
        .expect_oauth_error(401, "invalid_client");
    prokura
        .api(Method::GET, &path, &token, None)
        .await
        .expect_api_error(404, "service_account_not_found");
}

/// A key costs no extra read or write. A retry costs one more read, and its write changes nothing.
#[tokio::test]
async fn a_key_costs_no_extra_read_or_write() {
    let (prokura, token, account) = start_with_account().await;
    let cost = async |request: RequestBuilder| {
        let seen = || {
            let watch = &prokura.watch;
            [&watch.reads, &watch.writes].map(|calls| calls.load(Ordering::SeqCst))
        };
        let before = seen();
        let reply = prokura.send(request).await;
        assert!(matches!(reply.status, 200 | 201), "{reply:?}");
        let after = seen();
        [after[0] - before[0], after[1] - before[1]]
    };
    for (number, (path, body, _)) in operations(&account).into_iter().enumerate() {
        let request = || {
            let path = format!("/api/v1{path}");
            let request = prokura.request(Method::POST, &path).bearer_auth(&token);
            match &body {
                Some(body) => request.json(body),
                None => request,
            }
        };
        let once = || request().header("idempotency-key", format!("\"{number}\""));
        let [reads, writes] = cost(request()).await;
        assert_eq!(writes, 1);
        assert_eq!(cost(once()).await, [reads, 1], "{path}");
        assert_eq!(cost(once()).await, [reads + 1, 1], "{path}");
    }
}

/// The first request changed the entity tag. Its retry still succeeds, and another request with the old tag does not.
#[tokio::test]
async fn a_retry_of_a_conditional_change_gets_the_same_response() {
    let (prokura, token, account) = start_with_account().await;
    let read = prokura.try_get_account(&token, &account.id).await;
    let tag = read.expect(200).header("etag").to_owned();
    let rotate = async |key: &str| {
        let path = format!("/api/v1{}", rotation_of(&account));
        let request = prokura
            .request(Method::POST, &path)
            .bearer_auth(&token)
            .header("idempotency-key", format!("\"{key}\""))
            .header("if-match", &tag);
        prokura.send(request).await
    };
    let first = rotate("first").await.expect(200);
    assert_ne!(first.header("etag"), tag);
    assert_eq!(rotate("first").await.fingerprint(), first.fingerprint());
    for _ in 0..2 {
        let other = rotate("other").await;
        other.expect_api_error(412, "precondition_failed");
    }
    prokura.access_token(&first.credentials()).await;
}
