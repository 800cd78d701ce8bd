//! Discovery (section M; RFC 8414).
//!
//! M8, protected-resource metadata, is not offered.

use prokura_server::domain::{SigningAlgorithm, TokenFormat};
use reqwest::Method;
use serde_json::{Value, json};

use super::{start, start_with};
use crate::harness::{Options, Prokura, Reply, jwt_resource, opaque_resource, verify};

const OAUTH: &str = "/.well-known/oauth-authorization-server";
const OPENID: &str = "/.well-known/openid-configuration";
const DOCUMENTS: [&str; 2] = [OAUTH, OPENID];

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// M1, M3, M4, M5, CH15, CH16. The whole document, at both of its addresses.
#[tokio::test]
async fn the_metadata_document_has_exactly_the_expected_members() {
    let prokura = start_with(Options::with_resources(vec![opaque_resource(
        "https://orders.example",
        "orders:read",
    )]))
    .await;
    let issuer = prokura.issuer.clone();
    assert_eq!(issuer, prokura.url);
    let methods = ["client_secret_basic", "client_secret_post"];
    for path in DOCUMENTS {
        assert_eq!(
            prokura.get(path).await.expect(200).json(),
            json!({
                "issuer": issuer,
                "token_endpoint": format!("{issuer}/oauth2/token"),
                "introspection_endpoint": format!("{issuer}/oauth2/introspect"),
                "revocation_endpoint": format!("{issuer}/oauth2/revoke"),
                "jwks_uri": format!("{issuer}/.well-known/jwks.json"),
                "scopes_supported": [
                    "management:all",
                    "management:audit:read",
                    "management:service-accounts:read",
                    "management:service-accounts:rotate",
                    "management:service-accounts:write",
                    "tokens:introspect",
                    "orders:read",
                ],
                // RFC 8414 §2 requires the member. There is no authorization endpoint, so it is empty.
                "response_types_supported": [],
                "grant_types_supported": ["client_credentials"],
                "token_endpoint_auth_methods_supported": methods,
                "introspection_endpoint_auth_methods_supported": methods,
                "revocation_endpoint_auth_methods_supported": methods,
                // OpenID Connect Discovery 1.0 §3 requires both.
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["ES256", "EdDSA", "RS256"],
            })
        );
    }
}

#[tokio::test]
async fn a_path_segment_that_looks_like_a_route_pattern_is_matched_literally() {
    let options = Options {
        public_path: "/:a/*b",
        ..Options::default()
    };
    let prokura = start_with(options).await;
    for document in DOCUMENTS {
        prokura.get(&format!("{document}/:a/*b")).await.expect(200);
        prokura.get(&format!("{document}/x/y")).await.expect(404);
    }
}

/// M2. The document of an issuer with a path is between host and path (RFC 8414 §3.1). Clients that append the
/// well-known path instead come through a proxy that strips the issuer's path.
#[tokio::test]
async fn the_metadata_of_an_issuer_with_a_path_is_between_host_and_path() {
    let options = || Options {
        public_path: "/tenants/1",
        management_format: TokenFormat::Jwt(SigningAlgorithm::Es256),
        ..Options::default()
    };
    let prokura = start_with(options()).await;
    let issuer = format!("{}/tenants/1", prokura.url);
    for document in DOCUMENTS {
        let inserted = prokura.get(&format!("{document}/tenants/1")).await;
        let plain = prokura.get(document).await.expect(200);
        assert_eq!(inserted.expect(200).json(), plain.json());
        let document = plain.json();
        assert_eq!(document["issuer"], issuer);
        assert_eq!(document["token_endpoint"], format!("{issuer}/oauth2/token"));
        assert_eq!(
            document["jwks_uri"],
            format!("{issuer}/.well-known/jwks.json")
        );
    }
    for path in ["/tenants/1/", "/tenants", "/tenants/2", "/"] {
        prokura.get(&format!("{OAUTH}{path}")).await.expect(404);
    }
    // Tokens carry the same issuer.
    let token = prokura.access_token(&prokura.root).await;
    let keys = prokura.get("/.well-known/jwks.json").await.json();
    let keys = serde_json::from_value(keys).unwrap();
    verify(&keys, &issuer, &format!("{issuer}/api/v1"), &token);
}

/// M5. No member is null, and none is empty but `response_types_supported`.
#[tokio::test]
async fn no_member_is_null_or_empty() {
    let prokura = start().await;
    for path in DOCUMENTS {
        for (name, value) in prokura.get(path).await.json().as_object().unwrap() {
            let is_empty = match value {
                Value::Null => true,
                Value::String(text) => text.is_empty(),
                Value::Array(values) => values.is_empty(),
                _ => panic!("{name}"),
            };
            assert_eq!(is_empty, name == "response_types_supported", "{name}");
        }
    }
}

/// Posts a form as the first account, by one of the two authentication methods.
async fn post(prokura: &Prokura, url: &str, method: &str, form: &[(&str, &str)]) -> Reply {
    let path = url.strip_prefix(&prokura.url).unwrap();
    let root = &prokura.root;
    let mut form = form.to_vec();
    let mut request = prokura.request(Method::POST, path);
    match method {
        "client_secret_basic" => request = request.header("authorization", root.basic()),
        "client_secret_post" => form.extend([
            ("client_id", &*root.client_id),
            ("client_secret", &*root.client_secret),
        ]),
        other => panic!("{other} is listed and not known here"),
    }
    prokura.send(request.form(&form)).await
}

/// M6. Each listed endpoint responds, each listed method authenticates there, and each listed grant issues a token.
#[tokio::test]
async fn every_listed_endpoint_accepts_every_listed_authentication_method() {
    let prokura = start().await;
    let document = prokura.get(OAUTH).await.json();
    let list = |name: &str| document[name].as_array().unwrap().clone();
    for grant in list("grant_types_supported") {
        for method in list("token_endpoint_auth_methods_supported") {
            let url = text(&document["token_endpoint"]);
            let form = [("grant_type", text(&grant))];
            let issued = post(&prokura, url, text(&method), &form).await.expect(200);
            let token = issued.json()["access_token"].as_str().unwrap().to_owned();

            let form = [("token", &*token)];
            let url = text(&document["introspection_endpoint"]);
            for method in list("introspection_endpoint_auth_methods_supported") {
                let answer = post(&prokura, url, text(&method), &form).await;
                assert_eq!(answer.expect(200).json()["active"], true);
            }
            let url = text(&document["revocation_endpoint"]);
            for method in list("revocation_endpoint_auth_methods_supported") {
                post(&prokura, url, text(&method), &form).await.expect(200);
            }
            let answer = prokura.introspect(&prokura.root, &token).await;
            assert_eq!(answer, json!({ "active": false }));
        }
    }
    // What is not listed does not work.
    for grant in [
        "password",
        "authorization_code",
        "refresh_token",
        "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "urn:ietf:params:oauth:grant-type:token-exchange",
        "urn:ietf:params:oauth:grant-type:device_code",
    ] {
        let url = text(&document["token_endpoint"]);
        post(
            &prokura,
            url,
            "client_secret_basic",
            &[("grant_type", grant)],
        )
        .await
        .expect_oauth_error(400, "unsupported_grant_type");
    }
}

/// M6. Each listed scope can be granted, and no other. A scope that the configuration no longer has is no longer listed.
#[tokio::test]
async fn every_listed_scope_can_be_granted() {
    let with_orders = || {
        Options::with_resources(vec![
            opaque_resource("https://orders.example", "orders:read orders:write"),
            jwt_resource(
                "https://stock.example",
                "stock:read",
                SigningAlgorithm::EdDsa,
            ),
        ])
    };
    let prokura = start_with(with_orders()).await;
    let token = prokura.access_token(&prokura.root).await;
    let scopes = prokura.get(OAUTH).await.json()["scopes_supported"].clone();
    assert_eq!(scopes.as_array().unwrap().len(), 9);
    for scope in scopes.as_array().unwrap() {
        let body = json!({ "name": "Holder", "scopes": [scope] });
        let (_, client) = prokura.create(&token, body).await;
        let form = [("scope", text(scope))];
        let issued = prokura.token(&client, &form).await.expect(200).json();
        assert_eq!(issued["scope"], *scope);
    }
    for scope in ["orders:delete", "openid", "offline_access"] {
        let body = json!({ "name": "Holder", "scopes": [scope] });
        prokura
            .try_create(&token, body)
            .await
            .expect_api_error(400, "invalid_request");
        let form = [("scope", scope)];
        prokura
            .token(&prokura.root, &form)
            .await
            .expect_oauth_error(400, "invalid_scope");
    }

    let prokura = prokura.restart(Options::default()).await;
    let scopes = prokura.get(OAUTH).await.json()["scopes_supported"].clone();
    assert_eq!(scopes.as_array().unwrap().len(), 6);
}

/// M6. The keys at `jwks_uri` verify tokens of each algorithm in use.
#[tokio::test]
async fn every_published_key_verifies_tokens() {
    let algorithms = [
        ("https://es.example", "es:read", SigningAlgorithm::Es256),
        ("https://ed.example", "ed:read", SigningAlgorithm::EdDsa),
        ("https://rs.example", "rs:read", SigningAlgorithm::Rs256),
    ];
    let prokura = start_with(Options {
        resources: algorithms
            .map(|(identifier, scope, algorithm)| jwt_resource(identifier, scope, algorithm))
            .into(),
        ..Options::default()
    })
    .await;
    let document = prokura.get(OAUTH).await.json();
    let path = text(&document["jwks_uri"]).strip_prefix(&prokura.url);
    let keys = prokura.get(path.unwrap()).await.expect(200).json();
    assert_eq!(keys["keys"].as_array().unwrap().len(), algorithms.len());
    let keys = serde_json::from_value(keys).unwrap();

    let token = prokura.access_token(&prokura.root).await;
    let scopes = algorithms.map(|(_, scope, _)| scope);
    let body = json!({ "name": "Holder", "scopes": scopes });
    let (_, client) = prokura.create(&token, body).await;
    for (identifier, _, _) in algorithms {
        let form = [("resource", identifier)];
        let token = prokura.access_token_with(&client, &form).await;
        let claims = verify(&keys, text(&document["issuer"]), identifier, &token);
        assert_eq!(claims["aud"], identifier);
    }
}

/// M7. The document shows the configured issuer, whatever host the request names.
#[tokio::test]
async fn the_host_of_a_request_does_not_change_the_metadata() {
    let prokura = start().await;
    let paths = [OAUTH, OPENID, "/.well-known/jwks.json"];
    for path in paths {
        let ours = String::from_utf8(prokura.get(path).await.expect(200).body.to_vec()).unwrap();
        for (target, host) in [
            (path.to_owned(), "evil.example"),
            (format!("http://evil.example{path}"), "evil.example"),
            (format!("http://evil.example{path}"), "127.0.0.1"),
        ] {
            let request = format!(
                "GET {target} HTTP/1.1\r\nHost: {host}\r\nX-Forwarded-Host: evil.example\r\nX-Forwarded-Proto: https\r\n\
                 Forwarded: host=evil.example;proto=https\r\nX-Original-Host: evil.example\r\nConnection: close\r\n\r\n"
            );
            let answer = prokura.wire(request).await;
            assert_eq!(answer.status(), 200, "{answer:?}");
            assert!(!answer.0.contains("evil"), "{answer:?}");
            assert_eq!(answer.body(), ours);
        }
    }
}

/// M9, T8. A resource must be named exactly, and its name becomes the audience.
#[tokio::test]
async fn a_resource_must_be_named_exactly() {
    let orders = "https://orders.example.com/v1";
    let prokura = start_with(Options {
        resources: vec![jwt_resource(orders, "orders:read", SigningAlgorithm::Es256)],
        aliases: vec!["https://api.example.com/api/v1".to_owned()],
        ..Options::default()
    })
    .await;
    let token = prokura.access_token(&prokura.root).await;
    let body = json!({ "name": "Holder", "scopes": ["orders:read", "management:all"] });
    let (_, client) = prokura.create(&token, body).await;
    let management = format!("{}/api/v1", prokura.issuer);
    for (name, value) in [
        ("resource", orders),
        ("audience", orders),
        ("resource", &management),
        ("resource", "https://api.example.com/api/v1"),
    ] {
        let token = prokura.access_token_with(&client, &[(name, value)]).await;
        let answer = prokura.introspect(&prokura.root, &token).await;
        assert_eq!(answer["aud"], value);
    }
    for unknown in [
        "https://a/#x",
        "https://orders.example.com/v1#",
        "https://orders.example.com/v1#x",
        "https://orders.example.com/v1/",
        "https://orders.example.com/v1?",
        "https://orders.example.com/v1?a=b",
        "https://orders.example.com:443/v1",
        "https://orders.example.com/./v1",
        "https://orders.example.com/%761",
        "https://orders.example.com",
        "HTTPS://orders.example.com/v1",
        "https://ORDERS.example.com/v1",
        "http://orders.example.com/v1",
        " https://orders.example.com/v1",
        "orders.example.com/v1",
        "/v1",
        "v1",
        "*",
        "https://nobody.example",
        &client.client_id,
        &prokura.issuer,
        &format!("{orders} {management}"),
    ] {
        for name in ["resource", "audience"] {
            prokura
                .token(&client, &[(name, unknown)])
                .await
                .expect_oauth_error(400, "invalid_target");
        }
    }
    // RFC 8707 §2: the parameter may repeat, as long as all values name one resource.
    let twice = [
        ("resource", orders),
        ("resource", orders),
        ("audience", orders),
    ];
    prokura.token(&client, &twice).await.expect(200);
    let two = [("resource", orders), ("resource", &*management)];
    prokura
        .token(&client, &two)
        .await
        .expect_oauth_error(400, "invalid_target");
    // A parameter without a value counts as omitted (T5).
    let issued = prokura.token(&client, &[("resource", "")]).await;
    assert_eq!(issued.expect(200).json()["scope"], "management:all");
}

/// M10, H7. The documents are public, cacheable, readable from pages of other origins, and read-only.
#[tokio::test]
async fn the_documents_are_public_and_read_only() {
    let prokura = start().await;
    for path in DOCUMENTS {
        let whole = prokura.get(path).await.expect(200);
        assert_eq!(whole.header("content-type"), "application/json");
        assert_eq!(whole.header("cache-control"), "public, max-age=300");
        assert_eq!(whole.header("access-control-allow-origin"), "*");
        assert_eq!(whole.header("access-control-allow-credentials"), "");
        assert_eq!(whole.header("x-content-type-options"), "nosniff");
        assert!(!whole.header("x-request-id").is_empty());
        let etag = whole.header("etag");
        let request = prokura
            .request(Method::GET, path)
            .header("if-none-match", etag);
        assert!(prokura.send(request).await.expect(304).body.is_empty());

        let head = prokura.send(prokura.request(Method::HEAD, path)).await;
        let head = head.expect(200);
        assert!(head.body.is_empty());
        for name in ["content-type", "content-length", "etag", "cache-control"] {
            assert_eq!(head.header(name), whole.header(name), "{name}");
        }
        for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            let reply = prokura.send(prokura.request(method, path)).await;
            let reply = reply.expect_oauth_error(405, "method_not_allowed");
            let allowed = reply.header("allow");
            assert!(allowed.contains("GET") && allowed.contains("HEAD"));
        }
    }
}
