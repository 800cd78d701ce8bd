//! Resources: the APIs that tokens are for, beside the management API.

use std::collections::BTreeMap;

use super::{
    database::{Column, DatabaseError, Row, Statement, Step, Value, Written},
    error::{StoreError, during},
    handle::Store,
};
use crate::domain::{OrganizationId, Resource, ResourceId, ScopeSet, Timestamp, TokenFormat};

/// A resource as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredResource {
    /// Its id.
    pub id: ResourceId,
    /// The organization that it belongs to.
    pub organization_id: OrganizationId,
    /// Whether all other organizations can use it, too.
    pub is_shared: bool,
    /// When it was created.
    pub created_at: Timestamp,
    /// The resource.
    pub resource: Resource,
}

/// The columns of a row with one scope of a resource, as [`collect`] reads them.
macro_rules! resource_columns {
    () => {
        "r.id, r.organization_id, r.shared, r.created_at, r.identifier, r.token_format, r.token_lifetime_seconds, s.name"
    };
}

impl Store {
    /// The resources that `organization` can use, its own first, and their version. `None`: there is no such organization.
    pub async fn usable_resources(
        &self,
        organization: OrganizationId,
    ) -> Result<Option<(i64, Vec<Resource>)>, StoreError> {
        const DOING: &str = "reading the resources of an organization";
        let select = Statement::new(
            concat!(
                "SELECT o.resources_version, ",
                resource_columns!(),
                " FROM organizations o LEFT JOIN resources r ON r.organization_id = o.id OR r.shared = 1 \
                 LEFT JOIN resource_scopes s ON s.resource_id = r.id WHERE o.id = $1"
            ),
            [organization.into()],
        );
        let rows = self.read(DOING, select).await?;
        let (version, mut stored) = collect(rows).map_err(during(DOING))?;
        stored.sort_by_key(|stored| (stored.organization_id != organization, stored.created_at));
        let resources = stored.into_iter().map(|stored| stored.resource);
        Ok(version.map(|version| (version, resources.collect())))
    }

    /// All resources, and the version under which the configuration's are [written](Self::write_configured_resources).
    pub async fn all_resources(&self) -> Result<(i64, Vec<StoredResource>), StoreError> {
        const DOING: &str = "reading the resources";
        let select = Statement::new(
            concat!(
                "SELECT i.configured_resources_version, ",
                resource_columns!(),
                " FROM installation i LEFT JOIN resources r ON TRUE \
                 LEFT JOIN resource_scopes s ON s.resource_id = r.id"
            ),
            [],
        );
        let rows = self.read(DOING, select).await?;
        let (version, stored) = collect(rows).map_err(during(DOING))?;
        let version = version.ok_or_else(|| DatabaseError::new("there is no installation"));
        Ok((version.map_err(during(DOING))?, stored))
    }

    /// Deletes the resources `removed` and adds `added`, unless another node has written resources since `version` was read.
    /// `false`: one has, and nothing changed. A resource that changes is removed and added under its id.
    pub async fn write_configured_resources(
        &self,
        version: i64,
        removed: &[ResourceId],
        added: &[StoredResource],
    ) -> Result<bool, StoreError> {
        let turn = Statement::new(
            "UPDATE installation SET configured_resources_version = configured_resources_version + 1 \
             WHERE configured_resources_version = $1",
            [version.into()],
        );
        let mut steps = vec![Step::Require(turn)];
        for id in removed {
            let delete = Statement::new("DELETE FROM resources WHERE id = $1", [(*id).into()]);
            steps.push(Step::Run(delete));
        }
        steps.extend(added.iter().flat_map(insert).map(Step::Run));
        // A change of a shared resource concerns all organizations. The configuration changes rarely, so all are told in any case.
        let tell = "UPDATE organizations SET resources_version = resources_version + 1";
        steps.push(Step::Run(Statement::new(tell, [])));
        let written = self.write("writing the resources of the configuration", steps);
        Ok(written.await? == Written::Wholly)
    }
}

/// The statements that insert a resource and its scopes.
fn insert(stored: &StoredResource) -> Vec<Statement> {
    let StoredResource { resource, .. } = stored;
    let mut statements = vec![Statement::new(
        "INSERT INTO resources (id, organization_id, shared, created_at, identifier, token_format, token_lifetime_seconds) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        [
            stored.id.into(),
            stored.organization_id.into(),
            i64::from(stored.is_shared).into(),
            stored.created_at.into(),
            resource.identifier.clone().into(),
            resource.token_format.as_str().to_owned().into(),
            i64::from(resource.token_lifetime_seconds).into(),
        ],
    )];
    statements.extend(resource.scopes.iter().map(|scope| {
        Statement::new(
            "INSERT INTO resource_scopes (organization_id, name, resource_id) VALUES ($1, $2, $3)",
            [
                stored.organization_id.into(),
                scope.to_owned().into(),
                stored.id.into(),
            ],
        )
    }));
    statements
}

/// Collects rows, each with a version and one scope of a resource, in any order. A row may have no resource, and a resource no
/// scope.
fn collect(rows: Vec<Row>) -> Result<(Option<i64>, Vec<StoredResource>), DatabaseError> {
    let mut version = None;
    let mut found = BTreeMap::new();
    for mut row in rows {
        version = Some(row.next()?);
        let Some(id) = row.next::<Option<ResourceId>>()? else {
            continue;
        };
        let stored = StoredResource {
            id,
            organization_id: row.next()?,
            is_shared: row.next::<i64>()? == 1,
            created_at: row.next()?,
            resource: Resource {
                identifier: row.next()?,
                aliases: Vec::new(),
                token_format: row.next()?,
                token_lifetime_seconds: row.next()?,
                scopes: ScopeSet::default(),
            },
        };
        let (_, scopes) = found
            .entry(*id.as_bytes())
            .or_insert_with(|| (stored, Vec::<String>::new()));
        scopes.extend(row.next::<Option<String>>()?);
    }
    let found = found.into_values().map(|(mut stored, scopes)| {
        stored.resource.scopes = ScopeSet::from_tokens(scopes.iter().map(|scope| &**scope))
            .map_err(DatabaseError::new)?;
        Ok(stored)
    });
    Ok((version, found.collect::<Result<_, DatabaseError>>()?))
}

impl Column for TokenFormat {
    fn read(value: Value) -> Option<Self> {
        Self::parse(&String::read(value)?)
    }
}
