//! Service accounts: creating, finding, listing, changing and deleting them, and the look-up of credentials.

use std::sync::LazyLock;

use super::{
    account_columns::{ASSIGNED, INSERT, SELECTED, account, assigned, inserted},
    account_write::{AccountChange, AccountWrite, live},
    client_with_secrets::{ClientWithSecrets, Found},
    database::{DatabaseError, Row, Statement, Step},
    error::{StoreError, during},
    handle::Store,
    idempotent_requests::{IdempotentRequest, Once},
    secrets::insert_secret,
    target::Target,
};
use crate::domain::{
    AccountFilter, AuditEvent, Client, OrganizationId, SecretDigest, ServiceAccount,
    ServiceAccountId, StoredSecret, Timestamp, UnrevokedSecret,
};

/// A position in the list of accounts: behind the account with this creation time and id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListPosition {
    /// The creation time of that account.
    pub created_at: Timestamp,
    /// Its id.
    pub id: ServiceAccountId,
}

impl ListPosition {
    /// Before the first account.
    pub const START: Self = Self {
        created_at: Timestamp::from_millis(i64::MIN),
        id: ServiceAccountId::from_bytes([0; 16]),
    };

    /// Directly behind `account`.
    pub fn after(account: &ServiceAccount) -> Self {
        Self {
            created_at: account.created_at,
            id: account.id,
        }
    }
}

/// The columns of a client `a` and its organization `o`, as [`client`] reads them. The token path reads these alone.
macro_rules! client_columns {
    () => {
        "a.id, a.organization_id, o.disabled_at, a.scopes, a.token_lifetime_seconds, a.expires_at, a.disabled_at, \
         a.token_epoch"
    };
}
pub(super) use client_columns;

/// The versions of the signing keys and of the organization's resources, as columns of a look-up.
macro_rules! versions {
    () => {
        "(SELECT keys_version FROM installation), o.resources_version"
    };
}
pub(super) use versions;

impl Store {
    /// Stores a new account with its first secret. With `request`, a repeat of the request stores nothing.
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

    /// Finds the account `id` of `organization`, with the use that this node has not written yet. `None`: the organization has
    /// no such account.
    ///
    /// A miss always costs exactly one read of the database, so that the time does not tell an account of another
    /// organization from one that does not exist.
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
        static SELECT: LazyLock<String> = LazyLock::new(|| {
            format!(
                "SELECT {} FROM service_accounts a WHERE a.organization_id = $1 AND a.id = $2",
                *SELECTED
            )
        });
        let select = Statement::new(&SELECT, [organization.into(), id.into()]);
        self.read_one("reading a service account", select, account)
            .await
    }

    /// Lists up to `limit` accounts of `organization` behind `position`, oldest first, with the use that this node has not
    /// written yet. Of `filter`, only the condition on secrets is applied; the caller applies the others.
    pub async fn list_service_accounts(
        &self,
        organization: OrganizationId,
        filter: &AccountFilter,
        position: ListPosition,
        limit: usize,
        now: Timestamp,
    ) -> Result<Vec<ServiceAccount>, StoreError> {
        const DOING: &str = "listing service accounts";
        // `$6 IS NULL` comes first, so that a list without this filter reads no secrets. The cast tells PostgreSQL the type.
        static SELECT: LazyLock<String> = LazyLock::new(|| {
            format!(
                "SELECT {columns} FROM service_accounts a \
                 WHERE a.organization_id = $1 AND (a.created_at, a.id) > ($3, $4) \
                 AND (CAST($6 AS BIGINT) IS NULL OR EXISTS (SELECT 1 FROM secrets WHERE service_account_id = a.id \
                 AND expires_at <= $6 AND retires_at IS NULL AND {live})) ORDER BY a.created_at, a.id LIMIT $5",
                columns = *SELECTED,
                live = live!(),
            )
        });
        let select = Statement::new(
            &SELECT,
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

    /// Writes the settings and the version of `account`. With `keeps_administrator`, only if the organization keeps a usable
    /// administrator.
    pub async fn update_service_account(
        &self,
        target: Target,
        account: &ServiceAccount,
        keeps_administrator: Option<Timestamp>,
        event: AuditEvent,
    ) -> Result<AccountChange, StoreError> {
        let mut params = vec![
            target.organization.into(),
            target.id.into(),
            target.version.into(),
        ];
        params.extend(assigned(account));
        static UPDATE: LazyLock<String> = LazyLock::new(|| {
            format!(
                "UPDATE service_accounts SET {} \
                 WHERE organization_id = $1 AND id = $2 AND version = $3",
                *ASSIGNED
            )
        });
        let update = Statement {
            sql: &UPDATE,
            params,
        };
        let write = AccountWrite::new(vec![Step::Require(update)])
            .keeping_administrator(target, keeps_administrator)
            .then(Step::Append(event));
        self.change_account("updating a service account", target, write)
            .await
    }

    /// Deletes an account with everything that belongs to it. With `keeps_administrator`, only if the organization keeps a usable
    /// administrator.
    pub async fn delete_service_account(
        &self,
        target: Target,
        keeps_administrator: Option<Timestamp>,
        event: AuditEvent,
    ) -> Result<AccountChange, StoreError> {
        let delete = Statement::new(
            "DELETE FROM service_accounts WHERE organization_id = $1 AND id = $2 AND version = $3",
            [
                target.organization.into(),
                target.id.into(),
                target.version.into(),
            ],
        );
        let write = AccountWrite::new(vec![Step::Require(delete)])
            .keeping_administrator(target, keeps_administrator)
            .then(Step::Append(event));
        self.change_account("deleting a service account", target, write)
            .await
    }

    /// Writes a change of the account `target`, and invalidates its cached records.
    pub(super) async fn change_account(
        &self,
        doing: &'static str,
        target: Target,
        write: AccountWrite,
    ) -> Result<AccountChange, StoreError> {
        let (steps, administrator_at) = write.into_parts();
        let written = self
            .write_and_update(doing, steps, move |memory, _| memory.invalidate(target.id))
            .await?;
        Ok(AccountWrite::outcome(administrator_at, written))
    }

    /// Finds a client with its secrets and checks the proof with `prove`. This is the only look-up on the token path. It takes
    /// no organization: the client determines it.
    ///
    /// A cached record can only accept a proof. Every refusal is based on exactly one read of the database, so that the time
    /// does not tell an unknown client from a wrong secret.
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

    /// Reads a client with its secrets. An unknown id reads its neighbor, so that a miss costs as much as a hit.
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
                        ", ",
                        versions!(),
                        ", s.id, s.digest, s.expires_at, s.retires_at FROM \
                         (SELECT * FROM service_accounts WHERE id <= $1 ORDER BY id DESC LIMIT 1) a \
                         JOIN organizations o ON o.id = a.organization_id LEFT JOIN secrets s ON s.service_account_id = a.id AND s.revoked_at IS NULL"
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
    Statement {
        sql: &INSERT,
        params: inserted(account),
    }
}

/// Reads the columns of [`client_columns`].
pub(super) fn client(row: &mut Row) -> Result<Client, DatabaseError> {
    Ok(Client {
        id: row.next()?,
        organization_id: row.next()?,
        organization_disabled_at: row.next()?,
        scopes: row.next()?,
        token_lifetime_seconds: row.next()?,
        expires_at: row.next()?,
        disabled_at: row.next()?,
        token_epoch: row.next()?,
    })
}

/// Reads a client and its secrets: each row has the columns of the client, the versions, and the columns of one secret.
fn client_with_secrets(rows: Vec<Row>) -> Result<Option<ClientWithSecrets>, DatabaseError> {
    let mut found: Option<ClientWithSecrets> = None;
    for mut row in rows {
        let client = client(&mut row)?;
        let [keys_version, resources_version] = [row.next()?, row.next()?];
        let known = found.get_or_insert_with(|| ClientWithSecrets {
            client,
            secrets: Vec::new(),
            keys_version,
            resources_version,
        });
        // A client without secrets has one row, in which the secret is NULL.
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
