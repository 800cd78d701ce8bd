//! Secrets as they are stored, and how their life goes.

use super::{SecretDigest, SecretId, ServiceAccountId, Timestamp};

/// How many living secrets an account may have at once.
pub const MAX_LIVE_SECRETS: i64 = 5;
/// How long a secret that has ended is still listed, in milliseconds.
pub const ENDED_SECRETS_LISTED_MS: i64 = 30 * 24 * 3600 * 1000;

/// A secret as it is stored: everything but the secret.
#[derive(Clone, Debug)]
pub struct StoredSecret {
    /// Its id.
    pub id: SecretId,
    /// The keyed digest by which it is recognised.
    pub digest: SecretDigest,
    /// Its last four characters.
    pub hint: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who made it. `None`: the server itself, at bootstrap.
    pub created_by: Option<ServiceAccountId>,
    /// From when on it is refused. `None`: it does not expire.
    pub expires_at: Option<Timestamp>,
    /// When the grace ends that a rotation left it. `None`: it is not being rotated out.
    pub retires_at: Option<Timestamp>,
    /// When it was ended, or found to have ended by itself: then that instant. `None`: neither.
    pub revoked_at: Option<Timestamp>,
    /// When it first obtained a token. `None`: never, as far as is known.
    pub first_used_at: Option<Timestamp>,
    /// When it last obtained a token. `None`: never, as far as is known.
    pub last_used_at: Option<Timestamp>,
}

/// Of a secret that is not known to have ended, what judging a presented one needs.
#[derive(Clone, Debug)]
pub struct UnrevokedSecret {
    /// Its id.
    pub id: SecretId,
    /// The keyed digest by which it is recognised.
    pub digest: SecretDigest,
    /// When it ends by itself. `None`: it does not.
    pub ends_at: Option<Timestamp>,
}

impl UnrevokedSecret {
    /// Whether it authenticates at `now`: an end counts from its very instant on.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.ends_at.is_none_or(|end| now < end)
    }
}

/// Where a secret is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretState {
    /// It authenticates.
    Active,
    /// It authenticates until the grace of a rotation ends.
    Retiring,
    /// Its time, or its grace, has run out.
    Expired,
    /// It was ended.
    Revoked,
}

impl SecretState {
    /// The name as clients see it.
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
    /// Where it is in its life at `now`.
    pub fn state(&self, now: Timestamp) -> SecretState {
        if self.has_run_out(self.revoked_at.unwrap_or(now)) {
            SecretState::Expired
        } else if self.revoked_at.is_some() {
            SecretState::Revoked
        } else if self.retires_at.is_some() {
            SecretState::Retiring
        } else {
            SecretState::Active
        }
    }

    /// Whether it authenticates at `now`: an end counts from its very instant on.
    pub fn is_live(&self, now: Timestamp) -> bool {
        matches!(self.state(now), SecretState::Active | SecretState::Retiring)
    }

    /// Whether it had ended by itself at `instant`.
    pub fn has_run_out(&self, instant: Timestamp) -> bool {
        self.ends_at().is_some_and(|end| end <= instant)
    }

    /// When it ends by itself: at its expiry or at the end of its grace, whichever comes first.
    pub fn ends_at(&self) -> Option<Timestamp> {
        [self.expires_at, self.retires_at]
            .into_iter()
            .flatten()
            .min()
    }

    /// Whether it can be ended without anybody noticing: a newer one of `secrets` has been in use, and this one not, for at
    /// least `quiet_seconds` up to `now`.
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
    fn a_secret_ends_at_the_very_instant() {
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
        // Nobody can end what has ended.
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
        // The newer one is not; nor is one whose successor nobody uses; nor one that has ended already.
        assert!(!safe(&new, &old(), 99_000));
        assert!(!safe(&old(), &secret(2), 99_000));
        let ended = StoredSecret {
            revoked_at: Some(at(1)),
            ..old()
        };
        assert!(!safe(&ended, &new, 99_000));
    }
}
