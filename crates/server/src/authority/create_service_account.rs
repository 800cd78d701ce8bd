//! `create_service_account`.

use super::{
    Answered, Authority, Caller, Idempotent, IssuedCredentials, Origin, Unavailable,
    account_detail, idempotency::Record,
};
use crate::{
    domain::{
        Action, Description, MANAGEMENT_SCOPES, Name, ScopeSet, ServiceAccount, ServiceAccountId,
    },
    store::Once,
};

/// The most characters that the scopes of one account may have together, so that its tokens stay below 4 KiB.
const MAX_SCOPE_CHARS: usize = 2000;

/// What a new account is to be.
#[derive(Clone, Debug)]
pub struct NewServiceAccount {
    /// Its display name.
    pub name: Name,
    /// What it is for.
    pub description: Option<Description>,
    /// What it may ask for. `None`: what its creator may at the management API.
    pub scopes: Option<ScopeSet>,
}

/// Why an account is not created.
#[derive(Debug, thiserror::Error)]
pub enum CreateServiceAccountError {
    /// No resource has this scope.
    #[error("no resource has the scope {0:?}")]
    UnknownScope(String),
    /// Together they are too long.
    #[error("the scopes of an account may have at most {MAX_SCOPE_CHARS} characters together")]
    TooManyScopes,
    /// The caller would hand out what he does not hold; these are the scopes that he lacks.
    #[error("the caller lacks the scopes {0:?}")]
    MissingScopes(Vec<String>),
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
        origin: &Origin,
        new: NewServiceAccount,
        mut idempotent: Option<Idempotent<'_, IssuedCredentials>>,
    ) -> Result<Answered<IssuedCredentials>, CreateServiceAccountError> {
        let now = self.clock.now().map_err(Unavailable::from)?;
        let scopes = new.scopes.unwrap_or_else(|| {
            caller
                .scopes
                .filter(|scope| MANAGEMENT_SCOPES.contains(&scope))
        });
        if let Some(unknown) = scopes
            .iter()
            .find(|scope| self.resources.owning(scope).is_none())
        {
            return Err(CreateServiceAccountError::UnknownScope(unknown.to_owned()));
        }
        if scopes.as_str().len() > MAX_SCOPE_CHARS {
            return Err(CreateServiceAccountError::TooManyScopes);
        }
        let missing = caller.scopes.missing_to_grant(&scopes);
        if !missing.is_empty() {
            return Err(CreateServiceAccountError::MissingScopes(missing));
        }
        if let Some(idempotent) = &mut idempotent {
            // Where the request names none, they are as much part of what is asked for.
            let scopes = scopes.as_str().as_bytes();
            idempotent.request.extend_from_slice(scopes);
        }

        let account = ServiceAccount {
            id: ServiceAccountId::new(now, self.ordered_random(now).map_err(Unavailable::from)?),
            organization_id: caller.organization_id,
            name: new.name,
            description: new.description,
            scopes,
            token_epoch: 0,
            disabled_at: None,
            created_at: now,
            created_by: Some(caller.service_account_id),
            updated_at: now,
            last_used_at: None,
        };
        let (secret, stored) = self
            .new_secret(now, Some(caller.service_account_id), None)
            .map_err(Unavailable::from)?;
        let event = caller.event(
            origin,
            now,
            Action::CreateServiceAccount,
            account.id.to_string(),
            account_detail(&account),
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
