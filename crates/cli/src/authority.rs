//! Bringing up the authority that a command works with.

use std::net::SocketAddr;

use prokura_server::{
    authority::{Authority, Settings, SystemClock, SystemEntropy},
    store::{Postgres, Sqlite, SqliteAccess, Store},
};

use crate::{
    config::{Config, Database},
    data_dir, master_key,
};

/// The authority of a server that listens on `address`. With SQLite it makes the data directory, the master key and the
/// database where there are none; with PostgreSQL it touches no file.
pub(crate) async fn open(
    config: &Config,
    address: SocketAddr,
    access: SqliteAccess,
) -> anyhow::Result<Authority> {
    if let Database::Sqlite(_) = config.database {
        data_dir::create(&config.data_dir)?;
    }
    let master_key = master_key::find_or_make(config)?;
    let authority = Authority::open(
        open_store(config, access)?,
        &master_key,
        Settings {
            issuer: config.public_url(address).to_string(),
            resources: config.resources(address)?,
            rotation: config.rotation,
        },
        Box::new(SystemClock),
        Box::new(SystemEntropy::default()),
    )
    .await?;
    Ok(authority)
}

/// The store that is configured, opened as `access` where it is a file.
pub(crate) fn open_store(config: &Config, access: SqliteAccess) -> anyhow::Result<Store> {
    Ok(match &config.database {
        Database::Sqlite(path) => Store::new(Sqlite::open(path, access)?),
        Database::Postgres(url) => Store::new(Postgres::connect(
            url,
            config.database_connections.get().into(),
        )?),
    })
}
