//! What authenticating a client needs.

use crate::domain::{Client, UnrevokedSecret};

/// A client with its secrets that have not been revoked.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// The client.
    pub client: Client,
    /// Its secrets. Some may have expired.
    pub secrets: Vec<UnrevokedSecret>,
}

/// The outcome of a look-up of credentials.
#[derive(Clone, Debug)]
pub enum Found<P, R> {
    /// The client exists, and this proves that it is the caller.
    Proven(Credentials, P),
    /// The client exists, and this is why the caller did not prove to be it.
    Unproven(Credentials, R),
    /// No client has this id.
    Nobody,
}
