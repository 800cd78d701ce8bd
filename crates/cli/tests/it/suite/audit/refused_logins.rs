//! Refused logins in the audit trail: recorded by account, address and minute, for the owner to see and for nobody else to
//! notice.

use std::sync::atomic::Ordering;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::tempdir;

use super::{DATABASE, start};
use crate::harness::{Client, Credentials, Database, Options, Prokura, Reply, process::run};

const MINUTE: i64 = 60_000;

/// A server, a token to manage with, and an account.
async fn with_account() -> (Prokura, String, Credentials) {
    let prokura = start().await;
    let token = prokura.access_token(&prokura.root).await;
    let (_, account) = prokura.create(&token, json!({ "name": "CI" })).await;
    (prokura, token, account)
}

/// Lets the running minute pass, and writes down what was refused in it.
async fn end_minute(prokura: &Prokura) {
    prokura.advance(MINUTE);
    prokura.authority.flush_refused_logins().await.unwrap();
}

/// The events of refused logins that the caller's organization is shown, narrowed by `query`.
async fn refused(prokura: &Prokura, token: &str, query: &str) -> Vec<Value> {
    let path = format!("/audit-events?action=refuse_login&limit=200{query}");
    let list = prokura.api(Method::GET, &path, token, None).await;
    list.expect(200).json()["items"].as_array().unwrap().clone()
}

/// What the events count, event by event.
async fn changes(prokura: &Prokura, token: &str) -> Vec<Value> {
    let events = refused(prokura, token, "").await;
    events
        .iter()
        .map(|event| event["changes"].clone())
        .collect()
}

/// A login, which must be refused.
async fn fail(client: &Client, credentials: &Credentials) -> Reply {
    let reply = client.token(credentials, &[]).await;
    reply.expect_oauth_error(401, "invalid_client")
}

/// The id of the account's newest secret.
async fn secret_id(prokura: &Prokura, token: &str, account: &Credentials) -> Value {
    let path = format!("/service-accounts/{}/secrets", account.id);
    let listed = prokura.api(Method::GET, &path, token, None).await;
    listed.expect(200).json()["items"][0]["id"].clone()
}

/// Rotates the account's secret, leaving the old one a grace of a minute.
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

/// G24: who, what, whom, when, from where, how often and why, to the letter.
#[tokio::test]
async fn refused_logins_of_one_minute_are_one_event() {
    let (prokura, token, ci) = with_account().await;
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
    // Nobody waits longer, and nobody is told before.
    prokura.authority.flush_refused_logins().await.unwrap();
    assert!(refused(&prokura, &token, "").await.is_empty());
    end_minute(&prokura).await;
    let events = refused(&prokura, &token, "").await;
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
    // Once is enough.
    end_minute(&prokura).await;
    assert_eq!(refused(&prokura, &token, "").await.len(), 1);
}

#[tokio::test]
async fn each_minute_has_its_own_event() {
    let (prokura, token, ci) = with_account().await;
    let wrong = ci.with_secret_of(&prokura.root);
    for (millis, times) in [(0, 2), (MINUTE - 1, 1), (1, 3)] {
        prokura.advance(millis);
        for _ in 0..times {
            fail(&prokura, &wrong).await;
        }
    }
    end_minute(&prokura).await;
    let events = refused(&prokura, &token, "").await;
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
async fn addresses_are_told_apart_up_to_sixteen() {
    let (prokura, token, ci) = with_account().await;
    let wrong = ci.with_secret_of(&prokura.root);
    for address in [1, 2, 2] {
        fail(&prokura.at_address(address), &wrong).await;
    }
    end_minute(&prokura).await;
    let counts = async || {
        let events = refused(&prokura, &token, "").await;
        let counts = events.iter().map(|event| {
            let count = event["changes"]["count"].as_str().unwrap();
            format!("{} {count}", event["address"])
        });
        counts.collect::<Vec<_>>()
    };
    let first = [r#""127.0.0.1" 1"#, r#""127.0.0.2" 2"#];
    assert_eq!(counts().await, first);

    // A second time, so that who was told apart still is when others no longer are.
    for _ in 0..2 {
        for address in 1..=20 {
            fail(&prokura.at_address(address), &wrong).await;
            prokura.advance(1);
        }
    }
    end_minute(&prokura).await;
    let mut expected = first.map(str::to_owned).to_vec();
    expected.extend((1..=16).map(|address| format!(r#""127.0.0.{address}" 2"#)));
    expected.push("null 8".to_owned());
    assert_eq!(counts().await, expected);
}

/// What users of every other server ask for in vain: the owner is told why.
#[tokio::test]
async fn the_owner_is_told_why_a_login_was_refused() {
    let (prokura, token, first) = with_account().await;
    let first_id = secret_id(&prokura, &token, &first).await;
    let second = rotate_with_grace(&prokura, &token, &first).await;
    let second_id = secret_id(&prokura, &token, &first).await;

    // The grace is over.
    prokura.advance(MINUTE);
    fail(&prokura, &first).await;
    end_minute(&prokura).await;
    // Rotated away.
    let third = prokura.rotate(&token, &first.id).await;
    fail(&prokura, &second).await;
    fail(&prokura, &second).await;
    end_minute(&prokura).await;
    // Deleted; and something else that never was a secret of this account.
    let third_id = secret_id(&prokura, &token, &first).await;
    let third_id = third_id.as_str().unwrap();
    let path = format!("/service-accounts/{}/secrets/{third_id}", first.id);
    let deleted = prokura.api(Method::DELETE, &path, &token, None).await;
    deleted.expect(204);
    fail(&prokura, &third).await;
    fail(&prokura, &first.with_secret_of(&prokura.root)).await;
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
    fail(&prokura, &fourth).await;
    end_minute(&prokura).await;
    // All of them at once.
    for credentials in [&first, &second, &third, &fourth] {
        fail(&prokura, credentials).await;
    }
    end_minute(&prokura).await;

    let fourth_id = &added["secret"]["id"];
    let changes = changes(&prokura, &token).await;
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
async fn an_account_that_may_do_nothing_is_told_from_a_wrong_secret() {
    let (prokura, token, ci) = with_account().await;
    let path = format!("/service-accounts/{}", ci.id);
    let update = async |body: Value| {
        let reply = prokura.api(Method::PATCH, &path, &token, Some(body)).await;
        reply.expect(200);
    };
    update(json!({ "disabled": true })).await;
    fail(&prokura, &ci).await;
    fail(&prokura, &ci).await;
    fail(&prokura, &ci.with_secret_of(&prokura.root)).await;
    update(json!({ "disabled": false, "expiresAt": "2026-11-23T12:00:00Z" })).await;
    fail(&prokura, &ci).await;
    end_minute(&prokura).await;
    assert_eq!(
        changes(&prokura, &token).await,
        [
            json!({ "count": "4", "accountDisabled": "2", "accountExpired": "1", "wrongSecret": "1" })
        ]
    );
}

/// A2, A3: whatever is recorded, who is refused is answered alike, at one read and no write.
#[tokio::test]
async fn who_is_refused_does_not_notice() {
    let (prokura, token, ci) = with_account().await;
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
    let answer = fail(&prokura, &unknown).await.fingerprint();
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
    // All of it is one write, after a look at the ended secrets of those whose secret was not known.
    let (reads, writes) = calls();
    end_minute(&prokura).await;
    assert_eq!(calls(), (reads + 2, writes + 1));
    assert_eq!(changes(&prokura, &token).await.len(), 3);
    // With nothing to write, none.
    end_minute(&prokura).await;
    assert_eq!(calls().1, writes + 1);
}

/// Who is not there belongs to no organization, what cannot be a secret of ours is refused without a look-up, and who was let
/// in is no refused login, whatever else he is refused.
#[tokio::test]
async fn what_is_no_refused_login_leaves_nothing() {
    let (prokura, token, ci) = with_account().await;
    let (_, gone) = prokura.create(&token, json!({ "name": "gone" })).await;
    let path = format!("/service-accounts/{}", gone.id);
    prokura
        .api(Method::DELETE, &path, &token, None)
        .await
        .expect(204);
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
        fail(&prokura, &credentials).await;
    }
    prokura.token(&ci, &[]).await.expect(200);
    prokura.token(&ci, &[("scope", "x")]).await.expect(400);
    prokura.introspect_reply(&ci, &token).await.expect(200);
    // Nor is one that got no answer.
    prokura.watch.fail_after(0);
    let wrong = ci.with_secret_of(&prokura.root);
    prokura.token(&wrong, &[]).await.expect(503);
    prokura.watch.mend();
    let writes = prokura.watch.writes.load(Ordering::SeqCst);
    end_minute(&prokura).await;
    assert_eq!(prokura.watch.writes.load(Ordering::SeqCst), writes);
    assert!(changes(&prokura, &token).await.is_empty());
}

/// P6: an account's refused logins are its organization's, also when it is gone by the time they are written.
#[tokio::test]
async fn refused_logins_are_in_the_trail_of_the_accounts_organization() {
    let (prokura, token, ci) = with_account().await;
    let other = prokura.bootstrap("Other").await;
    let theirs = prokura.access_token(&other).await;
    let (_, gone) = prokura.create(&token, json!({ "name": "gone" })).await;
    for (account, secret) in [(&ci, &other), (&other, &ci), (&gone, &ci)] {
        fail(&prokura, &account.with_secret_of(secret)).await;
        prokura.advance(1);
    }
    let path = format!("/service-accounts/{}", gone.id);
    prokura
        .api(Method::DELETE, &path, &token, None)
        .await
        .expect(204);
    end_minute(&prokura).await;
    let targets = async |token: &str, query: &str| {
        let events = refused(&prokura, token, query).await;
        let targets = events.iter().map(|event| event["target"].clone());
        json!(targets.collect::<Vec<_>>())
    };
    assert_eq!(targets(&token, "").await, json!([ci.id, gone.id]));
    assert_eq!(targets(&theirs, "").await, json!([other.id]));
    for (query, expected) in [
        ("&actor=unauthenticated".to_owned(), json!([ci.id, gone.id])),
        ("&actor=operator".to_owned(), json!([])),
        // He said that he was this account, and did not prove it.
        (format!("&actor={}", ci.id), json!([])),
        (format!("&serviceAccountId={}", ci.id), json!([ci.id])),
    ] {
        assert_eq!(targets(&token, &query).await, expected, "{query}");
    }
}

/// P7: they are in the same chain as every change, and a line of every export.
#[tokio::test]
async fn the_chain_with_refused_logins_is_whole() {
    let (prokura, token, ci) = with_account().await;
    for round in 0..3 {
        for address in 1..=18 {
            let client = prokura.at_address(address);
            fail(&client, &ci.with_secret_of(&prokura.root)).await;
        }
        end_minute(&prokura).await;
        let body = json!({ "name": format!("{round}") });
        prokura.create(&token, body).await;
    }
    let directory = tempdir().unwrap();
    let verify = |arguments: &[&str]| {
        let arguments = ["audit", "verify"].iter().chain(arguments);
        run(directory.path(), arguments).succeeded()
    };
    let [option, url] = prokura.store_options();
    let in_database = verify(&[&option, &url]);
    assert!(in_database.contains(": 57 events, head "), "{in_database}");
    let export = prokura
        .api(Method::GET, "/audit-events/export", &token, None)
        .await
        .expect(200);
    std::fs::write(directory.path().join("audit.ndjson"), &export.body).unwrap();
    let in_file = verify(&["--file", "audit.ndjson"]);
    let head = |printed: &str| printed.split_once(" events, head ").unwrap().1.to_owned();
    assert_eq!(head(&in_file), head(&in_database));
}

#[tokio::test]
async fn at_the_end_the_running_minute_is_written() {
    let (prokura, token, ci) = with_account().await;
    let wrong = ci.with_secret_of(&prokura.root);
    fail(&prokura, &wrong).await;
    prokura.advance(MINUTE);
    fail(&prokura, &wrong).await;
    for _ in 0..2 {
        let written = prokura.authority.flush_all_refused_logins().await;
        written.unwrap();
        assert_eq!(changes(&prokura, &token).await.len(), 2);
    }
    let prokura = prokura.restart(Options::default()).await;
    assert_eq!(changes(&prokura, &token).await.len(), 2);
}

/// The writes go on where they failed: nothing is lost, nothing is there twice, and each event is of its own minute.
#[tokio::test]
async fn a_store_that_fails_for_a_while_loses_no_refused_login() {
    const ACCOUNTS: usize = 25;
    let (prokura, token, _) = with_account().await;
    let mut accounts = Vec::new();
    for number in 0..ACCOUNTS {
        let body = json!({ "name": format!("{number}") });
        accounts.push(prokura.create(&token, body).await.1);
    }
    let mut wrong = Vec::new();
    for account in &accounts {
        wrong.push(account.with_secret_of(&prokura.root));
    }
    // What waits grows from minute to minute, and so many calls succeed before the store fails: a few reads and a write for
    // some events, and again.
    for calls in [0, 3, 30, 40, 10] {
        for credentials in &wrong {
            fail(&prokura, credentials).await;
        }
        prokura.advance(MINUTE);
        prokura.watch.fail_after(calls);
        let failed = prokura.authority.flush_refused_logins().await;
        failed.unwrap_err();
        prokura.watch.mend();
    }
    assert!(!changes(&prokura, &token).await.is_empty());
    prokura.authority.flush_refused_logins().await.unwrap();
    let events = refused(&prokura, &token, "").await;
    let mut seen = events
        .iter()
        .map(|event| {
            assert_eq!(
                event["changes"],
                json!({ "count": "1", "wrongSecret": "1" })
            );
            (event["at"].to_string(), event["target"].to_string())
        })
        .collect::<Vec<_>>();
    assert_eq!(seen.len(), 5 * ACCOUNTS);
    assert!(seen.is_sorted_by_key(|(at, _)| at.clone()));
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 5 * ACCOUNTS);
}

/// Whoever comes at the same time is counted, and two flushes at once write nothing twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals_at_once_are_all_counted_once() {
    const ROUNDS: usize = 20;
    let (prokura, token, ci) = with_account().await;
    let wrong = ci.with_secret_of(&prokura.root);
    for _ in 0..ROUNDS {
        let refusals = (0..4).map(|_| fail(&prokura, &wrong));
        let flushes = (0..2).map(|_| prokura.authority.flush_refused_logins());
        let ((), _, flushed) = tokio::join!(
            async { prokura.advance(MINUTE / 2) },
            join_all(refusals),
            join_all(flushes)
        );
        assert!(flushed.iter().all(Result::is_ok));
    }
    end_minute(&prokura).await;
    let counts = changes(&prokura, &token).await;
    let counts = counts
        .iter()
        .map(|changes| changes["count"].as_str().unwrap().parse::<usize>().unwrap());
    assert_eq!(counts.sum::<usize>(), 4 * ROUNDS);
}

/// On SQLite there is one node.
#[tokio::test]
async fn each_node_records_what_it_refused() {
    if DATABASE == Database::Sqlite {
        return;
    }
    let (one, token, ci) = with_account().await;
    let two = one.another_node(Options::default()).await;
    let wrong = ci.with_secret_of(&one.root);
    fail(&one, &wrong).await;
    fail(&two, &wrong).await;
    fail(&two, &wrong).await;
    tokio::join!(end_minute(&one), end_minute(&two));
    let mut changes = changes(&one, &token).await;
    changes.sort_by_key(|changes| changes["count"].to_string());
    let count = |count: &str| json!({ "count": count, "wrongSecret": count });
    assert_eq!(changes, [count("1"), count("2")]);
}
