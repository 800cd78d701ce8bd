//! Everything that is served, on one screen.

use std::sync::Arc;

use axum::{Router, middleware::from_fn, routing::get};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    api::{audit_events as audit, secrets, service_accounts as accounts, usage},
    document::Document,
    door, health, oauth, reference,
};
use crate::authority::Authority;

/// Every route.
pub(super) fn router(authority: Arc<Authority>) -> Router {
    let metadata = Document::json(&oauth::metadata::document(&authority));
    let keys = oauth::jwks::KeySetDocument::new(Arc::clone(&authority));
    let (router, openapi) = documented().split_for_parts();
    let openapi = Document::json_text(openapi_text(openapi, authority.issuer()));
    let mut router = router
        .route(
            "/.well-known/oauth-authorization-server",
            get(metadata.clone()),
        )
        .route("/.well-known/openid-configuration", get(metadata.clone()))
        .route("/.well-known/jwks.json", get(keys))
        .route("/openapi.json", get(openapi.clone()))
        .route("/api/openapi.json", get(openapi));
    for (path, document) in reference::page() {
        router = router.route(path, get(document));
    }
    // RFC 8414 §3.1: the well-known segment goes between host and path.
    if let Some(path) = oauth::metadata::issuer_path(authority.issuer()) {
        // A segment may begin with `:` or `*`; it means itself.
        router = router.without_v07_checks();
        for document in ["oauth-authorization-server", "openid-configuration"] {
            router = router.route(
                &format!("/.well-known/{document}{path}"),
                get(metadata.clone()),
            );
        }
    }
    router
        .route_layer(from_fn(door::remember_route))
        .fallback(door::not_found)
        .method_not_allowed_fallback(door::method_not_allowed)
        .with_state(authority)
}

/// The routes that the OpenAPI document describes, both from one source.
fn documented() -> OpenApiRouter<Arc<Authority>> {
    OpenApiRouter::with_openapi(super::openapi::description())
        // /oauth2/…
        .routes(routes!(oauth::token::issue_token))
        .routes(routes!(oauth::introspect::introspect_token))
        .routes(routes!(oauth::revoke::revoke_token))
        // /api/v1/service-accounts, …/{id}, …/{id}/rotate-secret, …/{id}/usage
        .routes(routes!(
            accounts::create_service_account,
            accounts::list_service_accounts
        ))
        .routes(routes!(
            accounts::get_service_account,
            accounts::update_service_account,
            accounts::delete_service_account
        ))
        .routes(routes!(accounts::rotate_secret))
        // …/{id}/secrets, …/{id}/secrets/{secretId}, …/{id}/cancel-rotation, …/{id}/revoke-tokens
        .routes(routes!(secrets::list_secrets, secrets::add_secret))
        .routes(routes!(secrets::delete_secret))
        .routes(routes!(accounts::cancel_rotation))
        .routes(routes!(accounts::revoke_tokens))
        .routes(routes!(usage::get_usage))
        // /api/v1/audit-events, …/export
        .routes(routes!(audit::list_audit_events))
        .routes(routes!(audit::export_audit_events))
        // /healthz, /readyz
        .routes(routes!(health::check_liveness))
        .routes(routes!(health::check_readiness))
}

/// The OpenAPI document of a server at `url`, derived from the handlers.
pub fn openapi(url: &str) -> String {
    openapi_text(documented().split_for_parts().1, url)
}

fn openapi_text(document: utoipa::openapi::OpenApi, url: &str) -> String {
    let mut text = super::openapi::complete(document, url)
        .to_pretty_json()
        .expect("the document is made of strings and numbers");
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_committed_openapi_document_is_what_the_handlers_say() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../openapi.json");
        let derived = super::openapi("http://127.0.0.1:8080");
        if std::env::var_os("PROKURA_UPDATE").is_some() {
            std::fs::write(path, &derived).unwrap();
        }
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            committed == derived,
            "openapi.json is not what the handlers say; `scripts/check --update` rewrites it"
        );
    }
}
