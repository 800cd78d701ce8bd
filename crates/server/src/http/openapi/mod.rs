//! The API document, derived from the handlers. What a handler says of itself is what is its own; what all of a kind have in
//! common (refusals, headers, examples, links) is said here once.

mod examples;
mod refusals;

use utoipa::{
    OpenApi,
    openapi::{
        OpenApi as Document, PathItem, RefOr, Required, Server,
        header::Header,
        link::LinkBuilder,
        path::{Operation, ParameterIn},
        schema::{ObjectBuilder, Type},
        security::{ClientCredentials, Flow, Http, HttpAuthScheme, OAuth2, Scopes, SecurityScheme},
    },
};

use crate::domain::{
    AUDIT_READ, MANAGEMENT_ALL, SERVICE_ACCOUNTS_READ, SERVICE_ACCOUNTS_WRITE, TOKENS_INTROSPECT,
};

/// What the document says before any operation.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Prokura",
        description = "Service accounts for an organization's machines: manage them, trade their secrets for short-lived \
                       access tokens, check those tokens.\n\nEvery answer has an `X-Request-Id`; name it when you ask why. \
                       Instants are RFC 3339 in UTC with milliseconds. Errors of the management API say in `code` what is \
                       wrong, for programs, and in `message` how to mend it, for people; those of the OAuth endpoints are \
                       RFC 6749's.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0")
    ),
    tags(
        (name = "service-accounts", description = "Manage the identities of machines"),
        (name = "audit", description = "Read who changed what"),
        (name = "oauth2", description = "Issue, introspect and revoke access tokens"),
        (name = "health", description = "For load balancers and supervisors")
    ),
    components(schemas(prokura_wire::ApiError, prokura_wire::OAuthError))
)]
struct Description;

/// The document without operations.
pub(super) fn description() -> Document {
    Description::openapi()
}

/// What management operations name in their `security`.
const BEARER: &str = "bearer";

/// The document of a server at `url`, whole.
pub(super) fn complete(mut document: Document, url: &str) -> Document {
    document.servers = Some(vec![Server::new(url)]);
    let components = document.components.get_or_insert_default();
    components.add_security_scheme(BEARER, bearer());
    components.add_security_scheme(
        "client",
        SecurityScheme::Http(Http::new(HttpAuthScheme::Basic)),
    );
    components.responses.extend(refusals::responses());
    for (path, item) in &mut document.paths.paths {
        for operation in operations(item) {
            // Said rather than left out: nobody forgot it.
            operation.security.get_or_insert_default();
            refusals::add(path, operation);
            examples::add(operation);
            add_links(operation);
            name_the_request(operation);
        }
    }
    document
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
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
        (MANAGEMENT_ALL, "Everything below"),
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

fn is_managed(operation: &Operation) -> bool {
    let security = serde_json::to_value(&operation.security).unwrap_or_default();
    !security[0][BEARER].is_null()
}

fn takes(operation: &Operation, name: &str, place: &ParameterIn) -> bool {
    let parameters = operation.parameters.iter().flatten();
    parameters.into_iter().any(|parameter| {
        matches!(parameter, RefOr::T(parameter) if parameter.name == name && parameter.parameter_in == *place)
    })
}

/// From a new account to what can be done with it.
fn add_links(operation: &mut Operation) {
    if operation.operation_id.as_deref() != Some("create_service_account") {
        return;
    }
    let Some(RefOr::T(created)) = operation.responses.responses.get_mut("201") else {
        return;
    };
    for (name, operation_id, description) in [
        ("get", "get_service_account", "Get this account"),
        ("update", "update_service_account", "Change this account"),
        ("rotate", "rotate_secret", "Rotate its secret"),
        ("delete", "delete_service_account", "Delete this account"),
        ("secrets", "list_secrets", "List its secrets"),
        ("usage", "get_usage", "Count its tokens"),
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

/// Every answer says which request it answers.
fn name_the_request(operation: &mut Operation) {
    for response in operation.responses.responses.values_mut() {
        if let RefOr::T(response) = response {
            let (name, header) = request_id();
            response.headers.insert(name, RefOr::T(header));
        }
    }
}

fn request_id() -> (String, Header) {
    text_header(
        "X-Request-Id",
        "The id of the request, also in the server's log",
    )
}

fn text_header(name: &str, description: &str) -> (String, Header) {
    let mut header = Header::new(ObjectBuilder::new().schema_type(Type::String));
    header.description = Some(description.to_owned());
    (name.to_owned(), header)
}

/// Whether the operation cannot do without a body.
fn needs_body(operation: &Operation) -> Option<bool> {
    match &operation.request_body {
        Some(RefOr::T(body)) => Some(matches!(body.required, Some(Required::True))),
        _ => None,
    }
}
