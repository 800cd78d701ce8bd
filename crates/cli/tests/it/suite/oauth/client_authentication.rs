//! Client authentication by secret (section A).
//!
//! A20, that no secret is stored in clear, is tested with the real binary in `operations/secrecy.rs`.

use reqwest::Method;
use serde_json::json;

use super::{GRANT, ask, start, start_with_token};
use crate::harness::Credentials;

/// A4. RFC 6749 §2.3: a request uses one authentication method, even if two carry the same credentials.
#[tokio::test]
async fn two_sets_of_credentials_are_refused() {
    let prokura = start().await;
    let (id, secret) = (&prokura.root.client_id, &prokura.root.client_secret);
    let basic = prokura.root.basic();
    let assertion = "client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer&client_assertion=a.b.c";
    for (authorization, credentials) in [
        (Some(&basic), format!("client_secret={secret}")),
        (
            Some(&basic),
            format!("client_id={id}&client_secret={secret}"),
        ),
        (Some(&basic), "client_secret=other".to_owned()),
        (Some(&basic), assertion.to_owned()),
        (Some(&basic), "client_assertion=a.b.c".to_owned()),
        (
            None,
            format!("client_id={id}&client_secret={secret}&{assertion}"),
        ),
    ] {
        let authorizations = authorization.map(|value| &**value);
        let body = format!("{GRANT}&{credentials}");
        let reply = ask(&prokura, authorizations.as_slice(), &body).await;
        assert_eq!(
            reply.any_oauth_error(),
            (400, "invalid_request".to_owned()),
            "{authorization:?} {credentials}"
        );
    }
}

/// A5. Beside Basic, `client_id` in the body is an identification. It must name the same client.
#[tokio::test]
async fn a_client_id_beside_basic_must_name_the_same_client() {
    let prokura = start().await;
    let other = prokura.bootstrap("Other").await;
    let basic = prokura.root.basic();
    let body = |id: &str| format!("{GRANT}&client_id={id}");
    ask(&prokura, &[&basic], &body(&prokura.root.client_id))
        .await
        .expect(200);
    let upper = prokura.root.client_id.to_uppercase();
    for id in [&*other.client_id, "x", &*upper] {
        ask(&prokura, &[&basic], &body(id))
            .await
            .expect_oauth_error(401, "invalid_client");
    }
}

/// A21. The secret works at the token endpoint only, and the access token at the management API only.
#[tokio::test]
async fn a_secret_and_a_token_are_not_interchangeable() {
    let (prokura, token) = start_with_token().await;
    let secret = &prokura.root.client_secret;
    prokura
        .api(Method::GET, "/service-accounts", secret, None)
        .await
        .expect(401);
    let basic = prokura.root.basic();
    let request = prokura
        .request(Method::GET, "/api/v1/service-accounts")
        .header("authorization", basic);
    prokura.send(request).await.expect(401);

    let imposter = Credentials {
        client_secret: token,
        ..prokura.root.clone()
    };
    prokura
        .token(&imposter, &[])
        .await
        .expect_oauth_error(401, "invalid_client");
    let seen = prokura.introspect(&prokura.root, secret).await;
    assert_eq!(seen, json!({ "active": false }));
}
