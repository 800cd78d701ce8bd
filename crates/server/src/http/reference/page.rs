//! The page at `/docs`: Swagger UI for the API document. The server serves every file of the page, so it works without internet
//! access, and its content security policy forbids everything else.

use std::borrow::Cow;

use axum::http::{HeaderValue, header};
use bytes::Bytes;
use utoipa_swagger_ui::{Config, SwaggerFile};

use crate::http::document::Document;

/// The page may load files of this server and send requests to it. It runs no inline script, cannot be framed and submits no
/// form. Swagger UI loads its icons from `data:` URLs.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                                       connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The files of the page and their paths.
pub(in crate::http) fn page() -> [(&'static str, Document); 4] {
    let own = |content_type, text: &'static str| {
        guarded(Document::new(
            content_type,
            Bytes::from_static(text.as_bytes()),
        ))
    };
    [
        (
            "/docs",
            own("text/html; charset=utf-8", include_str!("page.html")),
        ),
        (
            "/docs/page.js",
            own("text/javascript", include_str!("page.js")),
        ),
        (
            "/docs/swagger-ui-bundle.js",
            vendored("swagger-ui-bundle.js", "text/javascript"),
        ),
        (
            "/docs/swagger-ui.css",
            vendored("swagger-ui.css", "text/css"),
        ),
    ]
}

/// A file of Swagger UI, compressed when the server was built.
fn vendored(name: &str, content_type: &'static str) -> Document {
    let SwaggerFile {
        bytes, gzpipped, ..
    } = utoipa_swagger_ui::serve(name, Config::default().into())
        .ok()
        .flatten()
        .expect("the file is part of the binary");
    let bytes = match bytes {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => bytes.into(),
    };
    let document = guarded(Document::new(content_type, bytes));
    if gzpipped {
        document.with(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"))
    } else {
        document
    }
}

fn guarded(document: Document) -> Document {
    document
        .with(
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static(CONTENT_SECURITY_POLICY),
        )
        .with(
            header::REFERRER_POLICY,
            HeaderValue::from_static("no-referrer"),
        )
}
