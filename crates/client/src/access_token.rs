//! An access token, and when it is replaced.

use std::{fmt, sync::Arc, time::Duration};

use prokura_wire::Secret;
use reqwest::header::HeaderValue;
use tokio::time::Instant;

/// How long a token of unknown lifetime is used.
const ASSUMED_LIFETIME: Duration = Duration::from_secs(300);
/// The earliest renewal of a token: this long before it expires.
const LONGEST_RENEWAL: Duration = Duration::from_secs(300);
/// The longest time before its expiry in which a token is no longer sent, because the request must arrive before the expiry.
const LONGEST_MARGIN: Duration = Duration::from_secs(10);

/// An access token. `Debug` does not show it. Cloning is cheap.
#[derive(Clone)]
pub struct AccessToken(Arc<Inner>);

struct Inner {
    secret: Secret,
    header: HeaderValue,
    scope: Option<String>,
    lifetime: Option<Duration>,
    requested_at: Instant,
    renew_at: Instant,
    use_until: Instant,
}

impl AccessToken {
    /// A token whose lifetime counts from `requested_at`. `None`: no header can hold it.
    pub(crate) fn new(
        secret: Secret,
        scope: Option<String>,
        lifetime: Option<Duration>,
        requested_at: Instant,
    ) -> Option<Self> {
        let mut header = HeaderValue::try_from(format!("Bearer {}", secret.expose())).ok()?;
        header.set_sensitive(true);
        let known = lifetime.unwrap_or(ASSUMED_LIFETIME);
        let margin = (known / 10).min(LONGEST_MARGIN);
        // Random, so that clients that got their tokens together do not renew them together.
        let renewal = (known / 5).min(LONGEST_RENEWAL);
        let renewal = renewal.mul_f64(0.75 + fastrand::f64() / 4.0);
        Some(Self(Arc::new(Inner {
            secret,
            header,
            scope,
            lifetime,
            requested_at,
            renew_at: requested_at + known.saturating_sub(renewal),
            use_until: requested_at + known.saturating_sub(margin),
        })))
    }

    /// The token itself.
    pub fn expose(&self) -> &str {
        self.0.secret.expose()
    }

    /// The value for an `Authorization` header: `Bearer` and the token. It is marked as sensitive, so `Debug` does not show it.
    pub fn authorization(&self) -> HeaderValue {
        self.0.header.clone()
    }

    /// The granted scopes, separated by spaces. `None`: no scope was requested, and the server named none.
    pub fn scope(&self) -> Option<&str> {
        self.0.scope.as_deref()
    }

    /// The remaining lifetime. `None`: the server did not say.
    pub fn expires_in(&self) -> Option<Duration> {
        let lifetime = self.0.lifetime?;
        Some(lifetime.saturating_sub(self.0.requested_at.elapsed()))
    }

    /// Whether the token may be used.
    pub(crate) fn is_fresh(&self, now: Instant) -> bool {
        now < self.0.use_until
    }

    /// Whether the token should be renewed.
    pub(crate) fn is_due(&self, now: Instant) -> bool {
        now >= self.0.renew_at
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessToken(..)")
    }
}
