//! What all changes of an account share: the rights of the caller, and the version by which they are judged.

use tokio::sync::MutexGuard;

use super::{
    caller::Caller,
    get_service_account::GetServiceAccountError,
    state::Authority,
    unavailable::{Unavailable, or_unavailable},
};
use crate::{
    domain::{MANAGEMENT_ALL, Precondition, Rights, ServiceAccount, ServiceAccountId},
    store::{AccountChange, Target},
};

/// How often a change is judged again because another change of the account was written first.
const MAX_ATTEMPTS: usize = 1000;

/// Why an account is not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// The caller's organization has no such account.
    #[error("there is no such service account")]
    NotFound,
    /// The account does not have the required version.
    #[error("the service account has changed since it was read")]
    Stale,
    /// The caller may not grant these scopes or grantable scopes.
    #[error("the caller may not grant {0:?}")]
    MissingScopes(Vec<String>),
    /// The organization would have no usable administrator.
    #[error("the organization would have no usable administrator")]
    LastAdministrator,
    /// The request cannot be answered now.
    #[error(transparent)]
    Unavailable(Unavailable),
}

or_unavailable!(ChangeError::Unavailable);

impl From<GetServiceAccountError> for ChangeError {
    fn from(error: GetServiceAccountError) -> Self {
        match error {
            GetServiceAccountError::NotFound => Self::NotFound,
            GetServiceAccountError::Unavailable(error) => Self::Unavailable(error),
        }
    }
}

/// What became of an attempt to change an account.
pub(super) enum Attempt<T> {
    /// It is done.
    Done(T),
    /// The account does not have the version by which the change was judged.
    Overtaken,
}

impl Attempt<()> {
    /// What became of a change that the account's secrets cannot refuse.
    pub(super) fn of(change: AccountChange) -> Result<Self, ChangeError> {
        match change {
            AccountChange::Done => Ok(Self::Done(())),
            AccountChange::NoAccount | AccountChange::Refused => Ok(Self::Overtaken),
            AccountChange::LastAdministrator => Err(ChangeError::LastAdministrator),
        }
    }
}

/// Fails if something is missing.
pub(super) fn require(missing: Vec<String>) -> Result<(), ChangeError> {
    if missing.is_empty() {
        Ok(())
    } else {
        Err(ChangeError::MissingScopes(missing))
    }
}

impl Authority {
    /// What `caller` may grant now.
    pub(super) async fn rights(&self, caller: &Caller) -> Result<Rights, Unavailable> {
        // An administrator may grant everything, whatever its account says.
        let grantable = if caller.scopes.holds(MANAGEMENT_ALL) {
            None
        } else {
            let (organization, id) = (caller.organization_id, caller.service_account_id);
            self.store.find_service_account(organization, id).await?
        };
        Ok(Rights {
            account: caller.service_account_id,
            scopes: caller.scopes.clone(),
            grantable: grantable
                .map(|account| account.grantable_scopes)
                .unwrap_or_default(),
        })
    }

    /// Begins a change of the account `id` of the caller's organization.
    pub(super) fn change_account<'a>(
        &'a self,
        caller: &'a Caller,
        id: ServiceAccountId,
        precondition: &'a Precondition,
    ) -> ChangingAccount<'a> {
        ChangingAccount {
            authority: self,
            caller,
            id,
            precondition,
            attempts: 0,
            was_met: true,
            turn: None,
        }
    }
}

/// A change of an account, which is judged and written until it is not overtaken by another change.
pub(super) struct ChangingAccount<'a> {
    authority: &'a Authority,
    caller: &'a Caller,
    id: ServiceAccountId,
    precondition: &'a Precondition,
    attempts: usize,
    was_met: bool,
    turn: Option<MutexGuard<'a, ()>>,
}

/// The account as it is, by which a change is judged.
pub(super) struct Judged {
    /// The account.
    pub(super) account: ServiceAccount,
    /// Where the change is to be written. The account must have the version that was judged.
    pub(super) target: Target,
    /// What the caller may grant.
    pub(super) rights: Rights,
}

impl ChangingAccount<'_> {
    /// Reads the account: first, and again each time that the change was overtaken.
    ///
    /// # Errors
    ///
    /// There is no such account, or it was overtaken and does not meet the precondition.
    pub(super) async fn read(&mut self) -> Result<Judged, ChangeError> {
        if !self.was_met {
            return Err(ChangeError::Stale);
        }
        if self.attempts == MAX_ATTEMPTS {
            return Err(ChangeError::Unavailable(Unavailable::AccountChanging));
        }
        if self.attempts == 1 {
            // From now on the overtaken changes of this node take turns.
            self.turn = Some(self.authority.overtaken_changes.turn(self.id).await);
        }
        self.attempts += 1;
        let (authority, caller) = (self.authority, self.caller);
        let account = authority.get_service_account(caller, self.id).await?;
        self.was_met = self.precondition.is_met(&account);
        Ok(Judged {
            target: Target {
                organization: account.organization_id,
                id: self.id,
                version: self.precondition.version(&account),
            },
            rights: authority.rights(caller).await?,
            account,
        })
    }
}
