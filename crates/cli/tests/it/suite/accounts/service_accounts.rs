//! The life of a service account: create, read, list, rotate and delete.

use prokura_server::domain::SigningAlgorithm;
use reqwest::Method;
use serde_json::{Value, json};

use super::{DATABASE, start, start_with, start_with_account, start_with_token};
use crate::harness::{
    Credentials, Database, Options, jwt_resource, managed_operations, operations_on_an_account,
};

/// G1, R2. The whole life of an account.
#[tokio::test]
async fn an_account_is_created_read_listed_rotated_and_deleted() {
    let (prokura, token) = start_with_token().await;
    let body = json!({ "name": "CI Pipeline", "description": "Used by GitHub Actions to manage integrations" });
    let created = prokura.try_create(&token, body).await.expect(201);
    assert_eq!(created.header("cache-control"), "no-store");
    assert_eq!(created.header("pragma"), "no-cache");
    let (account, credentials) = {
        let body = created.json();
        (body["serviceAccount"].clone(), body["credentials"].clone())
    };
    let id = account["id"].as_str().unwrap().to_owned();
    assert_eq!(
        created.header("location"),
        format!("{}/api/v1/service-accounts/{id}", prokura.issuer)
    );
    assert_eq!(
        account,
        json!({
            "id": id,
            "clientId": format!("sa_{id}"),
            "name": "CI Pipeline",
            "description": "Used by GitHub Actions to manage integrations",
            "scopes": ["management:all"],
            "grantableScopes": [],
            "createdAt": "2026-11-23T12:00:00.000Z",
            "updatedAt": "2026-11-23T12:00:00.000Z",
            "createdBy": prokura.root.id,
            "lastUsedAt": null,
            "owner": null,
            "labels": {},
            "disabled": false,
            "tokenLifetimeSeconds": null,
            "expiresAt": null,
        })
    );
    assert_eq!(credentials["clientId"], account["clientId"]);

    let path = format!("/service-accounts/{id}");
    let got = prokura.api(Method::GET, &path, &token, None).await;
    assert_eq!(got.expect(200).json(), json!({ "serviceAccount": account }));
    let listed = prokura
        .api(Method::GET, "/service-accounts", &token, None)
        .await
        .expect(200)
        .json();
    assert_eq!(listed["items"][1], account);
    assert_eq!(listed.get("nextCursor"), None);

    prokura.advance(1000);
    let rotated = prokura.rotate(&token, &id).await;
    assert_ne!(credentials["clientSecret"], rotated.client_secret.as_str());
    let deleted = prokura
        .api(Method::DELETE, &path, &token, None)
        .await
        .expect(204);
    assert!(deleted.body.is_empty());
    prokura
        .api(Method::GET, &path, &token, None)
        .await
        .expect_api_error(404, "service_account_not_found");
}

/// G1. The new credentials work at once, and the account can be read at once.
#[tokio::test]
async fn new_credentials_work_at_once() {
    let (prokura, token) = start_with_token().await;
    for number in 0..20 {
        let body = json!({ "name": format!("{number}") });
        let (mut account, credentials) = prokura.create(&token, body).await;
        let own = prokura.access_token(&credentials).await;
        account["lastUsedAt"] = account["createdAt"].clone();
        let got = prokura.try_get_account(&own, &credentials.id).await;
        assert_eq!(got.expect(200).json()["serviceAccount"], account);
    }
}

/// G2, P1. Only creating and rotating an account show a secret. The test client checks this for every response of every
/// test (`assert_keeps_secrets`).
#[tokio::test]
async fn only_creating_and_rotating_an_account_show_a_secret() {
    let (prokura, token, account) = start_with_account().await;
    let rotated = prokura.rotate(&token, &account.id).await;
    let secrets = [&prokura.root, &account, &rotated].map(|client| &client.client_secret);
    assert_ne!(secrets[1], secrets[2]);
    let digests = prokura.rows("SELECT digest FROM secrets").await;
    let own = prokura.access_token(&rotated).await;
    let mut shown = String::new();
    for operation in managed_operations() {
        if operation.method == Method::GET {
            let reply = operation.send_with_token(&prokura, &account.id, &own).await;
            shown.push_str(&format!("{:?}", reply.expect(200).essence()));
        }
    }
    let text = prokura.introspect(&prokura.root, &own).await.to_string();
    shown.push_str(&text);
    for secret in secrets {
        // No useful part of the secret is shown either.
        assert!(!shown.contains(&secret[4..12]));
        assert!(!shown.contains(&secret[secret.len() - 8..]));
    }
    for digest in digests {
        assert!(!shown.contains(digest[0].as_str().unwrap()));
    }
    assert!(shown.contains(&account.client_id));
}

/// G3, P2. Rotation without a grace period ends the old secret at once. Tokens stay valid until they expire.
#[tokio::test]
async fn a_rotated_secret_stops_working_at_once_and_tokens_live_on() {
    let (prokura, token) = start_with_token().await;
    let (created, mut account) = prokura.create(&token, json!({ "name": "CI" })).await;
    let issued = prokura.access_token(&account).await;
    for _ in 0..3 {
        prokura.advance(1000);
        let rotated = prokura.rotate(&token, &account.id).await;
        for path in ["/oauth2/token", "/oauth2/introspect", "/oauth2/revoke"] {
            let form = [("grant_type", "client_credentials"), ("token", &issued)];
            prokura
                .form(path, &account, &form)
                .await
                .expect_oauth_error(401, "invalid_client");
        }
        prokura.access_token(&rotated).await;
        account = rotated;
    }
    let got = prokura.try_get_account(&issued, &account.id).await;
    let got = got.expect(200).json()["serviceAccount"].clone();
    assert_eq!(got["updatedAt"], "2026-11-23T12:00:03.000Z");
    assert_eq!(got["createdAt"], created["createdAt"]);
    assert_eq!(got["clientId"], created["clientId"]);

    let seen = prokura.introspect(&prokura.root, &issued).await;
    assert_eq!(seen["active"], true);
    prokura.advance(3_600_000);
    let seen = prokura.introspect(&prokura.root, &issued).await;
    assert_eq!(seen, json!({ "active": false }));
}

/// G4, P3. Deletion ends every token that the account ever got, in both formats and at every endpoint.
#[tokio::test]
async fn deleting_an_account_ends_its_tokens() {
    let stock = "https://stock.example.com";
    let prokura = start_with(Options::with_resources(vec![jwt_resource(
        stock,
        "stock:read",
        SigningAlgorithm::Es256,
    )]))
    .await;
    let token = prokura.access_token(&prokura.root).await;
    let body = json!({ "name": "CI", "scopes": ["management:all", "stock:read"] });
    let (_, account) = prokura.create(&token, body).await;
    let mut tokens = Vec::new();
    for _ in 0..3 {
        tokens.push(prokura.access_token(&account).await);
        let form = [("resource", stock)];
        tokens.push(prokura.access_token_with(&account, &form).await);
        prokura.advance(1000);
    }
    for issued in &tokens {
        let seen = prokura.introspect(&prokura.root, issued).await;
        assert_eq!(seen["active"], true);
    }

    prokura.delete(&token, &account.id).await;
    for path in ["/oauth2/token", "/oauth2/introspect", "/oauth2/revoke"] {
        let form = [("grant_type", "client_credentials"), ("token", &token)];
        prokura
            .form(path, &account, &form)
            .await
            .expect_oauth_error(401, "invalid_client");
    }
    for issued in &tokens {
        let seen = prokura.introspect(&prokura.root, issued).await;
        assert_eq!(seen, json!({ "active": false }));
        prokura
            .api(Method::GET, "/service-accounts", issued, None)
            .await
            .expect_api_error(401, "invalid_token");
    }
    for operation in operations_on_an_account() {
        let reply = operation.send_with_token(&prokura, &account.id, &token);
        reply
            .await
            .expect_api_error(404, "service_account_not_found");
    }
    let list = prokura
        .api(Method::GET, "/service-accounts", &token, None)
        .await
        .json();
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
}

/// G3, G4. A change on one node takes effect on every other node. On SQLite there is only one node.
#[tokio::test]
async fn a_rotation_or_deletion_takes_effect_on_every_node_at_once() {
    if DATABASE == Database::Sqlite {
        return;
    }
    let one = start().await;
    let two = one.another_node(Options::default()).await;
    let token = one.access_token(&one.root).await;
    for _ in 0..10 {
        let (_, account) = one.create(&token, json!({ "name": "CI" })).await;
        // Both nodes have read the account, in case they cache it.
        let issued = two.access_token(&account).await;
        for node in [&one, &two] {
            node.access_token(&account).await;
            assert_eq!(node.introspect(&one.root, &issued).await["active"], true);
        }
        let rotated = one.rotate(&token, &account.id).await;
        two.token(&account, &[])
            .await
            .expect_oauth_error(401, "invalid_client");
        two.access_token(&rotated).await;
        two.api(Method::GET, "/service-accounts", &issued, None)
            .await
            .expect(200);
        one.delete(&token, &account.id).await;
        two.token(&rotated, &[])
            .await
            .expect_oauth_error(401, "invalid_client");
        let seen = two.introspect(&one.root, &issued).await;
        assert_eq!(seen, json!({ "active": false }));
        two.api(Method::GET, "/service-accounts", &issued, None)
            .await
            .expect_api_error(401, "invalid_token");
    }
}

/// G7. A client that lost the response to a rotation rotates again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotation_whose_response_was_lost_can_be_repeated() {
    let (prokura, token, account) = start_with_account().await;
    // The request has no body, no Content-Type and no Content-Length.
    let request = format!("POST /api/v1/service-accounts/{}/rotate-secret", account.id);
    let authorization = format!("Authorization: Bearer {token}");
    let lost = prokura.wire_request(&request, &[&authorization]).await;
    assert_eq!(lost.status(), 200);
    prokura
        .token(&account, &[])
        .await
        .expect_oauth_error(401, "invalid_client");
    let again = prokura.rotate(&token, &account.id).await;
    prokura.access_token(&again).await;
    let lost = serde_json::from_str::<Value>(lost.body()).unwrap();
    let lost = Credentials {
        client_secret: lost["credentials"]["clientSecret"]
            .as_str()
            .unwrap()
            .to_owned(),
        ..account
    };
    prokura
        .token(&lost, &[])
        .await
        .expect_oauth_error(401, "invalid_client");
}
