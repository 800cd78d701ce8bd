//! Several secrets of one account: how many, how they are listed, and how each ends.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use super::start_with_account;
use crate::harness::Credentials;

#[tokio::test]
async fn a_secret_works_until_it_expires() {
    let (prokura, token, old) = start_with_account().await;
    let new = prokura
        .rotate_with(&token, &old.id, json!({ "expiresInSeconds": 30 }))
        .await;
    let options = json!({ "expiresInSeconds": 40 });
    let added = prokura
        .try_add_secret(&token, &old.id, Some(options))
        .await
        .expect(201);
    let expires_at = &added.json()["secret"]["expiresAt"];
    assert_eq!(expires_at, "2026-11-23T12:00:40.000Z");
    let further = added.credentials();
    prokura.advance(29_999);
    assert!(prokura.authenticates(&new).await);
    prokura.advance(1);
    assert!(!prokura.authenticates(&new).await && prokura.authenticates(&further).await);
    prokura.advance(10_000);
    assert!(!prokura.authenticates(&further).await);
}

#[tokio::test]
async fn secrets_are_listed_newest_first_without_their_values() {
    let (prokura, token, first) = start_with_account().await;
    prokura.advance(1_000);
    let (added, second) = prokura.add_secret(&token, &first.id).await;
    let listed = prokura.list_secrets(&token, &first.id).await;
    assert_eq!(listed[0], added);
    let hint =
        |client: &Credentials| client.client_secret[client.client_secret.len() - 4..].to_owned();
    for (secret, client, at) in [
        (&listed[0], &second, "2026-11-23T12:00:01.000Z"),
        (&listed[1], &first, "2026-11-23T12:00:00.000Z"),
    ] {
        let expected = json!({
            "id": secret["id"],
            "hint": hint(client),
            "createdAt": at,
            "createdBy": prokura.root.id,
            "expiresAt": null,
            "lastUsedAt": null,
            "state": "active",
            "safeToRevoke": false,
        });
        assert_eq!(*secret, expected);
    }
}

#[tokio::test]
async fn a_secret_that_ended_thirty_days_ago_is_no_longer_listed() {
    let (prokura, token, account) = start_with_account().await;
    prokura.rotate_with(&token, &account.id, json!({})).await;
    let day = 24 * 3_600_000;
    prokura.advance(30 * day - 1);
    let token = prokura.access_token(&prokura.root).await;
    assert_eq!(
        prokura.secret_states(&token, &account.id).await,
        ["active", "revoked"]
    );
    prokura.advance(1);
    assert_eq!(prokura.secret_states(&token, &account.id).await, ["active"]);
}

#[tokio::test]
async fn an_account_has_at_most_five_active_secrets() {
    let (prokura, token, account) = start_with_account().await;
    let adds =
        (0..12).map(|_| prokura.on_account(Method::POST, &account.id, "/secrets", &token, None));
    let replies = join_all(adds).await;
    let added = replies.iter().filter(|reply| reply.status == 201).count();
    assert_eq!(added, 4);
    for reply in replies.into_iter().filter(|reply| reply.status != 201) {
        reply.expect_api_error(409, "too_many_secrets");
    }
    // With a grace period the rotation would leave six secrets, without one it leaves a single secret.
    let body = Some(json!({ "gracePeriodSeconds": 60 }));
    prokura
        .try_rotate(&token, &account.id, body)
        .await
        .expect_api_error(409, "too_many_secrets");
    assert!(prokura.authenticates(&account).await);
    prokura.rotate_with(&token, &account.id, json!({})).await;
    prokura.add_secret(&token, &account.id).await;
}

#[tokio::test]
async fn revoking_one_secret_leaves_the_others_working() {
    let (prokura, token, first) = start_with_account().await;
    let (added, second) = prokura.add_secret(&token, &first.id).await;
    let (_, other) = prokura.create(&token, json!({ "name": "Other" })).await;
    let behind = format!("/secrets/{}", added["id"].as_str().unwrap());
    let end = async |account: &str| {
        prokura
            .on_account(Method::DELETE, account, &behind, &token, None)
            .await
    };
    end(&other.id)
        .await
        .expect_api_error(404, "secret_not_found");
    assert!(prokura.authenticates(&second).await);
    end(&first.id).await.expect(204);
    assert!(!prokura.authenticates(&second).await && prokura.authenticates(&first).await);
    end(&first.id)
        .await
        .expect_api_error(404, "secret_not_found");
    for id in ["x", "sa_1", "01930A3E-7B1C-7DEF-8000-0123456789AB"] {
        let behind = format!("/secrets/{id}");
        prokura
            .on_account(Method::DELETE, &first.id, &behind, &token, None)
            .await
            .expect_wrong_field("secretId");
    }
}

#[tokio::test]
async fn adding_a_secret_requires_the_scopes_of_the_account() {
    let (prokura, token, account) = start_with_account().await;
    let narrow = json!({ "name": "Narrow", "scopes": ["management:service-accounts:write"] });
    let (_, narrow) = prokura.create(&token, narrow).await;
    let narrow = prokura.access_token(&narrow).await;
    for behind in ["/secrets", "/rotate-secret"] {
        let reply = prokura
            .on_account(Method::POST, &account.id, behind, &narrow, None)
            .await;
        let reply = reply.expect_api_error(403, "insufficient_scope");
        assert_eq!(reply.json()["missingScopes"], json!(["management:all"]));
    }
    assert_eq!(prokura.secret_states(&token, &account.id).await, ["active"]);
}

#[tokio::test]
async fn a_secret_is_safe_to_revoke_when_its_successor_has_been_used_alone_for_a_day() {
    let (prokura, token, old) = start_with_account().await;
    let day = 24 * 3_600_000;
    prokura.access_token(&old).await;
    let grace = json!({ "gracePeriodSeconds": 604_800 });
    let new = prokura.rotate_with(&token, &old.id, grace).await;
    prokura.advance(1_000);
    prokura.access_token(&new).await;
    // One client still uses the old secret.
    prokura.advance(60_000);
    prokura.access_token(&old).await;
    let secrets = async || {
        let root = prokura.access_token(&prokura.root).await;
        let listed = prokura.list_secrets(&root, &old.id).await;
        let seen = |secret: &Value| (secret["lastUsedAt"].clone(), secret["safeToRevoke"].clone());
        (seen(&listed[0]), seen(&listed[1]))
    };
    let new_use = json!("2026-11-23T12:00:01.000Z");
    let old_use = json!("2026-11-23T12:01:01.000Z");
    let seen = |is_safe: bool| {
        (
            (new_use.clone(), json!(false)),
            (old_use.clone(), json!(is_safe)),
        )
    };
    prokura.advance(day - 1);
    assert_eq!(secrets().await, seen(false));
    prokura.advance(1);
    assert_eq!(secrets().await, seen(true));
    prokura.authority.flush_usage().await.unwrap();
    assert_eq!(secrets().await, seen(true));
}
