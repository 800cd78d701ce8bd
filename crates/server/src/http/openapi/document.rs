//! The whole document: what describes the API, the operations, and what operations have in common.

use utoipa::{
    OpenApi as _,
    openapi::{
        OpenApi, PathItem, RefOr, Server,
        link::LinkBuilder,
        path::Operation,
        security::{ClientCredentials, Flow, Http, HttpAuthScheme, OAuth2, Scopes, SecurityScheme},
    },
};

use super::{
    examples,
    operation::{BEARER, request_id_header},
    shared_refusals,
};
use crate::domain::{
    AUDIT_READ, MANAGEMENT_ALL, SERVICE_ACCOUNTS_READ, SERVICE_ACCOUNTS_WRITE, TOKENS_INTROSPECT,
};

/// What the document says of the whole API.
#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Prokura",
        description = "Service accounts for machines: manage the accounts, exchange their secrets for short-lived access \
                       tokens, and introspect and revoke the tokens.\n\nEvery response has an `X-Request-Id`; quote it in \
                       bug reports. Instants are RFC 3339 in UTC with milliseconds. An error of the management API has a \
                       `code` for programs and a `message` for people. Errors of the OAuth endpoints follow RFC 6749.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")
    ),
    tags(
        (name = "service-accounts", description = "Manage service accounts and their secrets"),
        (name = "audit", description = "Read the audit trail"),
        (name = "oauth2", description = "Issue, introspect and revoke access tokens"),
        (name = "health", description = "Health checks for load balancers and supervisors")
    ),
    components(schemas(prokura_wire::ApiError, prokura_wire::OAuthError))
)]
struct Description;

/// The document of a server at `url` as JSON. `operations` are the operations as their handlers declare them.
pub(in crate::http) fn complete(operations: OpenApi, url: &str) -> String {
    let mut document = Description::openapi();
    document.servers = Some(vec![Server::new(url)]);
    document.paths = operations.paths;
    let components = document.components.get_or_insert_default();
    components
        .schemas
        .extend(operations.components.unwrap_or_default().schemas);
    components.add_security_scheme(BEARER, bearer());
    components.add_security_scheme(
        "client",
        SecurityScheme::Http(Http::new(HttpAuthScheme::Basic)),
    );
    components.responses.extend(shared_refusals::responses());
    for (path, item) in &mut document.paths.paths {
        for operation in operations_of(item) {
            // An empty list says that no authentication is needed.
            operation.security.get_or_insert_default();
            shared_refusals::add(path, operation);
            examples::add(operation);
            add_links(operation);
            add_request_id(operation);
        }
    }
    let mut text = document
        .to_pretty_json()
        .expect("the document is made of strings and numbers");
    text.push('\n');
    text
}

fn operations_of(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let PathItem {
        get,
        post,
        patch,
        delete,
        ..
    } = item;
    [get, post, patch, delete].into_iter().flatten()
}

fn bearer() -> SecurityScheme {
    let scopes = Scopes::from_iter([
        (MANAGEMENT_ALL, "All scopes of the management API"),
        (SERVICE_ACCOUNTS_READ, "Read service accounts"),
        (
            SERVICE_ACCOUNTS_WRITE,
            "Create, change, rotate and delete service accounts",
        ),
        (AUDIT_READ, "Read the audit trail"),
        (TOKENS_INTROSPECT, "Introspect tokens"),
    ]);
    let flow = ClientCredentials::new("oauth2/token", scopes);
    SecurityScheme::OAuth2(OAuth2::new([Flow::ClientCredentials(flow)]))
}

/// Links from a new account to the operations on it.
fn add_links(operation: &mut Operation) {
    if operation.operation_id.as_deref() != Some("create_service_account") {
        return;
    }
    let Some(RefOr::T(created)) = operation.responses.responses.get_mut("201") else {
        return;
    };
    for (name, operation_id, description) in [
        ("get", "get_service_account", "Get the account"),
        ("update", "update_service_account", "Change the account"),
        ("rotate", "rotate_secret", "Rotate its secret"),
        ("delete", "delete_service_account", "Delete the account"),
        ("secrets", "list_secrets", "List its secrets"),
        ("usage", "get_usage", "Get its usage"),
    ] {
        let link = LinkBuilder::new()
            .operation_id(operation_id)
            .parameter("id", "$response.body#/serviceAccount/id")
            .description(description);
        created
            .links
            .insert(name.to_owned(), RefOr::T(link.build()));
    }
}

/// Adds the request id to every response.
fn add_request_id(operation: &mut Operation) {
    for response in operation.responses.responses.values_mut() {
        if let RefOr::T(response) = response {
            let (name, header) = request_id_header();
            response.headers.insert(name, RefOr::T(header));
        }
    }
}
