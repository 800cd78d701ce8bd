//! Client secrets: `prk_`, 43 base62 characters (256 random bits), 6 base62 characters (CRC-32 of all characters before).
//!
//! A double-click selects a whole secret, one regular expression finds leaked ones, and the checksum lets the server refuse
//! a mistyped secret without a look-up. The security comes from the 256 random bits alone.

use std::fmt;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use zeroize::{Zeroize, Zeroizing};

const PREFIX: &str = "prk_";
const RANDOM_CHARS: usize = 43;
const CHECKSUM_CHARS: usize = 6;
const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A client secret in clear text. `Debug` prints `Secret(..)`, and the memory is wiped on drop.
#[derive(Clone)]
pub struct ClientSecret(Zeroizing<String>);

impl ClientSecret {
    /// The length of every secret, in characters.
    pub const CHARS: usize = PREFIX.len() + RANDOM_CHARS + CHECKSUM_CHARS;

    /// Creates the secret from 256 random bits. Only the server creates secrets.
    pub fn from_random(mut random: [u8; 32]) -> Self {
        let (words, _) = random.as_chunks::<4>();
        let mut number = Zeroizing::new([0u32; 8]);
        for (limb, word) in number.iter_mut().zip(words) {
            *limb = u32::from_be_bytes(*word);
        }
        random.zeroize();
        let mut text = Zeroizing::new(String::with_capacity(Self::CHARS));
        text.push_str(PREFIX);
        // Long division of the 256-bit number by 62^5, which yields 5 digits at a time. 62^43 > 2^256.
        for begin in (0..RANDOM_CHARS).step_by(5) {
            let mut remainder = 0u64;
            for limb in number.iter_mut() {
                let dividend = remainder << 32 | u64::from(*limb);
                *limb = (dividend / 62u64.pow(5)) as u32;
                remainder = dividend % 62u64.pow(5);
            }
            for _ in begin..RANDOM_CHARS.min(begin + 5) {
                text.push(char::from(BASE62[(remainder % 62) as usize]));
                remainder /= 62;
            }
        }
        let checksum = checksum(&text);
        text.extend(checksum.iter().map(|&digit| char::from(digit)));
        Self(text)
    }

    /// Parses a presented secret. `None`: the shape or the checksum is wrong.
    pub fn parse(text: &str) -> Option<Self> {
        let well_formed = text.len() == Self::CHARS
            && text.starts_with(PREFIX)
            && text[PREFIX.len()..]
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric());
        if !well_formed {
            return None;
        }
        let (body, check) = text.split_at(Self::CHARS - CHECKSUM_CHARS);
        (*checksum(body) == check.as_bytes()).then(|| Self(Zeroizing::new(text.to_owned())))
    }

    /// The clear text, for the digest and for the one response that shows it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The last four characters, which help people recognize a secret.
    pub fn hint(&self) -> &str {
        &self.0[Self::CHARS - 4..]
    }
}

impl fmt::Debug for ClientSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// The stored form of a secret: its HMAC-SHA-256 under a key derived from the master key.
#[derive(Clone, Copy)]
pub struct SecretDigest([u8; 32]);

impl SecretDigest {
    /// The digest with these bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Compares in constant time.
    pub fn matches(&self, other: &Self) -> bool {
        verify_slices_are_equal(&self.0, &other.0).is_ok()
    }
}

impl fmt::Debug for SecretDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretDigest(..)")
    }
}

fn checksum(body: &str) -> Zeroizing<[u8; CHECKSUM_CHARS]> {
    let mut rest = crc32fast::hash(body.as_bytes());
    let mut digits = Zeroizing::new([b'0'; CHECKSUM_CHARS]);
    for digit in digits.iter_mut().rev() {
        *digit = BASE62[(rest % 62) as usize];
        rest /= 62;
    }
    digits
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_secret_does_not_print() {
        let secret = ClientSecret::from_random([9; 32]);
        assert_eq!(format!("{secret:?}"), "Secret(..)");
        assert!(secret.expose().ends_with(secret.hint()));
    }

    #[test]
    fn the_smallest_and_the_largest_number_fit() {
        for random in [[0; 32], [255; 32]] {
            let secret = ClientSecret::from_random(random);
            assert_eq!(secret.expose().len(), ClientSecret::CHARS);
            assert!(ClientSecret::parse(secret.expose()).is_some());
        }
        assert!(
            ClientSecret::from_random([0; 32])
                .expose()
                .starts_with("prk_0000")
        );
    }

    /// The secret of the number 0x0102…1f20, lowest digit first.
    #[test]
    fn the_digits_are_those_of_the_number() {
        let random = std::array::from_fn(|at| at as u8 + 1);
        let secret = ClientSecret::from_random(random);
        assert_eq!(
            secret.expose(),
            "prk_onqEdg8bm4QqWagKlFSNsr5ym00MWVtw8c4G112hoE03X8VXp"
        );
    }

    proptest! {
        #[test]
        fn every_secret_parses_and_no_typo_does(random: [u8; 32], at in 0..ClientSecret::CHARS) {
            let secret = ClientSecret::from_random(random);
            let text = secret.expose();
            prop_assert!(ClientSecret::parse(text).is_some());
            let mut typo = text.as_bytes().to_vec();
            typo[at] = if typo[at] == b'x' { b'y' } else { b'x' };
            prop_assert!(ClientSecret::parse(std::str::from_utf8(&typo).unwrap()).is_none());
        }

        #[test]
        fn other_texts_are_refused(text in ".{0,80}") {
            prop_assert!(ClientSecret::parse(&text).is_none());
        }
    }
}
