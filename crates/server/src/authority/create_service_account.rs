//! `create_service_account`: creates an account with its first secret.

use super::{
    Answered, Authority, Caller, GrantScopesError, Idempotent, IssuedCredentials, Origin,
    Unavailable, idempotency::Record,
};
use crate::{
    domain::{
        AccountPatch, Action, InvalidLabels, MANAGEMENT_SCOPES, Name, ServiceAccount,
        ServiceAccountId,
    },
    store::Once,
};

/// Why an account was not created.
#[derive(Debug, thiserror::Error)]
pub enum CreateServiceAccountError {
    /// The caller may not grant these scopes.
    #[error(transparent)]
    Scopes(#[from] GrantScopesError),
    /// The labels break a rule.
    #[error(transparent)]
    Labels(#[from] InvalidLabels),
    /// The caller has used the idempotency key for another request.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// The operation could not be done.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl Authority {
    /// Creates an account with a name, further settings and a first secret in the caller's organization. Without `scopes` the
    /// account gets the management scopes of the caller.
    pub async fn create_service_account(
        &self,
        caller: &Caller,
        origin: &Origin,
        name: Name,
        mut settings: AccountPatch,
        mut idempotent: Option<Idempotent<'_, IssuedCredentials>>,
    ) -> Result<Answered<IssuedCredentials>, CreateServiceAccountError> {
        let now = self.clock.now().map_err(Unavailable::from)?;
        let scopes = settings.scopes.take().unwrap_or_else(|| {
            caller
                .scopes
                .filter(|scope| MANAGEMENT_SCOPES.contains(&scope))
        });
        self.check_grant(caller, &scopes, &scopes)?;
        if let Some(idempotent) = &mut idempotent {
            // Scopes that come from the caller are part of the request, too.
            let scopes = scopes.as_str().as_bytes();
            idempotent.request.extend_from_slice(scopes);
        }

        let id = ServiceAccountId::new(now, self.ordered_random(now).map_err(Unavailable::from)?);
        let creator = Some(caller.service_account_id);
        let mut account = ServiceAccount::new(id, caller.organization_id, name, now, creator);
        settings.scopes = Some(scopes);
        settings.apply_to_new(&mut account, now)?;
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
