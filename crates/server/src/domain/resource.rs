//! Resources: the APIs that tokens are for (RFC 8707).

use super::{Client, InvalidScope, MANAGEMENT_SCOPES, ScopeSet, Timestamp};

/// How tokens for a resource look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenFormat {
    /// Sealed under a key of the server: only Prokura reads it.
    Opaque,
    /// RFC 9068, so that the resource can check it offline.
    Jwt(SigningAlgorithm),
}

/// What signs a JWT (RFC 7518 §3.1, RFC 8037 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SigningAlgorithm {
    /// ECDSA with P-256 and SHA-256.
    Es256,
    /// Ed25519.
    EdDsa,
    /// RSASSA-PKCS1-v1_5 with SHA-256 and 2048 bits.
    Rs256,
}

impl SigningAlgorithm {
    /// The registered name, as `alg` carries it and the database keeps it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
            Self::Rs256 => "RS256",
        }
    }

    /// Reads a registered name. `Ed25519` (RFC 9864) names what `EdDSA` names here.
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
#[derive(Clone, Debug)]
pub struct Resource {
    /// Its identifier, an absolute URI without fragment (RFC 8707 §2): the default `aud`.
    pub identifier: String,
    /// Further names it is known under. The one that a client uses becomes the token's `aud`.
    pub aliases: Vec<String>,
    /// The scopes that mean something there.
    pub scopes: ScopeSet,
    /// How its tokens look.
    pub token_format: TokenFormat,
    /// How long its tokens live, in seconds, unless their account says otherwise.
    pub token_lifetime_seconds: u32,
}

impl Resource {
    /// Whether `audience` is one of its names, to the letter.
    pub fn is_named(&self, audience: &str) -> bool {
        self.identifier == audience || self.aliases.iter().any(|alias| alias == audience)
    }

    /// How long a token lives that `client` gets at `now`, in seconds. Who checks a JWT offline cannot know when its account
    /// expires, so a JWT lives no longer than that; an opaque token is asked about, and revives if the account does.
    pub fn lifetime_seconds(&self, client: &Client, now: Timestamp) -> u32 {
        let lifetime = client
            .token_lifetime_seconds
            .unwrap_or(self.token_lifetime_seconds);
        match (self.token_format, client.expires_at) {
            (TokenFormat::Jwt(_), Some(end)) => {
                let left = end.whole_seconds().saturating_sub(now.whole_seconds_up());
                lifetime.min(u32::try_from(left.max(1)).unwrap_or(u32::MAX))
            }
            _ => lifetime,
        }
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&*self.identifier).chain(self.aliases.iter().map(|alias| &**alias))
    }
}

/// All resources of this server: the management API and the configured ones.
#[derive(Clone, Debug)]
pub struct Resources {
    management: Resource,
    others: Vec<Resource>,
}

/// Two resources that cannot be told apart.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidResources {
    /// One name, two resources.
    #[error("two resources have the identifier or alias {0:?}")]
    SharedName(String),
    /// One scope, two resources: a request that names only the scope would be ambiguous.
    #[error("two resources have the scope {0:?}")]
    SharedScope(String),
}

/// Why a request for a token names no grantable target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GrantError {
    /// RFC 8707 §2: the resource is unknown, several are named, or the account has no scope there.
    #[error("the resource is unknown, or this client has no scope for it")]
    InvalidTarget,
    /// RFC 6749 §5.2.
    #[error(transparent)]
    InvalidScope(#[from] InvalidScope),
}

impl Resources {
    /// The management API and the others. Names and scopes must each belong to one resource alone.
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

    /// The scopes of the management API, as [`Resource::scopes`] of the management resource must hold them.
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

    /// The resource called `name`, with the name as it was configured.
    fn named(&self, name: &str) -> Option<&Resource> {
        self.iter().find(|resource| resource.is_named(name))
    }

    /// The resource to which `scope` belongs.
    pub fn owning(&self, scope: &str) -> Option<&Resource> {
        self.iter().find(|resource| resource.scopes.contains(scope))
    }

    /// Decides what a token request is given: for which resource, under which of its names, with which scopes.
    ///
    /// * `named`: the values of `resource` and `audience` (RFC 8707 §2). They must all name one resource; the first is
    ///   the audience. Without any, the requested scopes decide, and without those it is the management API.
    /// * `requested`: the scopes asked for. Without any, all that `held` has for the resource (RFC 6749 §3.3). One that
    ///   is unknown, of another resource or not held refuses the whole request.
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
            // Asked for by the scope alone, a resource without scopes is a scope that is not granted.
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
    fn the_resource_is_the_named_one_or_the_scopes_or_the_management_api() {
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
    fn what_is_not_granted_is_refused_whole() {
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
    fn a_name_or_a_scope_belongs_to_one_resource() {
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
