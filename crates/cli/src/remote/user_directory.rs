//! The user's configuration and cache directories (XDG Base Directory Specification).

use std::{env, path::PathBuf};

/// The directory that `variable` names, or `below` in the home directory. `None`: neither is set. Relative paths are
/// ignored, as the specification says.
pub(crate) fn user_directory(variable: &str, below: &str) -> Option<PathBuf> {
    let absolute = |name| {
        let path = PathBuf::from(env::var_os(name)?);
        path.is_absolute().then_some(path)
    };
    absolute(variable).or_else(|| Some(absolute("HOME")?.join(below)))
}
