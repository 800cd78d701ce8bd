//! `profiles.toml`, the file of the profiles. It contains secrets, so only its owner may have access.

use std::{
    collections::BTreeMap,
    fs, io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use prokura_client::wire::Secret;
use serde::{Deserialize, Serialize};

use crate::{failure::Failure, private_files, remote::user_directory::user_directory};

/// All profiles.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Profiles {
    /// The name of the profile that is used by default.
    pub(crate) current: Option<String>,
    /// The profiles by name.
    #[serde(default)]
    pub(crate) profiles: BTreeMap<String, Profile>,
}

/// A server and a service account.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Profile {
    /// The public URL of the server.
    pub(crate) url: String,
    /// The client ID.
    pub(crate) client_id: String,
    /// The client secret.
    pub(crate) client_secret: Secret,
}

impl Profiles {
    /// Reads the file. If it does not exist, there are no profiles.
    pub(crate) fn load() -> Result<Self, Failure> {
        let path = path()?;
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => {
                return Err(Failure::new(format!(
                    "cannot read the profiles in {}: {error}",
                    path.display()
                )));
            }
        };
        check_is_private(&path)?;
        // Only the message: the error itself quotes the line, which may have a secret.
        toml::from_str(&text).map_err(|error| {
            let line = error
                .span()
                .map_or(1, |span| text[..span.start].lines().count().max(1));
            let problem = error.message().replace('\n', " ");
            Failure::new(format!("{}, line {line}: {problem}", path.display()))
                .hint("correct the file, or delete it and add the profiles again")
        })
    }

    /// Writes the file.
    pub(crate) fn save(&self) -> Result<(), Failure> {
        let path = path()?;
        if let Some(directory) = path.parent() {
            private_files::create_directory(directory)
                .with_context(|| format!("cannot create {}", directory.display()))?;
        }
        private_files::write(&path, toml::to_string(self)?.as_bytes())?;
        Ok(())
    }

    /// The profile with this name, which must exist.
    pub(crate) fn get(&self, name: &str) -> Result<&Profile, Failure> {
        self.profiles.get(name).ok_or_else(|| {
            let names = self.profiles.keys().map(String::as_str);
            let names = names.collect::<Vec<_>>().join(", ");
            let failure = Failure::usage(format!("there is no profile {name:?}"));
            if names.is_empty() {
                return failure.hint("add it with `prokura profile add`");
            }
            failure.hint(format!("use one of: {names}"))
        })
    }
}

fn path() -> Result<PathBuf, Failure> {
    let directory = user_directory("XDG_CONFIG_HOME", ".config").ok_or_else(|| {
        Failure::new("cannot locate profiles.toml: HOME is not set").hint(
            "set HOME or XDG_CONFIG_HOME, or give --url, --client-id and --client-secret-file",
        )
    })?;
    Ok(directory.join("prokura/profiles.toml"))
}

fn check_is_private(path: &Path) -> Result<(), Failure> {
    let metadata =
        fs::metadata(path).with_context(|| format!("cannot access {}", path.display()))?;
    if metadata.permissions().mode() & 0o077 == 0 {
        return Ok(());
    }
    let path = path.display();
    Err(Failure::new(format!(
        "{path} contains secrets and can be read by other users"
    ))
    .hint(format!("run `chmod 600 {path}`")))
}
