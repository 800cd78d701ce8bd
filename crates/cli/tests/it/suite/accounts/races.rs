//! Concurrent operations on one account (G6). Which of two comes first is open. Each of them happens entirely or not at
//! all.
//!
//! There is no quota yet, so creations cannot race for one.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;

use super::{start_with_account, start_with_token};
use crate::harness::{Credentials, Prokura};

async fn delete(prokura: &Prokura, token: &str, id: &str) -> u16 {
    let reply = prokura.try_delete(token, id).await;
    if reply.status != 204 {
        reply
            .clone()
            .expect_api_error(404, "service_account_not_found");
    }
    reply.status
}

/// Rotates an account: the new credentials, or `None` if the account was gone.
async fn try_rotate(prokura: &Prokura, token: &str, id: &str) -> Option<Credentials> {
    let path = format!("/service-accounts/{id}/rotate-secret");
    let reply = prokura.api(Method::POST, &path, token, None).await;
    if reply.status == 404 {
        reply.expect_api_error(404, "service_account_not_found");
        return None;
    }
    let credentials = reply.expect(200).json()["credentials"].clone();
    let text = |name: &str| credentials[name].as_str().unwrap().to_owned();
    Some(Credentials {
        id: id.to_owned(),
        client_id: text("clientId"),
        client_secret: text("clientSecret"),
    })
}

async fn count(prokura: &Prokura, action: &str, id: &str) -> i64 {
    let sql =
        format!("SELECT count(*) FROM audit_events WHERE action = '{action}' AND target = '{id}'");
    prokura.rows(&sql).await[0][0].as_i64().unwrap()
}

/// G6, P2.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_twenty_concurrent_rotations_exactly_one_secret_works_afterwards() {
    let (prokura, token, account) = start_with_account().await;
    let rotations = (0..20).map(|_| try_rotate(&prokura, &token, &account.id));
    let rotated = join_all(rotations).await;
    let rotated = rotated.into_iter().flatten().collect::<Vec<_>>();
    assert_eq!(rotated.len(), 20);
    let mut working = 0;
    for credentials in &rotated {
        working += usize::from(prokura.authenticates(credentials).await);
    }
    assert_eq!(working, 1);
    assert!(!prokura.authenticates(&account).await);
    assert_eq!(count(&prokura, "rotate_secret", &account.id).await, 20);
}

/// G6, P3. Clients request tokens before, while and after the account is deleted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_token_outlives_its_account() {
    let (prokura, token) = start_with_token().await;
    for _ in 0..5 {
        let (_, account) = prokura.create(&token, json!({ "name": "CI" })).await;
        let deleted = Arc::new(AtomicBool::new(false));
        let issuers = (0..4).map(|_| {
            let (client, account) = (prokura.client.clone(), account.clone());
            let deleted = Arc::clone(&deleted);
            tokio::spawn(async move {
                let mut issued = Vec::new();
                loop {
                    let asked_afterwards = deleted.load(Ordering::SeqCst);
                    let reply = client.token(&account, &[]).await;
                    if reply.status != 200 {
                        reply.expect_oauth_error(401, "invalid_client");
                        return issued;
                    }
                    assert!(!asked_afterwards, "a token of a deleted account");
                    let token = reply.json()["access_token"].as_str().unwrap().to_owned();
                    issued.push(token);
                }
            })
        });
        let issuers = issuers.collect::<Vec<_>>();
        prokura.access_token(&account).await;
        assert_eq!(delete(&prokura, &token, &account.id).await, 204);
        deleted.store(true, Ordering::SeqCst);
        let issued = join_all(issuers).await;
        let issued = issued.into_iter().flat_map(Result::unwrap);
        for dead in issued {
            let seen = prokura.introspect(&prokura.root, &dead).await;
            assert_eq!(seen, json!({ "active": false }));
        }
    }
}

/// G6.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_concurrent_deletions_exactly_one_succeeds() {
    let (prokura, token) = start_with_token().await;
    for _ in 0..10 {
        let (_, account) = prokura.create(&token, json!({ "name": "CI" })).await;
        let deletions = (0..4).map(|_| delete(&prokura, &token, &account.id));
        let mut statuses = join_all(deletions).await;
        statuses.sort_unstable();
        assert_eq!(statuses, [204, 404, 404, 404]);
        assert_eq!(
            count(&prokura, "delete_service_account", &account.id).await,
            1
        );
    }
}

/// G6. In either order the account is gone in the end, and none of its secrets works.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotation_does_not_restore_a_deleted_account() {
    let (prokura, token) = start_with_token().await;
    for _ in 0..10 {
        let (_, account) = prokura.create(&token, json!({ "name": "CI" })).await;
        let (first, deleted, second) = tokio::join!(
            try_rotate(&prokura, &token, &account.id),
            delete(&prokura, &token, &account.id),
            try_rotate(&prokura, &token, &account.id),
        );
        assert_eq!(deleted, 204);
        for credentials in [first, second].iter().flatten() {
            assert!(!prokura.authenticates(credentials).await);
        }
        assert_eq!(delete(&prokura, &token, &account.id).await, 404);
    }
    let orphans = prokura
        .rows("SELECT count(*) FROM secrets WHERE service_account_id NOT IN (SELECT id FROM service_accounts)")
        .await;
    assert_eq!(orphans, [[json!(0)]]);
}

/// G6. Concurrent creations do not disturb each other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrently_created_accounts_all_exist_and_all_differ() {
    let (prokura, token) = start_with_token().await;
    let created =
        join_all((0..20).map(|_| prokura.create(&token, json!({ "name": "Same" })))).await;
    let mut ids = created
        .iter()
        .map(|(_, credentials)| credentials.id.clone())
        .collect::<Vec<_>>();
    let mut secrets = created
        .iter()
        .map(|(_, credentials)| credentials.client_secret.clone())
        .collect::<Vec<_>>();
    for values in [&mut ids, &mut secrets] {
        values.sort();
        values.dedup();
        assert_eq!(values.len(), 20);
    }
    for (_, credentials) in &created {
        assert!(prokura.authenticates(credentials).await);
    }
}
