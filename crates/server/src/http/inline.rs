//! Operations whose handlers are called as plain functions.

use std::sync::Arc;

use axum::{
    Extension,
    extract::State,
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use bytes::Bytes;

use super::{
    api::{
        ApiError, bearer::ReadsServiceAccounts, path::AccountId,
        service_accounts::get_service_account,
    },
    exchange::Exchange,
    oauth::{introspect::introspect_token, revoke::revoke_token, token::issue_token},
};
use crate::authority::Authority;

/// An operation that is called so often, and does so little, that a boxed future and extractors would be a good part of its
/// cost. Called either way, its handler answers the same.
#[derive(Clone, Copy)]
pub(super) enum Inline {
    IssueToken,
    IntrospectToken,
    RevokeToken,
    GetServiceAccount,
}

impl Inline {
    /// Calls the handler.
    pub(super) async fn call(
        self,
        authority: &Arc<Authority>,
        exchange: &Arc<Exchange>,
        headers: HeaderMap,
        body: Bytes,
    ) -> Response {
        let state = State(Arc::clone(authority));
        let shared = Extension(Arc::clone(exchange));
        match self {
            Self::IssueToken => issue_token(state, shared, headers, body)
                .await
                .into_response(),
            Self::IntrospectToken => introspect_token(state, shared, headers, body)
                .await
                .into_response(),
            Self::RevokeToken => revoke_token(state, shared, headers, body)
                .await
                .into_response(),
            Self::GetServiceAccount => get_account(state, exchange, headers)
                .await
                .unwrap_or_else(IntoResponse::into_response),
        }
    }
}

/// Does what the extractors of the handler do.
async fn get_account(
    authority: State<Arc<Authority>>,
    exchange: &Exchange,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let caller = ReadsServiceAccounts::authorize(&headers, &authority, exchange).await?;
    let id = AccountId::in_path(exchange.target.path())?;
    get_service_account(authority, caller, id, headers).await
}
