//! Example requests and responses: one account, from its creation on.

use prokura_wire as wire;
use serde_json::{Value, json};
use utoipa::openapi::{Content, RefOr, path::Operation};

const ID: &str = "019ab0f4-5d2e-7c11-9a52-3b1f6b0d2c47";
const CREATOR: &str = "019ab0e1-11c4-7d02-8f00-6a0f3c1e9b21";
const OLD_SECRET: &str = "019ab0f4-5d2e-7c12-b1c4-92d0a57e8f10";
const NEW_SECRET: &str = "019ab612-9f3a-7b40-8e21-07c5d4a3b2f1";

/// Adds the examples of an operation, if it has any.
pub(super) fn add(operation: &mut Operation) {
    let id = operation.operation_id.as_deref().unwrap_or_default();
    let request = request(id);
    let answer = answer(id);
    if let (Some(example), Some(RefOr::T(body))) = (request, &mut operation.request_body) {
        for content in body.content.values_mut() {
            set(content, &example);
        }
    }
    let Some(example) = answer else { return };
    for (status, response) in &mut operation.responses.responses {
        if let (true, RefOr::T(response)) = (status.starts_with('2'), response) {
            for content in response.content.values_mut() {
                set(content, &example);
            }
        }
    }
}

fn set(content: &mut RefOr<Content>, example: &Value) {
    if let RefOr::T(content) = content {
        content.example = Some(example.clone());
    }
}

/// The body of a request.
fn request(operation: &str) -> Option<Value> {
    Some(match operation {
        "issue_token" => json!({ "grant_type": "client_credentials", "scope": "management:all" }),
        "introspect_token" | "revoke_token" => {
            json!({ "token": "prka_AfwnpYQOn061qTL6meQdgQtcYClE9E5" })
        }
        "create_service_account" => json!({
            "name": "CI Pipeline",
            "description": "Used by GitHub Actions to manage integrations",
            "owner": "Platform team",
            "labels": { "env": "prod" },
        }),
        "update_service_account" => {
            json!({ "labels": { "env": null, "tier": "1" }, "tokenLifetimeSeconds": 600 })
        }
        "rotate_secret" => json!({ "gracePeriodSeconds": 86_400 }),
        "add_secret" => json!({ "expiresInSeconds": 7_776_000 }),
        _ => return None,
    })
}

/// The body of a successful response.
fn answer(operation: &str) -> Option<Value> {
    Some(match operation {
        "issue_token" => json!({
            "access_token": "prka_AfwnpYQOn061qTL6meQdgQtcYClE9E5",
            "token_type": "Bearer",
            "expires_in": 3600,
            "scope": "management:all",
        }),
        "introspect_token" => json!({
            "active": true,
            "scope": "management:all",
            "client_id": format!("sa_{ID}"),
            "token_type": "Bearer",
            "exp": 1_795_438_800,
            "iat": 1_795_435_200,
            "sub": format!("sa_{ID}"),
            "aud": "http://127.0.0.1:8080/api/v1",
            "iss": "http://127.0.0.1:8080",
            "jti": "5f8e1c52-3c0b-4a3c-9d0e-7f2b1a6c4d90",
            "organization_id": "019ab0f4-5d2e-7c11-9a52-3b1f6b0d2c11",
        }),
        "create_service_account" | "rotate_secret" => json!({
            "serviceAccount": account(),
            "credentials": credentials(),
        }),
        "list_service_accounts" => json!({ "items": [account()] }),
        "get_service_account" | "update_service_account" | "cancel_rotation" => {
            json!({ "serviceAccount": account() })
        }
        "list_secrets" => {
            json!({ "items": [secret(NEW_SECRET, "active"), secret(OLD_SECRET, "retiring")] })
        }
        "add_secret" => json!({
            "secret": secret(NEW_SECRET, "active"),
            "credentials": credentials(),
        }),
        "get_usage" => {
            json!({ "items": [{ "date": "2026-11-23", "tokensIssued": 1440, "tokensRefused": 0 }] })
        }
        "list_audit_events" => json!({ "items": [event()] }),
        "export_audit_events" => event(),
        "check_liveness" => json!({ "status": "alive" }),
        "check_readiness" => json!({ "status": "ready" }),
        _ => return None,
    })
}

fn account() -> Value {
    json!(wire::ServiceAccount {
        id: ID.to_owned(),
        client_id: format!("sa_{ID}"),
        name: "CI Pipeline".to_owned(),
        description: Some("Used by GitHub Actions to manage integrations".to_owned()),
        scopes: vec!["management:all".to_owned()],
        created_at: "2026-11-23T12:00:00.000Z".to_owned(),
        updated_at: "2026-11-23T12:00:00.000Z".to_owned(),
        created_by: Some(CREATOR.to_owned()),
        owner: Some("Platform team".to_owned()),
        labels: [("env".to_owned(), "prod".to_owned())].into(),
        ..wire::ServiceAccount::default()
    })
}

fn credentials() -> Value {
    json!({
        "clientId": format!("sa_{ID}"),
        // In the format of a secret, but not one.
        "clientSecret": format!("prk_{}", "*".repeat(49)),
    })
}

fn secret(id: &str, state: &str) -> Value {
    json!({
        "id": id,
        "hint": "41wP",
        "createdAt": "2026-11-23T12:00:00.000Z",
        "createdBy": CREATOR,
        "expiresAt": if state == "retiring" { json!("2026-11-24T12:00:00.000Z") } else { json!(null) },
        "lastUsedAt": "2026-11-23T12:34:56.789Z",
        "state": state,
        "safeToRevoke": false,
    })
}

fn event() -> Value {
    json!({
        "organizationId": "019ab0e1-11c3-7a50-a9b1-20c4d6e8f013",
        "sequence": 3,
        "at": "2026-11-23T12:00:00.000Z",
        "actor": CREATOR,
        "action": "create_service_account",
        "target": ID,
        "requestId": "7b53ae80ce13c024-5",
        "address": "192.0.2.7",
        "changes": { "name": "CI Pipeline", "scopes": "management:all" },
        "previousHash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "hash": "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
    })
}

#[cfg(test)]
mod tests {
    use serde::{Serialize, de::DeserializeOwned};

    use super::*;

    /// Asserts that the type reads the example and writes it again with the same members.
    fn is_whole<T: Serialize + DeserializeOwned>(example: Value) {
        let read = serde_json::from_value::<T>(example.clone()).unwrap();
        assert_eq!(json!(read), example);
    }

    #[test]
    fn every_example_is_what_its_type_serializes_to() {
        let answer = |operation| answer(operation).unwrap();
        is_whole::<wire::TokenResponse>(answer("issue_token"));
        is_whole::<wire::IntrospectionResponse>(answer("introspect_token"));
        is_whole::<wire::ServiceAccountCredentials>(answer("create_service_account"));
        is_whole::<wire::ServiceAccountList>(answer("list_service_accounts"));
        is_whole::<wire::ServiceAccountEnvelope>(answer("get_service_account"));
        is_whole::<wire::ServiceAccountSecretList>(answer("list_secrets"));
        is_whole::<wire::AddedSecret>(answer("add_secret"));
        is_whole::<wire::UsageList>(answer("get_usage"));
        is_whole::<wire::AuditEventList>(answer("list_audit_events"));
        let request = |operation| request(operation).unwrap();
        is_whole::<wire::CreateServiceAccount>(request("create_service_account"));
        is_whole::<wire::UpdateServiceAccount>(request("update_service_account"));
        is_whole::<wire::RotateSecret>(request("rotate_secret"));
        is_whole::<wire::AddSecret>(request("add_secret"));
    }
}
