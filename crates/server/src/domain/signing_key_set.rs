//! All signing keys of an installation, and how they change.
//!
//! A plan is a list of [`KeyStep`]s, made from the set as it was read. The store applies a plan wholly, and only if the set has not
//! changed since.

use super::{
    SigningAlgorithm, SigningKeyLife, SigningKeyState, StoredSigningKey, Timestamp, signing,
};

/// How long a new key is published before it signs, in days. Verifiers that cache the published keys know it by then.
pub const SIGNING_KEY_PUBLISHED_AHEAD_DAYS: i64 = 1;

/// All signing keys, as they were read together.
#[derive(Clone, Debug)]
pub struct SigningKeySet {
    /// Is raised with every change of the keys.
    pub version: i64,
    /// The keys, by algorithm and generation.
    pub keys: Vec<StoredSigningKey>,
}

/// One step of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyStep {
    /// Create a key.
    Create {
        /// Its algorithm.
        algorithm: SigningAlgorithm,
        /// Its generation.
        generation: i64,
        /// When it begins to sign.
        signs_from: Timestamp,
    },
    /// Change when a published key begins to sign.
    Reschedule {
        /// The key.
        id: String,
        /// When it begins to sign.
        signs_from: Timestamp,
    },
    /// Revoke a key.
    Revoke {
        /// The key.
        id: String,
        /// Now.
        at: Timestamp,
    },
    /// Delete a key that is gone.
    Delete {
        /// The key.
        id: String,
    },
}

impl AsRef<SigningKeyLife> for StoredSigningKey {
    fn as_ref(&self) -> &SigningKeyLife {
        &self.life
    }
}

impl SigningKeySet {
    /// The keys of an algorithm.
    fn of(
        &self,
        algorithm: SigningAlgorithm,
    ) -> impl Iterator<Item = &StoredSigningKey> + Clone + '_ {
        let keys = self.keys.iter();
        keys.filter(move |key| key.algorithm == algorithm)
    }

    /// The lives of the keys of an algorithm.
    pub fn lives(&self, algorithm: SigningAlgorithm) -> Vec<SigningKeyLife> {
        self.of(algorithm).map(|key| key.life).collect()
    }

    /// The state of one of the keys at `now`.
    pub fn state(&self, key: &StoredSigningKey, now: Timestamp) -> SigningKeyState {
        key.life.state(&self.lives(key.algorithm), now)
    }

    /// The key of `algorithm` that signs at `now`. `None`: the algorithm has no key that was not revoked.
    pub fn signing(
        &self,
        algorithm: SigningAlgorithm,
        now: Timestamp,
    ) -> Option<&StoredSigningKey> {
        signing(self.of(algorithm), now)
    }

    /// The youngest key of `algorithm`, if it is published and does not sign yet.
    fn next(&self, algorithm: SigningAlgorithm, now: Timestamp) -> Option<&StoredSigningKey> {
        let mut keys = self.of(algorithm);
        keys.find(|key| self.state(key, now) == SigningKeyState::Published)
    }

    fn create(&self, algorithm: SigningAlgorithm, signs_from: Timestamp) -> KeyStep {
        let youngest = self.of(algorithm).map(|key| key.life.generation).max();
        KeyStep::Create {
            algorithm,
            generation: youngest.unwrap_or(0) + 1,
            signs_from,
        }
    }

    /// The plan to give `algorithm` a key that signs at once. It is empty if there is one.
    pub fn plan_first(&self, algorithm: SigningAlgorithm, now: Timestamp) -> Vec<KeyStep> {
        match self.signing(algorithm, now) {
            Some(_) => Vec::new(),
            None => vec![self.create(algorithm, now)],
        }
    }

    /// The plan of the scheduled rotation: each algorithm that has a key gets the next one in time, so that a key signs for
    /// `rotation_days`. Keys that are gone are deleted.
    pub fn plan_scheduled(&self, rotation_days: u16, now: Timestamp) -> Vec<KeyStep> {
        let ahead = now.plus_days(SIGNING_KEY_PUBLISHED_AHEAD_DAYS);
        let mut plan = Vec::new();
        for algorithm in SigningAlgorithm::ALL {
            let due = self
                .signing(algorithm, now)
                .map(|signer| signer.life.signs_from.plus_days(rotation_days.into()));
            if due.is_none_or(|due| due > ahead) {
                continue;
            }
            match self.next(algorithm, now) {
                None => plan.push(self.create(algorithm, ahead)),
                // A node whose clock was far ahead has created it.
                Some(next) if next.life.signs_from > ahead => plan.push(KeyStep::Reschedule {
                    id: next.id.clone(),
                    signs_from: ahead,
                }),
                Some(_) => {}
            }
        }
        let gone = self
            .keys
            .iter()
            .filter(|key| self.state(key, now) == SigningKeyState::Gone);
        plan.extend(gone.map(|key| KeyStep::Delete { id: key.id.clone() }));
        plan
    }

    /// The plan to let the next key of `algorithm` sign: at once, or as soon as it has been published for
    /// [a day](SIGNING_KEY_PUBLISHED_AHEAD_DAYS). It is empty if that is scheduled already.
    pub fn plan_rotation(
        &self,
        algorithm: SigningAlgorithm,
        at_once: bool,
        now: Timestamp,
    ) -> Vec<KeyStep> {
        let after = |published: Timestamp| {
            let ahead = published.plus_days(SIGNING_KEY_PUBLISHED_AHEAD_DAYS);
            if at_once { now } else { ahead.max(now) }
        };
        match self.next(algorithm, now) {
            None => vec![self.create(algorithm, after(now))],
            Some(next) => {
                let signs_from = after(next.life.created_at);
                if next.life.signs_from <= signs_from {
                    return Vec::new();
                }
                vec![KeyStep::Reschedule {
                    id: next.id.clone(),
                    signs_from,
                }]
            }
        }
    }

    /// The plan to revoke the key `id`. If it signs, the next key replaces it at once. It is empty if the key is revoked already.
    /// `None`: there is no such key.
    pub fn plan_revocation(&self, id: &str, now: Timestamp) -> Option<Vec<KeyStep>> {
        let key = self.keys.iter().find(|key| key.id == id)?;
        if key.life.revoked_at.is_some() {
            return Some(Vec::new());
        }
        let mut plan = vec![KeyStep::Revoke {
            id: key.id.clone(),
            at: now,
        }];
        if self.state(key, now) == SigningKeyState::Signing {
            plan.extend(self.plan_rotation(key.algorithm, true, now));
        }
        Some(plan)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 24 * 3600 * 1000;
    const ES256: SigningAlgorithm = SigningAlgorithm::Es256;

    fn day(day: i64) -> Timestamp {
        Timestamp::from_millis(day * DAY)
    }

    fn stored(generation: i64, created: i64, signs_from: i64) -> StoredSigningKey {
        StoredSigningKey {
            id: format!("key {generation}"),
            algorithm: ES256,
            sealed_private_key: Vec::new(),
            public_key: Vec::new(),
            life: SigningKeyLife {
                generation,
                created_at: day(created),
                signs_from: day(signs_from),
                revoked_at: None,
            },
        }
    }

    fn set(keys: impl Into<Vec<StoredSigningKey>>) -> SigningKeySet {
        SigningKeySet {
            version: 1,
            keys: keys.into(),
        }
    }

    /// The set after `plan`.
    fn apply(set: &SigningKeySet, plan: &[KeyStep], now: Timestamp) -> SigningKeySet {
        let mut set = set.clone();
        for step in plan {
            match step {
                KeyStep::Create {
                    generation,
                    signs_from,
                    ..
                } => {
                    assert!(set.keys.iter().all(|key| key.life.generation < *generation));
                    let mut key = stored(*generation, 0, 0);
                    key.life.created_at = now;
                    key.life.signs_from = *signs_from;
                    set.keys.push(key);
                }
                KeyStep::Reschedule { id, signs_from } => {
                    let key = set.keys.iter_mut().find(|key| key.id == *id).unwrap();
                    key.life.signs_from = *signs_from;
                }
                KeyStep::Revoke { id, at } => {
                    let key = set.keys.iter_mut().find(|key| key.id == *id).unwrap();
                    key.life.revoked_at = Some(*at);
                }
                KeyStep::Delete { id } => set.keys.retain(|key| key.id != *id),
            }
        }
        set
    }

    fn signer(set: &SigningKeySet, now: Timestamp) -> i64 {
        set.signing(ES256, now).unwrap().life.generation
    }

    #[test]
    fn an_algorithm_without_a_key_gets_one_that_signs_at_once() {
        let plan = set([]).plan_first(ES256, day(5));
        let first = KeyStep::Create {
            algorithm: ES256,
            generation: 1,
            signs_from: day(5),
        };
        assert_eq!(plan, [first]);
        assert!(set([stored(1, 0, 0)]).plan_first(ES256, day(5)).is_empty());

        let mut revoked = stored(3, 0, 0);
        revoked.life.revoked_at = Some(day(4));
        let plan = set([revoked]).plan_first(ES256, day(5));
        assert!(matches!(plan[..], [KeyStep::Create { generation: 4, .. }]));
    }

    #[test]
    fn the_next_key_is_published_a_day_before_it_signs() {
        let keys = set([stored(1, 0, 0)]);
        let before = Timestamp::from_millis(89 * DAY - 1);
        assert!(keys.plan_scheduled(90, before).is_empty());
        let plan = keys.plan_scheduled(90, day(89));
        let keys = apply(&keys, &plan, day(89));
        assert_eq!(keys.keys[1].life.signs_from, day(90));
        assert!(keys.plan_scheduled(90, day(89)).is_empty());
        assert!(keys.plan_scheduled(90, day(91)).is_empty());
        assert_eq!((signer(&keys, day(89)), signer(&keys, day(90))), (1, 2));
        // A node that was not running is late, and publishes the key for a day all the same.
        let late = set([stored(1, 0, 0)]);
        let plan = late.plan_scheduled(90, day(200));
        let late = apply(&late, &plan, day(200));
        assert_eq!(late.keys[1].life.signs_from, day(201));
    }

    /// Whatever the clock of a tick: one key signs, and each was published for a day before.
    #[test]
    fn years_of_ticks_rotate_and_delete() {
        let mut keys = set([stored(1, 0, 0)]);
        let mut last_signer = 1;
        for hour in 0..24 * 365 * 4 {
            let now = Timestamp::from_millis(hour * 3_600_000);
            let plan = keys.plan_scheduled(90, now);
            keys = apply(&keys, &plan, now);
            let signer = keys.signing(ES256, now).unwrap();
            if signer.life.generation != last_signer {
                assert_eq!(signer.life.generation, last_signer + 1);
                let published_for = now.as_millis() - signer.life.created_at.as_millis();
                assert!(published_for >= DAY);
                last_signer = signer.life.generation;
            }
            assert!(keys.keys.len() <= 7, "{}", keys.keys.len());
        }
        assert_eq!(last_signer, 17);
    }

    #[test]
    fn a_key_made_by_a_clock_that_was_ahead_is_used_when_it_is_due() {
        let keys = set([stored(1, 0, 0), stored(2, 3650, 3651)]);
        assert!(keys.plan_scheduled(90, day(10)).is_empty());
        let plan = keys.plan_scheduled(90, day(89));
        let keys = apply(&keys, &plan, day(89));
        assert_eq!(signer(&keys, day(90)), 2);
        // A clock that is behind changes nothing.
        assert!(keys.plan_scheduled(90, day(-100)).is_empty());
    }

    #[test]
    fn a_rotation_uses_the_key_that_is_published_already() {
        let keys = set([stored(1, 0, 0)]);
        let plan = keys.plan_rotation(ES256, false, day(10));
        let keys = apply(&keys, &plan, day(10));
        assert_eq!((signer(&keys, day(10)), signer(&keys, day(11))), (1, 2));
        assert!(keys.plan_rotation(ES256, false, day(10)).is_empty());
        let plan = keys.plan_rotation(ES256, true, day(10));
        let keys = apply(&keys, &plan, day(10));
        assert_eq!((keys.keys.len(), signer(&keys, day(10))), (2, 2));
        // The next one is a new key.
        let plan = keys.plan_rotation(ES256, true, day(10));
        let keys = apply(&keys, &plan, day(10));
        assert_eq!((keys.keys.len(), signer(&keys, day(10))), (3, 3));
    }

    #[test]
    fn a_revoked_key_that_signs_is_replaced_at_once() {
        let keys = set([stored(1, 0, 0), stored(2, 9, 100)]);
        let plan = keys.plan_revocation("key 1", day(10)).unwrap();
        let replaced = apply(&keys, &plan, day(10));
        assert_eq!((replaced.keys.len(), signer(&replaced, day(10))), (2, 2));
        let plan = replaced.plan_revocation("key 2", day(10)).unwrap();
        let replaced = apply(&replaced, &plan, day(10));
        assert_eq!((replaced.keys.len(), signer(&replaced, day(10))), (3, 3));

        // A key that does not sign is only revoked.
        let plan = keys.plan_revocation("key 2", day(10)).unwrap();
        let without_next = apply(&keys, &plan, day(10));
        assert_eq!(signer(&without_next, day(200)), 1);
        let again = without_next.plan_revocation("key 2", day(11)).unwrap();
        assert!(again.is_empty());
        assert!(keys.plan_revocation("key 9", day(10)).is_none());
    }

    #[test]
    fn a_retired_key_is_deleted_when_its_last_token_has_expired() {
        let keys = set([stored(1, 0, 0), stored(2, 9, 10)]);
        let gone_at = Timestamp::from_millis(375 * DAY + 60_000);
        let deleted = |now| {
            let plan = keys.plan_scheduled(3650, now);
            plan.contains(&KeyStep::Delete {
                id: "key 1".to_owned(),
            })
        };
        assert!(!deleted(Timestamp::from_millis(gone_at.as_millis() - 1)));
        assert!(deleted(gone_at));
    }
}
