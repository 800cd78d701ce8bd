//! Refused logins in the audit trail: one event for each account, address and minute.

use std::sync::atomic::Ordering;

use reqwest::Method;
use serde_json::{Value, json};

use super::{
    MINUTE, end_minute, fail_to_log_in, list_refused_logins, refused_login_counts,
    start_with_account,
};
use crate::harness::{Credentials, Prokura};

/// The ID of the account's newest secret.
async fn secret_id(prokura: &Prokura, token: &str, account: &Credentials) -> Value {
    let path = format!("/service-accounts/{}/secrets", account.id);
    let listed = prokura.api(Method::GET, &path, token, None).await;
    listed.expect(200).json()["items"][0]["id"].clone()
}

/// Rotates the account's secret with a grace period of one minute.
async fn rotate_with_grace(prokura: &Prokura, token: &str, account: &Credentials) -> Credentials {
    let path = format!("/service-accounts/{}/rotate-secret", account.id);
    let body = json!({ "gracePeriodSeconds": 60 });
    let rotated = prokura.api(Method::POST, &path, token, Some(body)).await;
    let secret = &rotated.expect(200).json()["credentials"]["clientSecret"];
    Credentials {
        client_secret: secret.as_str().unwrap().to_owned(),
        ..account.clone()
    }
}

/// G24. Every member of the event: who, what, on which account, when, from where, how often and why.
#[tokio::test]
async fn refused_logins_of_one_minute_are_one_event() {
    let (prokura, token, ci) = start_with_account().await;
    let wrong = ci.with_secret_of(&prokura.root);
    prokura.advance(1234);
    for (request_id, path) in [
        ("request-1", "/oauth2/token"),
        ("request-2", "/oauth2/introspect"),
        ("request-3", "/oauth2/revoke"),
    ] {
        let request = prokura
            .request(Method::POST, path)
            .header("authorization", wrong.basic())
            .header("x-request-id", request_id)
            .form(&[("grant_type", "client_credentials"), ("token", "x")]);
        prokura.send(request).await.expect(401);
        prokura.advance(10_000);
    }
    // The refused client does not wait longer, and no event is visible before the minute is over.
    prokura.authority.flush_refused_logins().await.unwrap();
    assert!(list_refused_logins(&prokura, &token, "").await.is_empty());
    end_minute(&prokura).await;
    let events = list_refused_logins(&prokura, &token, "").await;
    let [event] = &events[..] else {
        panic!("{events:#?}")
    };
    let whole = prokura
        .api(Method::GET, "/audit-events", &token, None)
        .await;
    let created = &whole.json()["items"][2];
    assert_eq!(created["target"], *ci.id);
    assert_eq!(
        *event,
        json!({
            "organizationId": created["organizationId"],
            "sequence": 4,
            "at": "2026-11-23T12:00:01.234Z",
            "actor": "unauthenticated",
            "action": "refuse_login",
            "target": ci.id,
            "requestId": "request-1",
            "address": "127.0.0.1",
            "changes": { "count": "3", "wrongSecret": "3" },
            "previousHash": created["hash"],
            "hash": event["hash"],
        })
    );
    // The event is written once.
    end_minute(&prokura).await;
    assert_eq!(list_refused_logins(&prokura, &token, "").await.len(), 1);
}

#[tokio::test]
async fn each_minute_has_its_own_event() {
    let (prokura, token, ci) = start_with_account().await;
    let wrong = ci.with_secret_of(&prokura.root);
    for (millis, times) in [(0, 2), (MINUTE - 1, 1), (1, 3)] {
        prokura.advance(millis);
        for _ in 0..times {
            fail_to_log_in(&prokura, &wrong).await;
        }
    }
    end_minute(&prokura).await;
    let events = list_refused_logins(&prokura, &token, "").await;
    let shown = events.iter().map(|event| {
        (
            event["at"].as_str().unwrap(),
            event["changes"]["count"].as_str().unwrap(),
        )
    });
    assert_eq!(
        shown.collect::<Vec<_>>(),
        [
            ("2026-11-23T12:00:00.000Z", "3"),
            ("2026-11-23T12:01:00.000Z", "3")
        ]
    );
}

#[tokio::test]
async fn at_most_sixteen_addresses_are_counted_separately() {
    let (prokura, token, ci) = start_with_account().await;
    let wrong = ci.with_secret_of(&prokura.root);
    for address in [1, 2, 2] {
        fail_to_log_in(&prokura.at_address(address), &wrong).await;
    }
    end_minute(&prokura).await;
    let counts = async || {
        let events = list_refused_logins(&prokura, &token, "").await;
        let counts = events.iter().map(|event| {
            let count = event["changes"]["count"].as_str().unwrap();
            format!("{} {count}", event["address"])
        });
        counts.collect::<Vec<_>>()
    };
    let first = [r#""127.0.0.1" 1"#, r#""127.0.0.2" 2"#];
    assert_eq!(counts().await, first);

    // The minute repeats, so that an address that was counted separately still is when later ones are not.
    for _ in 0..2 {
        for address in 1..=20 {
            fail_to_log_in(&prokura.at_address(address), &wrong).await;
            prokura.advance(1);
        }
    }
    end_minute(&prokura).await;
    let mut expected = first.map(str::to_owned).to_vec();
    expected.extend((1..=16).map(|address| format!(r#""127.0.0.{address}" 2"#)));
    expected.push("null 8".to_owned());
    assert_eq!(counts().await, expected);
}

/// The owner of the account reads why each login was refused.
#[tokio::test]
async fn the_event_says_why_a_login_was_refused() {
    let (prokura, token, first) = start_with_account().await;
    let first_id = secret_id(&prokura, &token, &first).await;
    let second = rotate_with_grace(&prokura, &token, &first).await;
    let second_id = secret_id(&prokura, &token, &first).await;

    // The grace period is over.
    prokura.advance(MINUTE);
    fail_to_log_in(&prokura, &first).await;
    end_minute(&prokura).await;
    // Replaced by a rotation.
    let third = prokura.rotate(&token, &first.id).await;
    fail_to_log_in(&prokura, &second).await;
    fail_to_log_in(&prokura, &second).await;
    end_minute(&prokura).await;
    // Deleted, and a secret that never belonged to this account.
    let third_id = secret_id(&prokura, &token, &first).await;
    let third_id = third_id.as_str().unwrap();
    let path = format!("/service-accounts/{}/secrets/{third_id}", first.id);
    let deleted = prokura.api(Method::DELETE, &path, &token, None).await;
    deleted.expect(204);
    fail_to_log_in(&prokura, &third).await;
    fail_to_log_in(&prokura, &first.with_secret_of(&prokura.root)).await;
    end_minute(&prokura).await;
    // Expired.
    let path = format!("/service-accounts/{}/secrets", first.id);
    let body = json!({ "expiresInSeconds": 60 });
    let added = prokura.api(Method::POST, &path, &token, Some(body)).await;
    let added = added.expect(201).json();
    let fourth = Credentials {
        client_secret: added["credentials"]["clientSecret"]
            .as_str()
            .unwrap()
            .to_owned(),
        ..first.clone()
    };
    prokura.token(&fourth, &[]).await.expect(200);
    prokura.advance(MINUTE);
    fail_to_log_in(&prokura, &fourth).await;
    end_minute(&prokura).await;
    // All reasons in one minute.
    for credentials in [&first, &second, &third, &fourth] {
        fail_to_log_in(&prokura, credentials).await;
    }
    end_minute(&prokura).await;

    let fourth_id = &added["secret"]["id"];
    let changes = refused_login_counts(&prokura, &token).await;
    let all = changes.last().unwrap()["secretId"].as_str().unwrap();
    let mut ids = all.split(' ').collect::<Vec<_>>();
    ids.sort_unstable();
    assert_eq!(
        json!(ids),
        json!([first_id, second_id, third_id, fourth_id])
    );
    assert_eq!(
        json!(changes),
        json!([
            { "count": "1", "expiredSecret": "1", "secretId": first_id },
            { "count": "2", "endedSecret": "2", "secretId": second_id },
            { "count": "2", "endedSecret": "1", "wrongSecret": "1", "secretId": third_id },
            { "count": "1", "expiredSecret": "1", "secretId": fourth_id },
            { "count": "4", "endedSecret": "2", "expiredSecret": "2", "secretId": all },
        ])
    );
}

#[tokio::test]
async fn a_disabled_or_expired_account_is_told_apart_from_a_wrong_secret() {
    let (prokura, token, ci) = start_with_account().await;
    let update = async |body: Value| {
        let reply = prokura.try_update(&token, &ci.id, body).await;
        reply.expect(200);
    };
    update(json!({ "disabled": true })).await;
    fail_to_log_in(&prokura, &ci).await;
    fail_to_log_in(&prokura, &ci).await;
    fail_to_log_in(&prokura, &ci.with_secret_of(&prokura.root)).await;
    update(json!({ "disabled": false, "expiresAt": "2026-11-23T12:00:00Z" })).await;
    fail_to_log_in(&prokura, &ci).await;
    end_minute(&prokura).await;
    assert_eq!(
        refused_login_counts(&prokura, &token).await,
        [
            json!({ "count": "4", "accountDisabled": "2", "accountExpired": "1", "wrongSecret": "1" })
        ]
    );
}

/// A2, A3. Whatever is recorded, every refusal gets the same response and costs one read and no write.
#[tokio::test]
async fn recording_a_refused_login_does_not_change_the_response() {
    let (prokura, token, ci) = start_with_account().await;
    let old = ci.clone();
    let ci = rotate_with_grace(&prokura, &token, &ci).await;
    let (_, ended) = prokura.create(&token, json!({ "name": "ended" })).await;
    prokura.rotate(&token, &ended.id).await;
    let (_, disabled) = prokura.create(&token, json!({ "name": "disabled" })).await;
    let disable = "UPDATE service_accounts SET disabled_at = 0 WHERE id = $1";
    let prokura = prokura.alter(disable, &disabled).await;
    prokura.advance(MINUTE);
    prokura.token(&ci, &[]).await.expect(200);

    let unknown = Credentials {
        client_id: "sa_01930a3e-7b1c-7def-8000-0123456789ab".to_owned(),
        ..ci.clone()
    };
    let answer = fail_to_log_in(&prokura, &unknown).await.fingerprint();
    let calls = || {
        let count = |calls: &std::sync::atomic::AtomicUsize| calls.load(Ordering::SeqCst);
        (count(&prokura.watch.reads), count(&prokura.watch.writes))
    };
    for (case, credentials) in [
        ("unknown", &unknown),
        ("wrong", &ci.with_secret_of(&prokura.root)),
        ("its grace is over", &old),
        ("ended", &ended),
        ("disabled", &disabled),
    ] {
        for path in ["/oauth2/token", "/oauth2/introspect", "/oauth2/revoke"] {
            for time in ["the first", "the second"] {
                let (reads, writes) = calls();
                let form = [("grant_type", "client_credentials"), ("token", "x")];
                let reply = prokura.form(path, credentials, &form).await;
                assert_eq!(reply.fingerprint(), answer, "{case} at {path}, {time} time");
                assert_eq!(
                    calls(),
                    (reads + 1, writes),
                    "{case} at {path}, {time} time"
                );
            }
        }
    }
    // All of this takes one write, after one read of the ended secrets for those whose secret was unknown.
    let (reads, writes) = calls();
    end_minute(&prokura).await;
    assert_eq!(calls(), (reads + 2, writes + 1));
    assert_eq!(refused_login_counts(&prokura, &token).await.len(), 3);
    // Without refused logins there is no write.
    end_minute(&prokura).await;
    assert_eq!(calls().1, writes + 1);
}

/// No event is written for an unknown account, for a value that cannot be a secret, or for a client that authenticated
/// and was refused later.
#[tokio::test]
async fn only_refused_logins_of_known_accounts_are_recorded() {
    let (prokura, token, ci) = start_with_account().await;
    let (_, gone) = prokura.create(&token, json!({ "name": "gone" })).await;
    prokura.delete(&token, &gone.id).await;
    let client = |id: &str, secret: &str| Credentials {
        client_id: id.to_owned(),
        client_secret: secret.to_owned(),
        ..ci.clone()
    };
    for credentials in [
        client("sa_01930a3e-7b1c-7def-8000-0123456789ab", &ci.client_secret),
        client("admin", &ci.client_secret),
        client(&ci.client_id, "hunter2"),
        client(&ci.client_id, ""),
        gone,
    ] {
        fail_to_log_in(&prokura, &credentials).await;
    }
    prokura.token(&ci, &[]).await.expect(200);
    prokura.token(&ci, &[("scope", "x")]).await.expect(400);
    prokura.introspect_reply(&ci, &token).await.expect(200);
    // No event is written for a request that got a 503 either.
    prokura.watch.fail_after(0);
    let wrong = ci.with_secret_of(&prokura.root);
    prokura.token(&wrong, &[]).await.expect(503);
    prokura.watch.mend();
    let writes = prokura.watch.writes.load(Ordering::SeqCst);
    end_minute(&prokura).await;
    assert_eq!(prokura.watch.writes.load(Ordering::SeqCst), writes);
    assert!(refused_login_counts(&prokura, &token).await.is_empty());
}

/// P6. The event belongs to the organization of the account, even if the account is deleted before the event is written.
#[tokio::test]
async fn refused_logins_belong_to_the_organization_of_the_account() {
    let (prokura, token, ci) = start_with_account().await;
    let other = prokura.bootstrap("Other").await;
    let theirs = prokura.access_token(&other).await;
    let (_, gone) = prokura.create(&token, json!({ "name": "gone" })).await;
    for (account, secret) in [(&ci, &other), (&other, &ci), (&gone, &ci)] {
        fail_to_log_in(&prokura, &account.with_secret_of(secret)).await;
        prokura.advance(1);
    }
    prokura.delete(&token, &gone.id).await;
    end_minute(&prokura).await;
    let targets = async |token: &str, query: &str| {
        let events = list_refused_logins(&prokura, token, query).await;
        let targets = events.iter().map(|event| event["target"].clone());
        json!(targets.collect::<Vec<_>>())
    };
    assert_eq!(targets(&token, "").await, json!([ci.id, gone.id]));
    assert_eq!(targets(&theirs, "").await, json!([other.id]));
    for (query, expected) in [
        ("&actor=unauthenticated".to_owned(), json!([ci.id, gone.id])),
        ("&actor=operator".to_owned(), json!([])),
        // The client named this account and did not prove it.
        (format!("&actor={}", ci.id), json!([])),
        (format!("&serviceAccountId={}", ci.id), json!([ci.id])),
    ] {
        assert_eq!(targets(&token, &query).await, expected, "{query}");
    }
}
