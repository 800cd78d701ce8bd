//! Everything that is served, on one screen.

use std::{future, sync::Arc};

use axum::{
    handler::Handler,
    http::{HeaderMap, Method},
};
use futures_util::FutureExt as _;
use utoipa::OpenApi as _;

use super::{
    api::{audit_events, secrets, service_accounts, usage},
    document::Document,
    health,
    inline::Inline,
    oauth::{introspect, jwks::KeySetDocument, metadata, revoke, token},
    openapi, reference,
    routing::{Operation, Respond, Route, Routes, fixed_bytes, operations},
};
use crate::authority::Authority;

operations! {
    "/oauth2/token" { POST token::issue_token inline IssueToken }
    "/oauth2/introspect" { POST introspect::introspect_token inline IntrospectToken }
    "/oauth2/revoke" { POST revoke::revoke_token inline RevokeToken }
    "/api/v1/service-accounts" {
        POST service_accounts::create_service_account,
        GET service_accounts::list_service_accounts,
    }
    "/api/v1/service-accounts/{id}" {
        GET service_accounts::get_service_account inline GetServiceAccount,
        PATCH service_accounts::update_service_account,
        DELETE service_accounts::delete_service_account,
    }
    "/api/v1/service-accounts/{id}/rotate-secret" { POST service_accounts::rotate_secret }
    "/api/v1/service-accounts/{id}/secrets" {
        GET secrets::list_secrets,
        POST secrets::add_secret,
    }
    "/api/v1/service-accounts/{id}/secrets/{secretId}" { DELETE secrets::delete_secret }
    "/api/v1/service-accounts/{id}/cancel-rotation" { POST service_accounts::cancel_rotation }
    "/api/v1/service-accounts/{id}/revoke-tokens" { POST service_accounts::revoke_tokens }
    "/api/v1/service-accounts/{id}/usage" { GET usage::get_usage }
    "/api/v1/audit-events" { GET audit_events::list_audit_events }
    "/api/v1/audit-events/export" { GET audit_events::export_audit_events }
    "/healthz" { GET health::check_liveness }
    "/readyz" { GET health::check_readiness }
}

/// Public documents.
fn documents(authority: &Arc<Authority>) -> Vec<(&'static str, Respond)> {
    let metadata = Document::json(&metadata::document(authority));
    let openapi = Document::json_text(openapi(authority.issuer()));
    let keys = Arc::new(KeySetDocument::new(Arc::clone(authority)));
    let mut documents = vec![
        (METADATA[0], fixed(metadata.clone())),
        (METADATA[1], fixed(metadata)),
        (
            "/.well-known/jwks.json",
            Box::new(move |headers: &HeaderMap| {
                let keys = Arc::clone(&keys);
                async move { keys.answer(headers).await }.boxed()
            }),
        ),
        ("/openapi.json", fixed(openapi.clone())),
        ("/api/openapi.json", fixed(openapi)),
    ];
    documents.extend(reference::page().map(|(path, document)| (path, fixed(document))));
    documents
}

fn fixed(document: Document) -> Respond {
    Box::new(move |headers| future::ready(document.answer(headers)).boxed())
}

/// RFC 8414 §3, and where OpenID Connect clients look for the same document.
const METADATA: [&str; 2] = [
    "/.well-known/oauth-authorization-server",
    "/.well-known/openid-configuration",
];

/// Everything that the server of `authority` serves.
pub(super) fn routes(authority: &Arc<Authority>) -> Routes {
    let issuer_path = metadata::issuer_path(authority.issuer());
    Routes {
        operations: OPERATIONS,
        documents: documents(authority),
        below_issuer: issuer_path.map(|path| (path.to_owned(), &METADATA[..])),
    }
}

/// The API document of a server at `url`, derived from the handlers.
fn openapi(url: &str) -> String {
    openapi::complete(Documented::openapi(), url)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;

    #[test]
    fn the_committed_api_document_is_derived_from_the_handlers() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../openapi.json");
        let derived = openapi("http://127.0.0.1:8080");
        if std::env::var_os("PROKURA_UPDATE").is_some() {
            std::fs::write(path, &derived).unwrap();
        }
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            committed == derived,
            "openapi.json is not what the handlers say; `scripts/check --update` rewrites it"
        );
    }

    #[test]
    fn the_table_and_the_api_document_name_the_same_operations() {
        let document = serde_json::from_str::<Value>(&openapi("http://a.example")).unwrap();
        let paths = document["paths"].as_object().unwrap();
        let documented = paths.iter().flat_map(|(path, item)| {
            let operations = item.as_object().unwrap().iter();
            operations.map(move |(method, operation)| {
                let id = operation["operationId"].as_str().unwrap();
                format!("{} {path} {id}", method.to_uppercase())
            })
        });
        let served = OPERATIONS.iter().flat_map(|route| {
            let operations = route.operations.iter();
            operations.map(|operation| {
                format!("{} {} {}", operation.method, route.template, operation.id)
            })
        });
        assert_eq!(
            served.collect::<BTreeSet<_>>(),
            documented.collect::<BTreeSet<_>>()
        );
    }
}
