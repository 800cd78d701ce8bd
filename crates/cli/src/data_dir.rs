//! The data directory, and the files in it that only their owner may read.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use anyhow::Context as _;

/// Makes the directory, and those above it, if it is not there (mode 0700).
pub(crate) fn create(path: &Path) -> anyhow::Result<()> {
    create_private(path)
        .with_context(|| format!("cannot make the data directory {}", path.display()))
}

/// The same for any directory.
pub(crate) fn create_private(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Waits until no other process prepares something in this directory. The lock ends when the file is dropped.
pub(crate) fn lock(directory: &Path) -> anyhow::Result<File> {
    let path = directory.join("lock");
    let lock = || {
        let file =
            private(OpenOptions::new().write(true).create(true).truncate(false)).open(&path)?;
        file.lock()?;
        io::Result::Ok(file)
    };
    lock().with_context(|| format!("cannot lock {}", path.display()))
}

/// Writes a file of mode 0600, durably. Whoever finds a file at `path` finds all of it. What was there is replaced.
pub(crate) fn write(path: &Path, contents: &[u8]) -> anyhow::Result<()> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".tmp");
    let temporary = PathBuf::from(temporary);
    let write = || {
        // One that a crash left may have another mode.
        remove_if_there(&temporary)?;
        let mut file = private(OpenOptions::new().write(true).create_new(true)).open(&temporary)?;
        file.write_all(contents)?;
        file.sync_all()?;
        fs::rename(&temporary, path)?;
        sync_directory_of(path)
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

/// Renames a file, durably. What was at `to` is replaced.
pub(crate) fn rename(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::rename(from, to)
        .and_then(|()| sync_directory_of(to))
        .with_context(|| format!("cannot rename {} to {}", from.display(), to.display()))
}

/// Removes a file, durably.
pub(crate) fn remove(path: &Path) -> anyhow::Result<()> {
    remove_if_there(path)
        .and_then(|()| sync_directory_of(path))
        .with_context(|| format!("cannot remove {}", path.display()))
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn sync_directory_of(path: &Path) -> io::Result<()> {
    let directory = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    File::open(directory.unwrap_or(Path::new(".")))?.sync_all()
}

fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options.mode(0o600)
}
