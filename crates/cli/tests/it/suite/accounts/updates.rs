//! An account under control: what is said of it, whether it may be used, for how long, and by which tokens.

use prokura_server::domain::SigningAlgorithm;
use reqwest::Method;
use serde_json::{Value, json};

use super::{DATABASE, start, start_with};
use crate::harness::{Credentials, Database, Options, Prokura, Reply, jwt_resource};

async fn patch(prokura: &Prokura, token: &str, id: &str, body: Value) -> Reply {
    let path = format!("/service-accounts/{id}");
    prokura.api(Method::PATCH, &path, token, Some(body)).await
}

async fn update(prokura: &Prokura, token: &str, id: &str, body: Value) -> Value {
    let reply = patch(prokura, token, id, body).await.expect(200).json();
    reply["serviceAccount"].clone()
}

async fn get(prokura: &Prokura, token: &str, id: &str) -> Value {
    let path = format!("/service-accounts/{id}");
    let reply = prokura.api(Method::GET, &path, token, None).await;
    reply.expect(200).json()["serviceAccount"].clone()
}

async fn with_account(body: Value) -> (Prokura, String, Credentials) {
    let prokura = start().await;
    let token = prokura.access_token(&prokura.root).await;
    let (_, account) = prokura.create(&token, body).await;
    (prokura, token, account)
}

async fn is_active(prokura: &Prokura, token: &str) -> bool {
    prokura.introspect(&prokura.root, token).await["active"] == true
}

/// The updates of the account, oldest first: what each changed.
async fn changes(prokura: &Prokura, token: &str, id: &str) -> Vec<Value> {
    let path = format!("/audit-events?action=update_service_account&serviceAccountId={id}");
    let events = prokura.api(Method::GET, &path, token, None).await;
    let events = events.expect(200).json();
    let changes = events["items"].as_array().unwrap().iter();
    changes.map(|event| event["changes"].clone()).collect()
}

/// RFC 7396: what is named changes, null takes away, the rest stays.
#[tokio::test]
async fn a_patch_changes_what_it_names_and_nothing_else() {
    let before = json!({ "name": "CI", "description": "old", "owner": "Platform", "labels": { "env": "test", "team": "a" } });
    let (prokura, token, account) = with_account(before).await;
    prokura.advance(1000);
    let changed = update(
        &prokura,
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
    assert_eq!(get(&prokura, &token, &account.id).await, changed);

    // Nothing said, or nothing new: nothing changes, and nothing is written down.
    prokura.advance(1000);
    for body in [
        json!({}),
        json!({ "name": "CI 2", "labels": { "tier": "", "gone": null } }),
    ] {
        assert_eq!(update(&prokura, &token, &account.id, body).await, changed);
    }
    let bare =
        json!({ "owner": null, "labels": null, "tokenLifetimeSeconds": null, "expiresAt": null });
    let bare = update(&prokura, &token, &account.id, bare).await;
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
async fn a_patch_is_sent_as_such_or_as_json() {
    let (prokura, token, account) = with_account(json!({ "name": "CI" })).await;
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
async fn what_is_wrong_in_a_patch_is_named_and_changes_nothing() {
    let (prokura, token, account) = with_account(json!({ "name": "CI" })).await;
    let before = get(&prokura, &token, &account.id).await;
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
        let reply = patch(&prokura, &token, &account.id, body).await;
        reply.expect_wrong_field(field);
    }
    assert_eq!(get(&prokura, &token, &account.id).await, before);
    // At the limits.
    let labels = (0..32).map(|number| (format!("{number:063}"), json!("é".repeat(255))));
    let body = json!({ "labels": Value::Object(labels.collect()), "tokenLifetimeSeconds": 86_400, "owner": "é".repeat(255) });
    let full = update(&prokura, &token, &account.id, body.clone()).await;
    assert_eq!(full["labels"], body["labels"]);
    let one_more = json!({ "labels": { "one more": "" } });
    let reply = patch(&prokura, &token, &account.id, one_more).await;
    reply.expect_wrong_field("labels");
}

#[tokio::test]
async fn an_account_is_created_with_what_a_patch_could_give_it() {
    let (prokura, token, _) = with_account(json!({ "name": "CI" })).await;
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

/// While it is disabled it gets no tokens and its tokens are dead; those that live on revive with it.
#[tokio::test]
async fn a_disabled_account_is_dead_until_it_is_enabled() {
    let (prokura, token, account) = with_account(json!({ "name": "CI" })).await;
    let long = prokura.access_token(&account).await;
    update(
        &prokura,
        &token,
        &account.id,
        json!({ "tokenLifetimeSeconds": 60 }),
    )
    .await;
    let short = prokura.access_token(&account).await;

    let off = update(&prokura, &token, &account.id, json!({ "disabled": true })).await;
    assert_eq!(off["disabled"], true);
    let refused = prokura.token(&account, &[]).await;
    refused.expect_oauth_error(401, "invalid_client");
    for dead in [&long, &short] {
        assert!(!is_active(&prokura, dead).await);
        let reply = prokura
            .api(Method::GET, "/service-accounts", dead, None)
            .await;
        reply.expect_api_error(401, "invalid_token");
    }
    prokura.advance(60_000);
    update(&prokura, &token, &account.id, json!({ "disabled": false })).await;
    assert!(is_active(&prokura, &long).await);
    assert!(!is_active(&prokura, &short).await);
    prokura.access_token(&account).await;
}

/// To the very instant.
#[tokio::test]
async fn an_expired_account_is_as_if_it_were_disabled() {
    let (prokura, token, account) = with_account(json!({ "name": "CI" })).await;
    let expiry = json!({ "expiresAt": "2026-11-23T12:01:00.000Z" });
    update(&prokura, &token, &account.id, expiry).await;
    let of_account = prokura.access_token(&account).await;
    prokura.advance(59_999);
    assert!(is_active(&prokura, &of_account).await);
    prokura.access_token(&account).await;
    prokura.advance(1);
    assert!(!is_active(&prokura, &of_account).await);
    let refused = prokura.token(&account, &[]).await;
    refused.expect_oauth_error(401, "invalid_client");
    assert_eq!(get(&prokura, &token, &account.id).await["disabled"], false);
    update(&prokura, &token, &account.id, json!({ "expiresAt": null })).await;
    assert!(is_active(&prokura, &of_account).await);
    prokura.access_token(&account).await;
}

/// A JWT that is checked offline cannot be asked about, so it does not outlive its account's expiry.
#[tokio::test]
async fn the_lifetime_of_tokens_is_the_accounts_where_it_has_one() {
    let orders = jwt_resource(
        "https://orders.example",
        "orders:read",
        SigningAlgorithm::Es256,
    );
    let options = Options {
        resources: vec![orders],
        ..Options::default()
    };
    let prokura = start_with(options).await;
    let token = prokura.access_token(&prokura.root).await;
    let body = json!({ "name": "CI", "scopes": ["management:all", "orders:read"] });
    let (_, account) = prokura.create(&token, body).await;
    let lifetime = async |scope: &str| {
        let reply = prokura.token(&account, &[("scope", scope)]).await;
        reply.expect(200).json()["expires_in"].as_i64().unwrap()
    };
    assert_eq!(lifetime("management:all").await, 3600);
    assert_eq!(lifetime("orders:read").await, 900);
    for seconds in [60, 7200, 86_400] {
        let body = json!({ "tokenLifetimeSeconds": seconds });
        update(&prokura, &token, &account.id, body).await;
        assert_eq!(lifetime("management:all").await, seconds);
        assert_eq!(lifetime("orders:read").await, seconds);
    }
    let expiry = json!({ "expiresAt": "2026-11-23T12:05:00.000Z" });
    update(&prokura, &token, &account.id, expiry).await;
    assert_eq!(lifetime("management:all").await, 86_400);
    assert_eq!(lifetime("orders:read").await, 300);
    prokura.advance(299_999);
    assert_eq!(lifetime("orders:read").await, 1);
}

/// S10: at our endpoints a scope taken away is gone from the tokens that there are; given back, it is there again.
#[tokio::test]
async fn a_scope_that_is_taken_away_is_gone_at_once() {
    let (prokura, token, account) = with_account(json!({ "name": "CI" })).await;
    let of_account = prokura.access_token(&account).await;
    let read = json!({ "scopes": ["management:service-accounts:read"] });
    update(&prokura, &token, &account.id, read).await;
    let list = prokura.api(Method::GET, "/service-accounts", &of_account, None);
    list.await.expect_api_error(403, "insufficient_scope");
    let reply = prokura.token(&account, &[]).await.expect(200);
    assert_eq!(reply.json()["scope"], "management:service-accounts:read");
    let back = json!({ "scopes": ["management:all"] });
    update(&prokura, &token, &account.id, back).await;
    let list = prokura.api(Method::GET, "/service-accounts", &of_account, None);
    list.await.expect(200);
}

/// G9: what an account had already may stay; nobody adds what he does not hold.
#[tokio::test]
async fn nobody_grants_by_a_patch_what_he_does_not_hold() {
    let prokura = start().await;
    let root = prokura.access_token(&prokura.root).await;
    let write = "management:service-accounts:write";
    let body = json!({ "name": "Writer", "scopes": [write] });
    let (_, writer) = prokura.create(&root, body).await;
    let token = prokura.access_token(&writer).await;
    let body = json!({ "name": "Rich", "scopes": ["management:audit:read", write] });
    let (_, rich) = prokura.create(&root, body).await;

    for id in [&writer.id, &rich.id] {
        let body = json!({ "scopes": [write, "management:all"] });
        let reply = patch(&prokura, &token, id, body).await;
        let reply = reply.expect_api_error(403, "insufficient_scope");
        assert_eq!(reply.json()["missingScopes"], json!(["management:all"]));
    }
    let same = json!({ "scopes": [write, "management:audit:read"], "name": "Richer" });
    update(&prokura, &token, &rich.id, same).await;
    let less = json!({ "scopes": [write] });
    update(&prokura, &token, &rich.id, less).await;
    let again = json!({ "scopes": [write, "management:audit:read"] });
    let reply = patch(&prokura, &token, &rich.id, again).await;
    reply.expect_api_error(403, "insufficient_scope");
}

/// Changes of several members at once all last: each is made to what the one before left.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn patches_at_once_lose_nothing() {
    let (prokura, token, account) = with_account(json!({ "name": "CI" })).await;
    let patches = (0..20).map(|number| {
        let body = json!({ "labels": { number.to_string(): "set" } });
        patch(&prokura, &token, &account.id, body)
    });
    for reply in futures_util::future::join_all(patches).await {
        reply.expect(200);
    }
    let after = get(&prokura, &token, &account.id).await;
    assert_eq!(after["labels"].as_object().unwrap().len(), 20);
    assert_eq!(changes(&prokura, &token, &account.id).await.len(), 20);
}

/// A patch does not bring a deleted account back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn patching_against_deleting_ends_in_a_deleted_account() {
    let prokura = start().await;
    let token = prokura.access_token(&prokura.root).await;
    for round in 0..10 {
        let (_, account) = prokura.create(&token, json!({ "name": "CI" })).await;
        let path = format!("/service-accounts/{}", account.id);
        let body = json!({ "name": format!("round {round}"), "disabled": false });
        let (patched, deleted) = tokio::join!(
            patch(&prokura, &token, &account.id, body),
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

/// What one node is told, the next request to another knows.
#[tokio::test]
async fn disabling_reaches_every_node_at_once() {
    if DATABASE == Database::Sqlite {
        // One server owns the file; a restart is the other node that there can be.
        let (prokura, token, account) = with_account(json!({ "name": "CI" })).await;
        update(&prokura, &token, &account.id, json!({ "disabled": true })).await;
        let prokura = prokura.restart(Options::default()).await;
        let refused = prokura.token(&account, &[]).await;
        refused.expect_oauth_error(401, "invalid_client");
        return;
    }
    let (prokura, token, account) = with_account(json!({ "name": "CI" })).await;
    let other = prokura.another_node(Options::default()).await;
    let of_account = other.access_token(&account).await;
    // Even if the clock of the node that is told is ahead.
    prokura.advance(30_000);
    update(&prokura, &token, &account.id, json!({ "disabled": true })).await;
    let refused = other.token(&account, &[]).await;
    refused.expect_oauth_error(401, "invalid_client");
    assert!(!is_active(&other, &of_account).await);
}
