//! Errors at the OAuth endpoints (section E).

use std::time::Duration;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use reqwest::Method;
use serde_json::json;

use super::{start, start_with, start_with_token};
use crate::harness::{Credentials, Options, Prokura, Reply, opaque_resource};

const TOKEN: &str = "/oauth2/token";
const ENDPOINTS: [&str; 3] = [TOKEN, "/oauth2/introspect", "/oauth2/revoke"];
const GRANT: &str = "grant_type=client_credentials";
/// Words that an internal error could leak.
const INSIDES: [&str; 14] = [
    "sqlite", "postgres", "hyper", "axum", "tokio", "serde", ".rs", "panicked", "SELECT",
    "select ", "Error", "told to", "storage", "/src/",
];

/// Percent-encodes every byte.
fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[track_caller]
fn says_nothing_of_the_insides(reply: &Reply) {
    for inside in INSIDES {
        assert!(!reply.mentions(inside), "{inside}: {reply:?}");
    }
}

/// E2, E3, E4. Whatever is sent to whichever endpoint, the response has the shape of an OAuth error, uses the allowed
/// characters only, and repeats nothing of the request.
#[tokio::test]
async fn no_error_repeats_what_was_sent() {
    let prokura = start().await;
    let basic = prokura.root.basic();
    for nasty in [
        "\"",
        "\\",
        "\r\nX-Injected: 1",
        "\t",
        "\u{7f}",
        "é",
        "😀",
        "\u{202e}",
        "<script>",
        "' OR 1=1 --",
        "%s%n",
        "${x}",
        "../../etc/passwd",
    ] {
        let word = format!("mArKeR{nasty}");
        let escaped = encoded(&word);
        let check = |place: String, reply: &Reply| {
            assert!(reply.status < 500, "{place}: {reply:?}");
            if reply.status >= 400 {
                reply.any_oauth_error();
            }
            assert!(!reply.mentions("mArKeR"), "{place}: {reply:?}");
            assert!(reply.headers.get("x-injected").is_none(), "{place}");
        };

        for endpoint in ENDPOINTS {
            for name in [
                "grant_type",
                "scope",
                "client_id",
                "client_secret",
                "client_assertion",
                "client_assertion_type",
                "resource",
                "audience",
                "token",
                "token_type_hint",
                "foo",
            ] {
                let rest = if name == "grant_type" { "" } else { GRANT };
                for value in [&escaped, &word] {
                    let body = format!("{rest}&{name}={value}");
                    let place = format!("{body:?} at {endpoint}");
                    let reply = prokura
                        .raw_form(endpoint, &[("authorization", &basic)], &body)
                        .await;
                    check(place.clone(), &reply);
                    check(place, &prokura.raw_form(endpoint, &[], &body).await);
                }
            }
            let body = format!("{GRANT}&token=x");
            for pair in [
                format!("{word}:x"),
                format!("{escaped}:x"),
                format!("{}:{word}", prokura.root.client_id),
                format!("{}:{escaped}", prokura.root.client_id),
                word.clone(),
            ] {
                let basic = format!("Basic {}", BASE64_STANDARD.encode(&pair));
                let reply = prokura
                    .raw_form(endpoint, &[("authorization", &basic)], &body)
                    .await;
                check(format!("Basic {pair:?} at {endpoint}"), &reply);
                reply.expect_oauth_error(401, "invalid_client");
            }
            let reply = prokura
                .raw_form(&format!("{endpoint}?{escaped}={escaped}"), &[], &body)
                .await;
            check(format!("query {nasty:?} at {endpoint}"), &reply);
            let reply = prokura
                .raw_form(&format!("{endpoint}/{escaped}"), &[], &body)
                .await;
            check(format!("path {nasty:?} at {endpoint}"), &reply);
            let header = word.replace(['\r', '\n', '\u{7f}'], " ");
            for (name, value) in [
                ("authorization", header.clone()),
                ("content-type", format!("application/{header}")),
                ("accept", header.clone()),
                ("origin", header.clone()),
            ] {
                let request = prokura
                    .request(Method::POST, endpoint)
                    .header(name, value)
                    .body(body.clone());
                check(
                    format!("{name} {nasty:?} at {endpoint}"),
                    &prokura.send(request).await,
                );
            }
        }
    }
}

/// E1. Errors are 400, or 401 when client authentication fails. The 403 of introspection (RFC 6750 §3.1) is not an
/// error of the token endpoint.
#[tokio::test]
async fn a_protocol_error_is_400_or_401() {
    let prokura = start().await;
    let stranger = Credentials {
        client_secret: "x".to_owned(),
        ..prokura.root.clone()
    };
    for (client, body, status, error) in [
        (&prokura.root, "", 400, "invalid_request"),
        (&prokura.root, "grant_type=%zz", 400, "invalid_request"),
        (&prokura.root, "grant_type=x", 400, "unsupported_grant_type"),
        (
            &prokura.root,
            "grant_type=client_credentials&scope=x",
            400,
            "invalid_scope",
        ),
        (
            &prokura.root,
            "grant_type=client_credentials&resource=x",
            400,
            "invalid_target",
        ),
        (&stranger, GRANT, 401, "invalid_client"),
    ] {
        let basic = client.basic();
        let reply = prokura
            .raw_form(TOKEN, &[("authorization", &basic)], body)
            .await
            .expect_oauth_error(status, error);
        assert_eq!(reply.header("pragma"), "no-cache");
        assert!(!reply.mentions(&prokura.root.client_secret));
        says_nothing_of_the_insides(&reply);
        // Only the 401 carries a challenge.
        assert_eq!(
            reply.headers.contains_key("www-authenticate"),
            status == 401
        );
        let members = reply.json();
        let members = members.as_object().unwrap().keys().collect::<Vec<_>>();
        assert_eq!(members, ["error", "error_description"]);
    }
}

/// E5. Every error under `/oauth2` is an OAuth error. A wrong media type is a 400 there (T13). The server has no rate
/// limit yet, so it sends no 429. The 500 is `Refusal::Internal`, a row of the same table.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_error_under_oauth2_is_an_oauth_error() {
    let prokura = start().await;
    for path in [
        "/oauth2/",
        "/oauth2/authorize",
        "/oauth2/token/x",
        "/.well-known/x",
    ] {
        for method in [Method::GET, Method::POST, Method::DELETE] {
            prokura
                .send(prokura.request(method, path))
                .await
                .expect_oauth_error(404, "not_found");
        }
    }
    for path in ENDPOINTS {
        prokura
            .get(path)
            .await
            .expect_oauth_error(405, "method_not_allowed");
        prokura
            .raw_form(path, &[], &"a=b&".repeat(10_000))
            .await
            .expect_oauth_error(413, "request_too_large");
        prokura
            .raw_form(&format!("{path}?{}", "x".repeat(9000)), &[], GRANT)
            .await
            .expect_oauth_error(414, "uri_too_long");
        let answer = prokura.raw(
            format!("POST {path} HTTP/1.1\r\nConnection: close\r\n\r\n").as_bytes(),
            Duration::from_secs(10),
        );
        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
        assert!(
            answer.contains(r#"{"error":"invalid_request","#),
            "{answer}"
        );
    }
    let document = "/.well-known/oauth-authorization-server";
    prokura
        .send(prokura.request(Method::POST, document))
        .await
        .expect_oauth_error(405, "method_not_allowed");
}

/// Asserts that all three endpoints answer `client` with 503 and `Retry-After`.
async fn nobody_is_let_in(prokura: &Prokura, client: &Credentials) {
    for path in ENDPOINTS {
        let form = [("grant_type", "client_credentials"), ("token", "x")];
        let reply = prokura
            .form(path, client, &form)
            .await
            .expect_oauth_error(503, "temporarily_unavailable");
        let seconds: u32 = reply.header("retry-after").parse().unwrap();
        assert!(seconds > 0);
        assert!(!reply.mentions(&client.client_secret));
        says_nothing_of_the_insides(&reply);
    }
}

/// E5, E6. A failure of the server is never `invalid_client`, which would make the client discard its secret, and never
/// a token. The clients here are not in the cache, so that the server has to ask its database.
#[tokio::test]
async fn without_a_database_or_a_clock_the_oauth_endpoints_answer_503() {
    let (prokura, token) = start_with_token().await;
    let body = json!({ "name": "new" });
    let (_, new) = prokura.create(&token, body).await;
    let stranger = Credentials {
        client_secret: new.client_secret.clone(),
        ..prokura.root.clone()
    };

    prokura.watch.fail_after(0);
    nobody_is_let_in(&prokura, &new).await;
    nobody_is_let_in(&prokura, &stranger).await;
    prokura.watch.mend();
    let its_own = prokura.access_token(&new).await;

    // The client can be authenticated, but its token cannot be checked. That is a 503 too.
    let prokura = prokura.restart(Options::default()).await;
    prokura.watch.fail_after(1);
    prokura
        .form("/oauth2/introspect", &prokura.root, &[("token", &its_own)])
        .await
        .expect_oauth_error(503, "temporarily_unavailable");
    let prokura = prokura.restart(Options::default()).await;
    prokura.watch.fail_after(1);
    prokura
        .form("/oauth2/revoke", &prokura.root, &[("token", &token)])
        .await
        .expect_oauth_error(503, "temporarily_unavailable");
    prokura.watch.mend();
    prokura.token(&prokura.root, &[]).await.expect(200);

    prokura.break_clock();
    nobody_is_let_in(&prokura, &prokura.root).await;
    nobody_is_let_in(&prokura, &stranger).await;
}

/// E7. The order is: malformed request, client authentication, grant, resource and scope.
#[tokio::test]
async fn errors_are_checked_in_a_fixed_order() {
    let prokura = start_with(Options::with_resources(vec![opaque_resource(
        "https://orders.example",
        "orders:read",
    )]))
    .await;
    let token = prokura.access_token(&prokura.root).await;
    let (_, one) = prokura
        .create(
            &token,
            json!({ "name": "CI", "scopes": ["management:all"] }),
        )
        .await;
    let stranger = Credentials {
        client_secret: prokura.root.client_secret.clone(),
        ..one.clone()
    };
    for (client, body, status, error) in [
        // First, a malformed request, whatever else is wrong.
        (
            &stranger,
            "grant_type=x&grant_type=y&scope=x",
            400,
            "invalid_request",
        ),
        (&stranger, "grant_type=%zz", 400, "invalid_request"),
        (&stranger, "scope=x", 400, "invalid_request"),
        (&one, "scope=x&resource=x", 400, "invalid_request"),
        // Second, client authentication.
        (
            &stranger,
            "grant_type=x&scope=x&resource=x",
            401,
            "invalid_client",
        ),
        // Third, the grant.
        (
            &one,
            "grant_type=x&scope=x&resource=x",
            400,
            "unsupported_grant_type",
        ),
        // Last, the syntax of the scope, the resource, and the scope.
        (
            &one,
            "grant_type=client_credentials&scope=%22&resource=x",
            400,
            "invalid_scope",
        ),
        (
            &one,
            "grant_type=client_credentials&scope=x&resource=x",
            400,
            "invalid_target",
        ),
        (
            &one,
            "grant_type=client_credentials&scope=x",
            400,
            "invalid_scope",
        ),
    ] {
        let basic = client.basic();
        let reply = prokura
            .raw_form(TOKEN, &[("authorization", &basic)], body)
            .await;
        assert_eq!(
            reply.any_oauth_error(),
            (status, error.to_owned()),
            "{body}"
        );
    }

    // So an unauthenticated caller learns nothing about what the client may do.
    let mut answers = Vec::new();
    for body in [
        "scope=management:all",
        "scope=orders:read",
        "scope=nonsense",
        "scope=%22",
        "resource=https://orders.example",
        "resource=https://nowhere.example",
        "resource=a&resource=b",
        "",
    ] {
        for grant in ["client_credentials", "password", "nonsense"] {
            let body = format!("grant_type={grant}&{body}");
            let basic = stranger.basic();
            let reply = prokura
                .raw_form(TOKEN, &[("authorization", &basic)], &body)
                .await
                .expect_oauth_error(401, "invalid_client");
            answers.push(reply.fingerprint());
        }
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
}
