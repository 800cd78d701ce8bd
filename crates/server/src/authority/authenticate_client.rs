//! Who is this client? (RFC 6749 §2.3)

use std::sync::Arc;

use super::{Authority, Unavailable};
use crate::{
    domain::{ClientId, ClientSecret, SecretId, Timestamp},
    store::{Credentials, Found, StoreError},
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
    /// The account that these credentials prove at `now`.
    pub(super) async fn authenticate_client(
        &self,
        credentials: &PresentedCredentials,
        now: Timestamp,
    ) -> Result<Arc<Credentials>, AuthenticateClientError> {
        match self.find_client(credentials, now).await? {
            Found::Proven(client, _) => Ok(client),
            Found::Unproven(_) | Found::Nobody => Err(AuthenticateClientError::InvalidClient),
        }
    }

    /// The account that these credentials prove at `now`, and by which secret. Digests are compared in constant time, and
    /// every way to fail costs the same: one digest and one read of the store. Whether there is an account is for counting,
    /// and for no answer.
    pub(super) async fn find_client(
        &self,
        credentials: &PresentedCredentials,
        now: Timestamp,
    ) -> Result<Found<SecretId>, StoreError> {
        let PresentedCredentials::Secret { client, secret } = credentials else {
            return Ok(Found::Nobody);
        };
        let presented = self.keys.digest(secret);
        let prove = |known: &Credentials| {
            let live_match = known
                .secrets
                .iter()
                .filter(|secret| secret.digest.matches(&presented))
                .find(|secret| secret.is_live(now))
                .map(|secret| secret.id);
            live_match.filter(|_| known.account.is_usable(now))
        };
        self.store
            .find_credentials(client.service_account(), prove)
            .await
    }
}
