//! Opens the authority and the store that the configuration names.

use std::net::SocketAddr;

use anyhow::Context as _;
use prokura_server::{
    authority::{Authority, Settings, SystemClock, SystemEntropy},
    store::{Postgres, Sqlite, SqliteAccess, Store},
};

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
    let master_key = master_key::find_or_create(config)?;
    let authority = Authority::open(
        open_store(config, access)?,
        &master_key,
        Settings {
            issuer: config.public_url(address).to_string(),
            resources: config.resources(address)?,
            rotation: config.rotation,
            signing_key_rotation_days: config.signing_key_rotation_days,
        },
        Box::new(SystemClock),
        Box::new(SystemEntropy::default()),
    )
    .await
    .context("cannot open the database")?;
    Ok(authority)
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
