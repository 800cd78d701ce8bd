//! Access tokens that live on between two runs of the command line: files that only their owner may read, in the user's cache
//! directory. Whatever is wrong with the cache, it is as if there were none.

use std::{
    fs::{self, File},
    io::Read as _,
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
};

use aws_lc_rs::digest::{Context, SHA256};
use prokura_client::{AccessToken, wire::Secret};
use serde::{Deserialize, Serialize};

use super::profiles::user_directory;
use crate::data_dir;

/// A token is taken from the cache if it lives for so much longer, in seconds.
const LEAST_LIFE_SECONDS: i64 = 60;
/// Longer than the file of any token.
const MORE_THAN_ANY_TOKEN: u64 = 64 * 1024;

/// A token as it is kept.
#[derive(Serialize, Deserialize)]
pub(crate) struct CachedToken {
    /// The token.
    pub(crate) token: Secret,
    /// What it allows.
    pub(crate) scope: Option<String>,
    /// When it ends, in seconds since the Unix epoch. `None`: the server did not say; such a token is not kept.
    expires_at: Option<i64>,
}

impl CachedToken {
    /// How long it still lives, in seconds. `None`: that is not known.
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

/// The place of one token.
pub(crate) struct Slot(Option<PathBuf>);

impl Slot {
    /// The place of the token that is asked for with exactly this: server, client, secret, parameters. It is found by their
    /// hash, so that another secret finds another token, and the name of the file tells nothing.
    pub(crate) fn of(asked: &[&str]) -> Self {
        let mut hash = Context::new(&SHA256);
        for text in asked {
            hash.update(&(text.len() as u64).to_be_bytes());
            hash.update(text.as_bytes());
        }
        let hash = hash.finish();
        let name = hash.as_ref().iter().map(|byte| format!("{byte:02x}"));
        let name = name.collect::<String>() + ".json";
        let base = user_directory("XDG_CACHE_HOME", ".cache");
        Self(base.map(|base| base.join("prokura/tokens").join(name)))
    }

    /// The token there, if it may still be used.
    pub(crate) fn read(&self) -> Option<CachedToken> {
        let file = File::open(self.0.as_ref()?).ok()?;
        // One that others could read is no secret any more, and one that they could write is not ours.
        if file.metadata().ok()?.permissions().mode() & 0o077 != 0 {
            return None;
        }
        let mut text = Vec::new();
        file.take(MORE_THAN_ANY_TOKEN).read_to_end(&mut text).ok()?;
        let token = serde_json::from_slice::<CachedToken>(&text).ok()?;
        token
            .expires_in()
            .is_some_and(|life| life >= LEAST_LIFE_SECONDS)
            .then_some(token)
    }

    /// Puts a token there, and removes those that have ended.
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
        if data_dir::create_private(directory).is_ok() {
            remove_ended(directory);
            // Without a cache the next run asks for another token, which is no failure.
            let _ = data_dir::write(path, &text);
        }
    }
}

fn remove_ended(directory: &std::path::Path) {
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
