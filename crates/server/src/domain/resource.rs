//! Resources: the APIs that tokens are for (RFC 8707).

use super::{Client, InvalidScope, MANAGEMENT_SCOPES, ScopeSet, Timestamp};

/// The format of the tokens for a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenFormat {
    /// Sealed with a key of the server. Only Prokura can read it.
    Opaque,
    /// A signed JWT (RFC 9068). The resource can verify it offline.
    Jwt(SigningAlgorithm),
}

/// The algorithm that signs a JWT (RFC 7518 §3.1, RFC 8037 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SigningAlgorithm {
    /// ECDSA with P-256 and SHA-256.
    Es256,
    /// Ed25519.
    EdDsa,
    /// RSASSA-PKCS1-v1_5 with SHA-256 and 2048 bits.
    Rs256,
}

impl TokenFormat {
    /// The name in the database: `opaque`, or the algorithm that signs a JWT.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Opaque => "opaque",
            Self::Jwt(algorithm) => algorithm.as_str(),
        }
    }

    /// Parses the output of [`Self::as_str`].
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "opaque" => Some(Self::Opaque),
            algorithm => SigningAlgorithm::parse(algorithm).map(Self::Jwt),
        }
    }
}

impl SigningAlgorithm {
    /// All algorithms.
    pub const ALL: [Self; 3] = [Self::Es256, Self::EdDsa, Self::Rs256];

    /// The registered name: the value of `alg`, and the value in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
            Self::Rs256 => "RS256",
        }
    }

    /// Parses a registered name. `Ed25519` (RFC 9864) means the same as `EdDSA` here.
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "ES256" => Some(Self::Es256),
            "EdDSA" | "Ed25519" => Some(Self::EdDsa),
            "RS256" => Some(Self::Rs256),
            _ => None,
        }
    }
}

/// An API that tokens are for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// The identifier, an absolute URI without a fragment (RFC 8707 §2). The default `aud`.
    pub identifier: String,
    /// Further names. The name that a client uses becomes the token's `aud`.
    pub aliases: Vec<String>,
    /// The scopes of this resource.
    pub scopes: ScopeSet,
    /// The format of its tokens.
    pub token_format: TokenFormat,
    /// The lifetime of its tokens in seconds. The lifetime set on an account takes precedence.
    pub token_lifetime_seconds: u32,
}

impl Resource {
    /// Whether `audience` is one of its names, exactly.
    pub fn is_named(&self, audience: &str) -> bool {
        self.identifier == audience || self.aliases.iter().any(|alias| alias == audience)
    }

    /// The lifetime in seconds of a token issued to `client` at `now`.
    ///
    /// A JWT expires no later than its account, because a resource that verifies it offline does not see the account. An
    /// opaque token keeps its lifetime: the server checks the account whenever it sees the token.
    pub fn lifetime_seconds(&self, client: &Client, now: Timestamp) -> u32 {
        let lifetime = client
            .token_lifetime_seconds
            .unwrap_or(self.token_lifetime_seconds);
        match (self.token_format, client.expires_at) {
            (TokenFormat::Jwt(_), Some(end)) => {
                let left = end.whole_seconds().saturating_sub(now.whole_seconds());
                lifetime.min(u32::try_from(left.max(1)).unwrap_or(u32::MAX))
            }
            _ => lifetime,
        }
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&*self.identifier).chain(self.aliases.iter().map(|alias| &**alias))
    }
}

/// A resource of the configuration, and whose it is.
#[derive(Clone, Debug)]
pub struct ConfiguredResource {
    /// The resource.
    pub resource: Resource,
    /// The organization that it belongs to: its id or its name. `None`: the first organization.
    pub organization: Option<String>,
    /// Whether all other organizations can use it, too.
    pub is_shared: bool,
}

impl From<Resource> for ConfiguredResource {
    /// A resource of the first organization alone.
    fn from(resource: Resource) -> Self {
        Self {
            resource,
            organization: None,
            is_shared: false,
        }
    }
}

/// A set of resources: the management API and others.
#[derive(Clone, Debug)]
pub struct Resources {
    management: Resource,
    others: Vec<Resource>,
}

/// Why a set of resources is ambiguous.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidResources {
    /// Two resources share a name.
    #[error("two resources have the identifier or alias {0:?}")]
    SharedName(String),
    /// Two resources share a scope. A request that names only the scope would be ambiguous.
    #[error("two resources have the scope {0:?}")]
    SharedScope(String),
}

/// Why a token request is not granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GrantError {
    /// RFC 8707 §2: the resource is unknown, the request names several, or the account has no scope of it.
    #[error("the resource is unknown, or the client has no scope of it")]
    InvalidTarget,
    /// RFC 6749 §5.2: a scope is malformed, unknown, of another resource or not granted.
    #[error(transparent)]
    InvalidScope(#[from] InvalidScope),
}

impl Resources {
    /// Combines the management API with the configured resources. Each name and each scope must belong to one resource.
    pub fn new(management: Resource, others: Vec<Resource>) -> Result<Self, InvalidResources> {
        let all = Self { management, others };
        let (mut names, mut scopes) = (Vec::new(), Vec::new());
        for resource in all.iter() {
            for name in resource.names() {
                if names.contains(&name) {
                    return Err(InvalidResources::SharedName(name.to_owned()));
                }
                names.push(name);
            }
            for scope in resource.scopes.iter() {
                if scopes.contains(&scope) {
                    return Err(InvalidResources::SharedScope(scope.to_owned()));
                }
                scopes.push(scope);
            }
        }
        Ok(all)
    }

    /// The resources that one organization can use, as the database has them: names and scopes are unique there. If a shared
    /// resource has a scope of an own one, the own one, which comes first, has it.
    pub fn of_organization(management: Resource, others: Vec<Resource>) -> Self {
        Self { management, others }
    }

    /// The scopes of the management API: the [`Resource::scopes`] of its resource.
    pub fn management_scopes() -> ScopeSet {
        ScopeSet::from_tokens(MANAGEMENT_SCOPES).unwrap_or_default()
    }

    /// The management API.
    pub const fn management(&self) -> &Resource {
        &self.management
    }

    /// Every resource, the management API first.
    pub fn iter(&self) -> impl Iterator<Item = &Resource> {
        std::iter::once(&self.management).chain(&self.others)
    }

    /// The resource with this identifier or alias.
    pub fn named(&self, name: &str) -> Option<&Resource> {
        self.iter().find(|resource| resource.is_named(name))
    }

    /// The resource that has `scope`.
    pub fn owning(&self, scope: &str) -> Option<&Resource> {
        self.iter().find(|resource| resource.scopes.contains(scope))
    }

    /// Decides the resource, the audience and the scopes of a token.
    ///
    /// * `named`: the values of `resource` and `audience` (RFC 8707 §2). All must name the same resource; the first is the
    ///   audience. Without any, the requested scopes select the resource. Without either, it is the management API.
    /// * `requested`: the value of `scope`. `None` requests all scopes of the resource in `held` (RFC 6749 §3.3). A scope
    ///   that is unknown, of another resource or not held refuses the whole request.
    /// * `held`: the scopes of the account.
    pub fn grant<'a>(
        &'a self,
        named: &[&'a str],
        requested: Option<&str>,
        held: &ScopeSet,
    ) -> Result<(&'a Resource, &'a str, ScopeSet), GrantError> {
        let requested = requested.map(ScopeSet::parse).transpose()?;
        let (resource, audience) = match (named, &requested) {
            ([first, rest @ ..], _) => {
                let resource = self.named(first).ok_or(GrantError::InvalidTarget)?;
                if !rest.iter().all(|name| resource.is_named(name)) {
                    return Err(GrantError::InvalidTarget);
                }
                (resource, *first)
            }
            ([], Some(scopes)) => {
                let resource = scopes
                    .iter()
                    .next()
                    .and_then(|scope| self.owning(scope))
                    .ok_or(InvalidScope)?;
                (resource, &*resource.identifier)
            }
            ([], None) => (&self.management, &*self.management.identifier),
        };

        let available = held.intersection(&resource.scopes);
        let scopes = match requested {
            // A request that names no resource but a scope is refused for the scope, below.
            None if available.is_empty() => return Err(GrantError::InvalidTarget),
            Some(_) if available.is_empty() && !named.is_empty() => {
                return Err(GrantError::InvalidTarget);
            }
            None => available,
            Some(requested) => {
                let granted = requested
                    .iter()
                    .all(|scope| resource.scopes.contains(scope) && held.holds(scope));
                if !granted {
                    return Err(InvalidScope.into());
                }
                requested
            }
        };
        Ok((resource, audience, scopes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{OrganizationId, ServiceAccountId};

    const API: &str = "https://prokura.example/api/v1";
    const ALIAS: &str = "https://alias.example/api/v1";
    const ORDERS: &str = "https://orders.example";

    fn resource(identifier: &str, aliases: &[&str], scopes: ScopeSet) -> Resource {
        Resource {
            identifier: identifier.to_owned(),
            aliases: aliases.iter().map(|&alias| alias.to_owned()).collect(),
            scopes,
            token_format: TokenFormat::Opaque,
            token_lifetime_seconds: 60,
        }
    }

    fn resources() -> Resources {
        Resources::new(
            resource(API, &[ALIAS], Resources::management_scopes()),
            vec![resource(
                ORDERS,
                &[],
                ScopeSet::parse("orders:read orders:write").unwrap(),
            )],
        )
        .unwrap()
    }

    #[test]
    fn a_jwt_expires_no_later_than_its_account() {
        let mut client = Client {
            id: ServiceAccountId::from_bytes([1; 16]),
            organization_id: OrganizationId::from_bytes([2; 16]),
            organization_disabled_at: None,
            scopes: ScopeSet::default(),
            token_lifetime_seconds: None,
            expires_at: Some(Timestamp::from_millis(40_500)),
            disabled_at: None,
            token_epoch: 0,
        };
        let jwt = Resource {
            token_format: TokenFormat::Jwt(SigningAlgorithm::Es256),
            ..resource(ORDERS, &[], ScopeSet::default())
        };
        let lifetime = |resource: &Resource, client: &Client, millis| {
            resource.lifetime_seconds(client, Timestamp::from_millis(millis))
        };
        // `iat` plus the lifetime is the last whole second before the account expires.
        assert_eq!(lifetime(&jwt, &client, 0), 40);
        assert_eq!(lifetime(&jwt, &client, 999), 40);
        assert_eq!(lifetime(&jwt, &client, 1000), 39);
        // `expires_in` is always positive.
        assert_eq!(lifetime(&jwt, &client, 40_499), 1);
        let opaque = resource(ORDERS, &[], ScopeSet::default());
        assert_eq!(lifetime(&opaque, &client, 40_499), 60);
        client.expires_at = Some(Timestamp::from_millis(90_000));
        assert_eq!(lifetime(&jwt, &client, 0), 60);
    }

    fn grant(
        named: &[&str],
        requested: Option<&str>,
        held: &str,
    ) -> Result<(String, String), GrantError> {
        let held = ScopeSet::parse(held).unwrap_or_default();
        resources()
            .grant(named, requested, &held)
            .map(|(_, audience, scopes)| (audience.to_owned(), scopes.to_string()))
    }

    fn granted(audience: &str, scopes: &str) -> Result<(String, String), GrantError> {
        Ok((audience.to_owned(), scopes.to_owned()))
    }

    #[test]
    fn the_resource_comes_from_its_name_or_the_scopes_or_is_the_management_api() {
        let held = "management:all orders:read";
        assert_eq!(grant(&[], None, held), granted(API, "management:all"));
        assert_eq!(grant(&[ORDERS], None, held), granted(ORDERS, "orders:read"));
        assert_eq!(
            grant(&[], Some("orders:read"), held),
            granted(ORDERS, "orders:read")
        );
        assert_eq!(
            grant(&[ALIAS, API], None, held),
            granted(ALIAS, "management:all")
        );
        assert_eq!(
            grant(&[], Some("management:service-accounts:read"), held),
            granted(API, "management:service-accounts:read")
        );
    }

    #[test]
    fn a_request_with_anything_not_granted_is_refused() {
        let scope = Err(GrantError::InvalidScope(InvalidScope));
        let target = Err(GrantError::InvalidTarget);
        let held = "management:all orders:read";
        assert_eq!(grant(&[], Some("orders:read orders:write"), held), scope);
        assert_eq!(grant(&[], Some("orders:read management:all"), held), scope);
        assert_eq!(grant(&[], Some("nonsense"), held), scope);
        assert_eq!(grant(&[ORDERS], Some("management:all"), held), scope);
        assert_eq!(grant(&[], Some("orders:read"), "management:all"), scope);
        assert_eq!(grant(&[ORDERS], None, "management:all"), target);
        assert_eq!(
            grant(&[ORDERS], Some("orders:read"), "management:all"),
            target
        );
        assert_eq!(grant(&[ORDERS, API], None, held), target);
        assert_eq!(grant(&["https://orders.example/"], None, held), target);
        assert_eq!(grant(&[], None, "orders:read"), target);
        assert_eq!(grant(&[], None, ""), target);
    }

    #[test]
    fn names_and_scopes_are_unique() {
        let api = resource(API, &[], Resources::management_scopes());
        let orders = |name, scope| resource(name, &[], ScopeSet::parse(scope).unwrap());
        assert_eq!(
            Resources::new(api.clone(), vec![orders(API, "x")]).unwrap_err(),
            InvalidResources::SharedName(API.to_owned())
        );
        assert_eq!(
            Resources::new(api, vec![orders("a:a", "x"), orders("a:b", "x")]).unwrap_err(),
            InvalidResources::SharedScope("x".to_owned())
        );
    }
}
