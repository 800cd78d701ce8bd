//! What is refused: it is not remembered, and whoever may no longer do a thing does not get its answer again.

use reqwest::Method;
use serde_json::json;

use super::{CREATE, count, credentials, everything, rotation_of, secrets_of, with_account};
use crate::harness::Reply;

/// Q3.
#[tokio::test]
async fn what_is_refused_is_not_remembered() {
    let (prokura, token, account) = with_account().await;
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
    let nobody = rotation_of(&account).replace(&account.id, "019ab0f4-5d2e-7c11-9a52-3b1f6b0d2c47");
    for (path, body, status, code) in [
        (rotation_of(&account), Some(longer), 400, "invalid_request"),
        (nobody, None, 404, "service_account_not_found"),
    ] {
        let reply = prokura.post_once(&path, &token, "k", body.as_ref()).await;
        reply.expect_api_error(status, code);
    }
    // Full: not even a rotation with grace goes.
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
    assert_eq!(count(&prokura, "idempotent_requests").await, 0);

    // Mended, each goes under the same key.
    let body = created("CI", &[]);
    for token in [&writer, &token] {
        let reply = prokura.post_once(CREATE, token, "k", Some(&body)).await;
        reply.expect(201);
    }
    let path = format!("{secrets}/{}", ids[0].as_str().unwrap());
    let end = prokura.api(Method::DELETE, &path, &token, None);
    end.await.expect(204);
    let added = add().await.expect(201);
    // Full again, which does not stand in the way of a repeat.
    rotate().await.expect_api_error(409, "too_many_secrets");
    assert_eq!(add().await.fingerprint(), added.fingerprint());
    assert_eq!(count(&prokura, "idempotent_requests").await, 2);
}

#[track_caller]
fn assert_shows_nothing(reply: &Reply, secret: &str) {
    assert!(!reply.mentions(secret), "{reply:?}");
    assert!(!reply.mentions(&secret[secret.len() - 4..]), "{reply:?}");
}

/// G9: what was allowed once is asked again for each repeat.
#[tokio::test]
async fn a_repeat_needs_the_scopes_that_the_request_needed() {
    let (prokura, token, _) = with_account().await;
    let narrower = async |scope: &str| {
        let form = [("scope", scope)];
        prokura.access_token_with(&prokura.root, &form).await
    };
    let reader = narrower("management:service-accounts:read").await;
    let writer = narrower("management:service-accounts:write").await;
    let body = json!({ "name": "New", "scopes": ["management:all"] });
    let first = prokura.post_once(CREATE, &token, "k", Some(&body)).await;
    let created = credentials(&first.expect(201));
    let path = rotation_of(&created);
    let second = prokura.post_once(&path, &token, "k", None).await;
    let rotated = credentials(&second.expect(200));
    let third = prokura
        .post_once(&secrets_of(&created), &token, "k", None)
        .await;
    let added = credentials(&third.expect(201));
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

/// G9: scopes that are left out are the caller's, and so are part of what is asked for.
#[tokio::test]
async fn a_narrower_token_does_not_ask_for_the_same_by_leaving_the_scopes_out() {
    let (prokura, token, _) = with_account().await;
    let form = [("scope", "management:service-accounts:write")];
    let writer = prokura.access_token_with(&prokura.root, &form).await;
    let body = json!({ "name": "New" });
    let first = prokura.post_once(CREATE, &token, "k", Some(&body)).await;
    let created = credentials(&first.expect(201));
    let reply = prokura.post_once(CREATE, &writer, "k", Some(&body)).await;
    let reply = reply.expect_api_error(422, "idempotency_key_reused");
    assert_shows_nothing(&reply, &created.client_secret);
}

/// P3, G4: a caller that is gone gets nothing, and neither does one whose token is dead.
#[tokio::test]
async fn a_repeat_needs_a_living_token() {
    let (prokura, token, account) = with_account().await;
    let callers = prokura.access_token(&account).await;
    let body = json!({ "name": "New" });
    let first = prokura.post_once(CREATE, &callers, "k", Some(&body)).await;
    let created = credentials(&first.expect(201));
    let path = format!("/service-accounts/{}", account.id);
    let delete = prokura.api(Method::DELETE, &path, &token, None);
    delete.await.expect(204);
    let reply = prokura.post_once(CREATE, &callers, "k", Some(&body)).await;
    let reply = reply.expect_api_error(401, "invalid_token");
    assert_shows_nothing(&reply, &created.client_secret);
}
