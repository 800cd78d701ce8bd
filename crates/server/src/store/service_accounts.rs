//! Service accounts.

use super::{
    client_with_secrets::{ClientWithSecrets, Found},
    database::{DatabaseError, Row, Statement, Step, Value, Written},
    error::{StoreError, during},
    handle::Store,
    idempotent_requests::{IdempotentRequest, Once},
    secrets::{insert_secret, live},
    target::Target,
};
use crate::domain::{
    AccountFilter, AuditEvent, Client, Description, Labels, Name, OrganizationId, ScopeSet,
    SecretDigest, ServiceAccount, ServiceAccountId, StoredSecret, Timestamp, UnrevokedSecret,
};

/// A place in the list: behind the account with this creation time and id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListPosition {
    /// When that account was created.
    pub created_at: Timestamp,
    /// Its id.
    pub id: ServiceAccountId,
}

impl ListPosition {
    /// Before the first.
    pub const START: Self = Self {
        created_at: Timestamp::from_millis(i64::MIN),
        id: ServiceAccountId::from_bytes([0; 16]),
    };

    /// Right behind `account`.
    pub fn after(account: &ServiceAccount) -> Self {
        Self {
            created_at: account.created_at,
            id: account.id,
        }
    }
}

/// The columns of an account, in the order in which [`account`] reads them.
macro_rules! account_columns {
    () => {
        "a.id, a.organization_id, a.name, a.description, a.scopes, a.owner, a.labels, a.token_lifetime_seconds, \
         a.expires_at, a.disabled_at, a.token_epoch, a.version, a.created_at, a.created_by, a.updated_at, a.last_used_at"
    };
}

/// The columns of a client, in the order in which [`client`] reads them.
macro_rules! client_columns {
    () => {
        "a.id, a.organization_id, a.scopes, a.token_lifetime_seconds, a.expires_at, a.disabled_at, a.token_epoch"
    };
}
pub(super) use client_columns;

impl Store {
    /// Keeps a new account with its first secret; once, if `request` says so.
    pub async fn create_service_account(
        &self,
        account: &ServiceAccount,
        secret: &StoredSecret,
        event: AuditEvent,
        request: Option<&IdempotentRequest>,
    ) -> Result<Once<()>, StoreError> {
        let steps = vec![
            Step::Run(insert_account(account)),
            Step::Run(insert_secret(account.id, secret)),
            Step::Append(event),
        ];
        let written = self
            .write_once("creating a service account", request, steps, None)
            .await?;
        Ok(written.map(drop))
    }

    /// The account `id` of `organization`, with all its use that this node knows.
    ///
    /// As in [`Self::find_client`], a no is read from the database, exactly once: an account of another
    /// organization costs what one costs that is not there.
    pub async fn find_service_account(
        &self,
        organization: OrganizationId,
        id: ServiceAccountId,
    ) -> Result<Option<ServiceAccount>, StoreError> {
        let read = self.read_service_account(organization, id);
        let found = match self.memory.account(id) {
            Some(cached) if cached.organization_id == organization => Some(cached),
            Some(_) => read.await?,
            None => self.memory.load_account(id, read).await?,
        };
        Ok(found.map(|account| self.with_unwritten_use(account)))
    }

    async fn read_service_account(
        &self,
        organization: OrganizationId,
        id: ServiceAccountId,
    ) -> Result<Option<ServiceAccount>, StoreError> {
        self.read_one(
            "reading a service account",
            Statement::new(
                concat!(
                    "SELECT ",
                    account_columns!(),
                    " FROM service_accounts a WHERE a.organization_id = $1 AND a.id = $2"
                ),
                [organization.into(), id.into()],
            ),
            account,
        )
        .await
    }

    /// Up to `limit` accounts of `organization` behind `position`, oldest first: of `filter` only what it asks of their
    /// secrets is heeded. Each with all its use that this node knows.
    pub async fn list_service_accounts(
        &self,
        organization: OrganizationId,
        filter: &AccountFilter,
        position: ListPosition,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<ServiceAccount>, StoreError> {
        const DOING: &str = "listing service accounts";
        // Asked first whether it is there, so that nobody's secrets are looked at for nothing; the cast tells PostgreSQL
        // its type.
        let select = Statement::new(
            concat!(
                "SELECT ",
                account_columns!(),
                " FROM service_accounts a WHERE a.organization_id = $1 AND (a.created_at, a.id) > ($3, $4) \
                 AND (CAST($6 AS BIGINT) IS NULL OR EXISTS (SELECT 1 FROM secrets WHERE service_account_id = a.id \
                 AND expires_at <= $6 AND retires_at IS NULL AND ",
                live!(),
                ")) ORDER BY a.created_at, a.id LIMIT $5"
            ),
            [
                organization.into(),
                now.into(),
                position.created_at.into(),
                position.id.into(),
                i64::try_from(limit).unwrap_or(i64::MAX).into(),
                filter.secret_expires_by(now).into(),
            ],
        );
        let rows = self.read(DOING, select).await?;
        rows.into_iter()
            .map(|mut row| Ok(self.with_unwritten_use(account(&mut row)?)))
            .collect::<Result<_, _>>()
            .map_err(during(DOING))
    }

    /// Puts `account` in the place of what `target` says is there: what may change of it, and its version. `false`: there is
    /// nothing such.
    pub async fn update_service_account(
        &self,
        target: Target,
        account: &ServiceAccount,
        event: AuditEvent,
    ) -> Result<bool, StoreError> {
        let mut params = vec![
            target.organization.into(),
            target.id.into(),
            target.version.into(),
        ];
        params.extend(changeable(account));
        params.extend([account.version.into(), account.updated_at.into()]);
        let update = Statement {
            sql: "UPDATE service_accounts SET name = $4, description = $5, scopes = $6, owner = $7, labels = $8, \
                  token_lifetime_seconds = $9, expires_at = $10, disabled_at = $11, version = $12, updated_at = $13 \
                  WHERE organization_id = $1 AND id = $2 AND (version = $3 OR $3 IS NULL)",
            params,
        };
        self.change_account("updating a service account", target, update, event)
            .await
    }

    /// Deletes an account with all that belongs to it. `false`: there is nothing such.
    pub async fn delete_service_account(
        &self,
        target: Target,
        event: AuditEvent,
    ) -> Result<bool, StoreError> {
        let delete = Statement::new(
            "DELETE FROM service_accounts WHERE organization_id = $1 AND id = $2 AND (version = $3 OR $3 IS NULL)",
            [
                target.organization.into(),
                target.id.into(),
                target.version.into(),
            ],
        );
        self.change_account("deleting a service account", target, delete, event)
            .await
    }

    async fn change_account(
        &self,
        doing: &'static str,
        target: Target,
        change: Statement,
        event: AuditEvent,
    ) -> Result<bool, StoreError> {
        let steps = vec![Step::Require(change), Step::Append(event)];
        let written = self
            .write_and_update(doing, steps, move |memory, _| memory.invalidate(target.id))
            .await?;
        Ok(written == Written::Wholly)
    }

    /// The account behind a client id with its secrets, if `prove` finds its proof in them. The one look-up of the token
    /// path; who the organization is, is what it finds out.
    ///
    /// Memory alone may say yes. A no is always read from the database, exactly once, so that an account that is not there
    /// costs the same as one whose secret was not presented.
    pub async fn find_client<P, R>(
        &self,
        id: ServiceAccountId,
        prove: impl Fn(&ClientWithSecrets) -> Result<P, R>,
    ) -> Result<Found<P, R>, StoreError> {
        let read = self.read_client(id);
        let found = match self.memory.client_with_secrets(id) {
            Some(cached) => match prove(&cached) {
                Ok(proof) => return Ok(Found::Proven(cached, proof)),
                Err(_) => read.await?,
            },
            None => self.memory.load_client(id, read).await?,
        };
        let Some(found) = found else {
            return Ok(Found::Nobody);
        };
        Ok(match prove(&found) {
            Ok(proof) => Found::Proven(found, proof),
            Err(reason) => Found::Unproven(found, reason),
        })
    }

    /// An id that nobody has reads its neighbour, so that to find nothing costs as much as to find something.
    pub(super) async fn read_client(
        &self,
        id: ServiceAccountId,
    ) -> Result<Option<ClientWithSecrets>, StoreError> {
        const DOING: &str = "reading credentials";
        let rows = self
            .look_up(
                DOING,
                Statement::new(
                    concat!(
                        "SELECT ",
                        client_columns!(),
                        ", s.id, s.digest, s.expires_at, s.retires_at FROM \
                         (SELECT * FROM service_accounts WHERE id <= $1 ORDER BY id DESC LIMIT 1) a \
                         LEFT JOIN secrets s ON s.service_account_id = a.id AND s.revoked_at IS NULL"
                    ),
                    [id.into()],
                ),
            )
            .await?;
        let found = client_with_secrets(rows).map_err(during(DOING))?;
        Ok(found.filter(|found| found.client.id == id))
    }
}

pub(super) fn insert_account(account: &ServiceAccount) -> Statement {
    let mut params = vec![account.id.into(), account.organization_id.into()];
    params.extend(changeable(account));
    params.extend([
        account.token_epoch.into(),
        account.version.into(),
        account.created_at.into(),
        account.created_by.into(),
        account.updated_at.into(),
        account.last_used_at.into(),
    ]);
    Statement {
        sql: "INSERT INTO service_accounts (id, organization_id, name, description, scopes, owner, labels, \
              token_lifetime_seconds, expires_at, disabled_at, token_epoch, version, created_at, created_by, updated_at, \
              last_used_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
        params,
    }
}

/// What an update may change: from `name` to `disabled_at`, in the order of the columns.
fn changeable(account: &ServiceAccount) -> [Value; 8] {
    let description = account.description.as_ref();
    let owner = account.owner.as_ref();
    let has_labels = !account.labels.is_empty();
    [
        account.name.as_str().to_owned().into(),
        description.map(|text| text.as_str().to_owned()).into(),
        account.scopes.as_str().to_owned().into(),
        owner.map(|name| name.as_str().to_owned()).into(),
        has_labels.then(|| account.labels.to_text()).into(),
        account.token_lifetime_seconds.map(i64::from).into(),
        account.expires_at.into(),
        account.disabled_at.into(),
    ]
}

/// Reads the columns of [`client_columns`].
pub(super) fn client(row: &mut Row) -> Result<Client, DatabaseError> {
    Ok(Client {
        id: row.next()?,
        organization_id: row.next()?,
        scopes: scopes(&row.next::<String>()?)?,
        token_lifetime_seconds: seconds(row.next()?)?,
        expires_at: row.next()?,
        disabled_at: row.next()?,
        token_epoch: row.next()?,
    })
}

/// Reads the columns of [`account_columns`].
fn account(row: &mut Row) -> Result<ServiceAccount, DatabaseError> {
    Ok(ServiceAccount {
        id: row.next()?,
        organization_id: row.next()?,
        name: Name::parse(row.next()?).map_err(DatabaseError::new)?,
        description: row
            .next::<Option<String>>()?
            .map(Description::parse)
            .transpose()
            .map_err(DatabaseError::new)?,
        scopes: scopes(&row.next::<String>()?)?,
        owner: row
            .next::<Option<String>>()?
            .map(Name::parse)
            .transpose()
            .map_err(DatabaseError::new)?,
        labels: read_labels(row.next()?)?,
        token_lifetime_seconds: seconds(row.next()?)?,
        expires_at: row.next()?,
        disabled_at: row.next()?,
        token_epoch: row.next()?,
        version: row.next()?,
        created_at: row.next()?,
        created_by: row.next()?,
        updated_at: row.next()?,
        last_used_at: row.next()?,
    })
}

fn seconds(number: Option<i64>) -> Result<Option<u32>, DatabaseError> {
    let seconds = number.map(u32::try_from).transpose();
    seconds.map_err(DatabaseError::new)
}

fn read_labels(text: Option<String>) -> Result<Labels, DatabaseError> {
    let text = text.unwrap_or_default();
    Labels::from_text(&text).ok_or_else(|| DatabaseError::new("what should be labels is none"))
}

fn scopes(text: &str) -> Result<ScopeSet, DatabaseError> {
    if text.is_empty() {
        return Ok(ScopeSet::default());
    }
    ScopeSet::parse(text).map_err(DatabaseError::new)
}

/// Reads a client's columns and, row by row, those of its secrets.
fn client_with_secrets(rows: Vec<Row>) -> Result<Option<ClientWithSecrets>, DatabaseError> {
    let mut found: Option<ClientWithSecrets> = None;
    for mut row in rows {
        let client = client(&mut row)?;
        let known = found.get_or_insert_with(|| ClientWithSecrets {
            client,
            secrets: Vec::new(),
        });
        // Absent in the one row of a client without secrets.
        if let Some(id) = row.next()? {
            let digest = SecretDigest::from_bytes(row.next()?);
            let ends = [row.next::<Option<_>>()?, row.next()?];
            known.secrets.push(UnrevokedSecret {
                id,
                digest,
                ends_at: ends.into_iter().flatten().min(),
            });
        }
    }
    Ok(found)
}
