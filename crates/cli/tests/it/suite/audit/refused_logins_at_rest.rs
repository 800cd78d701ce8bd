//! Writing refused logins to the store: when, once, and on every node.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;
use tempfile::tempdir;

use super::{
    DATABASE, MINUTE, end_minute, fail_to_log_in, list_refused_logins, refused_login_counts,
    start_with_account,
};
use crate::harness::{Database, Options, process::run};

/// P7. The events are in the same hash chain as all others, and in every export.
#[tokio::test]
async fn refused_logins_are_in_the_hash_chain() {
    let (prokura, token, ci) = start_with_account().await;
    for round in 0..3 {
        for address in 1..=18 {
            let client = prokura.at_address(address);
            fail_to_log_in(&client, &ci.with_secret_of(&prokura.root)).await;
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
async fn the_current_minute_is_written_at_shutdown() {
    let (prokura, token, ci) = start_with_account().await;
    let wrong = ci.with_secret_of(&prokura.root);
    fail_to_log_in(&prokura, &wrong).await;
    prokura.advance(MINUTE);
    fail_to_log_in(&prokura, &wrong).await;
    for _ in 0..2 {
        let written = prokura.authority.flush_all_refused_logins().await;
        written.unwrap();
        assert_eq!(refused_login_counts(&prokura, &token).await.len(), 2);
    }
    let prokura = prokura.restart(Options::default()).await;
    assert_eq!(refused_login_counts(&prokura, &token).await.len(), 2);
}

/// After a failure the server continues where it failed: no event is lost or written twice, and each has its own minute.
#[tokio::test]
async fn no_refused_login_is_lost_when_the_store_fails_for_a_while() {
    const ACCOUNTS: usize = 25;
    let (prokura, token, _) = start_with_account().await;
    let mut accounts = Vec::new();
    for number in 0..ACCOUNTS {
        let body = json!({ "name": format!("{number}") });
        accounts.push(prokura.create(&token, body).await.1);
    }
    let mut wrong = Vec::new();
    for account in &accounts {
        wrong.push(account.with_secret_of(&prokura.root));
    }
    // Each minute adds events, and the number of calls that succeed varies: a few reads, and a write for some of the
    // events.
    for calls in [0, 3, 30, 40, 10] {
        for credentials in &wrong {
            fail_to_log_in(&prokura, credentials).await;
        }
        prokura.advance(MINUTE);
        prokura.watch.fail_after(calls);
        let failed = prokura.authority.flush_refused_logins().await;
        failed.unwrap_err();
        prokura.watch.mend();
    }
    assert!(!refused_login_counts(&prokura, &token).await.is_empty());
    prokura.authority.flush_refused_logins().await.unwrap();
    let events = list_refused_logins(&prokura, &token, "").await;
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

/// Concurrent refusals are all counted, and two concurrent flushes write nothing twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_refusals_are_each_counted_once() {
    const ROUNDS: usize = 20;
    let (prokura, token, ci) = start_with_account().await;
    let wrong = ci.with_secret_of(&prokura.root);
    for _ in 0..ROUNDS {
        let refusals = (0..4).map(|_| fail_to_log_in(&prokura, &wrong));
        let flushes = (0..2).map(|_| prokura.authority.flush_refused_logins());
        let ((), _, flushed) = tokio::join!(
            async { prokura.advance(MINUTE / 2) },
            join_all(refusals),
            join_all(flushes)
        );
        assert!(flushed.iter().all(Result::is_ok));
    }
    end_minute(&prokura).await;
    let counts = refused_login_counts(&prokura, &token).await;
    let counts = counts
        .iter()
        .map(|changes| changes["count"].as_str().unwrap().parse::<usize>().unwrap());
    assert_eq!(counts.sum::<usize>(), 4 * ROUNDS);
}

/// On SQLite there is only one node.
#[tokio::test]
async fn each_node_records_what_it_refused() {
    if DATABASE == Database::Sqlite {
        return;
    }
    let (one, token, ci) = start_with_account().await;
    let two = one.another_node(Options::default()).await;
    let wrong = ci.with_secret_of(&one.root);
    fail_to_log_in(&one, &wrong).await;
    fail_to_log_in(&two, &wrong).await;
    fail_to_log_in(&two, &wrong).await;
    tokio::join!(end_minute(&one), end_minute(&two));
    let mut changes = refused_login_counts(&one, &token).await;
    changes.sort_by_key(|changes| changes["count"].to_string());
    let count = |count: &str| json!({ "count": count, "wrongSecret": count });
    assert_eq!(changes, [count("1"), count("2")]);
}
