//! The JWTs that are issued (section J).

use std::collections::BTreeSet;

use jsonwebtoken::jwk::JwkSet;
use prokura_server::domain::{SigningAlgorithm, TokenFormat};
use reqwest::Method;
use serde_json::{Value, json};

use super::{start, start_with};
use crate::harness::{Credentials, Options, Prokura, claims_of, header_of, jwt_resource, verify};

const ORDERS: &str = "https://orders.example.com";
const STOCK: &str = "https://stock.example.com";
const BILLS: &str = "https://bills.example.com";

/// Three resources, each signed with another algorithm.
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

/// An account with these scopes.
async fn account(prokura: &Prokura, scopes: &[&str]) -> Credentials {
    let token = prokura.access_token(&prokura.root).await;
    let body = json!({
        "name": "Nightly <nightly@example.com>",
        "description": "Reads what was ordered",
        "scopes": scopes,
    });
    prokura.create(&token, body).await.1
}

/// J1, J2, J4, J5, J8: tokens of all three algorithms hold before an implementation that is not ours and knows nothing but
/// what is published.
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
        // The lifetime is a promise: it may be exceeded by the fraction of a second, never fallen short of.
        let lifetime = issued["expires_in"].as_i64().unwrap();
        assert_eq!(lifetime, 900);
        assert!((lifetime..=lifetime + 1).contains(&(expires_at - issued_at)));
        assert!(expires_at * 1000 - prokura.now() >= lifetime * 1000);
    }
}

/// J2, R6: no two tokens have the same id, however fast they are asked for.
#[tokio::test]
async fn every_token_has_an_id_of_its_own() {
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

/// J3: accounts that share a name do not share a subject, and no user of another system is called `sa_…`.
#[tokio::test]
async fn the_subject_is_the_account_and_not_its_name() {
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

/// J6: what a token is for, and that it is for one thing.
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
        // Two resources in one token would leave open which scope counts where.
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

/// J7: everybody can read a JWT, so it says what its reader needs and nothing else.
#[tokio::test]
async fn a_token_says_no_more_than_it_must() {
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

/// J9: for whom a token acts is what we signed. A header, a path or a forged claim does not change it.
#[tokio::test]
async fn the_organization_is_the_one_that_was_signed() {
    let prokura = start_with(Options {
        management_format: TokenFormat::Jwt(SigningAlgorithm::Es256),
        ..Options::default()
    })
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
    // The query has no such parameter, and says so.
    prokura.send(request).await.expect(400);
    let mut request = prokura
        .request(Method::GET, "/api/v1/service-accounts")
        .bearer_auth(&ours);
    for name in ["X-Organization-Id", "X-Org-Id", "X-Tenant"] {
        request = request.header(name, &theirs);
    }
    let listed = prokura.send(request).await.expect(200).json();
    assert_eq!(ids(&listed), [&*prokura.root.id]);

    // Signed by us, but of an account of another organization: no such token was ever issued.
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

/// J1, CH14: without configuration there is no JWT at all.
#[tokio::test]
async fn tokens_for_the_management_api_are_opaque_by_default() {
    let prokura = start().await;
    let token = prokura.access_token(&prokura.root).await;
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
