//! Signing keys as they are stored, and public keys as the JWKS publishes them.

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};

use super::{SigningAlgorithm, SigningKeyLife};

/// A signing key as it is stored.
#[derive(Clone, Debug)]
pub struct StoredSigningKey {
    /// The `kid`.
    pub id: String,
    /// The algorithm it signs with.
    pub algorithm: SigningAlgorithm,
    /// The private key as PKCS #8, sealed with a data key and bound to `id`.
    pub sealed_private_key: Vec<u8>,
    /// The public key in the encoding of the algorithm.
    pub public_key: Vec<u8>,
    /// When the key was created, when it begins to sign and whether it was revoked.
    pub life: SigningKeyLife,
}

/// A public key as the JWKS publishes it (RFC 7517 §4). Values are base64url without padding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicJwk {
    /// `kid`: the thumbprint of the key (RFC 7638), which is the same on every node and after a restart.
    pub kid: String,
    /// `alg`.
    pub algorithm: SigningAlgorithm,
    /// The members that depend on the key type.
    pub material: PublicKeyMaterial,
}

/// The members of a JWK that make up the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublicKeyMaterial {
    /// `kty: EC`, `crv: P-256` (RFC 7518 §6.2).
    Ec {
        /// The x coordinate, 32 bytes.
        x: String,
        /// The y coordinate, 32 bytes.
        y: String,
    },
    /// `kty: OKP`, `crv: Ed25519` (RFC 8037 §2).
    Okp {
        /// The public key, 32 bytes.
        x: String,
    },
    /// `kty: RSA` (RFC 7518 §6.3).
    Rsa {
        /// The modulus.
        n: String,
        /// The exponent.
        e: String,
    },
}

impl PublicJwk {
    /// Whether `text` can be a [`Self::kid`]: the base64url of a SHA-256.
    pub fn is_kid(text: &str) -> bool {
        let is_base64url = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        text.len() == 43 && text.bytes().all(is_base64url)
    }
}

impl PublicKeyMaterial {
    /// The JWK thumbprint: SHA-256 over the required members in alphabetical order (RFC 7638 §3, RFC 8037 §2).
    pub fn thumbprint(&self) -> String {
        let canonical = match self {
            Self::Ec { x, y } => format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#),
            Self::Okp { x } => format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#),
            Self::Rsa { n, e } => format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#),
        };
        BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, canonical.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// K3: the examples of RFC 7638 §3.1, RFC 8037 A.3 and RFC 9449 §4.
    #[test]
    fn thumbprints_are_those_of_the_standards() {
        let rsa = PublicKeyMaterial::Rsa {
            n: "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjB\
                ZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8\
                KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_\
                xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
                .to_owned(),
            e: "AQAB".to_owned(),
        };
        assert_eq!(
            rsa.thumbprint(),
            "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
        );
        let okp = PublicKeyMaterial::Okp {
            x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo".to_owned(),
        };
        assert_eq!(
            okp.thumbprint(),
            "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
        );
        let ec = PublicKeyMaterial::Ec {
            x: "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs".to_owned(),
            y: "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA".to_owned(),
        };
        assert_eq!(
            ec.thumbprint(),
            "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"
        );
    }
}
