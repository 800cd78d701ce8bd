//! The key ring: the data keys, which never change, and the signing keys, which can be exchanged while the server runs.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use arc_swap::ArcSwap;

use super::{
    data_keys::DataKeys,
    opaque,
    signing_key::KeyError,
    signing_key_seal::OpenKeyError,
    signing_keys::{Opened, SigningKeys},
};
use crate::domain::{
    AccessToken, OrganizationId, PublicJwk, SigningKeySet, Timestamp, TokenFormat,
};

/// All keys of a server. No request parses a key, and only an Idempotency-Key makes one derive a key.
pub struct KeyRing {
    issuer: String,
    /// The data keys.
    pub data: DataKeys,
    signing: ArcSwap<SigningKeys>,
    /// The version of the signing keys. It is stored after the keys: who reads a version then reads keys that are at least as new.
    version: AtomicI64,
}

impl KeyRing {
    /// The ring of the server with this `issuer`.
    pub fn open(
        data: DataKeys,
        issuer: &str,
        stored: &SigningKeySet,
    ) -> Result<Self, OpenKeyError> {
        let signing = SigningKeys::open(&data.signing_key_seal, stored)?;
        Ok(Self {
            issuer: issuer.to_owned(),
            data,
            signing: ArcSwap::from_pointee(signing),
            version: AtomicI64::new(stored.version),
        })
    }

    /// Replaces the signing keys by `stored`, for every request from now on. Tokens of a key that is not among them, or
    /// is revoked, are invalid at once. On an error the keys stay as they were.
    pub fn exchange_signing_keys(&self, stored: &SigningKeySet) -> Result<(), OpenKeyError> {
        let signing = SigningKeys::open(&self.data.signing_key_seal, stored)?;
        self.signing.store(Arc::new(signing));
        self.version.store(stored.version, Ordering::Release);
        Ok(())
    }

    /// Whether the signing keys are those of `version` or newer. `None`: whatever the version, unless it is
    /// [unknown](Self::forget_version).
    pub fn is_at(&self, version: Option<i64>) -> bool {
        self.version.load(Ordering::Acquire) >= version.unwrap_or(UNKNOWN + 1)
    }

    /// Marks the signing keys as possibly outdated: [`Self::is_at`] is `false` until they are exchanged.
    pub fn forget_version(&self) {
        self.version.store(UNKNOWN, Ordering::Release);
    }

    /// The issuer of the tokens: `iss`.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The text of `token`: sealed or signed, by its `format`, with the key that signs at `now`.
    pub fn seal_token(
        &self,
        token: &AccessToken,
        format: TokenFormat,
        now: Timestamp,
    ) -> Result<String, KeyError> {
        match format {
            TokenFormat::Opaque => Ok(opaque::seal(&self.data.opaque_tokens, &self.issuer, token)),
            TokenFormat::Jwt(algorithm) => {
                let keys = self.signing.load();
                keys.sign(algorithm, &self.issuer, token, now)
            }
        }
    }

    /// The token in `text`, of either format, if this server issued it. The token may be expired, and its account and its resource
    /// may be gone.
    ///
    /// `is_usable` says whether an organization can use a resource; it chooses among several audiences of a JWT.
    pub fn open_token(
        &self,
        text: &str,
        is_usable: impl Fn(OrganizationId, &str) -> bool,
    ) -> Opened {
        if text.starts_with(opaque::PREFIX) {
            return opaque::open(&self.data.opaque_tokens, &self.issuer, text)
                .map_or(Opened::Nothing, Opened::Token);
        }
        self.signing.load().verify(text, &self.issuer, is_usable)
    }

    /// The public keys, of every algorithm. The same `Arc` until the signing keys are exchanged.
    pub fn published_keys(&self) -> Arc<[PublicJwk]> {
        self.signing.load().published()
    }
}

/// Less than any version.
const UNKNOWN: i64 = i64::MIN;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{
            OrganizationId, ScopeSet, ServiceAccountId, SigningAlgorithm, SigningKeyLife,
            StoredSigningKey, TokenId,
        },
        encoding::BASE64_URL,
        keys::{DataKeyMaterial, MasterKey, SigningKey},
    };
    use base64::Engine as _;

    const JWT: TokenFormat = TokenFormat::Jwt(SigningAlgorithm::Es256);

    /// Two keys. The second begins to sign at 10.
    fn stored_keys() -> [StoredSigningKey; 2] {
        let seal = data().signing_key_seal;
        [(1, 0), (2, 10)].map(|(number, signs_from)| {
            let made = SigningKey::generate(SigningAlgorithm::Es256).unwrap();
            let life = SigningKeyLife {
                generation: number.into(),
                created_at: at(0),
                signs_from: at(signs_from),
                revoked_at: None,
            };
            seal.seal(&made, [number; 12], life)
        })
    }

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn data() -> DataKeys {
        DataKeys::new(&DataKeyMaterial::derived_from(&MasterKey::from_bytes(
            &[7; 32],
        )))
    }

    fn set(version: i64, keys: &[&StoredSigningKey]) -> SigningKeySet {
        SigningKeySet {
            version,
            keys: keys.iter().copied().cloned().collect(),
        }
    }

    fn ring(stored: &[&StoredSigningKey]) -> KeyRing {
        KeyRing::open(data(), "https://a.example", &set(1, stored)).unwrap()
    }

    fn token() -> AccessToken {
        AccessToken {
            id: TokenId::from_bytes([1; 16]),
            organization_id: OrganizationId::from_bytes([2; 16]),
            service_account_id: ServiceAccountId::from_bytes([3; 16]),
            token_epoch: 4,
            audience: "https://orders.example".into(),
            scopes: ScopeSet::parse("orders:read").unwrap(),
            issued_at_seconds: 5,
            expires_at_seconds: 6,
        }
    }

    fn sealed(ring: &KeyRing, now: i64) -> String {
        ring.seal_token(&token(), JWT, at(now)).unwrap()
    }

    fn open(ring: &KeyRing, text: &str) -> Opened {
        ring.open_token(text, |_, _| true)
    }

    fn kid_of(text: &str) -> String {
        let header = BASE64_URL.decode(text.split('.').next().unwrap()).unwrap();
        let header = serde_json::from_slice::<serde_json::Value>(&header).unwrap();
        header["kid"].as_str().unwrap().to_owned()
    }

    fn published(ring: &KeyRing) -> Vec<String> {
        let keys = ring.published_keys();
        keys.iter().map(|key| key.kid.clone()).collect()
    }

    #[test]
    fn a_key_is_published_before_it_signs_and_after_it_has_signed() {
        let [old, new] = stored_keys();
        let ring = ring(&[&old]);
        assert_eq!(kid_of(&sealed(&ring, 20)), old.id);
        assert!(Arc::ptr_eq(&ring.published_keys(), &ring.published_keys()));

        ring.exchange_signing_keys(&set(2, &[&old, &new])).unwrap();
        let (of_old, of_new) = (sealed(&ring, 9), sealed(&ring, 10));
        assert_eq!(
            (kid_of(&of_old), kid_of(&of_new)),
            (old.id.clone(), new.id.clone())
        );
        assert_eq!(published(&ring), [old.id, new.id]);
        for text in [of_old, of_new] {
            assert_eq!(open(&ring, &text), Opened::Token(token()));
        }
    }

    #[test]
    fn a_token_of_a_revoked_key_is_invalid_although_it_was_verified_before() {
        let [mut old, new] = stored_keys();
        let ring = ring(&[&old]);
        let of_old = sealed(&ring, 1);
        // The second time it comes from memory.
        for _ in 0..2 {
            assert_eq!(open(&ring, &of_old), Opened::Token(token()));
        }

        old.life.revoked_at = Some(at(2));
        ring.exchange_signing_keys(&set(2, &[&old, &new])).unwrap();
        assert_eq!(open(&ring, &of_old), Opened::UnknownKey);
        assert_eq!(published(&ring), [&*new.id]);
        // There is no other key, so it signs before its time.
        assert_eq!(kid_of(&sealed(&ring, 2)), new.id);
        let opaque = ring.seal_token(&token(), TokenFormat::Opaque, at(2));
        assert_eq!(open(&ring, &opaque.unwrap()), Opened::Token(token()));
    }

    #[test]
    fn only_a_well_formed_kid_is_unknown() {
        let [old, _] = stored_keys();
        let ring = ring(&[]);
        assert!(ring.seal_token(&token(), JWT, at(0)).is_err());
        let text = sealed(&self::ring(&[&old]), 0);
        assert_eq!(open(&ring, &text), Opened::UnknownKey);
        let header = BASE64_URL.encode(r#"{"alg":"ES256","typ":"at+jwt","kid":"guessed"}"#);
        let (_, rest) = text.split_once('.').unwrap();
        assert_eq!(open(&ring, &format!("{header}.{rest}")), Opened::Nothing);
        assert_eq!(open(&ring, "prka_x"), Opened::Nothing);
    }

    #[test]
    fn a_set_with_a_damaged_key_replaces_nothing() {
        let [old, mut new] = stored_keys();
        let ring = ring(&[&old]);
        new.sealed_private_key[20] ^= 1;
        let exchanged = ring.exchange_signing_keys(&set(2, &[&old, &new]));
        assert!(matches!(exchanged, Err(OpenKeyError::Sealed(_))));
        assert_eq!(published(&ring), [&*old.id]);
        assert_eq!(kid_of(&sealed(&ring, 20)), old.id);
        assert!(!ring.is_at(Some(2)));
    }

    #[test]
    fn a_ring_is_at_its_version_until_the_version_is_forgotten() {
        let [old, _] = stored_keys();
        let ring = ring(&[&old]);
        assert!(ring.is_at(None) && ring.is_at(Some(1)) && ring.is_at(Some(0)));
        assert!(!ring.is_at(Some(2)));
        ring.forget_version();
        assert!(!ring.is_at(None) && !ring.is_at(Some(1)));
        ring.exchange_signing_keys(&set(2, &[&old])).unwrap();
        assert!(ring.is_at(None) && ring.is_at(Some(2)));
    }
}
