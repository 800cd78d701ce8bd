//! Who is this client? (RFC 6749 §2.3)

use std::sync::Arc;

use super::{Authority, Unavailable};
use crate::{
    domain::{ClientId, ClientSecret, Timestamp},
    store::{Credentials, StoreError},
};

/// What a client presented to say who it is; not yet believed.
#[derive(Clone, Debug)]
pub enum PresentedCredentials {
    /// A client id and a secret (`client_secret_basic`, `client_secret_post`), both of the right shape.
    Secret {
        /// The id.
        client: ClientId,
        /// The secret.
        secret: ClientSecret,
    },
    /// Nothing, or what cannot be an id and secret of ours. It is refused without a look-up.
    Unrecognisable,
}

impl PresentedCredentials {
    /// What these two texts are.
    pub fn parse(client_id: &str, secret: &str) -> Self {
        match (ClientId::parse(client_id), ClientSecret::parse(secret)) {
            (Some(client), Some(secret)) => Self::Secret { client, secret },
            _ => Self::Unrecognisable,
        }
    }
}

/// Why a client is not let in. Of the reasons to refuse there is only one, whatever it was (RFC 6749 §5.2).
#[derive(Debug, thiserror::Error)]
pub enum AuthenticateClientError {
    /// Unknown, deleted or disabled client, or not its secret.
    #[error("client authentication failed")]
    InvalidClient,
    /// No answer.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl From<StoreError> for AuthenticateClientError {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error.into())
    }
}

impl Authority {
    /// The account that these credentials prove at `now`. Digests are compared in constant time, and every way to fail costs
    /// the same: one digest and one read of the store.
    pub(super) async fn authenticate_client(
        &self,
        credentials: &PresentedCredentials,
        now: Timestamp,
    ) -> Result<Arc<Credentials>, AuthenticateClientError> {
        let PresentedCredentials::Secret { client, secret } = credentials else {
            return Err(AuthenticateClientError::InvalidClient);
        };
        let presented = self.keys.digest(secret);
        let proves = |known: &Credentials| {
            let is_live_match = known
                .secrets
                .iter()
                .filter(|secret| secret.digest.matches(&presented))
                .any(|secret| secret.is_live(now));
            is_live_match && known.account.is_usable(now)
        };
        self.store
            .find_credentials(client.service_account(), proves)
            .await?
            .ok_or(AuthenticateClientError::InvalidClient)
    }
}
