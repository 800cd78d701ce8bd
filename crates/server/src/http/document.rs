//! Public documents that do not change while the server runs. They are serialized once and may be cached.

use aws_lc_rs::digest::{SHA256, digest};
use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::Response,
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use bytes::Bytes;
use serde::Serialize;

use super::etag;

/// Short enough that clients see a new signing key in time.
const CACHE_CONTROL: HeaderValue = HeaderValue::from_static("public, max-age=300");

/// A public document.
#[derive(Clone)]
pub(super) struct Document {
    body: Bytes,
    /// The text of its entity tag.
    hash: String,
    headers: HeaderMap,
}

impl Document {
    /// The JSON document that `value` serializes to.
    pub(super) fn json(value: &impl Serialize) -> Self {
        let text = serde_json::to_string(value).expect("a document is made of strings and lists");
        Self::json_text(text)
    }

    /// The JSON document `text`.
    pub(super) fn json_text(text: String) -> Self {
        let document = Self::new("application/json", Bytes::from(text));
        // It is public and needs no credentials, so scripts of any page may read it.
        document.with(
            header::ACCESS_CONTROL_ALLOW_ORIGIN,
            HeaderValue::from_static("*"),
        )
    }

    /// The document `body` of a media type.
    pub(super) fn new(content_type: &'static str, body: Bytes) -> Self {
        let hash = BASE64_URL_SAFE_NO_PAD.encode(&digest(&SHA256, &body).as_ref()[..12]);
        let document = Self {
            body,
            headers: HeaderMap::new(),
            hash,
        };
        let tag = etag::tag(&document.hash);
        document
            .with(header::CONTENT_TYPE, HeaderValue::from_static(content_type))
            .with(header::CACHE_CONTROL, CACHE_CONTROL)
            .with(header::ETAG, tag)
    }

    /// Adds a header.
    pub(super) fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// The response to a GET with these headers: the document, or 304 if the client has it.
    pub(super) fn answer(&self, request_headers: &HeaderMap) -> Response {
        let mut response = Response::new(Body::empty());
        *response.headers_mut() = self.headers.clone();
        if etag::is_known(request_headers, &self.hash) {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            response.headers_mut().remove(header::CONTENT_TYPE);
        } else {
            *response.body_mut() = Body::from(self.body.clone());
        }
        response
    }
}
