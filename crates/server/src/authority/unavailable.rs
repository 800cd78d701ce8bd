//! [`Unavailable`]: a use case cannot be carried out now, whatever was requested.

use super::ambient::{ClockError, EntropyError};
use crate::{
    keys::{KeyError, OpenKeyError, OpenResponseError},
    store::StoreError,
};

/// Something that the use case needs does not work. Retrying later may help.
#[derive(Debug, thiserror::Error)]
pub enum Unavailable {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The clock.
    #[error(transparent)]
    Clock(#[from] ClockError),
    /// The source of randomness.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// A signing key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A stored signing key.
    #[error(transparent)]
    StoredKey(#[from] OpenKeyError),
    /// The version of the signing keys, which another request has tried to read.
    #[error("the version of the signing keys cannot be read")]
    KeysVersion,
    /// The signing keys, which other nodes change all the time.
    #[error("other nodes keep changing the signing keys")]
    KeysChanging,
    /// The resources, which other nodes write all the time.
    #[error("other nodes keep writing the resources of their configuration")]
    ResourcesChanging,
    /// The account, which is changed by too many others at once.
    #[error("the service account is changed by too many others at once")]
    AccountChanging,
    /// The recorded response to an idempotent request.
    #[error(transparent)]
    Response(#[from] OpenResponseError),
}

/// Lets `?` convert [`Unavailable`], and whatever converts to it, to the error of a use case: to this variant of it.
macro_rules! or_unavailable {
    ($error:ident :: $variant:ident) => {
        impl<Cause> From<Cause> for $error
        where
            $crate::authority::unavailable::Unavailable: From<Cause>,
        {
            fn from(cause: Cause) -> Self {
                Self::$variant(cause.into())
            }
        }
    };
}

pub(super) use or_unavailable;
