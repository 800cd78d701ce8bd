//! Scopes that an account may grant to other accounts.

use super::{InvalidScope, MANAGEMENT_SCOPES, ScopeSet};

/// What an account may grant to others beside the management scopes that it holds: exact scopes, and patterns such as `orders:*`,
/// which cover every scope that begins with `orders:`. No scope of the management API is among them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GrantableScopes(ScopeSet);

/// Why a list of grantable scopes is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidGrantableScopes {
    /// An entry is no scope.
    #[error(
        "must each be a scope (printable ASCII without spaces, quotes and backslashes) or a pattern such as orders:*"
    )]
    NoScope,
    /// An entry is an asterisk without a prefix that ends in a colon.
    #[error("must have a prefix and a colon in front of an asterisk, as in orders:*")]
    NoPrefix,
    /// An entry is a management scope or covers one.
    #[error("must not cover management scopes: an account may grant those that it holds")]
    Management,
    /// All entries together are too long.
    #[error("must have at most {} characters in total", GrantableScopes::MAX_CHARS)]
    TooLong,
}

impl From<InvalidScope> for InvalidGrantableScopes {
    fn from(InvalidScope: InvalidScope) -> Self {
        Self::NoScope
    }
}

impl GrantableScopes {
    /// The maximum length of all entries together, in characters.
    pub const MAX_CHARS: usize = 2000;

    /// Checks a list of entries. Order and duplicates do not matter.
    pub fn parse<'a>(
        entries: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, InvalidGrantableScopes> {
        let entries = ScopeSet::from_tokens(entries)?;
        for entry in entries.iter() {
            if entry.ends_with('*') && prefix(entry).is_none() {
                return Err(InvalidGrantableScopes::NoPrefix);
            }
            if MANAGEMENT_SCOPES.iter().any(|scope| covers(entry, scope)) {
                return Err(InvalidGrantableScopes::Management);
            }
        }
        if entries.as_str().len() > Self::MAX_CHARS {
            return Err(InvalidGrantableScopes::TooLong);
        }
        Ok(Self(entries))
    }

    /// The entries from the database, which [`Self::parse`] checked before they were stored.
    pub(crate) const fn stored(entries: ScopeSet) -> Self {
        Self(entries)
    }

    /// Whether an entry covers `wanted`: a scope, or an entry of another list.
    pub fn covers(&self, wanted: &str) -> bool {
        self.0.iter().any(|entry| covers(entry, wanted))
    }

    /// The entries that are scopes, not patterns.
    pub fn exact(&self) -> ScopeSet {
        self.0.filter(|entry| prefix(entry).is_none())
    }

    /// The entries as a set, sorted.
    pub const fn entries(&self) -> &ScopeSet {
        &self.0
    }

    /// Whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// What a pattern covers begins so. `None`: the entry is a scope.
fn prefix(entry: &str) -> Option<&str> {
    let prefix = entry.strip_suffix('*')?;
    (prefix.len() > 1 && prefix.ends_with(':')).then_some(prefix)
}

fn covers(entry: &str, wanted: &str) -> bool {
    match prefix(entry) {
        Some(prefix) => wanted.len() > prefix.len() && wanted.starts_with(prefix),
        None => entry == wanted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_cover_scopes_and_narrower_entries() {
        let list = GrantableScopes::parse(["orders:*", "stock:read"]).unwrap();
        for covered in [
            "orders:read",
            "orders:eu:write",
            "orders:*",
            "orders:eu:*",
            "stock:read",
        ] {
            assert!(list.covers(covered), "{covered}");
        }
        for other in [
            "orders:",
            "orders",
            "stock:write",
            "stock:*",
            "ordersx:read",
            "management:all",
        ] {
            assert!(!list.covers(other), "{other}");
        }
        assert_eq!(list.exact().as_str(), "stock:read");
    }

    #[test]
    fn a_list_covers_no_management_scope() {
        use InvalidGrantableScopes as Invalid;
        let long = "a".repeat(2001);
        for (entry, reason) in [
            ("management:all", Invalid::Management),
            ("management:*", Invalid::Management),
            ("management:service-accounts:*", Invalid::Management),
            ("tokens:*", Invalid::Management),
            ("*", Invalid::NoPrefix),
            (":*", Invalid::NoPrefix),
            ("orders*", Invalid::NoPrefix),
            ("a b", Invalid::NoScope),
            ("", Invalid::NoScope),
            (&long, Invalid::TooLong),
        ] {
            assert_eq!(GrantableScopes::parse([entry]), Err(reason), "{entry}");
        }
    }
}
