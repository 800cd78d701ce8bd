//! Refused requests with a key. A refusal is not stored, and a retry needs the same permissions as the first request.

use reqwest::Method;
use serde_json::json;

use super::{CREATE, everything, rotation_of, secrets_of, start_with_account};
use crate::harness::{NO_ACCOUNT, Reply};

/// Q3. A refusal is not stored.
#[tokio::test]
async fn a_refusal_is_not_stored() {
    let (prokura, token, account) = start_with_account().await;
    let writer = [("scope", "management:service-accounts:write")];
    let writer = prokura.access_token_with(&prokura.root, &writer).await;
    let created = |name: &str, scopes: &[&str]| json!({ "name": name, "scopes": scopes });
    for (token, body, status, code) in [
        (&token, json!({ "name": "" }), 400, "invalid_request"),
        (&token, created("CI", &["nothing"]), 400, "invalid_request"),
        (
            &writer,
            created("CI", &["tokens:introspect"]),
            403,
            "insufficient_scope",
        ),
    ] {
        let reply = prokura.post_once(CREATE, token, "k", Some(&body)).await;
        reply.expect_api_error(status, code);
    }
    let longer = json!({ "gracePeriodSeconds": 604_801 });
    let nobody = rotation_of(&account).replace(&account.id, NO_ACCOUNT);
    for (path, body, status, code) in [
        (rotation_of(&account), Some(longer), 400, "invalid_request"),
        (nobody, None, 404, "service_account_not_found"),
    ] {
        let reply = prokura.post_once(&path, &token, "k", body.as_ref()).await;
        reply.expect_api_error(status, code);
    }
    // The account has the most secrets it can have, so even a rotation with a grace period is refused.
    let (secrets, rotation) = (secrets_of(&account), rotation_of(&account));
    let mut ids = Vec::new();
    for _ in 0..4 {
        let reply = prokura.api(Method::POST, &secrets, &token, None).await;
        ids.push(reply.expect(201).json()["secret"]["id"].clone());
    }
    let grace = json!({ "gracePeriodSeconds": 60 });
    let add = || prokura.post_once(&secrets, &token, "k", None);
    let rotate = || prokura.post_once(&rotation, &token, "k", Some(&grace));
    add().await.expect_api_error(409, "too_many_secrets");
    rotate().await.expect_api_error(409, "too_many_secrets");
    assert_eq!(prokura.count("idempotent_requests").await, 0);

    // Corrected, each request succeeds with the same key.
    let body = created("CI", &[]);
    for token in [&writer, &token] {
        let reply = prokura.post_once(CREATE, token, "k", Some(&body)).await;
        reply.expect(201);
    }
    let path = format!("{secrets}/{}", ids[0].as_str().unwrap());
    let end = prokura.api(Method::DELETE, &path, &token, None);
    end.await.expect(204);
    let added = add().await.expect(201);
    // The account is full again. That does not affect a retry.
    rotate().await.expect_api_error(409, "too_many_secrets");
    assert_eq!(add().await.fingerprint(), added.fingerprint());
    assert_eq!(prokura.count("idempotent_requests").await, 2);
}

#[track_caller]
fn assert_shows_nothing(reply: &Reply, secret: &str) {
    assert!(!reply.mentions(secret), "{reply:?}");
    assert!(!reply.mentions(&secret[secret.len() - 4..]), "{reply:?}");
}

/// G9. Each retry is authorized anew.
#[tokio::test]
async fn a_retry_requires_the_scopes_of_the_request() {
    let (prokura, token, _) = start_with_account().await;
    let narrower = async |scope: &str| {
        let form = [("scope", scope)];
        prokura.access_token_with(&prokura.root, &form).await
    };
    let reader = narrower("management:service-accounts:read").await;
    let writer = narrower("management:service-accounts:write").await;
    let body = json!({ "name": "New", "scopes": ["management:all"] });
    let first = prokura.post_once(CREATE, &token, "k", Some(&body)).await;
    let created = first.expect(201).credentials();
    let path = rotation_of(&created);
    let second = prokura.post_once(&path, &token, "k", None).await;
    let rotated = second.expect(200).credentials();
    let third = prokura
        .post_once(&secrets_of(&created), &token, "k", None)
        .await;
    let added = third.expect(201).credentials();
    let before = everything(&prokura).await;
    for (path, body, secret) in [
        (CREATE.to_owned(), Some(&body), &created.client_secret),
        (path, None, &rotated.client_secret),
        (secrets_of(&created), None, &added.client_secret),
    ] {
        for token in [&reader, &writer] {
            let reply = prokura.post_once(&path, token, "k", body).await;
            let reply = reply.expect_api_error(403, "insufficient_scope");
            assert_shows_nothing(&reply, secret);
        }
    }
    assert_eq!(everything(&prokura).await, before);
}

/// G9. Omitted scopes mean those of the caller, so they are part of the request.
#[tokio::test]
async fn omitted_scopes_of_a_narrower_token_are_another_request() {
    let (prokura, token, _) = start_with_account().await;
    let form = [("scope", "management:service-accounts:write")];
    let writer = prokura.access_token_with(&prokura.root, &form).await;
    let body = json!({ "name": "New" });
    let first = prokura.post_once(CREATE, &token, "k", Some(&body)).await;
    let created = first.expect(201).credentials();
    let reply = prokura.post_once(CREATE, &writer, "k", Some(&body)).await;
    let reply = reply.expect_api_error(422, "idempotency_key_reused");
    assert_shows_nothing(&reply, &created.client_secret);
}

/// P3, G4. A retry is refused if the caller's account is deleted or its token is invalid.
#[tokio::test]
async fn a_retry_requires_a_valid_token() {
    let (prokura, token, account) = start_with_account().await;
    let callers = prokura.access_token(&account).await;
    let body = json!({ "name": "New" });
    let first = prokura.post_once(CREATE, &callers, "k", Some(&body)).await;
    let created = first.expect(201).credentials();
    let delete = prokura.try_delete(&token, &account.id);
    delete.await.expect(204);
    let reply = prokura.post_once(CREATE, &callers, "k", Some(&body)).await;
    let reply = reply.expect_api_error(401, "invalid_token");
    assert_shows_nothing(&reply, &created.client_secret);
}
