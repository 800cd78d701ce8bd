//! Access tokens: what one says, and when it is alive.

use super::{Client, OrganizationId, ScopeSet, ServiceAccountId, Timestamp, TokenId};

/// The longest token lifetime that the configuration of a resource may set, in seconds: 365 days.
pub const MAX_RESOURCE_TOKEN_LIFETIME_SECONDS: u32 = 31_536_000;

/// How far the clocks of two nodes may be apart, in milliseconds.
const CLOCK_SKEW_MS: i64 = 60_000;

/// Everything that an access token says, whatever its format. The issuer is not among it: it belongs to the keys, which
/// recognise no other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessToken {
    /// `jti`.
    pub id: TokenId,
    /// The organization for which its bearer acts.
    pub organization_id: OrganizationId,
    /// `sub`, and as a client id `client_id`: the account itself (RFC 9068 §2.2).
    pub service_account_id: ServiceAccountId,
    /// The account's epoch when the token was issued.
    pub token_epoch: i64,
    /// `aud`: what it is for.
    pub audience: Box<str>,
    /// `scope`.
    pub scopes: ScopeSet,
    /// `iat`, in seconds since the Unix epoch.
    pub issued_at_seconds: i64,
    /// `exp`, in seconds since the Unix epoch: from this instant on it is dead.
    pub expires_at_seconds: i64,
}

impl AccessToken {
    /// The whole value of a token issued to `client` at `now`. `exp` is rounded up to a whole second, so that a client
    /// that counts `expires_in` from the answer is never promised more than it gets.
    pub fn mint(
        id: TokenId,
        client: &Client,
        audience: &str,
        scopes: ScopeSet,
        lifetime_seconds: u32,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            organization_id: client.organization_id,
            service_account_id: client.id,
            token_epoch: client.token_epoch,
            audience: audience.into(),
            scopes,
            issued_at_seconds: now.whole_seconds(),
            expires_at_seconds: now.whole_seconds_up() + i64::from(lifetime_seconds),
        }
    }

    /// When it is dead.
    pub const fn expires_at(&self) -> Timestamp {
        Timestamp::from_millis(self.expires_at_seconds.saturating_mul(1000))
    }

    /// Whether its time has run out at `now` (RFC 7519 §4.1.4: valid *before* `exp`).
    pub fn is_expired(&self, now: Timestamp) -> bool {
        now >= self.expires_at()
    }

    /// The instant by which a token must have expired to be dead at `now` on every node, for their clocks may be behind.
    pub const fn expired_everywhere_by(now: Timestamp) -> Timestamp {
        Timestamp::from_millis(now.as_millis().saturating_sub(CLOCK_SKEW_MS))
    }

    /// Whether it claims to come from a time that no clock of ours can have shown yet.
    fn is_from_the_future(&self, now: Timestamp) -> bool {
        self.issued_at_seconds.saturating_mul(1000) > now.as_millis().saturating_add(CLOCK_SKEW_MS)
    }

    /// A token is only as alive as its account. `client` is what the store has under its account id now.
    pub fn is_alive(&self, client: &Client, now: Timestamp) -> bool {
        !self.is_expired(now)
            && !self.is_from_the_future(now)
            && self.organization_id == client.organization_id
            && self.service_account_id == client.id
            && self.token_epoch == client.token_epoch
            && client.is_usable(now)
    }

    /// What its bearer may do: the token's scopes, less those that the account has lost since.
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
    fn a_token_never_lives_shorter_than_promised() {
        for now in [0, 1, 500, 999, 1000] {
            let token = token(now);
            assert!(token.expires_at_seconds * 1000 - now >= 60_000);
            assert!(token.expires_at_seconds - token.issued_at_seconds <= 61);
        }
    }

    #[test]
    fn a_token_is_dead_at_its_very_expiry() {
        let token = token(0);
        assert!(token.is_alive(&client(), Timestamp::from_millis(59_999)));
        assert!(!token.is_alive(&client(), Timestamp::from_millis(60_000)));
    }

    #[test]
    fn a_token_from_the_future_is_refused_beyond_a_minute_of_skew() {
        assert!(token(60_000).is_alive(&client(), Timestamp::from_millis(0)));
        assert!(!token(61_000).is_alive(&client(), Timestamp::from_millis(0)));
    }

    #[test]
    fn a_token_is_only_as_alive_as_its_account() {
        let now = Timestamp::from_millis(1);
        let token = token(0);
        let with = |change: fn(&mut Client)| {
            let mut client = client();
            change(&mut client);
            token.is_alive(&client, now)
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
    fn a_scope_taken_away_is_gone_from_tokens_too() {
        let mut client = client();
        client.scopes = ScopeSet::parse("b").unwrap();
        assert_eq!(token(0).effective_scopes(&client).as_str(), "b");
    }
}
