//! Last use, and the tokens issued and refused day by day: counted in memory, written in the background, lost by nobody.

use std::sync::atomic::{AtomicI64, Ordering};

use futures_util::{StreamExt as _, stream};
use reqwest::Method;
use serde_json::{Value, json};

use super::{DATABASE, start};
use crate::harness::{Credentials, Database, Options, Prokura, Reply};

const DAY: i64 = 24 * 60 * 60 * 1000;

async fn account(prokura: &Prokura, token: &str, id: &str) -> Value {
    let path = format!("/service-accounts/{id}");
    let reply = prokura.api(Method::GET, &path, token, None).await;
    reply.expect(200).json()["serviceAccount"].clone()
}

async fn usage(prokura: &Prokura, token: &str, id: &str, query: &str) -> Reply {
    let path = format!("/service-accounts/{id}/usage{query}");
    prokura.api(Method::GET, &path, token, None).await
}

/// Today's tokens issued and refused.
async fn today(prokura: &Prokura, token: &str, id: &str) -> (i64, i64) {
    let days = usage(prokura, token, id, "?days=1").await.expect(200);
    let today = &days.json()["items"][0];
    let count = |name: &str| today[name].as_i64().unwrap();
    (count("tokensIssued"), count("tokensRefused"))
}

/// A wrong secret, of the right shape.
fn with_secret_of(account: &Credentials, other: &Credentials) -> Credentials {
    Credentials {
        client_secret: other.client_secret.clone(),
        ..account.clone()
    }
}

#[tokio::test]
async fn the_last_use_is_exact_at_once_and_survives_a_restart() {
    let prokura = start().await;
    let token = prokura.access_token(&prokura.root).await;
    let (created, ci) = prokura.create(&token, json!({ "name": "CI" })).await;
    assert_eq!(created["lastUsedAt"], Value::Null);
    assert_eq!(account(&prokura, &token, &ci.id).await, created);

    prokura.advance(61_234);
    prokura.access_token(&ci).await;
    prokura.advance(5000);
    // Neither a refusal is a use, nor a look at a token; and a use changes nothing else.
    prokura.token(&ci, &[("scope", "x")]).await.expect(400);
    prokura.introspect_reply(&ci, &token).await.expect(200);
    let mut used = created.clone();
    used["lastUsedAt"] = json!("2026-11-23T12:01:01.234Z");
    let id = ci.id.clone();
    let assert_shown = async |prokura: &Prokura| {
        let token = prokura.access_token(&prokura.root).await;
        assert_eq!(account(prokura, &token, &id).await, used);
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
    let prokura = start().await;
    let token = prokura.access_token(&prokura.root).await;
    let (_, ci) = prokura.create(&token, json!({ "name": "CI" })).await;
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

    // A clock that is set back takes no use back.
    prokura.advance(1000);
    prokura.access_token(&rotated).await;
    flush().await;
    prokura.advance(-500);
    prokura.access_token(&rotated).await;
    flush().await;
    let new = json!([begin + 5000, begin + 5000]);
    let rows = prokura.rows(uses).await;
    assert_eq!(json!(rows[1..]), json!([old, new]));
    let shown = account(&prokura, &token, &ci.id).await;
    assert_eq!(shown["lastUsedAt"], "2026-11-23T12:00:05.000Z");
    assert_eq!(shown["updatedAt"], "2026-11-23T12:00:04.000Z");
}

/// P4: of all that happened between two flushes, one write is left; of nothing, none.
#[tokio::test]
async fn use_is_written_once_for_all() {
    let prokura = start().await;
    let token = prokura.access_token(&prokura.root).await;
    let (_, ci) = prokura.create(&token, json!({ "name": "CI" })).await;
    let (_, idle) = prokura.create(&token, json!({ "name": "Idle" })).await;
    prokura.authority.flush_usage().await.unwrap();
    let writes = || prokura.watch.writes.load(Ordering::SeqCst);
    let before = writes();
    for _ in 0..10 {
        prokura.access_token(&ci).await;
        let wrong = with_secret_of(&prokura.root, &idle);
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
    let prokura = start().await;
    let token = prokura.access_token(&prokura.root).await;
    let (_, ci) = prokura.create(&token, json!({ "name": "CI" })).await;
    assert_eq!(today(&prokura, &token, &ci.id).await, (0, 0));
    prokura.access_token(&ci).await;
    prokura.access_token(&ci).await;
    let wrong = with_secret_of(&ci, &prokura.root);
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

    // What asks for no token, or gets no answer, counts nowhere. Nor does who is not there.
    prokura.introspect_reply(&wrong, &token).await.expect(401);
    prokura.watch.fail_after(0);
    prokura.token(&wrong, &[]).await.expect(503);
    prokura.watch.mend();
    let nobody = Credentials {
        client_id: "sa_019ab0f4-5d2e-7c11-9a52-3b1f6b0d2c47".to_owned(),
        ..ci.clone()
    };
    prokura.token(&nobody, &[]).await.expect(401);
    prokura.authority.flush_usage().await.unwrap();
    let rows = prokura.rows("SELECT count(*) FROM usage").await;
    assert_eq!(json!(rows), json!([[2]]));

    // Whose account is switched off is refused.
    let disable = "UPDATE service_accounts SET disabled_at = 0 WHERE id = $1";
    let prokura = prokura.alter(disable, &ci).await;
    prokura.token(&ci, &[]).await.expect(401);
    assert_eq!(today(&prokura, &token, &ci.id).await, (2, 5));
    prokura.authority.flush_usage().await.unwrap();
    assert_eq!(today(&prokura, &token, &ci.id).await, (2, 5));
}

#[tokio::test]
async fn a_day_ends_at_midnight_utc() {
    let prokura = start().await;
    let token = prokura.access_token(&prokura.root).await;
    let (_, ci) = prokura.create(&token, json!({ "name": "CI" })).await;
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
async fn as_many_days_are_shown_as_are_asked_for() {
    let prokura = start().await;
    let token = prokura.access_token(&prokura.root).await;
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

/// On SQLite there is one node.
#[tokio::test]
async fn what_several_nodes_count_adds_up() {
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
        // Whoever is behind, the later use counts.
        let (first, second) = if round % 2 == 0 {
            (&one, &two)
        } else {
            (&two, &one)
        };
        first.authority.flush_usage().await.unwrap();
        second.authority.flush_usage().await.unwrap();
        for node in [&one, &two] {
            assert_eq!(today(node, &token, &ci.id).await, (2 * round, round));
            let shown = account(node, &token, &ci.id).await;
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
async fn the_use_of_a_deleted_account_goes_with_it() {
    let prokura = start().await;
    let token = prokura.access_token(&prokura.root).await;
    let (_, gone) = prokura.create(&token, json!({ "name": "Gone" })).await;
    let (_, stays) = prokura.create(&token, json!({ "name": "Stays" })).await;
    prokura.access_token(&gone).await;
    prokura.authority.flush_usage().await.unwrap();
    for account in [&gone, &stays] {
        prokura.access_token(account).await;
    }
    let path = format!("/service-accounts/{}", gone.id);
    prokura
        .api(Method::DELETE, &path, &token, None)
        .await
        .expect(204);
    prokura.authority.flush_usage().await.unwrap();
    usage(&prokura, &token, &gone.id, "")
        .await
        .expect_api_error(404, "service_account_not_found");
    assert_eq!(today(&prokura, &token, &stays.id).await, (1, 0));
    // The first account's and this one's.
    let rows = prokura.rows("SELECT count(*) FROM usage").await;
    assert_eq!(json!(rows), json!([[2]]));
    // Nothing is left to be tried again.
    let writes = prokura.watch.writes.load(Ordering::SeqCst);
    prokura.authority.flush_usage().await.unwrap();
    assert_eq!(prokura.watch.writes.load(Ordering::SeqCst), writes);
}

#[tokio::test]
async fn a_store_that_fails_for_a_while_loses_no_use() {
    const ACCOUNTS: i64 = 300;
    let prokura = start().await;
    let token = prokura.access_token(&prokura.root).await;
    // More than are written together.
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
        // So many writes come through, and the others do not.
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
        let shown = account(&prokura, &token, &ci.id).await;
        assert_eq!(shown["lastUsedAt"], "2026-11-23T12:00:02.000Z");
    }
}

/// While counts move from memory to the store, each is seen once: never none of it, never twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_count_is_seen_exactly_once_while_it_is_written() {
    const TOKENS: i64 = 100;
    let prokura = start().await;
    let token = prokura.access_token(&prokura.root).await;
    let (_, ci) = prokura.create(&token, json!({ "name": "CI" })).await;
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
        // Two flushes at once do not count twice either.
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
    let days = async || prokura.rows("SELECT count(*) FROM usage").await;
    prokura.advance(400 * DAY);
    prokura.authority.sweep().await.unwrap();
    assert_eq!(json!(days().await), json!([[1]]));
    prokura.advance(DAY);
    prokura.authority.sweep().await.unwrap();
    assert_eq!(json!(days().await), json!([[0]]));
}
