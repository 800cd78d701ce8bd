//! The secrets of an account as things: rotation with grace, more than one at a time, and how each ends.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use super::start;
use crate::harness::{Credentials, Prokura, Reply};

/// Calls what is behind an account's path.
async fn call(
    prokura: &Prokura,
    method: Method,
    id: &str,
    behind: &str,
    token: &str,
    body: Option<Value>,
) -> Reply {
    let path = format!("/service-accounts/{id}/{behind}");
    prokura.api(method, &path, token, body).await
}

async fn rotate(prokura: &Prokura, token: &str, id: &str, body: Value) -> Credentials {
    let reply = call(
        prokura,
        Method::POST,
        id,
        "rotate-secret",
        token,
        Some(body),
    )
    .await;
    credentials(id, &reply.expect(200).json())
}

async fn add(prokura: &Prokura, token: &str, id: &str) -> (Value, Credentials) {
    let reply = call(prokura, Method::POST, id, "secrets", token, None).await;
    let body = reply.expect(201).json();
    (body["secret"].clone(), credentials(id, &body))
}

async fn list(prokura: &Prokura, token: &str, id: &str) -> Vec<Value> {
    let reply = call(prokura, Method::GET, id, "secrets", token, None).await;
    reply.expect(200).json()["items"]
        .as_array()
        .unwrap()
        .clone()
}

/// The states of an account's secrets, newest first.
async fn states(prokura: &Prokura, token: &str, id: &str) -> Vec<String> {
    let listed = list(prokura, token, id).await;
    listed
        .iter()
        .map(|secret| secret["state"].as_str().unwrap().to_owned())
        .collect()
}

async fn works(prokura: &Prokura, client: &Credentials) -> bool {
    match prokura.token(client, &[]).await {
        reply if reply.status == 200 => true,
        reply => {
            reply.expect_oauth_error(401, "invalid_client");
            false
        }
    }
}

fn credentials(id: &str, answer: &Value) -> Credentials {
    let text = |name: &str| answer["credentials"][name].as_str().unwrap().to_owned();
    Credentials {
        id: id.to_owned(),
        client_id: text("clientId"),
        client_secret: text("clientSecret"),
    }
}

/// A server, a token to manage with, and an account with its first secret.
async fn with_account() -> (Prokura, String, Credentials) {
    let prokura = start().await;
    let token = prokura.access_token(&prokura.root).await;
    let (_, account) = prokura.create(&token, json!({ "name": "CI" })).await;
    (prokura, token, account)
}

#[tokio::test]
async fn a_rotation_with_grace_lets_the_old_secret_live_to_the_very_instant() {
    let (prokura, token, old) = with_account().await;
    let new = rotate(
        &prokura,
        &token,
        &old.id,
        json!({ "gracePeriodSeconds": 60 }),
    )
    .await;
    assert_eq!(
        states(&prokura, &token, &old.id).await,
        ["active", "retiring"]
    );
    prokura.advance(59_999);
    assert!(works(&prokura, &old).await && works(&prokura, &new).await);
    prokura.advance(1);
    assert!(!works(&prokura, &old).await && works(&prokura, &new).await);
    assert_eq!(
        states(&prokura, &token, &old.id).await,
        ["active", "expired"]
    );
}

/// Every token reads those that may authenticate.
#[tokio::test]
async fn however_often_an_account_is_rotated_what_is_read_and_kept_of_it_stays_small() {
    const DAYS: i64 = 24 * 3600 * 1000;
    let (prokura, token, account) = with_account().await;
    let count = async |of: &str| {
        // The server made the first one of all by itself.
        let sql = format!("SELECT count(*) FROM secrets WHERE created_by IS NOT NULL {of}");
        prokura.rows(&sql).await[0][0].as_i64().unwrap()
    };
    let grace = || json!({ "gracePeriodSeconds": 1 });
    for _ in 0..110 {
        rotate(&prokura, &token, &account.id, grace()).await;
        prokura.advance(1000);
    }
    assert_eq!(count("").await, 111);
    // The newest, and the one before it, whose time has just run out.
    assert_eq!(count("AND revoked_at IS NULL").await, 2);
    let mut as_listed = vec!["active"];
    as_listed.resize(111, "expired");
    assert_eq!(states(&prokura, &token, &account.id).await, as_listed);

    // What is not listed any more is kept while it is among the newest hundred: it may still be in use somewhere.
    prokura.advance(31 * DAYS);
    let token = prokura.access_token(&prokura.root).await;
    let newest = rotate(&prokura, &token, &account.id, grace()).await;
    assert_eq!(count("").await, 100);
    assert!(works(&prokura, &newest).await);
    assert_eq!(
        states(&prokura, &token, &account.id).await,
        ["active", "retiring"]
    );
}

#[tokio::test]
async fn without_a_grace_the_old_secrets_end_now() {
    let (prokura, token, old) = with_account().await;
    let (_, further) = add(&prokura, &token, &old.id).await;
    for body in [
        json!({}),
        json!({ "gracePeriodSeconds": 0, "expiresInSeconds": null }),
    ] {
        let new = rotate(&prokura, &token, &old.id, body).await;
        assert!(works(&prokura, &new).await);
        assert!(!works(&prokura, &old).await && !works(&prokura, &further).await);
    }
    let states = states(&prokura, &token, &old.id).await;
    assert_eq!(states, ["active", "revoked", "revoked", "revoked"]);
}

#[tokio::test]
async fn a_rotation_can_be_taken_back() {
    let (prokura, token, old) = with_account().await;
    let cancel = async || {
        call(
            &prokura,
            Method::POST,
            &old.id,
            "cancel-rotation",
            &token,
            None,
        )
        .await
    };
    cancel()
        .await
        .expect_api_error(409, "no_rotation_under_way");
    let new = rotate(
        &prokura,
        &token,
        &old.id,
        json!({ "gracePeriodSeconds": 60 }),
    )
    .await;
    let answer = cancel().await.expect(200).json();
    assert_eq!(answer["serviceAccount"]["id"], *old.id);
    assert!(!works(&prokura, &new).await);
    // The old one lives on as before: without an end.
    prokura.advance(3_600_000);
    assert!(works(&prokura, &old).await);
    let token = prokura.access_token(&prokura.root).await;
    assert_eq!(
        states(&prokura, &token, &old.id).await,
        ["revoked", "active"]
    );
    let reply = call(
        &prokura,
        Method::POST,
        &old.id,
        "cancel-rotation",
        &token,
        None,
    )
    .await;
    reply.expect_api_error(409, "no_rotation_under_way");
}

#[tokio::test]
async fn cancelling_takes_back_one_rotation_after_the_other() {
    let (prokura, token, first) = with_account().await;
    let grace = |seconds: u32| json!({ "gracePeriodSeconds": seconds });
    let second = rotate(&prokura, &token, &first.id, grace(600)).await;
    let third = rotate(&prokura, &token, &first.id, grace(600)).await;
    let cancel = async || {
        call(
            &prokura,
            Method::POST,
            &first.id,
            "cancel-rotation",
            &token,
            None,
        )
        .await
    };
    cancel().await.expect(200);
    assert!(!works(&prokura, &third).await);
    assert_eq!(
        states(&prokura, &token, &first.id).await,
        ["revoked", "active", "retiring"]
    );
    cancel().await.expect(200);
    assert!(!works(&prokura, &second).await && works(&prokura, &first).await);
    cancel()
        .await
        .expect_api_error(409, "no_rotation_under_way");
}

#[tokio::test]
async fn what_a_rotation_was_to_replace_can_be_saved_even_if_the_new_secret_is_gone() {
    let (prokura, token, old) = with_account().await;
    rotate(
        &prokura,
        &token,
        &old.id,
        json!({ "gracePeriodSeconds": 60 }),
    )
    .await;
    let newest = list(&prokura, &token, &old.id).await[0]["id"].clone();
    let behind = format!("secrets/{}", newest.as_str().unwrap());
    call(&prokura, Method::DELETE, &old.id, &behind, &token, None)
        .await
        .expect(204);
    call(
        &prokura,
        Method::POST,
        &old.id,
        "cancel-rotation",
        &token,
        None,
    )
    .await
    .expect(200);
    assert_eq!(
        states(&prokura, &token, &old.id).await,
        ["revoked", "active"]
    );
}

#[tokio::test]
async fn a_secret_with_an_expiry_ends_at_the_very_instant() {
    let (prokura, token, old) = with_account().await;
    let new = rotate(&prokura, &token, &old.id, json!({ "expiresInSeconds": 30 })).await;
    let reply = call(
        &prokura,
        Method::POST,
        &old.id,
        "secrets",
        &token,
        Some(json!({ "expiresInSeconds": 40 })),
    )
    .await
    .expect(201)
    .json();
    assert_eq!(reply["secret"]["expiresAt"], "2026-11-23T12:00:40.000Z");
    let further = credentials(&old.id, &reply);
    prokura.advance(29_999);
    assert!(works(&prokura, &new).await);
    prokura.advance(1);
    assert!(!works(&prokura, &new).await && works(&prokura, &further).await);
    prokura.advance(10_000);
    assert!(!works(&prokura, &further).await);
}

#[tokio::test]
async fn tokens_end_when_asked_to_and_nothing_else_does() {
    let (prokura, token, old) = with_account().await;
    let is_active =
        async |token: &str| prokura.introspect(&prokura.root, token).await["active"] == true;
    let first = prokura.access_token(&old).await;
    let new = rotate(&prokura, &token, &old.id, json!({ "revokeTokens": false })).await;
    assert!(is_active(&first).await);
    let new = rotate(&prokura, &token, &new.id, json!({ "revokeTokens": true })).await;
    assert!(!is_active(&first).await);

    let second = prokura.access_token(&new).await;
    assert!(is_active(&second).await);
    let reply = call(
        &prokura,
        Method::POST,
        &old.id,
        "revoke-tokens",
        &token,
        None,
    )
    .await;
    assert!(reply.expect(204).body.is_empty());
    assert!(!is_active(&second).await && is_active(&token).await);
    let third = prokura.access_token(&new).await;
    assert!(is_active(&third).await);

    // An account may end its own tokens, the one that says so included.
    let root = prokura.root.id.clone();
    call(&prokura, Method::POST, &root, "revoke-tokens", &token, None)
        .await
        .expect(204);
    call(&prokura, Method::POST, &root, "revoke-tokens", &token, None)
        .await
        .expect_api_error(401, "invalid_token");
}

#[tokio::test]
async fn secrets_are_listed_newest_first_and_never_shown() {
    let (prokura, token, first) = with_account().await;
    prokura.advance(1_000);
    let (added, second) = add(&prokura, &token, &first.id).await;
    let listed = list(&prokura, &token, &first.id).await;
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
async fn what_ended_more_than_thirty_days_ago_is_not_listed() {
    let (prokura, token, account) = with_account().await;
    rotate(&prokura, &token, &account.id, json!({})).await;
    let day = 24 * 3_600_000;
    prokura.advance(30 * day - 1);
    let token = prokura.access_token(&prokura.root).await;
    assert_eq!(
        states(&prokura, &token, &account.id).await,
        ["active", "revoked"]
    );
    prokura.advance(1);
    assert_eq!(states(&prokura, &token, &account.id).await, ["active"]);
}

#[tokio::test]
async fn an_account_has_at_most_five_living_secrets_however_many_are_asked_for_at_once() {
    let (prokura, token, account) = with_account().await;
    let adds = (0..12).map(|_| call(&prokura, Method::POST, &account.id, "secrets", &token, None));
    let replies = join_all(adds).await;
    let added = replies.iter().filter(|reply| reply.status == 201).count();
    assert_eq!(added, 4);
    for reply in replies.into_iter().filter(|reply| reply.status != 201) {
        reply.expect_api_error(409, "too_many_secrets");
    }
    // With grace a sixth would live; without, one does.
    let body = Some(json!({ "gracePeriodSeconds": 60 }));
    call(
        &prokura,
        Method::POST,
        &account.id,
        "rotate-secret",
        &token,
        body,
    )
    .await
    .expect_api_error(409, "too_many_secrets");
    assert!(works(&prokura, &account).await);
    rotate(&prokura, &token, &account.id, json!({})).await;
    add(&prokura, &token, &account.id).await;
}

#[tokio::test]
async fn one_secret_ends_at_once_and_the_others_live() {
    let (prokura, token, first) = with_account().await;
    let (added, second) = add(&prokura, &token, &first.id).await;
    let (_, other) = prokura.create(&token, json!({ "name": "Other" })).await;
    let behind = format!("secrets/{}", added["id"].as_str().unwrap());
    let end =
        async |account: &str| call(&prokura, Method::DELETE, account, &behind, &token, None).await;
    end(&other.id)
        .await
        .expect_api_error(404, "secret_not_found");
    assert!(works(&prokura, &second).await);
    end(&first.id).await.expect(204);
    assert!(!works(&prokura, &second).await && works(&prokura, &first).await);
    end(&first.id)
        .await
        .expect_api_error(404, "secret_not_found");
    for id in ["x", "sa_1", "01930A3E-7B1C-7DEF-8000-0123456789AB"] {
        let behind = format!("secrets/{id}");
        call(&prokura, Method::DELETE, &first.id, &behind, &token, None)
            .await
            .expect_wrong_field("secretId");
    }
}

#[tokio::test]
async fn a_further_secret_needs_what_the_account_holds() {
    let (prokura, token, account) = with_account().await;
    let narrow = json!({ "name": "Narrow", "scopes": ["management:service-accounts:write"] });
    let (_, narrow) = prokura.create(&token, narrow).await;
    let narrow = prokura.access_token(&narrow).await;
    for behind in ["secrets", "rotate-secret"] {
        let reply = call(&prokura, Method::POST, &account.id, behind, &narrow, None).await;
        let reply = reply.expect_api_error(403, "insufficient_scope");
        assert_eq!(reply.json()["missingScopes"], json!(["management:all"]));
    }
    assert_eq!(states(&prokura, &token, &account.id).await, ["active"]);
}

#[tokio::test]
async fn what_is_wrong_in_a_rotation_is_named_and_changes_nothing() {
    let (prokura, token, account) = with_account().await;
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
        let reply = call(
            &prokura,
            Method::POST,
            &account.id,
            "rotate-secret",
            &token,
            Some(body),
        )
        .await;
        reply.expect_wrong_field(field);
    }
    assert_eq!(states(&prokura, &token, &account.id).await, ["active"]);
    rotate(
        &prokura,
        &token,
        &account.id,
        json!({ "gracePeriodSeconds": 604_800 }),
    )
    .await;
}

/// Whatever the order in which a rotation and a cancellation come, somebody can still log in, and nobody twice.
#[tokio::test]
async fn cancelling_against_rotating_leaves_a_secret_that_works() {
    let (prokura, token, first) = with_account().await;
    let body = || Some(json!({ "gracePeriodSeconds": 60 }));
    let mut clients = vec![first.clone()];
    for _ in 0..6 {
        let rotate = call(
            &prokura,
            Method::POST,
            &first.id,
            "rotate-secret",
            &token,
            body(),
        );
        let cancel = call(
            &prokura,
            Method::POST,
            &first.id,
            "cancel-rotation",
            &token,
            None,
        );
        let (rotated, cancelled) = tokio::join!(rotate, cancel);
        assert!(matches!(cancelled.status, 200 | 409), "{cancelled:?}");
        if rotated.status == 200 {
            clients.push(credentials(&first.id, &rotated.json()));
        } else {
            rotated.expect_api_error(409, "too_many_secrets");
        }
        let mut living = 0;
        for client in &clients {
            living += usize::from(works(&prokura, client).await);
        }
        let listed = states(&prokura, &token, &first.id).await;
        let live = listed
            .iter()
            .filter(|state| matches!(&***state, "active" | "retiring"));
        assert_eq!(living, live.count());
        assert!((1..=5).contains(&living));
    }
}

/// A rotation as a deployment does it, while another client asks for tokens without a pause and never fails.
#[tokio::test]
async fn a_deployment_rotates_without_an_outage() {
    let (prokura, _, old) = with_account().await;
    for is_taken_back in [true, false] {
        let in_use = std::sync::Mutex::new(old.clone());
        let is_over = std::sync::atomic::AtomicBool::new(false);
        let client = async {
            let mut tokens = 0;
            while !is_over.load(std::sync::atomic::Ordering::SeqCst) || tokens < 20 {
                let credentials = in_use.lock().unwrap().clone();
                assert!(
                    works(&prokura, &credentials).await,
                    "an outage after {tokens} tokens"
                );
                tokens += 1;
            }
        };
        let deployment = async {
            let token = prokura.access_token(&prokura.root).await;
            let two_days = json!({ "gracePeriodSeconds": 172_800 });
            let new = rotate(&prokura, &token, &old.id, two_days).await;
            let retiring = async || {
                let token = prokura.access_token(&prokura.root).await;
                let secrets = list(&prokura, &token, &old.id).await;
                let retiring = secrets.into_iter();
                let mut retiring = retiring.filter(|secret| secret["state"] == "retiring");
                (token, retiring.next().unwrap())
            };
            let (_, secret) = retiring().await;
            assert_eq!(secret["safeToRevoke"], false);
            // Rolled out here; somewhere the old one is used once more.
            *in_use.lock().unwrap() = new.clone();
            prokura.token(&new, &[]).await.expect(200);
            prokura.advance(1000);
            prokura.token(&old, &[]).await.expect(200);
            let (token, secret) = retiring().await;
            let last_use = secret["lastUsedAt"].clone();
            assert!(last_use.is_string());
            if is_taken_back {
                // Rolled back first, then cancelled.
                *in_use.lock().unwrap() = old.clone();
                prokura.token(&old, &[]).await.expect(200);
                let cancel = "cancel-rotation";
                call(&prokura, Method::POST, &old.id, cancel, &token, None)
                    .await
                    .expect(200);
            } else {
                // A day without a use of it, and it can go.
                prokura.advance(24 * 3_600_000);
                let (token, secret) = retiring().await;
                assert_eq!(secret["lastUsedAt"], last_use);
                assert_eq!(secret["safeToRevoke"], true);
                let behind = format!("secrets/{}", secret["id"].as_str().unwrap());
                call(&prokura, Method::DELETE, &old.id, &behind, &token, None)
                    .await
                    .expect(204);
            }
            is_over.store(true, std::sync::atomic::Ordering::SeqCst);
        };
        tokio::join!(client, deployment);
    }
    assert!(!works(&prokura, &old).await);
}

#[tokio::test]
async fn a_secret_is_safe_to_revoke_when_its_successor_has_been_used_alone_for_a_day() {
    let (prokura, token, old) = with_account().await;
    let day = 24 * 3_600_000;
    prokura.access_token(&old).await;
    let grace = json!({ "gracePeriodSeconds": 604_800 });
    let new = rotate(&prokura, &token, &old.id, grace).await;
    prokura.advance(1_000);
    prokura.access_token(&new).await;
    // Somebody has not got the new one yet.
    prokura.advance(60_000);
    prokura.access_token(&old).await;
    let secrets = async || {
        let root = prokura.access_token(&prokura.root).await;
        let listed = list(&prokura, &root, &old.id).await;
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
