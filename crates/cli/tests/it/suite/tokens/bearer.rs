//! Bearer tokens at the management API (section B).

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use prokura_server::domain::{SigningAlgorithm, TokenFormat};
use reqwest::Method;
use serde_json::json;

use super::{call, operations, start, start_with};
use crate::harness::{Options, Prokura, Reply, jwt_resource, opaque_resource};

const BARE_CHALLENGE: &str = r#"Bearer realm="prokura""#;
const INVALID_TOKEN: &str = r#"Bearer realm="prokura", error="invalid_token""#;
const NOBODY: &str = "019ab0f4-5d2e-7c11-9a52-3b1f6b0d2c47";

#[track_caller]
fn assert_no_token(reply: Reply) {
    let reply = reply.expect_api_error(401, "unauthorized");
    assert_eq!(reply.header("www-authenticate"), BARE_CHALLENGE);
}

#[track_caller]
fn assert_invalid_token(reply: Reply) {
    let reply = reply.expect_api_error(401, "invalid_token");
    assert_eq!(reply.header("www-authenticate"), INVALID_TOKEN);
}

async fn assert_refused_everywhere(prokura: &Prokura, token: &str) {
    for operation in operations(&prokura.root.id) {
        let authorization = format!("Bearer {token}");
        let headers = [("authorization", &*authorization)];
        assert_invalid_token(call(prokura, &operation, &headers).await);
    }
}

/// B1, B10: without credentials there is a challenge without an error code, and nobody learns which accounts exist.
#[tokio::test]
async fn who_presents_nothing_learns_nothing() {
    let prokura = start().await;
    let mut of_existing = Vec::new();
    for operation in operations(&prokura.root.id) {
        let reply = call(&prokura, &operation, &[]).await;
        of_existing.push(reply.essence());
        assert_no_token(reply);
    }
    let mut of_nobody = Vec::new();
    for operation in operations(NOBODY) {
        of_nobody.push(call(&prokura, &operation, &[]).await.essence());
    }
    assert_eq!(of_existing, of_nobody);

    // Nor what an id, a body or a query must look like.
    for (method, path) in [
        (Method::GET, "/service-accounts/no-id"),
        (Method::DELETE, "/service-accounts/%00"),
        (Method::POST, "/service-accounts/no-id/rotate-secret"),
        (Method::GET, "/service-accounts?limit=0&unknown=1"),
    ] {
        let request = prokura.request(method, &format!("/api/v1{path}"));
        assert_no_token(prokura.send(request).await);
    }
    let request = prokura.request(Method::POST, "/api/v1/service-accounts");
    assert_no_token(prokura.send(request.body("no JSON")).await);
}

/// B3: whatever a token is instead of a living one of ours for this API.
#[tokio::test]
async fn a_token_that_does_not_live_is_invalid() {
    let orders = opaque_resource("https://orders.example.com", "orders:read");
    let stock = jwt_resource(
        "https://stock.example.com",
        "stock:read",
        SigningAlgorithm::Es256,
    );
    let prokura = start_with(Options {
        resources: vec![orders, stock],
        ..Options::default()
    })
    .await;
    let root = prokura.root.clone();
    let token = prokura.access_token(&root).await;

    // Wrong type.
    let claims = BASE64_URL_SAFE_NO_PAD.encode(format!(
        r#"{{"iss":"{0}","aud":"{0}/api/v1","sub":"{1}","client_id":"{1}","exp":9999999999,"iat":1,"jti":"a","scope":"management:all"}}"#,
        prokura.issuer, root.client_id
    ));
    let unsigned = format!(
        "{}.{claims}.",
        BASE64_URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"at+jwt"}"#)
    );
    let mut changed = token.clone();
    let last = changed.pop().unwrap();
    changed.push(if last == 'A' { 'B' } else { 'A' });
    for garbage in [
        "x",
        "prka_",
        "prka_AAAA",
        "a.b.c",
        &"A".repeat(8000),
        &root.client_id,
        &root.client_secret,
        &unsigned,
        &changed,
        &token[..token.len() - 1],
        &format!("{token}A"),
        &token.to_uppercase(),
    ] {
        assert_refused_everywhere(&prokura, garbage).await;
    }

    // Wrong audience.
    let body =
        json!({ "name": "Orders", "scopes": ["orders:read", "stock:read", "management:all"] });
    let (_, account) = prokura.create(&token, body).await;
    for scope in ["orders:read", "stock:read"] {
        let other = prokura
            .access_token_with(&account, &[("scope", scope)])
            .await;
        assert_refused_everywhere(&prokura, &other).await;
    }

    // Revoked, while another one of the same account lives on.
    let (doomed, living) = (
        prokura.access_token(&account).await,
        prokura.access_token(&account).await,
    );
    prokura
        .form("/oauth2/revoke", &account, &[("token", &doomed)])
        .await
        .expect(200);
    assert_refused_everywhere(&prokura, &doomed).await;
    prokura
        .api(Method::GET, "/service-accounts", &living, None)
        .await
        .expect(200);

    // Of a deleted account.
    let path = format!("/service-accounts/{}", account.id);
    prokura
        .api(Method::DELETE, &path, &token, None)
        .await
        .expect(204);
    assert_refused_everywhere(&prokura, &living).await;

    // Expired: it lives to the last millisecond, and not a millisecond longer.
    prokura.advance(3_600_000 - 1);
    prokura
        .api(Method::GET, "/service-accounts", &token, None)
        .await
        .expect(200);
    prokura.advance(1);
    assert_refused_everywhere(&prokura, &token).await;
}

/// B3: the keys are those of the issuer before, the audience is still a name of the API, the account lives.
#[tokio::test]
async fn a_token_of_another_issuer_is_invalid() {
    for management_format in [
        TokenFormat::Opaque,
        TokenFormat::Jwt(SigningAlgorithm::Es256),
    ] {
        let options = |public_path, aliases| Options {
            management_format,
            public_path,
            aliases,
            ..Options::default()
        };
        let prokura = start_with(options("/before", Vec::new())).await;
        let token = prokura.access_token(&prokura.root).await;
        let audience = format!("{}/api/v1", prokura.issuer);
        prokura
            .api(Method::GET, "/service-accounts", &token, None)
            .await
            .expect(200);

        let prokura = prokura.restart(options("/after", vec![audience])).await;
        assert_refused_everywhere(&prokura, &token).await;
    }
}

/// B4: the right to come in is not the right to do it, and the answer says what is lacking.
#[tokio::test]
async fn a_token_without_the_scope_is_told_which() {
    let prokura = start().await;
    let token = prokura.access_token(&prokura.root).await;
    let read = "management:service-accounts:read";
    let write = "management:service-accounts:write";
    for operation in operations(NOBODY) {
        let (needed, held) = match operation.0 {
            Method::GET => (read, write),
            _ => (write, read),
        };
        let body = json!({ "name": "Half", "scopes": [held, "tokens:introspect"] });
        let (_, half) = prokura.create(&token, body).await;
        let authorization = format!("Bearer {}", prokura.access_token(&half).await);
        let reply = call(&prokura, &operation, &[("authorization", &authorization)]).await;
        let reply = reply.expect_api_error(403, "insufficient_scope");
        assert_eq!(reply.json()["missingScopes"], json!([needed]));
        assert_eq!(
            reply.header("www-authenticate"),
            format!(r#"Bearer realm="prokura", error="insufficient_scope", scope="{needed}""#)
        );
    }
}

/// B5.
#[tokio::test]
async fn the_scheme_may_be_spelled_in_any_case() {
    let prokura = start().await;
    let token = prokura.access_token(&prokura.root).await;
    let list = &operations(NOBODY)[0];
    for scheme in ["bearer", "BEARER", "bEaReR", "Bearer "] {
        let authorization = format!("{scheme} {token}");
        call(&prokura, list, &[("authorization", &authorization)])
            .await
            .expect(200);
    }
}

/// B6, B7: a token counts in the Authorization header alone.
#[tokio::test]
async fn a_token_in_the_query_or_in_a_form_does_not_count() {
    let prokura = start().await;
    let token = prokura.access_token(&prokura.root).await;
    for (method, path, _) in operations(&prokura.root.id) {
        let in_query = format!("{path}?access_token={token}");
        let request = prokura.request(method.clone(), &in_query);
        assert_no_token(prokura.send(request).await);
        let request = prokura.request(method.clone(), &in_query).bearer_auth("x");
        assert_invalid_token(prokura.send(request).await);
        if method == Method::POST {
            let form = [("access_token", &token)];
            let request = prokura.request(method, &path).form(&form);
            assert_no_token(prokura.send(request).await);
        }
    }
    // Beside a good header the query changes nothing, or is refused.
    let path = format!("/service-accounts/{}?access_token=x", prokura.root.id);
    prokura
        .api(Method::GET, &path, &token, None)
        .await
        .expect(200);
    prokura
        .api(
            Method::GET,
            "/service-accounts?access_token=x",
            &token,
            None,
        )
        .await
        .expect_wrong_field("access_token");
}

/// B7: the credentials of the token endpoint are worth nothing here.
#[tokio::test]
async fn client_credentials_do_not_open_the_management_api() {
    let prokura = start().await;
    let basic = prokura.root.basic();
    for operation in operations(&prokura.root.id) {
        let headers = [("authorization", &*basic)];
        assert_no_token(call(&prokura, &operation, &headers).await);
    }
    for scheme in ["Digest", "Negotiate", "DPoP", "Token", "Bearerish"] {
        let token = prokura.access_token(&prokura.root).await;
        let authorization = format!("{scheme} {token}");
        let headers = [("authorization", &*authorization)];
        assert_no_token(call(&prokura, &operations(NOBODY)[0], &headers).await);
    }
}

/// B8: of two things one is never picked, not even if both are good.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_authorization_that_is_not_one_token_is_refused() {
    let prokura = start().await;
    let token = prokura.access_token(&prokura.root).await;
    let one = format!("Authorization: Bearer {token}");
    let basic = format!("Authorization: {}", prokura.root.basic());
    let cases: [&[&str]; 12] = [
        &[&one, &one],
        &[&one, "Authorization: Bearer other"],
        &[&basic, &one],
        &[&one, &basic],
        &[&format!("{one}, Bearer {token}")],
        &[&format!("{one},")],
        &["Authorization: Bearer"],
        &["Authorization: Bearer "],
        &[&format!("{one} {token}")],
        &[&format!("Authorization: Bearer \"{token}\"")],
        &[&format!("{one}\u{e9}")],
        &[&format!("Authorization: Bearer ={token}")],
    ];
    for headers in cases {
        let answer = prokura
            .wire_request("GET /api/v1/service-accounts", headers)
            .await;
        assert_eq!(answer.status(), 400, "{headers:?} {answer:?}");
        assert_eq!(
            answer.header("www-authenticate"),
            r#"Bearer realm="prokura", error="invalid_request""#
        );
        assert!(answer.body().contains(r#""code":"invalid_request""#));
    }
    for headers in [
        &["Authorization:"][..],
        &["Authorization: "],
        &[&format!("Authorization: Bearer\t{token}")],
        &[&format!("Authorization: {token}")],
    ] {
        let answer = prokura
            .wire_request("GET /api/v1/service-accounts", headers)
            .await;
        assert_eq!(answer.status(), 401, "{headers:?} {answer:?}");
        assert_eq!(answer.header("www-authenticate"), BARE_CHALLENGE);
    }
}

/// Reads a challenge by the grammar of RFC 9110 §11.6.1 and RFC 6750 §3: the parameters, none of them twice.
fn parameters(challenge: &str) -> Vec<(String, String)> {
    let mut parameters = Vec::<(String, String)>::new();
    for parameter in challenge.strip_prefix("Bearer ").unwrap().split(", ") {
        let (name, value) = parameter.split_once('=').unwrap();
        assert!(parameters.iter().all(|(known, _)| known != name));
        let value = value.strip_prefix('"').unwrap().strip_suffix('"').unwrap();
        let safe = |byte| matches!(byte, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e);
        assert!(value.bytes().all(safe), "{challenge}");
        parameters.push((name.to_owned(), value.to_owned()));
    }
    parameters
}

/// B9: nothing that is sent gets into a header of the answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn challenges_and_headers_cannot_be_forged() {
    let prokura = start().await;
    let root = prokura.access_token(&prokura.root).await;
    let body = json!({ "name": "Reader", "scopes": ["management:service-accounts:read"] });
    let (_, reader) = prokura.create(&root, body).await;
    let reader = prokura.access_token(&reader).await;
    let path = "/api/v1/service-accounts";
    for (request, authorization, known) in [
        (format!("GET {path}"), String::new(), &["realm"][..]),
        (
            format!("GET {path}/%0d%0aSet-Cookie:%20a=b"),
            "Authorization: Bearer x\"y".to_owned(),
            &["realm", "error"],
        ),
        (
            format!("GET {path}/%22%5c,error=?scope=%22,error=%22x"),
            "Authorization: Bearer forged".to_owned(),
            &["realm", "error"],
        ),
        (
            format!("DELETE {path}/%0d%0aX-Evil:%20a?%0d%0aX-Evil:%20b"),
            format!("Authorization: Bearer {reader}"),
            &["realm", "error", "scope"],
        ),
    ] {
        let headers = [&*authorization, "X-Request-Id: a\"b\\c"];
        let headers = headers.iter().filter(|line| !line.is_empty());
        let headers = headers.copied().collect::<Vec<_>>();
        let answer = prokura.wire_request(&request, &headers).await;
        let names = parameters(answer.header("www-authenticate"));
        let names = names.iter().map(|(name, _)| &**name).collect::<Vec<_>>();
        assert_eq!(names, known);
        assert_eq!(answer.header("set-cookie"), "");
        assert_eq!(answer.header("x-evil"), "");
        assert!(!answer.header("x-request-id").contains(['"', '\\']));
    }
    // A scope of the caller's choice is refused without a challenge.
    let body = json!({ "name": "CI", "scopes": ["a,error=b\r\nX-Evil:c"] });
    let refused = prokura
        .api(Method::POST, "/service-accounts", &root, Some(body))
        .await
        .expect_wrong_field("scopes");
    assert_eq!(refused.header("www-authenticate"), "");
}

/// B11: neither what was granted nor what was refused is kept by anybody on the way.
#[tokio::test]
async fn no_answer_of_the_management_api_is_stored() {
    let prokura = start().await;
    let token = prokura.access_token(&prokura.root).await;
    let (account, _) = prokura.create(&token, json!({ "name": "CI" })).await;
    let id = account["id"].as_str().unwrap();
    let authorization = format!("Bearer {token}");
    let mut statuses = Vec::new();
    for id in [id, NOBODY, "no-id"] {
        for operation in operations(id) {
            for headers in [
                &[][..],
                &[("authorization", "Bearer x")],
                &[("authorization", "Bearer")],
                &[("authorization", &*authorization)],
            ] {
                let reply = call(&prokura, &operation, headers).await;
                assert_eq!(reply.header("cache-control"), "no-store", "{reply:?}");
                assert_eq!(reply.header("x-content-type-options"), "nosniff");
                statuses.push(reply.status);
            }
        }
    }
    for status in [200, 201, 204, 400, 401, 404] {
        assert!(statuses.contains(&status), "{status} was not tried");
    }
}

/// B12: what a proxy may say of the client is hearsay.
#[tokio::test]
async fn forwarding_headers_change_nothing() {
    let prokura = start().await;
    let token = prokura.access_token(&prokura.root).await;
    let other = prokura.bootstrap("Other").await;
    let authorization = format!("Bearer {token}");
    let forged = [
        ("x-forwarded-for", "203.0.113.7"),
        ("x-real-ip", "203.0.113.7"),
        ("forwarded", "for=203.0.113.7;host=evil.example;proto=https"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-proto", "https"),
        ("x-forwarded-prefix", "/evil"),
        ("x-original-url", "/healthz"),
        ("x-rewrite-url", "/healthz"),
        ("x-http-method-override", "DELETE"),
        ("x-http-method", "DELETE"),
        ("x-method-override", "DELETE"),
        ("x-user-id", &other.id),
        ("x-org-id", "Other"),
        ("x-organization-id", "Other"),
    ];
    let list = &operations(NOBODY)[0];
    let plain = call(&prokura, list, &[("authorization", &authorization)]).await;
    let mut headers = forged.to_vec();
    assert_no_token(call(&prokura, list, &headers).await);
    headers.push(("authorization", &authorization));
    let listed = call(&prokura, list, &headers).await;
    assert_eq!(listed.essence(), plain.essence());

    // Read, not deleted; created, under our own name, and for our own organization.
    let get = (
        Method::GET,
        format!("/api/v1/service-accounts/{}", prokura.root.id),
        None,
    );
    call(&prokura, &get, &headers).await.expect(200);
    call(&prokura, &get, &headers).await.expect(200);
    let created = call(&prokura, &operations(NOBODY)[1], &headers).await;
    let created = created.expect(201);
    let account = created.json()["serviceAccount"].clone();
    assert_eq!(account["createdBy"], prokura.root.id);
    assert_eq!(
        created.header("location"),
        format!(
            "{}/api/v1/service-accounts/{}",
            prokura.issuer,
            account["id"].as_str().unwrap()
        )
    );
    let addresses = prokura
        .rows("SELECT DISTINCT address FROM audit_events WHERE address IS NOT NULL")
        .await;
    assert_eq!(addresses, [[json!("127.0.0.1")]]);
}
