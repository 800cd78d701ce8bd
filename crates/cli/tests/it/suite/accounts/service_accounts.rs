//! The five operations on service accounts, as a client of the API sees them.

use prokura_server::domain::SigningAlgorithm;
use reqwest::Method;
use serde_json::{Value, json};

use super::{DATABASE, call, operations, operations_on, start, start_with};
use crate::harness::{Credentials, Database, Options, Prokura, Reply, jwt_resource};

async fn delete(prokura: &Prokura, token: &str, id: &str) -> Reply {
    let path = format!("/service-accounts/{id}");
    prokura.api(Method::DELETE, &path, token, None).await
}

/// G1, R2: the whole life of an account.
#[tokio::test]
async fn an_account_is_created_read_listed_rotated_and_deleted() {
    let prokura = start().await;
    let token = prokura.access_token(&prokura.root).await;
    let body = json!({ "name": "CI Pipeline", "description": "Used by GitHub Actions to manage integrations" });
    let created = prokura
        .api(Method::POST, "/service-accounts", &token, Some(body))
        .await
        .expect(201);
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

/// G1: read your write, on every node: the credentials work at once, and the account is there.
#[tokio::test]
async fn new_credentials_work_at_once() {
    let prokura = start().await;
    let token = prokura.access_token(&prokura.root).await;
    for number in 0..20 {
        let body = json!({ "name": format!("{number}") });
        let (mut account, credentials) = prokura.create(&token, body).await;
        let own = prokura.access_token(&credentials).await;
        account["lastUsedAt"] = account["createdAt"].clone();
        let path = format!("/service-accounts/{}", credentials.id);
        let got = prokura.api(Method::GET, &path, &own, None).await;
        assert_eq!(got.expect(200).json()["serviceAccount"], account);
    }
}

/// G2, P1: what a secret is, where it is shown, and where it is not. That no answer of any test shows one elsewhere is
/// checked by the client of the tests (`assert_keeps_secrets`).
#[tokio::test]
async fn a_secret_is_shown_by_create_and_rotate_alone() {
    let prokura = start().await;
    let token = prokura.access_token(&prokura.root).await;
    let (_, account) = prokura.create(&token, json!({ "name": "CI" })).await;
    let rotated = prokura.rotate(&token, &account.id).await;
    let secrets = [&prokura.root, &account, &rotated].map(|client| &client.client_secret);
    assert_ne!(secrets[1], secrets[2]);
    let digests = prokura.rows("SELECT digest FROM secrets").await;
    let own = prokura.access_token(&rotated).await;
    let mut shown = String::new();
    for operation in &operations(&account.id)[..3] {
        if operation.0 == Method::GET {
            let authorization = format!("Bearer {own}");
            let headers = [("authorization", &*authorization)];
            let reply = call(&prokura, operation, &headers).await.expect(200);
            shown.push_str(&format!("{:?}", reply.essence()));
        }
    }
    let text = prokura.introspect(&prokura.root, &own).await.to_string();
    shown.push_str(&text);
    for secret in secrets {
        // Nor a part of it that would be of use.
        assert!(!shown.contains(&secret[4..12]));
        assert!(!shown.contains(&secret[secret.len() - 8..]));
    }
    for digest in digests {
        assert!(!shown.contains(digest[0].as_str().unwrap()));
    }
    assert!(shown.contains(&account.client_id));
}

/// G3, P2.
#[tokio::test]
async fn a_rotated_secret_stops_working_at_once_and_tokens_live_on() {
    let prokura = start().await;
    let token = prokura.access_token(&prokura.root).await;
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
    let path = format!("/service-accounts/{}", account.id);
    let got = prokura.api(Method::GET, &path, &issued, None).await;
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

/// G4, P3: not the latest token alone, but every one it ever got, whatever its format and wherever it is asked for.
#[tokio::test]
async fn deleting_an_account_ends_its_tokens() {
    let stock = "https://stock.example.com";
    let prokura = start_with(Options {
        resources: vec![jwt_resource(stock, "stock:read", SigningAlgorithm::Es256)],
        ..Options::default()
    })
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

    let deleted = delete(&prokura, &token, &account.id).await.expect(204);
    assert!(deleted.body.is_empty());
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
    let authorization = format!("Bearer {token}");
    for operation in operations_on(&account.id) {
        call(&prokura, &operation, &[("authorization", &authorization)])
            .await
            .expect_api_error(404, "service_account_not_found");
    }
    let list = prokura
        .api(Method::GET, "/service-accounts", &token, None)
        .await
        .json();
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
}

/// G3, G4: what one node has answered holds on every other. On SQLite there is one node.
#[tokio::test]
async fn what_one_node_ends_is_over_on_all() {
    if DATABASE == Database::Sqlite {
        return;
    }
    let one = start().await;
    let two = one.another_node(Options::default()).await;
    let token = one.access_token(&one.root).await;
    for _ in 0..10 {
        let (_, account) = one.create(&token, json!({ "name": "CI" })).await;
        // Both have seen it, in case they remember.
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
        delete(&one, &token, &account.id).await.expect(204);
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

/// G7: a rotation whose answer is lost is made again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rotation_whose_answer_is_lost_is_made_again() {
    let prokura = start().await;
    let token = prokura.access_token(&prokura.root).await;
    let (_, account) = prokura.create(&token, json!({ "name": "CI" })).await;
    // No body, no Content-Type, no Content-Length.
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
