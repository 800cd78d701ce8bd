//! Scopes (RFC 6749 §3.3).

use std::{fmt, mem, sync::Arc};

/// Includes every scope of the management API.
pub const MANAGEMENT_ALL: &str = "management:all";
/// Permits reading the audit trail.
pub const AUDIT_READ: &str = "management:audit:read";
/// Permits reading service accounts.
pub const SERVICE_ACCOUNTS_READ: &str = "management:service-accounts:read";
/// Permits creating, changing, rotating and deleting service accounts.
pub const SERVICE_ACCOUNTS_WRITE: &str = "management:service-accounts:write";
/// Permits getting, adding and ending secrets of the accounts whose scopes the caller may grant.
pub const SERVICE_ACCOUNTS_ROTATE: &str = "management:service-accounts:rotate";
/// Permits introspecting the tokens of the client's organization (RFC 7662).
pub const TOKENS_INTROSPECT: &str = "tokens:introspect";

/// All scopes of the management API, in the order of the metadata document.
pub const MANAGEMENT_SCOPES: [&str; 6] = [
    MANAGEMENT_ALL,
    AUDIT_READ,
    SERVICE_ACCOUNTS_READ,
    SERVICE_ACCOUNTS_ROTATE,
    SERVICE_ACCOUNTS_WRITE,
    TOKENS_INTROSPECT,
];

/// A set of scopes in its canonical form: sorted, without duplicates, separated by single spaces. Tokens and the database have the
/// same form. Clones share the text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ScopeSet(Arc<str>);

/// The text is no list of scopes, or a scope is unknown or not granted. The error does not say which, so that clients cannot probe
/// for scopes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the scope is unknown, malformed, or not granted to this client")]
pub struct InvalidScope;

impl ScopeSet {
    /// Parses `scope-token *( SP scope-token )` (RFC 6749 Appendix A.4). Order and duplicates do not matter. Any other separator, a
    /// leading, trailing or doubled space, and a character outside the grammar is an error.
    pub fn parse(text: &str) -> Result<Self, InvalidScope> {
        let mut last = "";
        let is_next = |token| is_scope_token(token) && mem::replace(&mut last, token) < token;
        // Tokens and the database have the canonical form.
        if text.split(' ').all(is_next) {
            return Ok(Self(text.into()));
        }
        Self::from_tokens(text.split(' '))
    }

    /// The set of these scopes, each checked against the grammar.
    pub fn from_tokens<'a>(
        tokens: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, InvalidScope> {
        let mut tokens = tokens.into_iter().collect::<Vec<_>>();
        if !tokens.iter().all(|token| is_scope_token(token)) {
            return Err(InvalidScope);
        }
        tokens.sort_unstable();
        tokens.dedup();
        Ok(Self(tokens.join(" ").into()))
    }

    /// The scopes for which `keep` returns `true`.
    pub fn filter(&self, mut keep: impl FnMut(&str) -> bool) -> Self {
        // Usually all are kept, so nothing is copied before the first one that is not.
        let mut kept: Option<String> = None;
        let mut end = 0;
        for scope in self.iter() {
            let begin = end;
            end += scope.len() + usize::from(begin > 0);
            match (&mut kept, keep(scope)) {
                (None, true) | (Some(_), false) => {}
                (None, false) => {
                    let mut text = String::with_capacity(self.0.len());
                    text.push_str(&self.0[..begin]);
                    kept = Some(text);
                }
                (Some(kept), true) => {
                    if !kept.is_empty() {
                        kept.push(' ');
                    }
                    kept.push_str(scope);
                }
            }
        }
        kept.map_or_else(|| self.clone(), |kept| Self(kept.into()))
    }

    /// The scopes that are in both sets.
    pub fn intersection(&self, other: &Self) -> Self {
        if self == other {
            return self.clone();
        }
        // Both are sorted. The shorter one is filtered, since more of it is kept.
        let (few, many) = if self.0.len() <= other.0.len() {
            (self, other)
        } else {
            (other, self)
        };
        let mut many = many.iter().peekable();
        few.filter(|scope| {
            while many.next_if(|other| *other < scope).is_some() {}
            many.peek() == Some(&scope)
        })
    }

    /// The scopes, sorted.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.split(' ').filter(|scope| !scope.is_empty())
    }

    /// Whether the set is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `scope` is in the set (scopes are case-sensitive, RFC 6749 §3.3).
    pub fn contains(&self, scope: &str) -> bool {
        self.iter().any(|held| held == scope)
    }

    /// Whether these scopes permit what `scope` permits: `scope` is in the set, or another one that includes it.
    /// [`MANAGEMENT_ALL`] includes every scope of the management API, [`SERVICE_ACCOUNTS_WRITE`] includes
    /// [`SERVICE_ACCOUNTS_ROTATE`].
    pub fn holds(&self, scope: &str) -> bool {
        self.contains(scope)
            || (scope == SERVICE_ACCOUNTS_ROTATE && self.contains(SERVICE_ACCOUNTS_WRITE))
            || (MANAGEMENT_SCOPES.contains(&scope) && self.contains(MANAGEMENT_ALL))
    }

    /// The canonical form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ScopeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `scope-token = 1*NQCHAR`, `NQCHAR = %x21 / %x23-5B / %x5D-7E` (RFC 6749 Appendix A.4).
fn is_scope_token(token: &str) -> bool {
    !token.is_empty()
        && token
            .bytes()
            .all(|byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_set_has_one_canonical_form() {
        assert_eq!(ScopeSet::parse("b a b").unwrap().as_str(), "a b");
        assert_eq!(ScopeSet::parse("a b"), ScopeSet::parse("b a"));
    }

    #[test]
    fn an_intersection_has_the_scopes_of_both_sets() {
        let set = |text| ScopeSet::parse(text).unwrap_or_default();
        for (one, other, both) in [
            ("b d", "a b c d e", "b d"),
            ("a b c d e", "b d", "b d"),
            ("a c e", "b c d", "c"),
            ("a", "b", ""),
            ("a b", "a b", "a b"),
            ("", "a", ""),
            ("a", "", ""),
            ("ab", "a abc", ""),
            ("a b d e", "b c e", "b e"),
        ] {
            assert_eq!(
                set(one).intersection(&set(other)),
                set(both),
                "{one} {other}"
            );
        }
    }

    #[test]
    fn a_text_outside_the_grammar_is_refused() {
        for text in [
            "", " ", " a", "a ", "a  b", "a\tb", "a\"", "a\\", "é", "a\0", "a\nb",
        ] {
            assert_eq!(ScopeSet::parse(text), Err(InvalidScope), "{text:?}");
        }
    }

    #[test]
    fn management_all_includes_the_management_scopes_and_no_others() {
        let all = ScopeSet::parse(MANAGEMENT_ALL).unwrap();
        assert!(MANAGEMENT_SCOPES.iter().all(|scope| all.holds(scope)));
        assert!(!all.holds("orders:read"));
        assert!(!all.holds("management:unheard-of"));
        let write = ScopeSet::parse(SERVICE_ACCOUNTS_WRITE).unwrap();
        assert!(!write.holds(MANAGEMENT_ALL));
        assert!(!write.holds(SERVICE_ACCOUNTS_READ));
        assert!(write.holds(SERVICE_ACCOUNTS_ROTATE));
    }

    proptest! {
        #[test]
        fn parsing_is_idempotent(text in "[ -~]{0,40}") {
            if let Ok(set) = ScopeSet::parse(&text) {
                prop_assert_eq!(ScopeSet::parse(set.as_str()), Ok(set.clone()));
                for token in text.split(' ') {
                    prop_assert!(set.contains(token));
                }
            }
        }
    }
}
