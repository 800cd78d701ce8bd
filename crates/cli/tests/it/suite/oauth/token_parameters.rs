//! The parameters of a token request (section T).

use super::{GRANT, KNOWN, TOKEN, as_root, start, start_with};
use crate::harness::{Options, opaque_resource};

/// T5. RFC 6749 §3.2: a parameter without a value counts as omitted.
#[tokio::test]
async fn a_parameter_without_a_value_counts_as_omitted() {
    let prokura = start().await;
    for empty in KNOWN.iter().filter(|name| **name != "grant_type") {
        for spelling in [format!("{empty}="), (*empty).to_owned()] {
            let reply = as_root(&prokura, &format!("{GRANT}&{spelling}")).await;
            assert_eq!(reply.status, 200, "{spelling}: {reply:?}");
            assert_eq!(reply.json()["scope"], "management:all", "{spelling}");
        }
    }
    for body in ["grant_type=", "grant_type", "grant_type=&scope="] {
        as_root(&prokura, body)
            .await
            .expect_oauth_error(400, "invalid_request");
    }
    let without_secret = format!(
        "{GRANT}&client_id={}&client_secret=",
        prokura.root.client_id
    );
    prokura
        .raw_form(TOKEN, &[], &without_secret)
        .await
        .expect_oauth_error(401, "invalid_client");
}

/// T6. Unknown parameters are ignored. `audience` is known.
#[tokio::test]
async fn an_unknown_parameter_is_ignored() {
    let prokura = start().await;
    for unknown in [
        "foo=bar",
        "state=",
        "nonce",
        "foo=1&foo=2",
        "Scope=x",
        "x=%00",
        "x=%ff",
        "%ff=x",
        "=",
        "=x",
        "&&",
    ] {
        let reply = as_root(&prokura, &format!("{unknown}&{GRANT}&{unknown}")).await;
        assert_eq!(reply.status, 200, "{unknown}: {reply:?}");
    }
    let management = format!("{}/api/v1", prokura.issuer);
    prokura
        .token(&prokura.root, &[("audience", &management)])
        .await
        .expect(200);
    prokura
        .token(&prokura.root, &[("audience", "https://nowhere.example")])
        .await
        .expect_oauth_error(400, "invalid_target");
}

/// T7. RFC 6749 §3.2: parameters must not be included more than once.
#[tokio::test]
async fn a_repeated_parameter_is_refused() {
    let prokura = start().await;
    let (id, secret) = (
        prokura.root.client_id.clone(),
        prokura.root.client_secret.clone(),
    );
    let in_the_body = format!("{GRANT}&client_id={id}&client_secret={secret}");
    for (name, value, rest, basic) in [
        ("grant_type", "client_credentials", "", true),
        ("scope", "management:all", GRANT, true),
        ("client_id", &*id, GRANT, true),
        (
            "client_id",
            &*id,
            &*format!("{GRANT}&client_secret={secret}"),
            false,
        ),
        (
            "client_secret",
            &*secret,
            &*format!("{GRANT}&client_id={id}"),
            false,
        ),
        ("client_assertion", "x", GRANT, false),
        ("client_assertion_type", "x", GRANT, false),
        ("scope", "management:all", &*in_the_body, false),
    ] {
        let basic_header = prokura.root.basic();
        let headers: &[_] = if basic {
            &[("authorization", &*basic_header)]
        } else {
            &[]
        };
        let once = format!("{rest}&{name}={value}");
        let reply = prokura.raw_form(TOKEN, headers, &once).await;
        assert!(!reply.mentions("invalid_request"), "{once}: {reply:?}");
        for second in [value, "other"] {
            let twice = format!("{once}&{name}={second}");
            let reply = prokura.raw_form(TOKEN, headers, &twice).await;
            assert_eq!(
                reply.any_oauth_error(),
                (400, "invalid_request".to_owned()),
                "{twice}"
            );
        }
    }
}

/// T8. RFC 8707 §2: `resource` may repeat. Here all values must name one resource.
#[tokio::test]
async fn resource_and_audience_may_repeat() {
    let options = Options {
        resources: vec![opaque_resource("https://orders.example", "orders:read")],
        aliases: vec!["https://api.example/api/v1".to_owned()],
        ..Options::default()
    };
    let prokura = start_with(options).await;
    let management = format!("{}/api/v1", prokura.issuer);
    let alias = "https://api.example/api/v1";
    for pair in [
        [("resource", &*management), ("resource", &*management)],
        [("resource", &*management), ("resource", alias)],
        [("audience", &*management), ("audience", alias)],
        [("resource", &*management), ("audience", alias)],
    ] {
        let reply = prokura.token(&prokura.root, &pair).await;
        assert_eq!(reply.status, 200, "{pair:?}: {reply:?}");
    }
    for name in ["resource", "audience"] {
        let pair = [("resource", &*management), (name, "https://orders.example")];
        prokura
            .token(&prokura.root, &pair)
            .await
            .expect_oauth_error(400, "invalid_target");
    }
}

/// T9, T10. There is one grant type, with one spelling. The deprecated grants (RFC 9700 §2.4) are as unknown as any
/// other value.
///
/// T11 (`unauthorized_client`) cannot occur: every account may use the one grant.
#[tokio::test]
async fn the_grant_type_must_be_exactly_client_credentials() {
    let prokura = start().await;
    for body in ["", "scope=management:all", "Grant_Type=client_credentials"] {
        as_root(&prokura, body)
            .await
            .expect_oauth_error(400, "invalid_request");
    }
    for grant in [
        "nonsense",
        "Client_Credentials",
        "+client_credentials",
        "client_credentials+",
        "client_credentials%0A",
        "client%5Fcredentials%20",
        "client_credentials,client_credentials",
        "password&username=a&password=b",
        "implicit",
        "token",
        "authorization_code&code=x",
        "refresh_token&refresh_token=x",
        "urn:ietf:params:oauth:grant-type:device_code&device_code=x",
    ] {
        let reply = as_root(&prokura, &format!("grant_type={grant}")).await;
        assert_eq!(
            reply.any_oauth_error(),
            (400, "unsupported_grant_type".to_owned()),
            "{grant}"
        );
    }
    // NUL is not allowed in any parameter.
    as_root(&prokura, "grant_type=client_credentials%00")
        .await
        .expect_oauth_error(400, "invalid_request");
}
