//! What a run works with: its cores, its extent, its databases, and a place for its files.

use std::{
    cell::Cell,
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use prokura_server::store::{Sqlite, SqliteAccess, Store};

use crate::{
    process::Cores,
    seed::{self, Number},
};

/// How much is done.
pub(crate) struct Extent {
    /// How often each thing is measured.
    pub(crate) repetitions: usize,
    /// For how long.
    pub(crate) seconds: u32,
    /// The accounts of the large database.
    pub(crate) many: Number,
    /// How often the server is started.
    pub(crate) starts: usize,
    /// The accounts whose rows are inserted raw.
    pub(crate) raw: Number,
}

/// The accounts of the small database.
pub(crate) const FEW: Number = 1000;
/// What figures that are published take.
pub(crate) const FULL: Extent = Extent {
    repetitions: 5,
    seconds: 3,
    many: 1_000_000,
    starts: 21,
    raw: 20_000,
};
/// What tells that it works.
pub(crate) const QUICK: Extent = Extent {
    repetitions: 1,
    seconds: 1,
    many: 20_000,
    starts: 5,
    raw: 4000,
};

/// A run.
pub(crate) struct Bench {
    /// Who runs where.
    pub(crate) cores: Cores,
    /// How much is done.
    pub(crate) extent: Extent,
    /// What is measured has this in its name.
    pub(crate) only: String,
    /// Prokura's binary.
    pub(crate) prokura: PathBuf,
    /// Gone with the run.
    pub(crate) scratch: Scratch,
    /// Seeded databases, kept for the next run.
    pub(crate) seeds: PathBuf,
}

impl Bench {
    /// A copy of its own of the database with so many accounts, in a directory of its own.
    pub(crate) async fn seeded(&self, accounts: Number) -> anyhow::Result<PathBuf> {
        let directory = self.scratch.directory()?;
        let seed = self.seed(accounts).await?;
        copy_files(&seed, &directory, &["prokura.db", "master.key"])?;
        Ok(directory)
    }

    /// The directory of the database with so many accounts. Made unless it is there from an earlier run and has the schema
    /// of today.
    pub(crate) async fn seed(&self, accounts: Number) -> anyhow::Result<PathBuf> {
        let directory = self.seeds.join(accounts.to_string());
        let database = directory.join("prokura.db");
        if database.exists() {
            let store = Store::new(Sqlite::open(&database, SqliteAccess::Inspection)?);
            if let Ok((Some(found), newest)) = store.schema_version().await
                && found == newest
            {
                return Ok(directory);
            }
            fs::remove_dir_all(&directory)?;
        }
        let unfinished = self.seeds.join("unfinished");
        if unfinished.exists() {
            fs::remove_dir_all(&unfinished)?;
        }
        seed::fill(&unfinished, accounts).await?;
        fs::rename(&unfinished, &directory)?;
        Ok(directory)
    }
}

/// A directory that goes with the run, and how many were made in it.
pub(crate) struct Scratch(pub(crate) PathBuf, Cell<u32>);

impl Scratch {
    /// Makes one in `parent`.
    pub(crate) fn new(parent: &Path) -> anyhow::Result<Self> {
        let path = parent.join(format!("run-{}", std::process::id()));
        fs::create_dir(&path)?;
        Ok(Self(path, Cell::new(0)))
    }

    /// A new directory in it.
    pub(crate) fn directory(&self) -> anyhow::Result<PathBuf> {
        let number = self.1.replace(self.1.get() + 1);
        let path = self.0.join(format!("data-{number}"));
        fs::create_dir(&path)?;
        Ok(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Copies files from one directory to another.
pub(crate) fn copy_files(from: &Path, to: &Path, names: &[&str]) -> anyhow::Result<()> {
    for name in names {
        fs::copy(from.join(name), to.join(name))
            .with_context(|| format!("cannot copy {name} from {}", from.display()))?;
    }
    Ok(())
}

/// How many bytes the files in a directory have.
pub(crate) fn directory_bytes(directory: &Path) -> anyhow::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(directory)? {
        bytes += entry?.metadata()?.len();
    }
    Ok(bytes)
}
