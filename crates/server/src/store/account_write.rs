//! A write of an account, and how it ended.

use super::{
    database::{Statement, Step, Written},
    target::Target,
};
use crate::domain::Timestamp;

/// The condition for a secret to be active at `$2`.
macro_rules! live {
    () => {
        "revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2) \
         AND (retires_at IS NULL OR retires_at > $2)"
    };
}
pub(super) use live;

/// The outcome of a change of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountChange {
    /// The change is done.
    Done,
    /// No account matches the target.
    NoAccount,
    /// The account's secrets do not allow the change: too many, no such secret, no rotation under way.
    Refused,
    /// The organization would have no usable administrator.
    LastAdministrator,
}

/// A write of an account. Its first step is the account's row, the last one the audit event.
#[derive(Debug)]
pub(super) struct AccountWrite {
    pub(super) steps: Vec<Step>,
    /// The step that requires an administrator.
    administrator_at: Option<usize>,
}

impl AccountWrite {
    pub(super) fn new(steps: Vec<Step>) -> Self {
        Self {
            steps,
            administrator_at: None,
        }
    }

    /// Refuses the change unless a usable administrator is left, if `keeps_administrator` is the time of the change. Concurrent
    /// changes of one organization that do so wait for each other.
    pub(super) fn keeping_administrator(
        mut self,
        target: Target,
        keeps_administrator: Option<Timestamp>,
    ) -> Self {
        if let Some(now) = keeps_administrator {
            // The lock is a statement of its own: the one behind it then sees what the concurrent change has written.
            let lock = Statement::new(
                "UPDATE organizations SET name = name WHERE id = $1",
                [target.organization.into()],
            );
            self.steps.push(Step::Run(lock));
            self.administrator_at = Some(self.steps.len());
            self.steps
                .push(Step::Require(require_administrator(target, now)));
        }
        self
    }

    /// Adds a step.
    pub(super) fn then(mut self, step: Step) -> Self {
        self.steps.push(step);
        self
    }

    /// How the write ended.
    pub(super) const fn outcome(
        administrator_at: Option<usize>,
        written: Written,
    ) -> AccountChange {
        match (written, administrator_at) {
            (Written::Wholly, _) => AccountChange::Done,
            (Written::NotAtAll { refused_by: 0 }, _) => AccountChange::NoAccount,
            (Written::NotAtAll { refused_by }, Some(at)) if refused_by == at => {
                AccountChange::LastAdministrator
            }
            (Written::NotAtAll { .. }, _) => AccountChange::Refused,
        }
    }

    /// The steps, and what [`Self::outcome`] needs.
    pub(super) fn into_parts(self) -> (Vec<Step>, Option<usize>) {
        (self.steps, self.administrator_at)
    }
}

/// Touches a row if the organization has an account that is usable, holds `management:all` and has a secret that it can log in with.
/// The condition on the scopes is that of the index `administrators`.
fn require_administrator(target: Target, now: Timestamp) -> Statement {
    Statement::new(
        concat!(
            "UPDATE organizations SET name = name WHERE id = $1 AND EXISTS (SELECT 1 FROM service_accounts a \
             WHERE a.organization_id = $1 AND replace(' ' || a.scopes || ' ', ' management:all ', '') <> ' ' || a.scopes || ' ' \
             AND a.disabled_at IS NULL AND (a.expires_at IS NULL OR a.expires_at > $2) \
             AND EXISTS (SELECT 1 FROM secrets WHERE service_account_id = a.id AND ",
            live!(),
            "))"
        ),
        [target.organization.into(), now.into()],
    )
}
