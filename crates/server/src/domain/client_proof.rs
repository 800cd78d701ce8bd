//! What proved the identity of a client.

use super::SecretId;

/// What proved the identity of a client (RFC 6749 §2.3): one variant for each way to authenticate. It decides what a token
/// counts as a use of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientProof {
    /// A secret of the account (`client_secret_basic`, `client_secret_post`).
    Secret(SecretId),
}
