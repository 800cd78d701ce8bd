//! A client with its secrets: what client authentication reads.

use crate::domain::{Client, UnrevokedSecret};

/// A client with its secrets that have not been revoked.
#[derive(Clone, Debug)]
pub struct ClientWithSecrets {
    /// The client.
    pub client: Client,
    /// Its secrets. Some may have expired.
    pub secrets: Vec<UnrevokedSecret>,
    /// The version of the signing keys, read with the client: see [`Store::keys_version`](super::Store::keys_version). `None`: the
    /// client is cached, so this process alone changes the keys.
    pub keys_version: Option<i64>,
    /// The version of the resources that the organization can use, read with the client. `None`: as above.
    pub resources_version: Option<i64>,
}

/// The outcome of looking up a client that presented credentials.
#[derive(Clone, Debug)]
pub enum Found<P, R> {
    /// The client exists, and this proves that it is the caller.
    Proven(ClientWithSecrets, P),
    /// The client exists, and this is why the caller did not prove to be it.
    Unproven(ClientWithSecrets, R),
    /// No client has this id.
    Nobody,
}
