//! The values that many records share: ids of organizations and creators, and sets of scopes. A record holds their number.

use crate::{
    domain::ScopeSet,
    packed::{Interner, Reader, Writer},
};

/// Longer sets of scopes are written into the record: an interned value is never freed.
const MAX_INTERNED_SCOPES_BYTES: usize = 256;

/// Writes and reads shared values: the number plus one, or a zero and the value itself.
pub(super) struct SharedValues {
    ids: Interner<[u8; 16]>,
    scopes: Interner<ScopeSet>,
}

impl SharedValues {
    pub(super) fn new() -> Self {
        Self {
            ids: Interner::new(),
            scopes: Interner::new(),
        }
    }

    pub(super) fn write_id(&self, record: &mut Writer, id: &[u8; 16]) {
        match self.ids.intern(id) {
            Some(number) => record.unsigned(u64::from(number) + 1),
            None => record.unsigned(0).bytes(id),
        };
    }

    pub(super) fn read_id(&self, record: &mut Reader<'_>) -> Option<[u8; 16]> {
        match record.unsigned()?.checked_sub(1) {
            Some(number) => self.ids.get(number.try_into().ok()?).copied(),
            None => record.array(),
        }
    }

    pub(super) fn write_scopes(&self, record: &mut Writer, scopes: &ScopeSet) {
        let is_short = scopes.as_str().len() <= MAX_INTERNED_SCOPES_BYTES;
        match is_short.then(|| self.scopes.intern(scopes)).flatten() {
            Some(number) => record.unsigned(u64::from(number) + 1),
            None => record.unsigned(0).text(scopes.as_str()),
        };
    }

    pub(super) fn read_scopes(&self, record: &mut Reader<'_>) -> Option<ScopeSet> {
        match record.unsigned()?.checked_sub(1) {
            Some(number) => self.scopes.get(number.try_into().ok()?).cloned(),
            None => match record.text()? {
                "" => Some(ScopeSet::default()),
                scopes => ScopeSet::parse(scopes).ok(),
            },
        }
    }
}
