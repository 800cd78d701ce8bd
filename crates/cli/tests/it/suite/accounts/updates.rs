//! Changing an account with PATCH (RFC 7396).

use reqwest::Method;
use serde_json::{Value, json};

use super::{changes, start_with_account, start_with_token};

/// RFC 7396: a patch sets the members it names, removes those it sets to null, and leaves the rest.
#[tokio::test]
async fn a_patch_changes_what_it_names_and_nothing_else() {
    let before = json!({ "name": "CI", "description": "old", "owner": "Platform", "labels": { "env": "test", "team": "a" } });
    let (prokura, token) = start_with_token().await;
    let (_, account) = prokura.create(&token, before).await;
    prokura.advance(1000);
    let changed = prokura
        .update(
            &token,
            &account.id,
            json!({
                "name": "CI 2",
                "description": null,
                "labels": { "env": "prod", "team": null, "tier": "" },
                "tokenLifetimeSeconds": 120,
                "expiresAt": "2026-12-24T18:00:00+01:00",
            }),
        )
        .await;
    assert_eq!(
        changed,
        json!({
            "id": account.id,
            "clientId": account.client_id,
            "name": "CI 2",
            "description": null,
            "scopes": ["management:all"],
            "grantableScopes": [],
            "createdAt": "2026-11-23T12:00:00.000Z",
            "updatedAt": "2026-11-23T12:00:01.000Z",
            "createdBy": prokura.root.id,
            "lastUsedAt": null,
            "owner": "Platform",
            "labels": { "env": "prod", "tier": "" },
            "disabled": false,
            "tokenLifetimeSeconds": 120,
            "expiresAt": "2026-12-24T17:00:00.000Z",
        })
    );
    assert_eq!(prokura.get_account(&token, &account.id).await, changed);

    // An empty patch, or one that sets the current values, changes nothing and writes no audit event.
    prokura.advance(1000);
    for body in [
        json!({}),
        json!({ "name": "CI 2", "labels": { "tier": "", "gone": null } }),
    ] {
        assert_eq!(prokura.update(&token, &account.id, body).await, changed);
    }
    let bare =
        json!({ "owner": null, "labels": null, "tokenLifetimeSeconds": null, "expiresAt": null });
    let bare = prokura.update(&token, &account.id, bare).await;
    assert_eq!(bare["labels"], json!({}));
    for name in ["owner", "tokenLifetimeSeconds", "expiresAt"] {
        assert_eq!(bare[name], Value::Null, "{name}");
    }
    assert_eq!(
        changes(&prokura, &token, &account.id).await,
        [
            json!({
                "description": "",
                "expiresAt": "2026-12-24T17:00:00.000Z",
                "labels": "env:prod\ntier:",
                "name": "CI 2",
                "tokenLifetimeSeconds": "120",
            }),
            json!({ "expiresAt": "", "labels": "", "owner": "", "tokenLifetimeSeconds": "" }),
        ]
    );
}

#[tokio::test]
async fn a_patch_is_sent_as_json_or_as_merge_patch_json() {
    let (prokura, token, account) = start_with_account().await;
    let path = format!("/api/v1/service-accounts/{}", account.id);
    let send = async |content_type: Option<&str>, body: &str| {
        let mut request = prokura
            .request(Method::PATCH, &path)
            .bearer_auth(&token)
            .body(body.to_owned());
        if let Some(content_type) = content_type {
            request = request.header("content-type", content_type);
        }
        prokura.send(request).await
    };
    for content_type in [
        "application/json",
        "application/merge-patch+json",
        "Application/Merge-Patch+JSON; charset=utf-8",
    ] {
        send(Some(content_type), r#"{"name":"CI"}"#)
            .await
            .expect(200);
    }
    for content_type in [
        None,
        Some("text/plain"),
        Some("application/json-patch+json"),
    ] {
        let reply = send(content_type, r#"{"name":"CI"}"#).await;
        reply.expect_api_error(415, "unsupported_media_type");
    }
    let repeated = [
        (r#"{"name":"a","name":"b"}"#, "name"),
        (r#"{"labels":{"a":"1","a":"2"}}"#, "labels"),
    ];
    for (body, field) in repeated {
        let reply = send(Some("application/json"), body).await;
        reply.expect_wrong_field(field);
    }
    for body in ["", "null", "[]", "{"] {
        let reply = send(Some("application/json"), body).await;
        reply.expect_wrong_field("body");
    }
}

#[tokio::test]
async fn a_wrong_member_of_a_patch_is_named_and_nothing_changes() {
    let (prokura, token, account) = start_with_account().await;
    let before = prokura.get_account(&token, &account.id).await;
    let many = (0..33).map(|number| (number.to_string(), json!("x")));
    let many = Value::Object(many.collect());
    for (field, value) in [
        ("name", json!(null)),
        ("name", json!(" ")),
        ("name", json!("x".repeat(256))),
        ("description", json!(1)),
        ("description", json!("\u{202e}")),
        ("scopes", json!(null)),
        ("scopes", json!("management:all")),
        ("scopes", json!(["unheard:of"])),
        ("disabled", json!(null)),
        ("disabled", json!("true")),
        ("owner", json!("")),
        ("owner", json!(["x"])),
        ("labels", json!([])),
        ("labels", json!({ "a": 1 })),
        ("labels", json!({ "": "x" })),
        ("labels", json!({ "a:b": "x" })),
        ("labels", json!({ "x".repeat(64): "x" })),
        ("labels", json!({ "a": "x".repeat(256) })),
        ("labels", json!({ "a": "x\ny" })),
        ("labels", many),
        ("tokenLifetimeSeconds", json!(59)),
        ("tokenLifetimeSeconds", json!(86_401)),
        ("tokenLifetimeSeconds", json!(60.5)),
        ("tokenLifetimeSeconds", json!("60")),
        ("expiresAt", json!("tomorrow")),
        ("expiresAt", json!(1_795_435_200)),
        ("id", json!(account.id)),
        ("createdAt", json!("2026-11-23T12:00:00Z")),
        ("tokenEpoch", json!(0)),
    ] {
        let body = json!({ "description": "changed", field: value });
        let reply = prokura.try_update(&token, &account.id, body).await;
        reply.expect_wrong_field(field);
    }
    assert_eq!(prokura.get_account(&token, &account.id).await, before);
    // Values at the limits are accepted.
    let labels = (0..32).map(|number| (format!("{number:063}"), json!("é".repeat(255))));
    let body = json!({ "labels": Value::Object(labels.collect()), "tokenLifetimeSeconds": 86_400, "owner": "é".repeat(255) });
    let full = prokura.update(&token, &account.id, body.clone()).await;
    assert_eq!(full["labels"], body["labels"]);
    let one_more = json!({ "labels": { "one more": "" } });
    let reply = prokura.try_update(&token, &account.id, one_more).await;
    reply.expect_wrong_field("labels");
}

#[tokio::test]
async fn an_account_can_be_created_with_every_member_of_a_patch() {
    let (prokura, token, _) = start_with_account().await;
    let body = json!({
        "name": "CI",
        "owner": "Platform",
        "labels": { "env": "prod" },
        "tokenLifetimeSeconds": 60,
        "expiresAt": "2026-11-23T13:00:00.000Z",
    });
    let (created, account) = prokura.create(&token, body.clone()).await;
    for (name, value) in body.as_object().unwrap() {
        assert_eq!(created[name], *value, "{name}");
    }
    let nothing = json!({ "name": "CI", "owner": null, "labels": null, "tokenLifetimeSeconds": null, "expiresAt": null });
    let (plain, _) = prokura.create(&token, nothing).await;
    assert_eq!(plain["labels"], json!({}));
    assert_eq!(prokura.token(&account, &[]).await.json()["expires_in"], 60);
    for (field, value) in [
        ("labels", json!({ "a": null, "": "" })),
        ("owner", json!(" ")),
    ] {
        let body = json!({ "name": "CI", field: value });
        let path = "/service-accounts";
        let reply = prokura.api(Method::POST, path, &token, Some(body)).await;
        reply.expect_wrong_field(field);
    }
}

/// S10. A removed scope no longer counts in existing tokens at our own endpoints. If it is granted again, it counts
/// again.
#[tokio::test]
async fn a_removed_scope_stops_counting_at_once() {
    let (prokura, token, account) = start_with_account().await;
    let of_account = prokura.access_token(&account).await;
    let read = json!({ "scopes": ["management:service-accounts:read"] });
    prokura.update(&token, &account.id, read).await;
    let list = prokura.api(Method::GET, "/service-accounts", &of_account, None);
    list.await.expect_api_error(403, "insufficient_scope");
    let reply = prokura.token(&account, &[]).await.expect(200);
    assert_eq!(reply.json()["scope"], "management:service-accounts:read");
    let back = json!({ "scopes": ["management:all"] });
    prokura.update(&token, &account.id, back).await;
    let list = prokura.api(Method::GET, "/service-accounts", &of_account, None);
    list.await.expect(200);
}

/// G9. A patch may keep scopes that the account has already. It cannot add a scope that the caller does not have.
#[tokio::test]
async fn a_caller_cannot_add_a_scope_that_it_does_not_have() {
    let (prokura, root) = start_with_token().await;
    let write = "management:service-accounts:write";
    let body = json!({ "name": "Writer", "scopes": [write] });
    let (_, writer) = prokura.create(&root, body).await;
    let token = prokura.access_token(&writer).await;
    let body = json!({ "name": "Rich", "scopes": ["management:audit:read", write] });
    let (_, rich) = prokura.create(&root, body).await;

    for (id, missing) in [
        (&writer.id, json!(["management:all"])),
        // Its other scope would be taken, which needs the right to grant it.
        (&rich.id, json!(["management:all", "management:audit:read"])),
    ] {
        let body = json!({ "scopes": [write, "management:all"] });
        let reply = prokura.try_update(&token, id, body).await;
        let reply = reply.expect_api_error(403, "insufficient_scope");
        assert_eq!(reply.json()["missingScopes"], missing);
    }
    let same = json!({ "scopes": [write, "management:audit:read"], "name": "Richer" });
    prokura.update(&token, &rich.id, same).await;
    let less = json!({ "scopes": [write] });
    let reply = prokura.try_update(&token, &rich.id, less.clone()).await;
    reply.expect_api_error(403, "insufficient_scope");
    prokura.update(&root, &rich.id, less).await;
    let again = json!({ "scopes": [write, "management:audit:read"] });
    let reply = prokura.try_update(&token, &rich.id, again).await;
    reply.expect_api_error(403, "insufficient_scope");
}

/// Concurrent patches of different members are all kept: each is applied to the result of the one before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_patches_are_all_applied() {
    let (prokura, token, account) = start_with_account().await;
    let patches = (0..20).map(|number| {
        let body = json!({ "labels": { number.to_string(): "set" } });
        prokura.try_update(&token, &account.id, body)
    });
    for reply in futures_util::future::join_all(patches).await {
        reply.expect(200);
    }
    let after = prokura.get_account(&token, &account.id).await;
    assert_eq!(after["labels"].as_object().unwrap().len(), 20);
    assert_eq!(changes(&prokura, &token, &account.id).await.len(), 20);
}

/// A patch does not restore a deleted account.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_patch_does_not_restore_a_deleted_account() {
    let (prokura, token) = start_with_token().await;
    for round in 0..10 {
        let (_, account) = prokura.create(&token, json!({ "name": "CI" })).await;
        let path = format!("/service-accounts/{}", account.id);
        let body = json!({ "name": format!("round {round}"), "disabled": false });
        let (patched, deleted) = tokio::join!(
            prokura.try_update(&token, &account.id, body),
            prokura.api(Method::DELETE, &path, &token, None),
        );
        deleted.expect(204);
        assert!(matches!(patched.status, 200 | 404), "{patched:?}");
        let reply = prokura.api(Method::GET, &path, &token, None).await;
        reply.expect_api_error(404, "service_account_not_found");
        let refused = prokura.token(&account, &[]).await;
        refused.expect_oauth_error(401, "invalid_client");
    }
}
