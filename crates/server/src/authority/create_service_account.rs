//! `create_service_account`: an account with its first secret.

use super::{
    caller::Caller,
    grant_scopes::GrantScopesError,
    idempotency::{IdempotencyError, Idempotent, OnceOutcome},
    issued_secret::IssuedSecret,
    origin::Origin,
    state::Authority,
    unavailable::{Unavailable, or_unavailable},
};
use crate::domain::{
    Action, Description, Labels, MANAGEMENT_SCOPES, Name, ScopeSet, ServiceAccount,
    ServiceAccountId, Timestamp,
};

/// What a new account is to be.
#[derive(Clone, Debug)]
pub struct NewServiceAccount {
    /// Its display name.
    pub name: Name,
    /// What it is for.
    pub description: Option<Description>,
    /// What it may ask for. `None`: what its creator may at the management API.
    pub scopes: Option<ScopeSet>,
    /// Who answers for it.
    pub owner: Option<Name>,
    /// What it is sorted by.
    pub labels: Labels,
    /// How long its tokens live, in seconds. `None`: as long as those of the resource that they are for.
    pub token_lifetime_seconds: Option<u32>,
    /// When it expires. `None`: it does not.
    pub expires_at: Option<Timestamp>,
}

/// Why an account is not created.
#[derive(Debug, thiserror::Error)]
pub enum CreateServiceAccountError {
    /// The account cannot have these scopes.
    #[error(transparent)]
    Scopes(#[from] GrantScopesError),
    /// The request was not carried out once.
    #[error(transparent)]
    Idempotency(#[from] IdempotencyError),
    /// The request cannot be answered now.
    #[error(transparent)]
    Unavailable(Unavailable),
}

or_unavailable!(CreateServiceAccountError::Unavailable);

impl Authority {
    /// Creates an account and its first secret in the caller's organization.
    pub async fn create_service_account(
        &self,
        caller: &Caller,
        origin: &Origin<'_>,
        new: NewServiceAccount,
        mut idempotent: Option<Idempotent<'_, IssuedSecret>>,
    ) -> Result<OnceOutcome<IssuedSecret>, CreateServiceAccountError> {
        let now = self.clock.now()?;
        let scopes = new.scopes.unwrap_or_else(|| {
            caller
                .scopes
                .filter(|scope| MANAGEMENT_SCOPES.contains(&scope))
        });
        self.check_grant(caller, &scopes, &scopes)?;
        if let Some(idempotent) = &mut idempotent {
            // The scopes are part of the request even if the caller left them out.
            let scopes = scopes.as_str().as_bytes();
            idempotent.request.extend_from_slice(scopes);
        }

        let id = ServiceAccountId::new(now, self.ordered_random(now)?);
        let creator = Some(caller.service_account_id);
        let account = ServiceAccount {
            description: new.description,
            scopes,
            owner: new.owner,
            labels: new.labels,
            token_lifetime_seconds: new.token_lifetime_seconds,
            expires_at: new.expires_at,
            ..ServiceAccount::new(id, caller.organization_id, new.name, now, creator)
        };
        let (secret, stored) = self.new_secret(now, creator, None)?;
        let event = caller.event(
            origin,
            now,
            Action::CreateServiceAccount,
            account.id.to_string(),
            account.stated(),
        );
        let issued = IssuedSecret { account, secret };
        let operation = (Action::CreateServiceAccount, None);
        let write = async |record: Option<_>| {
            self.store
                .create_service_account(&issued.account, &stored, event, record.as_ref())
                .await
        };
        self.once(idempotent, caller, operation, now, &issued, write)
            .await?
            .try_map(|()| Ok(issued))
    }
}
