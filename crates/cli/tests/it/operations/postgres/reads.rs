//! Reads from PostgreSQL: shared connections, batched look-ups, and failures of the database.

use std::pin::pin;

use futures_util::{
    FutureExt as _, StreamExt as _,
    future::{join, join_all},
    stream::FuturesUnordered,
};
use prokura_server::{
    domain::{Action, ServiceAccount, ServiceAccountId, Timestamp, TokenId},
    store::{AccountChange, Once, Rotation, Target},
};

use super::{
    END_SESSIONS, NOW, accounts, bootstrapped, claim, client, count, described, event, find,
    find_id, free_port, lock_secrets, migrated, open, revoke, run, secret, wait_for_lock,
};

#[tokio::test]
async fn an_unreachable_server_is_an_error() {
    let url = format!("postgres://postgres@127.0.0.1:{}/none", free_port());
    let error = described(&open(&url).installation().await.unwrap_err());
    assert!(error.contains("refused"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_and_writes_survive_connections_that_the_database_closes() {
    let (url, store) = migrated().await;
    let account = bootstrapped(&store).await;
    for number in 0..10 {
        // As many concurrent calls as there are connections, so that every connection is open.
        join_all((0..4).map(|_| store.installation())).await;
        run(&url, END_SESSIONS).await;
        if number % 2 == 0 {
            store.installation().await.unwrap();
        } else {
            assert!(revoke(&store, &account, number).await.unwrap());
        }
    }
}

/// Concurrent reads share one connection, so losing it loses every read in progress.
#[tokio::test(flavor = "multi_thread")]
async fn reads_in_progress_survive_a_connection_that_the_database_closes() {
    let (url, store) = migrated().await;
    let account = bootstrapped(&store).await;
    let other = client(&url).await;
    let mut ended = 0;
    for _ in 0..20 {
        let reads = join_all((0..64).map(|_| find(&store, &account)));
        let (found, row) = join(reads, other.query_one(END_SESSIONS, &[])).await;
        assert!(found.iter().all(Option::is_some));
        ended += row.unwrap().get::<_, i64>(0);
    }
    // If one round finds no open connection, it leaves one for the next.
    assert!(ended >= 10, "{ended}");
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_reads_share_a_connection() {
    let (url, store) = migrated().await;
    let account = bootstrapped(&store).await;
    let found = join_all((0..64).map(|_| find(&store, &account))).await;
    assert!(found.iter().all(Option::is_some));
    // One connection for reads, and one that wrote the account.
    let sessions =
        "pg_stat_activity WHERE datname = current_database() AND application_name = 'prokura'";
    assert_eq!(count(&url, sessions).await, 2);
}

/// A failing read does not affect other reads on the same connection.
#[tokio::test(flavor = "multi_thread")]
async fn a_failing_read_does_not_affect_other_reads() {
    let (url, store) = migrated().await;
    let account = bootstrapped(&store).await;
    run(&url, "DROP TABLE signing_keys").await;
    for _ in 0..20 {
        let reads = join_all((0..16).map(|_| find(&store, &account)));
        let (found, failed) = join(reads, store.signing_keys()).await;
        assert!(found.iter().all(Option::is_some));
        let said = described(&failed.unwrap_err());
        assert!(said.contains("SQLSTATE 42P01"), "{said}");
    }
}

#[tokio::test]
async fn a_migration_by_a_newer_node_does_not_disturb_an_older_one() {
    let (url, store) = migrated().await;
    assert!(claim(&store, 7).await);
    store.installation().await.unwrap();
    run(
        &url,
        "ALTER TABLE installation ALTER COLUMN bootstrapped_at TYPE int USING 5",
    )
    .await;
    let (_, at) = store.installation().await.unwrap().unwrap();
    assert_eq!(at, Some(Timestamp::from_millis(5)));
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_look_ups_each_get_their_own_result() {
    let (url, store) = migrated().await;
    let first = bootstrapped(&store).await;
    let accounts = accounts(&store, &first, 2..=100).await;
    let other = client(&url).await;
    lock_secrets(&other).await;
    let ask = async |number| {
        let id = ServiceAccountId::from_bytes([number; 16]);
        (number, find_id(&store, id).await)
    };
    let asked = join_all((1..=200).map(ask));
    // The first waits for the lock, and all others wait for the first.
    let (found, ()) = join(asked, async {
        wait_for_lock(&other).await;
        other.batch_execute("COMMIT").await.unwrap();
    })
    .await;
    for (number, found) in found {
        let known = found.as_ref().map(|found| found.client.id);
        let of_number = |account: &&ServiceAccount| account.id.as_bytes() == &[number; 16];
        assert_eq!(
            known,
            accounts.iter().find(of_number).map(|account| account.id)
        );
        if let Some(found) = found {
            assert_eq!(found.secrets.len(), 1);
            assert!(found.secrets[0].digest.matches(&secret(number).digest));
        }
    }
    let statements = "pg_stat_activity WHERE datname = current_database() AND query LIKE '%unnest%LATERAL%' \
                      AND pid <> pg_backend_pid()";
    assert_eq!(count(&url, statements).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_token_checks_each_get_their_own_result() {
    let (_, store) = migrated().await;
    let account = bootstrapped(&store).await;
    let other = accounts(&store, &account, 2..=2).await.remove(1);
    for number in (0..50).step_by(3) {
        assert!(revoke(&store, &account, number).await.unwrap());
    }
    let nobody = ServiceAccountId::from_bytes([9; 16]);
    let states = join_all((0..50).map(|number| {
        let of = [account.id, other.id, nobody][usize::from(number % 3)];
        store.find_token_state(of, TokenId::from_bytes([number; 16]))
    }));
    for (number, state) in states.await.into_iter().enumerate() {
        let state = state
            .unwrap()
            .map(|state| (state.client.id, state.is_revoked));
        let expected = [Some((account.id, true)), Some((other.id, false)), None];
        assert_eq!(state, expected[number % 3], "{number}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_hangs_up_does_not_disturb_the_rest_of_its_batch() {
    let (url, store) = migrated().await;
    let account = bootstrapped(&store).await;
    assert!(find(&store, &account).await.is_some());
    let other = client(&url).await;
    lock_secrets(&other).await;
    let mut asked: Vec<_> = (0..100).map(|_| Box::pin(find(&store, &account))).collect();
    for look_up in &mut asked {
        assert!(look_up.as_mut().now_or_never().is_none());
    }
    wait_for_lock(&other).await;
    let mut number = 0;
    asked.retain(|_| {
        number += 1;
        // The callers of the first reads hang up while they wait.
        number % 3 == 0
    });
    other.batch_execute("COMMIT").await.unwrap();
    assert!(join_all(asked).await.iter().all(Option::is_some));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_acknowledged_write_is_seen_by_every_later_look_up() {
    let (url, store) = migrated().await;
    let account = bootstrapped(&store).await;
    let node = open(&url);
    let rotations = async {
        for number in 2..40 {
            let target = Target {
                organization: account.organization_id,
                id: account.id,
                version: account.version + i64::from(number) - 2,
            };
            let rotation = Rotation {
                secret: secret(number),
                grace_until: None,
                revoke_tokens: false,
            };
            let rotated = event(&account, Action::RotateSecret);
            let rotated = store.rotate_secret(target, &rotation, NOW, rotated, None);
            assert_eq!(rotated.await.unwrap(), Once::Now(AccountChange::Done));
            let found = [&store, &node].map(|node| find(node, &account));
            for found in join_all(found).await {
                let secrets = &found.unwrap().secrets;
                assert_eq!(secrets.len(), 1);
                assert!(secrets[0].digest.matches(&secret(number).digest));
            }
        }
    };
    let mut rotations = pin!(rotations);
    // Enough concurrent look-ups that one is always in progress that began before the write.
    let mut storm: FuturesUnordered<_> = (0..32)
        .map(|number| find([&store, &node][number % 2], &account))
        .collect();
    let mut answered = 0;
    loop {
        tokio::select! {
            biased;
            () = &mut rotations => break,
            found = storm.next() => {
                assert!(found.flatten().is_some());
                answered += 1;
                storm.push(find([&store, &node][answered % 2], &account));
            }
        }
    }
    assert!(answered > 100, "{answered}");
}

/// A caller does not see the error of another look-up, and a failed look-up is not retried in the same batch.
#[tokio::test(flavor = "multi_thread")]
async fn failed_look_ups_each_get_their_own_error_and_later_ones_succeed() {
    let (url, store) = migrated().await;
    let account = bootstrapped(&store).await;
    assert!(find(&store, &account).await.is_some());
    for _ in 0..3 {
        run(&url, "ALTER TABLE secrets RENAME TO hidden").await;
        let failed = (0..100).map(|_| store.find_client(account.id, |_| Ok::<_, ()>(())));
        for failed in join_all(failed).await {
            let said = described(&failed.unwrap_err());
            assert!(said.contains("reading credentials"), "{said}");
            assert!(said.contains("SQLSTATE 42P01"), "{said}");
        }
        run(&url, "ALTER TABLE hidden RENAME TO secrets").await;
        let found = join_all((0..100).map(|_| find(&store, &account))).await;
        assert!(found.iter().all(Option::is_some));
    }
}
