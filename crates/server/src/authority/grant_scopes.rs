//! Who may give an account which scopes.

use super::{Authority, Caller};
use crate::domain::ScopeSet;

/// The most characters that the scopes of one account may have together, so that its tokens stay below 4 KiB.
const MAX_SCOPE_CHARS: usize = 2000;

/// Why an account does not get these scopes.
#[derive(Debug, thiserror::Error)]
pub enum GrantScopesError {
    /// No resource has this scope.
    #[error("no resource has the scope {0:?}")]
    Unknown(String),
    /// Together they are too long.
    #[error("the scopes of an account may have at most {MAX_SCOPE_CHARS} characters together")]
    TooMany,
    /// The caller would hand out what he does not hold; these are the scopes that he lacks.
    #[error("the caller lacks the scopes {0:?}")]
    Missing(Vec<String>),
}

impl Authority {
    /// Whether the caller may give an account the scopes `gained`, so that it has `all` of these.
    pub(super) fn check_grant(
        &self,
        caller: &Caller,
        gained: &ScopeSet,
        all: &ScopeSet,
    ) -> Result<(), GrantScopesError> {
        let unknown = gained
            .iter()
            .find(|scope| self.resources.owning(scope).is_none());
        if let Some(unknown) = unknown {
            return Err(GrantScopesError::Unknown(unknown.to_owned()));
        }
        if all.as_str().len() > MAX_SCOPE_CHARS {
            return Err(GrantScopesError::TooMany);
        }
        let missing = caller.scopes.missing_to_grant(gained);
        if !missing.is_empty() {
            return Err(GrantScopesError::Missing(missing));
        }
        Ok(())
    }
}
