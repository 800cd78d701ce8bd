//! Rotating the secret of an account, with a grace period and without one.

use reqwest::Method;
use serde_json::json;

use super::start_with_account;

#[tokio::test]
async fn the_old_secret_works_until_the_grace_period_ends() {
    let (prokura, token, old) = start_with_account().await;
    let new = prokura
        .rotate_with(&token, &old.id, json!({ "gracePeriodSeconds": 60 }))
        .await;
    assert_eq!(
        prokura.secret_states(&token, &old.id).await,
        ["active", "retiring"]
    );
    prokura.advance(59_999);
    assert!(prokura.authenticates(&old).await && prokura.authenticates(&new).await);
    prokura.advance(1);
    assert!(!prokura.authenticates(&old).await && prokura.authenticates(&new).await);
    assert_eq!(
        prokura.secret_states(&token, &old.id).await,
        ["active", "expired"]
    );
}

/// Every token request reads the secrets that may authenticate, so their number must stay small.
#[tokio::test]
async fn the_secrets_kept_of_an_account_stay_few_after_many_rotations() {
    const DAYS: i64 = 24 * 3600 * 1000;
    let (prokura, token, account) = start_with_account().await;
    let count = async |of: &str| {
        // The server itself created the secret of the first account.
        let sql = format!("SELECT count(*) FROM secrets WHERE created_by IS NOT NULL {of}");
        prokura.rows(&sql).await[0][0].as_i64().unwrap()
    };
    let grace = || json!({ "gracePeriodSeconds": 1 });
    for _ in 0..110 {
        prokura.rotate_with(&token, &account.id, grace()).await;
        prokura.advance(1000);
    }
    assert_eq!(count("").await, 111);
    // The newest secret, and the one before it, which has just expired.
    assert_eq!(count("AND revoked_at IS NULL").await, 2);
    let mut as_listed = vec!["active"];
    as_listed.resize(111, "expired");
    assert_eq!(prokura.secret_states(&token, &account.id).await, as_listed);

    // A secret that is no longer listed is kept while it is among the newest hundred, because a client may still try it.
    prokura.advance(31 * DAYS);
    let token = prokura.access_token(&prokura.root).await;
    let newest = prokura.rotate_with(&token, &account.id, grace()).await;
    assert_eq!(count("").await, 100);
    assert!(prokura.authenticates(&newest).await);
    assert_eq!(
        prokura.secret_states(&token, &account.id).await,
        ["active", "retiring"]
    );
}

#[tokio::test]
async fn without_a_grace_period_the_old_secrets_end_at_once() {
    let (prokura, token, old) = start_with_account().await;
    let (_, further) = prokura.add_secret(&token, &old.id).await;
    for body in [
        json!({}),
        json!({ "gracePeriodSeconds": 0, "expiresInSeconds": null }),
    ] {
        let new = prokura.rotate_with(&token, &old.id, body).await;
        assert!(prokura.authenticates(&new).await);
        assert!(!prokura.authenticates(&old).await && !prokura.authenticates(&further).await);
    }
    let states = prokura.secret_states(&token, &old.id).await;
    assert_eq!(states, ["active", "revoked", "revoked", "revoked"]);
}

#[tokio::test]
async fn a_wrong_option_of_a_rotation_is_named_and_nothing_changes() {
    let (prokura, token, account) = start_with_account().await;
    for (body, field) in [
        (json!({ "gracePeriodSeconds": -1 }), "gracePeriodSeconds"),
        (json!({ "gracePeriodSeconds": 1.5 }), "gracePeriodSeconds"),
        (json!({ "gracePeriodSeconds": "60" }), "gracePeriodSeconds"),
        (
            json!({ "gracePeriodSeconds": 604_801 }),
            "gracePeriodSeconds",
        ),
        (json!({ "expiresInSeconds": 0 }), "expiresInSeconds"),
        (json!({ "expiresInSeconds": 1e12 }), "expiresInSeconds"),
        (json!({ "revokeTokens": "yes" }), "revokeTokens"),
        (json!({ "grace": 1 }), "grace"),
        (json!([]), "body"),
    ] {
        let reply = prokura.try_rotate(&token, &account.id, Some(body)).await;
        reply.expect_wrong_field(field);
    }
    assert_eq!(prokura.secret_states(&token, &account.id).await, ["active"]);
    prokura
        .rotate_with(
            &token,
            &account.id,
            json!({ "gracePeriodSeconds": 604_800 }),
        )
        .await;
}

/// A deployment rotates the secret while another client requests tokens all the time. No request fails.
#[tokio::test]
async fn a_deployment_rotates_without_an_outage() {
    let (prokura, _, old) = start_with_account().await;
    for is_taken_back in [true, false] {
        let in_use = std::sync::Mutex::new(old.clone());
        let is_over = std::sync::atomic::AtomicBool::new(false);
        let client = async {
            let mut tokens = 0;
            while !is_over.load(std::sync::atomic::Ordering::SeqCst) || tokens < 20 {
                let credentials = in_use.lock().unwrap().clone();
                assert!(
                    prokura.authenticates(&credentials).await,
                    "an outage after {tokens} tokens"
                );
                tokens += 1;
            }
        };
        let deployment = async {
            let token = prokura.access_token(&prokura.root).await;
            let two_days = json!({ "gracePeriodSeconds": 172_800 });
            let new = prokura.rotate_with(&token, &old.id, two_days).await;
            let retiring = async || {
                let token = prokura.access_token(&prokura.root).await;
                let secrets = prokura.list_secrets(&token, &old.id).await;
                let retiring = secrets.into_iter();
                let mut retiring = retiring.filter(|secret| secret["state"] == "retiring");
                (token, retiring.next().unwrap())
            };
            let (_, secret) = retiring().await;
            assert_eq!(secret["safeToRevoke"], false);
            // The new secret is deployed, and one client still uses the old one.
            *in_use.lock().unwrap() = new.clone();
            prokura.token(&new, &[]).await.expect(200);
            prokura.advance(1000);
            prokura.token(&old, &[]).await.expect(200);
            let (token, secret) = retiring().await;
            let last_use = secret["lastUsedAt"].clone();
            assert!(last_use.is_string());
            if is_taken_back {
                // The deployment is rolled back, then the rotation is cancelled.
                *in_use.lock().unwrap() = old.clone();
                prokura.token(&old, &[]).await.expect(200);
                prokura.cancel_rotation(&token, &old.id).await.expect(200);
            } else {
                // After a day without use, the old secret is safe to revoke.
                prokura.advance(24 * 3_600_000);
                let (token, secret) = retiring().await;
                assert_eq!(secret["lastUsedAt"], last_use);
                assert_eq!(secret["safeToRevoke"], true);
                let behind = format!("/secrets/{}", secret["id"].as_str().unwrap());
                prokura
                    .on_account(Method::DELETE, &old.id, &behind, &token, None)
                    .await
                    .expect(204);
            }
            is_over.store(true, std::sync::atomic::Ordering::SeqCst);
        };
        tokio::join!(client, deployment);
    }
    assert!(!prokura.authenticates(&old).await);
}
