//! Opens the authority and the store that the configuration names.

use std::net::SocketAddr;

use anyhow::Context as _;
use prokura_server::{
    authority::{Authority, Settings, SystemClock, SystemEntropy, UsedMasterKey},
    store::{Postgres, Sqlite, SqliteAccess, Store},
};

use tracing::info;

use crate::{
    config::{Config, Database},
    failure::Failure,
    master_key, private_files,
};

/// Opens the authority of a server that listens on `address`. With SQLite, creates the data directory, the master key and
/// the database if they do not exist. With PostgreSQL, creates no files.
pub(crate) async fn open(
    config: &Config,
    address: SocketAddr,
    access: SqliteAccess,
) -> Result<Authority, Failure> {
    if let Database::Sqlite(_) = config.database {
        private_files::create_data_directory(&config.data_dir)?;
    }
    let master_keys = master_key::find_or_create(config)?;
    let (management, configured_resources) = config.resources(address)?;
    let authority = Authority::open(
        open_store(config, access)?,
        &master_keys,
        Settings {
            issuer: config.public_url(address).to_string(),
            management,
            configured_resources,
            rotation: config.rotation,
            signing_key_rotation_days: config.signing_key_rotation_days,
        },
        Box::new(SystemClock),
        Box::new(SystemEntropy::default()),
    )
    .await
    .context("cannot open the database")?;
    if authority.used_master_key() == UsedMasterKey::Next {
        info!(
            "the database has the next master key; set master_key_file to its file, and remove next_master_key_file"
        );
    }
    Ok(authority)
}

/// Opens the authority of an installation, which must exist.
pub(crate) async fn open_existing(
    config: &Config,
    access: SqliteAccess,
) -> Result<Authority, Failure> {
    drop(open_existing_store(config, SqliteAccess::Inspection).await?);
    open(config, config.listen, access).await
}

/// Opens the configured store. `access` applies to SQLite.
pub(crate) fn open_store(config: &Config, access: SqliteAccess) -> Result<Store, Failure> {
    Ok(match &config.database {
        Database::Sqlite(path) => Store::new(Sqlite::open(path, access)?),
        Database::Postgres(url) => Store::new(Postgres::connect(
            url,
            config.database_connections.get().into(),
        )?),
    })
}

/// Opens the configured store, which must exist.
pub(crate) async fn open_existing_store(
    config: &Config,
    access: SqliteAccess,
) -> Result<Store, Failure> {
    if let Database::Sqlite(path) = &config.database
        && !path
            .try_exists()
            .with_context(|| format!("cannot access {}", path.display()))?
    {
        return Err(
            Failure::new(format!("there is no database at {}", path.display()))
                .hint("set --data-dir or --database-url to the values of the server"),
        );
    }
    let store = open_store(config, access)?;
    let (found, _) = store
        .schema_version()
        .await
        .context("cannot use the database")?;
    if found.is_none_or(|version| version == 0) {
        return Err(Failure::new("the database is empty")
            .hint("set --data-dir or --database-url to the values of the server"));
    }
    Ok(store)
}

/// Opens the configured store, which must exist and have the schema of this version.
pub(crate) async fn open_current_store(
    config: &Config,
    access: SqliteAccess,
) -> Result<Store, Failure> {
    let store = open_existing_store(config, access).await?;
    let (found, known) = store.schema_version().await?;
    if found == Some(known) {
        return Ok(store);
    }
    Err(
        Failure::new("the database has the schema of an older version of Prokura")
            .hint("`prokura serve` upgrades it"),
    )
}
