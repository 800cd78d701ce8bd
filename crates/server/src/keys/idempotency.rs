//! The keys of recorded responses to idempotent requests.
//!
//! ```text
//! id       HMAC(key of the server, place | line feed | Idempotency-Key)
//! key      HKDF(salt: another key of the server, keying material: Idempotency-Key)
//! sealed:  SHA-256 of the request (32) | response
//! ```
//!
//! The tag also covers the id. So the database does not reveal who sent which request, and a response opens neither with the
//! keys of the server alone nor with the Idempotency-Key alone.

use aws_lc_rs::{
    digest::{SHA256, digest},
    hkdf::Salt,
};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::{
    data_key_material::{DataKeyMaterial, Purpose},
    master,
    sealing::{NONCE_BYTES, SealingKey},
};
use crate::domain::IdempotencyKey;

/// The keys of the server.
pub struct IdempotencyKeys {
    ids: Hmac<Sha256>,
    responses: Salt,
}

/// The id of one recorded response, and the key that seals it.
pub struct ResponseLock {
    id: [u8; 32],
    key: SealingKey,
}

/// A recorded response does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the recorded response to an idempotent request cannot be decrypted: it was altered")]
pub struct OpenResponseError;

impl IdempotencyKeys {
    pub(super) fn new(material: &DataKeyMaterial) -> Self {
        Self {
            ids: Hmac::new_from_slice(material.of(Purpose::IdempotentRequests))
                .expect("HMAC accepts keys of any length"),
            responses: master::secret_salt(material.of(Purpose::IdempotentAnswers)),
        }
    }

    /// The lock of the response to the request with the name `key` in `place`. A place names the caller, the operation and
    /// its target, and contains no line feed.
    pub fn lock(&self, place: &str, key: &IdempotencyKey) -> ResponseLock {
        let mut id = self.ids.clone();
        for part in [place, "\n", key.expose()] {
            id.update(part.as_bytes());
        }
        ResponseLock {
            id: id.finalize().into_bytes().into(),
            key: SealingKey::new(&master::derive_with(
                &self.responses,
                key.expose().as_bytes(),
            )),
        }
    }
}

impl ResponseLock {
    /// The id under which the response is recorded.
    pub const fn id(&self) -> [u8; 32] {
        self.id
    }

    /// Seals the response to `request`.
    pub fn seal(&self, nonce: [u8; NONCE_BYTES], request: &[u8], response: &[u8]) -> Vec<u8> {
        let content = Zeroizing::new([digest(&SHA256, request).as_ref(), response].concat());
        self.key.seal_whole(nonce, &self.id, &content)
    }

    /// Opens the output of [`Self::seal`] in place. `None`: it is the response to another request.
    pub fn open<'s>(
        &self,
        request: &[u8],
        sealed: &'s mut [u8],
    ) -> Result<Option<&'s [u8]>, OpenResponseError> {
        let content = self
            .key
            .open_whole(&self.id, sealed)
            .ok_or(OpenResponseError)?;
        Ok(content.strip_prefix(digest(&SHA256, request).as_ref()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::MasterKey;

    fn lock(master: u8, place: &str, key: &str) -> ResponseLock {
        let master = MasterKey::from_bytes(&[master; 32]);
        let material = DataKeyMaterial::derived_from(&master);
        let key = IdempotencyKey::parse(key.to_owned()).unwrap();
        IdempotencyKeys::new(&material).lock(place, &key)
    }

    fn sealed() -> Vec<u8> {
        lock(1, "here", "k1").seal([2; NONCE_BYTES], b"request", b"response")
    }

    #[test]
    fn a_recorded_response_opens_for_the_same_request() {
        let mut sealed = sealed();
        assert_eq!(
            lock(1, "here", "k1").open(b"request", &mut sealed.clone()),
            Ok(Some(&b"response"[..]))
        );
        let other = lock(1, "here", "k1").open(b"other request", &mut sealed);
        assert_eq!(other, Ok(None));
    }

    /// Also if the row is moved to the id of another lock.
    #[test]
    fn a_recorded_response_opens_only_with_both_keys() {
        let id = lock(1, "here", "k1").id();
        for (master, key) in [(1, "k2"), (2, "k1"), (2, "k2")] {
            let lock = ResponseLock {
                id,
                ..lock(master, "here", key)
            };
            assert_eq!(
                lock.open(b"request", &mut sealed()),
                Err(OpenResponseError),
                "{master} {key}"
            );
        }
    }

    #[test]
    fn a_recorded_response_opens_only_in_its_place() {
        let elsewhere = lock(1, "there", "k1");
        assert_eq!(
            elsewhere.open(b"request", &mut sealed()),
            Err(OpenResponseError)
        );
    }

    #[test]
    fn servers_places_and_keys_have_different_ids() {
        let ids = [
            (1, "here", "k1"),
            (2, "here", "k1"),
            (1, "here", "k2"),
            (1, "there", "k1"),
            (1, "her", "ek1"),
        ]
        .map(|(master, place, key)| lock(master, place, key).id());
        for (at, id) in ids.iter().enumerate() {
            assert!(!ids[..at].contains(id));
        }
    }
}
