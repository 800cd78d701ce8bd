//! Which scopes an account can have, whoever grants them.

use super::{caller::Caller, state::Authority, unavailable::Unavailable};
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
    /// Checks that the scopes `gained` exist in the caller's organization, after which the account holds `all`, and that the scopes
    /// among `grantable` do.
    pub(super) async fn check_scopes(
        &self,
        caller: &Caller,
        gained: &ScopeSet,
        all: &ScopeSet,
        grantable: &GrantableScopes,
    ) -> Result<Result<(), GrantScopesError>, Unavailable> {
        let grantable = grantable.exact();
        let mut named = gained.iter().chain(grantable.iter());
        let unknown = if named.all(|scope| self.management.scopes.contains(scope)) {
            [None, None]
        } else {
            let resources = self.load_resources(caller.organization_id).await?;
            [gained, &grantable].map(|scopes| {
                let mut scopes = scopes.iter();
                let unknown = scopes.find(|scope| resources.owning(scope).is_none());
                unknown.map(str::to_owned)
            })
        };
        let [unknown, unknown_grantable] = unknown;
        Ok(if let Some(unknown) = unknown {
            Err(GrantScopesError::Unknown(unknown))
        } else if all.as_str().len() > MAX_SCOPE_CHARS {
            Err(GrantScopesError::TooMany)
        } else if let Some(unknown) = unknown_grantable {
            Err(GrantScopesError::UnknownGrantable(unknown))
        } else {
            Ok(())
        })
    }
}
