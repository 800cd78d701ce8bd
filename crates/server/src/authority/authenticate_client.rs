//! Client authentication at the OAuth endpoints (RFC 6749 §2.3).
//!
//! [`PresentedCredentials`] has a variant for each way to authenticate. Each way is checked in a file of its own, such as
//! `prove_by_secret.rs`.

use super::{
    origin::Origin,
    state::Authority,
    unavailable::{Unavailable, or_unavailable},
};
use crate::{
    domain::{Client, ClientId, ClientProof, ClientSecret, LoginRefusal, Timestamp},
    store::Found,
};

/// The credentials in a request. They are not checked yet.
#[derive(Clone, Debug)]
pub enum PresentedCredentials {
    /// A client id and a secret, both well-formed (`client_secret_basic`, `client_secret_post`).
    Secret {
        /// The client id.
        client: ClientId,
        /// The secret.
        secret: ClientSecret,
    },
    /// Nothing, or something that cannot be valid credentials. It is refused without a look-up.
    Unrecognisable,
}

impl PresentedCredentials {
    /// The credentials in these two texts.
    pub fn parse(client_id: &str, secret: &str) -> Self {
        match (ClientId::parse(client_id), ClientSecret::parse(secret)) {
            (Some(client), Some(secret)) => Self::Secret { client, secret },
            _ => Self::Unrecognisable,
        }
    }
}

/// Why a client is refused. All reasons are one variant, because the response must not tell them apart (RFC 6749 §5.2).
#[derive(Debug, thiserror::Error)]
pub enum AuthenticateClientError {
    /// The credentials prove no client, or the account of the client is disabled or expired.
    #[error("client authentication failed")]
    InvalidClient,
    /// The request cannot be answered now.
    #[error(transparent)]
    Unavailable(Unavailable),
}

or_unavailable!(AuthenticateClientError::Unavailable);

impl Authority {
    /// The client that `credentials` prove at `now`.
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

    /// The client that `credentials` prove at `now`, and the proof.
    ///
    /// Of a client that is found, the signing keys are as new as the client.
    ///
    /// Every refusal of well-formed credentials costs the same: one check and one read of the store. A refusal is counted
    /// here for the audit trail. Callers may count it as usage too, but no response depends on its reason.
    pub(super) async fn find_client(
        &self,
        credentials: &PresentedCredentials,
        origin: &Origin<'_>,
        now: Timestamp,
    ) -> Result<Found<ClientProof, LoginRefusal>, Unavailable> {
        let found = match credentials {
            PresentedCredentials::Secret { client, secret } => {
                self.prove_by_secret(*client, secret, origin, now).await?
            }
            PresentedCredentials::Unrecognisable => Found::Nobody,
        };
        if let Found::Proven(known, _) = &found {
            self.follow_keys(known.keys_version).await?;
        }
        Ok(found)
    }

    /// Counts a refused login for the audit trail of its account. `unknown_client` is the refusal that is counted, but never
    /// written, if there is no such client: so that both take the same time.
    pub(super) fn count_refused_login(
        &self,
        found: &Found<ClientProof, LoginRefusal>,
        unknown_client: LoginRefusal,
        origin: &Origin<'_>,
        now: Timestamp,
    ) {
        let (account, refusal) = match found {
            Found::Proven(..) => return,
            Found::Unproven(known, refusal) => {
                let client = &known.client;
                (Some((client.organization_id, client.id)), *refusal)
            }
            Found::Nobody => (None, unknown_client),
        };
        self.refused_logins.count(account, origin, refusal, now);
    }
}
