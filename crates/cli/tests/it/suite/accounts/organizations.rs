//! One organization never sees, touches or can even probe for another's things (P6).
//!
//! That the answers also take the same time follows from how they come about: the organization is part of the `WHERE` of
//! the one statement that each operation runs (`store/service_accounts.rs`), so another's account and nobody's are the
//! same empty result. Where accounts are remembered, one of another organization is read all the same.

use std::sync::atomic::Ordering;

use reqwest::Method;
use serde_json::{Value, json};

use super::{call, operations_on, start};
use crate::harness::{Credentials, Prokura};

const NOBODY: &str = "019ab0f4-5d2e-7c11-9a52-3b1f6b0d2c47";

async fn list(prokura: &Prokura, token: &str) -> Vec<Value> {
    let reply = prokura
        .api(Method::GET, "/service-accounts", token, None)
        .await;
    reply.expect(200).json()["items"]
        .as_array()
        .unwrap()
        .clone()
}

/// P6, G8.
#[tokio::test]
async fn anothers_account_answers_like_nobodys() {
    let prokura = start().await;
    let ours = prokura.access_token(&prokura.root).await;
    let other = prokura.bootstrap("Other").await;
    let theirs = prokura.access_token(&other).await;
    let (_, account) = prokura.create(&theirs, json!({ "name": "Theirs" })).await;
    let (_, deleted) = prokura.create(&ours, json!({ "name": "Gone" })).await;
    let path = format!("/service-accounts/{}", deleted.id);
    prokura
        .api(Method::DELETE, &path, &ours, None)
        .await
        .expect(204);
    let before = list(&prokura, &theirs).await;
    let trail = "SELECT count(*) FROM audit_events";
    let events = prokura.rows(trail).await;

    let authorization = format!("Bearer {ours}");
    let headers = [("authorization", &*authorization)];
    for at in 0..operations_on(NOBODY).len() {
        let nobodys = call(&prokura, &operations_on(NOBODY)[at], &headers).await;
        let nobodys = nobodys.expect_api_error(404, "service_account_not_found");
        for id in [&account.id, &other.id, &deleted.id] {
            let anothers = call(&prokura, &operations_on(id)[at], &headers).await;
            assert_eq!(anothers.essence(), nobodys.essence());
        }
    }

    // Remembered or not, existing or not: each costs as many reads.
    prokura.access_token(&account).await;
    let mut reads = Vec::new();
    for id in [NOBODY, &account.id, &deleted.id, &account.id, NOBODY] {
        let [get, ..] = operations_on(id);
        let before = prokura.watch.reads.load(Ordering::SeqCst);
        call(&prokura, &get, &headers).await.expect(404);
        reads.push(prokura.watch.reads.load(Ordering::SeqCst) - before);
    }
    assert!(reads.iter().all(|count| *count == reads[0]), "{reads:?}");

    // Nothing has changed, and nothing was written down with them or with us.
    let mut after = list(&prokura, &theirs).await;
    after[1]["lastUsedAt"] = before[1]["lastUsedAt"].clone();
    assert_eq!(after, before);
    assert_eq!(prokura.rows(trail).await, events);
    prokura.access_token(&account).await;
    prokura.access_token(&other).await;
}

/// P6, G8: a list is of one organization, and so is the place where a page of it ends.
#[tokio::test]
async fn a_list_and_its_cursors_belong_to_one_organization() {
    let prokura = start().await;
    let ours = prokura.access_token(&prokura.root).await;
    let other = prokura.bootstrap("Other").await;
    let theirs = prokura.access_token(&other).await;
    let mut cursors = Vec::new();
    for token in [&ours, &theirs] {
        for name in ["One", "Two"] {
            prokura.create(token, json!({ "name": name })).await;
        }
        let page = prokura
            .api(Method::GET, "/service-accounts?limit=1", token, None)
            .await;
        let cursor = page.expect(200).json()["nextCursor"].clone();
        cursors.push(cursor.as_str().unwrap().to_owned());
    }
    let ids = |accounts: Vec<Value>| {
        let ids = accounts.into_iter().map(|account| account["id"].clone());
        ids.collect::<Vec<_>>()
    };
    let (our_ids, their_ids) = (
        ids(list(&prokura, &ours).await),
        ids(list(&prokura, &theirs).await),
    );
    assert_eq!((our_ids.len(), their_ids.len()), (3, 3));
    assert!(our_ids.iter().all(|id| !their_ids.contains(id)));

    for (token, own, foreign) in [
        (&ours, &cursors[0], &cursors[1]),
        (&theirs, &cursors[1], &cursors[0]),
    ] {
        let get = async |cursor| {
            let path = format!("/service-accounts?cursor={cursor}");
            prokura.api(Method::GET, &path, token, None).await
        };
        get(own).await.expect(200);
        // It answers like one that nobody ever gave.
        let refused = get(foreign).await.expect_wrong_field("cursor");
        let invented = get(&"A".repeat(foreign.len())).await;
        assert_eq!(refused.json()["errors"], invented.json()["errors"]);
    }
}

/// P6, G8, G10: there is no other way to name an organization.
#[tokio::test]
async fn nobody_chooses_his_organization() {
    let prokura = start().await;
    let ours = prokura.access_token(&prokura.root).await;
    let other = prokura.bootstrap("Other").await;
    let theirs = prokura.access_token(&other).await;
    let body = json!({ "name": "CI", "organizationId": NOBODY });
    prokura
        .api(Method::POST, "/service-accounts", &ours, Some(body))
        .await
        .expect_wrong_field("organizationId");
    for name in ["organizationId", "organization", "createdBy"] {
        let path = format!("/service-accounts?{name}={NOBODY}");
        prokura
            .api(Method::GET, &path, &ours, None)
            .await
            .expect_wrong_field(name);
    }
    assert_eq!(list(&prokura, &ours).await.len(), 1);
    assert_eq!(list(&prokura, &theirs).await.len(), 1);
}

/// P6: the OAuth endpoints keep the same wall.
#[tokio::test]
async fn anothers_token_can_be_neither_introspected_nor_revoked() {
    let prokura = start().await;
    let other = prokura.bootstrap("Other").await;
    let theirs = prokura.access_token(&other).await;
    let ask = async |client: &Credentials, path, token: &str| {
        let request = prokura
            .request(Method::POST, path)
            .header("authorization", client.basic())
            .header("x-request-id", "always-the-same")
            .form(&[("token", token)]);
        prokura.send(request).await
    };
    for path in ["/oauth2/introspect", "/oauth2/revoke"] {
        let anothers = ask(&prokura.root, path, &theirs).await.expect(200);
        let nobodys = ask(&prokura.root, path, "prka_nobodys").await;
        assert_eq!(anothers.essence(), nobodys.essence());
    }
    let seen = ask(&prokura.root, "/oauth2/introspect", &theirs).await;
    assert_eq!(seen.json(), json!({ "active": false }));
    let seen = ask(&other, "/oauth2/introspect", &theirs).await;
    assert_eq!(seen.json()["active"], true);
}
