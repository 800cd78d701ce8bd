//! `create_service_account`.

use super::{
    Answered, Authority, Caller, GrantScopesError, Idempotent, IssuedCredentials, Origin,
    Unavailable, idempotency::Record,
};
use crate::{
    domain::{
        Action, Description, Labels, MANAGEMENT_SCOPES, Name, ScopeSet, ServiceAccount,
        ServiceAccountId, Timestamp,
    },
    store::Once,
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
    /// It cannot have these scopes.
    #[error(transparent)]
    Scopes(#[from] GrantScopesError),
    /// The caller used the key for another request.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// No answer.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl Authority {
    /// Creates an account with its first secret in the caller's organization.
    pub async fn create_service_account(
        &self,
        caller: &Caller,
        origin: &Origin<'_>,
        new: NewServiceAccount,
        mut idempotent: Option<Idempotent<'_, IssuedCredentials>>,
    ) -> Result<Answered<IssuedCredentials>, CreateServiceAccountError> {
        let now = self.clock.now().map_err(Unavailable::from)?;
        let scopes = new.scopes.unwrap_or_else(|| {
            caller
                .scopes
                .filter(|scope| MANAGEMENT_SCOPES.contains(&scope))
        });
        self.check_grant(caller, &scopes, &scopes)?;
        if let Some(idempotent) = &mut idempotent {
            // Where the request names none, they are as much part of what is asked for.
            let scopes = scopes.as_str().as_bytes();
            idempotent.request.extend_from_slice(scopes);
        }

        let id = ServiceAccountId::new(now, self.ordered_random(now).map_err(Unavailable::from)?);
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
        let (secret, stored) = self
            .new_secret(now, creator, None)
            .map_err(Unavailable::from)?;
        let event = caller.event(
            origin,
            now,
            Action::CreateServiceAccount,
            account.id.to_string(),
            account.stated(),
        );
        let issued = IssuedCredentials { account, secret };
        let operation = (Action::CreateServiceAccount, None);
        let record = self.record(idempotent, caller, operation, &issued, now)?;
        let row = record.as_ref().map(Record::row);
        let created = self
            .store
            .create_service_account(&issued.account, &stored, event, row)
            .await
            .map_err(Unavailable::from)?;
        match created {
            Once::Now(()) => Ok(Answered::Now(issued)),
            Once::Before(answer) => Record::open(record, answer)?
                .map(Answered::Before)
                .ok_or(CreateServiceAccountError::KeyReused),
        }
    }
}
