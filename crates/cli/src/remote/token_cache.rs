//! Caches access tokens between runs, in files of the user's cache directory that only the owner can read. An unusable cache is
//! ignored.

use std::{
    fs::{self, File},
    io::Read as _,
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
};

use aws_lc_rs::digest::{Context, SHA256};
use prokura_client::{AccessToken, wire::Secret};
use serde::{Deserialize, Serialize};

use super::user_directory::user_directory;
use crate::private_files;

/// The minimum remaining lifetime of a token taken from the cache.
const MIN_LIFETIME_SECONDS: i64 = 60;
/// The maximum size of a cache file.
const MAX_FILE_BYTES: u64 = 64 * 1024;

/// A token as the file has it.
#[derive(Serialize, Deserialize)]
pub(crate) struct CachedToken {
    /// The token.
    pub(crate) token: Secret,
    /// The granted scopes, separated by spaces.
    pub(crate) scope: Option<String>,
    /// The expiry in seconds since the Unix epoch. `None`: unknown; such a token is not cached.
    expires_at: Option<i64>,
}

impl CachedToken {
    /// The remaining lifetime in seconds. `None`: unknown.
    pub(crate) fn expires_in(&self) -> Option<i64> {
        Some((self.expires_at? - now()).max(0))
    }
}

impl From<AccessToken> for CachedToken {
    fn from(token: AccessToken) -> Self {
        let life = token.expires_in();
        let life = life.and_then(|life| i64::try_from(life.as_secs()).ok());
        Self {
            token: Secret::new(token.expose()),
            scope: token.scope().map(str::to_owned),
            expires_at: life.map(|seconds| now() + seconds),
        }
    }
}

/// The file of one token. `None`: there is no cache directory.
pub(crate) struct Slot(Option<PathBuf>);

impl Slot {
    /// The file for a token that was requested with these parameters: server, client, secret, resource, scope. Its name is a
    /// hash of all of them, so it reveals nothing, and a rotated secret leads to a new token.
    pub(crate) fn of(parameters: &[&str]) -> Self {
        let mut hash = Context::new(&SHA256);
        for text in parameters {
            hash.update(&(text.len() as u64).to_be_bytes());
            hash.update(text.as_bytes());
        }
        let name = base16ct::lower::encode_string(hash.finish().as_ref()) + ".json";
        let base = user_directory("XDG_CACHE_HOME", ".cache");
        Self(base.map(|base| base.join("prokura/tokens").join(name)))
    }

    /// The cached token, if it is usable.
    pub(crate) fn read(&self) -> Option<CachedToken> {
        let file = File::open(self.0.as_ref()?).ok()?;
        // If others can read the file, the token is not secret; if they can write it, it may not be ours.
        if file.metadata().ok()?.permissions().mode() & 0o077 != 0 {
            return None;
        }
        let mut text = Vec::new();
        file.take(MAX_FILE_BYTES).read_to_end(&mut text).ok()?;
        let token = serde_json::from_slice::<CachedToken>(&text).ok()?;
        token
            .expires_in()
            .is_some_and(|life| life >= MIN_LIFETIME_SECONDS)
            .then_some(token)
    }

    /// Writes the token, and removes expired ones.
    pub(crate) fn write(&self, token: &CachedToken) {
        let (Some(path), Some(_)) = (&self.0, token.expires_at) else {
            return;
        };
        let Some(directory) = path.parent() else {
            return;
        };
        let Ok(text) = serde_json::to_vec(token) else {
            return;
        };
        if private_files::create_directory(directory).is_ok() {
            remove_expired(directory);
            // Without a cache the next run requests another token.
            let _ = private_files::write(path, &text);
        }
    }
}

fn remove_expired(directory: &std::path::Path) {
    let Ok(entries) = fs::read_dir(directory) else {
        return;
    };
    for path in entries.flatten().map(|entry| entry.path()) {
        let is_token = path
            .extension()
            .is_some_and(|extension| extension == "json");
        if is_token && Slot(Some(path.clone())).read().is_none() {
            let _ = fs::remove_file(path);
        }
    }
}

fn now() -> i64 {
    jiff::Timestamp::now().as_second()
}
