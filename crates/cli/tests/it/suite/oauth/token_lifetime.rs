//! The lifetime of a token: `expires_in`, `iat` and `exp` (R3, J8).

use prokura_server::domain::SigningAlgorithm;
use serde_json::{Value, json};

use super::start_with;
use crate::harness::{Credentials, Options, Prokura, claims_of, jwt_resource, opaque_resource};

/// A server with an opaque and a JWT resource, and a client with scopes of both and of the management API.
async fn server_and_client() -> (Prokura, Credentials) {
    let prokura = start_with(Options {
        resources: vec![
            jwt_resource(
                "https://orders.example",
                "orders:read",
                SigningAlgorithm::Es256,
            ),
            opaque_resource("https://billing.example", "billing:read"),
        ],
        ..Options::default()
    })
    .await;
    let token = prokura.access_token(&prokura.root).await;
    let scopes = json!(["management:all", "orders:read", "billing:read"]);
    let body = json!({ "name": "CI", "scopes": scopes });
    let client = prokura.create(&token, body).await.1;
    (prokura, client)
}

/// Issues a token with `scope`, and returns its text and what introspection says about it.
async fn issue(prokura: &Prokura, client: &Credentials, scope: &str) -> (String, Value, Value) {
    let reply = prokura.token(client, &[("scope", scope)]).await;
    let reply = reply.expect(200).json();
    let token = reply["access_token"].as_str().unwrap().to_owned();
    let seen = prokura.introspect(&prokura.root, &token).await;
    (token, reply, seen)
}

/// R3, J8: verifiers that cap the lifetime of a token would refuse one second more.
#[tokio::test]
async fn exp_minus_iat_is_expires_in_at_every_instant_of_a_second() {
    let (prokura, client) = server_and_client().await;
    let instants = [0, 1, 2, 9, 123, 250, 499, 500, 501, 750, 997, 998, 999];
    for (scope, lifetime) in [
        ("management:all", 3600),
        ("orders:read", 900),
        ("billing:read", 900),
    ] {
        for into_the_second in instants {
            prokura.advance(1000 - prokura.now() % 1000 + into_the_second);
            let (token, reply, seen) = issue(&prokura, &client, scope).await;
            assert!(reply["expires_in"].is_u64(), "{reply}");
            assert_eq!(reply["expires_in"], lifetime);
            assert_eq!(seen["iat"], prokura.now() / 1000, "{into_the_second} ms");
            let times = [&seen["exp"], &seen["iat"]].map(|time| time.as_i64().unwrap());
            assert_eq!(times[0] - times[1], lifetime, "{into_the_second} ms");
            if scope == "orders:read" {
                let claims = claims_of(&token);
                assert_eq!(
                    [&claims["exp"], &claims["iat"]],
                    [&seen["exp"], &seen["iat"]]
                );
            }
        }
    }
}

/// RFC 7519 §4.1.4, RFC 7662 §2.2: at `exp` a token of either format is expired, wherever in a second it was issued.
#[tokio::test]
async fn a_token_is_active_until_exp() {
    let (prokura, client) = server_and_client().await;
    for scope in ["orders:read", "billing:read"] {
        for into_the_second in [0, 1, 999] {
            prokura.advance(1000 - prokura.now() % 1000 + into_the_second);
            let (token, _, seen) = issue(&prokura, &client, scope).await;
            let expires_at = seen["exp"].as_i64().unwrap() * 1000;
            prokura.advance(expires_at - prokura.now() - 1);
            let before = prokura.introspect(&prokura.root, &token).await;
            assert_eq!(before["active"], true, "{scope} {into_the_second}");
            prokura.advance(1);
            let after = prokura.introspect(&prokura.root, &token).await;
            assert_eq!(after["active"], false, "{scope} {into_the_second}");
        }
    }
}

/// R3: the maximum is 365 days.
#[tokio::test]
async fn a_token_can_be_valid_for_a_year() {
    let year = 31_536_000;
    let prokura = start_with(Options {
        lifetime_seconds: year,
        ..Options::default()
    })
    .await;
    let reply = prokura.token(&prokura.root, &[]).await.expect(200).json();
    assert_eq!(reply["expires_in"], year);
    let token = reply["access_token"].as_str().unwrap();
    prokura.advance(i64::from(year) * 1000 - 1);
    assert_eq!(
        prokura.introspect(&prokura.root, token).await["active"],
        true
    );
    prokura.advance(1);
    assert_eq!(
        prokura.introspect(&prokura.root, token).await["active"],
        false
    );
}
