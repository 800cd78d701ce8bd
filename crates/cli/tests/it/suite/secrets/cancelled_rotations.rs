//! Rotations that are cancelled before the grace period is over.

use reqwest::Method;
use serde_json::json;

use super::start_with_account;

#[tokio::test]
async fn a_rotation_can_be_cancelled() {
    let (prokura, token, old) = start_with_account().await;
    let cancel = async || prokura.cancel_rotation(&token, &old.id).await;
    cancel()
        .await
        .expect_api_error(409, "no_rotation_under_way");
    let new = prokura
        .rotate_with(&token, &old.id, json!({ "gracePeriodSeconds": 60 }))
        .await;
    let answer = cancel().await.expect(200).json();
    assert_eq!(answer["serviceAccount"]["id"], *old.id);
    assert!(!prokura.authenticates(&new).await);
    // The old secret works as before, without an expiry.
    prokura.advance(3_600_000);
    assert!(prokura.authenticates(&old).await);
    let token = prokura.access_token(&prokura.root).await;
    assert_eq!(
        prokura.secret_states(&token, &old.id).await,
        ["revoked", "active"]
    );
    let reply = prokura.cancel_rotation(&token, &old.id).await;
    reply.expect_api_error(409, "no_rotation_under_way");
}

#[tokio::test]
async fn each_cancellation_undoes_one_rotation() {
    let (prokura, token, first) = start_with_account().await;
    let grace = |seconds: u32| json!({ "gracePeriodSeconds": seconds });
    let second = prokura.rotate_with(&token, &first.id, grace(600)).await;
    let third = prokura.rotate_with(&token, &first.id, grace(600)).await;
    let cancel = async || prokura.cancel_rotation(&token, &first.id).await;
    cancel().await.expect(200);
    assert!(!prokura.authenticates(&third).await);
    assert_eq!(
        prokura.secret_states(&token, &first.id).await,
        ["revoked", "active", "retiring"]
    );
    cancel().await.expect(200);
    assert!(!prokura.authenticates(&second).await && prokura.authenticates(&first).await);
    cancel()
        .await
        .expect_api_error(409, "no_rotation_under_way");
}

#[tokio::test]
async fn a_rotation_can_be_cancelled_after_its_new_secret_was_revoked() {
    let (prokura, token, old) = start_with_account().await;
    prokura
        .rotate_with(&token, &old.id, json!({ "gracePeriodSeconds": 60 }))
        .await;
    let newest = prokura.list_secrets(&token, &old.id).await[0]["id"].clone();
    let behind = format!("/secrets/{}", newest.as_str().unwrap());
    prokura
        .on_account(Method::DELETE, &old.id, &behind, &token, None)
        .await
        .expect(204);
    prokura.cancel_rotation(&token, &old.id).await.expect(200);
    assert_eq!(
        prokura.secret_states(&token, &old.id).await,
        ["revoked", "active"]
    );
}

/// In whichever order a rotation and a cancellation happen, at least one secret works, and the list agrees with what
/// works.
#[tokio::test]
async fn concurrent_rotations_and_cancellations_leave_a_working_secret() {
    let (prokura, token, first) = start_with_account().await;
    let body = || Some(json!({ "gracePeriodSeconds": 60 }));
    let mut clients = vec![first.clone()];
    for _ in 0..6 {
        let rotate = prokura.try_rotate(&token, &first.id, body());
        let cancel = prokura.cancel_rotation(&token, &first.id);
        let (rotated, cancelled) = tokio::join!(rotate, cancel);
        assert!(matches!(cancelled.status, 200 | 409), "{cancelled:?}");
        if rotated.status == 200 {
            clients.push(rotated.credentials());
        } else {
            rotated.expect_api_error(409, "too_many_secrets");
        }
        let mut living = 0;
        for client in &clients {
            living += usize::from(prokura.authenticates(client).await);
        }
        let listed = prokura.secret_states(&token, &first.id).await;
        let live = listed
            .iter()
            .filter(|state| matches!(&***state, "active" | "retiring"));
        assert_eq!(living, live.count());
        assert!((1..=5).contains(&living));
    }
}
