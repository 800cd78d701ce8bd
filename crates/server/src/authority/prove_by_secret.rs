//! Client authentication by secret: `client_secret_basic` and `client_secret_post`.

use super::{origin::Origin, state::Authority};
use crate::{
    domain::{ClientId, ClientProof, ClientSecret, LoginRefusal, SecretDigest, Timestamp},
    store::{ClientWithSecrets, Found, StoreError},
};

impl Authority {
    /// The client `client`, if `secret` authenticates it at `now`.
    pub(super) async fn prove_by_secret(
        &self,
        client: ClientId,
        secret: &ClientSecret,
        origin: &Origin<'_>,
        now: Timestamp,
    ) -> Result<Found<ClientProof, LoginRefusal>, StoreError> {
        let presented = self.keys.data.digest(secret);
        let found = self
            .store
            .find_client(client.service_account(), |known| {
                prove(known, &presented, now)
            })
            .await?;
        let unknown_client = LoginRefusal::WrongSecret(presented);
        self.count_refused_login(&found, unknown_client, origin, now);
        Ok(found)
    }
}

/// Finds the presented secret among the secrets of a client. Digests are compared in constant time.
fn prove(
    known: &ClientWithSecrets,
    presented: &SecretDigest,
    now: Timestamp,
) -> Result<ClientProof, LoginRefusal> {
    let secret = known
        .secrets
        .iter()
        .find(|secret| secret.digest.matches(presented))
        .ok_or(LoginRefusal::WrongSecret(*presented))?;
    if !secret.is_live(now) {
        return Err(LoginRefusal::ExpiredSecret(secret.id));
    }
    known.client.check_usable(now)?;
    Ok(ClientProof::Secret(secret.id))
}
