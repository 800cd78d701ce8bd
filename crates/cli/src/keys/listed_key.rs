//! A signing key as the commands print it.

use prokura_server::domain::{SigningKeySet, SigningKeyState, StoredSigningKey, Timestamp};
use serde::Serialize;

use crate::{
    failure::Failure,
    remote::print::{self, Cell, Format},
};

/// A signing key as JSON. Instants are RFC 3339 in UTC.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ListedKey {
    kid: String,
    algorithm: &'static str,
    /// `published`, `signing`, `retired`, `gone` or `revoked`.
    state: &'static str,
    created_at: String,
    /// When the key began to sign, or will.
    signs_from: String,
    /// When the next key takes its place. Null: no next key is published.
    retires_at: Option<String>,
    /// When its last token has expired, so that it is deleted. Null: it still signs.
    published_until: Option<String>,
    revoked_at: Option<String>,
    #[serde(skip)]
    kind: SigningKeyState,
}

#[derive(Serialize)]
struct List<'a> {
    items: &'a [ListedKey],
}

const COLUMNS: [&str; 6] = [
    "KID",
    "ALGORITHM",
    "STATE",
    "SIGNS FROM",
    "RETIRES",
    "PUBLISHED UNTIL",
];

impl ListedKey {
    /// `key`, one of `keys`, as it is at `now`.
    pub(super) fn new(key: &StoredSigningKey, keys: &SigningKeySet, now: Timestamp) -> Self {
        let all = keys.lives(key.algorithm);
        let life = &key.life;
        let state = life.state(&all, now);
        let is_revoked = life.revoked_at.is_some();
        let text = |instant: Timestamp| instant.to_string();
        Self {
            kid: key.id.clone(),
            algorithm: key.algorithm.as_str(),
            state: state.as_str(),
            created_at: text(life.created_at),
            signs_from: text(life.signs_from),
            retires_at: life.retires_at(&all).map(text),
            published_until: life.gone_at(&all).filter(|_| !is_revoked).map(text),
            revoked_at: life.revoked_at.map(text),
            kind: state,
        }
    }

    /// Whether it is the key with this `kid`.
    pub(super) fn is(&self, kid: &str) -> bool {
        self.kid == kid
    }

    /// What happens with the key next, in one sentence.
    pub(super) fn sentence(&self) -> String {
        let Self {
            kid,
            algorithm,
            signs_from,
            ..
        } = self;
        match self.kind {
            SigningKeyState::Published => {
                format!("{algorithm}: the key {kid} is published and signs from {signs_from} on.")
            }
            SigningKeyState::Signing => format!("{algorithm}: the key {kid} signs."),
            other => format!("{algorithm}: the key {kid} is {}.", other.as_str()),
        }
    }

    fn cells(&self) -> Vec<Cell> {
        let state = match self.kind {
            SigningKeyState::Signing => Cell::good(self.state),
            SigningKeyState::Revoked => Cell::bad(self.state),
            SigningKeyState::Published => Cell::plain(self.state),
            SigningKeyState::Retired | SigningKeyState::Gone => Cell::faint(self.state),
        };
        let or_dash = |instant: &Option<String>| Cell::plain(instant.as_deref().unwrap_or("-"));
        vec![
            Cell::plain(&self.kid),
            Cell::plain(self.algorithm),
            state,
            Cell::plain(&self.signs_from),
            or_dash(&self.retires_at),
            or_dash(&self.published_until),
        ]
    }
}

/// Prints keys as a table, or as JSON: an object with `items`.
pub(super) fn print(format: Format, keys: &[ListedKey]) -> Result<(), Failure> {
    let rows = keys.iter().map(ListedKey::cells).collect::<Vec<_>>();
    print::whole(format, &COLUMNS, &rows, keys, &List { items: keys })
}
