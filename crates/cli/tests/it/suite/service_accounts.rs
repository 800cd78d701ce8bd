//! The five operations on service accounts, as a client of the API sees them.

use reqwest::Method;
use serde_json::json;

use super::start;

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
