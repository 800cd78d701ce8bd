//! The JWT access tokens that the server issues (section J; RFC 9068).

use std::collections::BTreeSet;

use jsonwebtoken::jwk::JwkSet;
use prokura_server::domain::{SigningAlgorithm, TokenFormat};
use reqwest::Method;
use serde_json::{Value, json};

use super::{start_with, start_with_token};
use crate::harness::{Credentials, Options, Prokura, claims_of, header_of, jwt_resource, verify};

const ORDERS: &str = "https://orders.example.com";
const STOCK: &str = "https://stock.example.com";
const BILLS: &str = "https://bills.example.com";

/// Three resources, each with another signing algorithm.
fn one_resource_for_each_algorithm() -> Options {
    Options {
        resources: vec![
            jwt_resource(ORDERS, "orders:read orders:write", SigningAlgorithm::Es256),
            jwt_resource(STOCK, "stock:read", SigningAlgorithm::EdDsa),
            jwt_resource(BILLS, "bills:read", SigningAlgorithm::Rs256),
        ],
        ..Options::default()
    }
}

/// Creates an account with these scopes.
async fn account(prokura: &Prokura, scopes: &[&str]) -> Credentials {
    let token = prokura.access_token(&prokura.root).await;
    let body = json!({
        "name": "Nightly <nightly@example.com>",
        "description": "Reads what was ordered",
        "scopes": scopes,
    });
    prokura.create(&token, body).await.1
}

/// J1, J2, J4, J5, J8. Another implementation, which knows only the published keys, verifies tokens of all three
/// algorithms.
#[tokio::test]
async fn an_api_that_knows_only_the_published_keys_can_verify_a_token() {
    let prokura = start_with(one_resource_for_each_algorithm()).await;
    let client = account(&prokura, &["orders:read", "stock:read", "bills:read"]).await;
    let metadata = prokura.get("/.well-known/oauth-authorization-server").await;
    let issuer = metadata.json()["issuer"].as_str().unwrap().to_owned();
    let jwks = prokura.get("/.well-known/jwks.json").await.json();
    let keys: JwkSet = serde_json::from_value(jwks).unwrap();
    // J8: within a second, where rounding would show.
    prokura.advance(1);

    for (resource, scope, algorithm) in [
        (ORDERS, "orders:read", "ES256"),
        (STOCK, "stock:read", "EdDSA"),
        (BILLS, "bills:read", "RS256"),
    ] {
        let form = [("resource", resource)];
        let issued = prokura.token(&client, &form).await.expect(200).json();
        let token = issued["access_token"].as_str().unwrap();

        let header = header_of(token);
        assert_eq!(header["typ"], "at+jwt");
        assert_eq!(header["alg"], algorithm);
        assert!(keys.find(header["kid"].as_str().unwrap()).is_some());
        assert_eq!(header.as_object().unwrap().len(), 3, "{header}");

        let claims = verify(&keys, &issuer, resource, token);
        assert_eq!(claims["iss"], issuer);
        assert_eq!(claims["iss"], prokura.issuer);
        assert_eq!(claims["aud"], resource);
        assert_eq!(claims["sub"], client.client_id);
        assert_eq!(claims["client_id"], client.client_id);
        assert_eq!(claims["scope"], scope);
        assert!(!claims["jti"].as_str().unwrap().is_empty());
        let (issued_at, expires_at) = (
            claims["iat"].as_i64().expect("a whole number of seconds"),
            claims["exp"].as_i64().expect("a whole number of seconds"),
        );
        assert_eq!(issued_at, prokura.now() / 1000);
        assert_eq!(issued["expires_in"], 900);
        assert_eq!(expires_at - issued_at, 900);
    }
}

/// J2, R6. No two tokens have the same `jti`.
#[tokio::test]
async fn every_jwt_has_its_own_id() {
    let prokura = start_with(one_resource_for_each_algorithm()).await;
    let client = account(&prokura, &["orders:read"]).await;
    let mut ids = BTreeSet::new();
    for _ in 0..20 {
        let form = [("resource", ORDERS)];
        let token = prokura.access_token_with(&client, &form).await;
        ids.insert(claims_of(&token)["jti"].as_str().unwrap().to_owned());
    }
    assert_eq!(ids.len(), 20);
}

/// J3. Accounts with the same name have different subjects. The prefix `sa_` keeps them apart from the users of other
/// systems.
#[tokio::test]
async fn the_subject_is_the_client_id_and_not_the_name() {
    let prokura = start_with(one_resource_for_each_algorithm()).await;
    let twins = [
        account(&prokura, &["orders:read"]).await,
        account(&prokura, &["orders:read"]).await,
    ];
    let mut subjects = Vec::new();
    for twin in &twins {
        let token = prokura
            .access_token_with(twin, &[("resource", ORDERS)])
            .await;
        let subject = claims_of(&token)["sub"].as_str().unwrap().to_owned();
        assert_eq!(subject, format!("sa_{}", twin.id));
        subjects.push(subject);
    }
    assert_ne!(subjects[0], subjects[1]);
}

/// J6. The audience of a token is one resource.
#[tokio::test]
async fn a_token_is_for_the_named_resource_or_the_scopes_or_the_management_api() {
    let prokura = start_with(Options {
        management_format: TokenFormat::Jwt(SigningAlgorithm::Es256),
        ..one_resource_for_each_algorithm()
    })
    .await;
    let client = account(
        &prokura,
        &[
            "management:all",
            "orders:read",
            "orders:write",
            "stock:read",
        ],
    )
    .await;
    let management = format!("{}/api/v1", prokura.issuer);
    for (form, audience, scope) in [
        (&[][..], &*management, "management:all"),
        (&[("resource", ORDERS)], ORDERS, "orders:read orders:write"),
        (&[("audience", ORDERS)], ORDERS, "orders:read orders:write"),
        (&[("scope", "orders:write")], ORDERS, "orders:write"),
        (&[("scope", "stock:read")], STOCK, "stock:read"),
        (
            &[("resource", ORDERS), ("scope", "orders:read")],
            ORDERS,
            "orders:read",
        ),
    ] {
        let claims = claims_of(&prokura.access_token_with(&client, form).await);
        assert_eq!(claims["aud"], audience, "{form:?}");
        assert_eq!(claims["scope"], scope, "{form:?}");
    }
    for (form, error) in [
        // With two resources in one token, it would be unclear which scope counts where.
        (&[("scope", "orders:read stock:read")][..], "invalid_scope"),
        (&[("scope", "management:all orders:read")], "invalid_scope"),
        (
            &[("resource", ORDERS), ("scope", "orders:read stock:read")],
            "invalid_scope",
        ),
        (
            &[("resource", ORDERS), ("scope", "stock:read")],
            "invalid_scope",
        ),
        (
            &[("resource", ORDERS), ("resource", STOCK)],
            "invalid_target",
        ),
        (
            &[("resource", ORDERS), ("audience", STOCK)],
            "invalid_target",
        ),
    ] {
        prokura
            .token(&client, form)
            .await
            .expect_oauth_error(400, error);
    }
}

/// J7. Everybody can read a JWT, so it has only the claims that an API needs.
#[tokio::test]
async fn a_jwt_has_only_the_claims_that_an_api_needs() {
    let prokura = start_with(one_resource_for_each_algorithm()).await;
    let client = account(&prokura, &["orders:read"]).await;
    let token = prokura
        .access_token_with(&client, &[("resource", ORDERS)])
        .await;
    let claims = claims_of(&token);
    let names = claims.as_object().unwrap().keys().map(String::as_str);
    assert_eq!(
        names.collect::<BTreeSet<_>>(),
        BTreeSet::from([
            "iss",
            "sub",
            "aud",
            "client_id",
            "scope",
            "iat",
            "exp",
            "jti",
            "organization_id",
            "token_epoch",
        ])
    );
    let text = claims.to_string();
    for secret in ["Nightly", "example.com>", "ordered", "prk_"] {
        assert!(!text.contains(secret), "{text}");
    }
    assert!(!text.contains(&client.client_secret));
}

/// J9. The organization is that of the account that was signed. No header, path or forged claim changes it.
#[tokio::test]
async fn a_request_cannot_change_the_organization_of_a_token() {
    let prokura = start_with(Options::with_format(TokenFormat::Jwt(
        SigningAlgorithm::Es256,
    )))
    .await;
    let other = prokura.bootstrap("Globex").await;
    let (ours, theirs) = (
        prokura.access_token(&prokura.root).await,
        prokura.access_token(&other).await,
    );
    let organization = |token: &str| claims_of(token)["organization_id"].clone();
    assert_ne!(organization(&ours), organization(&theirs));

    let theirs = organization(&theirs).as_str().unwrap().to_owned();
    let mut request = prokura
        .request(
            Method::GET,
            &format!("/api/v1/service-accounts?organizationId={theirs}"),
        )
        .bearer_auth(&ours);
    for name in ["X-Organization-Id", "X-Org-Id", "X-Tenant"] {
        request = request.header(name, &theirs);
    }
    // The query has no such parameter, so the request is refused.
    prokura.send(request).await.expect(400);
    let mut request = prokura
        .request(Method::GET, "/api/v1/service-accounts")
        .bearer_auth(&ours);
    for name in ["X-Organization-Id", "X-Org-Id", "X-Tenant"] {
        request = request.header(name, &theirs);
    }
    let listed = prokura.send(request).await.expect(200).json();
    assert_eq!(ids(&listed), [&*prokura.root.id]);

    // Signed with our key, but for an account of another organization. The server never issued such a token.
    let forger = prokura.forger(SigningAlgorithm::Es256).await;
    let mut claims = claims_of(&ours);
    let header = forger.header().to_string();
    assert_eq!(
        prokura
            .introspect(&prokura.root, &forger.sign(&header, claims.to_string()))
            .await["active"],
        true
    );
    claims["organization_id"] = json!(theirs);
    let forged = forger.sign(&header, claims.to_string());
    prokura
        .api(Method::GET, "/service-accounts", &forged, None)
        .await
        .expect_api_error(401, "invalid_token");
    for client in [&prokura.root, &other] {
        assert_eq!(
            prokura.introspect(client, &forged).await,
            json!({ "active": false })
        );
    }
}

/// J1, CH14. Without configuration the server issues no JWT.
#[tokio::test]
async fn tokens_for_the_management_api_are_opaque_by_default() {
    let (_, token) = start_with_token().await;
    assert!(token.starts_with("prka_"), "{token}");
    assert!(!token.contains('.'));
}

fn ids(listed: &Value) -> Vec<&str> {
    let items = listed["items"].as_array().unwrap();
    items
        .iter()
        .map(|item| item["id"].as_str().unwrap())
        .collect()
}
