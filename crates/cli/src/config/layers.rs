//! Picks each value from the layer with the highest precedence, and records where it came from.

use std::{collections::BTreeMap, fmt, path::PathBuf};

use super::{
    file,
    settings::{Options, Settings},
};
use crate::failure::Failure;

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The flag with this name.
    Flag(String),
    /// The environment variable with this name.
    Environment(String),
    /// This file.
    File(PathBuf),
    /// The built-in defaults.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) | Self::Environment(name) => f.write_str(name),
            Self::File(path) => path.display().fmt(f),
            Self::Default => f.write_str("default"),
        }
    }
}

/// The layers of the configuration.
pub(super) struct Layers<'a> {
    options: &'a Options,
    file: Option<Settings>,
    defaults: Settings,
    origins: BTreeMap<&'static str, Origin>,
}

impl<'a> Layers<'a> {
    /// Reads the file that `options` names, if any.
    pub(super) fn load(options: &'a Options) -> Result<Self, Failure> {
        Ok(Self {
            options,
            file: options.config.as_deref().map(file::read).transpose()?,
            defaults: file::defaults()?,
            origins: BTreeMap::new(),
        })
    }

    /// The value of a top-level key. Records its origin.
    pub(super) fn pick<T: Clone>(
        &mut self,
        key: &'static str,
        field: impl Fn(&Settings) -> &Option<T>,
    ) -> Option<T> {
        let in_file = || {
            Some((
                self.options.config.clone()?,
                field(self.file.as_ref()?).as_ref()?,
            ))
        };
        let (value, origin) = if let Some(value) = field(&self.options.settings) {
            (value, self.origin_of_option(key))
        } else if let Some((path, value)) = in_file() {
            (value, Origin::File(path))
        } else {
            (field(&self.defaults).as_ref()?, Origin::Default)
        };
        let value = value.clone();
        self.origins.insert(key, origin);
        Some(value)
    }

    /// The value of a key that only files have.
    pub(super) fn pick_from_file<T: Clone>(
        &self,
        field: impl Fn(&Settings) -> &Option<T>,
    ) -> Option<T> {
        let layers = self.file.iter().chain([&self.defaults]);
        layers.into_iter().find_map(|layer| field(layer).clone())
    }

    /// The origin of a value that was picked.
    pub(super) fn origin(&self, key: &str) -> &Origin {
        self.origins.get(key).unwrap_or(&Origin::Default)
    }

    /// The origin of each value picked so far.
    pub(super) fn into_origins(self) -> BTreeMap<&'static str, Origin> {
        self.origins
    }

    fn origin_of_option(&self, key: &str) -> Origin {
        if self.options.from_environment.iter().any(|id| id == key) {
            Origin::Environment(format!("PROKURA_{}", key.to_uppercase()))
        } else {
            Origin::Flag(format!("--{}", key.replace('_', "-")))
        }
    }
}
