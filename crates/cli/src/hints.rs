//! What to do about an error of the server library. The library says what failed; the flags and commands that fix it are
//! known here.

use prokura_server::{
    authority::{
        BootstrapError, DataKeysError, OpenAuthorityError, OrganizationError,
        PublishResourcesError, RevokeSigningKeyError, Unavailable,
    },
    domain::InvalidResources,
    http::InvalidCertificate,
    keys::InvalidMasterKey,
    store::{DatabaseError, InvalidPostgresUrl, MigrateError, OpenSqliteError},
};

/// The hint for the first error in the chain that has one.
pub(crate) fn of(error: &anyhow::Error) -> Option<String> {
    let hint = error.chain().find_map(|cause| {
        None.or_else(|| cause.downcast_ref().map(open_authority))
            .or_else(|| cause.downcast_ref().map(data_keys))
            .or_else(|| cause.downcast_ref().map(migrate))
            .or_else(|| cause.downcast_ref().map(database))
            .or_else(|| cause.downcast_ref().map(sqlite))
            .or_else(|| cause.downcast_ref().map(postgres_url))
            .or_else(|| cause.downcast_ref().map(certificate))
            .or_else(|| cause.downcast_ref().map(resources))
            .or_else(|| cause.downcast_ref().map(bootstrap))
            .or_else(|| cause.downcast_ref().map(signing_key))
            .or_else(|| cause.downcast_ref().map(organization))
            .or_else(|| cause.downcast_ref().map(publish_resources))
            .or_else(|| cause.downcast_ref().map(master_key))
            .flatten()
    });
    hint.map(str::to_owned)
}

fn open_authority(error: &OpenAuthorityError) -> Option<&'static str> {
    match error {
        OpenAuthorityError::DataKeys(error) => data_keys(error),
        OpenAuthorityError::Migrate(error) => migrate(error),
        OpenAuthorityError::Unavailable(Unavailable::StoredKey(_)) => {
            Some("restore the database from a backup, and use the master key it was created with")
        }
        OpenAuthorityError::Unavailable(_) => None,
    }
}

fn data_keys(error: &DataKeysError) -> Option<&'static str> {
    match error {
        DataKeysError::WrongMasterKey => Some(
            "name the right file with --master-key-file; after `prokura keys rewrap` it is the new one, on every node",
        ),
        DataKeysError::Damaged(_) => {
            Some("restore the database from a backup, and use the master key it had then")
        }
        DataKeysError::Unavailable(_) => None,
    }
}

fn migrate(error: &MigrateError) -> Option<&'static str> {
    match error {
        MigrateError::Newer { .. } => {
            Some("run the Prokura version that upgraded it, or a later one")
        }
        MigrateError::Foreign(_) => Some("give Prokura a database of its own"),
        MigrateError::Failed(error) => database(error),
    }
}

fn database(_: &DatabaseError) -> Option<&'static str> {
    Some("check that database_url is right and that the database is reachable")
}

fn sqlite(error: &OpenSqliteError) -> Option<&'static str> {
    match error {
        OpenSqliteError::Owned(_) => {
            Some("stop that server first, or use PostgreSQL for several nodes")
        }
        OpenSqliteError::Io { .. } => Some("check the path and its permissions"),
        OpenSqliteError::Sqlite { .. } => None,
    }
}

fn postgres_url(error: &InvalidPostgresUrl) -> Option<&'static str> {
    match error {
        InvalidPostgresUrl::Scheme | InvalidPostgresUrl::NoHost => {
            Some("write it as postgres://USER:PASSWORD@HOST:5432/DATABASE")
        }
        InvalidPostgresUrl::Ambiguous => Some(
            "in user, password and parameters write @ as %40, / as %2F, ? as %3F, & as %26 and % as %25",
        ),
        InvalidPostgresUrl::UnusedRoots => Some("add sslmode=verify-full, or remove sslrootcert"),
        InvalidPostgresUrl::WeakRoots => Some(
            "use sslmode=verify-full, or name the file of your own certificate authority with sslrootcert",
        ),
        InvalidPostgresUrl::NoSystemRoots => Some(
            "install the package ca-certificates, or name a file of certificates with sslrootcert",
        ),
        InvalidPostgresUrl::UnknownParameter => Some(
            "use sslmode, sslrootcert, application_name, connect_timeout, options, target_session_attrs or another \
             parameter of tokio-postgres",
        ),
        _ => None,
    }
}

fn certificate(error: &InvalidCertificate) -> Option<&'static str> {
    match error {
        InvalidCertificate::NoChain => Some(
            "put the server's own certificate first in tls.certificate, then the intermediate certificates",
        ),
        InvalidCertificate::NoKey => Some("give tls.key a PEM file that is not encrypted"),
        InvalidCertificate::UnusableKey => {
            Some("use an ECDSA (P-256, P-384, P-521), Ed25519 or RSA key (2048 bits or more)")
        }
        InvalidCertificate::Mismatch => Some(
            "put the server's own certificate first in tls.certificate, and set tls.key to its private key",
        ),
        InvalidCertificate::UnusableCertificate(_) => None,
    }
}

fn resources(error: &InvalidResources) -> Option<&'static str> {
    match error {
        InvalidResources::SharedName(_) => {
            Some("use each identifier and each alias for one resource only")
        }
        InvalidResources::SharedScope(_) => {
            Some("give each resource its own scopes, for example with a prefix")
        }
    }
}

fn organization(error: &OrganizationError) -> Option<&'static str> {
    match error {
        OrganizationError::NotFound(_) => {
            Some("run `prokura organizations list` to see the organizations")
        }
        OrganizationError::NameTaken(_) => Some("choose another name"),
        OrganizationError::Unavailable(_) => None,
    }
}

fn publish_resources(error: &PublishResourcesError) -> Option<&'static str> {
    match error {
        PublishResourcesError::NoOrganization { .. } => Some(
            "create it with `prokura organizations create`, or change `organization` in the [[resources]] table",
        ),
        PublishResourcesError::Unavailable(_) => None,
    }
}

fn bootstrap(error: &BootstrapError) -> Option<&'static str> {
    match error {
        BootstrapError::NameTaken(_) => Some("choose another name"),
        BootstrapError::Unavailable(_) => None,
    }
}

fn signing_key(error: &RevokeSigningKeyError) -> Option<&'static str> {
    match error {
        RevokeSigningKeyError::NotFound(_) => Some("list the key IDs with `prokura keys list`"),
        RevokeSigningKeyError::Revoked(_) | RevokeSigningKeyError::Unavailable(_) => None,
    }
}

fn master_key(_: &InvalidMasterKey) -> Option<&'static str> {
    Some(
        "restore the original file; only a new database can use a new key, from `openssl rand -base64 32`",
    )
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;

    use super::*;

    #[test]
    fn a_hint_is_found_behind_context_and_transparent_errors() {
        let newer = MigrateError::Newer { found: 9, known: 1 };
        let error = anyhow::Error::new(OpenAuthorityError::Migrate(newer)).context("cannot start");
        assert!(of(&error).unwrap().contains("a later one"));
        let error = Err::<(), _>(InvalidMasterKey).context("key").unwrap_err();
        assert!(of(&error).unwrap().contains("openssl rand"));
        assert_eq!(of(&anyhow::anyhow!("anything else")), None);
    }
}
