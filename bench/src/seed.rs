//! A database full of accounts whose secrets are known: made through the store, so that it is what a server would have
//! made, audit trail included. The same accounts every time.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use anyhow::Context as _;
use aws_lc_rs::digest::{SHA256, digest};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use prokura_server::{
    authority::{SystemEntropy, open_data_keys},
    domain::{
        Action, Actor, AuditEvent, ClientSecret, Name, OrganizationId, ScopeSet, SecretId,
        ServiceAccount, ServiceAccountId, StoredSecret, Timestamp,
    },
    keys::{DataKeys, MasterKey},
    store::{Organization, Sqlite, SqliteAccess, Store},
};

/// The resources beside the management API, one for each algorithm, as the configuration has them.
pub(crate) const RESOURCES: &str = r#"
[[resources]]
identifier = "https://es256.example.com"
scopes = ["es256:use"]
signing_algorithm = "ES256"

[[resources]]
identifier = "https://eddsa.example.com"
scopes = ["eddsa:use"]
signing_algorithm = "EdDSA"

[[resources]]
identifier = "https://rs256.example.com"
scopes = ["rs256:use"]
signing_algorithm = "RS256"
"#;

const SCOPES: &str = "eddsa:use es256:use management:all rs256:use";
/// The first account was made at the beginning of 2026, each further one a second later.
const BEGINNING_MS: i64 = 1_767_225_600_000;
/// Creations under way at once; the writer commits those together that wait together.
const AT_ONCE: usize = 256;

/// Which account this is: they are numbered from 0.
pub(crate) type Number = u32;

/// The id of an account.
pub(crate) fn id(number: Number) -> ServiceAccountId {
    let [_, random @ ..] = derived::<11>("account", number);
    ServiceAccountId::new(made_at(number), random)
}

/// Its secret.
pub(crate) fn secret(number: Number) -> ClientSecret {
    ClientSecret::from_random(derived("secret", number))
}

/// The master key of every seeded database.
const MASTER_KEY: [u8; MasterKey::BYTES] = *b"of benchmarks and of nothing els";

/// Makes a SQLite database with so many accounts of one organization in `directory`, which is made as well, with the master
/// key beside it.
pub(crate) async fn fill(directory: &Path, accounts: Number) -> anyhow::Result<()> {
    fs::create_dir_all(directory)?;
    write_private(
        &directory.join("master.key"),
        &MasterKey::encode(&MASTER_KEY),
    )?;
    let database = Sqlite::open(&directory.join("prokura.db"), SqliteAccess::Server)?;
    let store = Store::new(database);
    store.migrate().await?;
    let master = MasterKey::from_bytes(&MASTER_KEY).into();
    let (material, _) = open_data_keys(&store, &master, &SystemEntropy::default()).await?;
    let keys = DataKeys::new(&material);

    let organization = Organization {
        id: OrganizationId::from_bytes(*id(0).as_bytes()),
        name: Name::parse("Benchmark".to_owned())?,
        created_at: made_at(0),
    };
    let (first, first_secret) = account(0, organization.id, &keys)?;
    let events = [
        event(Action::CreateOrganization, organization.id, &first),
        event(Action::CreateServiceAccount, organization.id, &first),
    ];
    store
        .bootstrap_first(&organization, &first, &first_secret, events)
        .await?;
    stream::iter(1..accounts)
        .map(|number| {
            let (store, keys) = (&store, &keys);
            async move {
                let (account, secret) = account(number, organization.id, keys)?;
                let event = event(Action::CreateServiceAccount, organization.id, &account);
                store
                    .create_service_account(&account, &secret, event, None)
                    .await?;
                anyhow::Ok(())
            }
        })
        .buffer_unordered(AT_ONCE)
        .try_collect::<()>()
        .await
        .context("cannot fill the database")
}

fn account(
    number: Number,
    organization: OrganizationId,
    keys: &DataKeys,
) -> anyhow::Result<(ServiceAccount, StoredSecret)> {
    let at = made_at(number);
    let secret = secret(number);
    let creator = (number > 0).then(|| id(0));
    let name = Name::parse(format!("Service account {number:07}"))?;
    let account = ServiceAccount {
        scopes: ScopeSet::parse(SCOPES)?,
        ..ServiceAccount::new(id(number), organization, name, at, creator)
    };
    let [_, random @ ..] = derived::<11>("secret id", number);
    let stored = StoredSecret {
        id: SecretId::new(at, random),
        digest: keys.digest(&secret),
        hint: secret.hint().to_owned(),
        created_at: at,
        created_by: creator,
        expires_at: None,
        retires_at: None,
        revoked_at: None,
        first_used_at: None,
        last_used_at: None,
    };
    Ok((account, stored))
}

fn event(action: Action, organization: OrganizationId, account: &ServiceAccount) -> AuditEvent {
    AuditEvent {
        organization_id: organization,
        at: account.created_at,
        actor: Actor::ServiceAccount(id(0)),
        action,
        target: account.id.to_string(),
        request_id: Some("0123456789abcdef-0".to_owned()),
        address: Some([127, 0, 0, 1].into()),
        detail: account.stated(),
    }
}

const fn made_at(number: Number) -> Timestamp {
    Timestamp::from_millis(BEGINNING_MS + number as i64 * 1000)
}

/// Bytes that look random and are the same every time.
fn derived<const N: usize>(what: &str, number: Number) -> [u8; N] {
    let whole = digest(&SHA256, format!("prokura bench {what} {number}").as_bytes());
    let mut bytes = [0; N];
    bytes.copy_from_slice(&whole.as_ref()[..N]);
    bytes
}

/// Writes a file that only its owner may read.
pub(crate) fn write_private(path: &Path, text: &str) -> anyhow::Result<()> {
    fs::write(path, text)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_the_same_every_time_and_like_no_other() {
        assert_eq!(id(7), id(7));
        assert_ne!(id(7), id(8));
        assert_eq!(secret(7).expose(), secret(7).expose());
        assert_ne!(secret(7).expose(), secret(8).expose());
    }
}
