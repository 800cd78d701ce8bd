//! `revoke_token`: a client ends one of its own tokens (RFC 7009).

use super::{AuthenticateClientError, Authority, Origin, PresentedCredentials, Unavailable};
use crate::domain::{AccessToken, Action, Actor, AuditEvent};

impl Authority {
    /// Ends the token `text`, if it is the caller's own. Anything else, another's token included, is a success without
    /// effect (RFC 7009 §2.2), so that nobody learns what a token is by trying to revoke it.
    pub async fn revoke_token(
        &self,
        credentials: &PresentedCredentials,
        text: &str,
        origin: &Origin<'_>,
    ) -> Result<(), AuthenticateClientError> {
        let now = self.clock.now().map_err(Unavailable::from)?;
        let caller = self.authenticate_client(credentials, origin, now).await?;
        // What has only just expired here may live on a node whose clock is behind.
        let expired_by = AccessToken::expired_everywhere_by(now);
        let token = self
            .open_token(text)
            .filter(|token| token.service_account_id == caller.id && !token.is_expired(expired_by));
        let Some(token) = token else { return Ok(()) };
        let event = AuditEvent {
            organization_id: caller.organization_id,
            at: now,
            actor: Actor::ServiceAccount(caller.id),
            action: Action::RevokeToken,
            target: token.id.to_string(),
            request_id: origin.request_id.map(str::to_owned),
            address: origin.address,
            detail: Vec::new(),
        };
        self.store.revoke_token(&token, event).await?;
        Ok(())
    }
}
