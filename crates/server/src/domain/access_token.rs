//! Access tokens: what one says, and while it is active.

use super::{Client, OrganizationId, ScopeSet, ServiceAccountId, Timestamp, TokenId};

/// The longest token lifetime that the configuration of a resource may set, in seconds: 365 days.
pub const MAX_RESOURCE_TOKEN_LIFETIME_SECONDS: u32 = 31_536_000;

/// How far apart the clocks of two nodes may be, in milliseconds.
const CLOCK_SKEW_MS: i64 = 60_000;

/// The content of an access token, independent of its format. The issuer is not part of it: the key ring accepts tokens of
/// its own issuer only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessToken {
    /// `jti`.
    pub id: TokenId,
    /// The organization for which the bearer acts.
    pub organization_id: OrganizationId,
    /// The account, which is both `sub` and `client_id` (RFC 9068 §2.2).
    pub service_account_id: ServiceAccountId,
    /// The account's `token_epoch` when the token was issued.
    pub token_epoch: i64,
    /// `aud`: the resource that the token is for.
    pub audience: Box<str>,
    /// `scope`.
    pub scopes: ScopeSet,
    /// `iat`, in seconds since the Unix epoch.
    pub issued_at_seconds: i64,
    /// `exp`, in seconds since the Unix epoch. The token is expired from this instant on.
    pub expires_at_seconds: i64,
}

impl AccessToken {
    /// The token issued to `client` at `now`.
    ///
    /// `iat` is `now` without its fraction of a second and `exp` is `iat` plus the lifetime, so `exp - iat` is always
    /// `expires_in`. Verifiers that cap the lifetime of a token rely on that.
    pub fn mint(
        id: TokenId,
        client: &Client,
        audience: &str,
        scopes: ScopeSet,
        lifetime_seconds: u32,
        now: Timestamp,
    ) -> Self {
        let issued_at_seconds = now.whole_seconds();
        Self {
            id,
            organization_id: client.organization_id,
            service_account_id: client.id,
            token_epoch: client.token_epoch,
            audience: audience.into(),
            scopes,
            issued_at_seconds,
            expires_at_seconds: issued_at_seconds + i64::from(lifetime_seconds),
        }
    }

    /// The instant of `exp`.
    pub const fn expires_at(&self) -> Timestamp {
        Timestamp::from_millis(self.expires_at_seconds.saturating_mul(1000))
    }

    /// Whether the token is expired at `now`. RFC 7519 §4.1.4: it is valid *before* `exp`.
    pub fn is_expired(&self, now: Timestamp) -> bool {
        now >= self.expires_at()
    }

    /// A token that expired by the returned instant is expired on every node at `now`, even if a node's clock is behind.
    pub const fn expired_everywhere_by(now: Timestamp) -> Timestamp {
        Timestamp::from_millis(now.as_millis().saturating_sub(CLOCK_SKEW_MS))
    }

    /// When a token that expires at `expires_at` is expired on every node, even if a node's clock is behind.
    pub const fn expired_everywhere_at(expires_at: Timestamp) -> Timestamp {
        Timestamp::from_millis(expires_at.as_millis().saturating_add(CLOCK_SKEW_MS))
    }

    /// Whether `iat` is further ahead than the clock of any node can be.
    fn is_from_the_future(&self, now: Timestamp) -> bool {
        self.issued_at_seconds.saturating_mul(1000) > now.as_millis().saturating_add(CLOCK_SKEW_MS)
    }

    /// Whether the token is active at `now`. `client` is the token's account as it is stored now.
    pub fn is_active(&self, client: &Client, now: Timestamp) -> bool {
        !self.is_expired(now)
            && !self.is_from_the_future(now)
            && self.organization_id == client.organization_id
            && self.service_account_id == client.id
            && self.token_epoch == client.token_epoch
            && client.is_usable(now)
    }

    /// The scopes of the token that the account still holds.
    pub fn effective_scopes(&self, client: &Client) -> ScopeSet {
        self.scopes.filter(|scope| client.scopes.holds(scope))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client() -> Client {
        Client {
            id: ServiceAccountId::from_bytes([1; 16]),
            organization_id: OrganizationId::from_bytes([2; 16]),
            organization_disabled_at: None,
            scopes: ScopeSet::parse("a b").unwrap(),
            token_lifetime_seconds: None,
            expires_at: None,
            disabled_at: None,
            token_epoch: 3,
        }
    }

    fn token(now: i64) -> AccessToken {
        let scopes = ScopeSet::parse("a b").unwrap();
        let now = Timestamp::from_millis(now);
        AccessToken::mint(TokenId::new([0; 16]), &client(), "api", scopes, 60, now)
    }

    #[test]
    fn a_token_expires_its_lifetime_after_its_issue_at_every_millisecond_of_a_second() {
        for now in -1000..=2000 {
            let token = token(now);
            assert_eq!(token.issued_at_seconds, now.div_euclid(1000));
            assert_eq!(token.expires_at_seconds - token.issued_at_seconds, 60);
        }
    }

    #[test]
    fn a_token_is_expired_at_the_instant_of_exp() {
        let token = token(0);
        assert!(token.is_active(&client(), Timestamp::from_millis(59_999)));
        assert!(!token.is_active(&client(), Timestamp::from_millis(60_000)));
    }

    #[test]
    fn a_token_from_the_future_is_refused_beyond_a_minute_of_skew() {
        assert!(token(60_000).is_active(&client(), Timestamp::from_millis(0)));
        assert!(!token(61_000).is_active(&client(), Timestamp::from_millis(0)));
    }

    #[test]
    fn a_token_is_active_while_its_account_is() {
        let now = Timestamp::from_millis(1);
        let token = token(0);
        let with = |change: fn(&mut Client)| {
            let mut client = client();
            change(&mut client);
            token.is_active(&client, now)
        };
        assert!(with(|_| ()));
        assert!(!with(|client| client.token_epoch += 1));
        assert!(!with(
            |client| client.disabled_at = Some(Timestamp::from_millis(0))
        ));
        assert!(!with(
            |client| client.organization_id = OrganizationId::from_bytes([9; 16])
        ));
    }

    #[test]
    fn a_scope_that_the_account_lost_is_removed_from_its_tokens() {
        let mut client = client();
        client.scopes = ScopeSet::parse("b").unwrap();
        assert_eq!(token(0).effective_scopes(&client).as_str(), "b");
    }
}
