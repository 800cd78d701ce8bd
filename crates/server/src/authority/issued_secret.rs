//! New secrets.

use super::{ambient::EntropyError, state::Authority};
use crate::domain::{
    ClientSecret, SecretId, ServiceAccount, ServiceAccountId, StoredSecret, Timestamp,
};

/// An account and a new secret of it in clear text, which one response shows.
#[derive(Clone, Debug)]
pub struct IssuedSecret {
    /// The account.
    pub account: ServiceAccount,
    /// The new secret.
    pub secret: ClientSecret,
}

impl Authority {
    /// Creates a secret: its clear text for the client, and its stored form.
    pub(super) fn new_secret(
        &self,
        now: Timestamp,
        created_by: Option<ServiceAccountId>,
        expires_at: Option<Timestamp>,
    ) -> Result<(ClientSecret, StoredSecret), EntropyError> {
        let secret = ClientSecret::from_random(self.random()?);
        let stored = StoredSecret {
            id: SecretId::new(now, self.ordered_random(now)?),
            digest: self.keys.data.digest(&secret),
            hint: secret.hint().to_owned(),
            created_at: now,
            created_by,
            expires_at,
            retires_at: None,
            revoked_at: None,
            first_used_at: None,
            last_used_at: None,
        };
        Ok((secret, stored))
    }
}
