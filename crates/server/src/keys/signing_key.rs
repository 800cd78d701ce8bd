//! A key pair that signs tokens.

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der},
    rand::SystemRandom,
    rsa::{self, KeySize},
    signature::{
        ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair,
        Ed25519KeyPair, KeyPair as _, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256,
        RSA_PKCS1_SHA256,
    },
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

use crate::domain::{PublicJwk, PublicKeyMaterial, SigningAlgorithm};

/// A key pair that signs and verifies with one algorithm. It is parsed once.
pub struct SigningKey {
    pair: Pair,
    verifier: ParsedPublicKey,
    jwk: PublicJwk,
    /// The encoded JOSE header of every token that the key signs, including the dot after it.
    pub(super) header: String,
}

enum Pair {
    Es256(EcdsaKeyPair),
    EdDsa(Ed25519KeyPair),
    Rs256(rsa::KeyPair),
}

/// The cryptographic library refused a key or an operation. It gives no reason.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the cryptographic library refused a key")]
pub struct KeyError;

impl SigningKey {
    /// Generates a key, and returns it with its PKCS #8 document. RSA takes about 100 ms, the other algorithms less than 1
    /// ms.
    pub fn generate(algorithm: SigningAlgorithm) -> Result<(Self, Zeroizing<Vec<u8>>), KeyError> {
        let random = SystemRandom::new();
        let pkcs8 = match algorithm {
            SigningAlgorithm::Es256 => {
                EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random)
                    .map(|document| document.as_ref().to_vec())
            }
            SigningAlgorithm::EdDsa => {
                Ed25519KeyPair::generate_pkcs8(&random).map(|document| document.as_ref().to_vec())
            }
            SigningAlgorithm::Rs256 => rsa::KeyPair::generate(KeySize::Rsa2048)
                .and_then(|pair| AsDer::<Pkcs8V1Der<'_>>::as_der(&pair))
                .map(|document| document.as_ref().to_vec()),
        }
        .map(Zeroizing::new)
        .map_err(|_| KeyError)?;
        Ok((Self::from_pkcs8(algorithm, &pkcs8)?, pkcs8))
    }

    /// Parses a PKCS #8 document.
    pub fn from_pkcs8(algorithm: SigningAlgorithm, pkcs8: &[u8]) -> Result<Self, KeyError> {
        let encode = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
        let (pair, verifier, material) = match algorithm {
            SigningAlgorithm::Es256 => {
                let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8)
                    .map_err(|_| KeyError)?;
                let point = pair.public_key().as_ref().to_vec();
                // SEC 1 §2.3.3, uncompressed: 0x04, x, y.
                let [4, coordinates @ ..] = &*point else {
                    return Err(KeyError);
                };
                let (x, y) = coordinates.split_at_checked(32).ok_or(KeyError)?;
                let material = PublicKeyMaterial::Ec {
                    x: encode(x),
                    y: encode(y),
                };
                let verifier = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &point);
                (Pair::Es256(pair), verifier, material)
            }
            SigningAlgorithm::EdDsa => {
                let pair = Ed25519KeyPair::from_pkcs8(pkcs8).map_err(|_| KeyError)?;
                let public = pair.public_key().as_ref().to_vec();
                let material = PublicKeyMaterial::Okp { x: encode(&public) };
                let verifier = ParsedPublicKey::new(&ED25519, &public);
                (Pair::EdDsa(pair), verifier, material)
            }
            SigningAlgorithm::Rs256 => {
                let pair = rsa::KeyPair::from_pkcs8(pkcs8).map_err(|_| KeyError)?;
                let public = pair.public_key();
                let material = PublicKeyMaterial::Rsa {
                    n: encode(public.modulus().big_endian_without_leading_zero()),
                    e: encode(public.exponent().big_endian_without_leading_zero()),
                };
                let verifier = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public.as_ref());
                (Pair::Rs256(pair), verifier, material)
            }
        };
        let kid = material.thumbprint();
        let header = format!(
            "{}.",
            encode(
                format!(
                    r#"{{"alg":"{}","typ":"at+jwt","kid":"{kid}"}}"#,
                    algorithm.as_str()
                )
                .as_bytes()
            )
        );
        Ok(Self {
            pair,
            verifier: verifier.map_err(|_| KeyError)?,
            jwk: PublicJwk {
                kid,
                algorithm,
                material,
            },
            header,
        })
    }

    /// The public key as a JWK.
    pub const fn jwk(&self) -> &PublicJwk {
        &self.jwk
    }

    /// The public key in the encoding of the algorithm: a SEC 1 point (ES256), 32 bytes (EdDSA) or RSAPublicKey (RS256, RFC
    /// 8017 A.1.1).
    pub fn public_key(&self) -> &[u8] {
        match &self.pair {
            Pair::Es256(pair) => pair.public_key().as_ref(),
            Pair::EdDsa(pair) => pair.public_key().as_ref(),
            Pair::Rs256(pair) => pair.public_key().as_ref(),
        }
    }

    /// The JWS signature of `message` (RFC 7518 §3.3, §3.4, RFC 8037 §3.1).
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Es256(pair) => pair
                .sign(&random, message)
                .map(|signature| signature.as_ref().to_vec()),
            Pair::EdDsa(pair) => pair
                .try_sign(message)
                .map(|signature| signature.as_ref().to_vec()),
            Pair::Rs256(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)
                    .map(|()| signature)
            }
        }
        .map_err(|_| KeyError)
    }

    /// Whether this key made `signature` for `message`. The key determines the algorithm, never the token (RFC 8725 §3.1).
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.verifier.verify_sig(message, signature).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// K2: coordinates have their full length, including leading zeros. RSA keys have 2048 bits.
    #[test]
    fn public_keys_are_published_at_full_length() {
        let bytes = |text: &str| BASE64_URL_SAFE_NO_PAD.decode(text).unwrap().len();
        for _ in 0..600 {
            let (key, _) = SigningKey::generate(SigningAlgorithm::Es256).unwrap();
            let PublicKeyMaterial::Ec { x, y } = &key.jwk().material else {
                panic!("an ES256 key is an EC key");
            };
            assert_eq!((bytes(x), bytes(y)), (32, 32));
        }
        let (key, _) = SigningKey::generate(SigningAlgorithm::Rs256).unwrap();
        let PublicKeyMaterial::Rsa { n, e } = &key.jwk().material else {
            panic!("an RS256 key is an RSA key");
        };
        assert_eq!((bytes(n), &**e), (256, "AQAB"));
    }

    #[test]
    fn a_key_verifies_its_own_signatures_only() {
        for algorithm in [
            SigningAlgorithm::Es256,
            SigningAlgorithm::EdDsa,
            SigningAlgorithm::Rs256,
        ] {
            let (key, pkcs8) = SigningKey::generate(algorithm).unwrap();
            let same = SigningKey::from_pkcs8(algorithm, &pkcs8).unwrap();
            let (other, _) = SigningKey::generate(algorithm).unwrap();
            let signature = key.sign(b"message").unwrap();
            assert!(same.verifies(b"message", &signature));
            assert_eq!(same.jwk(), key.jwk());
            assert!(!other.verifies(b"message", &signature));
            assert!(!key.verifies(b"massage", &signature));
            assert!(!key.verifies(b"message", &signature[1..]));
            assert!(!key.verifies(b"message", &vec![0; signature.len()]));
        }
    }
}
