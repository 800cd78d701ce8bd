//! `revoke_token`: a client revokes one of its own tokens (RFC 7009).

use super::{
    authenticate_client::{AuthenticateClientError, PresentedCredentials},
    origin::Origin,
    state::Authority,
};
use crate::domain::{AccessToken, Action, Actor, AuditEvent};

impl Authority {
    /// Revokes the token `text` if it is the caller's own. RFC 7009 §2.2: any other text, including a token of another
    /// client, is a success without effect. So a caller cannot learn what a token is by revoking it.
    pub async fn revoke_token(
        &self,
        credentials: &PresentedCredentials,
        text: &str,
        origin: &Origin<'_>,
    ) -> Result<(), AuthenticateClientError> {
        let now = self.clock.now()?;
        let caller = self.authenticate_client(credentials, origin, now).await?;
        // A token that has just expired here may still be active on a node whose clock is behind.
        let expired_by = AccessToken::expired_everywhere_by(now);
        let token = self
            .open_token(text)
            .await?
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
