//! Disabled accounts, expired accounts, and the lifetime of an account's tokens.

use prokura_server::domain::SigningAlgorithm;
use reqwest::Method;
use serde_json::json;

use super::{DATABASE, start_with, start_with_account};
use crate::harness::{Database, Options, jwt_resource};

/// A disabled account gets no tokens, and its tokens are invalid. Enabling it makes the unexpired tokens valid again.
#[tokio::test]
async fn a_disabled_account_does_not_work_until_it_is_enabled() {
    let (prokura, token, account) = start_with_account().await;
    let long = prokura.access_token(&account).await;
    prokura
        .update(&token, &account.id, json!({ "tokenLifetimeSeconds": 60 }))
        .await;
    let short = prokura.access_token(&account).await;

    let off = prokura
        .update(&token, &account.id, json!({ "disabled": true }))
        .await;
    assert_eq!(off["disabled"], true);
    let refused = prokura.token(&account, &[]).await;
    refused.expect_oauth_error(401, "invalid_client");
    for dead in [&long, &short] {
        assert!(!prokura.is_active(dead).await);
        let reply = prokura
            .api(Method::GET, "/service-accounts", dead, None)
            .await;
        reply.expect_api_error(401, "invalid_token");
    }
    prokura.advance(60_000);
    prokura
        .update(&token, &account.id, json!({ "disabled": false }))
        .await;
    assert!(prokura.is_active(&long).await);
    assert!(!prokura.is_active(&short).await);
    prokura.access_token(&account).await;
}

/// Expiry takes effect at exactly the millisecond.
#[tokio::test]
async fn an_expired_account_does_not_work() {
    let (prokura, token, account) = start_with_account().await;
    let expiry = json!({ "expiresAt": "2026-11-23T12:01:00.000Z" });
    prokura.update(&token, &account.id, expiry).await;
    let of_account = prokura.access_token(&account).await;
    prokura.advance(59_999);
    assert!(prokura.is_active(&of_account).await);
    prokura.access_token(&account).await;
    prokura.advance(1);
    assert!(!prokura.is_active(&of_account).await);
    let refused = prokura.token(&account, &[]).await;
    refused.expect_oauth_error(401, "invalid_client");
    assert_eq!(
        prokura.get_account(&token, &account.id).await["disabled"],
        false
    );
    prokura
        .update(&token, &account.id, json!({ "expiresAt": null }))
        .await;
    assert!(prokura.is_active(&of_account).await);
    prokura.access_token(&account).await;
}

/// An API that verifies JWTs offline does not notice that the account has expired. So a JWT does not outlive the expiry
/// of its account.
#[tokio::test]
async fn an_account_can_set_the_lifetime_of_its_tokens() {
    let orders = jwt_resource(
        "https://orders.example",
        "orders:read",
        SigningAlgorithm::Es256,
    );
    let options = Options::with_resources(vec![orders]);
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
        prokura.update(&token, &account.id, body).await;
        assert_eq!(lifetime("management:all").await, seconds);
        assert_eq!(lifetime("orders:read").await, seconds);
    }
    let expiry = json!({ "expiresAt": "2026-11-23T12:05:00.000Z" });
    prokura.update(&token, &account.id, expiry).await;
    assert_eq!(lifetime("management:all").await, 86_400);
    assert_eq!(lifetime("orders:read").await, 300);
    prokura.advance(299_999);
    assert_eq!(lifetime("orders:read").await, 1);
}

/// A change on one node takes effect on the next request to any other.
#[tokio::test]
async fn disabling_takes_effect_on_every_node_at_once() {
    if DATABASE == Database::Sqlite {
        // On SQLite one server owns the file, so a restart stands in for another node.
        let (prokura, token, account) = start_with_account().await;
        prokura
            .update(&token, &account.id, json!({ "disabled": true }))
            .await;
        let prokura = prokura.restart(Options::default()).await;
        let refused = prokura.token(&account, &[]).await;
        refused.expect_oauth_error(401, "invalid_client");
        return;
    }
    let (prokura, token, account) = start_with_account().await;
    let other = prokura.another_node(Options::default()).await;
    let of_account = other.access_token(&account).await;
    // This holds even if the clock of the node that makes the change is ahead.
    prokura.advance(30_000);
    prokura
        .update(&token, &account.id, json!({ "disabled": true }))
        .await;
    let refused = other.token(&account, &[]).await;
    refused.expect_oauth_error(401, "invalid_client");
    assert!(!other.is_active(&of_account).await);
}
