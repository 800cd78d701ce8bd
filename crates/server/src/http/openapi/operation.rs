//! Questions about one operation of the document, and headers of its responses.

use utoipa::openapi::{
    RefOr, Required,
    header::Header,
    path::{Operation, ParameterIn},
    schema::{ObjectBuilder, Type},
};

/// The security scheme of management operations.
pub(super) const BEARER: &str = "bearer";

/// Whether the operation takes a bearer token.
pub(super) fn is_managed(operation: &Operation) -> bool {
    let security = serde_json::to_value(&operation.security).unwrap_or_default();
    !security[0][BEARER].is_null()
}

/// Whether the operation has the parameter `name`.
pub(super) fn takes(operation: &Operation, name: &str, place: &ParameterIn) -> bool {
    let parameters = operation.parameters.iter().flatten();
    parameters.into_iter().any(|parameter| {
        matches!(parameter, RefOr::T(parameter) if parameter.name == name && parameter.parameter_in == *place)
    })
}

/// The header with the id of the request.
pub(super) fn request_id_header() -> (String, Header) {
    text_header(
        "X-Request-Id",
        "The id of the request, also in the server's log",
    )
}

/// A header of text.
pub(super) fn text_header(name: &str, description: &str) -> (String, Header) {
    let mut header = Header::new(ObjectBuilder::new().schema_type(Type::String));
    header.description = Some(description.to_owned());
    (name.to_owned(), header)
}

/// Whether the operation requires a body. `None`: it takes none.
pub(super) fn needs_body(operation: &Operation) -> Option<bool> {
    match &operation.request_body {
        Some(RefOr::T(body)) => Some(matches!(body.required, Some(Required::True))),
        _ => None,
    }
}
