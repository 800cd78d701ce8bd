//! One organization cannot see, change or probe the accounts of another (P6).
//!
//! The responses also take the same time: the organization is part of the `WHERE` of the one statement that each
//! operation runs (`store/service_accounts.rs`), so the account of another organization and a missing account are the
//! same empty result. A cached account of another organization is read from the database all the same.

use std::sync::atomic::Ordering;

use reqwest::Method;
use serde_json::{Value, json};

use super::{start, start_with_token};
use crate::harness::{Credentials, NO_ACCOUNT, operations_on_an_account};

/// P6, G8. The account of another organization gets the same 404 as an ID that never existed.
#[tokio::test]
async fn an_account_of_another_organization_looks_like_a_missing_one() {
    let (prokura, ours) = start_with_token().await;
    let other = prokura.bootstrap("Other").await;
    let theirs = prokura.access_token(&other).await;
    let (_, account) = prokura.create(&theirs, json!({ "name": "Theirs" })).await;
    let (_, deleted) = prokura.create(&ours, json!({ "name": "Gone" })).await;
    prokura.delete(&ours, &deleted.id).await;
    let before = prokura.list_accounts(&theirs).await;
    let trail = "SELECT count(*) FROM audit_events";
    let events = prokura.rows(trail).await;

    for operation in operations_on_an_account() {
        let missing = operation.send_with_token(&prokura, NO_ACCOUNT, &ours).await;
        let missing = missing.expect_api_error(404, "service_account_not_found");
        for id in [&account.id, &other.id, &deleted.id] {
            let foreign = operation.send_with_token(&prokura, id, &ours).await;
            assert_eq!(foreign.essence(), missing.essence());
        }
    }

    // Cached or not, existing or not: each costs the same number of reads.
    prokura.access_token(&account).await;
    let mut reads = Vec::new();
    for id in [
        NO_ACCOUNT,
        &account.id,
        &deleted.id,
        &account.id,
        NO_ACCOUNT,
    ] {
        let before = prokura.watch.reads.load(Ordering::SeqCst);
        prokura.try_get_account(&ours, id).await.expect(404);
        reads.push(prokura.watch.reads.load(Ordering::SeqCst) - before);
    }
    assert!(reads.iter().all(|count| *count == reads[0]), "{reads:?}");

    // Nothing was changed, and no audit event was written in either organization.
    let mut after = prokura.list_accounts(&theirs).await;
    after[1]["lastUsedAt"] = before[1]["lastUsedAt"].clone();
    assert_eq!(after, before);
    assert_eq!(prokura.rows(trail).await, events);
    prokura.access_token(&account).await;
    prokura.access_token(&other).await;
}

/// P6, G8. A list has the accounts of one organization, and its cursors are valid for that organization only.
#[tokio::test]
async fn a_list_and_its_cursors_belong_to_one_organization() {
    let (prokura, ours) = start_with_token().await;
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
        ids(prokura.list_accounts(&ours).await),
        ids(prokura.list_accounts(&theirs).await),
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
        // The response is the same as for an invented cursor.
        let refused = get(foreign).await.expect_wrong_field("cursor");
        let invented = get(&"A".repeat(foreign.len())).await;
        assert_eq!(refused.json()["errors"], invented.json()["errors"]);
    }
}

/// P6, G8, G10. No member and no parameter names another organization.
#[tokio::test]
async fn a_caller_cannot_name_another_organization() {
    let (prokura, ours) = start_with_token().await;
    let other = prokura.bootstrap("Other").await;
    let theirs = prokura.access_token(&other).await;
    let body = json!({ "name": "CI", "organizationId": NO_ACCOUNT });
    prokura
        .try_create(&ours, body)
        .await
        .expect_wrong_field("organizationId");
    for name in ["organizationId", "organization", "createdBy"] {
        let path = format!("/service-accounts?{name}={NO_ACCOUNT}");
        prokura
            .api(Method::GET, &path, &ours, None)
            .await
            .expect_wrong_field(name);
    }
    assert_eq!(prokura.list_accounts(&ours).await.len(), 1);
    assert_eq!(prokura.list_accounts(&theirs).await.len(), 1);
}

/// P6. The same holds at the OAuth endpoints.
#[tokio::test]
async fn a_token_of_another_organization_can_be_neither_introspected_nor_revoked() {
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
