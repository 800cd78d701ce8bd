//! Concurrent requests with the same key, and lost responses.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;

use super::{CREATE, everything, operations, rotation_of, start_with_account};

/// Q3, G6. A request that comes while the first is in progress waits and gets the response of the first.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_fifty_concurrent_equal_requests_one_is_done() {
    let (prokura, token, account) = start_with_account().await;
    for (number, (path, body, status)) in operations(&account).into_iter().enumerate() {
        let tables = ["service_accounts", "secrets", "audit_events"];
        let counts = async || {
            let mut counts = Vec::new();
            for table in tables {
                counts.push(prokura.count(table).await);
            }
            counts
        };
        let before = counts().await;
        let key = format!("at once {number}");
        let sent = (0..50).map(|_| prokura.post_once(&path, &token, &key, body.as_ref()));
        let replies = join_all(sent).await;
        let first = replies[0].clone().expect(status);
        for reply in &replies {
            assert_eq!(reply.fingerprint(), first.fingerprint());
        }
        let accounts = i64::from(path == CREATE);
        let after = [before[0] + accounts, before[1] + 1, before[2] + 1];
        assert_eq!(counts().await, after, "{path}");
        prokura.access_token(&first.credentials()).await;
    }
}

/// Q3. Of different requests with one key, one is done, and the others are refused.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_concurrent_different_requests_with_one_key_one_is_done() {
    let (prokura, token, _) = start_with_account().await;
    let before = prokura.count("service_accounts").await;
    let bodies = (0..20).map(|number| json!({ "name": format!("{number}") }));
    let bodies = bodies.collect::<Vec<_>>();
    let sent = bodies
        .iter()
        .map(|body| prokura.post_once(CREATE, &token, "k", Some(body)));
    let mut created = 0;
    for reply in join_all(sent).await {
        if reply.status == 201 {
            created += 1;
        } else {
            reply.expect_api_error(422, "idempotency_key_reused");
        }
    }
    assert_eq!(created, 1);
    assert_eq!(prokura.count("service_accounts").await, before + 1);
}

/// G7. The change is made, but its response is lost. A retry gets the response.
#[tokio::test]
async fn a_retry_gets_the_response_that_was_lost() {
    let (prokura, token, account) = start_with_account().await;
    for (number, (path, body, status)) in operations(&account).into_iter().enumerate() {
        let key = format!("lost {number}");
        let send = || prokura.post_once(&path, &token, &key, body.as_ref());
        prokura.watch.lose_next_answer();
        send()
            .await
            .expect_api_error(503, "temporarily_unavailable");
        let before = everything(&prokura).await;
        let reply = send().await.expect(status);
        assert_eq!(everything(&prokura).await, before);
        prokura.access_token(&reply.credentials()).await;
    }
}

/// P8. A failure is not stored, at whichever call of the store it happens. A success is stored, even when reading it
/// back fails.
#[tokio::test]
async fn a_failure_leaves_the_key_free_and_a_success_takes_it() {
    let (prokura, token, account) = start_with_account().await;
    for (number, (path, body, status)) in operations(&account).into_iter().enumerate() {
        let key = format!("failing {number}");
        let mut answers = Vec::new();
        // The first loop ends when the request succeeds, the second when the retry succeeds.
        for _ in 0..2 {
            let before = everything(&prokura).await;
            for calls in 0.. {
                assert!(calls < 8, "{path} does not succeed");
                prokura.watch.fail_after(calls);
                let reply = prokura.post_once(&path, &token, &key, body.as_ref()).await;
                prokura.watch.mend();
                if reply.status == status {
                    assert!(calls > 0);
                    answers.push(reply.fingerprint());
                    break;
                }
                reply.expect_api_error(503, "temporarily_unavailable");
                assert_eq!(everything(&prokura).await, before);
            }
        }
        assert_eq!(answers[0], answers[1]);
    }
}

/// P3, G6. Concurrent rotations with one key, and a deletion. In the end the account is gone, and so are the stored
/// responses.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_stored_response_of_a_rotation_is_deleted_with_its_account() {
    let (prokura, token, _) = start_with_account().await;
    for _ in 0..10 {
        let (_, account) = prokura.create(&token, json!({ "name": "CI" })).await;
        let path = rotation_of(&account);
        let rotate = || prokura.post_once(&path, &token, "k", None);
        let account_path = format!("/service-accounts/{}", account.id);
        let delete = prokura.api(Method::DELETE, &account_path, &token, None);
        let (first, deleted, second) = tokio::join!(rotate(), delete, rotate());
        deleted.expect(204);
        for reply in [first, second] {
            if reply.status == 200 {
                let dead = prokura.token(&reply.credentials(), &[]).await;
                dead.expect_oauth_error(401, "invalid_client");
            } else {
                reply.expect_api_error(404, "service_account_not_found");
            }
        }
        rotate()
            .await
            .expect_api_error(404, "service_account_not_found");
    }
}
