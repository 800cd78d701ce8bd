//! Last use, and the number of tokens issued and refused on each day. The server counts in memory and writes in the
//! background.

use std::sync::atomic::{AtomicI64, Ordering};

use futures_util::{StreamExt as _, stream};
use reqwest::Method;
use serde_json::{Value, json};

use super::{DATABASE, start, start_with_account, start_with_token};
use crate::harness::{Credentials, Database, NO_ACCOUNT, Options, Prokura, Reply};

const DAY: i64 = 24 * 60 * 60 * 1000;

async fn usage(prokura: &Prokura, token: &str, id: &str, query: &str) -> Reply {
    let path = format!("/service-accounts/{id}/usage{query}");
    prokura.api(Method::GET, &path, token, None).await
}

/// The number of tokens issued and refused today.
async fn today(prokura: &Prokura, token: &str, id: &str) -> (i64, i64) {
    let days = usage(prokura, token, id, "?days=1").await.expect(200);
    let today = &days.json()["items"][0];
    let count = |name: &str| today[name].as_i64().unwrap();
    (count("tokensIssued"), count("tokensRefused"))
}

#[tokio::test]
async fn the_last_use_is_exact_at_once_and_survives_a_restart() {
    let (prokura, token) = start_with_token().await;
    let (created, ci) = prokura.create(&token, json!({ "name": "CI" })).await;
    assert_eq!(created["lastUsedAt"], Value::Null);
    assert_eq!(prokura.get_account(&token, &ci.id).await, created);

    prokura.advance(61_234);
    prokura.access_token(&ci).await;
    prokura.advance(5000);
    // A refused request and an introspection do not count as use. Use changes no other member.
    prokura.token(&ci, &[("scope", "x")]).await.expect(400);
    prokura.introspect_reply(&ci, &token).await.expect(200);
    let mut used = created.clone();
    used["lastUsedAt"] = json!("2026-11-23T12:01:01.234Z");
    let id = ci.id.clone();
    let assert_shown = async |prokura: &Prokura| {
        let token = prokura.access_token(&prokura.root).await;
        assert_eq!(prokura.get_account(&token, &id).await, used);
        for query in ["", "?limit=2"] {
            let path = format!("/service-accounts{query}");
            let list = prokura.api(Method::GET, &path, &token, None).await;
            assert_eq!(list.expect(200).json()["items"][1], used);
        }
    };
    assert_shown(&prokura).await;
    prokura.authority.flush_usage().await.unwrap();
    assert_shown(&prokura).await;
    prokura.authority.flush_usage().await.unwrap();
    assert_shown(&prokura).await;
    let prokura = prokura.restart(Options::default()).await;
    assert_shown(&prokura).await;
}

#[tokio::test]
async fn each_secret_keeps_its_first_and_its_last_use() {
    let (prokura, token, ci) = start_with_account().await;
    let begin = prokura.now();
    let flush = async || prokura.authority.flush_usage().await.unwrap();
    for _ in 0..3 {
        prokura.advance(1000);
        prokura.access_token(&ci).await;
        flush().await;
    }
    prokura.advance(1000);
    let rotated = prokura.rotate(&token, &ci.id).await;
    flush().await;
    let uses = "SELECT first_used_at, last_used_at FROM secrets ORDER BY id";
    let old = json!([begin + 1000, begin + 3000]);
    let rows = prokura.rows(uses).await;
    assert_eq!(json!(rows[1..]), json!([old, [null, null]]));

    // If the clock is set back, the last use stays.
    prokura.advance(1000);
    prokura.access_token(&rotated).await;
    flush().await;
    prokura.advance(-500);
    prokura.access_token(&rotated).await;
    flush().await;
    let new = json!([begin + 5000, begin + 5000]);
    let rows = prokura.rows(uses).await;
    assert_eq!(json!(rows[1..]), json!([old, new]));
    let shown = prokura.get_account(&token, &ci.id).await;
    assert_eq!(shown["lastUsedAt"], "2026-11-23T12:00:05.000Z");
    assert_eq!(shown["updatedAt"], "2026-11-23T12:00:04.000Z");
}

/// P4. All use between two flushes is written with one write. Without use there is no write.
#[tokio::test]
async fn all_use_between_two_flushes_is_one_write() {
    let (prokura, token, ci) = start_with_account().await;
    let (_, idle) = prokura.create(&token, json!({ "name": "Idle" })).await;
    prokura.authority.flush_usage().await.unwrap();
    let writes = || prokura.watch.writes.load(Ordering::SeqCst);
    let before = writes();
    for _ in 0..10 {
        prokura.access_token(&ci).await;
        let wrong = prokura.root.with_secret_of(&idle);
        prokura.token(&wrong, &[]).await.expect(401);
    }
    assert_eq!(writes(), before);
    prokura.authority.flush_usage().await.unwrap();
    assert_eq!(writes(), before + 1);
    prokura.authority.flush_usage().await.unwrap();
    assert_eq!(writes(), before + 1);
}

#[tokio::test]
async fn tokens_are_counted_as_issued_or_refused() {
    let (prokura, token, ci) = start_with_account().await;
    assert_eq!(today(&prokura, &token, &ci.id).await, (0, 0));
    prokura.access_token(&ci).await;
    prokura.access_token(&ci).await;
    let wrong = ci.with_secret_of(&prokura.root);
    prokura.token(&wrong, &[]).await.expect(401);
    assert_eq!(today(&prokura, &token, &ci.id).await, (2, 1));
    prokura.token(&ci, &[("scope", "x")]).await.expect(400);
    let target = [("resource", "https://nowhere.example")];
    prokura.token(&ci, &target).await.expect(400);
    let password = [("grant_type", "password")];
    prokura
        .form("/oauth2/token", &ci, &password)
        .await
        .expect_oauth_error(400, "unsupported_grant_type");
    assert_eq!(today(&prokura, &token, &ci.id).await, (2, 4));

    // Requests that are not token requests, that get a 503, or that name an unknown account are not counted.
    prokura.introspect_reply(&wrong, &token).await.expect(401);
    prokura.watch.fail_after(0);
    prokura.token(&wrong, &[]).await.expect(503);
    prokura.watch.mend();
    let nobody = Credentials {
        client_id: format!("sa_{NO_ACCOUNT}"),
        ..ci.clone()
    };
    prokura.token(&nobody, &[]).await.expect(401);
    prokura.authority.flush_usage().await.unwrap();
    assert_eq!(prokura.count("usage").await, 2);

    // A disabled account is refused.
    let disable = "UPDATE service_accounts SET disabled_at = 0 WHERE id = $1";
    let prokura = prokura.alter(disable, &ci).await;
    prokura.token(&ci, &[]).await.expect(401);
    assert_eq!(today(&prokura, &token, &ci.id).await, (2, 5));
    prokura.authority.flush_usage().await.unwrap();
    assert_eq!(today(&prokura, &token, &ci.id).await, (2, 5));
}

#[tokio::test]
async fn a_day_ends_at_midnight_utc() {
    let (prokura, _, ci) = start_with_account().await;
    prokura.advance(DAY / 2 - 1);
    prokura.access_token(&ci).await;
    prokura.advance(1);
    prokura.access_token(&ci).await;
    prokura.access_token(&ci).await;
    let day = |date: &str, issued: i64| json!({ "date": date, "tokensIssued": issued, "tokensRefused": 0 });
    for _ in 0..2 {
        let token = prokura.access_token(&prokura.root).await;
        let days = usage(&prokura, &token, &ci.id, "?days=3").await;
        let days = days.expect(200).json();
        let expected = [
            day("2026-11-22", 0),
            day("2026-11-23", 1),
            day("2026-11-24", 2),
        ];
        assert_eq!(days, json!({ "items": expected }));
        prokura.authority.flush_usage().await.unwrap();
    }
    prokura.advance(2 * DAY);
    let token = prokura.access_token(&prokura.root).await;
    let days = usage(&prokura, &token, &ci.id, "?days=3").await;
    let expected = [
        day("2026-11-24", 2),
        day("2026-11-25", 0),
        day("2026-11-26", 0),
    ];
    assert_eq!(days.json()["items"], json!(expected));
}

#[tokio::test]
async fn the_number_of_days_shown_can_be_chosen() {
    let (prokura, token) = start_with_token().await;
    let id = &prokura.root.id;
    for (query, days) in [
        ("", 30),
        ("?", 30),
        ("?days=1", 1),
        ("?days=90", 90),
        ("?days=%37", 7),
    ] {
        let shown = usage(&prokura, &token, id, query).await.expect(200).json();
        let items = shown["items"].as_array().unwrap();
        assert_eq!(items.len(), days, "{query}");
        assert_eq!(items[days - 1]["date"], "2026-11-23");
        assert_eq!(items[days - 1]["tokensIssued"], 1);
    }
    let thirty = usage(&prokura, &token, id, "").await.json();
    assert_eq!(thirty["items"][0]["date"], "2026-10-25");
    for value in ["", "0", "91", "-1", "+1", "1.0", "x", "%00", "99999999999"] {
        let query = format!("?days={value}");
        usage(&prokura, &token, id, &query)
            .await
            .expect_wrong_field("days");
    }
    for (query, field) in [
        ("?days", "days"),
        ("?days=1&days=1", "days"),
        ("?days=1&limit=1", "limit"),
        ("?Days=1", "Days"),
    ] {
        usage(&prokura, &token, id, query)
            .await
            .expect_wrong_field(field);
    }
}

/// On SQLite there is only one node.
#[tokio::test]
async fn the_counts_of_several_nodes_add_up() {
    if DATABASE == Database::Sqlite {
        return;
    }
    let one = start().await;
    let two = one.another_node(Options::default()).await;
    let token = one.access_token(&one.root).await;
    let (_, ci) = one.create(&token, json!({ "name": "CI" })).await;
    for round in 1..=3 {
        two.advance(2000);
        two.access_token(&ci).await;
        one.advance(1000);
        one.access_token(&ci).await;
        one.token(&ci, &[("scope", "x")]).await.expect(400);
        // The later use counts, whichever node flushes first.
        let (first, second) = if round % 2 == 0 {
            (&one, &two)
        } else {
            (&two, &one)
        };
        first.authority.flush_usage().await.unwrap();
        second.authority.flush_usage().await.unwrap();
        for node in [&one, &two] {
            assert_eq!(today(node, &token, &ci.id).await, (2 * round, round));
            let shown = node.get_account(&token, &ci.id).await;
            let last = format!("2026-11-23T12:00:0{}.000Z", 2 * round);
            assert_eq!(shown["lastUsedAt"], last);
        }
    }
    tokio::join!(
        async { one.authority.flush_usage().await.unwrap() },
        async { two.authority.flush_usage().await.unwrap() }
    );
}

#[tokio::test]
async fn the_usage_of_a_deleted_account_is_deleted() {
    let (prokura, token) = start_with_token().await;
    let (_, gone) = prokura.create(&token, json!({ "name": "Gone" })).await;
    let (_, stays) = prokura.create(&token, json!({ "name": "Stays" })).await;
    prokura.access_token(&gone).await;
    prokura.authority.flush_usage().await.unwrap();
    for account in [&gone, &stays] {
        prokura.access_token(account).await;
    }
    prokura.delete(&token, &gone.id).await;
    prokura.authority.flush_usage().await.unwrap();
    usage(&prokura, &token, &gone.id, "")
        .await
        .expect_api_error(404, "service_account_not_found");
    assert_eq!(today(&prokura, &token, &stays.id).await, (1, 0));
    // One row for the first account and one for this account.
    assert_eq!(prokura.count("usage").await, 2);
    // Nothing is left to be written again.
    let writes = prokura.watch.writes.load(Ordering::SeqCst);
    prokura.authority.flush_usage().await.unwrap();
    assert_eq!(prokura.watch.writes.load(Ordering::SeqCst), writes);
}

#[tokio::test]
async fn no_use_is_lost_when_the_store_fails_for_a_while() {
    const ACCOUNTS: i64 = 300;
    let (prokura, token) = start_with_token().await;
    // More accounts than one write takes.
    let creations = (0..ACCOUNTS).map(async |number| {
        let body = json!({ "name": format!("CI {number}") });
        prokura.create(&token, body).await.1
    });
    let accounts: Vec<_> = stream::iter(creations).buffered(16).collect().await;
    for writes in 0..2 {
        prokura.advance(1000);
        for account in &accounts {
            prokura.access_token(account).await;
        }
        // This many writes succeed, and the others fail.
        prokura.watch.fail_after(writes);
        prokura.authority.flush_usage().await.unwrap_err();
        prokura.watch.mend();
        for account in accounts.iter().step_by(60) {
            let counted = today(&prokura, &token, &account.id).await;
            assert_eq!(counted, (writes + 1, 0));
        }
    }
    prokura.authority.flush_usage().await.unwrap();
    let prokura = prokura.restart(Options::default()).await;
    let rows = prokura
        .rows("SELECT tokens_issued, count(*) FROM usage GROUP BY tokens_issued ORDER BY tokens_issued")
        .await;
    assert_eq!(json!(rows), json!([[1, 1], [2, ACCOUNTS]]));
    for ci in accounts.iter().step_by(60) {
        let shown = prokura.get_account(&token, &ci.id).await;
        assert_eq!(shown["lastUsedAt"], "2026-11-23T12:00:02.000Z");
    }
}

/// While counts move from memory to the database, a reader sees each count exactly once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_count_is_seen_exactly_once_while_it_is_written() {
    const TOKENS: i64 = 100;
    let (prokura, token, ci) = start_with_account().await;
    let (begun, done) = (AtomicI64::new(0), AtomicI64::new(0));
    let using = async {
        for _ in 0..TOKENS {
            begun.fetch_add(1, Ordering::SeqCst);
            prokura.access_token(&ci).await;
            done.fetch_add(1, Ordering::SeqCst);
        }
    };
    let flushing = async {
        while done.load(Ordering::SeqCst) < TOKENS {
            prokura.authority.flush_usage().await.unwrap();
            tokio::task::yield_now().await;
        }
    };
    let asking = async {
        while done.load(Ordering::SeqCst) < TOKENS {
            let least = done.load(Ordering::SeqCst);
            let (issued, refused) = today(&prokura, &token, &ci.id).await;
            let most = begun.load(Ordering::SeqCst);
            assert!((least..=most).contains(&issued), "{least} {issued} {most}");
            assert_eq!(refused, 0);
        }
    };
    tokio::join!(using, flushing, asking, async {
        // Two concurrent flushes do not count twice either.
        while done.load(Ordering::SeqCst) < TOKENS {
            prokura.authority.flush_usage().await.unwrap();
            tokio::task::yield_now().await;
        }
    });
    prokura.authority.flush_usage().await.unwrap();
    let rows = prokura.rows("SELECT max(tokens_issued) FROM usage").await;
    assert_eq!(json!(rows), json!([[TOKENS]]));
}

#[tokio::test]
async fn counts_are_kept_for_400_days() {
    let prokura = start().await;
    prokura.access_token(&prokura.root).await;
    prokura.authority.flush_usage().await.unwrap();
    prokura.advance(400 * DAY);
    prokura.authority.sweep().await.unwrap();
    assert_eq!(prokura.count("usage").await, 1);
    prokura.advance(DAY);
    prokura.authority.sweep().await.unwrap();
    assert_eq!(prokura.count("usage").await, 0);
}
