//! The rule of the last administrator: an organization always keeps one usable account that holds `management:all` and can log in.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use super::{DATABASE, start_with_account, start_with_token};
use crate::harness::{Credentials, Database, Options, Prokura, Reply};

const WRITE: &str = "management:service-accounts:write";

/// Every way to weaken an account until it is no usable administrator.
fn ways() -> Vec<(Method, &'static str, Option<Value>)> {
    let patch = |body: Value| (Method::PATCH, "", Some(body));
    vec![
        (Method::DELETE, "", None),
        (Method::DELETE, "/secrets/{secret}", None),
        patch(json!({ "disabled": true })),
        patch(json!({ "scopes": [WRITE] })),
        patch(json!({ "scopes": [] })),
        patch(json!({ "expiresAt": "2026-11-23T12:00:00Z" })),
    ]
}

async fn weaken(
    prokura: &Prokura,
    token: &str,
    account: &Credentials,
    (method, path, body): (Method, &'static str, Option<Value>),
) -> Reply {
    let secrets = prokura.list_secrets(token, &account.id).await;
    let path = path.replace("{secret}", secrets[0]["id"].as_str().unwrap());
    prokura
        .on_account(method, &account.id, &path, token, body)
        .await
}

#[tokio::test]
async fn the_last_administrator_stays() {
    let (prokura, token) = start_with_token().await;
    prokura
        .create(&token, json!({ "name": "CI", "scopes": [WRITE] }))
        .await;
    for way in ways() {
        let reply = weaken(&prokura, &token, &prokura.root, way).await;
        reply.expect_api_error(409, "last_administrator");
    }
    let account = prokura.get_account(&token, &prokura.root.id).await;
    assert_eq!(account["version"], Value::Null);
    assert!(prokura.authenticates(&prokura.root).await);
    // Other changes are no matter, nor is an expiry in the future.
    prokura
        .update(&token, &prokura.root.id, json!({ "name": "Root" }))
        .await;
    let later = json!({ "expiresAt": "2026-11-24T12:00:00Z" });
    prokura.update(&token, &prokura.root.id, later).await;
    prokura.rotate(&token, &prokura.root.id).await;
}

#[tokio::test]
async fn one_of_two_administrators_may_go() {
    for way in ways() {
        let (prokura, token, other) = start_with_account().await;
        let reply = weaken(&prokura, &token, &other, way.clone()).await;
        assert!((200..300).contains(&reply.status), "{reply:?}");
        let reply = weaken(&prokura, &token, &prokura.root, way).await;
        reply.expect_api_error(409, "last_administrator");
    }
}

/// An administrator counts only if it can be used and can log in.
#[tokio::test]
async fn an_administrator_that_cannot_log_in_does_not_count() {
    let (prokura, token, other) = start_with_account().await;
    let refused = async || {
        let reply = prokura.try_delete(&token, &prokura.root.id).await;
        reply.expect_api_error(409, "last_administrator");
    };
    let update = async |patch| prokura.update(&token, &other.id, patch).await;
    update(json!({ "disabled": true })).await;
    refused().await;
    update(json!({ "disabled": false, "expiresAt": "2026-11-23T11:00:00Z" })).await;
    refused().await;
    update(json!({ "expiresAt": null })).await;
    let secrets = prokura.list_secrets(&token, &other.id).await;
    let path = format!("/secrets/{}", secrets[0]["id"].as_str().unwrap());
    let ended = prokura
        .on_account(Method::DELETE, &other.id, &path, &token, None)
        .await;
    ended.expect(204);
    refused().await;
    // A secret that has expired is no way in either.
    let body = json!({ "expiresInSeconds": 60 });
    prokura
        .try_add_secret(&token, &other.id, Some(body))
        .await
        .expect(201);
    prokura.advance(60_000);
    refused().await;
    prokura.add_secret(&token, &other.id).await;
    prokura.delete(&token, &prokura.root.id).await;
}

/// An administrator of another organization does not count.
#[tokio::test]
async fn another_organization_has_no_say() {
    let (prokura, token) = start_with_token().await;
    prokura.bootstrap("Other").await;
    let reply = prokura.try_delete(&token, &prokura.root.id).await;
    reply.expect_api_error(409, "last_administrator");
}

/// Several administrators are weakened at the same time, on PostgreSQL on two nodes: one is left.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_changes_leave_one_administrator() {
    let (prokura, token) = start_with_token().await;
    let node = match DATABASE {
        Database::Postgres => Some(prokura.another_node(Options::default()).await),
        Database::Sqlite => None,
    };
    for round in 0..4 {
        let mut accounts = Vec::new();
        for _ in 0..6 {
            let (_, account) = prokura.create(&token, json!({ "name": "Admin" })).await;
            accounts.push(account);
        }
        // All weaken themselves, so that nobody loses the right to do so meanwhile.
        let tokens = join_all(accounts.iter().map(|account| prokura.access_token(account))).await;
        let ways = ways();
        // The first administrator goes first: one of the six must stay.
        let root = prokura.on_account(
            Method::PATCH,
            &prokura.root.id,
            "",
            &token,
            Some(json!({ "disabled": true })),
        );
        root.await.expect(200);
        let changes = accounts.iter().zip(&tokens).enumerate();
        let changes = changes.map(async |(number, (account, token))| {
            let server = match &node {
                Some(node) if number % 2 == 1 => node,
                _ => &prokura,
            };
            weaken(
                server,
                token,
                account,
                ways[(number + round) % ways.len()].clone(),
            )
            .await
        });
        let replies = join_all(changes).await;
        let refused = replies.iter().filter(|reply| reply.status == 409).count();
        assert_eq!(refused, 1, "{replies:?}");
        let survivor = replies
            .iter()
            .position(|reply| reply.status == 409)
            .unwrap();
        assert!(prokura.authenticates(&accounts[survivor]).await);
        let token = &tokens[survivor];
        let enabled = json!({ "disabled": false });
        prokura.update(token, &prokura.root.id, enabled).await;
        let gone = accounts
            .iter()
            .map(|account| prokura.try_delete(token, &account.id));
        join_all(gone).await;
    }
}
