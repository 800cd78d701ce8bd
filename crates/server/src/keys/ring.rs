//! The key ring: the derived keys, which never change, and the signing keys, which can be exchanged while the server runs.

use std::sync::Arc;

use arc_swap::ArcSwap;

use super::{
    derived_keys::DerivedKeys, opaque, signing_key::KeyError, signing_key_seal::OpenKeyError,
    signing_keys::SigningKeys,
};
use crate::domain::{AccessToken, PublicJwk, SigningAlgorithm, StoredSigningKey, TokenFormat};

/// All keys of a server. No request parses a key, and only an Idempotency-Key makes one derive a key.
pub struct KeyRing {
    issuer: String,
    /// The keys derived from the master key.
    pub derived: DerivedKeys,
    algorithms: Vec<SigningAlgorithm>,
    signing: ArcSwap<SigningKeys>,
}

impl KeyRing {
    /// The ring of the server with this `issuer`.
    ///
    /// `stored` are the signing keys that are not retired, oldest first. All of them verify tokens. `algorithms` are the
    /// algorithms in use: only their keys sign and are published.
    pub fn open(
        derived: DerivedKeys,
        issuer: &str,
        stored: &[StoredSigningKey],
        algorithms: Vec<SigningAlgorithm>,
    ) -> Result<Self, OpenKeyError> {
        let signing = SigningKeys::open(&derived.signing_key_seal, stored, &algorithms)?;
        Ok(Self {
            issuer: issuer.to_owned(),
            derived,
            algorithms,
            signing: ArcSwap::from_pointee(signing),
        })
    }

    /// Replaces the signing keys by `stored`, for every request from now on. Tokens of a key that is not among them are
    /// invalid at once. On an error the keys stay as they were.
    pub fn exchange_signing_keys(&self, stored: &[StoredSigningKey]) -> Result<(), OpenKeyError> {
        let signing = SigningKeys::open(&self.derived.signing_key_seal, stored, &self.algorithms)?;
        self.signing.store(Arc::new(signing));
        Ok(())
    }

    /// The issuer of the tokens: `iss`.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The text of `token`: sealed or signed, by its `format`.
    pub fn seal_token(&self, token: &AccessToken, format: TokenFormat) -> Result<String, KeyError> {
        match format {
            TokenFormat::Opaque => Ok(opaque::seal(
                &self.derived.opaque_tokens,
                &self.issuer,
                token,
            )),
            TokenFormat::Jwt(algorithm) => self.signing.load().sign(algorithm, &self.issuer, token),
        }
    }

    /// The token in `text`, of either format. `None`: this server did not issue it, or `is_known_audience` does not know its
    /// audience. The token may be expired, and its account may be gone.
    pub fn open_token(
        &self,
        text: &str,
        is_known_audience: impl Fn(&str) -> bool,
    ) -> Option<AccessToken> {
        if text.starts_with(opaque::PREFIX) {
            return opaque::open(&self.derived.opaque_tokens, &self.issuer, text)
                .filter(|token| is_known_audience(&token.audience));
        }
        self.signing
            .load()
            .verify(text, &self.issuer, is_known_audience)
    }

    /// The public keys of the algorithms in use. The same `Arc` until the signing keys are exchanged.
    pub fn published_keys(&self) -> Arc<[PublicJwk]> {
        self.signing.load().published()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{OrganizationId, ScopeSet, ServiceAccountId, Timestamp, TokenId},
        encoding::BASE64_URL,
        keys::MasterKey,
    };
    use base64::Engine as _;

    const JWT: TokenFormat = TokenFormat::Jwt(SigningAlgorithm::Es256);

    fn stored_keys() -> [StoredSigningKey; 2] {
        let seal = derived().signing_key_seal;
        [1, 2].map(|number| {
            let created_at = Timestamp::from_millis(number.into());
            seal.generate(SigningAlgorithm::Es256, [number; 12], created_at)
                .unwrap()
        })
    }

    fn derived() -> DerivedKeys {
        DerivedKeys::new(&MasterKey::from_bytes(&[7; 32]))
    }

    fn ring(stored: &[StoredSigningKey]) -> KeyRing {
        let algorithms = vec![SigningAlgorithm::Es256];
        KeyRing::open(derived(), "https://a.example", stored, algorithms).unwrap()
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

    fn open(ring: &KeyRing, text: &str) -> Option<AccessToken> {
        ring.open_token(text, |_| true)
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
    fn an_added_key_signs_and_is_published_while_tokens_of_the_old_key_stay_valid() {
        let [old, new] = stored_keys();
        let ring = ring(std::slice::from_ref(&old));
        let of_old = ring.seal_token(&token(), JWT).unwrap();
        assert_eq!(kid_of(&of_old), old.id);
        assert!(Arc::ptr_eq(&ring.published_keys(), &ring.published_keys()));

        ring.exchange_signing_keys(&[old.clone(), new.clone()])
            .unwrap();
        let of_new = ring.seal_token(&token(), JWT).unwrap();
        assert_eq!(kid_of(&of_new), new.id);
        assert_eq!(published(&ring), [old.id, new.id]);
        assert_eq!(open(&ring, &of_old), Some(token()));
        assert_eq!(open(&ring, &of_new), Some(token()));
    }

    #[test]
    fn a_token_of_a_removed_key_is_invalid_although_it_was_verified_before() {
        let [old, new] = stored_keys();
        let ring = ring(std::slice::from_ref(&old));
        let of_old = ring.seal_token(&token(), JWT).unwrap();
        // The second time it comes from memory.
        for _ in 0..2 {
            assert_eq!(open(&ring, &of_old), Some(token()));
        }

        ring.exchange_signing_keys(std::slice::from_ref(&new))
            .unwrap();
        assert_eq!(open(&ring, &of_old), None);
        assert_eq!(published(&ring), [new.id]);
        let opaque = ring.seal_token(&token(), TokenFormat::Opaque).unwrap();
        assert_eq!(open(&ring, &opaque), Some(token()));
    }

    #[test]
    fn a_set_with_a_damaged_key_replaces_nothing() {
        let [old, mut new] = stored_keys();
        let ring = ring(std::slice::from_ref(&old));
        new.sealed_private_key[20] ^= 1;
        let exchanged = ring.exchange_signing_keys(&[old.clone(), new]);
        assert!(matches!(exchanged, Err(OpenKeyError::Sealed(_))));
        assert_eq!(published(&ring), std::slice::from_ref(&old.id));
        let text = ring.seal_token(&token(), JWT).unwrap();
        assert_eq!(kid_of(&text), old.id);
    }

    #[test]
    fn keys_of_algorithms_out_of_use_verify_but_are_not_published() {
        let [old, _] = stored_keys();
        let of_old = ring(std::slice::from_ref(&old))
            .seal_token(&token(), JWT)
            .unwrap();
        let ring = KeyRing::open(derived(), "https://a.example", &[old], Vec::new()).unwrap();
        assert_eq!(open(&ring, &of_old), Some(token()));
        assert!(ring.published_keys().is_empty());
    }
}
