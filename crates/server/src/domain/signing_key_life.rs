//! The life of a signing key: published ahead, signing, retired, gone; or revoked.
//!
//! The state of a key follows from the instants of all keys of its algorithm and from the time. So every node knows it without being
//! told, and nothing has to happen at the instant at which a key begins to sign.

use super::{AccessToken, MAX_RESOURCE_TOKEN_LIFETIME_SECONDS, Timestamp};

/// When a signing key was created, when it begins to sign and whether it was revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SigningKeyLife {
    /// Counts the keys of an algorithm, from 1. A younger key has a higher generation.
    pub generation: i64,
    /// When the key was created. It is published from then on.
    pub created_at: Timestamp,
    /// When it begins to sign.
    pub signs_from: Timestamp,
    /// When it was revoked. `None`: it was not.
    pub revoked_at: Option<Timestamp>,
}

/// The state of a signing key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SigningKeyState {
    /// It is published, and signs from [`SigningKeyLife::signs_from`] on. Verifiers learn it before they need it.
    Published,
    /// It signs the tokens of its algorithm.
    Signing,
    /// Another key signs. It is published until every token that it signed has expired.
    Retired,
    /// Every token that it signed has expired. It can be deleted.
    Gone,
    /// It is compromised: not published, and its tokens are inactive.
    Revoked,
}

impl SigningKeyState {
    /// The name of the state.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Signing => "signing",
            Self::Retired => "retired",
            Self::Gone => "gone",
            Self::Revoked => "revoked",
        }
    }
}

/// The key that signs at `now`, of all keys of one algorithm. `None`: there is no key that was not revoked.
///
/// It is the youngest key that has begun to sign. If none has, it is the oldest: then the clock of this node is behind that of the
/// node which created the key to sign at once, and every node has the key already.
pub fn signing<'k, K: AsRef<SigningKeyLife>>(
    keys: impl Iterator<Item = &'k K> + Clone,
    now: Timestamp,
) -> Option<&'k K> {
    let live = keys.filter(|key| key.as_ref().revoked_at.is_none());
    live.clone()
        .filter(|key| key.as_ref().signs_from <= now)
        .max_by_key(|key| key.as_ref().generation)
        .or_else(|| live.min_by_key(|key| key.as_ref().generation))
}

impl AsRef<Self> for SigningKeyLife {
    fn as_ref(&self) -> &Self {
        self
    }
}

impl SigningKeyLife {
    /// When the key stops to sign: when the next key of its algorithm that was not revoked begins. `all` are the keys of its
    /// algorithm. `None`: there is no next key, or this one is revoked.
    pub fn retires_at(&self, all: &[Self]) -> Option<Timestamp> {
        if self.revoked_at.is_some() {
            return None;
        }
        all.iter()
            .filter(|next| next.revoked_at.is_none() && next.generation > self.generation)
            .min_by_key(|next| next.generation)
            .map(|next| next.signs_from.max(self.signs_from))
    }

    /// From when on no token of the key can be valid, on any node. `None`: the key has not stopped to sign.
    pub fn gone_at(&self, all: &[Self]) -> Option<Timestamp> {
        let stops_at = self.revoked_at.or_else(|| self.retires_at(all))?;
        let last_expires = stops_at.plus_seconds(MAX_RESOURCE_TOKEN_LIFETIME_SECONDS);
        Some(AccessToken::expired_everywhere_at(last_expires))
    }

    /// The state of the key at `now`. `all` are the keys of its algorithm.
    pub fn state(&self, all: &[Self], now: Timestamp) -> SigningKeyState {
        if self.gone_at(all).is_some_and(|gone_at| gone_at <= now) {
            return SigningKeyState::Gone;
        }
        if self.revoked_at.is_some() {
            return SigningKeyState::Revoked;
        }
        match signing(all.iter(), now) {
            Some(signer) if signer.generation == self.generation => SigningKeyState::Signing,
            Some(signer) if signer.generation > self.generation => SigningKeyState::Retired,
            _ => SigningKeyState::Published,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 24 * 3600 * 1000;

    fn day(day: i64) -> Timestamp {
        Timestamp::from_millis(day * DAY)
    }

    fn key(generation: i64, created: i64, signs_from: i64) -> SigningKeyLife {
        SigningKeyLife {
            generation,
            created_at: day(created),
            signs_from: day(signs_from),
            revoked_at: None,
        }
    }

    fn states(all: &[SigningKeyLife], now: Timestamp) -> Vec<&'static str> {
        let state = |key: &SigningKeyLife| key.state(all, now).as_str();
        all.iter().map(state).collect()
    }

    #[test]
    fn a_key_is_published_then_signs_then_is_retired_then_gone() {
        let all = [key(1, 0, 0), key(2, 89, 90)];
        assert_eq!(states(&all[..1], day(0)), ["signing"]);
        assert_eq!(states(&all, day(89)), ["signing", "published"]);
        let last = Timestamp::from_millis(90 * DAY - 1);
        assert_eq!(states(&all, last), ["signing", "published"]);
        assert_eq!(states(&all, day(90)), ["retired", "signing"]);
        // The last token of the first key expires 365 days later, on a node whose clock is a minute behind.
        assert_eq!(states(&all, day(455)), ["retired", "signing"]);
        let gone = Timestamp::from_millis(455 * DAY + 60_000);
        assert_eq!(states(&all, gone), ["gone", "signing"]);
    }

    #[test]
    fn the_last_key_of_an_algorithm_signs_until_there_is_another() {
        let all = [key(1, 0, 0)];
        assert_eq!(states(&all, day(10_000)), ["signing"]);
        assert_eq!(all[0].retires_at(&all), None);
        assert_eq!(all[0].gone_at(&all), None);
    }

    #[test]
    fn a_revoked_key_never_signs_and_the_key_before_it_goes_on() {
        let mut all = [key(1, 0, 0), key(2, 89, 90)];
        all[1].revoked_at = Some(day(95));
        assert_eq!(states(&all, day(95)), ["signing", "revoked"]);
        assert_eq!(all[1].retires_at(&all), None);
        assert_eq!(states(&all, day(95 + 366)), ["signing", "gone"]);
        all[0].revoked_at = Some(day(96));
        assert!(signing(all.iter(), day(96)).is_none());
    }

    #[test]
    fn a_node_whose_clock_is_behind_signs_with_a_key_that_all_nodes_have() {
        assert_eq!(states(&[key(1, 5, 5)], day(4)), ["signing"]);
        let all = [key(1, 0, 0), key(2, 5, 5)];
        assert_eq!(states(&all, day(4)), ["signing", "published"]);
        // With both ahead of the clock, the older one has been published longer.
        assert_eq!(states(&all, day(-1)), ["signing", "published"]);
    }

    #[test]
    fn exactly_one_key_signs_at_any_time() {
        let mut revoked = key(3, 150, 170);
        revoked.revoked_at = Some(day(175));
        let all = [key(1, 0, 0), key(2, 89, 90), revoked, key(4, 175, 175)];
        for now in -10..2000 {
            let signing = states(&all, day(now));
            let signing = signing.iter().filter(|state| **state == "signing");
            assert_eq!(signing.count(), 1, "day {now}");
        }
    }
}
