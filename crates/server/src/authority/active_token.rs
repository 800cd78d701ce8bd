//! The check of a presented access token: whether it is active, and what it allows.

use super::{state::Authority, unavailable::Unavailable};
use crate::{
    domain::{AccessToken, Timestamp},
    keys::Opened,
};

impl Authority {
    /// The token in `text` with the scopes that its account still holds, if the token is active at `now`.
    ///
    /// No other code accepts a token. `None`: this server did not issue it, it is expired or revoked, its resource is gone, or its
    /// account was deleted, disabled or expired, or had its tokens revoked.
    pub(super) async fn active_token(
        &self,
        text: &str,
        now: Timestamp,
    ) -> Result<Option<AccessToken>, Unavailable> {
        let Some(mut token) = self.open_token(text).await? else {
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
        // The key of the token may have been revoked since the token was opened.
        if self.follow_keys(state.keys_version).await? && !self.is_token(text) {
            return Ok(None);
        }
        if !token.is_active(&state.client, now) {
            return Ok(None);
        }
        let version = state.resources_version;
        let resources = self.resources_at(token.organization_id, version).await?;
        let Some(resource) = resources.named(&token.audience) else {
            return Ok(None);
        };
        let held = token.effective_scopes(&state.client);
        token.scopes = held.intersection(&resource.scopes);
        Ok(Some(token))
    }

    /// The token in `text`, if this server issued it. It need not be active. A token of a key that this node does
    /// not know makes it ask the store for newer keys.
    pub(super) async fn open_token(&self, text: &str) -> Result<Option<AccessToken>, Unavailable> {
        let mut opened = self.try_open(text);
        if opened == Opened::UnknownKey && self.refresh_keys().await? {
            opened = self.try_open(text);
        }
        Ok(match opened {
            Opened::Token(token) => Some(token),
            Opened::UnknownKey | Opened::Nothing => None,
        })
    }

    fn is_token(&self, text: &str) -> bool {
        matches!(self.try_open(text), Opened::Token(_))
    }

    fn try_open(&self, text: &str) -> Opened {
        self.keys.open_token(text, |organization, audience| {
            let known = self.organization_resources.get(organization, None);
            self.management.is_named(audience)
                || known.is_some_and(|resources| resources.named(audience).is_some())
        })
    }
}
