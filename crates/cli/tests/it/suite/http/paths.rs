//! Which paths are served, and how they are spelled (H10, G18).

use reqwest::Method;

use super::{start, start_with_token};

/// H10. Without a token the server serves the health checks, the discovery documents, the API document and its reference
/// page, and nothing else. `http/routes.rs` has the table of all routes.
#[tokio::test]
async fn only_known_paths_are_served_without_a_token() {
    let prokura = start().await;
    for path in [
        "/healthz",
        "/readyz",
        "/openapi.json",
        "/api/openapi.json",
        "/.well-known/oauth-authorization-server",
        "/.well-known/openid-configuration",
        "/.well-known/jwks.json",
    ] {
        prokura.get(path).await.expect(200).json();
    }
    let page = prokura.get("/docs").await.expect(200);
    assert!(page.header("content-type").starts_with("text/html"));
    for path in ["/oauth2/token", "/oauth2/introspect", "/oauth2/revoke"] {
        prokura.get(path).await.expect(405);
        let request = prokura.request(Method::POST, path);
        prokura
            .send(request.form(&[("grant_type", "client_credentials"), ("token", "x")]))
            .await
            .expect_oauth_error(401, "invalid_client");
    }
    prokura
        .get("/api/v1/service-accounts")
        .await
        .expect_api_error(401, "unauthorized");
    for path in [
        "/",
        "/index.html",
        "/favicon.ico",
        "/robots.txt",
        "/metrics",
        "/debug",
        "/debug/pprof/",
        "/debug/vars",
        "/trace",
        "/actuator",
        "/actuator/env",
        "/admin",
        "/console",
        "/status",
        "/health",
        "/livez",
        "/version",
        "/info",
        "/env",
        "/config",
        "/.env",
        "/.git/HEAD",
        "/prokura.db",
        "/bootstrap.json",
        "/master.key",
        "/data/prokura.db",
        "/swagger",
        "/swagger-ui",
        "/redoc",
        "/openapi.yaml",
        "/openapi",
        "/api",
        "/api/",
        "/api/v1",
        "/api/v1/",
        "/api/v1/openapi.json",
        "/api/v2",
        "/api/v1/organizations",
        "/api/v1/audit",
        "/api/v1/audit-events/1",
        "/api/v1/audit-events/export/",
        "/api/v1/secrets",
        "/api/v1/users",
        "/oauth2",
        "/oauth2/",
        "/oauth2/authorize",
        "/oauth2/keys",
        "/oauth2/register",
        "/oauth2/userinfo",
        "/graphql",
        "/.well-known/",
        "/.well-known/jwks",
        "/.well-known/security.txt",
        "/.well-known/webfinger",
        "/server-status",
        "/cgi-bin/",
        "/wp-login.php",
    ] {
        prokura.get(path).await.expect(404);
    }
}

/// G18. Every path has one spelling. What a proxy could take for another path is a 404 here, so no spelling bypasses a
/// proxy's rules.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_path_has_one_spelling() {
    let (prokura, token) = start_with_token().await;
    let authorization = format!("Authorization: Bearer {token}");
    let id = &prokura.root.id;
    let list = "/api/v1/service-accounts";
    for path in [
        format!("{list}/"),
        format!("/{list}"),
        format!("//evil.example{list}"),
        "/api//v1/service-accounts".to_owned(),
        "/api/v1//service-accounts".to_owned(),
        "/api/./v1/service-accounts".to_owned(),
        format!("{list}/./{id}"),
        format!("{list}//{id}"),
        format!("{list}/{id}/"),
        format!("{list}/{id}/."),
        format!("{list}/{id}/.."),
        format!("{list}/{id}/../{id}"),
        format!("{list}/..;/service-accounts"),
        format!("{list}/%2e%2e/service-accounts"),
        format!("{list};a=b"),
        format!("{list};"),
        format!("{list}%20"),
        format!("{list}%2f"),
        format!("{list}%2F{id}"),
        format!("{list}%00"),
        format!("{list}%3flimit=1"),
        format!("{list}."),
        format!("{list}.json"),
        format!("{list}\\"),
        "/API/v1/service-accounts".to_owned(),
        "/api/V1/service-accounts".to_owned(),
        "/api/v1/Service-Accounts".to_owned(),
        "/api/v1/service%2daccounts".to_owned(),
        "/api/v1/%73ervice-accounts".to_owned(),
        "/api/v1/service_accounts".to_owned(),
        "/healthz/../api/v1/service-accounts".to_owned(),
        "/healthz/..;/api/v1/service-accounts".to_owned(),
        "/healthz%2f..%2fapi/v1/service-accounts".to_owned(),
        "/%2e/api/v1/service-accounts".to_owned(),
        "/healthz/".to_owned(),
        "/openapi.json/".to_owned(),
        "/.well-known/../api/v1/service-accounts".to_owned(),
        format!("{list}/{id}/rotate-secret/"),
        format!("{list}/{id}/rotate%2dsecret"),
        format!("{list}/{id}/Rotate-Secret"),
    ] {
        for method in ["GET", "POST"] {
            for headers in [&[][..], &[&*authorization]] {
                let request = format!("{method} {path}");
                let answer = prokura.wire_request(&request, headers).await;
                let status = answer.status();
                assert!(
                    status == 404 || (path.contains('\\') && status == 400),
                    "{request} {answer:?}"
                );
                assert_eq!(answer.header("location"), "");
            }
        }
    }
    // In the place of the ID these are invalid IDs, and without a token they are a 401 like any other.
    for path in ["..;", "%2e%2e", "..%2f", ".", ".."] {
        let request = format!("GET {list}/{path}");
        let refused = prokura.wire_request(&request, &[&authorization]).await;
        assert_eq!(refused.status(), 400, "{path}");
        assert_eq!(prokura.wire_request(&request, &[]).await.status(), 401);
    }
    prokura.access_token(&prokura.root).await;
}
