//! All keys of a server, ready for use.

use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::{
    MasterKey, NONCE_BYTES, SealingKey, SigningKey,
    idempotency::IdempotencyKeys,
    jwt, opaque,
    signing::KeyError,
    verified::{TextDigest, VerifiedTokens},
};
use crate::domain::{
    AccessToken, ClientSecret, PublicJwk, SecretDigest, SigningAlgorithm, StoredSigningKey,
    Timestamp, TokenFormat,
};

/// Everything that makes and recognises secrets, tokens and cursors. Its keys are made once at start and never change; none is
/// parsed per request, nor derived but for what follows from an Idempotency-Key.
pub struct KeyRing {
    issuer: String,
    secret_digests: Hmac<Sha256>,
    opaque_tokens: SealingKey,
    /// Seals positions in lists.
    pub cursors: SealingKey,
    /// Lock away the answers to idempotent requests.
    pub idempotency: IdempotencyKeys,
    signing: Vec<SigningKey>,
    published: Vec<SigningAlgorithm>,
    verified: VerifiedTokens,
}

/// A stored signing key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenKeyError {
    /// It does not open with this master key, or was altered.
    #[error(
        "the signing key {0} cannot be decrypted: it was altered, or encrypted with another master key"
    )]
    Sealed(String),
    /// What it holds is no key.
    #[error("the signing key {0} is damaged")]
    Damaged(String),
}

const SIGNING_KEY_PURPOSE: &str = "signing keys";

impl KeyRing {
    /// The ring of the server that calls itself `issuer`, with `stored` signing keys, of which those of the algorithms in
    /// `published` sign and are published; the others still verify what they signed before.
    pub fn open(
        master: &MasterKey,
        issuer: &str,
        stored: &[StoredSigningKey],
        published: Vec<SigningAlgorithm>,
    ) -> Result<Self, OpenKeyError> {
        let signing = stored
            .iter()
            .map(|stored| {
                let pkcs8 = Self::unseal_signing_key(master, stored)
                    .ok_or_else(|| OpenKeyError::Sealed(stored.id.clone()))?;
                SigningKey::from_pkcs8(stored.algorithm, &pkcs8)
                    .ok()
                    .filter(|key| key.jwk().kid == stored.id)
                    .ok_or_else(|| OpenKeyError::Damaged(stored.id.clone()))
            })
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            issuer: issuer.to_owned(),
            secret_digests: master.hmac("secret digests"),
            opaque_tokens: master.sealing_key("opaque tokens"),
            cursors: master.sealing_key("cursors"),
            idempotency: IdempotencyKeys::new(master),
            signing,
            published,
            verified: VerifiedTokens::new(),
        })
    }

    /// A new signing key, sealed for the store: under the master key, bound to its `kid`.
    pub fn new_signing_key(
        master: &MasterKey,
        algorithm: SigningAlgorithm,
        nonce: [u8; NONCE_BYTES],
        created_at: Timestamp,
    ) -> Result<StoredSigningKey, KeyError> {
        let (key, pkcs8) = SigningKey::generate(algorithm)?;
        let id = key.jwk().kid.clone();
        Ok(StoredSigningKey {
            sealed_private_key: master.sealing_key(SIGNING_KEY_PURPOSE).seal_whole(
                nonce,
                id.as_bytes(),
                &pkcs8,
            ),
            public_key: key.public_key().to_vec(),
            id,
            algorithm,
            created_at,
        })
    }

    /// The private key in `stored`, a PKCS #8 document. `None`: it was altered, or sealed with another master key.
    pub fn unseal_signing_key(
        master: &MasterKey,
        stored: &StoredSigningKey,
    ) -> Option<Zeroizing<Vec<u8>>> {
        let mut sealed = Zeroizing::new(stored.sealed_private_key.clone());
        master
            .sealing_key(SIGNING_KEY_PURPOSE)
            .open_whole(stored.id.as_bytes(), &mut sealed)
            .map(|pkcs8| Zeroizing::new(pkcs8.to_vec()))
    }

    /// Who issues the tokens: `iss`.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// What is stored of `secret`: HMAC-SHA-256 over its text. A generated secret of 256 bits needs no slow hash
    /// (NIST SP 800-63B §5.1.2), and a slow one would let anybody keep the server busy.
    pub fn digest(&self, secret: &ClientSecret) -> SecretDigest {
        let mut digest = self.secret_digests.clone();
        digest.update(secret.expose().as_bytes());
        SecretDigest::from_bytes(digest.finalize().into_bytes().into())
    }

    /// `token` as the text that a client gets.
    pub fn seal_token(&self, token: &AccessToken, format: TokenFormat) -> Result<String, KeyError> {
        match format {
            TokenFormat::Opaque => Ok(opaque::seal(&self.opaque_tokens, &self.issuer, token)),
            TokenFormat::Jwt(algorithm) => {
                let key = self
                    .signing
                    .iter()
                    .rfind(|key| key.jwk().algorithm == algorithm)
                    .ok_or(KeyError)?;
                jwt::sign(key, &self.issuer, token)
            }
        }
    }

    /// The token behind a text, of either format. `None`: we did not make it, or it is for an audience that
    /// `is_known_audience` does not know. Says nothing about time or account.
    pub fn open_token(
        &self,
        text: &str,
        is_known_audience: impl Fn(&str) -> bool,
    ) -> Option<AccessToken> {
        if text.starts_with(opaque::PREFIX) {
            return opaque::open(&self.opaque_tokens, &self.issuer, text)
                .filter(|token| is_known_audience(&token.audience));
        }
        if text.len() > jwt::MAX_CHARS {
            return None;
        }
        let digest = TextDigest::of(text);
        if let Some(known) = self.verified.get(&digest) {
            return Some(known);
        }
        let key = |kid: &str| self.signing.iter().find(|key| key.jwk().kid == kid);
        let token = jwt::open(text, &self.issuer, key, is_known_audience)?;
        self.verified.insert(&digest, &token);
        Some(token)
    }

    /// The public keys of the algorithms in use.
    pub fn public_keys(&self) -> impl Iterator<Item = &PublicJwk> {
        self.signing
            .iter()
            .map(SigningKey::jwk)
            .filter(|jwk| self.published.contains(&jwk.algorithm))
    }
}
