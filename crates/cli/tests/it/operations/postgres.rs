//! The store on PostgreSQL: what is PostgreSQL's own, its TLS, its failures, its many nodes.

use std::{net::TcpListener, ops::RangeInclusive, path::Path, pin::pin, time::Duration};

use futures_util::{
    FutureExt as _, StreamExt as _,
    future::{join, join_all},
    stream::FuturesUnordered,
};
use prokura_server::{
    domain::{
        AccessToken, AccountFilter, Action, Actor, AuditEvent, Name, OrganizationId, ScopeSet,
        SecretDigest, SecretId, ServiceAccount, ServiceAccountId, StoredSecret, Timestamp, TokenId,
    },
    store::{
        Credentials, Found, IdempotentRequest, ListPosition, MigrateError, Once, Organization,
        Postgres, Rotation, SecretsChange, Store, StoreError, Target,
    },
};
use tokio_postgres::{Client, NoTls};

use crate::harness::postgres::{ca_certificate, fresh_database, port};

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

// TLS.

#[tokio::test]
async fn require_encrypts_and_asks_nobody_who_he_is() {
    assert!(is_encrypted("127.0.0.1", "sslmode=require").await.unwrap());
}

#[tokio::test]
async fn what_can_be_encrypted_is_encrypted_by_default() {
    assert!(is_encrypted("127.0.0.1", "").await.unwrap());
    assert!(is_encrypted("127.0.0.1", "sslmode=prefer").await.unwrap());
}

#[tokio::test]
async fn disable_does_not_encrypt() {
    let encrypted = is_encrypted("127.0.0.1", "sslmode=disable").await.unwrap();
    assert!(!encrypted);
}

#[tokio::test]
async fn verify_full_wants_the_authority_and_the_name() {
    let right = format!(
        "sslmode=verify-full&sslrootcert={}",
        encoded(&ca_certificate())
    );
    assert!(is_encrypted("localhost", &right).await.unwrap());
    let error = is_encrypted("127.0.0.1", &right).await.unwrap_err();
    assert!(error.contains("not valid for name"), "{error}");

    let stranger = another_authority();
    let wrong = format!(
        "sslmode=verify-full&sslrootcert={}",
        encoded(stranger.path())
    );
    let error = is_encrypted("localhost", &wrong).await.unwrap_err();
    assert!(error.contains("invalid peer certificate"), "{error}");
}

#[tokio::test]
async fn verify_ca_wants_the_authority_whatever_the_name() {
    // libpq's rule: with an authority's file, `require` means `verify-ca`.
    for mode in ["verify-ca", "require"] {
        let right = format!("sslmode={mode}&sslrootcert={}", encoded(&ca_certificate()));
        assert!(is_encrypted("127.0.0.1", &right).await.unwrap());

        let stranger = another_authority();
        let wrong = format!("sslmode={mode}&sslrootcert={}", encoded(stranger.path()));
        let error = is_encrypted("127.0.0.1", &wrong).await.unwrap_err();
        assert!(error.contains("invalid peer certificate"), "{error}");
    }
}

// The URL.

#[test]
fn a_url_that_cannot_be_used_says_why_and_never_what_the_password_is() {
    for (url, why) in [
        ("mysql://u:hunter2@host/db", "begins with postgres://"),
        ("host=localhost password=hunter2", "begins with postgres://"),
        ("postgres://u:hunter2@/db", "names no host"),
        ("postgres:///db?user=u&password=hunter2", "names no host"),
        (
            "postgres://u:hunter2@host/db?sslmode=allow",
            "must be one of disable",
        ),
        (
            "postgres://u:hunter2@host/db?sslmode=",
            "must be one of disable",
        ),
        (
            "postgres://u:hunter2@host/db?sslrootcert=system",
            "add sslmode=verify-full",
        ),
        (
            "postgres://u:hunter2@host/db?sslmode=verify-ca",
            "use sslmode=verify-full",
        ),
        (
            "postgres://u:hunter2@host/db?sslmode=verify-full&sslrootcert=%2Fno%2Fsuch.pem",
            "cannot read the certificates in sslrootcert=/no/such.pem",
        ),
        (
            "postgres://u:hunter2@host/db?sslmode=verify-full&sslrootcert=/dev/null",
            "/dev/null holds no certificate",
        ),
        ("postgres://u:hunter2@host/db?sslcert=me.pem", "not known"),
        ("postgres://u:hunter2@host/db?ssl=true", "not known"),
        (
            "postgres://u:hunter2@host/db?sslmode",
            "cannot be told apart",
        ),
        (
            "postgres://u:hunter2@host:port/db",
            "invalid value for option `port`",
        ),
        (
            "postgres://u:hunter2@host/db?target_session_attrs=x",
            "target_session_attrs",
        ),
        // Passwords that were not encoded.
        ("postgres://u:p@hunter2@host/db", "write @ as %40"),
        ("postgres://u:p/hunter2@host/db", "write @ as %40"),
        ("postgres://u:p?hunter2=x@host/db", "write @ as %40"),
        (
            "postgres://host/db?user=u&password=p&hunter2=x",
            "not known",
        ),
    ] {
        let error = Postgres::connect(url, 1).err().expect(url);
        let message = format!("{error} {error:?}");
        assert!(message.contains(why), "{url}: {message}");
        assert!(!message.contains("hunter2"), "{message}");
    }
}

#[tokio::test]
async fn a_url_may_name_several_hosts_and_sockets() {
    let nobody = free_port();
    let url = fresh_database();
    let (_, database) = url.rsplit_once('/').unwrap();
    let socket = encoded(ca_certificate().parent().unwrap());
    for url in [
        format!(
            "postgresql://postgres@127.0.0.1:{nobody},127.0.0.1:{}/{database}",
            port()
        ),
        format!(
            "postgres://postgres@{socket}:{}/{database}?sslmode=require",
            port()
        ),
        format!(
            "postgres:///{database}?user=postgres&host={socket}&port={}",
            port()
        ),
    ] {
        let found = store(&url).schema_version().await;
        assert_eq!(found.unwrap().0, None, "{url}");
    }
}

// The schema.

#[tokio::test(flavor = "multi_thread")]
async fn three_nodes_that_migrate_at_once_migrate_once() {
    let url = fresh_database();
    let nodes = [store(&url), store(&url), store(&url)];
    assert_eq!(nodes[0].schema_version().await.unwrap().0, None);
    for migrated in join_all(nodes.iter().map(Store::migrate)).await {
        migrated.unwrap();
    }
    let (found, known) = nodes[0].schema_version().await.unwrap();
    assert_eq!(found, Some(known));
    assert_eq!(count(&url, "prokura_schema").await, known);
    nodes[0].migrate().await.unwrap();
}

#[tokio::test]
async fn a_schema_of_a_newer_build_is_refused() {
    let (url, store) = migrated().await;
    run(&url, "INSERT INTO prokura_schema VALUES (1000)").await;
    for refused in [
        store.migrate().await.err(),
        store.schema_version().await.err(),
    ] {
        let refused = refused.unwrap();
        assert!(
            matches!(refused, MigrateError::Newer { found: 1000, .. }),
            "{refused}"
        );
    }
}

#[tokio::test]
async fn a_database_with_tables_of_somebody_else_is_refused_and_left_alone() {
    let url = fresh_database();
    run(&url, "CREATE TABLE customers (id int)").await;
    let refused = store(&url).migrate().await.unwrap_err();
    assert!(
        matches!(&refused, MigrateError::Foreign(table) if table == "customers"),
        "{refused}"
    );
    assert_eq!(
        count(&url, "pg_tables WHERE schemaname = 'public'").await,
        1
    );
}

// Writes.

#[tokio::test]
async fn a_write_whose_first_step_touches_nothing_changes_nothing() {
    let (url, store) = migrated().await;
    let first = bootstrapped(&store).await;
    let (organization, account, secret, events) = newcomer(2, "Acme");
    let made = store
        .bootstrap_another(&organization, &account, &secret, events)
        .await;
    assert!(!made.unwrap());
    assert!(find(&store, &account).await.is_none());
    assert!(find(&store, &first).await.is_some());
    assert_eq!(count(&url, "organizations").await, 1);
    assert_eq!(count(&url, "audit_events").await, 2);
}

#[tokio::test]
async fn a_write_that_fails_midway_changes_nothing_and_quotes_nothing() {
    let (url, store) = migrated().await;
    let account = bootstrapped(&store).await;
    let nowhere = ServiceAccount {
        organization_id: OrganizationId::from_bytes([9; 16]),
        ..account
    };
    let failed = revoke(&store, &nowhere, 1).await;
    assert!(described(&failed.unwrap_err()).contains("the organization is gone"));
    assert_eq!(count(&url, "revoked_tokens").await, 0);

    let failed = store
        .create_service_account(
            &nowhere,
            &secret(9),
            event(&nowhere, Action::CreateServiceAccount),
            None,
        )
        .await;
    let said = described(&failed.unwrap_err());
    assert!(said.contains("SQLSTATE 23505"), "{said}");
    assert!(!said.contains("DETAIL") && !said.contains("\\x"), "{said}");
    // The connection is as good as new.
    assert!(find(&store, &nowhere).await.is_some());
}

/// An account may vanish between the look at it and the write, which no request can be made to hit.
#[tokio::test]
async fn a_refusal_of_what_is_to_be_done_once_says_the_same_and_is_not_remembered() {
    let (url, store) = migrated().await;
    let account = bootstrapped(&store).await;
    let (organization, now) = (account.organization_id, NOW);
    let request = IdempotentRequest {
        id: [1; 32],
        sealed_answer: vec![2],
        now,
        expires_at: now.plus_seconds(1),
    };
    let add = async |id, number, request| {
        let event = event(&account, Action::AddSecret);
        let secret = secret(number);
        let target = Target {
            organization,
            id,
            version: None,
        };
        let added = store.add_secret(target, &secret, now, event, request);
        added.await.unwrap()
    };
    let nobody = ServiceAccountId::from_bytes([9; 16]);
    let refused = add(nobody, 9, Some(&request)).await;
    assert_eq!(refused, Once::Now(SecretsChange::NoAccount));
    for number in 5..9 {
        let added = add(account.id, number, None).await;
        assert_eq!(added, Once::Now(SecretsChange::Done));
    }
    let refused = add(account.id, 9, Some(&request)).await;
    assert_eq!(refused, Once::Now(SecretsChange::Refused));
    assert_eq!(count(&url, "idempotent_requests").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn events_of_writes_at_once_line_up() {
    let (url, store) = migrated().await;
    let account = bootstrapped(&store).await;
    let revoked = join_all((0..20).map(|number| revoke(&store, &account, number))).await;
    assert!(revoked.into_iter().all(Result::unwrap));
    assert_eq!(count(&url, "revoked_tokens").await, 20);
    assert_eq!(
        count(&url, "audit_events WHERE sequence BETWEEN 1 AND 22").await,
        22
    );
    assert_eq!(
        count(&url, "organizations WHERE audit_sequence = 22").await,
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_runs_to_its_end_though_its_caller_hangs_up() {
    let (url, store) = migrated().await;
    let account = bootstrapped(&store).await;
    assert!(revoke(&store, &account, 1).now_or_never().is_none());
    let written = async { while count(&url, "revoked_tokens").await == 0 {} };
    tokio::time::timeout(Duration::from_secs(10), written)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_write_is_durable_whatever_the_servers_default() {
    let (url, _) = migrated().await;
    run(&url, "CREATE TABLE seen (setting text); \
               CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
                   INSERT INTO seen VALUES (current_setting('synchronous_commit')); RETURN NULL; END $$; \
               CREATE TRIGGER see AFTER INSERT ON installation FOR EACH ROW EXECUTE FUNCTION see(); \
               DO $$ BEGIN EXECUTE 'ALTER DATABASE ' || current_database() || ' SET synchronous_commit = off'; END $$")
    .await;
    // The default holds for connections opened from now on.
    let store = self::store(&url);
    store.claim_installation([1; 32]).await.unwrap();
    assert_eq!(count(&url, "seen WHERE setting = 'on'").await, 1);
}

#[tokio::test]
async fn what_is_written_comes_back() {
    let (_, store) = migrated().await;
    let account = bootstrapped(&store).await;
    let organization = account.organization_id;
    assert_eq!(store.claim_installation([8; 32]).await.unwrap(), [7; 32]);

    let all = AccountFilter::default();
    let listed = store
        .list_service_accounts(organization, &all, ListPosition::START, 10, NOW)
        .await
        .unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!((listed[0].id, &listed[0].name), (account.id, &account.name));
    assert!(listed[0].description.is_none() && listed[0].last_used_at.is_none());
    let behind = ListPosition::after(&account);
    assert!(
        store
            .list_service_accounts(organization, &all, behind, 10, NOW)
            .await
            .unwrap()
            .is_empty()
    );

    let target = Target {
        organization,
        id: account.id,
        version: None,
    };
    let new = secret(5);
    let rotation = Rotation {
        secret: new.clone(),
        grace_until: None,
        revoke_tokens: false,
    };
    let rotated = event(&account, Action::RotateSecret);
    let rotated = store
        .rotate_secret(target, &rotation, NOW, rotated, None)
        .await;
    assert_eq!(rotated.unwrap(), Once::Now(SecretsChange::Done));
    let credentials = find(&store, &account).await.unwrap();
    assert_eq!(credentials.secrets.len(), 1);
    assert!(credentials.secrets[0].digest.matches(&new.digest));

    assert!(revoke(&store, &account, 1).await.unwrap());
    assert!(!revoke(&store, &account, 1).await.unwrap());
    let token = token(&account, 1);
    let state = store
        .find_token_state(account.id, token.id)
        .await
        .unwrap()
        .unwrap();
    assert!(state.is_revoked);

    let deleted = event(&account, Action::DeleteServiceAccount);
    let deleted = store.delete_service_account(target, deleted).await;
    assert!(deleted.unwrap());
    let gone = store.find_service_account(organization, account.id).await;
    assert!(gone.unwrap().is_none());
}

// Failures.

#[tokio::test]
async fn a_server_that_is_not_there_is_an_error() {
    let url = format!("postgres://postgres@127.0.0.1:{}/none", free_port());
    let error = described(&store(&url).installation().await.unwrap_err());
    assert!(error.contains("refused"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_the_server_ends_are_survived_by_the_next_read_and_write() {
    let (url, store) = migrated().await;
    let account = bootstrapped(&store).await;
    for number in 0..10 {
        // As many at once as there are connections, so that every one of them is open.
        join_all((0..4).map(|_| store.installation())).await;
        run(&url, END_SESSIONS).await;
        if number % 2 == 0 {
            store.installation().await.unwrap();
        } else {
            assert!(revoke(&store, &account, number).await.unwrap());
        }
    }
}

/// What is read at the same time goes over one connection, so what is lost with it is every answer under way.
#[tokio::test(flavor = "multi_thread")]
async fn reads_under_way_on_a_connection_that_the_server_ends_all_succeed() {
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
    // Where one round found no connection open, it left one for the next.
    assert!(ended >= 10, "{ended}");
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_at_once_share_a_connection() {
    let (url, store) = migrated().await;
    let account = bootstrapped(&store).await;
    let found = join_all((0..64).map(|_| find(&store, &account))).await;
    assert!(found.iter().all(Option::is_some));
    // One connection for reads, one on which the account was made.
    let sessions =
        "pg_stat_activity WHERE datname = current_database() AND application_name = 'prokura'";
    assert_eq!(count(&url, sessions).await, 2);
}

/// Whoever shares its connection.
#[tokio::test(flavor = "multi_thread")]
async fn a_read_that_fails_leaves_those_beside_it_alone() {
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
async fn a_schema_changed_by_a_newer_node_does_not_disturb_an_older_one() {
    let (url, store) = migrated().await;
    store.claim_installation([7; 32]).await.unwrap();
    store.installation().await.unwrap();
    run(
        &url,
        "ALTER TABLE installation ALTER COLUMN bootstrapped_at TYPE int USING 5",
    )
    .await;
    let (_, at) = store.installation().await.unwrap().unwrap();
    assert_eq!(at, Some(Timestamp::from_millis(5)));
}

// Look-ups: those at the same time are asked for together.

#[tokio::test(flavor = "multi_thread")]
async fn look_ups_at_once_are_each_answered_with_their_own() {
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
    // The first waits for the lock, and all others for the first.
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
async fn states_of_tokens_at_once_are_each_answered_with_their_own() {
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
async fn whoever_hangs_up_disturbs_none_of_those_he_asked_with() {
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
        // The first among them, who are on their way.
        number % 3 == 0
    });
    other.batch_execute("COMMIT").await.unwrap();
    assert!(join_all(asked).await.iter().all(Option::is_some));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_acknowledged_is_seen_by_every_look_up_asked_for_afterwards() {
    let (url, store) = migrated().await;
    let account = bootstrapped(&store).await;
    let node = self::store(&url);
    let target = Target {
        organization: account.organization_id,
        id: account.id,
        version: None,
    };
    let rotations = async {
        for number in 2..40 {
            let rotation = Rotation {
                secret: secret(number),
                grace_until: None,
                revoke_tokens: false,
            };
            let rotated = event(&account, Action::RotateSecret);
            let rotated = store.rotate_secret(target, &rotation, NOW, rotated, None);
            assert_eq!(rotated.await.unwrap(), Once::Now(SecretsChange::Done));
            let found = [&store, &node].map(|node| find(node, &account));
            for found in join_all(found).await {
                let secrets = &found.unwrap().secrets;
                assert_eq!(secrets.len(), 1);
                assert!(secrets[0].digest.matches(&secret(number).digest));
            }
        }
    };
    let mut rotations = pin!(rotations);
    // So many under way at any time that there is always one that was sent before.
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

/// Nobody is told what another's look-up failed of, and what failed is not asked again in the same way.
#[tokio::test(flavor = "multi_thread")]
async fn look_ups_that_fail_together_each_say_why_and_go_well_when_they_can_again() {
    let (url, store) = migrated().await;
    let account = bootstrapped(&store).await;
    assert!(find(&store, &account).await.is_some());
    for _ in 0..3 {
        run(&url, "ALTER TABLE secrets RENAME TO hidden").await;
        let failed = (0..100).map(|_| store.find_credentials(account.id, |_| Ok::<_, ()>(())));
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

// What the tests are made of.

/// Ends every connection of the store, and says how many there were.
const END_SESSIONS: &str = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
                            WHERE datname = current_database() AND application_name = 'prokura'";

fn store(url: &str) -> Store {
    Store::new(Postgres::connect(url, 4).unwrap())
}

async fn migrated() -> (String, Store) {
    let url = fresh_database();
    let store = store(&url);
    store.migrate().await.unwrap();
    (url, store)
}

/// Claims the store and makes its first organization, "Acme", with this account.
async fn bootstrapped(store: &Store) -> ServiceAccount {
    assert_eq!(store.claim_installation([7; 32]).await.unwrap(), [7; 32]);
    let (organization, account, secret, events) = newcomer(1, "Acme");
    let made = store
        .bootstrap_first(&organization, &account, &secret, events)
        .await;
    assert!(made.unwrap());
    account
}

fn newcomer(
    number: u8,
    name: &str,
) -> (Organization, ServiceAccount, StoredSecret, [AuditEvent; 2]) {
    let organization = Organization {
        id: OrganizationId::from_bytes([number; 16]),
        name: Name::parse(name.to_owned()).unwrap(),
        created_at: NOW,
    };
    let account = ServiceAccount {
        scopes: ScopeSet::parse("management:all").unwrap(),
        ..ServiceAccount::new(
            ServiceAccountId::from_bytes([number; 16]),
            organization.id,
            Name::parse("CI 👩‍💻".to_owned()).unwrap(),
            NOW,
            None,
        )
    };
    let events = [Action::CreateOrganization, Action::CreateServiceAccount];
    let events = events.map(|action| event(&account, action));
    (organization, account, secret(number), events)
}

/// `first`, and further accounts of its organization with these numbers; the secret of each has its number.
async fn accounts(
    store: &Store,
    first: &ServiceAccount,
    numbers: RangeInclusive<u8>,
) -> Vec<ServiceAccount> {
    let mut accounts = vec![first.clone()];
    for number in numbers {
        let account = ServiceAccount {
            id: ServiceAccountId::from_bytes([number; 16]),
            ..first.clone()
        };
        let event = event(&account, Action::CreateServiceAccount);
        let secret = secret(number);
        let made = store.create_service_account(&account, &secret, event, None);
        assert_eq!(made.await.unwrap(), Once::Now(()));
        accounts.push(account);
    }
    accounts
}

async fn find(store: &Store, account: &ServiceAccount) -> Option<Credentials> {
    find_id(store, account.id).await
}

async fn find_id(store: &Store, id: ServiceAccountId) -> Option<Credentials> {
    match store.find_credentials(id, |_| Ok::<_, ()>(())).await {
        Ok(Found::Proven(found, ())) => Some(found),
        found => {
            found.unwrap();
            None
        }
    }
}

/// Nobody else sees a secret until the transaction ends.
async fn lock_secrets(client: &Client) {
    let lock = "BEGIN; LOCK TABLE secrets IN ACCESS EXCLUSIVE MODE";
    client.batch_execute(lock).await.unwrap();
}

/// Until somebody waits for what is locked in this database.
async fn wait_for_lock(client: &Client) {
    let waits = "SELECT EXISTS (SELECT 1 FROM pg_locks JOIN pg_database ON database = pg_database.oid \
                 WHERE datname = current_database() AND NOT granted)";
    let waits = async {
        while !client
            .query_one(waits, &[])
            .await
            .unwrap()
            .get::<_, bool>(0)
        {}
    };
    tokio::time::timeout(Duration::from_secs(5), waits)
        .await
        .unwrap();
}

/// Revokes the token `number` of `account`.
async fn revoke(store: &Store, account: &ServiceAccount, number: u8) -> Result<bool, StoreError> {
    let event = event(account, Action::RevokeToken);
    store.revoke_token(&token(account, number), event).await
}

fn secret(number: u8) -> StoredSecret {
    StoredSecret {
        id: SecretId::from_bytes([number; 16]),
        digest: SecretDigest::from_bytes([number; 32]),
        hint: "abcd".to_owned(),
        created_at: NOW,
        created_by: None,
        expires_at: None,
        retires_at: None,
        revoked_at: None,
        first_used_at: None,
        last_used_at: None,
    }
}

fn token(account: &ServiceAccount, number: u8) -> AccessToken {
    let id = TokenId::from_bytes([number; 16]);
    AccessToken::mint(
        id,
        &account.into(),
        "https://api.example.com",
        ScopeSet::default(),
        3600,
        NOW,
    )
}

fn event(account: &ServiceAccount, action: Action) -> AuditEvent {
    AuditEvent {
        organization_id: account.organization_id,
        at: NOW,
        actor: Actor::ServiceAccount(account.id),
        action,
        target: account.id.to_string(),
        request_id: None,
        address: Some([127, 0, 0, 1].into()),
        detail: vec![("name", "CI".to_owned())],
    }
}

/// Whether the store's connection to a fresh database at `host` is encrypted; the error if there is none.
async fn is_encrypted(host: &str, parameters: &str) -> Result<bool, String> {
    let url = fresh_database();
    let store = store(&format!("{}?{parameters}", url.replace("127.0.0.1", host)));
    store
        .schema_version()
        .await
        .map_err(|error| described(&error))?;
    let sessions = "SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) \
                    WHERE datname = current_database() AND application_name = 'prokura'";
    let row = client(&url).await.query_one(sessions, &[]).await;
    Ok(row.unwrap().get(0))
}

async fn count(url: &str, from: &str) -> i64 {
    let row = client(url)
        .await
        .query_one(&format!("SELECT count(*) FROM {from}"), &[])
        .await;
    row.unwrap().get(0)
}

async fn run(url: &str, sql: &str) {
    client(url).await.batch_execute(sql).await.unwrap();
}

/// A connection that the store knows nothing of.
async fn client(url: &str) -> Client {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

fn another_authority() -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    let stranger = rcgen::generate_simple_self_signed(["stranger".to_owned()]).unwrap();
    std::fs::write(file.path(), stranger.cert.pem()).unwrap();
    file
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

fn encoded(path: &Path) -> String {
    path.to_str().unwrap().replace('/', "%2F")
}

/// An error with all its causes.
fn described(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}
