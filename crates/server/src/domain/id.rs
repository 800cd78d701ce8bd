//! Identifiers. Each kind is a type of its own, so the compiler finds one used in place of another.

use std::fmt;

use uuid::Uuid;

use super::Timestamp;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// The id with these 16 bytes.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }

            /// The 16 bytes.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }

            /// Writes the canonical text form, which fills the buffer.
            pub fn encode<'b>(&self, buffer: &'b mut [u8; 36]) -> &'b str {
                self.0.hyphenated().encode_lower(buffer)
            }

            /// Parses the canonical text form (RFC 9562 §4): 36 characters with hyphens. Only lower case is accepted, so
            /// that each id has one spelling. `None` for any other text.
            pub fn parse(text: &str) -> Option<Self> {
                // Of 36 characters, the library accepts only the form with hyphens, but in either case.
                if text.len() != 36 || text.bytes().any(|byte| byte.is_ascii_uppercase()) {
                    return None;
                }
                Uuid::try_parse(text).ok().map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }
    };
}

id! {
    /// An organization. No caller sees anything of another organization.
    OrganizationId
}
id! {
    /// A resource: an API that tokens are for.
    ResourceId
}
id! {
    /// A service account.
    ServiceAccountId
}
id! {
    /// A secret of a service account.
    SecretId
}
id! {
    /// An access token: its `jti` (RFC 7519 §4.1.7).
    TokenId
}

macro_rules! ordered_id {
    ($name:ident) => {
        impl $name {
            /// Creates an id (UUID version 7) from `now` in milliseconds and 80 random bits.
            pub fn new(now: Timestamp, random: [u8; 10]) -> Self {
                let millis = u64::try_from(now.as_millis()).unwrap_or(0);
                Self(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
            }
        }
    };
}

ordered_id!(OrganizationId);
ordered_id!(ResourceId);
ordered_id!(ServiceAccountId);
ordered_id!(SecretId);

impl TokenId {
    /// Creates an id (UUID version 4). It is random throughout, so that it reveals neither when the token was issued nor how
    /// many others were.
    pub fn new(random: [u8; 16]) -> Self {
        Self(uuid::Builder::from_random_bytes(random).into_uuid())
    }
}

impl ServiceAccountId {
    /// The client id of this account.
    pub const fn client_id(self) -> ClientId {
        ClientId(self)
    }
}

/// The client identifier (RFC 6749 §2.2): `sa_` and the account's id, 39 characters of `[a-z0-9_-]`. It is derived from the
/// id, never stored, and not a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClientId(ServiceAccountId);

impl ClientId {
    /// The prefix before the account's id.
    pub const PREFIX: &str = "sa_";
    /// The length of every client id, in characters.
    pub const CHARS: usize = Self::PREFIX.len() + 36;

    /// Parses a client id. `None`: the text is not one.
    pub fn parse(text: &str) -> Option<Self> {
        text.strip_prefix(Self::PREFIX)
            .and_then(ServiceAccountId::parse)
            .map(Self)
    }

    /// The account that the client id names.
    pub const fn service_account(self) -> ServiceAccountId {
        self.0
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::PREFIX)?;
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_canonical_form_is_an_id() {
        let id = "01930a3e-7b1c-7def-8000-0123456789ab";
        assert_eq!(ServiceAccountId::parse(id).unwrap().to_string(), id);
        for other in [
            "",
            "01930A3E-7B1C-7DEF-8000-0123456789AB",
            "{01930a3e-7b1c-7def-8000-0123456789ab}",
            "urn:uuid:01930a3e-7b1c-7def-8000-0123456789ab",
            "01930a3e7b1c7def80000123456789ab",
            "01930a3e-7b1c-7def-8000-0123456789a",
            "01930a3e-7b1c-7def-8000-0123456789abc",
            "01930a3e-7b1c-7def-8000-0123456789ab ",
            "01930a3e-7b1c-7def-8000-0123456789a\u{661}",
            "01930a3e-7b1c-7def-80000-123456789ab",
        ] {
            assert_eq!(ServiceAccountId::parse(other), None, "{other:?}");
        }
    }

    #[test]
    fn a_client_id_names_its_account() {
        let id = ServiceAccountId::new(Timestamp::from_millis(1_700_000_000_000), [7; 10]);
        let client = id.client_id();
        assert_eq!(ClientId::parse(&client.to_string()), Some(client));
        assert_eq!(client.service_account(), id);
        assert_eq!(ClientId::parse(&id.to_string()), None);
    }
}
