//! What is remembered of tokens: only those revoked before their time.

use std::collections::HashMap;

use super::{
    Store, StoreError, Written,
    database::{Statement, Step},
    during,
    service_accounts::{client, client_columns},
};
use crate::domain::{AccessToken, AuditEvent, Client, ServiceAccountId, Timestamp, TokenId};

/// What decides whether a token lives.
#[derive(Clone, Debug)]
pub struct TokenState {
    /// The client it was issued to, as it is now.
    pub client: Client,
    /// Whether this one token was revoked.
    pub is_revoked: bool,
}

impl Store {
    /// The state of the token `token` issued to `account`. `None`: there is no such account (any more).
    pub async fn find_token_state(
        &self,
        service_account: ServiceAccountId,
        token: TokenId,
    ) -> Result<Option<TokenState>, StoreError> {
        if let Some(memory) = &self.memory {
            let found = match memory.client(service_account) {
                Some(known) => Some(known),
                None => {
                    let read = self.read_credentials(service_account);
                    let read = memory.learn_client(service_account, read).await?;
                    read.map(|found| found.client)
                }
            };
            return Ok(found.map(|client| TokenState {
                client,
                is_revoked: memory.is_revoked(token),
            }));
        }
        self.read_one(
                "reading the state of a token",
                Statement::new(
                    concat!(
                        "SELECT ",
                        client_columns!(),
                        ", (SELECT count(*) FROM revoked_tokens r WHERE r.id = $2) FROM service_accounts a \
                         WHERE a.id = $1"
                    ),
                    [service_account.into(), token.into()],
                ),
                |row| {
                    Ok(TokenState {
                        client: client(row)?,
                        is_revoked: row.next::<i64>()? > 0,
                    })
                },
            )
            .await
    }

    /// Remembers that `token` is revoked until it would have expired anyway. `false`: it was revoked already.
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
        // RFC 7009 §2.2.1: a revocation that failed revokes nothing, here as after a restart.
        let written = self
            .write_and_then("revoking a token", steps, move |memory, outcome| {
                if outcome.is_ok() {
                    memory.revoke(id, expires_at);
                }
            })
            .await?;
        Ok(written == Written::Wholly)
    }

    /// Forgets the revoked tokens that expire by `expired_by`.
    pub async fn sweep_revoked_tokens(&self, expired_by: Timestamp) -> Result<(), StoreError> {
        let sweep = Statement::new(
            "DELETE FROM revoked_tokens WHERE expires_at <= $1",
            [expired_by.into()],
        );
        self.write_and_then(
            "sweeping revoked tokens",
            vec![Step::Run(sweep)],
            move |memory, _| memory.sweep(expired_by),
        )
        .await
        .map(drop)
    }

    /// Every revoked token that has not been swept, and when it expires.
    pub(super) async fn revoked_tokens(&self) -> Result<HashMap<TokenId, Timestamp>, StoreError> {
        const DOING: &str = "reading the revoked tokens";
        let select = Statement::new("SELECT id, expires_at FROM revoked_tokens", []);
        self.read(DOING, select)
            .await?
            .into_iter()
            .map(|mut row| Ok((row.next()?, row.next()?)))
            .collect::<Result<_, _>>()
            .map_err(during(DOING))
    }
}
