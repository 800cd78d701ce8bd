//! Documents that never change while the server runs: written once, public, cacheable.

use std::future::{Ready, ready};

use aws_lc_rs::digest::{SHA256, digest};
use axum::{
    body::Body,
    extract::Request,
    handler::Handler,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use bytes::Bytes;
use serde::Serialize;

use super::etag;

/// How long a client may keep it: short enough that a new key is seen in time.
const CACHE_CONTROL: HeaderValue = HeaderValue::from_static("public, max-age=300");

/// A public JSON document. It is its own handler.
#[derive(Clone)]
pub(super) struct Document {
    body: Bytes,
    /// What its entity tag says.
    hash: String,
}

impl Document {
    /// The document that `value` serializes to.
    pub(super) fn json(value: &impl Serialize) -> Self {
        let text = serde_json::to_string(value).expect("a document is made of strings and lists");
        Self::text(text)
    }

    /// The JSON document `text`.
    pub(super) fn text(text: String) -> Self {
        let hash = BASE64_URL_SAFE_NO_PAD.encode(&digest(&SHA256, text.as_bytes()).as_ref()[..12]);
        Self {
            body: Bytes::from(text),
            hash,
        }
    }

    fn answer(self, request: &Request) -> Response {
        let headers = [
            (header::CACHE_CONTROL, CACHE_CONTROL),
            (header::ETAG, etag::tag(&self.hash)),
            // Public data, without credentials: any page may read it.
            (
                header::ACCESS_CONTROL_ALLOW_ORIGIN,
                HeaderValue::from_static("*"),
            ),
        ];
        if etag::is_known(request.headers(), &self.hash) {
            return (StatusCode::NOT_MODIFIED, headers).into_response();
        }
        let json = (
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        (headers, [json], Body::from(self.body)).into_response()
    }
}

impl<S> Handler<(), S> for Document {
    type Future = Ready<Response>;

    fn call(self, request: Request, _: S) -> Self::Future {
        ready(self.answer(&request))
    }
}
