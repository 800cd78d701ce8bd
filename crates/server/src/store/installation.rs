//! The installation: its organizations and its bootstrap.

use super::{
    database::{Statement, Step, Written},
    error::{StoreError, during},
    handle::Store,
    secrets::insert_secret,
    service_accounts::insert_account,
};
use crate::domain::{
    AuditEvent, ChainHead, Name, OrganizationId, ServiceAccount, StoredSecret, Timestamp,
};

/// A new organization.
#[derive(Clone, Debug)]
pub struct Organization {
    /// Its id.
    pub id: OrganizationId,
    /// Its name, unique in the installation.
    pub name: Name,
    /// When it was created.
    pub created_at: Timestamp,
}

impl Store {
    /// The check value of the master key, and when the first organization was created. `None`: no check value is recorded.
    pub async fn installation(&self) -> Result<Option<([u8; 32], Option<Timestamp>)>, StoreError> {
        const OPERATION: &str = "reading the installation";
        let select = Statement::new(
            "SELECT master_key_check, bootstrapped_at FROM installation",
            [],
        );
        let rows = self.read(OPERATION, select).await?;
        rows.into_iter()
            .next()
            .map(|mut row| Ok((row.next()?, row.next()?)))
            .transpose()
            .map_err(during(OPERATION))
    }

    /// The id and name of every organization, oldest first.
    pub async fn organizations(&self) -> Result<Vec<(OrganizationId, String)>, StoreError> {
        const OPERATION: &str = "reading the organizations";
        let select = Statement::new(
            "SELECT id, name FROM organizations ORDER BY created_at, id",
            [],
        );
        self.read(OPERATION, select)
            .await?
            .into_iter()
            .map(|mut row| Ok((row.next()?, row.next()?)))
            .collect::<Result<_, _>>()
            .map_err(during(OPERATION))
    }

    /// Creates the first organization with its first account. `false`: there has been an organization already, and nothing changed.
    /// If several nodes try at once, one succeeds.
    pub async fn bootstrap_first(
        &self,
        organization: &Organization,
        account: &ServiceAccount,
        secret: &StoredSecret,
        events: [AuditEvent; 2],
    ) -> Result<bool, StoreError> {
        let first = Statement::new(
            "UPDATE installation SET bootstrapped_at = $1 WHERE bootstrapped_at IS NULL",
            [organization.created_at.into()],
        );
        let mut steps = vec![
            Step::Require(first),
            Step::Run(insert_organization(organization)),
        ];
        steps.extend(first_account(account, secret, events));
        let written = self
            .write("bootstrapping the first organization", steps)
            .await?;
        Ok(written == Written::Wholly)
    }

    /// Creates a further organization with its first account. `false`: the name is taken, and nothing changed.
    pub async fn bootstrap_another(
        &self,
        organization: &Organization,
        account: &ServiceAccount,
        secret: &StoredSecret,
        events: [AuditEvent; 2],
    ) -> Result<bool, StoreError> {
        let bootstrapped = Statement::new(
            "UPDATE installation SET bootstrapped_at = coalesce(bootstrapped_at, $1)",
            [organization.created_at.into()],
        );
        let mut steps = vec![
            Step::Require(insert_organization(organization)),
            Step::Run(bootstrapped),
        ];
        steps.extend(first_account(account, secret, events));
        let written = self.write("bootstrapping an organization", steps).await?;
        Ok(written == Written::Wholly)
    }
}

fn insert_organization(organization: &Organization) -> Statement {
    Statement::new(
        "INSERT INTO organizations (id, name, created_at, audit_sequence, audit_hash) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (name) DO NOTHING",
        [
            organization.id.into(),
            organization.name.as_str().to_owned().into(),
            organization.created_at.into(),
            ChainHead::START.sequence.into(),
            ChainHead::START.hash.into(),
        ],
    )
}

fn first_account(
    account: &ServiceAccount,
    secret: &StoredSecret,
    events: [AuditEvent; 2],
) -> impl Iterator<Item = Step> {
    [insert_account(account), insert_secret(account.id, secret)]
        .into_iter()
        .map(Step::Run)
        .chain(events.into_iter().map(Step::Append))
}
