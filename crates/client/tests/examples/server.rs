// A small stand-in for a Prokura server, for the examples in the documentation. It has one account.

use axum::{
    Json, Router,
    http::{StatusCode, header},
    routing::{get, post},
};
use serde_json::{Value, json};

/// Starts the server and returns its URL. It ends with the runtime.
pub(crate) async fn start() -> String {
    let routes = Router::new()
        .route("/oauth2/token", post(async || Json(token())))
        .route("/orders", get(async || "[]"))
        .route(
            "/api/v1/service-accounts",
            get(async || Json(json!({ "items": [account()] })))
                .post(async || (StatusCode::CREATED, Json(with_credentials()))),
        )
        .route(
            "/api/v1/service-accounts/019ab0f4-5d2e-7c11-9a52-3b1f6b0d2c47",
            get(async || ([(header::ETAG, "\"7\"")], Json(json!({ "serviceAccount": account() }))))
                .patch(async || Json(json!({ "serviceAccount": account() })))
                .delete(async || StatusCode::NO_CONTENT),
        )
        .fallback(async || (StatusCode::NOT_FOUND, Json(not_found())));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, routes).await });
    url
}

fn token() -> Value {
    json!({ "access_token": "prka_AfwnpYQOn061qTL6meQdgQ", "token_type": "Bearer", "expires_in": 3600 })
}

fn account() -> Value {
    json!({
        "id": "019ab0f4-5d2e-7c11-9a52-3b1f6b0d2c47",
        "clientId": "sa_019ab0f4-5d2e-7c11-9a52-3b1f6b0d2c47",
        "name": "CI Pipeline",
        "description": null,
        "scopes": ["management:all"],
        "createdAt": "2026-11-23T12:00:00.000Z",
        "updatedAt": "2026-11-23T12:00:00.000Z",
        "createdBy": null,
        "lastUsedAt": null,
        "owner": "team-payments",
        "labels": { "environment": "production" },
        "disabled": false,
        "tokenLifetimeSeconds": null,
        "expiresAt": null,
    })
}

fn with_credentials() -> Value {
    let secret = format!("prk_{}", "x".repeat(49));
    json!({
        "serviceAccount": account(),
        "credentials": { "clientId": account()["clientId"], "clientSecret": secret },
    })
}

fn not_found() -> Value {
    json!({
        "message": "the service account does not exist",
        "statusCode": 404,
        "code": "service_account_not_found",
        "requestId": "7b53ae80ce13c024-5",
    })
}
