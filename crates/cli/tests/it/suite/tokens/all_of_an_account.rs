//! Ending all tokens of an account at once.

use reqwest::Method;
use serde_json::json;

use super::start_with_account;

#[tokio::test]
async fn all_tokens_of_an_account_can_be_revoked_alone_or_with_a_rotation() {
    let (prokura, token, old) = start_with_account().await;
    let is_active =
        async |token: &str| prokura.introspect(&prokura.root, token).await["active"] == true;
    let first = prokura.access_token(&old).await;
    let new = prokura
        .rotate_with(&token, &old.id, json!({ "revokeTokens": false }))
        .await;
    assert!(is_active(&first).await);
    let new = prokura
        .rotate_with(&token, &new.id, json!({ "revokeTokens": true }))
        .await;
    assert!(!is_active(&first).await);

    let second = prokura.access_token(&new).await;
    assert!(is_active(&second).await);
    let reply = prokura
        .on_account(Method::POST, &old.id, "/revoke-tokens", &token, None)
        .await;
    assert!(reply.expect(204).body.is_empty());
    assert!(!is_active(&second).await && is_active(&token).await);
    let third = prokura.access_token(&new).await;
    assert!(is_active(&third).await);

    // An account may revoke all of its own tokens, including the one in the request.
    let root = prokura.root.id.clone();
    prokura
        .on_account(Method::POST, &root, "/revoke-tokens", &token, None)
        .await
        .expect(204);
    prokura
        .on_account(Method::POST, &root, "/revoke-tokens", &token, None)
        .await
        .expect_api_error(401, "invalid_token");
}
