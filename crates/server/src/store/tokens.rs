//! Tokens. Only those that were revoked one by one are stored.

use std::collections::HashMap;

use super::{
    database::{Statement, Step, Written},
    error::{StoreError, during},
    handle::Store,
    service_accounts::{client, client_columns, versions},
};
use crate::domain::{AccessToken, AuditEvent, Client, ServiceAccountId, Timestamp, TokenId};

/// What decides whether a token is active.
#[derive(Clone, Debug)]
pub struct TokenState {
    /// The client that it was issued to, as it is now.
    pub client: Client,
    /// Whether this token was revoked.
    pub is_revoked: bool,
    /// As [`ClientWithSecrets::keys_version`](super::ClientWithSecrets::keys_version).
    pub keys_version: Option<i64>,
    /// As [`ClientWithSecrets::resources_version`](super::ClientWithSecrets::resources_version).
    pub resources_version: Option<i64>,
}

impl Store {
    /// The state of a token that was issued to `service_account`. `None`: the account does not exist.
    pub async fn find_token_state(
        &self,
        service_account: ServiceAccountId,
        token: TokenId,
    ) -> Result<Option<TokenState>, StoreError> {
        if !self.memory.is_current() {
            return self.read_token_state(service_account, token).await;
        }
        let found = match self.memory.client(service_account) {
            Some(cached) => Some((cached, None, None)),
            None => {
                let read = self.read_client(service_account);
                let loaded = self.memory.load_client(service_account, read).await?;
                loaded.map(|found| (found.client, found.keys_version, found.resources_version))
            }
        };
        Ok(
            found.map(|(client, keys_version, resources_version)| TokenState {
                client,
                is_revoked: self.memory.is_revoked(token),
                keys_version,
                resources_version,
            }),
        )
    }

    async fn read_token_state(
        &self,
        service_account: ServiceAccountId,
        token: TokenId,
    ) -> Result<Option<TokenState>, StoreError> {
        let select = Statement::new(
            concat!(
                "SELECT ",
                client_columns!(),
                ", (SELECT count(*) FROM revoked_tokens r WHERE r.id = $2), ",
                versions!(),
                " FROM service_accounts a JOIN organizations o ON o.id = a.organization_id \
                 WHERE a.id = $1"
            ),
            [service_account.into(), token.into()],
        );
        self.read_one("reading the state of a token", select, |row| {
            Ok(TokenState {
                client: client(row)?,
                is_revoked: row.next::<i64>()? > 0,
                keys_version: row.next()?,
                resources_version: row.next()?,
            })
        })
        .await
    }

    /// Revokes a token; the revocation is stored until the token expires. `false`: it was revoked already.
    pub async fn revoke_token(
        &self,
        token: &AccessToken,
        event: AuditEvent,
    ) -> Result<bool, StoreError> {
        let insert = Statement::new(
            "INSERT INTO revoked_tokens (id, expires_at) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING",
            [token.id.into(), token.expires_at().into()],
        );
        let steps = vec![Step::Require(insert), Step::Append(event)];
        let (id, expires_at) = (token.id, token.expires_at());
        // RFC 7009 §2.2.1: a revocation that failed revokes nothing, now as after a restart.
        let written = self
            .write_and_update("revoking a token", steps, move |memory, written| {
                if written.is_ok() {
                    memory.revoke(id, expires_at);
                }
            })
            .await?;
        Ok(written == Written::Wholly)
    }

    /// Deletes the revoked tokens that expire by `expired_by`.
    pub async fn sweep_revoked_tokens(&self, expired_by: Timestamp) -> Result<(), StoreError> {
        let sweep = Statement::new(
            "DELETE FROM revoked_tokens WHERE expires_at <= $1",
            [expired_by.into()],
        );
        self.write_and_update(
            "sweeping revoked tokens",
            vec![Step::Run(sweep)],
            move |memory, _| memory.sweep_revoked_tokens(expired_by),
        )
        .await
        .map(drop)
    }

    /// Every stored revoked token, and when it expires.
    pub(super) async fn revoked_tokens(&self) -> Result<HashMap<TokenId, Timestamp>, StoreError> {
        const OPERATION: &str = "reading the revoked tokens";
        let select = Statement::new("SELECT id, expires_at FROM revoked_tokens", []);
        self.read(OPERATION, select)
            .await?
            .into_iter()
            .map(|mut row| Ok((row.next()?, row.next()?)))
            .collect::<Result<_, _>>()
            .map_err(during(OPERATION))
    }
}
