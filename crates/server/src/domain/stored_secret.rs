//! Secrets as they are stored, and their states.

use super::{SecretDigest, SecretId, ServiceAccountId, Timestamp};

/// The maximum number of live secrets of an account.
pub const MAX_LIVE_SECRETS: i64 = 5;
/// How long an expired or revoked secret is still listed, in milliseconds: 30 days.
pub const ENDED_SECRETS_LISTED_MS: i64 = 30 * 24 * 3600 * 1000;

/// A secret as it is stored: everything but its clear text.
#[derive(Clone, Debug)]
pub struct StoredSecret {
    /// The id.
    pub id: SecretId,
    /// The keyed digest, with which a presented secret is compared.
    pub digest: SecretDigest,
    /// The last four characters.
    pub hint: String,
    /// When the secret was created.
    pub created_at: Timestamp,
    /// The account that created it. `None`: the server, at bootstrap.
    pub created_by: Option<ServiceAccountId>,
    /// When the secret expires. `None`: never.
    pub expires_at: Option<Timestamp>,
    /// When the grace period of a rotation ends. `None`: no rotation is replacing the secret.
    pub retires_at: Option<Timestamp>,
    /// When the secret was revoked, or the instant at which it expired once the store has noticed. `None`: neither.
    pub revoked_at: Option<Timestamp>,
    /// When the secret was first used to obtain a token. `None`: no use is known.
    pub first_used_at: Option<Timestamp>,
    /// When the secret was last used to obtain a token. `None`: no use is known.
    pub last_used_at: Option<Timestamp>,
}

/// The part of a secret that client authentication needs. The secret is not revoked; it may have expired.
#[derive(Clone, Debug)]
pub struct UnrevokedSecret {
    /// The id.
    pub id: SecretId,
    /// The keyed digest, with which a presented secret is compared.
    pub digest: SecretDigest,
    /// When the secret expires, or its grace period ends. `None`: never.
    pub ends_at: Option<Timestamp>,
}

impl UnrevokedSecret {
    /// Whether the secret authenticates at `now`. It does not at the instant of `ends_at`.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.ends_at.is_none_or(|end| now < end)
    }
}

/// The state of a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretState {
    /// The secret authenticates.
    Active,
    /// The secret authenticates until the grace period of a rotation ends.
    Retiring,
    /// The secret expired, or its grace period ended.
    Expired,
    /// The secret was revoked.
    Revoked,
}

impl SecretState {
    /// The name in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Retiring => "retiring",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
        }
    }
}

impl StoredSecret {
    /// The state at `now`.
    pub fn state(&self, now: Timestamp) -> SecretState {
        if self.has_expired(self.revoked_at.unwrap_or(now)) {
            SecretState::Expired
        } else if self.revoked_at.is_some() {
            SecretState::Revoked
        } else if self.retires_at.is_some() {
            SecretState::Retiring
        } else {
            SecretState::Active
        }
    }

    /// Whether the secret authenticates at `now`. It does not at the instant of `ends_at`.
    pub fn is_live(&self, now: Timestamp) -> bool {
        matches!(self.state(now), SecretState::Active | SecretState::Retiring)
    }

    /// Whether the secret had expired, or its grace period ended, at `instant`.
    pub fn has_expired(&self, instant: Timestamp) -> bool {
        self.ends_at().is_some_and(|end| end <= instant)
    }

    /// When the secret expires or its grace period ends, whichever comes first.
    pub fn ends_at(&self) -> Option<Timestamp> {
        [self.expires_at, self.retires_at]
            .into_iter()
            .flatten()
            .min()
    }

    /// Whether revoking the secret at `now` should affect nobody: a newer secret of the account has been in use, and this
    /// one has not, for at least `quiet_seconds`. `secrets` are the secrets of the account.
    pub fn is_safe_to_revoke(&self, secrets: &[Self], now: Timestamp, quiet_seconds: u32) -> bool {
        let newer_in_use_since = secrets
            .iter()
            .filter(|other| (other.created_at, other.id) > (self.created_at, self.id))
            .filter_map(|newer| newer.first_used_at)
            .min();
        let Some(newer_in_use_since) = newer_in_use_since.filter(|_| self.is_live(now)) else {
            return false;
        };
        let quiet_since = self
            .last_used_at
            .map_or(newer_in_use_since, |used| used.max(newer_in_use_since));
        now.as_millis().saturating_sub(quiet_since.as_millis()) >= i64::from(quiet_seconds) * 1000
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn secret(number: u8) -> StoredSecret {
        StoredSecret {
            id: SecretId::from_bytes([number; 16]),
            digest: SecretDigest::from_bytes([0; 32]),
            hint: "abcd".to_owned(),
            created_at: at(i64::from(number)),
            created_by: None,
            expires_at: None,
            retires_at: None,
            revoked_at: None,
            first_used_at: None,
            last_used_at: None,
        }
    }

    #[test]
    fn a_secret_is_expired_at_the_instant_of_its_end() {
        let mut secret = secret(1);
        assert!(secret.is_live(at(i64::MAX)));
        secret.expires_at = Some(at(50));
        assert_eq!(secret.state(at(49)), SecretState::Active);
        assert_eq!(secret.state(at(50)), SecretState::Expired);
        let unrevoked = UnrevokedSecret {
            id: secret.id,
            digest: secret.digest,
            ends_at: secret.ends_at(),
        };
        assert!(unrevoked.is_live(at(49)));
        assert!(!unrevoked.is_live(at(50)));
        secret.retires_at = Some(at(40));
        assert_eq!(secret.state(at(39)), SecretState::Retiring);
        assert_eq!(secret.state(at(40)), SecretState::Expired);
        secret.revoked_at = Some(at(39));
        for now in [39, 40, 50] {
            assert_eq!(secret.state(at(now)), SecretState::Revoked);
            assert!(!secret.is_live(at(now)));
        }
        // A secret that had expired before it was revoked stays expired.
        secret.revoked_at = Some(at(40));
        assert_eq!(secret.state(at(50)), SecretState::Expired);
    }

    #[test]
    fn a_secret_is_safe_to_revoke_when_a_newer_one_has_been_used_alone_for_long_enough() {
        let old = || StoredSecret {
            last_used_at: Some(at(2_000)),
            ..secret(1)
        };
        let new = StoredSecret {
            first_used_at: Some(at(1_000)),
            ..secret(2)
        };
        let safe = |old: &StoredSecret, new: &StoredSecret, now| {
            old.is_safe_to_revoke(&[new.clone(), old.clone()], at(now), 10)
        };
        assert!(!safe(&old(), &new, 11_999));
        assert!(safe(&old(), &new, 12_000));
        // Not the newer secret, not one whose successor is unused, not a revoked one.
        assert!(!safe(&new, &old(), 99_000));
        assert!(!safe(&old(), &secret(2), 99_000));
        let ended = StoredSecret {
            revoked_at: Some(at(1)),
            ..old()
        };
        assert!(!safe(&ended, &new, 99_000));
    }
}
