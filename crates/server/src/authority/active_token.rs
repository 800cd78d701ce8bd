//! The check of a presented access token: whether it is active, and what it allows.

use super::{state::Authority, unavailable::Unavailable};
use crate::domain::{AccessToken, Timestamp};

impl Authority {
    /// The token in `text` with the scopes that its account still holds, if the token is active at `now`.
    ///
    /// No other code accepts a token. `None`: this server did not issue it, it is expired or revoked, or its account was
    /// deleted, disabled or expired, or had its tokens revoked.
    pub(super) async fn active_token(
        &self,
        text: &str,
        now: Timestamp,
    ) -> Result<Option<AccessToken>, Unavailable> {
        let Some(mut token) = self.open_token(text) else {
            return Ok(None);
        };
        if token.is_expired(now) {
            return Ok(None);
        }
        let state = self
            .store
            .find_token_state(token.service_account_id, token.id)
            .await?;
        let Some(state) = state.filter(|state| !state.is_revoked) else {
            return Ok(None);
        };
        if !token.is_active(&state.client, now) {
            return Ok(None);
        }
        token.scopes = token.effective_scopes(&state.client);
        Ok(Some(token))
    }

    /// The token in `text`, if this server issued it for a known resource. It need not be active.
    pub(super) fn open_token(&self, text: &str) -> Option<AccessToken> {
        self.keys.open_token(text, |audience| {
            self.resources
                .iter()
                .any(|resource| resource.is_named(audience))
        })
    }
}
