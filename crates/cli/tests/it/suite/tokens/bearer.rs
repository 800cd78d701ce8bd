//! Bearer tokens at the management API (section B).

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use prokura_server::domain::{SigningAlgorithm, TokenFormat};
use reqwest::Method;
use serde_json::json;

use super::{assert_no_token, start, start_with, start_with_token};
use crate::harness::{
    NO_ACCOUNT, Options, Prokura, Reply, jwt_resource, managed_operations, opaque_resource,
    operation,
};

const INVALID_TOKEN: &str = r#"Bearer realm="prokura", error="invalid_token""#;

#[track_caller]
fn assert_invalid_token(reply: Reply) {
    let reply = reply.expect_api_error(401, "invalid_token");
    assert_eq!(reply.header("www-authenticate"), INVALID_TOKEN);
}

async fn assert_refused_everywhere(prokura: &Prokura, token: &str) {
    for operation in managed_operations() {
        let reply = operation.send_with_token(prokura, &prokura.root.id, token);
        assert_invalid_token(reply.await);
    }
}

/// B1, B10. Without credentials the challenge has no error code, and the response does not tell which accounts exist.
#[tokio::test]
async fn a_request_without_a_token_reveals_nothing() {
    let prokura = start().await;
    for operation in managed_operations() {
        let of_existing = operation.send(&prokura, &prokura.root.id, &[]).await;
        let of_missing = operation.send(&prokura, NO_ACCOUNT, &[]).await;
        assert_eq!(of_existing.essence(), of_missing.essence());
        assert_no_token(of_existing);
    }

    // It does not tell either what an ID, a body or a query must look like.
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

/// B3. Every way in which a token can be invalid.
#[tokio::test]
async fn an_invalid_token_is_refused_by_every_operation() {
    let orders = opaque_resource("https://orders.example.com", "orders:read");
    let stock = jwt_resource(
        "https://stock.example.com",
        "stock:read",
        SigningAlgorithm::Es256,
    );
    let prokura = start_with(Options::with_resources(vec![orders, stock])).await;
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

    // Revoked, while another token of the same account stays valid.
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
    prokura.delete(&token, &account.id).await;
    assert_refused_everywhere(&prokura, &living).await;

    // Expired: the token works until the last millisecond.
    prokura.advance(3_600_000 - 1);
    prokura
        .api(Method::GET, "/service-accounts", &token, None)
        .await
        .expect(200);
    prokura.advance(1);
    assert_refused_everywhere(&prokura, &token).await;
}

/// B3. The keys, the audience and the account are the same. Only the issuer has changed.
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

/// B4. The response names the missing scope.
#[tokio::test]
async fn a_missing_scope_is_named() {
    let (prokura, token) = start_with_token().await;
    let operations = managed_operations();
    for operation in &operations {
        let needed = operation.scope.as_deref().unwrap();
        let others = operations
            .iter()
            .filter_map(|other| other.scope.as_deref())
            // The scope to write includes the scope to rotate. Both permit listing secrets.
            .filter(|scope| {
                *scope != needed && !(needed.ends_with(":rotate") && scope.ends_with(":write"))
            })
            .filter(|scope| {
                operation.id != "list_secrets"
                    || !(scope.ends_with(":rotate") || scope.ends_with(":write"))
            })
            .collect::<Vec<_>>();
        let account = prokura.create_with_scopes(&token, &others).await;
        let narrow = prokura.access_token(&account).await;
        let reply = operation.send_with_token(&prokura, NO_ACCOUNT, &narrow);
        let reply = reply.await;
        let reply = reply.expect_api_error(403, "insufficient_scope");
        assert_eq!(reply.json()["missingScopes"], json!([needed]));
        assert_eq!(
            reply.header("www-authenticate"),
            format!(r#"Bearer realm="prokura", error="insufficient_scope", scope="{needed}""#)
        );
    }
}

/// B5. RFC 9110 §11.1: the scheme is case-insensitive.
#[tokio::test]
async fn the_bearer_scheme_is_case_insensitive() {
    let (prokura, token) = start_with_token().await;
    let list = operation("list_service_accounts");
    for scheme in ["bearer", "BEARER", "bEaReR", "Bearer "] {
        let authorization = format!("{scheme} {token}");
        let headers = [("authorization", &*authorization)];
        list.send(&prokura, NO_ACCOUNT, &headers).await.expect(200);
    }
}

/// B6, B7. A token counts in the Authorization header only.
#[tokio::test]
async fn a_token_in_the_query_or_in_a_form_is_ignored() {
    let (prokura, token) = start_with_token().await;
    for operation in managed_operations() {
        let method = operation.method.clone();
        let path = operation.path_for(&prokura.root.id);
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
    // With a valid header, the parameter in the query is ignored or refused.
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

/// B7. Client credentials do not authenticate at the management API.
#[tokio::test]
async fn client_credentials_do_not_authenticate_at_the_management_api() {
    let prokura = start().await;
    let basic = prokura.root.basic();
    for operation in managed_operations() {
        let headers = [("authorization", &*basic)];
        assert_no_token(operation.send(&prokura, NO_ACCOUNT, &headers).await);
    }
    for scheme in ["Digest", "Negotiate", "DPoP", "Token", "Bearerish"] {
        let token = prokura.access_token(&prokura.root).await;
        let authorization = format!("{scheme} {token}");
        let headers = [("authorization", &*authorization)];
        let list = operation("list_service_accounts");
        assert_no_token(list.send(&prokura, NO_ACCOUNT, &headers).await);
    }
}
