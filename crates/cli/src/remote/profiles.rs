//! The file of profiles: where servers are, and as whom to ask them. It holds secrets, so only its owner may read it.

use std::{
    collections::BTreeMap,
    env, fs, io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use prokura_client::wire::{Credentials, Secret};
use serde::{Deserialize, Serialize};

use super::{
    print,
    target::{Origin, Target},
};
use crate::{Failure, data_dir};

/// All profiles.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Profiles {
    /// The name of the one that is used unless another is named.
    pub(crate) current: Option<String>,
    /// By name.
    #[serde(default)]
    pub(crate) profiles: BTreeMap<String, Profile>,
}

/// A server, and a service account there.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Profile {
    /// The server's public URL.
    pub(crate) url: String,
    /// The client id.
    pub(crate) client_id: String,
    /// The client secret.
    pub(crate) client_secret: Secret,
}

impl Profiles {
    /// Reads the file. Where there is none, there are no profiles.
    pub(crate) fn load() -> anyhow::Result<Self> {
        let path = path()?;
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => {
                return Err(error)
                    .with_context(|| format!("cannot read the profiles in {}", path.display()));
            }
        };
        check_is_private(&path)?;
        // The cause is not told whole: it would quote a line, perhaps that of a secret.
        toml::from_str(&text).map_err(|error| {
            let line = error
                .span()
                .map_or(1, |span| text[..span.start].lines().count().max(1));
            anyhow::anyhow!("{}, line {line}: {}", path.display(), error.message())
        })
    }

    /// Writes the file, for its owner alone.
    pub(crate) fn save(&self) -> anyhow::Result<()> {
        let path = path()?;
        if let Some(directory) = path.parent() {
            data_dir::create_private(directory)
                .with_context(|| format!("cannot make {}", directory.display()))?;
        }
        data_dir::write(&path, toml::to_string(self)?.as_bytes())
    }

    /// The profile of this name, which must be there.
    pub(crate) fn get(&self, name: &str) -> Result<&Profile, Failure> {
        self.profiles.get(name).ok_or_else(|| {
            let known = match self.profiles.len() {
                0 => "there are none yet; `prokura profile add` makes one".to_owned(),
                _ => {
                    let names = self.profiles.keys().map(String::as_str);
                    format!("there are: {}", names.collect::<Vec<_>>().join(", "))
                }
            };
            Failure::usage(format!("there is no profile {name:?}; {known}"))
        })
    }
}

/// Where the file is: in `prokura` in the user's configuration directory (XDG Base Directory Specification).
pub(crate) fn path() -> anyhow::Result<PathBuf> {
    let base = user_directory("XDG_CONFIG_HOME", ".config")
        .context("it is not known where your configuration is: HOME is not set")?;
    Ok(base.join("prokura/profiles.toml"))
}

/// The directory that `variable` names, or `below` in the user's home. A path that is not absolute does not count.
pub(crate) fn user_directory(variable: &str, below: &str) -> Option<PathBuf> {
    let absolute = |name| {
        let path = PathBuf::from(env::var_os(name)?);
        path.is_absolute().then_some(path)
    };
    absolute(variable).or_else(|| Some(absolute("HOME")?.join(below)))
}

/// Keeps the new secret of a profile's own service account, which could not be used any more without it.
pub(crate) fn keep_new_secret(target: &Target, credentials: &Credentials) -> Result<(), Failure> {
    let Origin::Profile(name) = &target.secret.from else {
        return Ok(());
    };
    if credentials.client_id != target.client_id.value {
        return Ok(());
    }
    let mut all = Profiles::load()?;
    if let Some(profile) = all.profiles.get_mut(name) {
        profile.client_secret = credentials.client_secret.clone();
        all.save()?;
        print::note(&format!("The profile {name:?} has the new secret."));
    }
    Ok(())
}

fn check_is_private(path: &Path) -> anyhow::Result<()> {
    let mode = fs::metadata(path)
        .with_context(|| format!("cannot look at {}", path.display()))?
        .permissions()
        .mode();
    if mode & 0o077 != 0 {
        bail!(
            "{0} holds secrets and is open to others than its owner: `chmod 600 {0}`",
            path.display()
        );
    }
    Ok(())
}
