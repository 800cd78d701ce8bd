//! `[management_api]` and `[[resources]]`: the APIs that tokens are for.

use prokura_server::domain::{
    ConfiguredResource, MANAGEMENT_SCOPES, MAX_RESOURCE_TOKEN_LIFETIME_SECONDS, Resource, ScopeSet,
    SigningAlgorithm, TokenFormat,
};
use serde::Deserialize;

/// `[management_api]` as a file has it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ManagementApiSettings {
    pub(super) token_format: Option<Format>,
    pub(super) signing_algorithm: Option<Algorithm>,
    pub(super) token_lifetime_seconds: Option<LifetimeSeconds>,
    pub(super) aliases: Option<Vec<Identifier>>,
}

/// One `[[resources]]` table as a file has it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ResourceSettings {
    identifier: Identifier,
    scopes: Scopes,
    #[serde(default = "jwt")]
    token_format: Format,
    #[serde(default = "es256")]
    signing_algorithm: Algorithm,
    #[serde(default = "one_hour")]
    token_lifetime_seconds: LifetimeSeconds,
    organization: Option<String>,
    #[serde(default)]
    shared: bool,
}

const fn jwt() -> Format {
    Format::Jwt
}

const fn es256() -> Algorithm {
    Algorithm(SigningAlgorithm::Es256)
}

const fn one_hour() -> LifetimeSeconds {
    LifetimeSeconds(3600)
}

impl From<ResourceSettings> for ConfiguredResource {
    fn from(settings: ResourceSettings) -> Self {
        Self {
            resource: Resource {
                identifier: settings.identifier.0,
                aliases: Vec::new(),
                scopes: settings.scopes.0,
                token_format: settings
                    .token_format
                    .signed_with(settings.signing_algorithm),
                token_lifetime_seconds: settings.token_lifetime_seconds.0,
            },
            organization: settings.organization,
            is_shared: settings.shared,
        }
    }
}

/// The identifier of a resource: an absolute URI without fragment (RFC 8707 §2), at most 255 bytes. It is not normalized.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Identifier(pub(super) String);

impl Identifier {
    const MAX_BYTES: usize = 255;
}

impl TryFrom<String> for Identifier {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text.len() > Self::MAX_BYTES {
            return Err(format!("must be at most {} bytes long", Self::MAX_BYTES));
        }
        let printable = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\'' | b'\\');
        if !text.bytes().all(printable) {
            return Err(
                "must be printable ASCII without spaces, quotes and backslashes".to_owned(),
            );
        }
        if text.contains('#') {
            return Err("must not have a fragment (RFC 8707 §2)".to_owned());
        }
        // RFC 3986 §3.1.
        let is_absolute = text.split_once(':').is_some_and(|(scheme, rest)| {
            !rest.is_empty()
                && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
                && scheme
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
        });
        if !is_absolute {
            return Err(
                "must be an absolute URI, such as https://orders.example.com or urn:example:orders"
                    .to_owned(),
            );
        }
        Ok(Self(text))
    }
}

/// The scopes of a resource other than the management API: at least one.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Vec<String>")]
struct Scopes(ScopeSet);

impl TryFrom<Vec<String>> for Scopes {
    type Error = String;

    fn try_from(scopes: Vec<String>) -> Result<Self, String> {
        if scopes.is_empty() {
            return Err("must contain at least one scope".to_owned());
        }
        for scope in &scopes {
            // The whole prefix is reserved, so that a later version can add management scopes.
            if scope.starts_with("management:") || MANAGEMENT_SCOPES.contains(&scope.as_str()) {
                return Err(format!(
                    "must not contain {scope:?}, a scope of the management API"
                ));
            }
            if ScopeSet::from_tokens([scope.as_str()]).is_err() {
                return Err(format!(
                    "must not contain {scope:?}: a scope is printable ASCII without spaces, quotes and backslashes"
                ));
            }
        }
        ScopeSet::from_tokens(scopes.iter().map(String::as_str))
            .map(Self)
            .map_err(|error| error.to_string())
    }
}

/// `token_format`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Format {
    /// Only Prokura can read the token.
    Opaque,
    /// A JWT (RFC 9068).
    Jwt,
}

impl Format {
    /// The token format. `algorithm` applies to JWTs.
    pub(super) const fn signed_with(self, algorithm: Algorithm) -> TokenFormat {
        match self {
            Self::Opaque => TokenFormat::Opaque,
            Self::Jwt => TokenFormat::Jwt(algorithm.0),
        }
    }
}

/// `signing_algorithm`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Algorithm(SigningAlgorithm);

impl TryFrom<String> for Algorithm {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        SigningAlgorithm::parse(&text)
            .map(Self)
            .ok_or_else(|| format!("must be \"ES256\", \"EdDSA\" or \"RS256\", not {text:?}"))
    }
}

/// `token_lifetime_seconds`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "i64")]
pub(super) struct LifetimeSeconds(pub(super) u32);

impl TryFrom<i64> for LifetimeSeconds {
    type Error = String;

    fn try_from(seconds: i64) -> Result<Self, String> {
        u32::try_from(seconds)
            .ok()
            .filter(|seconds| (1..=MAX_RESOURCE_TOKEN_LIFETIME_SECONDS).contains(seconds))
            .map(Self)
            .ok_or_else(|| {
                format!("must be 1 to {MAX_RESOURCE_TOKEN_LIFETIME_SECONDS} seconds, not {seconds}")
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_is_an_absolute_uri() {
        for fine in [
            "https://orders.example.com",
            "urn:example:orders",
            "api://orders",
            "https://x/y?z",
        ] {
            assert!(Identifier::try_from(fine.to_owned()).is_ok(), "{fine:?}");
        }
        let long = format!("urn:{}", "a".repeat(1_000));
        for refused in [
            "",
            "orders",
            "urn:",
            ":x",
            "1a:x",
            "https://x/#y",
            "https://x/ y",
            "urn:\"",
            "urn:'",
            "urn:é",
            &*long,
        ] {
            assert!(
                Identifier::try_from(refused.to_owned()).is_err(),
                "{refused:?}"
            );
        }
    }

    #[test]
    fn a_resource_needs_scopes_outside_the_management_api() {
        let scopes = |scopes: &[&str]| {
            Scopes::try_from(
                scopes
                    .iter()
                    .map(|&scope| scope.to_owned())
                    .collect::<Vec<_>>(),
            )
        };
        assert!(scopes(&["orders:read", "orders:write"]).is_ok());
        for refused in [
            &[][..],
            &["a b"],
            &[""],
            &["management:all"],
            &["management:later"],
            &["a", "tokens:introspect"],
        ] {
            assert!(scopes(refused).is_err(), "{refused:?}");
        }
    }

    #[test]
    fn a_token_lifetime_is_one_second_to_one_year() {
        for (seconds, fine) in [
            (0, false),
            (-1, false),
            (1, true),
            (31_536_000, true),
            (31_536_001, false),
            (1 << 40, false),
        ] {
            assert_eq!(
                LifetimeSeconds::try_from(seconds).is_ok(),
                fine,
                "{seconds}"
            );
        }
    }
}
