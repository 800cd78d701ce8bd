//! Another client implementation: the `oauth2` crate. It gets its endpoints from the metadata document.

use std::fs;

use futures_util::{FutureExt as _, future::BoxFuture};
use oauth2::{
    AsyncHttpClient, AuthType, ClientId, ClientSecret, HttpRequest, HttpResponse, IntrospectionUrl,
    RequestTokenError, RevocationUrl, Scope, StandardRevocableToken,
    TokenIntrospectionResponse as _, TokenResponse as _, TokenUrl, basic::BasicClient, http,
};
use serde_json::Value;

use crate::operations::tls::{issued, serve};

/// The HTTP client of the crate.
struct Http(reqwest::Client);

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = reqwest::Error;
    type Future = BoxFuture<'c, reqwest::Result<HttpResponse>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        async {
            let response = self.0.execute(request.try_into()?).await?;
            let mut answer = http::Response::new(Vec::new());
            *answer.status_mut() = response.status();
            *answer.headers_mut() = response.headers().clone();
            *answer.body_mut() = response.bytes().await?.to_vec();
            Ok(answer)
        }
        .boxed()
    }
}

/// Over TLS, because the crate does not revoke tokens over plain HTTP.
#[tokio::test]
async fn the_oauth2_crate_gets_introspects_and_revokes_tokens() {
    let (directory, _) = issued();
    let server = serve(&directory, &[]);
    let root = server.root();
    let authority = fs::read(directory.path().join("ca.pem")).unwrap();
    let client = reqwest::Client::builder()
        .no_proxy()
        .tls_certs_only([reqwest::Certificate::from_pem(&authority).unwrap()])
        .build()
        .unwrap();
    let metadata = format!("{}/.well-known/oauth-authorization-server", server.url);
    let metadata = client.get(metadata).send().await.unwrap();
    let metadata = metadata.json::<Value>().await.unwrap();
    let endpoint = |name: &str| metadata[name].as_str().unwrap().to_owned();
    let http = Http(client);

    for auth_type in [AuthType::BasicAuth, AuthType::RequestBody] {
        let oauth = BasicClient::new(ClientId::new(root.client_id.clone()))
            .set_client_secret(ClientSecret::new(root.client_secret.clone()))
            .set_auth_type(auth_type)
            .set_token_uri(TokenUrl::new(endpoint("token_endpoint")).unwrap())
            .set_introspection_url(
                IntrospectionUrl::new(endpoint("introspection_endpoint")).unwrap(),
            )
            .set_revocation_url(RevocationUrl::new(endpoint("revocation_endpoint")).unwrap());
        let scope = Scope::new("management:service-accounts:read".to_owned());
        let answer = oauth
            .exchange_client_credentials()
            .add_scope(scope.clone())
            .request_async(&http)
            .await
            .unwrap();
        assert_eq!(answer.expires_in().unwrap().as_secs(), 3600);
        assert_eq!(answer.scopes(), Some(&vec![scope]));
        let token = answer.access_token();

        let introspection = oauth.introspect(token).request_async(&http).await.unwrap();
        assert!(introspection.active());
        assert_eq!(introspection.client_id().unwrap().as_str(), root.client_id);
        let revocation = oauth
            .revoke_token(StandardRevocableToken::from(token))
            .unwrap();
        revocation.request_async(&http).await.unwrap();
        let introspection = oauth.introspect(token).request_async(&http).await.unwrap();
        assert!(!introspection.active());

        // How the crate reports a refusal.
        let unknown = Scope::new("unheard:of".to_owned());
        let refused = oauth
            .exchange_client_credentials()
            .add_scope(unknown)
            .request_async(&http)
            .await;
        let Err(RequestTokenError::ServerResponse(error)) = refused else {
            panic!("a refusal is expected: {refused:?}");
        };
        assert_eq!(error.error().to_string(), "invalid_scope");
    }
}
