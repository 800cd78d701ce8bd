//! Authorization server metadata (RFC 8414), with what OpenID Connect Discovery requires in addition.

use prokura_wire::AuthorizationServerMetadata;

use super::{client_authentication, token};
use crate::{authority::Authority, domain::SigningAlgorithm};

/// The metadata document. It lists exactly what the server supports.
pub(in crate::http) fn document(authority: &Authority) -> AuthorizationServerMetadata {
    let issuer = authority.issuer();
    let url = |path| format!("{issuer}{path}");
    let methods = || client_authentication::METHODS.map(str::to_owned).to_vec();
    AuthorizationServerMetadata {
        issuer: issuer.to_owned(),
        token_endpoint: url("/oauth2/token"),
        introspection_endpoint: url("/oauth2/introspect"),
        revocation_endpoint: url("/oauth2/revoke"),
        jwks_uri: url("/.well-known/jwks.json"),
        scopes_supported: scopes_supported(authority),
        // RFC 8414 §2 requires the member. No supported grant uses an authorization endpoint.
        response_types_supported: Vec::new(),
        grant_types_supported: token::GRANTS.map(|(name, _)| name.to_owned()).to_vec(),
        token_endpoint_auth_methods_supported: methods(),
        introspection_endpoint_auth_methods_supported: methods(),
        revocation_endpoint_auth_methods_supported: methods(),
        // OpenID Connect Discovery 1.0 §3 requires both members. `sub` means the same to every API.
        subject_types_supported: vec!["public".to_owned()],
        id_token_signing_alg_values_supported: SigningAlgorithm::ALL
            .map(|algorithm| algorithm.as_str().to_owned())
            .to_vec(),
    }
}

/// The scopes of the management API and of the configured resources.
fn scopes_supported(authority: &Authority) -> Vec<String> {
    let configured = authority.configured_resources().iter();
    let configured = configured.map(|configured| &configured.resource);
    let resources = std::iter::once(authority.management()).chain(configured);
    let scopes = resources.flat_map(|resource| resource.scopes.iter());
    scopes.map(str::to_owned).collect()
}

/// The path of an issuer that has one: `/tenant` of `https://host/tenant`.
pub(in crate::http) fn issuer_path(issuer: &str) -> Option<&str> {
    let authority = issuer.split_once("://")?.1;
    authority.find('/').map(|at| &authority[at..])
}

#[cfg(test)]
mod tests {
    use super::issuer_path;

    #[test]
    fn the_path_of_an_issuer_is_what_follows_its_host() {
        assert_eq!(issuer_path("https://a.example"), None);
        assert_eq!(issuer_path("http://127.0.0.1:80"), None);
        assert_eq!(issuer_path("https://a.example/t/1"), Some("/t/1"));
    }
}
