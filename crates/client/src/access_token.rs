//! An access token, and when it is to be replaced.

use std::{fmt, sync::Arc, time::Duration};

use prokura_wire::Secret;
use reqwest::header::HeaderValue;
use tokio::time::Instant;

/// How long a token of unknown lifetime is used.
const ASSUMED_LIFETIME: Duration = Duration::from_secs(300);
/// The longest that a token is renewed before it expires.
const LONGEST_RENEWAL: Duration = Duration::from_secs(300);
/// The longest that a token is not used any more before it expires: it has yet to arrive.
const LONGEST_MARGIN: Duration = Duration::from_secs(10);

/// An access token. It does not print; cloning it is cheap.
#[derive(Clone)]
pub struct AccessToken(Arc<Inner>);

struct Inner {
    secret: Secret,
    header: HeaderValue,
    scope: Option<String>,
    lifetime: Option<Duration>,
    asked_at: Instant,
    renew_at: Instant,
    use_until: Instant,
}

impl AccessToken {
    /// The token that answered what was asked at `asked_at`, from when on its lifetime counts. `None`: it does not fit into
    /// a header.
    pub(crate) fn new(
        secret: Secret,
        scope: Option<String>,
        lifetime: Option<Duration>,
        asked_at: Instant,
    ) -> Option<Self> {
        let mut header = HeaderValue::try_from(format!("Bearer {}", secret.expose())).ok()?;
        header.set_sensitive(true);
        let known = lifetime.unwrap_or(ASSUMED_LIFETIME);
        let margin = (known / 10).min(LONGEST_MARGIN);
        // Many that got their tokens together do not renew them together.
        let renewal = (known / 5).min(LONGEST_RENEWAL);
        let renewal = renewal.mul_f64(0.75 + fastrand::f64() / 4.0);
        Some(Self(Arc::new(Inner {
            secret,
            header,
            scope,
            lifetime,
            asked_at,
            renew_at: asked_at + known.saturating_sub(renewal),
            use_until: asked_at + known.saturating_sub(margin),
        })))
    }

    /// The text in clear.
    pub fn expose(&self) -> &str {
        self.0.secret.expose()
    }

    /// The value of an `Authorization` header: `Bearer` and the token. It is marked as sensitive, so that it does not print.
    pub fn authorization(&self) -> HeaderValue {
        self.0.header.clone()
    }

    /// What it allows: scopes separated by spaces. `None`: neither was a scope asked for, nor did the server name one.
    pub fn scope(&self) -> Option<&str> {
        self.0.scope.as_deref()
    }

    /// How long it still lives. `None`: the server did not say.
    pub fn expires_in(&self) -> Option<Duration> {
        let lifetime = self.0.lifetime?;
        Some(lifetime.saturating_sub(self.0.asked_at.elapsed()))
    }

    /// Whether it may be given out.
    pub(crate) fn is_fresh(&self, now: Instant) -> bool {
        now < self.0.use_until
    }

    /// Whether another should be had by now.
    pub(crate) fn is_due(&self, now: Instant) -> bool {
        now >= self.0.renew_at
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessToken(..)")
    }
}
