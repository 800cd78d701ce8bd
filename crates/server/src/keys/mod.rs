//! The keys: the master key, the data keys that it seals, and the keys that sign tokens.
//!
//! Nothing here reads the store or the clock. Nonces are arguments. Only the cryptographic library draws randomness by
//! itself: to generate signing keys and to sign with ES256 and RS256.

mod data_key_material;
mod data_keys;
mod facts;
mod idempotency;
mod jwt;
mod master;
mod opaque;
mod ring;
mod sealing;
mod signing_key;
mod signing_key_seal;
mod signing_keys;
mod verified_tokens;

pub use data_key_material::{DataKeyMaterial, OpenDataKeyError};
pub use data_keys::DataKeys;
pub use idempotency::{IdempotencyKeys, OpenResponseError, ResponseLock};
pub use master::{InvalidMasterKey, MasterKey};
pub use ring::KeyRing;
pub use sealing::{NONCE_BYTES, SealingKey};
pub use signing_key::{KeyError, SigningKey};
pub use signing_key_seal::{OpenKeyError, SigningKeySeal};
pub use signing_keys::Opened;
