//! Who is this client? (RFC 6749 §2.3)

use super::{Authority, Origin, Unavailable};
use crate::{
    domain::{Client, ClientId, ClientSecret, LoginRefusal, SecretDigest, SecretId, Timestamp},
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
    /// The client that these credentials prove at `now`.
    pub(super) async fn authenticate_client(
        &self,
        credentials: &PresentedCredentials,
        origin: &Origin<'_>,
        now: Timestamp,
    ) -> Result<Client, AuthenticateClientError> {
        match self.find_client(credentials, origin, now).await? {
            Found::Proven(known, _) => Ok(known.client),
            Found::Unproven(..) | Found::Nobody => Err(AuthenticateClientError::InvalidClient),
        }
    }

    /// The client that these credentials prove at `now`, and by which secret. Every way to fail costs the same: one digest
    /// and one read of the store. Whether there is a client, and why it is not proven, is for counting, and for no answer:
    /// a refusal has been [counted](super::refused_logins) here.
    pub(super) async fn find_client(
        &self,
        credentials: &PresentedCredentials,
        origin: &Origin<'_>,
        now: Timestamp,
    ) -> Result<Found<SecretId, LoginRefusal>, StoreError> {
        let PresentedCredentials::Secret { client, secret } = credentials else {
            return Ok(Found::Nobody);
        };
        let presented = self.keys.digest(secret);
        let found = self
            .store
            .find_credentials(client.service_account(), |known| {
                prove(known, &presented, now)
            })
            .await?;
        let (whom, refusal) = match &found {
            Found::Proven(..) => return Ok(found),
            Found::Unproven(known, refusal) => {
                let client = &known.client;
                (Some((client.organization_id, client.id)), *refusal)
            }
            Found::Nobody => (None, LoginRefusal::WrongSecret(presented)),
        };
        self.refused_logins.count(whom, origin, refusal, now);
        Ok(found)
    }
}

/// Which of the client's secrets was presented, if it lets the client in at `now`. Digests are compared in constant time.
fn prove(
    known: &Credentials,
    presented: &SecretDigest,
    now: Timestamp,
) -> Result<SecretId, LoginRefusal> {
    let secret = known
        .secrets
        .iter()
        .find(|secret| secret.digest.matches(presented))
        .ok_or(LoginRefusal::WrongSecret(*presented))?;
    if !secret.is_live(now) {
        return Err(LoginRefusal::ExpiredSecret(secret.id));
    }
    known
        .client
        .check_usable(now)
        .map_err(LoginRefusal::UnusableAccount)?;
    Ok(secret.id)
}
