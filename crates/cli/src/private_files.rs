//! Directories (mode 0700) and files (mode 0600) that only their owner can read, written durably.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use anyhow::Context as _;

/// Creates the directory and its parents if they do not exist.
pub(crate) fn create_directory(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Creates the data directory if it does not exist.
pub(crate) fn create_data_directory(path: &Path) -> anyhow::Result<()> {
    create_directory(path)
        .with_context(|| format!("cannot create the data directory {}", path.display()))
}

/// Waits for the exclusive lock of a directory: the file `lock` in it. Dropping the file releases the lock.
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

/// Writes a file atomically and durably. Replaces an existing file; a reader sees the old or the new contents.
pub(crate) fn write(path: &Path, contents: &[u8]) -> anyhow::Result<()> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".tmp");
    let temporary = PathBuf::from(temporary);
    let write = || {
        // A file left by a crash may have another mode.
        remove_if_present(&temporary)?;
        let mut file = private(OpenOptions::new().write(true).create_new(true)).open(&temporary)?;
        file.write_all(contents)?;
        file.sync_all()?;
        fs::rename(&temporary, path)?;
        sync_directory_of(path)
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

/// Renames a file durably. Replaces an existing file at `to`.
pub(crate) fn rename(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::rename(from, to)
        .and_then(|()| sync_directory_of(to))
        .with_context(|| format!("cannot rename {} to {}", from.display(), to.display()))
}

/// Removes a file durably. A missing file is not an error.
pub(crate) fn remove(path: &Path) -> anyhow::Result<()> {
    remove_if_present(path)
        .and_then(|()| sync_directory_of(path))
        .with_context(|| format!("cannot remove {}", path.display()))
}

fn remove_if_present(path: &Path) -> io::Result<()> {
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
