//! The file of the master key: found, or made together with a new SQLite database.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use prokura_server::{
    authority::{Entropy as _, SystemEntropy},
    keys::MasterKey,
};
use tracing::warn;
use zeroize::Zeroizing;

use crate::{
    config::{Config, Database},
    data_dir,
};

/// Where the master key is.
pub(crate) enum Found {
    /// It is there.
    Key(MasterKey),
    /// There is neither key nor database, so it is to be made at this path.
    ToBeMade(PathBuf),
}

/// Looks for the master key; makes nothing. A key file that is named is there: nothing stands in for a mount that
/// failed or a name mistyped.
pub(crate) fn find(config: &Config) -> anyhow::Result<Found> {
    let (path, database) = match (&config.master_key_file, &config.database) {
        (Some(path), _) => (path.clone(), None),
        (None, Database::Sqlite(database)) => (config.data_dir.join("master.key"), Some(database)),
        (None, Database::Postgres(_)) => {
            bail!("with PostgreSQL the master key must be given with --master-key-file")
        }
    };
    match (read(&path), database) {
        (Ok(key), _) => key.map(Found::Key),
        (Err(error), Some(database)) if is_absent(&error) => {
            if !Database::is_empty_file(database)? {
                bail!(
                    "the master key {} is missing, and the database {} cannot be used without it: put it back, or name it \
                     with --master-key-file",
                    path.display(),
                    database.display()
                );
            }
            Ok(Found::ToBeMade(path))
        }
        (Err(error), None) if is_absent(&error) => bail!(
            "the master key {0} is missing; for a new database `(umask 077; openssl rand -base64 32 > {0})` makes one",
            path.display()
        ),
        (Err(error), _) => {
            Err(error).with_context(|| format!("cannot read the master key {}", path.display()))
        }
    }
}

/// The master key, made if it is to be.
pub(crate) fn find_or_make(config: &Config) -> anyhow::Result<MasterKey> {
    if let Found::Key(key) = find(config)? {
        return Ok(key);
    }
    // Of two first starts at once, one makes the key and the other finds it.
    let _lock = data_dir::lock(&config.data_dir)?;
    match find(config)? {
        Found::Key(key) => Ok(key),
        Found::ToBeMade(path) => make(&path),
    }
}

fn make(path: &Path) -> anyhow::Result<MasterKey> {
    let mut bytes = Zeroizing::new([0; MasterKey::BYTES]);
    SystemEntropy::default().fill(&mut *bytes)?;
    data_dir::write(path, MasterKey::encode(&bytes).as_bytes())?;
    Ok(MasterKey::from_bytes(&bytes))
}

/// Reads the file, and what it says.
fn read(path: &Path) -> io::Result<anyhow::Result<MasterKey>> {
    const MORE_THAN_ANY_KEY: u64 = 1024;
    let mut text = Zeroizing::new(Vec::new());
    File::open(path)?
        .take(MORE_THAN_ANY_KEY)
        .read_to_end(&mut text)?;
    let mode = fs::metadata(path)?.permissions().mode();
    if mode & 0o077 != 0 {
        warn!(
            path = %path.display(),
            mode = format!("{:o}", mode & 0o777),
            "the master key is open to others than its owner; `chmod 600` it"
        );
    }
    let text = std::str::from_utf8(&text).unwrap_or_default();
    Ok(MasterKey::parse(text).with_context(|| format!("{} is no master key", path.display())))
}

/// Nothing there, be it that the directory is not one.
fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}
