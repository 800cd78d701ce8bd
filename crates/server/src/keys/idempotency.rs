//! What is kept of idempotent requests: where each answer stands, and what opens it.
//!
//! ```text
//! id       HMAC(key of the server, place | line feed | Idempotency-Key)
//! key      HKDF(salt: another key of the server, keying material: Idempotency-Key)
//! sealed:  SHA-256 of the request (32) | answer
//! ```
//!
//! The seal covers the id as well. So the database tells nobody who has asked for what, and neither the database with the
//! server's keys nor with the Idempotency-Key alone tells an answer.

use aws_lc_rs::{
    digest::{SHA256, digest},
    hkdf::Salt,
};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::{MasterKey, NONCE_BYTES, SealingKey, master};
use crate::domain::IdempotencyKey;

/// The server's part in it.
pub struct IdempotencyKeys {
    ids: Hmac<Sha256>,
    answers: Salt,
}

/// The place of one answer and the key to it.
pub struct AnswerLock {
    id: [u8; 32],
    key: SealingKey,
}

/// What was kept does not open, although it stands where it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an answer that was kept for a repeat cannot be opened: it was altered")]
pub struct OpenAnswerError;

impl IdempotencyKeys {
    pub(super) fn new(master: &MasterKey) -> Self {
        Self {
            ids: master.hmac("idempotent requests"),
            answers: master.salt("idempotent answers"),
        }
    }

    /// The lock of the answer to the request that is called `key` in `place`. A place says who does what to whom, and has
    /// no line feed in it.
    pub fn lock(&self, place: &str, key: &IdempotencyKey) -> AnswerLock {
        let mut id = self.ids.clone();
        for part in [place, "\n", key.expose()] {
            id.update(part.as_bytes());
        }
        AnswerLock {
            id: id.finalize().into_bytes().into(),
            key: SealingKey::new(&master::derive_with(&self.answers, key.expose().as_bytes())),
        }
    }
}

impl AnswerLock {
    /// Under which id the answer is kept.
    pub const fn id(&self) -> [u8; 32] {
        self.id
    }

    /// Seals the answer to `request`.
    pub fn seal(&self, nonce: [u8; NONCE_BYTES], request: &[u8], answer: &[u8]) -> Vec<u8> {
        let content = Zeroizing::new([digest(&SHA256, request).as_ref(), answer].concat());
        self.key.seal_whole(nonce, &self.id, &content)
    }

    /// Opens what [`Self::seal`] made. `None`: it is the answer to another request.
    pub fn open<'s>(
        &self,
        request: &[u8],
        sealed: &'s mut [u8],
    ) -> Result<Option<&'s [u8]>, OpenAnswerError> {
        let content = self
            .key
            .open_whole(&self.id, sealed)
            .ok_or(OpenAnswerError)?;
        Ok(content.strip_prefix(digest(&SHA256, request).as_ref()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock(master: u8, place: &str, key: &str) -> AnswerLock {
        let master = MasterKey::from_bytes(&[master; 32]);
        let key = IdempotencyKey::parse(key.to_owned()).unwrap();
        IdempotencyKeys::new(&master).lock(place, &key)
    }

    fn sealed() -> Vec<u8> {
        lock(1, "here", "k1").seal([2; NONCE_BYTES], b"request", b"answer")
    }

    #[test]
    fn a_kept_answer_opens_for_the_same_request() {
        let mut sealed = sealed();
        assert_eq!(
            lock(1, "here", "k1").open(b"request", &mut sealed.clone()),
            Ok(Some(&b"answer"[..]))
        );
        let other = lock(1, "here", "k1").open(b"other request", &mut sealed);
        assert_eq!(other, Ok(None));
    }

    /// Even where somebody puts the row in the place that his lock asks for: the keys alone decide.
    #[test]
    fn a_kept_answer_needs_both_the_servers_key_and_the_callers() {
        let id = lock(1, "here", "k1").id();
        for (master, key) in [(1, "k2"), (2, "k1"), (2, "k2")] {
            let lock = AnswerLock {
                id,
                ..lock(master, "here", key)
            };
            assert_eq!(
                lock.open(b"request", &mut sealed()),
                Err(OpenAnswerError),
                "{master} {key}"
            );
        }
    }

    #[test]
    fn a_kept_answer_opens_only_in_its_place() {
        let elsewhere = lock(1, "there", "k1");
        assert_eq!(
            elsewhere.open(b"request", &mut sealed()),
            Err(OpenAnswerError)
        );
    }

    #[test]
    fn every_server_place_and_key_has_an_id_of_its_own() {
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
