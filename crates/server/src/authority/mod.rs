//! What can be asked of Prokura: one method per use case, one file per method.
//!
//! A use case reads the clock once and hands `now` down as a value. It knows no status code, no header and no JSON; and
//! when in doubt (no store, no clock, no randomness, no key) it answers [`Unavailable`], never yes.

mod ambient;
mod authenticate_bearer;
mod authenticate_client;
mod bootstrap;
mod change;
mod create_service_account;
mod delete_service_account;
mod get_service_account;
mod get_usage;
mod grant_scopes;
mod idempotency;
mod introspect_token;
mod issue_token;
mod list_audit_events;
mod list_service_accounts;
mod open;
mod page;
mod refused_logins;
mod revoke_token;
mod rotate_secret;
mod secrets;
mod update_service_account;

use std::{
    net::IpAddr,
    sync::atomic::{AtomicI64, Ordering},
};

pub use ambient::{Clock, ClockError, Entropy, EntropyError, SystemClock, SystemEntropy};
pub use authenticate_bearer::{AuthenticateBearerError, Caller};
pub use authenticate_client::{AuthenticateClientError, PresentedCredentials};
pub use bootstrap::{Bootstrap, BootstrapError};
pub use change::ChangeError;
pub use create_service_account::CreateServiceAccountError;
pub use get_service_account::GetServiceAccountError;
pub use grant_scopes::GrantScopesError;
pub use idempotency::{Answered, Idempotent, KeptAnswer};
pub use introspect_token::IntrospectTokenError;
pub use issue_token::{IssueTokenError, IssuedToken, TokenRequest};
pub use open::{OpenAuthorityError, Settings};
pub use page::{ListError, Page};
pub use rotate_secret::{RotateSecretError, RotationRequest};
pub use secrets::{AddedSecret, ListedSecret, SecretError};
pub use update_service_account::UpdateServiceAccountError;

use crate::{
    domain::{
        AccessToken, Action, Actor, AuditEvent, ClientSecret, Day, PublicJwk, Resources, SecretId,
        ServiceAccount, ServiceAccountId, StoredSecret, Timestamp,
    },
    keys::{KeyError, KeyRing, OpenAnswerError},
    store::{Store, StoreError},
};

/// The server without its door.
pub struct Authority {
    store: Store,
    keys: KeyRing,
    resources: Resources,
    rotation: RotationPolicy,
    clock: Box<dyn Clock>,
    entropy: Box<dyn Entropy>,
    /// The millisecond of the last ordered id and its number within it: `millisecond << 12 | number`.
    last_id: AtomicI64,
    refused_logins: refused_logins::Recorder,
}

/// What is allowed when secrets change hands.
#[derive(Clone, Copy, Debug)]
pub struct RotationPolicy {
    /// The longest grace that a rotation may leave the old secrets, in seconds.
    pub max_grace_period_seconds: u32,
    /// For how long a secret must have been idle, its successor being in use, to be called safe to revoke, in seconds.
    pub safe_to_revoke_after_seconds: u32,
}

impl Default for RotationPolicy {
    /// Seven days; one day.
    fn default() -> Self {
        Self {
            max_grace_period_seconds: 7 * 24 * 3600,
            safe_to_revoke_after_seconds: 24 * 3600,
        }
    }
}

/// Something that every answer needs is away, so there is none. Retrying later may help.
#[derive(Debug, thiserror::Error)]
pub enum Unavailable {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The clock.
    #[error(transparent)]
    Clock(#[from] ClockError),
    /// The source of randomness.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// A key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The answer that a repeat should get.
    #[error(transparent)]
    Answer(#[from] OpenAnswerError),
}

/// Where a request comes from, for the audit trail.
#[derive(Clone, Debug, Default)]
pub struct Origin {
    /// The id of the request. `None`: a command, no request.
    pub request_id: Option<String>,
    /// The address of the client. `None`: this machine, by command.
    pub address: Option<IpAddr>,
}

/// An account together with a secret in clear: what create and rotate answer, once.
#[derive(Clone, Debug)]
pub struct IssuedCredentials {
    /// The account.
    pub account: ServiceAccount,
    /// Its new secret.
    pub secret: ClientSecret,
}

impl Authority {
    /// Who issues the tokens: the `issuer` of RFC 8414.
    pub fn issuer(&self) -> &str {
        self.keys.issuer()
    }

    /// The resources that tokens can be for.
    pub const fn resources(&self) -> &Resources {
        &self.resources
    }

    /// The keys that verify our tokens, those of the algorithms in use.
    pub fn public_keys(&self) -> impl Iterator<Item = &PublicJwk> {
        self.keys.public_keys()
    }

    /// Whether the store answers.
    pub async fn check_readiness(&self) -> Result<(), Unavailable> {
        self.store.installation().await?;
        Ok(())
    }

    /// Forgets the revoked tokens and the idempotent requests that have expired on every node, and counts of use that are
    /// older than 400 days. To be called now and then.
    pub async fn sweep(&self) -> Result<(), Unavailable> {
        let now = self.clock.now()?;
        let expired_by = AccessToken::expired_everywhere_by(now);
        self.store.sweep_revoked_tokens(expired_by).await?;
        self.store.sweep_idempotent_requests(expired_by).await?;
        let oldest = Day::of(now).back(get_usage::KEPT_DAYS);
        Ok(self.store.sweep_usage(oldest).await?)
    }

    /// Resolves when use should be [written](Self::flush_usage) at once; see [`Store::flush_is_due`].
    pub async fn flush_is_due(&self) {
        self.store.flush_is_due().await;
    }

    /// Writes use that was counted; see [`Store::flush_usage`].
    pub async fn flush_usage(&self) -> Result<(), Unavailable> {
        Ok(self.store.flush_usage().await?)
    }

    /// Writes all the use that was counted; see [`Store::flush_all_usage`].
    pub async fn flush_all_usage(&self) -> Result<(), Unavailable> {
        Ok(self.store.flush_all_usage().await?)
    }

    /// 64 random bits in hexadecimal, to begin the ids of one run's requests with.
    pub fn random_prefix(&self) -> Result<String, Unavailable> {
        Ok(format!("{:016x}", u64::from_be_bytes(self.random()?)))
    }

    fn random<const N: usize>(&self) -> Result<[u8; N], EntropyError> {
        let mut bytes = [0; N];
        self.entropy.fill(&mut bytes)?;
        Ok(bytes)
    }

    /// The random part of an id made at `now`. Its first 12 bits count the ids of one millisecond (RFC 9562 §6.2, method 1),
    /// so that what this node makes later also sorts later.
    fn ordered_random(&self, now: Timestamp) -> Result<[u8; 10], EntropyError> {
        const NUMBERS: i64 = 1 << 12;
        let mut random = self.random::<10>()?;
        let first = now.as_millis().saturating_mul(NUMBERS);
        let next = |last: i64| {
            if last.div_euclid(NUMBERS) == now.as_millis() {
                (last + 1).min(first + NUMBERS - 1)
            } else {
                first
            }
        };
        let last = self
            .last_id
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| {
                Some(next(last))
            })
            .unwrap_or(first);
        let number = next(last).rem_euclid(NUMBERS) as u16;
        random[..2].copy_from_slice(&number.to_be_bytes());
        Ok(random)
    }

    /// A new secret: in clear for its owner, and as it is stored.
    fn new_secret(
        &self,
        now: Timestamp,
        created_by: Option<ServiceAccountId>,
        expires_at: Option<Timestamp>,
    ) -> Result<(ClientSecret, StoredSecret), EntropyError> {
        let secret = ClientSecret::from_random(self.random()?);
        let stored = StoredSecret {
            id: SecretId::new(now, self.ordered_random(now)?),
            digest: self.keys.digest(&secret),
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

impl Caller {
    /// The audit event of something that this caller does.
    fn event(
        &self,
        origin: &Origin,
        now: Timestamp,
        action: Action,
        target: String,
        detail: Vec<(&'static str, String)>,
    ) -> AuditEvent {
        AuditEvent {
            organization_id: self.organization_id,
            at: now,
            actor: Actor::ServiceAccount(self.service_account_id),
            action,
            target,
            request_id: origin.request_id.clone(),
            address: origin.address,
            detail,
        }
    }
}
