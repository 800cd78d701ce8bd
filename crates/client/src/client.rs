//! A client of one Prokura server.

use std::{fmt, sync::Arc};

use prokura_wire::IntrospectionResponse;
use url::Url;

use crate::{
    answer::Answer,
    credentials::ClientCredentials,
    error::Error,
    http::Http,
    http_options::HttpOptions,
    retry::Repeat,
    token_request::{TokenRequest, form_request, oauth_error},
    token_source::{TokenSource, TokenSourceBuilder},
};

/// A client of one Prokura server: its management API, introspection and revocation. Cloning is cheap; all clones share one
/// token and one connection pool.
///
/// Each operation of the API is a method of the same name. The method returns a call. Set the call's options with its
/// methods, and await it to send it:
///
/// ```
/// # mod server { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/examples/server.rs")); }
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let url = server::start().await;
/// use prokura_client::{Client, ClientCredentials};
///
/// let credentials = ClientCredentials::new("sa_019ab0f4-5d2e-7c11-9a52-3b1f6b0d2c47", "prk_…");
/// let prokura = Client::new(url, credentials)?;
///
/// let created = prokura
///     .create_service_account("CI Pipeline")
///     .description("Used by GitHub Actions")
///     .label("environment", "production")
///     .await?;
/// let id = &created.service_account.id;
/// let secret = created.credentials.client_secret.expose(); // shown only once
/// # assert_eq!(secret.len(), 53);
///
/// let mut accounts = prokura.list_service_accounts().label("environment", "production").stream();
/// while let Some(account) = accounts.try_next().await? {
///     println!("{} {}", account.id, account.name);
/// }
///
/// prokura.delete_service_account(id).await?;
/// # Ok(())
/// # }
/// ```
///
/// # Retries
///
/// A failed request is retried if the failure is temporary: status 429, 502, 503 or 504, a broken connection, or a timeout.
///
/// * Reads and deletions are retried, because a second request does no harm. A retried deletion that finds nothing is a
///   success, if an earlier attempt may have deleted the object.
/// * Calls that create a secret (create an account, rotate or add a secret) are retried. They have an `Idempotency-Key`, so
///   the server makes the change only once.
/// * Other changes (update, cancel a rotation, revoke tokens) are retried only if the server has certainly not processed the
///   first request: after status 429, or if there was no connection.
///
/// [`HttpOptions`] sets how often, and how long a call may take.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    http: Http,
    base: Url,
    credentials: ClientCredentials,
    options: HttpOptions,
    tokens: TokenSource,
}

impl Client {
    /// A client of the server with the public URL `url`. Calls are made as the service account with these credentials.
    pub fn new(url: impl Into<String>, credentials: ClientCredentials) -> Result<Self, Error> {
        Self::builder(url, credentials).build()
    }

    /// Like [`new`](Self::new), with more options.
    pub fn builder(url: impl Into<String>, credentials: ClientCredentials) -> ClientBuilder {
        ClientBuilder {
            url: url.into(),
            credentials,
            scope: None,
            http: HttpOptions::default(),
        }
    }

    /// The access tokens of the calls of the management API.
    pub fn tokens(&self) -> &TokenSource {
        &self.0.tokens
    }

    /// A separate token source for the same server and service account: for another API, which
    /// [`resource`](TokenSourceBuilder::resource) names, or for fewer scopes.
    pub fn token_source(&self) -> TokenSourceBuilder {
        let endpoint = self.endpoint(&["oauth2", "token"]);
        TokenSource::builder(endpoint, self.0.credentials.clone()).http(self.0.options.clone())
    }

    /// Introspects a token (RFC 7662). Requires the scope `tokens:introspect`. A token of another organization is inactive.
    pub async fn introspect_token(&self, token: &str) -> Result<IntrospectionResponse, Error> {
        let answer = self.oauth("introspect", token).await?;
        answer.json()
    }

    /// Revokes one of the client's own tokens (RFC 7009). An inactive token, or one of another client, is a success.
    pub async fn revoke_token(&self, token: &str) -> Result<(), Error> {
        self.oauth("revoke", token).await?;
        Ok(())
    }

    async fn oauth(&self, endpoint: &str, token: &str) -> Result<Answer, Error> {
        let url = self.endpoint(&["oauth2", endpoint]);
        let form = vec![("token".to_owned(), token.to_owned())];
        let request = form_request(&url, &self.0.credentials, form)?;
        let deadline = self.0.http.deadline();
        let answer = self
            .0
            .http
            .send(&request, Repeat::Harmless, deadline)
            .await?;
        if !answer.status.is_success() {
            return Err(oauth_error(&answer));
        }
        Ok(answer)
    }

    pub(crate) fn http(&self) -> &Http {
        &self.0.http
    }

    /// The URL of these path segments below the server's URL.
    pub(crate) fn endpoint(&self, segments: &[&str]) -> Url {
        endpoint(&self.0.base, segments)
    }
}

fn endpoint(base: &Url, segments: &[&str]) -> Url {
    let mut url = base.clone();
    // Only a URL that cannot be a base has no segments. This one is http or https.
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(segments);
    }
    url
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("url", &self.0.base.as_str())
            .field("client_id", &self.0.credentials.client_id())
            .finish_non_exhaustive()
    }
}

/// Builds a [`Client`].
#[derive(Clone, Debug)]
pub struct ClientBuilder {
    url: String,
    credentials: ClientCredentials,
    scope: Option<String>,
    http: HttpOptions,
}

impl ClientBuilder {
    /// The scopes to request, separated by spaces. Default: all management scopes that the service account has.
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.scope = Some(scope.into());
        self
    }

    /// Timeouts, retries and the HTTP client.
    pub fn http(mut self, options: HttpOptions) -> Self {
        self.http = options;
        self
    }

    /// Builds the client. Sends nothing before the first call. The URL must be `https`, or of this machine.
    pub fn build(self) -> Result<Client, Error> {
        let base = self.http.parse_url(&self.url)?;
        if base.query().is_some() {
            return Err(Error::invalid("the server's URL must not have a query"));
        }
        let http = Http::new(self.http.clone(), &base)?;
        let tokens = TokenSource::new(TokenRequest {
            http: http.clone(),
            endpoint: endpoint(&base, &["oauth2", "token"]),
            credentials: self.credentials.clone(),
            parameters: self
                .scope
                .map(|scope| ("scope".to_owned(), scope))
                .into_iter()
                .collect(),
        });
        Ok(Client(Arc::new(Inner {
            http,
            base,
            credentials: self.credentials,
            options: self.http,
            tokens,
        })))
    }
}
