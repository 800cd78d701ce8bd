//! The master key file: finds it, or creates it together with a new SQLite database.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use prokura_server::{
    authority::{Entropy as _, MasterKeys, SystemEntropy},
    keys::{InvalidMasterKey, MasterKey},
};
use tracing::warn;
use zeroize::Zeroizing;

use crate::{
    config::{Config, Database},
    failure::Failure,
    private_files,
};

/// The name of the file in the data directory, unless the configuration names another.
pub(crate) const DEFAULT_NAME: &str = "master.key";

/// The result of looking for the master key.
pub(crate) enum Found {
    /// The key, and the next one if it is configured.
    Keys(MasterKeys),
    /// Neither the key nor the database exists; `serve` creates the key at this path.
    Missing(PathBuf),
}

/// Looks for the master key and creates nothing. A file named by `master_key_file` must exist, so that a failed mount or
/// a typo does not lead to a new key.
pub(crate) fn find(config: &Config) -> Result<Found, Failure> {
    let (path, database) = match (&config.master_key_file, &config.database) {
        (Some(path), _) => (path.clone(), None),
        (None, Database::Sqlite(database)) => (config.data_dir.join(DEFAULT_NAME), Some(database)),
        (None, Database::Postgres(_)) => return Err(Config::master_key_not_configured()),
    };
    match (read(&path), database) {
        (Ok(key), _) => Ok(Found::Keys(MasterKeys {
            current: usable(key, &path)?,
            next: next(config)?,
        })),
        (Err(error), Some(database)) if is_absent(&error) => {
            if Database::is_empty_file(database)? {
                return Ok(Found::Missing(path));
            }
            Err(Failure::new(format!(
                "the master key file {} does not exist, but the database {} needs it",
                path.display(),
                database.display()
            ))
            .hint("restore the file, or name it with --master-key-file"))
        }
        (Err(error), None) if is_absent(&error) => Err(Failure::new(format!(
            "the master key file {} does not exist",
            path.display()
        ))
        .hint(format!(
            "for a new database, create it: {}",
            creation(&path)
        ))),
        (Err(error), _) => Err(unreadable(&path, &error)),
    }
}

/// The next master key, if its file is configured.
fn next(config: &Config) -> Result<Option<MasterKey>, Failure> {
    config.next_master_key_file.as_deref().map(open).transpose()
}

/// The key in a file that must exist.
pub(crate) fn open(path: &Path) -> Result<MasterKey, Failure> {
    match read(path) {
        Ok(key) => usable(key, path),
        Err(error) if is_absent(&error) => Err(Failure::new(format!(
            "the master key file {} does not exist",
            path.display()
        ))
        .hint(format!("create it: {}", creation(path)))),
        Err(error) => Err(unreadable(path, &error)),
    }
}

fn usable(key: Result<MasterKey, InvalidMasterKey>, path: &Path) -> Result<MasterKey, Failure> {
    let key = key.with_context(|| format!("cannot use the master key file {}", path.display()))?;
    Ok(key)
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    Failure::new(format!(
        "cannot read the master key file {}: {error}",
        path.display()
    ))
}

/// The command that creates a master key.
fn creation(path: &Path) -> String {
    format!("(umask 077; openssl rand -base64 32 > {})", path.display())
}

/// Finds the master key, or creates it if neither the key nor the database exists.
pub(crate) fn find_or_create(config: &Config) -> Result<MasterKeys, Failure> {
    if let Found::Keys(keys) = find(config)? {
        return Ok(keys);
    }
    // If two processes start at the same time, one creates the key and the other finds it.
    let _lock = private_files::lock(&config.data_dir)?;
    match find(config)? {
        Found::Keys(keys) => Ok(keys),
        Found::Missing(path) => Ok(MasterKeys {
            current: create(&path)?,
            next: next(config)?,
        }),
    }
}

fn create(path: &Path) -> Result<MasterKey, Failure> {
    let mut bytes = Zeroizing::new([0; MasterKey::BYTES]);
    SystemEntropy::default().fill(&mut *bytes)?;
    private_files::write(path, MasterKey::encode(&bytes).as_bytes())?;
    Ok(MasterKey::from_bytes(&bytes))
}

/// Reads the file, then parses it. Warns if users other than the owner can access the file.
fn read(path: &Path) -> io::Result<Result<MasterKey, InvalidMasterKey>> {
    const LONGER_THAN_ANY_KEY: u64 = 1024;
    let mut text = Zeroizing::new(Vec::new());
    File::open(path)?
        .take(LONGER_THAN_ANY_KEY)
        .read_to_end(&mut text)?;
    let mode = fs::metadata(path)?.permissions().mode();
    if mode & 0o077 != 0 {
        warn!(
            path = %path.display(),
            mode = format!("{:o}", mode & 0o777),
            "the master key can be read by other users; run `chmod 600` on it"
        );
    }
    let text = std::str::from_utf8(&text).unwrap_or_default();
    Ok(MasterKey::parse(text))
}

/// The file does not exist, or a part of its path is not a directory.
fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}
