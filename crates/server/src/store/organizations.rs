//! Organizations, as the operator manages them.

use super::{
    database::{DatabaseError, Row, Statement, Step, Written},
    error::{StoreError, during},
    handle::Store,
    secrets::insert_secret,
    service_accounts::insert_account,
};
use crate::domain::{AuditEvent, Name, OrganizationId, ServiceAccount, StoredSecret, Timestamp};

/// The rows that one step of a deletion removes. Between two steps others get a turn.
const DELETED_AT_ONCE: i64 = 1000;

/// An organization with what belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedOrganization {
    /// Its id.
    pub id: OrganizationId,
    /// Its name, unique in the installation.
    pub name: String,
    /// When it was created.
    pub created_at: Timestamp,
    /// When the operator disabled it. `None`: it is enabled.
    pub disabled_at: Option<Timestamp>,
    /// The number of its service accounts.
    pub service_accounts: i64,
    /// The number of its audit events.
    pub audit_events: i64,
}

/// The columns of [`ListedOrganization`].
macro_rules! listed {
    () => {
        "SELECT o.id, o.name, o.created_at, o.disabled_at, \
         (SELECT count(*) FROM service_accounts a WHERE a.organization_id = o.id), o.audit_sequence FROM organizations o"
    };
}

/// What a step of a deletion removes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrganizationPart {
    /// Service accounts, with their secrets and usage.
    ServiceAccounts,
    /// Audit events, the oldest first.
    AuditEvents,
}

impl Store {
    /// Every organization, oldest first.
    pub async fn list_organizations(&self) -> Result<Vec<ListedOrganization>, StoreError> {
        const DOING: &str = "listing the organizations";
        let select = Statement::new(concat!(listed!(), " ORDER BY o.created_at, o.id"), []);
        let rows = self.read(DOING, select).await?;
        rows.into_iter()
            .map(|mut row| listed(&mut row))
            .collect::<Result<_, _>>()
            .map_err(during(DOING))
    }

    /// The organization with this name. `None`: there is none.
    pub async fn find_organization(
        &self,
        name: &str,
    ) -> Result<Option<ListedOrganization>, StoreError> {
        let select = Statement::new(
            concat!(listed!(), " WHERE o.name = $1"),
            [name.to_owned().into()],
        );
        self.read_first("reading an organization", select).await
    }

    /// The organization with this id. `None`: there is none.
    pub async fn get_organization(
        &self,
        id: OrganizationId,
    ) -> Result<Option<ListedOrganization>, StoreError> {
        let select = Statement::new(concat!(listed!(), " WHERE o.id = $1"), [id.into()]);
        self.read_first("reading an organization", select).await
    }

    async fn read_first(
        &self,
        doing: &'static str,
        select: Statement,
    ) -> Result<Option<ListedOrganization>, StoreError> {
        let first = self.read(doing, select).await?.into_iter().next();
        let first = first.map(|mut row| listed(&mut row)).transpose();
        first.map_err(during(doing))
    }

    /// Gives the organization another name. `false`: another one has the name, or this one is gone.
    pub async fn rename_organization(
        &self,
        id: OrganizationId,
        name: &Name,
        event: AuditEvent,
    ) -> Result<bool, StoreError> {
        let update = Statement::new(
            "UPDATE organizations SET name = $2 WHERE id = $1 AND NOT EXISTS \
             (SELECT 1 FROM organizations o WHERE o.name = $2 AND o.id <> $1)",
            [id.into(), name.as_str().to_owned().into()],
        );
        self.change_organization("renaming an organization", update, event)
            .await
    }

    /// Disables the organization as of an instant, or enables it. `false`: it was so already, or it is gone.
    pub async fn set_organization_disabled(
        &self,
        id: OrganizationId,
        disabled_at: Option<Timestamp>,
        event: AuditEvent,
    ) -> Result<bool, StoreError> {
        let sql = if disabled_at.is_some() {
            "UPDATE organizations SET disabled_at = $2 WHERE id = $1 AND disabled_at IS NULL"
        } else {
            "UPDATE organizations SET disabled_at = $2 WHERE id = $1 AND disabled_at IS NOT NULL"
        };
        let update = Statement::new(sql, [id.into(), disabled_at.into()]);
        self.change_organization("disabling or enabling an organization", update, event)
            .await
    }

    async fn change_organization(
        &self,
        doing: &'static str,
        update: Statement,
        event: AuditEvent,
    ) -> Result<bool, StoreError> {
        let steps = vec![Step::Require(update), Step::Append(event)];
        Ok(self.write(doing, steps).await? == Written::Wholly)
    }

    /// Stores a new account of an existing organization that the operator makes. `false`: the organization is gone.
    pub async fn recover_organization(
        &self,
        account: &ServiceAccount,
        secret: &StoredSecret,
        event: AuditEvent,
    ) -> Result<bool, StoreError> {
        let exists = Statement::new(
            "UPDATE organizations SET name = name WHERE id = $1",
            [account.organization_id.into()],
        );
        let steps = vec![
            Step::Require(exists),
            Step::Run(insert_account(account)),
            Step::Run(insert_secret(account.id, secret)),
            Step::Append(event),
        ];
        let written = self.write("recovering an organization", steps).await?;
        Ok(written == Written::Wholly)
    }

    /// Deletes some rows of a part of the organization, which must be disabled. `false`: nothing is left of the part.
    pub async fn delete_organization_rows(
        &self,
        id: OrganizationId,
        part: OrganizationPart,
    ) -> Result<bool, StoreError> {
        let sql = match part {
            OrganizationPart::ServiceAccounts => {
                "DELETE FROM service_accounts WHERE id IN \
                 (SELECT id FROM service_accounts WHERE organization_id = $1 LIMIT $2)"
            }
            OrganizationPart::AuditEvents => {
                "DELETE FROM audit_events WHERE organization_id = $1 AND sequence IN \
                 (SELECT sequence FROM audit_events WHERE organization_id = $1 ORDER BY sequence LIMIT $2)"
            }
        };
        let delete = Statement::new(sql, [id.into(), DELETED_AT_ONCE.into()]);
        let steps = vec![Step::Require(delete)];
        let written = self
            .write("deleting a part of an organization", steps)
            .await?;
        Ok(written == Written::Wholly)
    }

    /// Deletes the organization with what is left of it. `false`: it is gone already.
    pub async fn delete_organization(&self, id: OrganizationId) -> Result<bool, StoreError> {
        let delete = |sql| Statement::new(sql, [id.into()]);
        // The first step locks the row, so that no event is appended meanwhile.
        let lock = delete("UPDATE organizations SET name = name WHERE id = $1");
        // All organizations may have used a resource that goes with its owner.
        let tell = delete(
            "UPDATE organizations SET resources_version = resources_version + 1 WHERE EXISTS \
             (SELECT 1 FROM resources WHERE organization_id = $1 AND shared = 1)",
        );
        let steps = vec![
            Step::Require(lock),
            Step::Run(tell),
            Step::Run(delete(
                "DELETE FROM service_accounts WHERE organization_id = $1",
            )),
            Step::Run(delete(
                "DELETE FROM audit_events WHERE organization_id = $1",
            )),
            Step::Require(delete("DELETE FROM organizations WHERE id = $1")),
        ];
        let written = self.write("deleting an organization", steps).await?;
        Ok(written == Written::Wholly)
    }
}

fn listed(row: &mut Row) -> Result<ListedOrganization, DatabaseError> {
    Ok(ListedOrganization {
        id: row.next()?,
        name: row.next()?,
        created_at: row.next()?,
        disabled_at: row.next()?,
        service_accounts: row.next()?,
        audit_events: row.next()?,
    })
}
