//! The store on PostgreSQL: connecting and migrating.

mod reads;
mod writes;

use std::{net::TcpListener, ops::RangeInclusive, path::Path, time::Duration};

use futures_util::future::join_all;
use prokura_server::{
    domain::{
        AccessToken, Action, Actor, AuditEvent, Name, OrganizationId, ScopeSet, SecretDigest,
        SecretId, ServiceAccount, ServiceAccountId, StoredSecret, Timestamp, TokenId,
    },
    store::{
        ClientWithSecrets, Found, MigrateError, Once, Organization, Postgres, Store, StoreError,
        StoredDataKeys,
    },
};
use tokio_postgres::{Client, NoTls};

use crate::harness::postgres::{ca_certificate, fresh_database, port};

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

#[tokio::test]
async fn require_encrypts_without_checking_the_certificate() {
    assert!(is_encrypted("127.0.0.1", "sslmode=require").await.unwrap());
}

#[tokio::test]
async fn connections_are_encrypted_by_default_where_possible() {
    assert!(is_encrypted("127.0.0.1", "").await.unwrap());
    assert!(is_encrypted("127.0.0.1", "sslmode=prefer").await.unwrap());
}

#[tokio::test]
async fn disable_does_not_encrypt() {
    let encrypted = is_encrypted("127.0.0.1", "sslmode=disable").await.unwrap();
    assert!(!encrypted);
}

#[tokio::test]
async fn verify_full_checks_the_ca_and_the_name() {
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
async fn verify_ca_checks_the_ca_and_not_the_name() {
    // As in libpq, `require` means `verify-ca` if there is a CA file.
    for mode in ["verify-ca", "require"] {
        let right = format!("sslmode={mode}&sslrootcert={}", encoded(&ca_certificate()));
        assert!(is_encrypted("127.0.0.1", &right).await.unwrap());

        let stranger = another_authority();
        let wrong = format!("sslmode={mode}&sslrootcert={}", encoded(stranger.path()));
        let error = is_encrypted("127.0.0.1", &wrong).await.unwrap_err();
        assert!(error.contains("invalid peer certificate"), "{error}");
    }
}

#[test]
fn an_invalid_url_is_explained_without_its_password() {
    for (url, why) in [
        (
            "mysql://u:hunter2@host/db",
            "does not begin with postgres://",
        ),
        (
            "host=localhost password=hunter2",
            "does not begin with postgres://",
        ),
        ("postgres://u:hunter2@/db", "has no host"),
        ("postgres:///db?user=u&password=hunter2", "has no host"),
        (
            "postgres://u:hunter2@host/db?sslmode=allow",
            "must be disable",
        ),
        ("postgres://u:hunter2@host/db?sslmode=", "must be disable"),
        (
            "postgres://u:hunter2@host/db?sslrootcert=system",
            "sslrootcert has no effect",
        ),
        (
            "postgres://u:hunter2@host/db?sslmode=verify-ca",
            "sslmode=verify-ca is not safe",
        ),
        (
            "postgres://u:hunter2@host/db?sslmode=verify-full&sslrootcert=%2Fno%2Fsuch.pem",
            "cannot read the certificates in sslrootcert=/no/such.pem",
        ),
        (
            "postgres://u:hunter2@host/db?sslmode=verify-full&sslrootcert=/dev/null",
            "/dev/null contains no PEM certificate",
        ),
        (
            "postgres://u:hunter2@host/db?sslcert=me.pem",
            "unknown parameter",
        ),
        ("postgres://u:hunter2@host/db?ssl=true", "unknown parameter"),
        ("postgres://u:hunter2@host/db?sslmode", "is ambiguous"),
        (
            "postgres://u:hunter2@host:port/db",
            "invalid value for option `port`",
        ),
        (
            "postgres://u:hunter2@host/db?target_session_attrs=x",
            "target_session_attrs",
        ),
        // Passwords with characters that must be percent-encoded.
        ("postgres://u:p@hunter2@host/db", "is ambiguous"),
        ("postgres://u:p/hunter2@host/db", "is ambiguous"),
        ("postgres://u:p?hunter2=x@host/db", "is ambiguous"),
        (
            "postgres://host/db?user=u&password=p&hunter2=x",
            "unknown parameter",
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
        let found = open(&url).schema_version().await;
        assert_eq!(found.unwrap().0, None, "{url}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn three_nodes_that_start_at_once_migrate_once() {
    let url = fresh_database();
    let nodes = [open(&url), open(&url), open(&url)];
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
async fn a_database_with_other_tables_is_refused_and_left_unchanged() {
    let url = fresh_database();
    run(&url, "CREATE TABLE customers (id int)").await;
    let refused = open(&url).migrate().await.unwrap_err();
    assert!(
        matches!(&refused, MigrateError::Foreign(table) if table == "customers"),
        "{refused}"
    );
    assert_eq!(
        count(&url, "pg_tables WHERE schemaname = 'public'").await,
        1
    );
}

/// Ends every connection of the store: how many there were.
const END_SESSIONS: &str = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
                            WHERE datname = current_database() AND application_name = 'prokura'";

fn open(url: &str) -> Store {
    Store::new(Postgres::connect(url, 4).unwrap())
}

async fn migrated() -> (String, Store) {
    let url = fresh_database();
    let store = open(&url);
    store.migrate().await.unwrap();
    (url, store)
}

/// Claims the installation for a master key with this check value. `false`: it is claimed already.
async fn claim(store: &Store, check: u8) -> bool {
    let keys = StoredDataKeys {
        master_key_check: [check; 32],
        keys: Vec::new(),
    };
    store.claim_installation(&keys).await.unwrap()
}

/// Prepares the store and creates its first organization, "Acme", with this account.
async fn bootstrapped(store: &Store) -> ServiceAccount {
    assert!(claim(store, 7).await);
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

/// `first` and further accounts of its organization with these numbers. The secret of each has the same number.
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

async fn find(store: &Store, account: &ServiceAccount) -> Option<ClientWithSecrets> {
    find_id(store, account.id).await
}

async fn find_id(store: &Store, id: ServiceAccountId) -> Option<ClientWithSecrets> {
    match store.find_client(id, |_| Ok::<_, ()>(())).await {
        Ok(Found::Proven(found, ())) => Some(found),
        found => {
            found.unwrap();
            None
        }
    }
}

/// Locks the secrets: other transactions cannot read them until this one ends.
async fn lock_secrets(client: &Client) {
    let lock = "BEGIN; LOCK TABLE secrets IN ACCESS EXCLUSIVE MODE";
    client.batch_execute(lock).await.unwrap();
}

/// Waits until another transaction waits for the lock.
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

/// Whether the store's connection to a fresh database at `host` is encrypted, or the error if it cannot connect.
async fn is_encrypted(host: &str, parameters: &str) -> Result<bool, String> {
    let url = fresh_database();
    let store = open(&format!("{}?{parameters}", url.replace("127.0.0.1", host)));
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

/// A connection of its own, beside those of the store.
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
