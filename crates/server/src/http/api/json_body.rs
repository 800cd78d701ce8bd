//! Request bodies in JSON.

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    http::{HeaderMap, header},
};

use super::{error::ApiError, json_object::JsonObject};
use crate::http::refusal::Refusal;

impl<S: Send + Sync> FromRequest<S> for JsonObject {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        if !is_json(request.headers()) {
            return Err(ApiError::NotJson);
        }
        Self::parse(&read(request, state).await?)
    }
}

/// A merge patch (RFC 7396), sent as `application/merge-patch+json` or `application/json`.
pub(in crate::http) struct MergePatch(pub(super) JsonObject);

impl<S: Send + Sync> FromRequest<S> for MergePatch {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let headers = request.headers();
        if !is_json(headers) && !is_media_type(headers, "application/merge-patch+json") {
            return Err(ApiError::NotMergePatch);
        }
        JsonObject::parse(&read(request, state).await?).map(Self)
    }
}

/// A body that may be absent, together with its Content-Type.
pub(in crate::http) struct OptionalJsonObject(pub(super) JsonObject);

impl<S: Send + Sync> FromRequest<S> for OptionalJsonObject {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let is_json = is_json(request.headers());
        let body = read(request, state).await?;
        if body.is_empty() {
            return Ok(Self(JsonObject::default()));
        }
        if !is_json {
            return Err(ApiError::NotJson);
        }
        JsonObject::parse(&body).map(Self)
    }
}

async fn read<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, ApiError> {
    Bytes::from_request(request, state)
        .await
        .map_err(|_| ApiError::Refused(Refusal::Incomplete))
}

fn is_json(headers: &HeaderMap) -> bool {
    is_media_type(headers, "application/json")
}

fn is_media_type(headers: &HeaderMap, expected: &str) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|media_type| media_type.trim().eq_ignore_ascii_case(expected))
}
