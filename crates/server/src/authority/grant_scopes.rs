//! Which scopes an account can have, whoever grants them.

use super::state::Authority;
use crate::domain::{GrantableScopes, ScopeSet};

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
    /// No resource has this scope, which is to be grantable.
    #[error("no resource has the scope {0:?}")]
    UnknownGrantable(String),
}

impl Authority {
    /// Checks that the scopes `gained` exist, after which the account holds `all`, and that the scopes among `grantable` do.
    pub(super) fn check_scopes(
        &self,
        gained: &ScopeSet,
        all: &ScopeSet,
        grantable: &GrantableScopes,
    ) -> Result<(), GrantScopesError> {
        if let Some(unknown) = self.unknown_scope(gained) {
            return Err(GrantScopesError::Unknown(unknown));
        }
        if all.as_str().len() > MAX_SCOPE_CHARS {
            return Err(GrantScopesError::TooMany);
        }
        match self.unknown_scope(&grantable.exact()) {
            Some(unknown) => Err(GrantScopesError::UnknownGrantable(unknown)),
            None => Ok(()),
        }
    }

    /// A scope of `scopes` that no resource has.
    fn unknown_scope(&self, scopes: &ScopeSet) -> Option<String> {
        let mut scopes = scopes.iter();
        let unknown = scopes.find(|scope| self.resources.owning(scope).is_none());
        unknown.map(str::to_owned)
    }
}
