//! Scopes (RFC 6749 §3.3).

use std::{fmt, iter, sync::Arc};

use memchr::memchr;

/// Holds every scope of the management API.
pub const MANAGEMENT_ALL: &str = "management:all";
/// Lets its holder read the audit trail.
pub const AUDIT_READ: &str = "management:audit:read";
/// Lets its holder read service accounts.
pub const SERVICE_ACCOUNTS_READ: &str = "management:service-accounts:read";
/// Lets its holder create, rotate and delete service accounts.
pub const SERVICE_ACCOUNTS_WRITE: &str = "management:service-accounts:write";
/// Lets a client introspect the tokens of its organization (RFC 7662).
pub const TOKENS_INTROSPECT: &str = "tokens:introspect";

/// All scopes of the management API, in the order in which they are published.
pub const MANAGEMENT_SCOPES: [&str; 5] = [
    MANAGEMENT_ALL,
    AUDIT_READ,
    SERVICE_ACCOUNTS_READ,
    SERVICE_ACCOUNTS_WRITE,
    TOKENS_INTROSPECT,
];

/// A set of scopes in its one canonical spelling: sorted, without repeats, separated by single spaces. That spelling is
/// what tokens carry and what the database keeps, so it is also how the set is held. Clones share it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ScopeSet(Arc<str>);

/// A text that is no list of scopes, or a scope that cannot be had. Which of the two is not said, so that nobody can
/// probe what exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the scope is unknown, malformed, or not granted to this client")]
pub struct InvalidScope;

impl ScopeSet {
    /// Reads `scope-token *( SP scope-token )` (RFC 6749 Appendix A.4). Order and repeats do not matter; any other
    /// separator, a leading, trailing or doubled space, or a character outside the grammar is refused.
    pub fn parse(text: &str) -> Result<Self, InvalidScope> {
        // Tokens and the database have the canonical spelling.
        if split(text).all(is_scope_token) && split(text).is_sorted_by(|a, b| a < b) {
            return Ok(Self(text.into()));
        }
        Self::from_tokens(split(text))
    }

    /// The set of these scopes, each of them checked against the grammar.
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

    /// The scopes of `self` that `keep` keeps.
    pub fn filter(&self, mut keep: impl FnMut(&str) -> bool) -> Self {
        // Mostly all are kept: nothing is written before one is not.
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

    /// The scopes that are in both.
    pub fn intersection(&self, other: &Self) -> Self {
        // Both are sorted; and of the shorter one more is kept.
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

    /// Its scopes, in alphabetical order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        split(&self.0).filter(|scope| !scope.is_empty())
    }

    /// Whether no scope is in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `scope` is in it, to the letter (scopes are case-sensitive, RFC 6749 §3.3).
    pub fn contains(&self, scope: &str) -> bool {
        self.iter().any(|held| held == scope)
    }

    /// Whether whoever has these scopes may do what `scope` allows: he has it, or it is one of the management API's
    /// and he has [`MANAGEMENT_ALL`].
    pub fn holds(&self, scope: &str) -> bool {
        self.contains(scope)
            || (MANAGEMENT_SCOPES.contains(&scope) && self.contains(MANAGEMENT_ALL))
    }

    /// What the holder of `self` lacks before he may hand out `scopes`. A scope of the management API can be given by
    /// its holders alone; a scope of another resource by whoever holds [`MANAGEMENT_ALL`].
    pub fn missing_to_grant(&self, scopes: &Self) -> Vec<String> {
        let mut missing = Vec::new();
        for scope in scopes.iter() {
            let needed = if MANAGEMENT_SCOPES.contains(&scope) {
                scope
            } else {
                MANAGEMENT_ALL
            };
            if !self.holds(needed) && !missing.iter().any(|known| known == needed) {
                missing.push(needed.to_owned());
            }
        }
        missing
    }

    /// The canonical spelling.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ScopeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `text.split(' ')`, which takes several times as long for scopes.
fn split(text: &str) -> impl Iterator<Item = &str> {
    let mut left = Some(text);
    iter::from_fn(move || {
        let text = left?;
        let (token, behind) = match memchr(b' ', text.as_bytes()) {
            Some(end) => (&text[..end], Some(&text[end + 1..])),
            None => (text, None),
        };
        left = behind;
        Some(token)
    })
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
    fn one_set_has_one_spelling() {
        assert_eq!(ScopeSet::parse("b a b").unwrap().as_str(), "a b");
        assert_eq!(ScopeSet::parse("a b"), ScopeSet::parse("b a"));
    }

    #[test]
    fn an_intersection_has_what_both_have() {
        let set = |text| ScopeSet::parse(text).unwrap_or_default();
        for (one, other, both) in [
            ("b d", "a b c d e", "b d"),
            ("a b c d e", "b d", "b d"),
            ("a c e", "b c d", "c"),
            ("a", "b", ""),
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
    fn what_the_grammar_does_not_know_is_refused() {
        for text in [
            "", " ", " a", "a ", "a  b", "a\tb", "a\"", "a\\", "é", "a\0", "a\nb",
        ] {
            assert_eq!(ScopeSet::parse(text), Err(InvalidScope), "{text:?}");
        }
    }

    #[test]
    fn management_all_holds_the_management_scopes_and_no_others() {
        let all = ScopeSet::parse(MANAGEMENT_ALL).unwrap();
        assert!(MANAGEMENT_SCOPES.iter().all(|scope| all.holds(scope)));
        assert!(!all.holds("orders:read"));
        assert!(!all.holds("management:unheard-of"));
        let write = ScopeSet::parse(SERVICE_ACCOUNTS_WRITE).unwrap();
        assert!(!write.holds(MANAGEMENT_ALL));
        assert!(!write.holds(SERVICE_ACCOUNTS_READ));
    }

    #[test]
    fn nobody_grants_what_he_does_not_hold() {
        let write = ScopeSet::parse(SERVICE_ACCOUNTS_WRITE).unwrap();
        let all = ScopeSet::parse(MANAGEMENT_ALL).unwrap();
        let wanted = ScopeSet::parse("management:all orders:read orders:write").unwrap();
        assert_eq!(write.missing_to_grant(&wanted), [MANAGEMENT_ALL]);
        assert!(write.missing_to_grant(&write).is_empty());
        assert!(all.missing_to_grant(&wanted).is_empty());
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
