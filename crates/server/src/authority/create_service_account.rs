//! `create_service_account`: creates an account with its first secret.

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
    AccountPatch, Action, InvalidLabels, MANAGEMENT_ALL, MANAGEMENT_SCOPES, Name, Rights,
    ServiceAccount, ServiceAccountId,
};

/// Why an account was not created.
#[derive(Debug, thiserror::Error)]
pub enum CreateServiceAccountError {
    /// The account cannot have these scopes.
    #[error(transparent)]
    Scopes(#[from] GrantScopesError),
    /// The caller may not grant these scopes or grantable scopes.
    #[error("the caller may not grant {0:?}")]
    MissingScopes(Vec<String>),
    /// The account cannot have these labels.
    #[error(transparent)]
    Labels(#[from] InvalidLabels),
    /// The request was not carried out once.
    #[error(transparent)]
    Idempotency(#[from] IdempotencyError),
    /// The request cannot be answered now.
    #[error(transparent)]
    Unavailable(Unavailable),
}

or_unavailable!(CreateServiceAccountError::Unavailable);

impl Authority {
    /// Creates an account with a name, further settings and a first secret in the caller's organization. Without `scopes` the
    /// account gets the management scopes of the caller.
    pub async fn create_service_account(
        &self,
        caller: &Caller,
        origin: &Origin<'_>,
        name: Name,
        mut settings: AccountPatch,
        mut idempotent: Option<Idempotent<'_, IssuedSecret>>,
    ) -> Result<OnceOutcome<IssuedSecret>, CreateServiceAccountError> {
        let now = self.clock.now()?;
        let scopes = settings.scopes.take().unwrap_or_else(|| {
            caller
                .scopes
                .filter(|scope| MANAGEMENT_SCOPES.contains(&scope))
        });
        let grantable = settings.grantable_scopes.clone().unwrap_or_default();
        self.check_scopes(caller, &scopes, &scopes, &grantable)
            .await??;
        if let Some(idempotent) = &mut idempotent {
            // The scopes are part of the request even if the caller left them out.
            let scopes = scopes.as_str().as_bytes();
            idempotent.request.extend_from_slice(scopes);
        }

        let id = ServiceAccountId::new(now, self.ordered_random(now)?);
        let creator = Some(caller.service_account_id);
        let mut account = ServiceAccount::new(id, caller.organization_id, name, now, creator);
        settings.scopes = Some(scopes);
        settings.apply_to_new(&mut account, now)?;
        let rights = self.rights(caller).await?;
        require(&rights, &account)?;
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
        match self
            .once(idempotent.as_ref(), caller, operation, now, &issued, write)
            .await?
        {
            OnceOutcome::Completed(()) => Ok(OnceOutcome::Completed(issued)),
            OnceOutcome::Replayed(response) => {
                // An administrator may have every secret.
                if rights.scopes.holds(MANAGEMENT_ALL) {
                    return Ok(OnceOutcome::Replayed(response));
                }
                let account_in = idempotent.map(|idempotent| idempotent.account_in);
                let id = account_in.and_then(|account_in| account_in(&response));
                self.check_replay(caller, &rights, id).await?;
                Ok(OnceOutcome::Replayed(response))
            }
        }
    }

    /// Checks that the caller may empower the account whose secret is in a recorded response: the account may have been given more
    /// since. The secret of a deleted account is worthless.
    async fn check_replay(
        &self,
        caller: &Caller,
        rights: &Rights,
        id: Option<ServiceAccountId>,
    ) -> Result<(), CreateServiceAccountError> {
        let Some(id) = id else {
            let all = vec![MANAGEMENT_ALL.to_owned()];
            return Err(CreateServiceAccountError::MissingScopes(all));
        };
        let organization = caller.organization_id;
        match self.store.find_service_account(organization, id).await? {
            Some(account) => require(rights, &account),
            None => Ok(()),
        }
    }
}

/// Fails if the caller may not empower `account`.
fn require(rights: &Rights, account: &ServiceAccount) -> Result<(), CreateServiceAccountError> {
    let missing = rights.missing_to_empower(account);
    if missing.is_empty() {
        Ok(())
    } else {
        Err(CreateServiceAccountError::MissingScopes(missing))
    }
}
