//! What happens at once (G6). Which of two comes first is open; that each of them happened wholly or not at all is not.
//!
//! There is no quota yet at which creations could race.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;

use super::start;
use crate::harness::{Credentials, Prokura};

async fn delete(prokura: &Prokura, token: &str, id: &str) -> u16 {
    let path = format!("/service-accounts/{id}");
    let reply = prokura.api(Method::DELETE, &path, token, None).await;
    if reply.status != 204 {
        reply
            .clone()
            .expect_api_error(404, "service_account_not_found");
    }
    reply.status
}

/// The new credentials, unless the account was gone.
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

async fn authenticates(prokura: &Prokura, client: &Credentials) -> bool {
    let reply = prokura.token(client, &[]).await;
    if reply.status != 200 {
        reply.clone().expect_oauth_error(401, "invalid_client");
    }
    reply.status == 200
}

async fn count(prokura: &Prokura, action: &str, id: &str) -> i64 {
    let sql =
        format!("SELECT count(*) FROM audit_events WHERE action = '{action}' AND target = '{id}'");
    prokura.rows(&sql).await[0][0].as_i64().unwrap()
}

/// G6, P2.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_twenty_rotations_at_once_exactly_one_secret_works_afterwards() {
    let prokura = start().await;
    let token = prokura.access_token(&prokura.root).await;
    let (_, account) = prokura.create(&token, json!({ "name": "CI" })).await;
    let rotations = (0..20).map(|_| try_rotate(&prokura, &token, &account.id));
    let rotated = join_all(rotations).await;
    let rotated = rotated.into_iter().flatten().collect::<Vec<_>>();
    assert_eq!(rotated.len(), 20);
    let mut working = 0;
    for credentials in &rotated {
        working += usize::from(authenticates(&prokura, credentials).await);
    }
    assert_eq!(working, 1);
    assert!(!authenticates(&prokura, &account).await);
    assert_eq!(count(&prokura, "rotate_secret", &account.id).await, 20);
}

/// G6, P3: tokens are issued as fast as they can be, before, while and after the account is deleted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_token_outlives_its_account() {
    let prokura = start().await;
    let token = prokura.access_token(&prokura.root).await;
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
async fn of_deletions_at_once_exactly_one_succeeds() {
    let prokura = start().await;
    let token = prokura.access_token(&prokura.root).await;
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

/// G6: whichever comes first, the account is gone in the end and no secret of it works.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotation_does_not_bring_a_deleted_account_back() {
    let prokura = start().await;
    let token = prokura.access_token(&prokura.root).await;
    for _ in 0..10 {
        let (_, account) = prokura.create(&token, json!({ "name": "CI" })).await;
        let (first, deleted, second) = tokio::join!(
            try_rotate(&prokura, &token, &account.id),
            delete(&prokura, &token, &account.id),
            try_rotate(&prokura, &token, &account.id),
        );
        assert_eq!(deleted, 204);
        for credentials in [first, second].iter().flatten() {
            assert!(!authenticates(&prokura, credentials).await);
        }
        assert_eq!(delete(&prokura, &token, &account.id).await, 404);
    }
    let orphans = prokura
        .rows("SELECT count(*) FROM secrets WHERE service_account_id NOT IN (SELECT id FROM service_accounts)")
        .await;
    assert_eq!(orphans, [[json!(0)]]);
}

/// G6: creations at once get in nobody's way.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn accounts_created_at_once_are_all_there_and_all_different() {
    let prokura = start().await;
    let token = prokura.access_token(&prokura.root).await;
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
        assert!(authenticates(&prokura, credentials).await);
    }
}
