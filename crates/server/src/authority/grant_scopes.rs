//! Which caller may give an account which scopes.

use super::{caller::Caller, state::Authority};
use crate::domain::ScopeSet;

/// The maximum length of all scopes of an account together, in characters. It keeps tokens below 4 KiB.
const MAX_SCOPE_CHARS: usize = 2000;

/// Why an account cannot have these scopes.
#[derive(Debug, thiserror::Error)]
pub enum GrantScopesError {
    /// No resource has this scope.
    #[error("no resource has the scope {0:?}")]
    Unknown(String),
    /// The scopes are too long together.
    #[error("the scopes of an account may have at most {MAX_SCOPE_CHARS} characters in total")]
    TooMany,
    /// The caller lacks these scopes, so it cannot grant them.
    #[error("the caller lacks the scopes {0:?}")]
    Missing(Vec<String>),
}

impl Authority {
    /// Checks that the caller may grant the scopes `gained`, after which the account holds `all`.
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
