//! The secrets of service accounts.
//!
//! Every change of an account's secrets first updates, and so locks, the account's row. Concurrent changes of one account
//! therefore run one after the other.
//!
//! The number of rows that a look-up reads stays small however often an account is rotated: adding a secret
//! [revokes](revoke_ended) those that have ended by themselves and [deletes](delete_old) the oldest revoked ones.

use super::{
    account_write::{AccountChange, AccountWrite, live},
    database::{DatabaseError, Row, Statement, Step},
    error::{StoreError, during},
    handle::Store,
    idempotent_requests::{IdempotentRequest, Once},
    target::Target,
};
use crate::domain::{
    AuditEvent, ENDED_SECRETS_LISTED_MS, LoginRefusal, MAX_LIVE_SECRETS, OrganizationId,
    SecretDigest, SecretId, ServiceAccountId, StoredSecret, Timestamp,
};

/// A rotation: the new secret, and how the others end.
#[derive(Clone, Debug)]
pub struct Rotation {
    /// The new secret.
    pub secret: StoredSecret,
    /// When the other secrets end. `None`: now.
    pub grace_until: Option<Timestamp>,
    /// Whether to revoke the tokens issued so far.
    pub revoke_tokens: bool,
}

/// The newest secrets of an account that are kept in any case, active or not. A wrong secret is compared with them.
const KEPT_SECRETS: i64 = 100;

/// The columns of a secret, as [`secret`] reads them.
macro_rules! secret_columns {
    () => {
        "s.id, s.digest, s.hint, s.created_at, s.created_by, s.expires_at, s.retires_at, s.revoked_at, \
         s.first_used_at, s.last_used_at"
    };
}

impl Store {
    /// Lists the secrets of an account that are active or ended in the last 30 days, newest first, with the use that this node
    /// has not written yet. An account of another organization has none.
    pub async fn list_secrets(
        &self,
        organization: OrganizationId,
        id: ServiceAccountId,
        now: Timestamp,
    ) -> Result<Vec<StoredSecret>, StoreError> {
        const DOING: &str = "listing secrets";
        let rows = self
            .read(
                DOING,
                Statement::new(
                    concat!(
                        "SELECT ",
                        secret_columns!(),
                        " FROM secrets s JOIN service_accounts a ON a.id = s.service_account_id \
                         WHERE s.service_account_id = $1 AND a.organization_id = $3 \
                         AND (s.revoked_at IS NULL OR s.revoked_at > $2) \
                         AND (s.expires_at IS NULL OR s.expires_at > $2) \
                         AND (s.retires_at IS NULL OR s.retires_at > $2) ORDER BY s.created_at DESC, s.id DESC"
                    ),
                    [id.into(), listed_since(now).into(), organization.into()],
                ),
            )
            .await?;
        let mut secrets = rows
            .into_iter()
            .map(|mut row| secret(&mut row))
            .collect::<Result<Vec<_>, _>>()
            .map_err(during(DOING))?;
        for used in self.memory.secret_uses(id) {
            if let Some(secret) = secrets.iter_mut().find(|secret| secret.id == used.id) {
                secret.first_used_at = secret.first_used_at.or(Some(used.first_used_at));
                secret.last_used_at = secret.last_used_at.max(Some(used.last_used_at));
            }
        }
        Ok(secrets)
    }

    /// Returns the digests of the last revoked secrets of an account, at most a hundred, each with the reason for which it is
    /// refused. A deleted account has none.
    pub async fn find_ended_secrets(
        &self,
        id: ServiceAccountId,
    ) -> Result<Vec<(SecretDigest, LoginRefusal)>, StoreError> {
        const DOING: &str = "reading ended secrets";
        let select = Statement::new(
            concat!(
                "SELECT ",
                secret_columns!(),
                " FROM secrets s WHERE s.service_account_id = $1 AND s.revoked_at IS NOT NULL \
                 ORDER BY s.revoked_at DESC LIMIT $2"
            ),
            [id.into(), KEPT_SECRETS.into()],
        );
        let ended = |mut row: Row| {
            let secret = secret(&mut row)?;
            let refusal = if secret.revoked_at.is_some_and(|at| secret.has_expired(at)) {
                LoginRefusal::ExpiredSecret(secret.id)
            } else {
                LoginRefusal::EndedSecret(secret.id)
            };
            Ok((secret.digest, refusal))
        };
        self.read(DOING, select)
            .await?
            .into_iter()
            .map(ended)
            .collect::<Result<_, _>>()
            .map_err(during(DOING))
    }

    /// Adds the rotation's secret and ends the active ones. With `request`, a repeat of the request changes nothing.
    pub async fn rotate_secret(
        &self,
        target: Target,
        rotation: &Rotation,
        now: Timestamp,
        event: AuditEvent,
        request: Option<&IdempotentRequest>,
    ) -> Result<Once<AccountChange>, StoreError> {
        let end_others = match rotation.grace_until {
            None => Statement::new(
                concat!(
                    "UPDATE secrets SET revoked_at = $2 WHERE service_account_id = $1 AND ",
                    live!()
                ),
                [target.id.into(), now.into()],
            ),
            // A secret that already retires earlier keeps its time.
            Some(grace_until) => Statement::new(
                concat!(
                    "UPDATE secrets SET retires_at = $3, retired_by = $4 WHERE service_account_id = $1 \
                     AND (retires_at IS NULL OR retires_at > $3) AND ",
                    live!()
                ),
                [
                    target.id.into(),
                    now.into(),
                    grace_until.into(),
                    rotation.secret.id.into(),
                ],
            ),
        };
        let steps = vec![
            Step::Require(touch(target, now, rotation.revoke_tokens)),
            Step::Run(end_others),
            Step::Require(insert_secret_within_limit(target.id, &rotation.secret, now)),
            Step::Run(revoke_ended(target.id, now)),
            Step::Run(delete_old(target.id, now)),
            Step::Append(event),
        ];
        self.change_secrets_once("rotating a secret", target.id, steps, request)
            .await
    }

    /// Cancels the newest rotation whose grace period has not ended: its secret ends, and the secrets that it replaced stay
    /// active.
    pub async fn cancel_rotation(
        &self,
        target: Target,
        now: Timestamp,
        event: AuditEvent,
    ) -> Result<AccountChange, StoreError> {
        // The newest secret that others retire for.
        macro_rules! successor {
            () => {
                concat!(
                    "(SELECT retired_by FROM secrets WHERE service_account_id = $1 AND retired_by IS NOT NULL AND ",
                    live!(),
                    " ORDER BY retired_by DESC LIMIT 1)"
                )
            };
        }
        let end_new = Statement::new(
            concat!(
                "UPDATE secrets SET revoked_at = $2 WHERE service_account_id = $1 AND revoked_at IS NULL AND id = ",
                successor!()
            ),
            [target.id.into(), now.into()],
        );
        let revive_old = Statement::new(
            concat!(
                "UPDATE secrets SET retires_at = NULL, retired_by = NULL WHERE service_account_id = $1 AND ",
                live!(),
                " AND retired_by = ",
                successor!()
            ),
            [target.id.into(), now.into()],
        );
        let steps = vec![
            Step::Require(touch(target, now, false)),
            Step::Run(end_new),
            Step::Require(revive_old),
            Step::Append(event),
        ];
        self.change_account("cancelling a rotation", target, AccountWrite::new(steps))
            .await
    }

    /// Adds a secret and leaves the others active. With `request`, a repeat of the request changes nothing.
    pub async fn add_secret(
        &self,
        target: Target,
        secret: &StoredSecret,
        now: Timestamp,
        event: AuditEvent,
        request: Option<&IdempotentRequest>,
    ) -> Result<Once<AccountChange>, StoreError> {
        let steps = vec![
            Step::Require(touch(target, now, false)),
            Step::Require(insert_secret_within_limit(target.id, secret, now)),
            Step::Run(revoke_ended(target.id, now)),
            Step::Run(delete_old(target.id, now)),
            Step::Append(event),
        ];
        self.change_secrets_once("adding a secret", target.id, steps, request)
            .await
    }

    /// Revokes one live secret of an account. With `keeps_administrator`, only if the organization keeps a usable administrator.
    pub async fn delete_secret(
        &self,
        target: Target,
        secret: SecretId,
        now: Timestamp,
        keeps_administrator: Option<Timestamp>,
        event: AuditEvent,
    ) -> Result<AccountChange, StoreError> {
        let end = Statement::new(
            concat!(
                "UPDATE secrets SET revoked_at = $2 WHERE service_account_id = $1 AND id = $3 AND ",
                live!()
            ),
            [target.id.into(), now.into(), secret.into()],
        );
        let steps = vec![Step::Require(touch(target, now, false)), Step::Require(end)];
        let write = AccountWrite::new(steps)
            .keeping_administrator(target, keeps_administrator)
            .then(Step::Append(event));
        self.change_account("ending a secret", target, write).await
    }

    /// Revokes every token issued to an account so far.
    pub async fn revoke_tokens(
        &self,
        target: Target,
        now: Timestamp,
        event: AuditEvent,
    ) -> Result<AccountChange, StoreError> {
        let steps = vec![Step::Require(touch(target, now, true)), Step::Append(event)];
        self.change_account(
            "revoking an account's tokens",
            target,
            AccountWrite::new(steps),
        )
        .await
    }

    async fn change_secrets_once(
        &self,
        doing: &'static str,
        id: ServiceAccountId,
        steps: Vec<Step>,
        request: Option<&IdempotentRequest>,
    ) -> Result<Once<AccountChange>, StoreError> {
        let written = self.write_once(doing, request, steps, Some(id)).await?;
        Ok(written.map(|written| AccountWrite::outcome(None, written)))
    }
}

/// Marks the account as changed, which locks its row. With `end_tokens`, its tokens are revoked, too.
fn touch(target: Target, now: Timestamp, end_tokens: bool) -> Statement {
    Statement::new(
        "UPDATE service_accounts SET updated_at = $4, version = version + 1, token_epoch = token_epoch + $5 \
         WHERE organization_id = $1 AND id = $2 AND version = $3",
        [
            target.organization.into(),
            target.id.into(),
            target.version.into(),
            now.into(),
            i64::from(end_tokens).into(),
        ],
    )
}

pub(super) fn insert_secret(account: ServiceAccountId, secret: &StoredSecret) -> Statement {
    Statement::new(
        "INSERT INTO secrets (id, service_account_id, digest, hint, created_at, created_by, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        [
            secret.id.into(),
            account.into(),
            (*secret.digest.as_bytes()).into(),
            secret.hint.clone().into(),
            secret.created_at.into(),
            secret.created_by.into(),
            secret.expires_at.into(),
        ],
    )
}

/// The same, if the account has fewer living secrets than it may have.
fn insert_secret_within_limit(
    account: ServiceAccountId,
    secret: &StoredSecret,
    now: Timestamp,
) -> Statement {
    Statement::new(
        concat!(
            "INSERT INTO secrets (service_account_id, id, digest, hint, created_at, created_by, expires_at) \
             SELECT $1, $3, $4, $5, $2, $6, $7 WHERE (SELECT count(*) FROM secrets \
             WHERE service_account_id = $1 AND ",
            live!(),
            ") < $8"
        ),
        [
            account.into(),
            now.into(),
            secret.id.into(),
            (*secret.digest.as_bytes()).into(),
            secret.hint.clone().into(),
            secret.created_by.into(),
            secret.expires_at.into(),
            MAX_LIVE_SECRETS.into(),
        ],
    )
}

/// Revokes the secrets that have ended by themselves, as of the instant at which each ended. By that instant
/// [`StoredSecret::state`] tells them from secrets that were revoked by a caller.
fn revoke_ended(account: ServiceAccountId, now: Timestamp) -> Statement {
    Statement::new(
        "UPDATE secrets SET revoked_at = \
         CASE WHEN expires_at IS NULL OR retires_at < expires_at THEN retires_at ELSE expires_at END \
         WHERE service_account_id = $1 AND revoked_at IS NULL AND (expires_at <= $2 OR retires_at <= $2)",
        [account.into(), now.into()],
    )
}

/// Deletes the secrets that are no longer listed and are not among the newest.
fn delete_old(account: ServiceAccountId, now: Timestamp) -> Statement {
    Statement::new(
        "DELETE FROM secrets WHERE service_account_id = $1 AND revoked_at <= $2 \
         AND id < (SELECT id FROM secrets WHERE service_account_id = $1 ORDER BY id DESC LIMIT 1 OFFSET $3)",
        [
            account.into(),
            listed_since(now).into(),
            (KEPT_SECRETS - 1).into(),
        ],
    )
}

/// Secrets that ended up to this instant are not listed.
fn listed_since(now: Timestamp) -> Timestamp {
    Timestamp::from_millis(now.as_millis() - ENDED_SECRETS_LISTED_MS)
}

/// Reads the columns of [`secret_columns`].
fn secret(row: &mut Row) -> Result<StoredSecret, DatabaseError> {
    Ok(StoredSecret {
        id: row.next()?,
        digest: SecretDigest::from_bytes(row.next()?),
        hint: row.next()?,
        created_at: row.next()?,
        created_by: row.next()?,
        expires_at: row.next()?,
        retires_at: row.next()?,
        revoked_at: row.next()?,
        first_used_at: row.next()?,
        last_used_at: row.next()?,
    })
}
