//! Sealing: authenticated encryption that binds a message to its place.

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, Nonce, Tag, UnboundKey};

/// Length of a nonce in bytes.
pub const NONCE_BYTES: usize = 12;

/// A key for AES-256-GCM-SIV (RFC 8452). It resists nonce misuse, so random nonces stay safe far beyond the 2^32 messages
/// after which plain GCM needs a new key. A busy server issues that many tokens in a day.
pub struct SealingKey(LessSafeKey);

impl SealingKey {
    pub(super) fn new(key: &[u8; 32]) -> Self {
        let key = UnboundKey::new(&AES_256_GCM_SIV, key).expect("an AES-256 key has 32 bytes");
        Self(LessSafeKey::new(key))
    }

    /// Seals `message` in place and appends the 16-byte tag. It opens only with the same `nonce` and `place`.
    pub fn seal(&self, nonce: [u8; NONCE_BYTES], place: &[u8], message: &mut Vec<u8>) {
        let tag = self.seal_apart(nonce, place, message);
        message.extend_from_slice(tag.as_ref());
    }

    /// Like [`Self::seal`], but returns the tag.
    pub(super) fn seal_apart(
        &self,
        nonce: [u8; NONCE_BYTES],
        place: &[u8],
        message: &mut [u8],
    ) -> Tag {
        self.0
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(place),
                message,
            )
            .expect("a message of this size can be sealed")
    }

    /// Opens the output of [`Self::seal`] in place. `None`: the key, nonce or place differs, or the message was altered.
    pub fn open<'m>(
        &self,
        nonce: [u8; NONCE_BYTES],
        place: &[u8],
        sealed: &'m mut [u8],
    ) -> Option<&'m [u8]> {
        self.0
            .open_in_place(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(place),
                sealed,
            )
            .ok()
            .map(|message| &*message)
    }

    /// Like [`Self::seal`], but returns nonce, message and tag as one value.
    pub fn seal_whole(&self, nonce: [u8; NONCE_BYTES], place: &[u8], message: &[u8]) -> Vec<u8> {
        let mut sealed = message.to_vec();
        self.seal(nonce, place, &mut sealed);
        sealed.splice(0..0, nonce);
        sealed
    }

    /// Opens the output of [`Self::seal_whole`] in place.
    pub fn open_whole<'m>(&self, place: &[u8], sealed: &'m mut [u8]) -> Option<&'m [u8]> {
        let (nonce, sealed) = sealed.split_first_chunk_mut()?;
        self.open(*nonce, place, sealed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_message_opens_only_unaltered_and_in_its_place() {
        let key = SealingKey::new(&[1; 32]);
        let sealed = key.seal_whole([2; NONCE_BYTES], b"here", b"message");
        let open = |key: &SealingKey, place: &[u8], mut sealed: Vec<u8>| {
            key.open_whole(place, &mut sealed).map(<[u8]>::to_vec)
        };
        assert_eq!(open(&key, b"here", sealed.clone()).unwrap(), b"message");
        assert_eq!(open(&key, b"there", sealed.clone()), None);
        assert_eq!(
            open(&SealingKey::new(&[3; 32]), b"here", sealed.clone()),
            None
        );
        for at in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[at] ^= 1;
            assert_eq!(open(&key, b"here", altered), None);
            assert_eq!(open(&key, b"here", sealed[..at].to_vec()), None);
        }
    }
}
